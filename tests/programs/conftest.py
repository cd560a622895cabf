"""The function of ``examples/worker.py`` that reads a URL."""

from __future__ import absolute_import

import ast
import os

import pytest

from support.repository import ROOT

WORKER = os.path.join(ROOT, "examples", "worker.py")


@pytest.fixture(scope="module")
def read_database_url():
    """The worker's function; the module, which configures Django, is not run."""
    with open(WORKER) as stream:
        tree = ast.parse(stream.read())
    # The part of the module before it reads DATABASE_URL.
    kinds = [type(statement).__name__ for statement in tree.body]
    (end,) = [i for i, kind in enumerate(kinds) if kind in ("Try", "TryExcept")]
    tree.body, names = tree.body[:end], {"__name__": "worker"}
    exec(compile(tree, WORKER, "exec"), names)
    return names["read_database_url"]
