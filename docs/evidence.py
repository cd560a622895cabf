"""Write docs/comparison.rst, docs/benchmarks.rst and docs/worker-loop.svg.

``python docs/evidence.py`` reads what was measured: the results of
``benchmarks/comparison``, and those of the scripts in ``benchmarks`` with ``--save``.
What is cited stands here, with its source.
"""

from __future__ import absolute_import, division

import ast
import io
import json
import os
import sys
from collections import OrderedDict
from itertools import groupby
from textwrap import fill

HERE = os.path.dirname(os.path.abspath(__file__))
BENCHMARKS = os.path.join(os.path.dirname(HERE), "benchmarks")
sys.path.insert(0, HERE)

import bars  # noqa: E402

VENDORS = OrderedDict([("mysql", u"MariaDB"), ("postgresql", u"PostgreSQL")])
OURS = "django_compat"
TRIES = 5  # of a scenario
NOT_ASKED = u"\u2013"
LIBRARIES = [OURS, "Django", "Django, CONN_HEALTH_CHECKS", "Django, psycopg's pool",
             "django-dbconn-retry"]
RUNNERS = [OURS, "celery's Django fixup", "django_dramatiq", "channels"]
POOLS = [OURS, "SQLAlchemy", "HikariCP"]
HEADS = {
    "Django, CONN_HEALTH_CHECKS": u"Django, health checks",
    "Django, psycopg's pool": u"Django, pool",
    "celery's Django fixup": u"celery",
    "django_dramatiq": u"dramatiq",
    "django-dbconn-retry": u"dbconn-retry",
}


def read(*path):
    with io.open(os.path.join(BENCHMARKS, *path), encoding="utf-8") as stream:
        return stream.read()


def load(*path):
    return json.loads(read(*path), object_pairs_hook=OrderedDict)


def docstrings(path, kind):
    """Return ``{name: first paragraph}`` of the functions or classes of a script."""
    nodes = [node for node in ast.parse(read(path)).body if isinstance(node, kind)]
    texts = [(node.name, ast.get_docstring(node)) for node in nodes]
    return OrderedDict(
        (name, " ".join(text.split("\n\n")[0].split())) for name, text in texts if text
    )


def table(rows):
    """Return a simple table; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    line = u" ".join(u"=" * width for width in widths)
    lines = [
        u" ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in rows
    ]
    return u"\n".join([line, lines[0], line] + lines[1:] + [line])


def list_table(rows):
    """Return a table with many columns; the first row is its head."""
    lines = [u".. list-table::", u"   :header-rows: 1", u"   :stub-columns: 1", u""]
    for row in rows:
        for number, cell in enumerate(row):
            lines.append((u"     - " if number else u"   * - ") + cell)
    return u"\n".join(lines)


def text(words, **options):
    options.update(break_on_hyphens=False, break_long_words=False)
    return fill(u" ".join(words.split()), 88, **options)


def items(entries):
    indents = {"initial_indent": u"- ", "subsequent_indent": u"  "}
    return u"\n".join(text(entry, **indents) for entry in entries)


def heading(title, line=u"-"):
    return u"%s\n%s" % (title, line * len(title))


# The rows of the comparison. A function makes a cell of the facts of a scenario on one
# server.


def works(facts):
    if facts["failed"] == 0:
        return u"yes"
    return u"no" if facts["failed"] == TRIES else u"after %d" % facts["failed"]


def waits(facts):
    if facts["seconds"] > 3.5:  # until the proxy cuts
        return u"waits"
    return u"no" if facts["failed"] else u"yes"


def truth(test):
    return lambda facts: u"yes" if test(facts) else u"no"


def number(key, form="%d"):
    return lambda facts: form % facts[key]


# Title, scenario, function, the cell of a library without such a part, HikariCP's cell.
ROWS = [
    ("The next job works, after the server has ended the idle sessions",
     "killed", works, NOT_ASKED, "yes [1]_"),
    ("The next job works, after the server's own time-out",
     "timed_out", works, NOT_ASKED, "yes [1]_"),
    ("The next job works, after a restart of the server",
     "restarted", works, NOT_ASKED, "yes [1]_"),
    ("The next coroutine works, after the end of the session",
     "in_a_coroutine", works, NOT_ASKED, NOT_ASKED),
    ("The next query of a shell works, after the end of the session",
     "in_the_shell", works, NOT_ASKED, "yes [1]_"),
    ("A signal or an event tells of the loss",
     "killed", truth(lambda f: f["told"]), "no", "log [1]_"),
    ("What a job of one SELECT sends, in packets",
     "cost", number("sent", "%.1f"), NOT_ASKED, "2.0 [1]_"),
    ("Sessions that such a job begins",
     "cost", number("sessions", "%.1f"), NOT_ASKED, "0.0 [1]_"),
    ("The next job works after a silent drop, with a limit of 1 s",
     "dropped", waits, NOT_ASKED, "yes [2]_"),
    ("The next job works after a silent drop, without limits",
     "dropped_without_limit", waits, NOT_ASKED, "in 5 s [1]_"),
    ("A limit of a session's age",
     "age_limit", truth(lambda f: f["replaced"]), "no", "yes [2]_"),
    ("A limit of the idle time only",
     "idle_limit", truth(lambda f: f["kept"] and f["replaced"]), "no", "yes [2]_"),
    ("A unit of work inside a transaction leaves the transaction alone",
     "inside_a_transaction", truth(lambda f: not f["failed"] and f["rows"] == 2),
     NOT_ASKED, NOT_ASKED),
    ("Nothing is written of a transaction whose session ends",
     "lost_in_a_transaction", truth(lambda f: f["failed"] and f["rows"] == 0),
     NOT_ASKED, NOT_ASKED),
    ("The next job works after that",
     "lost_in_a_transaction", lambda facts: works({"failed": facts["after"]}),
     NOT_ASKED, NOT_ASKED),
    ("Can repeat a job whose session ended in the middle",
     "repeated", truth(lambda f: f["lost"]["attempts"] == 2 and not f["lost"]["error"]),
     "no", "no"),
    ("Then does not repeat a job that raised ValueError",
     "repeated", truth(lambda f: f["other"]["attempts"] == 1), NOT_ASKED, NOT_ASKED),
    ("A forked child has a session of its own, the parent keeps its",
     "forked", truth(lambda f: f["kept"] and f["own"]), NOT_ASKED, NOT_ASKED),
    ("Sessions that 8 threads leave when they end",
     "threads_end", number("left"), NOT_ASKED, NOT_ASKED),
    ("Sessions of 30 jobs in 30 threads at once",
     "many_at_once", number("peak"), NOT_ASKED, "10 [2]_"),
    ("Warns before there are too many connections",
     "warned", truth(lambda f: f["ids"]), "no", "no"),
]
# Rows that no scenario measures: the cells of the libraries, and of all others.
CITED = [
    ("Reports a connection that is not given back",
     {OURS: "in tests [3]_", "HikariCP": "yes [2]_"}, "no"),
    ("Exports metrics of connections",
     {OURS: "yes [4]_", "HikariCP": "yes [2]_"}, "no"),
    ("A query of a coroutine needs no thread", {"SQLAlchemy": "yes [5]_"}, "no"),
]
# psycopg's pool has limits that are set once, for the process.
POOL = {"age_limit": "yes [6]_", "idle_limit": "part [6]_"}
SOURCES = [
    """HikariCP, ``PoolBase.isConnectionAlive()`` and ``HikariPool.getConnection()`` in
    ``com.zaxxer.hikari.pool``: a connection that was used more than 500 ms ago is asked
    by ``isValid()``, for ``validationTimeout`` (5 s) at most, and replaced, with a
    warning in the log. Within the 500 ms it is not asked.""",
    """HikariCP, its README (4.0.1): ``maxLifetime``, ``keepaliveTime``, ``idleTimeout``
    (with ``minimumIdle`` below ``maximumPoolSize``), ``maximumPoolSize`` (10; who comes
    later waits), ``leakDetectionThreshold``, ``metricRegistry``.""",
    """:doc:`/guides/testing`; ``tests/contrib`` has the tests.""",
    """:doc:`/guides/metrics`, :doc:`/recipes/prometheus`,
    :doc:`/recipes/opentelemetry`.""",
    """SQLAlchemy, ``sqlalchemy.ext.asyncio`` with asyncpg and aiomysql, as in the row
    of coroutines. Django's documentation ("Asynchronous support") says that its ORM
    runs in a thread.""",
    """psycopg_pool, ``ConnectionPool``: ``max_lifetime``; ``max_idle`` shrinks the pool
    to ``min_size``, and no further.""",
]


def cell(row, facts):
    """Return the cell of one library: of both servers, if these differ."""
    _, scenario, function, missing, _ = row
    cells = []
    for vendor in VENDORS:
        if vendor in facts:
            found = facts[vendor][scenario]
            cells.append(function(found) if found else missing)
    return u" / ".join(cells if len(set(cells)) > 1 else cells[:1])


def connections(results, titles):
    """Return the rows of a table of connections, for some libraries."""
    yield [u"\\"] + [HEADS.get(title, title) for title in titles]
    for row in ROWS:
        cells = {"HikariCP": row[4]}
        for title, library in results["libraries"].items():
            cells[title] = cell(row, library["facts"])
        if row[1] in POOL:
            cells["Django, psycopg's pool"] = POOL[row[1]]
        yield [row[0]] + [cells[title] for title in titles]
    for title, cells, others in CITED:
        yield [title] + [cells.get(name, others) for name in titles]


def spans(names, has):
    """Return the runs of the names that have something: "1.4 to 3.2, 6.1"."""
    runs = [list(group) for good, group in groupby(names, has) if good]
    return u", ".join(
        u"%s to %s" % (run[0], run[-1]) if len(run) > 1 else run[0] for run in runs
    ) or u"none"


def names(results):
    """Return the table of names, and what is to be said of each package."""
    djangos = sorted(results[OURS], key=lambda name: list(map(int, name.split("."))))
    newest, rows, remarks = djangos[-1], [[u"\\"]], []
    columns = [OURS, "django-six", "django-compat", "django-compat-patcher"]
    facts = OrderedDict((name, results[name]) for name in columns)
    fixer = facts["django-compat-patcher"][newest]

    def runs(name):
        return lambda django: not facts[name][django]["error"]

    rows.append([u"its line runs on"])
    rows.append([u"of %d Djangos" % len(djangos)])
    rows.append([u"names"])
    rows.append([u"of these in django_compat"])
    rows.append([u"old places that work on %s" % newest])
    for name in columns:
        ours = facts[name]
        releases = sorted({ours[django]["release"] for django in djangos})
        rows[0].append(
            name if name == OURS else u"%s %s" % (name, u", ".join(releases))
        )
        rows[1].append(spans(djangos, runs(name)))
        rows[2].append(u"%d" % sum(map(runs(name), djangos)))
        brought = u"0"
        if name == OURS:
            cells = [u"%d" % ours[newest]["names"], NOT_ASKED]
        elif name == "django-compat-patcher":
            cells = [NOT_ASKED, NOT_ASKED]
            brought = u"%d of %d" % (len(fixer["brought back"]), fixer["lacks"])
        else:
            works = [ours[django] for django in djangos if runs(name)(django)]
            all_names = {n for found in works for n in found["names"]}
            missing = {
                n for found in works for n in found["names"]
                if n not in found["ours too"]
            }
            cells = [u"%d" % len(all_names), u"%d" % len(all_names - missing)]
            if missing:
                remarks.append(u"Of %s, django_compat lacks, on some Django: %s." % (
                    name, u", ".join(u"``%s``" % n for n in sorted(missing))))
        rows[3].append(cells[0])
        rows[4].append(cells[1])
        rows[5].append(brought)
        errors = OrderedDict()
        for django in djangos:
            error = ours[django]["error"]
            if error:
                error = ours[django]["release"] + u": ``%s``" % error
                errors.setdefault(error, []).append(django)
        for error, found in errors.items():
            remarks.append(u"%s %s (Django %s)." % (
                name, error, spans(djangos, found.__contains__)))
    for name in columns:
        for django in djangos:
            assert not facts[name][django].get("changes connections"), (name, django)
    return table(list(map(list, zip(*rows)))), items(remarks), fixer, newest


def comparison():
    """Return docs/comparison.rst."""
    results = load("comparison", "scenarios.json")
    moved = load("comparison", "names.json")
    libraries = results["libraries"]

    def of(title, scenario, vendor="postgresql"):
        return libraries[title]["facts"][vendor][scenario]

    def sessions(title):
        return of(title, "many_at_once", "mysql")["peak"]

    name_table, remarks, fixer, newest = names(moved)
    scenarios = docstrings("comparison/scenarios.py", ast.FunctionDef)
    used = [
        u"**%s**%s: %s" % (
            title, u"" if libraries[title]["release"] == "this one" else
            u" " + libraries[title]["release"], how)
        for title, how in how_used().items()
    ]
    # What the page says of others has to be what was measured.
    assert sessions("SQLAlchemy") < sessions(OURS)
    assert of("Django, psycopg's pool", "many_at_once")["peak"] < sessions(OURS)
    celery = [(of("celery's Django fixup", "cost", vendor)) for vendor in VENDORS]
    for vendor in VENDORS:
        assert of("celery's Django fixup", "killed", vendor)["failed"] == 0
        assert of("celery's Django fixup", "cost", vendor)["sessions"] == 1
    assert of("Django, CONN_HEALTH_CHECKS", "killed")["failed"] == 0
    assert of("django_dramatiq", "repeated")["lost"]["error"] is None
    assert len(fixer["brought back"])
    better = [
        u"**HikariCP and SQLAlchemy are pools.** 30 jobs at once share %d sessions in "
        u"SQLAlchemy, and wait for each other; Django's connections, with this package "
        u"or without, take %d. On PostgreSQL Django with psycopg's pool takes %d." % (
            sessions("SQLAlchemy"), sessions(OURS),
            of("Django, psycopg's pool", "many_at_once")["peak"]),
        u"**HikariCP finds a silent drop by itself**: it gives up on an answer after "
        u"``validationTimeout``. This package waits, unless ``CONN_MAX_IDLE`` is set.",
        u"**HikariCP reports leaks in production**, by ``leakDetectionThreshold``; "
        u"this package does in tests.",
        u"**SQLAlchemy asks no thread for a coroutine's query.** Django's ORM, and so "
        u"this package, does.",
        u"**celery alone loses no job**, with nothing to install. Each job begins a "
        u"session of its own, and sends %s packets, where a job in a scope sends one." %
        u" or ".join(u"%.0f" % facts["sent"] for facts in reversed(celery)),
        u"**dramatiq repeats a failed job** without a line of code. It repeats the job "
        u"whatever the error was.",
        u"**A web project on one Django needs none of this**: ``CONN_HEALTH_CHECKS`` "
        u"(4.1 and newer) finds each dead connection, and asks the server once a "
        u"request.",
        u"**django-compat-patcher changes Django, and not your code**: %d of %d old "
        u"places that Django %s lacks work again, in apps of others as well. With this "
        u"package the lines are rewritten (:doc:`/moving`)." % (
            len(fixer["brought back"]), fixer["lacks"], newest),
    ]
    parts = [
        heading(u"Comparison", u"="),
        text(u"""Each library was installed from the package index and put through the
        same scenarios on %s: ``benchmarks/comparison`` starts a private %s
        and a private %s, ends sessions, restarts the servers and cuts links for real.
        This package goes through the same functions. Python %s, Django %s,
        mysqlclient %s, psycopg %s. ``docs/evidence.py`` writes this page from the
        results.""" % (
            results["date"], server(results["servers"]["mysql"], u"MariaDB"),
            server(results["servers"]["postgresql"], u"PostgreSQL"), results["python"],
            results["packages"]["Django"], results["packages"]["mysqlclient"],
            results["packages"]["psycopg"])),
        heading(u"Where another library is better"),
        items(better),
        heading(u"Connections"),
        text(u"""``CONN_MAX_AGE`` is None: only connections that persist can be found
        dead. "after 1": the job after the first failure works; "no": five jobs fail.
        "waits": until somebody cuts the connection, here after four seconds. Two
        answers are those on MariaDB and on PostgreSQL. A dash: the library has no such
        part, as a runner of tasks has no shell, or its source does not say. HikariCP is
        Java: its cells are cited, and so are all cells with a number in brackets."""),
        list_table(list(connections(results, LIBRARIES))),
        u"The runners of tasks, and channels:",
        list_table(list(connections(results, RUNNERS))),
        u"Libraries that are not for Django:",
        list_table(list(connections(results, POOLS))),
        u"\n".join(
            text(u".. [%d] " % n + source, subsequent_indent=u"   ")
            for n, source in enumerate(SOURCES, 1)
        ),
        heading(u"How each library was used", u"~"),
        items(used),
        text(u"""celery, channels, dramatiq and the others run with this package as
        well: the pages of :doc:`/guides/runners` say what then changes."""),
        heading(u"What each row does", u"~"),
        items(
            u"**%s**: %s" % (row[0], scenarios[row[1]])
            for n, row in enumerate(ROWS)
            if row[1] not in [before[1] for before in ROWS[:n]]
        ),
        heading(u"Names"),
        text(u"""Each package was installed for each series of Django on the oldest
        Python of the series, at the newest release that pip installs there. "Its line":
        ``from django_compat import close_old_connections``, the same from
        ``django_six``, ``from compat import close_connection``, and
        ``django_compat_patcher.patch()``. After that line the functions and methods of
        ``django.db`` that look after connections are Django's own, on each Django: so
        these packages are not in the table of connections. "Old places": those of all
        Djangos in the table of :doc:`/moved-names` that the
        newest Django lacks, imported without a change of the line."""),
        name_table,
        remarks,
        text(u"""What the lines cost is in :doc:`/benchmarks`."""),
        heading(u"Measure again"),
        u"::\n\n"
        u"    tox -e comparison",
    ]
    return u"\n\n".join(parts) + u"\n"


def server(version, name):
    """Return the name and number of a server, of what the server says."""
    words = version.replace("-", " ").replace(name, "").split()
    return u"%s %s" % (name, words[0])


def how_used():
    """Return ``{title: how}``: the titles and docstrings of peers.py."""
    used = OrderedDict()
    for node in ast.parse(read("comparison", "peers.py")).body:
        for line in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(line, ast.Assign):
                targets = [t for target in line.targets for t in ast.walk(target)]
                found = [t.id for t in targets if isinstance(t, ast.Name)]
                if "title" in found:
                    values = ast.literal_eval(line.value)
                    if isinstance(values, tuple):
                        values = values[found.index("title")]
                    used[values] = u" ".join(ast.get_docstring(node).split())
    order = [OURS] + [title for title in used if title != OURS]
    return OrderedDict((title, used[title]) for title in order)


# The pages of benchmarks/results.

NEW, OLD, NAME = u"py313-django61", u"py36-django111", "%s-%s.json"
PACKAGES = OrderedDict([
    ("from django.db import close_old_connections", u"Django's own"),
    ("from django_compat import close_old_connections", u"django_compat"),
    ("from django_six import close_old_connections", u"django-six"),
    ("from compat import close_connection", u"django-compat"),
])


def results(script, name=NEW):
    return load("results", NAME % (script, name))


def run_of(facts, what):
    """Return what a table was measured on, and how."""
    load = u"load not kept" if facts["load"] is None else u"load %.0f" % facts["load"]
    return u"Python %s, Django %s, %s; %d cores, %s; %s" % (
        facts["python"], facts["django"], facts["date"], facts["cores"], load, what)


def milliseconds(seconds):
    value = seconds * 1e3
    return u"%.0f ms" % value if value >= 10 else u"%.2g ms" % value


def import_lines():
    """Return the section of the import line."""
    runs = [results("import_line", name) for name in (NEW, OLD)]
    rows = [[u"import line"] + [
        u"Python %s, Django %s" % (run["python"], run["django"]) for run in runs]]
    for line, title in PACKAGES.items():
        row = [title]
        for run in runs:
            figures = run["figures"][line]
            if "error" in figures:
                row.append(u"does not import")
            elif title == PACKAGES[next(iter(PACKAGES))]:
                row.append(milliseconds(figures["seconds"]))
            else:
                row.append(u"%s, %d modules" % (
                    milliseconds(figures["seconds"]), figures["modules"]))
        rows.append(row)
    alone = runs[0]["figures"]["import django_compat"]
    return [
        heading(u"The import line"),
        text(u"""Fresh processes that take turns. The first row is the time of Django's
        own line, the other rows are what another line adds."""),
        table(rows),
        text(u"""A call takes as long as Django's, because the function is Django's own.
        ``import django_compat`` alone takes %s and loads no Django. The package is
        installed: without byte-code files Python compiles it at every start.""" %
             milliseconds(alone["seconds"])),
        text(u"(``import_line.py``. %s.)" % run_of(
            runs[0], u"%d rounds" % runs[0]["rounds"])),
    ]


def moved():
    """Return the section of moved names."""
    runs = [results("moved_names", name) for name in (NEW, OLD)]
    rows = [[u"moved names"] + [
        u"Python %s, Django %s" % (run["python"], run["django"]) for run in runs]]
    for title in runs[0]["figures"]:
        row = [title]
        for run in runs:
            value = run["figures"].get(title, 0)
            if value is None:
                row.append(u"does not import")
            elif not value:
                row.append(NOT_ASKED)
            else:
                row.append(
                    u"%.1f us" % (value * 1e6) if value < 1e-4 else milliseconds(value))
        rows.append(row)
    return [
        heading(u"Moved names"),
        text(u"""The import of one name, when Django has loaded the module of the name;
        then what a whole package costs, when most of Django is loaded."""),
        table(rows),
        text(u"(``moved_names.py``. %s.)" % run_of(
            runs[0], u"%d rounds of fresh processes" % runs[0]["rounds"])),
    ]


LOOPS = OrderedDict([  # of worker_loop.py
    ("nothing around the job", u"nothing around the job"),
    ("close_old_connections() around it", u"``close_old_connections()`` around it"),
    ("the same, with CONN_HEALTH_CHECKS", u"the same, with ``CONN_HEALTH_CHECKS``"),
    ("with fresh_connections()", u"``with fresh_connections()``"),
    ("django-dbconn-retry, nothing around it", u"django-dbconn-retry"),
    ("a close after each job", u"a close after each job"),
])
SCOPE, CHECKS = "with fresh_connections()", "the same, with CONN_HEALTH_CHECKS"
PROBES = "the probe of a scope", "is_usable()", "a new connection"


def picture():
    """Return docs/worker-loop.svg."""
    run = results("worker_loop")
    panels = [
        (where, [(name, figures[name]["us"]) for name in LOOPS if name in figures])
        for where, figures in run["figures"].items()
    ]
    return bars.render(u"The median job: " + run["head"], panels, SCOPE)


def span(values, form):
    """Return "0.1 to 0.3", or one figure."""
    ends = [form % value for value in (min(values), max(values))]
    return u" to ".join(ends if ends[0] != ends[1] else ends[:1])


def worker_loop():
    """Return the section of a worker loop."""
    run = results("worker_loop")
    figures = list(run["figures"].values())
    where = [name.split(", ") for name in run["figures"]]
    rows = [[u"ratio to the second row"] + [u"%s, %s" % (w[0], w[-1]) for w in where]]
    for name, title in LOOPS.items():
        row = [title]
        for found in figures:
            row.append(u"%.2f" % found[name]["ratio"])
        rows.append(row)
    far = figures[1::2]
    saved = [(f[CHECKS]["us"] - f[SCOPE]["us"]) / 1e3 for f in far]
    cost = [f[SCOPE]["ratio"] * 100 - 100 for f in far]
    probes = [
        span(run["ranges"][name], u"%.4g") if "ranges" in run
        else span([found[name]["us"] for found in figures[::2]], u"%.1f")
        for name in PROBES
    ]
    return [
        heading(u"A worker loop"),
        text(u"""One indexed SELECT a job, by a cursor, on MariaDB and PostgreSQL. The
        candidates take short turns in one process. "+0.5 ms" is network in each
        direction."""),
        u".. image:: worker-loop.svg\n"
        u"   :alt: the time of a job, by database and way to look after connections",
        table(rows),
        text(u"""A scope sends nothing, so a job needs one packet, where
        ``CONN_HEALTH_CHECKS`` needs two. Far away a job with a scope takes %s ms less
        than with ``CONN_HEALTH_CHECKS``, and %s %% more than with
        ``close_old_connections()`` around the job. A look whether the server hung up
        takes %s us, a question to the server %s us on loopback, a new connection %s
        us.""" % ((span(saved, u"%.1f"), span(cost, u"%.0f")) + tuple(probes))),
        text(u"(``worker_loop.py``. %s.)" % run_of(run, u"%d rounds" % run["rounds"])),
    ]


TURNS = OrderedDict([  # of turns.py
    ((1, "scope / two calls"), u"a scope, of Django's two calls"),
    ((1, "inner scope / two calls"), u"a scope inside another one, of Django's calls"),
    ((1, "installed / two calls"), u"Django's two calls with the application, of those"
                                   u" alone"),
    ((1, "guarded / bare cursor"), u"a guarded cursor, of a bare one"),
    ((1, "counted / scope"), u"a scope after ``stats()``, of one before"),
    ((1, "empty scope / two calls"), u"a scope without a query, of Django's calls"),
    ((10, "empty scope / two calls"), u"a scope of 10 open aliases and no query"),
    ((100, "empty scope / two calls"), u"a scope of 100 open aliases and no query"),
])


def turns():
    """Return the section of the cost of a scope."""
    run = results("turns")
    found = {(row[0], row[1], row[2]): row[3:] for row in run["figures"]}
    titles = list(VENDORS.values())
    rows = [[u"the time of a unit, as a ratio"] + titles]
    for (aliases, label), title in TURNS.items():
        if (titles[0], aliases, label) in found:
            rows.append([title] + [
                u"%.2f" % found[name, aliases, label][0] for name in titles])
    units = run.get("unit") or [
        found[name, 1, "scope / two calls"][1] * 1e6 for name in titles
    ]
    return [
        heading(u"The cost of a scope"),
        text(u"""Two variants take turns in one process, because whole processes side by
        side scatter by 30 %%. One ``SELECT 1`` a unit, on loopback, where a unit takes
        %s us; the rows with an empty scope have no query. Until the first call of
        ``stats()`` counting costs nothing.""" % span(units, u"%.0f")),
        table(rows),
        text(u"(``turns.py``. %s.)" % run_of(run, u"%d turns" % run["turns"])),
    ]


def scopes():
    """Return the section of aliases and threads."""
    run = results("scope_cost")
    rows = [[u"server", u"aliases", u"threads", u"Django's two calls", u"a scope",
             u"ratio"]]
    for title, aliases, threads, native, ours in run["figures"]:
        rows.append([title, u"%d" % aliases, u"%d" % threads, u"%.1f us" % native,
                     u"%.1f us" % ours, u"%.2f" % (ours / native)])
    return [
        heading(u"Aliases and threads"),
        text(u"""An empty scope, and Django's two calls alone. With threads: the time of
        all threads together, divided by the number of scopes."""),
        table(rows),
        text(u"(``scope_cost.py``. %s.)" % run_of(
            run, u"%d rounds of processes" % run["rounds"])),
    ]


def tasks():
    """Return the section of celery."""
    run = results("celery_tasks")
    rows = [[u"tasks a second", u"celery alone", u"with contrib.celery", u"ratio"]]
    for where, stock, ours, ratio in run["figures"]:
        rows.append([where, u"%.0f" % stock, u"%.0f" % ours, u"%.2f" % ratio])
    return [
        heading(u"Tasks of celery"),
        text(u"""Two real workers take turns. A task is one SELECT by primary key. The
        scope keeps the session that celery alone begins for each task; "far" is TLS,
        and 0.5 ms of network in each direction."""),
        table(rows),
        text(u"(``celery_tasks.py``, celery %s. %s.)" % (
            run["celery"], run_of(run, u"%d turns" % run["turns"]))),
    ]


# A section whose script has kept no figures is left out.
SECTIONS = OrderedDict([
    ("import_line", import_lines),
    ("moved_names", moved),
    ("worker_loop", worker_loop),
    ("turns", turns),
    ("scope_cost", scopes),
    ("celery_tasks", tasks),
])


def benchmarks():
    """Return docs/benchmarks.rst."""
    parts = [
        heading(u"Benchmarks", u"="),
        text(u"""What this package costs, and what it saves. What counts are the ratios:
        both sides of each were measured in the same run, by turns. The times are those
        of the machine that each run names. ``docs/evidence.py`` writes this page from
        ``benchmarks/results``; :doc:`/comparison` has what other libraries do. Where
        the load of the machine was not kept, the figures come from the page that was
        here before, and the ratios of the worker loop are those of its medians."""),
    ]
    for script, section in SECTIONS.items():
        if os.path.exists(os.path.join(BENCHMARKS, "results", NAME % (script, NEW))):
            parts += section()
    parts += [
        heading(u"Measure again"),
        u"::\n\n"
        u"    tox -e benchmarks,benchmarks-py36-django111\n"
        u"    python docs/evidence.py",
        text(u"""A run takes about half an hour, and needs MariaDB, PostgreSQL and
        Redis."""),
    ]
    return u"\n\n".join(parts) + u"\n"


PAGES = OrderedDict([
    ("benchmarks.rst", benchmarks),
    ("comparison.rst", comparison),
    ("worker-loop.svg", picture),
])

if __name__ == "__main__":
    for name, render in PAGES.items():
        page = render()
        with io.open(os.path.join(HERE, name), "w", encoding="utf-8") as stream:
            stream.write(page)
