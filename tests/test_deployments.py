# coding: utf-8
"""Configuration files of servers, and the processes and threads in them."""

from __future__ import absolute_import

import io
import re
from multiprocessing import cpu_count

import pytest

from django_compat.deployments import BadDeployment, read_deployment

CPUS = cpu_count()
INI = u"[uwsgi]\n"
YAML = u"uwsgi:\n"
GREENLETS = u"worker_class = 'gevent'\n"
# File, contents, processes, threads.
GOOD = [
    ("a.ini", INI + u"processes = 10\nthreads = 5\n", 10, 5),
    ("a.ini", u"[app]\nprocesses=3\n[uwsgi]\nworkers=4\n[x]\nthreads=9", 4, 1),
    ("a.ini", INI + u"workers = 2\nprocesses = 6\n", 6, 1),
    ("a.ini", INI + u"\tmaster\r\n p = 3 ; three\r\nthreads = 2 # two", 3, 2),
    ("a.ini", INI + u"; processes = 7\n#threads = 8\nmodule = wsgi", 1, 1),
    ("a.ini", INI + u"processes = %k\nn = 4\nthreads = %(n)", CPUS, 4),
    ("a.ini", INI + u"processes = $(DJANGO_COMPAT_N)", 12, 1),
    ("a.ini", INI + u"gevent = 100\nprocesses = 2", 2, 100),
    ("a.ini", INI + u"if-env = X\nmaster = 1\nendif =\nprocesses = 2", 2, 1),
    ("a.ini", INI + u"chdir = /srv/caf\xe9\nprocesses = 2", 2, 1),
    ("a.yaml", YAML + u"  processes: 10\n  threads: 5  # of them\n", 10, 5),
    ("a.yml", u"---\nx:\n  workers: 2\n" + YAML + u"  workers: '4'\n", 4, 1),
    ("a.json", u'{"x": 1, "uwsgi": {"processes": 10, "threads": "5"}}', 10, 5),
    ("a.json", u'{"uwsgi": {"env": ["A=1", "B=2"], "master": true}}', 1, 1),
    ("a.json", u'{"uwsgi": {"workers": 2, "processes": [3, 4]}}', 4, 1),
    ("uwsgi.conf", INI + u"processes = 10", 10, 1),
    ("uwsgi.conf", YAML + u"  processes: 10", 10, 1),
    ("a.py", u"workers = 4\nthreads = 8\nworker_class = 'gthread'", 4, 8),
    ("gunicorn.conf", u"# coding: latin-1\nworkers, x = 4, 1\nworkers = 2", 2, 1),
    (
        "a.py",
        u"import multiprocessing\nworkers = multiprocessing.cpu_count() * 2 + 1",
        CPUS * 2 + 1,
        1,
    ),
    ("a.py", u"from os import cpu_count as n\nworkers = max(n() // 99, 2)", 2, 1),
    ("a.py", u"import os\nworkers = int(os.environ['DJANGO_COMPAT_N'])", 12, 1),
    ("a.py", u"import os\nworkers = int(os.getenv('NOT_SET') or 3)", 3, 1),
    ("a.py", u"import os\nworkers = os.environ.get('NOT_SET', '5')", 5, 1),
    ("a.py", u"n = 2\nworkers = n\nn = 9\nworkers += 1", 3, 1),
    ("a.py", u"threads = 2\ndef post_fork(server, worker):\n    threads = 7", 6, 2),
    ("a.py", u"bind = ':80'", 6, 1),
    ("a.py", GREENLETS, 6, 1000),
    ("a.py", GREENLETS + u"worker_connections = 50", 6, 50),
    ("a.py", u"worker_class = 'gunicorn.workers.gthread.ThreadWorker'", 6, 1),
    ("a.py", u"worker_class = 'tornado'\nthreads = 4", 6, 1),
]
# File, contents, what the error says.
BAD = [
    ("a.ini", INI + u"processes = ten", "processes is ten: it must be a whole number"),
    ("a.ini", INI + u"threads = 0", "threads is 0: it must be a whole number"),
    ("a.ini", INI + u"threads = -1", "threads is -1: it must be a whole"),
    ("a.ini", INI + u"processes", "processes is : it must be a whole"),
    ("a.ini", INI + u"processes = %(n)", "processes is %(n): it must be"),
    ("a.ini", INI + u"processes = $(NOT_SET)", "processes is $(NOT_SET): it must"),
    ("a.ini", INI + u"include = b.ini", "include is b.ini: it must be absent: name"),
    ("a.ini", INI + u"if-env = X\nprocesses = 2", "processes is 2: it must be outside"),
    ("a.ini", INI + u"processes = 4\ncheaper = 4", "cheaper is 4: it must be below"),
    ("a.ini", u"processes = 4", "no section 'uwsgi' with options"),
    ("a.ini", u"", "no section 'uwsgi' with options"),
    ("a.yaml", YAML + u"  threads: many", "threads is many: it must be a whole"),
    ("a.json", u'{"uwsgi": {"processes": 1.5}}', "processes is 1.5: it must be"),
    ("a.json", u'{"uwsgi": {"processes": null}}', "processes is None: it must be"),
    ("a.json", u'{"uwsgi": 5}', "no section 'uwsgi' with options"),
    ("a.json", u"[", "a.json: "),
    ("a.xml", u"<uwsgi/>", "allowed are uWSGI's ini, yaml and json"),
    ("a.py", u"workers = (", "line 1 is no Python"),
    ("a.py", u"workers = True", "workers is True: it must be a whole number"),
    ("a.py", u"workers = 2.5", "workers is 2.5: it must be a whole number, 1 or more"),
    ("a.py", u"\nworkers = count()", "workers is set on line 2 by code that is not"),
    ("a.py", u"if x:\n    workers = 2", "workers is set on line 2 by code"),
    ("a.py", u"from base import *", "workers is set on line 1 by code"),
    ("a.py", u"import workers", "workers is set on line 1 by code"),
    ("a.py", u"workers = 1 / 0", "workers is set on line 1 by code"),
    ("a.py", u"threads = 'x'", "threads is x: it must be a whole number"),
    (
        "a.py",
        u"worker_class = 'uvicorn.workers.UvicornWorker'",
        "worker_class is uvicorn.workers.UvicornWorker: it must be eventlet, gevent",
    ),
]


@pytest.fixture
def write(tmpdir, monkeypatch):
    """Return a function that writes a file, and returns its path."""
    monkeypatch.setenv("DJANGO_COMPAT_N", "12")
    monkeypatch.setenv("WEB_CONCURRENCY", "6")
    monkeypatch.delenv("NOT_SET", raising=False)

    def write(name, text):
        path = str(tmpdir.join(name))
        with io.open(path, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        return path

    return write


@pytest.mark.parametrize("name, text, processes, threads", GOOD)
def test_file_is_read(write, name, text, processes, threads):
    """What the server would do with it."""
    found = read_deployment(write(name, text))
    assert (found.processes, found.threads) == (processes, threads)
    is_uwsgi = "uwsgi" in text
    assert found.server == ("uWSGI" if is_uwsgi else "gunicorn")


@pytest.mark.parametrize("name, text, message", BAD)
def test_bad_file_is_named(write, name, text, message):
    """The error has the file, the option, its value and what is allowed."""
    path = write(name, text)
    with pytest.raises(BadDeployment) as caught:
        read_deployment(path)
    assert str(caught.value).startswith(path + ": ")
    assert message in str(caught.value)


# Those of which nothing can be read.
UNREADABLE = "Python|section|json"


@pytest.mark.parametrize(
    "name, text, message", [case for case in BAD if not re.search(UNREADABLE, case[2])]
)
def test_given_numbers_need_no_file_to_say_them(write, name, text, message):
    """Who gives both gets them, whatever the file says of them."""
    try:
        found = read_deployment(write(name, text), 30, 20)
    except BadDeployment as error:
        assert "cheaper" in str(error)
    else:
        assert (found.processes, found.threads) == (30, 20)


def test_given_number_stands_instead_of_the_other(write):
    """One of them given, the other is the file's."""
    path = write("a.ini", INI + u"processes = ten\nthreads = 5")
    assert read_deployment(path, processes=2)[1:3] == (2, 5)
    path = write("a.py", u"worker_class = 'own.Worker'\nworkers = 3")
    assert read_deployment(path, threads=4)[1:3] == (3, 4)


def test_notes_say_what_is_not_counted(write):
    """Mules, spoolers, the application's own threads, and what cheaper does."""
    text = u"processes = 4\ncheaper = 2\nenable-threads = true\nmule =\nmules = 2\n"
    notes = read_deployment(write("a.ini", INI + text + u"spooler = x")).notes
    assert len(notes) == 4
    assert "cheaper runs from 2 to 4 of them" in notes
    text = u"enable-threads = false"
    assert read_deployment(write("a.ini", INI + text)).notes == []


def test_missing_file_is_named(tmpdir):
    """The error has the path and the reason."""
    with pytest.raises(BadDeployment) as caught:
        read_deployment(str(tmpdir.join("none.ini")))
    assert "none.ini: " in str(caught.value)


def test_file_is_not_run(write, tmpdir):
    """gunicorn's Python has no effect."""
    text = u"open(%r, 'w')\nworkers = 2" % str(tmpdir.join("trace"))
    assert read_deployment(write("a.py", text)).processes == 2
    assert not tmpdir.join("trace").check()
