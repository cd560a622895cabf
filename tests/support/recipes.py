"""The pages of docs/recipes: their code as projects that run, and their figures.

A page shows each file as a block of code below a line that ends with the file's name.
In a block of diff the lines with ``-`` are the project without this package, the lines
with ``+`` the project with it. ``$`` begins the command of the worker, if there is one.
A table has the figures, which the test of the page measures again.
"""

from __future__ import absolute_import

import contextlib
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from multiprocessing.pool import ThreadPool
from string import Template

from support import processes
from support.databases import sessions, wait_for
from support.projects import environment
from support.repository import read

TASKS = 8  # each after an idle spell
TIMEOUT = 0.5  # seconds that a session may idle; at least 1 on MariaDB
BLOCK = r"``([\w/]+\.py)``:\n\n\.\. code-block:: (\w+)\n\n((?:    .*\n|\n)+)"
# A module shop.celery imports the package celery on Python 2.7, too.
HEAD = u"# coding: utf-8\nfrom __future__ import absolute_import\n"
MANAGE = """
import sys
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
SENDER = """
import json, sys
import django

django.setup() if hasattr(django, "setup") else None
from django.db import connections
%s

def answer():
    try:
        return {"result": send()}
    except Exception as error:
        return {"error": repr(error)}

for _ in iter(sys.stdin.readline, ""):
    line = json.dumps(answer())
    connections.close_all()
    print(line)
    sys.stdout.flush()
"""
# Do the job of the page in the one thread of a worker, which nothing else looks after.
DO_JOB = """
from multiprocessing.pool import ThreadPool
from shop.jobs import do_job

worker = ThreadPool(1)

def send():
    return worker.apply_async(do_job).get()
"""


def page(name):
    """Return the text of a page."""
    return read("docs", "recipes", name + ".rst")


def figures(text, alias, rows):
    """Return those rows of a page's table: the figures by the row's first words.

    A row may be of one server only: its first words end with "on MariaDB", or another.
    """
    found = dict(
        (what, (without, with_us))
        for what, without, with_us in re.findall(
            r"^(\S.*?)  +(\S.*?)  +(\S.*)$", text, re.MULTILINE
        )
    )
    on_server = {"mysql": " on MariaDB", "postgresql": " on PostgreSQL"}[alias]
    return dict((row, found.get(row) or found[row + on_server]) for row in rows)


def command_of(text):
    """Return the words of the page's command, None without one."""
    command = re.search(r"^ +\$ (.*)$", text, re.MULTILINE)
    return command and shlex.split(command.group(1))


def files_of(text, with_us):
    """Return the texts of a page's files by their names."""
    files = {}
    for name, language, block in re.findall(BLOCK, text):
        block = re.sub("(?m)^    ", "", block)
        if language == "diff":
            left_out = "-" if with_us else "+"
            lines = block.splitlines(True)
            block = "".join(line[1:] for line in lines if line[:1] != left_out)
        files[name] = files.get(name, "") + block
    return files


class Project(object):
    """The project of a page, in a folder of its own, on an alias's database."""

    def __init__(self, text, folder, alias, with_us, timeout=None):
        self.text, self.folder, self.alias = text, str(folder), alias
        self.log = os.path.join(self.folder, "log")
        files = dict(files_of(text, with_us), **{"manage.py": MANAGE})
        files["page_settings.py"] = "from settings import *\n" + files.pop(
            "settings.py", ""
        )
        for name, content in files.items():
            self.write(name, content)
        options = idle_timeout(alias, timeout) if timeout else {}
        self.env = environment(alias, options=options)
        self.env["DJANGO_SETTINGS_MODULE"] = "page_settings"
        self.env["PYTHONPATH"] = self.folder + os.pathsep + self.env["PYTHONPATH"]

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        folder = os.path.dirname(path)
        if not os.path.isdir(folder):
            os.makedirs(folder)
        if folder != self.folder:
            open(os.path.join(folder, "__init__.py"), "a").close()
        with io.open(path, "w", encoding="utf-8") as stream:
            stream.write(HEAD + content)

    def change(self, **database):
        """Change settings of the project's database."""
        values = json.loads(self.env["DJANGO_COMPAT_TEST_SETTINGS"])
        values["DATABASES"]["default"].update(database)
        self.env["DJANGO_COMPAT_TEST_SETTINGS"] = json.dumps(values)

    def run(self, *arguments):
        """Run Python in the project to its end; return the output."""
        return processes.output_of(list(arguments), self.env, self.folder)

    @contextlib.contextmanager
    def worker(self, stop=signal.SIGTERM, must_live=True):
        """Run the command of the page, if there is one, and end it by a signal."""
        command = command_of(self.text)
        if command is None:
            yield None
            return
        if command[0] == "python":
            command[0] = sys.executable
        else:
            command[0] = os.path.join(os.path.dirname(sys.executable), command[0])
        command = [Template(word).safe_substitute(self.env) for word in command]
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                command,
                env=self.env,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                close_fds=True,
                **processes.OWN_SESSION
            )
        try:
            yield process
            assert not must_live or process.poll() is None, "the worker has ended"
        finally:
            if process.poll() is None:
                process.send_signal(stop)
            processes.wait(process)
            print(self.output())

    def output(self):
        """Return what the worker has printed."""
        with io.open(self.log, encoding="utf-8", errors="replace") as stream:
            return stream.read()

    @contextlib.contextmanager
    def sender(self, code):
        """Run a process that sends tasks; give a function that waits for its result.

        ``code`` defines the function ``send``. A task that fails has an "error".
        """
        self.write("sender.py", textwrap.dedent(SENDER) % textwrap.dedent(code))
        with processes.web_process(self.env, "sender") as ask:
            yield ask


def idle_timeout(alias, seconds):
    """Return the OPTIONS of an alias whose server ends idle sessions."""
    if alias == "mysql":
        return {"init_command": "SET SESSION wait_timeout = %d" % max(seconds, 1)}
    return {"options": "-c idle_session_timeout=%d" % (1000 * seconds)}


def idle_spell(alias, sessions=sessions):
    """Wait until the server has ended all the sessions that are open now.

    :param sessions: the function that returns the sessions, without those of a broker.
    """
    begun = sessions(alias)
    wait_for(lambda: not begun & sessions(alias), 20)


def count_failures(ask, spell):
    """Return how many tasks fail, each after an idle spell.

    A first task, which does not count, opens the sessions.
    """
    failures = 0
    answer = ask()
    assert "error" not in answer, answer
    for _ in range(TASKS):
        spell()
        answer = ask()
        if "error" in answer:
            failures += 1
            print(answer["error"][:300])
    return failures


def measure(
    text,
    folder,
    alias,
    senders,
    prepare=lambda project, number: None,
    ready=lambda project: None,
    spell=lambda project: idle_spell(project.alias),
    timeout=TIMEOUT,
):
    """Return the page's rows "... fails": how many tasks fail, without us and with us.

    All workers run at the same time, each with a project and a time-out of its own.

    :param senders: by the row's first words, the code that sends a task.
    :param prepare: called with each project, and the run's number, before it runs.
    :param ready: called with the project when its worker was started.
    :param spell: called with a project, waits for the end of its idle sessions.
    :param timeout: seconds that a session of the project may idle; None: for ever.
    """

    def run(number):
        row = rows[number // 2]
        folder_of_run = folder.mkdir(str(number))
        project = Project(text, folder_of_run, alias, number % 2 == 1, timeout)
        prepare(project, number)
        with project.worker(), project.sender(senders[row]) as ask:
            ready(project)
            return count_failures(ask, lambda: spell(project))

    rows = sorted(senders)
    with contextlib.closing(ThreadPool(2 * len(rows))) as pool:
        failures = pool.map(run, range(2 * len(rows)), 1)
    of = "%%d of %d" % TASKS
    return dict(
        (row, (of % failures[2 * number], of % failures[2 * number + 1]))
        for number, row in enumerate(rows)
    )


def count_left(alias):
    """Return how many sessions are left on a server, once those that end have ended."""
    deadline = time.time() + 5
    while sessions(alias) and time.time() < deadline:
        time.sleep(0.05)
    return len(sessions(alias))
