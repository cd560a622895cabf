"""What the decorators of this package accept, and what they refuse."""

from __future__ import absolute_import

import functools
import inspect

__all__ = ["check_callable", "is_coroutine_function", "is_decorated"]

# How a task is put in a queue: celery and RQ, dramatiq, django.tasks, huey,
# procrastinate, taskiq.
_TASK_METHODS = ("delay", "send", "enqueue", "call_local", "defer", "kiq")

_OF_CLASSES = (classmethod, staticmethod)

_is_coroutine_function = getattr(  # Python 3.5+
    inspect, "iscoroutinefunction", lambda function: False
)
_is_async_generator_function = getattr(  # Python 3.6+
    inspect, "isasyncgenfunction", lambda function: False
)


def _called(function):
    """Return what a call runs: of partial() the function, of an object its method."""
    while isinstance(function, functools.partial):
        function = function.func
    return [function, getattr(type(function), "__call__", None)]


def is_coroutine_function(function):
    """Tell whether a call returns a coroutine."""
    return any(map(_is_coroutine_function, _called(function)))


def _is_generator_function(function):
    called = _called(function)
    # contextlib wraps the generator function of a context manager.
    if getattr(called[0], "__globals__", {}).get("__name__") == "contextlib":
        called.append(getattr(called[0], "__wrapped__", None))  # Python 3
    return any(
        inspect.isgeneratorfunction(each) or _is_async_generator_function(each)
        for each in called
    )


def is_decorated(thing):
    """Tell whether a decorator's argument is what it decorates, and no option.

    A task of django.tasks is no callable, and a class method none yet.
    """
    try:
        return (
            callable(thing)
            or isinstance(thing, _OF_CLASSES)
            or not hasattr(thing, "__iter__")
            and _task_method(thing) is not None
        )
    except Exception:  # a lazy object whose value cannot be made
        return False


def _task_method(thing):
    """Return the name of the method that puts a task in a queue, None for no task."""
    if "mock" in type(thing).__module__:  # which has every attribute
        return None
    return next((name for name in _TASK_METHODS if hasattr(thing, name)), None)


def check_callable(decorator, function, advice):
    """Raise the TypeError for what a decorator cannot decorate.

    ``advice`` says what to do about a generator function.
    """
    method = _task_method(function)
    if method is not None:
        raise TypeError(
            "%s cannot decorate the task %r: its %s() would run the function without "
            "%s. The task's decorator comes first:\n"
            "    @task  # of the task runner\n"
            "    @%s\n"
            "    def %s(...):"
            % (decorator, function, method, decorator, decorator, _name_of(function))
        )
    if isinstance(function, _OF_CLASSES):
        kind = type(function).__name__
        raise TypeError(
            "%s cannot decorate a %s. The other order works:\n    @%s\n    @%s\n"
            "    def %s(...):"
            % (decorator, kind, kind, decorator, _name_of(function.__func__))
        )
    if not callable(function):
        raise TypeError("%s cannot decorate %r" % (decorator, function))
    if _is_generator_function(function):
        raise TypeError(
            "%s cannot decorate the generator function %r: its body runs when the "
            "call has returned. %s" % (decorator, function, advice)
        )


def _name_of(task):
    # dramatiq's fn, django.tasks' and huey's func: the function of the task.
    for thing in (task, getattr(task, "fn", None), getattr(task, "func", None)):
        if isinstance(getattr(thing, "__name__", None), str):
            return thing.__name__
    return "job"
