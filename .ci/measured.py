"""Measure the coverage of each process that an environment starts.

``python .ci/measured.py`` copies this module into the environment, which then imports
the module at each start of Python, whatever ``PYTHONPATH`` a test gives to a process.
The module does something only if ``COVERAGE_PROCESS_START`` names a configuration.
coverage 7.10 and later have the same as ``patch``, but not the last coverage that runs
on Python 2.7, 3.6 or 3.8.
"""

from __future__ import absolute_import

import os


def measure():
    import coverage

    coverage.process_startup()
    leave = os._exit

    def save_and_leave(status):
        """End a forked child, which skips atexit."""
        coverage.process_startup.coverage.save()
        leave(status)

    os._exit = save_and_leave


def install():
    import shutil
    import sysconfig

    folder = sysconfig.get_path("purelib")
    shutil.copy(__file__, folder)
    with open(os.path.join(folder, "measured.pth"), "w") as file:
        file.write("import measured\n")


if __name__ == "__main__":
    install()
elif "COVERAGE_PROCESS_START" in os.environ:
    measure()
