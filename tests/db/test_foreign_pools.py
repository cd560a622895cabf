"""Pools that a third party's ENGINE keeps in the process, and forks."""

from __future__ import absolute_import

import json
import os
import sys
import types

import pytest
from django.db import connections
from django.db.utils import load_backend

from django_compat import close_stale_connections, discard_connections
from django_compat._db import engines
from support.databases import open_connection, run
from support.drivers import DRIVERS
from support.losses import since_django_16
from support.processes import forked, run_module
from support.projects import environment

PSYCOPG = 3 if "psycopg" in DRIVERS else 2
POOLS = [
    ("mysql", "dj_db_conn_pool.backends.mysql"),
    ("postgresql", "dj_db_conn_pool.backends.postgresql"),
    ("postgresql", "django_db_geventpool.backends.postgresql_psycopg%d" % PSYCOPG),
]


pytestmark = pytest.mark.usefixtures("driver_set")


def facts_of(alias, engine, *more):
    """Run the project with a third party's ENGINE; skip where it is not installed."""
    package = pytest.importorskip(engine.partition(".")[0])
    if "dj_db" in engine and "PyMySQL" in DRIVERS and alias == "mysql":
        pytest.skip("the engine is for mysqlclient")
    env = environment(alias)
    settings = json.loads(env["DJANGO_COMPAT_TEST_SETTINGS"])
    settings["DATABASES"]["default"]["ENGINE"] = engine
    env["DJANGO_COMPAT_TEST_SETTINGS"] = json.dumps(settings)
    folder = os.path.dirname(os.path.dirname(package.__file__))
    env["PYTHONPATH"] += os.pathsep + folder
    if "gevent" in engine:
        more += ("gevent",)
    return run_module("pooled", *more, env=env)


@pytest.mark.parametrize("alias, engine", POOLS)
def test_child_gives_up_the_pool(request, alias, engine):
    """The child has sessions of its own, and the parent keeps the session in use."""
    request.getfixturevalue(alias + "_server")
    facts = facts_of(alias, engine, "import")
    assert len(set(facts["children"])) == 2
    assert not set(facts["children"]) & set(facts["before"])
    assert facts["after"] == facts["before"]


@pytest.mark.parametrize("alias, engine", POOLS)
def test_without_us_the_child_shares_the_sessions(request, alias, engine):
    """The negative: the child uses its parent's sessions."""
    request.getfixturevalue(alias + "_server")
    facts = facts_of(alias, engine)
    assert set(facts["children"]) & set(facts["before"])


@pytest.fixture
def engine(alias, monkeypatch):
    """Give an alias an ENGINE with the name of a package whose pool is not known."""
    settings = connections.databases[alias]
    base = load_backend(settings["ENGINE"]).DatabaseWrapper
    name = "django_postgrespool2"
    package, module = types.ModuleType(name), types.ModuleType(name + ".base")
    package.__path__, package.base = [], module
    module.DatabaseWrapper = type("DatabaseWrapper", (base,), {"__module__": name})
    monkeypatch.setitem(sys.modules, name, package)
    monkeypatch.setitem(sys.modules, name + ".base", module)
    monkeypatch.setitem(settings, "ENGINE", name)
    yield name
    connections[alias].close()
    engines.opened.clear()


@pytest.mark.contract
@since_django_16
@pytest.mark.parametrize("give_up", [discard_connections, close_stale_connections])
def test_pool_that_cannot_be_given_up_is_a_warning(
    alias, engine, give_up, caplog
):
    """The child's one warning names the ENGINE; the parent has none."""
    connection = open_connection(alias, None)
    discard_connections()

    def child():
        del caplog.records[:]
        give_up()
        give_up()
        assert run(connection, "SELECT 1") == (1,)
        return [
            record.getMessage()
            for record in caplog.records
            if record.levelname == "WARNING"
        ]

    assert caplog.records == []
    (text,) = forked(child)
    assert repr(str(engine)) in text and "fork" in text
