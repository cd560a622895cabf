"""The decorators refuse tasks, and name the order that works."""

from __future__ import absolute_import

import contextlib
import functools
import sys

import pytest
from django.utils.functional import SimpleLazyObject

from django_compat import (
    closing_connections,
    fresh_connections,
    retry_on_disconnect,
)

pytestmark = pytest.mark.contract

DECORATORS = [
    fresh_connections,
    closing_connections,
    retry_on_disconnect,
    fresh_connections(),
    closing_connections("default"),
    retry_on_disconnect(attempts=3),
]
NAMES = ["fresh_connections", "closing_connections", "retry_on_disconnect"] * 2


def work():
    return "done"


def fail():
    raise ValueError("no value")


class Actor(object):
    """A task of dramatiq, or celery, that can be called."""

    def __init__(self, method):
        self.fn = work
        setattr(self, method, lambda *args: None)

    def __call__(self):
        return self.fn()


class Task(object):
    """A task of django.tasks, which cannot be called."""

    func = staticmethod(work)

    def enqueue(self):
        """Put the task in its queue."""


def rq_job():
    """A function to which RQ's decorator gave a method."""
    function = functools.partial(work)
    function.__name__ = "work"
    function.delay = work
    return function


METHODS = ["delay", "send", "enqueue", "call_local", "defer", "kiq"]
TASKS = [(Actor(method), method) for method in METHODS]
TASKS += [(Task(), "enqueue"), (rq_job(), "delay")]
try:
    from django.tasks import task  # Django 6.0+

    TASKS.append((task(work), "enqueue"))
except ImportError:
    pass


@pytest.mark.parametrize("decorator, name", list(zip(DECORATORS, NAMES)))
@pytest.mark.parametrize("refused, method", TASKS)
def test_task_is_refused(decorator, name, refused, method):
    """The error names the method that would pass the scope by, and the right order."""
    with pytest.raises(TypeError) as caught:
        decorator(refused)
    text = str(caught.value)
    assert "%s() would run" % method in text
    lines = [line.strip() for line in text.splitlines()[1:]]
    assert lines == ["@task  # of the task runner", "@" + name, "def work(...):"]


@pytest.mark.parametrize("decorator, name", list(zip(DECORATORS, NAMES)))
@pytest.mark.parametrize("kind", [classmethod, staticmethod])
def test_method_of_a_class_is_refused(decorator, name, kind):
    """The error shows the order that works, and that order does work."""
    with pytest.raises(TypeError) as caught:
        decorator(kind(work))
    lines = [line.strip() for line in str(caught.value).splitlines()[1:]]
    assert lines == ["@" + kind.__name__, "@" + name, "def work(...):"]

    class Service(object):
        method = kind(decorator(lambda *args: len(args)))

    assert Service.method() == Service().method() == (kind is classmethod)


class Rows(object):
    """An object whose call gives a generator."""

    def __call__(self):
        yield 1


@contextlib.contextmanager
def manager():
    yield


GENERATORS = [Rows(), Rows().__call__, functools.partial(Rows())]
if sys.version_info >= (3,):  # before, contextlib does not tell the function
    GENERATORS.append(manager)


@pytest.mark.parametrize("decorator", DECORATORS)
@pytest.mark.parametrize("refused", GENERATORS)
def test_generator_in_disguise_is_refused(decorator, refused):
    """The body would run when the scope is over."""
    with pytest.raises(TypeError) as caught:
        decorator(refused)
    assert "generator function" in str(caught.value)


@pytest.mark.parametrize("decorator", DECORATORS)
def test_function_with_attributes_of_other_names_is_fine(decorator):
    """Only the names of the task runners count."""

    def job():
        return "done"

    job.short_description = job.admin_order_field = job.queue = "mine"
    decorated = decorator(job)
    assert decorated() == "done"
    assert decorated.queue == "mine"


@pytest.mark.parametrize("decorator", DECORATORS[:3])
def test_right_order_is_fine(decorator):
    """A task's decorator takes what these decorators give."""
    decorated = decorator(work)

    class Runner(object):
        def __init__(self, function):
            self.delay = self.function = function

    assert Runner(decorated).delay() == "done"
    assert not hasattr(decorated, "delay")


def test_mock_is_no_task():
    """An object of unittest.mock has every attribute, and is decorated all the same."""
    mock = pytest.importorskip("unittest.mock")
    function = mock.Mock(return_value="done", __name__="function")
    assert fresh_connections(function)() == "done"


@pytest.mark.parametrize("scope", [fresh_connections, closing_connections])
def test_generator_of_aliases_is_no_task(scope):
    """A generator has a method send(), too, and gives aliases."""
    with scope(alias for alias in ["default"]):
        pass


class NamelessTask(object):
    """A task whose function nobody can tell."""

    def enqueue(self):
        """Put the task in its queue."""


@pytest.mark.parametrize("decorator", DECORATORS[:3])
def test_task_without_a_name_is_refused(decorator):
    """The right order is shown with a name of ours."""
    with pytest.raises(TypeError) as caught:
        decorator(NamelessTask())
    assert "def job(...):" in str(caught.value)


@pytest.mark.skipif(
    not hasattr(SimpleLazyObject, "__iter__"), reason="it has no iteration yet"
)
@pytest.mark.parametrize("decorator", DECORATORS[:2])
def test_lazy_alias_that_cannot_be_made_raises_its_own_error(decorator):
    """The object is taken for an alias, and its error comes out."""
    with pytest.raises(ValueError):
        decorator(SimpleLazyObject(fail))
