"""The pytest plugin: a test fails that leaves a database connection open.

pytest loads this file in every run, because the package declares it (``pytest11``). It
does nothing, and imports no Django, until a test asks for the fixture, or the command
line for the option.
"""

from __future__ import absolute_import

import os

import pytest

__all__ = ["no_leaked_connections"]

_WAITS = 2.0  # seconds that DROP DATABASE may take before the terminal says why
_BLOCKED = "django_compat_blocked"  # how a process of pytest-xdist sends its lines


@pytest.fixture
def no_leaked_connections():
    """Fail the test if it leaves a connection open: in a thread, a child, a server."""


def pytest_addoption(parser):
    parser.getgroup("django_compat").addoption(
        "--fail-on-leaked-connections",
        action="store_true",
        help="fail each test that leaves a connection of Django's open, as the fixture "
        "no_leaked_connections does for one test",
    )


def pytest_configure(config):
    config.pluginmanager.register(_Plugin(config), "django_compat_leaks")


class _Plugin(object):
    def __init__(self, config):
        self.config = config
        self.is_for_all = config.getoption("fail_on_leaked_connections")
        # pytest does not capture yet: so this is the terminal, also for a drop that
        # waits for ever.
        self.terminal = os.dup(2) if self.is_for_all else None
        self.tracker = None
        self.blocked = []  # lines of pytest-xdist's processes

    def write(self, text):
        if self.terminal is not None:
            os.write(self.terminal, ("\n" + text).encode("utf-8"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        names = getattr(item, "fixturenames", ())
        if not (self.is_for_all or "no_leaked_connections" in names):
            return
        from django_compat.contrib import leaks

        if leaks.is_configured():
            if self.tracker is None:
                self.tracker = leaks.Tracker(self.write, _WAITS)
            self.tracker.begin(item.nodeid)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        if fixturedef.scope == "function" or not self.is_in_test():
            yield
            return
        with self.tracker.shared():
            yield

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self):
        if self.is_in_test():
            from django_compat.contrib.leaks import text_of

            leaks = self.tracker.end()
            if leaks:
                pytest.fail(text_of(leaks), pytrace=False)

    def is_in_test(self):
        return self.tracker is not None and self.tracker.test is not None

    def pytest_sessionfinish(self):
        if self.tracker is not None:
            self.blocked += self.tracker.blocked
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput[_BLOCKED] = self.blocked

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        self.blocked += getattr(node, "workeroutput", {}).get(_BLOCKED, [])

    def pytest_terminal_summary(self, terminalreporter):
        if self.blocked:
            terminalreporter.section("connections that were left open")
            for line in self.blocked:
                terminalreporter.write_line(line)

    def pytest_unconfigure(self):
        if self.tracker is not None:
            self.tracker.remove()
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None
