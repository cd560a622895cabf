# coding: utf-8
"""read_deployment: processes and threads in the files of uWSGI and gunicorn."""

from __future__ import absolute_import

import io
import os
import re
import sys
import time
from multiprocessing import cpu_count

import pytest

from django_compat._capacity.deployments import BadDeployment, read_deployment

CPUS = cpu_count()
INI = u"[uwsgi]\n"
YAML = u"uwsgi:\n"
BASE = u"base: &b\n  processes: 4\n  threads: 3\n"
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
    ("a.py", u"", 6, 1),
    ("a.py", GREENLETS, 6, 1000),
    ("a.py", GREENLETS + u"worker_connections = 50", 6, 50),
    ("a.py", u"worker_class = 'gunicorn.workers.gthread.ThreadWorker'", 6, 1),
    ("a.py", u"worker_class = 'tornado'\nthreads = 4", 6, 1),
    ("a.ini", u"\ufeff" + INI + u"processes = 10", 10, 1),
    ("a.ini", INI + u"processes = 0003 # \u2028processes = 4", 3, 1),
    ("a.yaml", BASE + YAML + u"  <<: *b\n  threads: 2", 4, 2),
    ("a.yaml", BASE + YAML + u"  threads: 2\n  <<: *b", 4, 2),
    ("a.yaml", BASE + u"c: &c\n  <<: *b\n  threads: 9\n" + YAML + u"  <<: *c", 4, 9),
    ("a.yaml", BASE + u"c: &c\n  p: 7\n" + YAML + u"  <<: [*c, *b]", 7, 3),
    ("a.yaml", u"x:\n  n: &n 4\n" + YAML + u"  workers: *n", 4, 1),
    ("a.yaml", YAML.strip() + u" &u\n  <<: *u\n  workers: 2", 2, 1),
    ("a.json", u'\ufeff{"uwsgi": {"processes": 10}}', 10, 1),
    ("a.py", u"\ufeffworkers = 2", 2, 1),
    ("a.py", u"workers = 2; threads = 3\nworkers: int", 2, 3),
    ("a.py", u"workers: int = 2", 2, 1),
    ("a.py", u"workers = 2\nthreads = 3\ndel workers", 6, 3),
    ("a.py", u"workers = int(2.5 * 2) - -1 + min(2, 3) // max(1, 2)", 7, 1),
    ("a.py", u"def hook():\n" + u"    x = 1\n" * 1000 + u"workers = 2", 2, 1),
    ("a.py", u"@x\nclass Logger(object):\n    workers = 9\nworkers = 2", 2, 1),
    ("a.py", u"raw_env = [\n'A=1',\n]\nworkers = 2", 2, 1),
]
# File, contents, part of the error.
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
    ("a.py", u"workers = (", "line 1 is not valid Python"),
    ("a.py", u"\nx = 'a\n'", "line 2 is not valid Python: a string does not end"),
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
    ("a.ini", INI + u"processes = \x1b[2J\u202e", "processes is \\x1b[2J\\u202e: it"),
    ("a.ini", INI + u"processes = " + u"9" * 11, "(at most 1000000000)"),
    ("a.ini", INI + u"processes = \xb2", "it must be a whole number"),
    ("a.ini", INI + u"processes = " + u"%(x)" * 400, "%...: it must be a whole"),
    ("a.yaml", YAML + u"  <<: *none", "<< is *none: it must be an alias of a section"),
    ("a.yaml", YAML + u"  <<: {processes: 4}", "<< is {processes: 4}: it must be"),
    ("a.json", u'{"uwsgi": {"processes": NaN}}', "processes is nan: it must be"),
    ("a.json", u'{"uwsgi": {"processes": %s}}' % (u"9" * 9999), "is 9999999"),
    ("a.py", u"workers = 1 if x else 2", "workers is set on line 1 by code"),
    ("a.py", u"workers = 3 % 2", "workers is set on line 1 by code"),
    ("a.py", u"workers = 9 ** 9", "workers is set on line 1 by code"),
    ("a.py", u"workers = round(5, -999999999)", "workers is set on line 1 by code"),
    ("a.py", u"workers = '%2000000000d' % 1", "workers is set on line 1 by code"),
    ("a.py", u"workers = max('a' * 2000000000, 1)", "workers is set on line 1 by code"),
    ("a.py", u"x = 9\n" + u"x = x*x\n" * 99 + u"workers = x", "set on line 101 by"),
    ("a.py", u"workers = int('%s')" % (u"9" * 9999), "workers is set on line 1"),
    ("a.py", u"workers = int(1e999)", "workers is set on line 1 by code"),
    ("a.py", u"try:\n    import workers\nexcept E:\n    pass", "workers is set on"),
    ("a.py", u"workers = 2\nif 1:\n    from x import *", "workers is set on line"),
    ("a.py", u"for workers in [1]:\n    pass", "workers is set on line 1 by code"),
]
# Where Python could hang, end the process or take gigabytes: file, contents, error.
HOSTILE = [
    ("a.py", u"workers = " + u"9" * 400000, "begins a statement that is too long"),
    ("a.py", u"workers = " + u"(" * 100000, "Python"),
    ("a.py", u"workers = " + u"(" * 50000 + u"1" + u")" * 50000, "too long"),
    ("a.py", u"workers = " + u"1+" * 300000 + u"1", "too long"),
    ("a.py", u"workers = " + u"-" * 100000 + u"1", "too long"),
    ("a.py", u"workers = x" + u".x" * 100000, "too long"),
    ("a.py", u"workers = x" + u".x" * 900, "set on line 1"),
    ("a.py", u"workers = " + u"not " * 1900 + u"1", "line 1 "),
    ("a.py", u"workers = " + u"lambda: " * 900 + u"1", "line 1 "),
    ("a.py", u"if 1: pass\n" + u"elif 1: pass\n" * 50000, "too long"),
    ("a.py", u"x = f'{" + u"1+" * 100000 + u"1}'", "too long"),
    ("a.py", u"\"\"\"" + u"\\\"\"\"" * 100000, "a string does not end"),
    ("a.py", u"'\\'" * 200000, "a string does not end"),
    ("a.json", u"[" * 500000, "it nests too deeply"),
    ("a.json", u'{"uwsgi": {"workers": %s}}' % (u"9" * 900000), "workers is 999"),
    ("a.ini", INI + u"a = %s\np = %s" % (u"9" * 500000, u"%(a)" * 99), "whole number"),
    ("a.ini", INI + u"p = " + u"0" * 1000000, "whole number"),
    ("a.conf", u"[uwsgi\n" + u"\n" * 1000000, "Python"),
    ("a.ini", INI + u" " * 2**20, "it must have at most 1048576 bytes"),
    ("a.ini", INI + u"p = 3\0", "it must have no null characters"),
]
# Sections that merge sections that merge sections ...
LAUGHS = u"".join(
    u"a%d: &a%d\n  p: 2\n" % (number, number) + u"  <<: *a%d\n" % (number - 1) * 20
    for number in range(1, 2000)
)
MANY = {
    "a.ini": INI + u"".join(u"k%d = 1\n" % n for n in range(20000)) + u"p = 2",
    "b.ini": INI + u"p = %(n)\nn = 2\n" * 20000,
    "a.yaml": YAML + u"".join(u"  k%d: 1\n" % n for n in range(20000)) + u"  p: 2",
    "b.yaml": LAUGHS.replace("  <<: *a0\n", "") + YAML + u"  <<: *a1999",
    "a.json": u'{"uwsgi": {%s "p": 2}}'
    % u"".join(u'"k%d": 1,' % n for n in range(20000)),
    "a.py": u"".join(u"k%d = 1\n" % n for n in range(20000)) + u"workers = 2",
}


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


@pytest.mark.contract
@pytest.mark.parametrize("name, text, processes, threads", GOOD)
def test_file_is_read(write, name, text, processes, threads):
    """The numbers are those that the server would start."""
    if u": int" in text and sys.version_info < (3,):
        pytest.skip("Python 2 has no annotations")
    deployment = read_deployment(write(name, text))
    assert (deployment.processes, deployment.threads) == (processes, threads)
    assert deployment.server == ("uWSGI" if "uwsgi" in text else "gunicorn")


@pytest.mark.contract
@pytest.mark.parametrize("name, text, message", BAD)
def test_wrong_file_is_named(write, name, text, message):
    """The error has the file, the option, its value and the allowed values."""
    path = write(name, text)
    with pytest.raises(BadDeployment) as caught:
        read_deployment(path)
    assert str(caught.value).startswith(path + ": ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "name, text, message",
    HOSTILE,
    ids=["%s%d %s" % (case[0], len(case[1]), case[2]) for case in HOSTILE],
)
def test_hostile_file_is_refused_at_once(write, name, text, message):
    """The error is one short line, and comes soon."""
    path, begun = write(name, text), time.time()
    with pytest.raises(BadDeployment) as caught:
        read_deployment(path)
    assert message in str(caught.value)
    assert len(str(caught.value)) < len(path) + 400
    assert time.time() - begun < 10


@pytest.mark.parametrize("name", sorted(MANY))
def test_many_keys_are_read_in_linear_time(write, name):
    """20,000 keys take a part of a second."""
    path, begun = write(name, MANY[name]), time.time()
    assert read_deployment(path).processes == 2
    assert time.time() - begun < 5  # the machine may be busy


@pytest.mark.contract
def test_only_regular_files_of_text_are_read(tmpdir):
    """A pipe, a device, a folder and bytes that are no UTF-8 are errors, not a hang."""
    os.mkfifo(str(tmpdir.join("pipe.py")))
    tmpdir.mkdir("folder.ini")
    tmpdir.join("latin.ini").write_binary(b"[uwsgi]\nprocesses = zw\xf6lf")
    paths = [str(tmpdir.join(name)) for name in ("pipe.py", "folder.ini")]
    for path in paths + ["/dev/zero"]:
        with pytest.raises(BadDeployment) as caught:
            read_deployment(path)
        assert str(caught.value) == path + ": it must be a regular file"
    for path, problem in (
        (str(tmpdir.join("latin.ini")), "it must be UTF-8; byte 22 is not"),
        ("nul\0.ini", "it must be the path of a file"),
        ("/no/\x1b.ini", "/no/\\x1b.ini: No such file"),
    ):
        with pytest.raises(BadDeployment) as caught:
            read_deployment(path)
        assert problem in str(caught.value)


SECRETS = [
    ("a.ini", INI + u"processes = $(SECRET)"),
    ("a.ini", INI + u"n = $(SECRET)\nprocesses = %(n)"),
    ("a.py", u"import os\nworkers = os.environ['SECRET']"),
    ("a.py", u"from os import environ as e\nworkers = e['SECRET'] or 1"),
    ("a.py", u"import os\nx = int(os.getenv('SECRET'))\nx -= 1\nworkers = x + 1"),
    ("a.py", u"import os\nworker_class = os.getenv('SECRET')"),
    ("a.py", u"threads = 1"),  # workers from WEB_CONCURRENCY
]


@pytest.mark.contract
@pytest.mark.parametrize("secret", [u"hunter2", u"-4711"])
@pytest.mark.parametrize("name, text", SECRETS)
def test_value_of_the_environment_is_not_shown(write, monkeypatch, name, text, secret):
    """The error names the option, and not what the environment has for it."""
    for variable in ("SECRET", "WEB_CONCURRENCY"):
        monkeypatch.setenv(variable, str(secret))
    with pytest.raises(BadDeployment) as caught:
        read_deployment(write(name, text), threads=None)
    assert secret not in str(caught.value)


# Part of the errors about files that cannot be read at all.
UNREADABLE = "Python|section|json|^<<"


@pytest.mark.parametrize(
    "name, text, message", [case for case in BAD if not re.search(UNREADABLE, case[2])]
)
def test_given_numbers_replace_wrong_ones(write, name, text, message):
    """With both numbers given, a wrong number in the file does not matter."""
    deployment = read_deployment(write(name, text), 30, 20)
    assert (deployment.processes, deployment.threads) == (30, 20)


def test_given_number_replaces_its_option_only(write):
    """With one number given, the file has the other."""
    path = write("a.ini", INI + u"processes = ten\nthreads = 5")
    assert read_deployment(path, processes=2)[1:3] == (2, 5)
    path = write("a.py", u"worker_class = 'own.Worker'\nworkers = 3")
    assert read_deployment(path, threads=4)[1:3] == (3, 4)


def test_notes_say_what_is_not_counted(write):
    """Notes name mules, spoolers, the application's threads, and cheaper."""
    text = u"processes = 4\ncheaper = 2\nenable-threads = true\nmule =\nmules = 2\n"
    notes = read_deployment(write("a.ini", INI + text + u"spooler = x")).notes
    assert len(notes) == 4
    assert "cheaper runs 2 to 4 processes: all are counted" in notes
    text = u"enable-threads = false"
    assert read_deployment(write("a.ini", INI + text)).notes == []


def test_missing_file_is_named(tmpdir):
    """The error has the path and the reason."""
    with pytest.raises(BadDeployment) as caught:
        read_deployment(str(tmpdir.join("none.ini")))
    assert "none.ini: " in str(caught.value)


@pytest.mark.contract
def test_file_is_not_run(write, tmpdir):
    """gunicorn's Python is evaluated, but its calls have no effect."""
    text = u"open(%r, 'w')\nworkers = 2" % str(tmpdir.join("trace"))
    assert read_deployment(write("a.py", text)).processes == 2
    assert not tmpdir.join("trace").check()
