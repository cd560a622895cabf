"""Time ``audit`` on 1,000 files.

Call ``python benchmarks/audit_speed.py [FOLDER]`` with Python 3.10 or newer. The script
copies the Python files below FOLDER, which is the installed Django unless it is given,
to a folder of 1,000 files, and runs the command there, in one process. It prints the
seconds by the clock and of the processor, and the most memory that the process held.
"""

from __future__ import absolute_import, print_function

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice

COUNT = 1000
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def find_files(root):
    """Return the paths of the Python files with at least ten lines."""
    paths = []
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name.endswith(".py") and count_lines(path) >= 10:
                paths.append(path)
    return paths


def count_lines(path):
    with open(path, "rb") as file:
        return file.read().count(b"\n")


def main(arguments):
    if arguments:
        root = arguments[0]
    else:
        import django

        root = os.path.dirname(django.__file__)
    work = tempfile.mkdtemp(prefix="audit-speed-")
    lines = 0
    for number, path in enumerate(islice(cycle(find_files(root)), COUNT)):
        lines += count_lines(path)
        shutil.copyfile(path, os.path.join(work, "module_%d.py" % number))
    load, begun = os.getloadavg()[0], time.time()
    process = subprocess.run(
        [sys.executable, "-m", "django_compat", "audit", work],
        stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=ROOT),
    )
    seconds = time.time() - begun
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(work)
    print("%d files, %d lines: %.1f s" % (COUNT, lines, seconds))
    print("processor: %.1f s" % (usage.ru_utime + usage.ru_stime))
    print("memory: %d MB" % (usage.ru_maxrss // 1024))  # Linux counts kilobytes
    print("load average before: %.1f, processors: %d" % (load, os.cpu_count()))
    print(process.stdout.decode("utf-8").splitlines()[-1])
    return 0 if process.returncode < 2 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
