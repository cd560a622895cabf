# -*- coding: utf-8 -*-
"""``manage.py dbconnections`` and servers that hang, lie, or write to the terminal."""

from __future__ import absolute_import

import json
import time
from contextlib import closing
from importlib import import_module

import pytest
import six
from django.db import connections

from django_compat._capacity.server_limits import Limits, Unknown
from django_compat.management.commands.dbconnections import Command
from support import databases, drivers, peers
from support.databases import administration, run

collect = import_module("django_compat._capacity.collect")

RAW = [u"\x1b", u"\x07", u"\x7f", u"\x9b", u"\u202e", u"\u2066", u"\u2028", u"\r"]
VENDORS = [name for name in drivers.SERVERS if name not in drivers.missing]


@pytest.fixture
def call(capsys):
    """Return a function that runs the command line: exit code, output, errors."""

    def call(*arguments):
        code = 0
        try:
            Command().run_from_argv(["manage.py", "dbconnections"] + list(arguments))
        except SystemExit as end:
            code = end.code
        return (code,) + tuple(capsys.readouterr())

    return call


@pytest.fixture(params=VENDORS)
def at_peer(request, driver_set, monkeypatch):
    """Return a function that points an alias at a Peer; time-outs are short."""
    alias = request.param
    monkeypatch.setattr(collect, "CONNECT_TIMEOUT", 2)  # libpq's least
    monkeypatch.setattr(collect, "ANSWER_TIMEOUT", 1)
    before, opened = dict(connections.databases[alias]), []

    def at_peer(behave):
        opened.append(peers.peer(alias, behave))
        databases.point(alias, opened[-1].__enter__())
        return alias

    yield at_peer
    for peer in opened:
        peer.__exit__(None, None, None)
    connections.databases[alias].clear()
    connections.databases[alias].update(before)


BEHAVIOURS = [
    peers.be_silent,
    peers.send_garbage,
    peers.send_text,
    peers.drip,
    peers.greet,
    peers.refuse,
]


@pytest.mark.parametrize("behave", BEHAVIOURS, ids=lambda function: function.__name__)
def test_hostile_server_has_an_error_in_time_and_the_others_a_report(
    call, at_peer, behave
):
    """No hang, no traceback, no password, and no character that a terminal obeys."""
    alias, start = at_peer(behave), time.time()
    code, text, errors = call("--database", "default", "--database", alias)
    assert time.time() - start < 15
    assert (code, "no answer from " + alias in errors) == (1, True)
    assert text.startswith("default: SQLite")
    assert text.rstrip().split("\n" + alias)[1].count("ERROR") == 1
    for output in (text, errors):
        assert "Traceback" not in output and "sesame" not in output
        assert not [character for character in RAW if character in decoded(output)]


def decoded(output):
    return output.decode("utf-8") if isinstance(output, bytes) else output


def test_each_alias_is_printed_before_the_next_is_asked(call, at_peer, monkeypatch):
    """A report that is known does not wait for the other servers."""
    alias, written = at_peer(peers.be_silent), []
    connect = collect.own_connection

    def own_connection(connection):
        written.append("ask " + connection.alias)
        return connect(connection)

    monkeypatch.setattr(collect, "own_connection", own_connection)
    module = import_module("django_compat.management.commands.dbconnections")
    output = module.Output.write

    def write(self, text):
        written.append("write")
        output(self, text)

    monkeypatch.setattr(module.Output, "write", write)
    call("--database", "default", "--database", alias)
    assert written == ["ask default", "write", "ask " + alias, "write"]


def test_own_time_outs_of_options_are_kept(server_alias):
    """A time-out is added under the driver's own name, where OPTIONS has none."""
    connection = connections[server_alias]
    with collect.own_connection(connection) as own:
        assert own.settings_dict["OPTIONS"]["connect_timeout"] == 10
    options = connection.settings_dict.get("OPTIONS") or {}
    connection.settings_dict["OPTIONS"] = dict(options, connect_timeout=33)
    try:
        with collect.own_connection(connection) as own:
            assert own.settings_dict["OPTIONS"]["connect_timeout"] == 33
        assert collect._patience(connection) == 43
    finally:
        connection.settings_dict["OPTIONS"] = options


@pytest.mark.contract
def test_names_of_other_sessions_cannot_write_to_the_terminal(call, server_alias):
    """An account's name is escaped in the table, and whole in JSON."""
    name = u"e\x1b[2J\u202e"
    create = {"mysql": u"USER %s", "postgresql": u"ROLE %s LOGIN"}
    quoted = {"mysql": u"'%s'@'%%'", "postgresql": u'"%s"'}[server_alias] % name
    with administration(server_alias) as admin:
        execute(admin, u"CREATE " + create[server_alias] % quoted)
        settings = {"USER": six.ensure_str(name), "PASSWORD": "", "NAME": ""}
        if server_alias == "postgresql":
            settings["NAME"] = connections.databases[server_alias]["NAME"]
        try:
            with administration(server_alias, **settings) as intruder:
                run(intruder, "SELECT 1")
                flags = ["--database", server_alias, "--holders"]
                text = decoded(call(*flags)[1])
                document = json.loads(call("--json", *flags)[1])
        finally:
            execute(admin, u"DROP %s %s" % (create[server_alias].split()[0], quoted))
    assert u"e\\x1b[2J\\u202e" in text
    assert not [character for character in RAW if character in text]
    accounts = [holder["account"] for holder in document["databases"][0]["holders"]]
    assert name in accounts


def execute(admin, sql):
    with closing(admin.cursor()) as cursor:
        cursor.execute(sql)
    admin.connection.commit()


ODD_FIGURES = [float("nan"), float("inf"), u"\x1b[2J", b"\xff\x1b", object(), 10**5000]


@pytest.mark.parametrize("figure", ODD_FIGURES, ids=lambda value: type(value).__name__)
def test_figures_that_are_no_numbers_end_no_report(call, monkeypatch, figure):
    """A server may answer anything: the report goes on, and JSON is valid."""
    fields = dict.fromkeys(Limits._fields, figure)
    fields.update(account_limits=(), variables={}, proxy=None, reserved=Unknown("x"))

    def read(connection):
        return Limits(**fields)

    def refuse_constant(name):
        raise ValueError(name)

    monkeypatch.setattr(collect, "read_limits", read)
    monkeypatch.setattr(connections["default"], "vendor", "postgresql", raising=False)
    flags = ["--database", "default", "--processes", "2"]
    _, text, errors = call(*flags)
    assert "Traceback" not in errors
    assert not [character for character in RAW if character in decoded(text)]
    json.loads(call("--json", *flags)[1], parse_constant=refuse_constant)
