"""The pair, the drivers and the settings of a run, and which tests it runs.

A test with the mark ``contract`` holds something that the docs promise: it runs on
every pair of Python and Django. All other tests run on the full pairs, which
support/tiers.py lists, or on every pair with ``DJANGO_COMPAT_TEST_ALL=1``. A run of
other drivers or servers repeats only the tests that use a driver: those with the
fixture ``driver_set``. A test that this pair cannot run is skipped, with the reason.
"""

from __future__ import absolute_import

import gc
import shutil
import sys
import tempfile

import django

from support import drivers, settings, tiers

pytest_plugins = ["support.fixtures"]

if sys.version_info < (3,):
    # Python 2 cannot parse ``async def``.
    collect_ignore_glob = ["*/test_aio.py", "*_async.py"]

folder = tempfile.mkdtemp(prefix="django_compat_")
drivers.choose()
settings.configure(folder)


def pytest_configure(config):
    config.addinivalue_line("markers", "contract: the docs promise it; on every pair")
    # A warning that one of our modules causes is an error.
    config.addinivalue_line("filterwarnings", "error:::django_compat")


def pytest_collection_modifyitems(config, items):
    """Keep the tests that this pair runs with these drivers."""
    kept, others = [], []
    for item in items:
        is_kept = (tiers.RUNS_ALL or item.get_closest_marker("contract")) and (
            not drivers.IS_REPEAT or "driver_set" in item.fixturenames
        )
        (kept if is_kept else others).append(item)
    items[:] = kept
    if others:
        config.hook.pytest_deselected(items=others)


def pytest_collection_finish(session):
    """Let a test's gc.collect() walk what the tests make, not all tests and modules."""
    if hasattr(gc, "freeze"):  # Python 3.7+
        gc.collect()
        gc.freeze()


def pytest_unconfigure(config):
    shutil.rmtree(folder, ignore_errors=True)


def pytest_sessionstart(session):
    """Head the report, also with -q, which leaves out the header of pytest."""
    from support import databases  # Django 1.4 and 1.5 read the settings now

    tests = "all tests" if tiers.RUNS_ALL else "contract tests only"
    lines = [
        "Django %s, drivers: %s"
        % (django.get_version(), ", ".join(drivers.versions()) or "none"),
        "servers: " + ", ".join(databases.versions()),
        "%s (full pair: %s)" % (tests, "yes" if tiers.IS_FULL else "no"),
    ]
    if sys.version_info < (3,):
        lines.append("left out, Python 2 cannot parse them: test_aio.py, *_async.py")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for line in lines:
        reporter.write_line(line)
