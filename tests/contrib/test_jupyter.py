"""Jupyter: INSTALLED_APPS is enough; docs/recipes/jupyter.rst, in real kernels."""

from __future__ import absolute_import

from support import recipes
from support.databases import sessions, wait_for
from support.required import needs_package

needs_package("ipykernel")
PAGE = recipes.page("jupyter")
SEND = """
import atexit, os
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="python3")
atexit.register(manager.shutdown_kernel)

def execute(cell):
    with open(os.path.join(os.path.dirname(__file__), cell)) as stream:
        reply = client.execute_interactive(
            stream.read(), output_hook=lambda message: None, timeout=20
        )
    if reply["content"]["status"] != "ok":
        raise ValueError(reply["content"]["evalue"])

execute("notebook.py")

def send():
    execute("cell.py")
"""


def test_cells_after_idle_spells(server_alias, tmpdir):
    """The page's table: one cell after the other."""
    senders = {"cell fails": SEND}
    found = recipes.measure(PAGE, tmpdir, server_alias, senders)
    assert found == recipes.figures(PAGE, server_alias, senders)
    wait_for(lambda: not sessions(server_alias))
