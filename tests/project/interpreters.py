"""Tasks in sub-interpreters, two at a time; each line of stdin runs two tasks.

Each line of the answer has the sessions of the tasks as JSON, or their errors. The
argument is the scope that the tasks are in.
"""

from __future__ import absolute_import, print_function

import json
import sys
from concurrent.futures import InterpreterPoolExecutor

import django


def ask(scope):
    """Return the session of this interpreter's connection, or the error."""
    try:
        import django_compat
        from queries import session

        return getattr(django_compat, scope)(session)()
    except Exception as error:
        return repr(error)


if __name__ == "__main__":
    scope = sys.argv[1]
    from interpreters import ask  # a task's module is imported in its interpreter

    with InterpreterPoolExecutor(2, initializer=django.setup) as pool:
        for _ in iter(sys.stdin.readline, ""):
            futures = [pool.submit(ask, scope) for _ in range(2)]
            print(json.dumps([future.result() for future in futures]), flush=True)
