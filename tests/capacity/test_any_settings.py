"""Settings, server files and flags that nobody would write: properties hold for all."""

from __future__ import absolute_import

import io
import json
import os

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.functional import SimpleLazyObject

from django_compat import retry_on_disconnect
from django_compat._capacity.collect import collect
from django_compat._capacity.demand import read_demand
from django_compat._capacity.deployments import BadDeployment, read_deployment
from django_compat._cli.matrix import BadRange, select
from django_compat._cli.output import to_json
from django_compat._cli.settings import BadUsage, check_databases
from django_compat._db.values import COUNT, SECONDS, WATCH, find_wrong_setting, shown
from django_compat.management.options import convert

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
st = hypothesis.strategies
settings = hypothesis.settings(
    deadline=None,
    derandomize=True,
    max_examples=200,
    suppress_health_check=list(hypothesis.HealthCheck),
)

NAMES = ["ENGINE", "OPTIONS", "CONN_MAX_AGE", "CONN_MAX_IDLE", "CONN_KEEP_SESSION"]
NAMES += ["HOST", "PORT", "USER", "CONN_HEALTH_CHECKS"]
# What hypothesis may not look at: it would raise.
STRANGE = {
    "a lazy number": lambda: SimpleLazyObject(lambda: 60),
    "a lazy error": lambda: SimpleLazyObject(lambda: 1 // 0),
    "a huge number": lambda: -(10**5000),
}
simple = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from([10**400, 10**20, 2**63]),
    st.sampled_from(sorted(STRANGE)),
    st.text(max_size=9),
    st.binary(max_size=9),
)
values = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=4,
)
entries = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)
aliases = st.one_of(st.text(min_size=1, max_size=9), simple)


def build(value):
    """Put the strange values in the place of their names."""
    if isinstance(value, dict):
        return dict((key, build(value[key])) for key in value)
    if isinstance(value, list):
        return list(map(build, value))
    return STRANGE[value]() if isinstance(value, str) and value in STRANGE else value


def is_one_line(text):
    return text.isprintable() and len(text) < 500


@settings
@hypothesis.given(values)
def test_any_value_is_shown_in_a_short_line(value):
    """Whatever a value is, its text has no control character, and does not raise."""
    assert is_one_line(shown(build(value)))


@settings
@hypothesis.given(values)
def test_any_value_is_a_number_or_not(value):
    """Only finite numbers are accepted; no value makes the question fail."""
    value = build(value)
    for kind in (COUNT, SECONDS, WATCH):
        if kind.accepts(value):
            assert 0 <= value <= 1e20
            json.dumps(value, allow_nan=False)


@settings
@hypothesis.given(aliases, entries)
def test_any_entry_gives_facts_or_one_message(alias, changes):
    """The report of a right alias goes on beside any entry, and is valid JSON."""
    changes, databases = build(changes), connections.databases
    hypothesis.assume(alias not in databases)
    databases[alias] = dict(databases["default"], **changes)
    try:
        problem = find_wrong_setting(alias, databases[alias])
        assert problem is None or is_one_line(problem)
        if "mysql" in shown(changes) or "postg" in shown(changes):
            return  # only what is at hand is asked
        facts = list(collect([alias, "default"]))
    finally:
        del databases[alias]
        if isinstance(alias, str) and alias in vars(connections._connections):
            delattr(connections._connections, alias)
    assert facts[1]["error"] is None
    assert problem is None or facts[0]["error"] == problem
    json.loads(to_json({"databases": facts}), parse_constant=pytest.fail)


@settings
@hypothesis.given(st.dictionaries(aliases, st.one_of(entries, values), max_size=4))
def test_any_databases_give_aliases_or_one_message(databases):
    """``python -m django_compat`` names what is wrong, or has aliases to go on with."""
    try:
        assert set(check_databases(build(databases))) <= set(databases)
    except BadUsage as error:
        assert is_one_line(str(error))


@settings
@hypothesis.given(values, values, values)
@hypothesis.example(None, None, "a lazy error")
def test_any_counts_give_a_demand_or_one_message(processes, threads, hosts):
    """A total is a whole number; an error names the argument."""
    try:
        demand = read_demand("default", None, *map(build, (processes, threads, hosts)))
        json.dumps(demand.arithmetic)
    except (ValueError, ImproperlyConfigured) as error:
        assert is_one_line(str(error))
        assert str(error).startswith("--")


@settings
@hypothesis.given(values, values, values, values)
@hypothesis.example(3, 0.1, 2, "a lazy error")
def test_any_retry_is_made_or_is_a_value_error(attempts, delay, backoff, using):
    """The error names the argument, in one line."""
    attempts, delay, backoff, using = map(build, (attempts, delay, backoff, using))
    try:
        retry_on_disconnect(attempts, delay=delay, backoff=backoff, using=using)
    except ValueError as error:
        assert is_one_line(str(error))
        assert str(error).startswith("retry_on_disconnect(")


numerals = st.one_of(
    st.text(max_size=9),
    st.text("0123456789+-.eE_ \u0663\xb2", max_size=12),
    st.one_of(st.integers(), st.floats()).map(str),
)


@settings
@hypothesis.given(st.sampled_from(["count", "seconds"]), numerals)
def test_any_flag_is_a_number_or_one_message(name, text):
    """A flag is a positive number, or an error that shows it."""
    try:
        assert 0 < convert(name, text) <= 10**9
    except ValueError as error:
        assert is_one_line(str(error))


clauses = st.lists(
    st.one_of(
        st.text("<>=!~,.*0123456789 \n", max_size=12),
        st.tuples(
            st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "~="]),
            st.lists(st.integers(0, 12).map(str), min_size=1, max_size=5).map(".".join),
            st.sampled_from(["", ".*"]),
        ).map("".join),
    ),
    max_size=3,
).map(",".join)


@settings
@hypothesis.given(clauses, clauses)
def test_any_ranges_give_pairs_or_one_message(django, python):
    """Ranges select known pairs, or an error says what is wrong with which."""
    try:
        for row in select(django, python):
            assert row["requirement"].isprintable()
    except BadRange as error:
        assert is_one_line(str(error))
        assert str(error).startswith("--")


ini = st.lists(
    st.sampled_from(
        ["[uwsgi]", "processes = 4", "threads = %(x)", "x = $(PATH)", "if-env = A"]
        + ["endif =", "cheaper = 2", "%", "=", "include = \x1b", "workers = 9", "\x85"]
    ),
    max_size=9,
).map("\n".join)
yaml = st.lists(
    st.sampled_from(
        ["uwsgi:", "base: &b", "more: &m", "  <<: *b", "  <<: [*m, *b]", "  <<: *x"]
        + ["  workers: 4", "  threads: *n", "  n: &n 3", "  -", ":", "  <<:", "&", "#"]
    ),
    max_size=9,
).map("\n".join)
words = "workers threads worker_class = + - * // ( ) , 1 2.5 '4' 'sync' x or".split()
words += ": max int del ' # \\ os.getenv @x lambda: ** % [ ] ; f'{ }".split()
words += ["import os", "os.environ['PATH']", "def f():", "if 1:", "\n", "\n    "]
words += ["9" * 400, '"""']
python = st.lists(st.sampled_from(words), max_size=15).map(" ".join)
documents = st.one_of(
    st.tuples(st.sampled_from(["a.ini", "a.yaml", "a.json", "a.py", "a"]), st.text()),
    st.tuples(st.just("a.ini"), ini),
    st.tuples(st.just("a.yaml"), yaml),
    st.tuples(st.just("a.json"), values.map(lambda value: to_json({"uwsgi": value}))),
    st.tuples(st.just("a.py"), python),
)


@settings
@hypothesis.given(documents)
def test_any_file_is_read_or_is_one_message(tmpdir, document):
    """The numbers are positive; an error has the file, and no secret."""
    name, text = document
    path = str(tmpdir.join(name))
    with io.open(path, "wb") as stream:
        stream.write(text.encode("utf-8", "surrogatepass"))
    try:
        deployment = read_deployment(path)
        assert deployment.processes >= 1 and deployment.threads >= 1
    except BadDeployment as error:
        assert is_one_line(str(error))
        assert str(error).startswith(path + ": ")
        assert os.environ["PATH"] not in str(error)
