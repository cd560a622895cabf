"""The deprecation of close_connection, and warning classes for every Django."""

from __future__ import absolute_import

import inspect
import pickle
import warnings

import django
import django.db
import pytest

import django_compat
from django_compat import RemovedInDjango18Warning, close_connection

pytestmark = pytest.mark.contract

CLASSES = [name for name in django_compat.__all__ if name.startswith("RemovedIn")]
IS_OURS = django.VERSION >= (1, 8)


def call_and_collect():
    """Call close_connection twice; return the warnings and the first call's line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1
        close_connection()
        close_connection()
    return caught, line


def test_close_connection_warns_once_a_call_at_the_callers_line():
    """Each call warns at its own line; Django 1.4 and 1.5 do not warn."""
    caught, line = call_and_collect()
    if django.VERSION < (1, 6):
        assert caught == []
        return
    assert [entry.lineno for entry in caught] == [line, line + 1]
    assert {entry.filename.replace(".pyc", ".py") for entry in caught} == {
        __file__.replace(".pyc", ".py")
    }


def test_close_connection_names_both_replacements():
    """Our text names both replacements; Django's text names close_old_connections."""
    caught, _ = call_and_collect()
    for entry in caught:
        assert "close_old_connections" in str(entry.message)
        assert ("close_all_connections" in str(entry.message)) is IS_OURS


def test_close_connection_warns_with_the_class_of_18():
    """On 1.7 the class is Django's RemovedInDjango18Warning, on later Djangos ours."""
    caught, _ = call_and_collect()
    if django.VERSION < (1, 6):
        expected = set()
    elif django.VERSION < (1, 7):
        expected = {PendingDeprecationWarning}
    else:
        expected = {RemovedInDjango18Warning}
    assert {entry.category for entry in caught} == expected


def test_close_connection_obeys_an_error_filter():
    """An error filter of RemovedInDjango18Warning turns the warning into an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RemovedInDjango18Warning)
        if django.VERSION < (1, 7):
            close_connection()
        else:
            with pytest.raises(RemovedInDjango18Warning):
                close_connection()


def test_our_class_of_18_is_a_deprecation_warning():
    """The class is a DeprecationWarning where close_connection is gone or goes next."""
    pending = django.VERSION < (1, 7)
    assert issubclass(
        RemovedInDjango18Warning,
        PendingDeprecationWarning if pending else DeprecationWarning,
    )


@pytest.mark.parametrize("name", CLASSES)
def test_class_is_djangos_own_where_django_has_it(name):
    """A warning filter can name the class on every Django."""
    category = getattr(django_compat, name)
    assert issubclass(category, (DeprecationWarning, PendingDeprecationWarning))
    try:
        from django.utils import deprecation
    except ImportError:  # before Django 1.7
        deprecation = None
    if hasattr(deprecation, name):
        assert category is getattr(deprecation, name)
    else:
        assert category.__name__ == name
        assert category.__module__ == "django_compat"
    assert getattr(django_compat, name) is category
    assert pickle.loads(pickle.dumps(category, 2)) is category


@pytest.mark.skipif(
    django.VERSION < (1, 7), reason="Django before 1.7 defines no such class"
)
def test_every_class_of_this_django_is_known():
    """django_compat has each RemovedInDjangoNNWarning that this Django defines."""
    from django.utils import deprecation

    defined = {
        name
        for name in vars(deprecation)
        if name.startswith("RemovedInDjango") and name.endswith("Warning")
    }
    assert defined - set(CLASSES) == set()


@pytest.mark.parametrize(
    "version, name, base",
    [
        ((1, 6, 0), "RemovedInDjango18Warning", PendingDeprecationWarning),
        ((1, 7, 0), "RemovedInDjango110Warning", PendingDeprecationWarning),
        ((1, 10, 0), "RemovedInDjango19Warning", DeprecationWarning),
        ((1, 11, 0), "RemovedInDjango18Warning", DeprecationWarning),
        ((2, 2, 0), "RemovedInDjango2028Warning", PendingDeprecationWarning),
        ((2028, 0, 0), "RemovedInDjango61Warning", DeprecationWarning),
    ],
)
def test_our_class_fits_the_distance(monkeypatch, version, name, base):
    """The class is pending if its release comes after the next, as in Django."""
    deprecation = django_compat._names.deprecation
    monkeypatch.setattr(django, "VERSION", version)
    monkeypatch.setattr(deprecation, "_classes", {})
    try:
        from django.utils import deprecation as djangos
    except ImportError:  # before Django 1.7
        djangos = deprecation
    monkeypatch.delattr(djangos, name, raising=False)
    assert deprecation.removed_in_warning(name).__bases__ == (base,)
