"""Put each library of peers.py through the same losses, on real servers.

``python benchmarks/comparison/scenarios.py`` starts a private MariaDB and PostgreSQL
for each library, ends sessions, restarts servers and cuts links for real, and writes
``scenarios.json`` beside this file: the facts of each library, scenario and server.
``--only TITLE`` runs one library. The interpreter needs ``requirements.txt`` of this
folder, and this package.

The scenarios are the functions below ``SCENARIOS``. All connections are persistent
(``CONN_MAX_AGE = None``), because only these can be found dead.
"""

from __future__ import absolute_import, print_function

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import platform
import subprocess
import sys
import threading
import time
import types
import warnings
from collections import OrderedDict
from importlib import import_module
from importlib.metadata import version

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, ROOT, os.path.join(ROOT, "tests")]

TRIES = 5
SCENARIOS = OrderedDict()


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class World(object):
    """A server, a proxy before it, and the library's project."""

    def __init__(self, vendor):
        from support import servers
        from support.proxy import Proxy

        os.environ["PGSSLMODE"] = "disable"
        self.vendor, self.server = vendor, servers.Server(vendor)
        self.server.start()
        self.proxy = Proxy(self.server.host, self.server.port)

    def configure(self, peer_class):
        """Set Django up for a library; no module of ours or Django's is loaded yet."""
        settings = types.ModuleType("comparison_settings")
        database = {
            "ENGINE": "django.db.backends." + self.vendor,
            "HOST": "127.0.0.1",
            "PORT": str(self.proxy.port),
            "USER": self.server.user,
            "NAME": self.server.name,
            "CONN_MAX_AGE": None,
        }
        settings.DATABASES = {"default": dict(database, **peer_class.options)}
        settings.INSTALLED_APPS = list(peer_class.apps)
        settings.USE_TZ = True
        settings.SECRET_KEY = "of a benchmark"
        settings.__dict__.update(peer_class.settings)
        sys.modules["comparison_settings"] = settings
        os.environ["DJANGO_SETTINGS_MODULE"] = "comparison_settings"
        import django

        django.setup()
        # The observer needs the driver, whatever the library uses.
        import_module("MySQLdb" if self.vendor == "mysql" else "psycopg")
        from support import databases

        self.databases = databases
        databases._servers[str(self.server.port)] = self.server
        databases.behind[str(self.proxy.port)] = str(self.server.port)
        self.run("CREATE TABLE item (number INTEGER)")

    def run(self, *statements):
        """Run statements in sessions of our own, past the proxy."""
        with self.databases.administration(
            "default", PORT=str(self.server.port), OPTIONS={}
        ) as admin:
            return [self.databases.run(admin, statement) for statement in statements]

    def numbers(self):
        """Return the numbers in the table."""
        (row,) = self.run("SELECT COUNT(*) FROM item")
        return row[0]

    def end(self, number):
        """End a session; return when its end has reached this side."""
        connections = self.proxy.connections
        self.databases.end_session("default", number)
        self.wait_for(lambda: self.proxy.connections < connections)

    def settle(self):
        """Wait until the proxy has left the connections that a library closed."""
        self.wait_for(lambda: self.proxy.connections == len(self.sessions()))

    def wait_for(self, condition):
        self.databases.wait_for(condition, 60)  # a busy machine takes its time

    def sessions(self):
        return self.databases.sessions("default")

    def sleep(self, seconds):
        return {"mysql": "SELECT SLEEP(%s)", "postgresql": "SELECT pg_sleep(%s)"}[
            self.vendor
        ] % seconds


def short(error):
    text = (str(error).splitlines() or [""])[0]
    return "%s: %s" % (type(error).__name__, text[:80])


def session(peer, world):
    from support.sql import SESSION_ID

    return peer.query(SESSION_ID[world.vendor])[0][0]


def failures(run, number=TRIES):
    """Run until it works; return how often it failed, and the first error."""
    first = None
    for failed in range(number):
        try:
            run()
            return {"failed": failed, "error": first}
        except Exception as error:  # of any driver
            first = first or short(error)
    return {"failed": number, "error": first}


@scenario
def killed(peer, world):
    """The server ends all idle sessions. Then jobs of one query run until one works."""
    heard = []
    if peer.tell:
        peer.tell(heard)
    peer.work(lambda: session(peer, world))
    for number in world.sessions():
        world.end(number)
    facts = failures(lambda: peer.work(lambda: peer.query("SELECT 1")))
    return dict(facts, told=len(heard) if peer.tell else None)


@scenario
def timed_out(peer, world):
    """``wait_timeout`` or ``idle_session_timeout`` of a second ends the session."""
    if world.vendor == "mysql":
        begin = "SET GLOBAL wait_timeout = 1", "SET GLOBAL wait_timeout = 28800"
    else:
        begin = [
            "ALTER ROLE postgres %s idle_session_timeout" % word + value
            for word, value in (("SET", " = '1s'"), ("RESET", ""))
        ]
    world.run(begin[0])
    try:
        connections = world.proxy.connections
        peer.work(lambda: session(peer, world))
    finally:
        world.run(begin[1])
    world.wait_for(lambda: world.proxy.connections <= connections)
    return failures(lambda: peer.work(lambda: peer.query("SELECT 1")))


@scenario
def restarted(peer, world):
    """The server restarts, on the same port."""
    peer.work(lambda: session(peer, world))
    world.server.restart()
    world.wait_for(lambda: not world.proxy.connections)
    return failures(lambda: peer.work(lambda: peer.query("SELECT 1")))


@scenario
def in_the_shell(peer, world):
    """A query runs without a job around it, after the server has ended the session."""
    if peer.shell is None:
        return None
    with peer.shell() as query:
        from support.sql import SESSION_ID

        world.end(query(SESSION_ID[world.vendor])[0][0])
        return failures(lambda: query("SELECT 1"))


@scenario
def in_a_coroutine(peer, world):
    """Jobs of a coroutine run, after the server has ended the session."""
    if peer.awork is None:
        return None

    async def look():
        number = await peer.awork(lambda: session(peer, world))
        world.end(number)
        first = None
        for failed in range(TRIES):
            try:
                await peer.awork(lambda: peer.query("SELECT 1"))
                return {"failed": failed, "error": first}
            except Exception as error:  # of any driver
                first = first or short(error)
        return {"failed": TRIES, "error": first}

    return asyncio.run(look())


@scenario
def cost(peer, world):
    """A proxy counts what ten jobs of one SELECT send, and the sessions they begin."""
    for _ in range(2):
        peer.work(lambda: peer.query("SELECT 1"))
    time.sleep(0.3)
    sent = world.proxy.sent
    chunks, begun = sum(map(len, sent)), len(sent)
    for _ in range(10):
        peer.work(lambda: peer.query("SELECT 1"))
    time.sleep(0.3)
    return {
        "sent": (sum(map(len, sent)) - chunks) / 10,
        "sessions": (len(sent) - begun) / 10,
    }


@scenario
def inside_a_transaction(peer, world):
    """A job runs inside of an open transaction, which then writes on and commits."""
    world.run("DELETE FROM item")

    def job():
        with peer.transaction():
            peer.query("INSERT INTO item VALUES (1)")
            peer.inner(lambda: peer.query("SELECT 1"))
            peer.query("INSERT INTO item VALUES (2)")

    def rolled_back():
        with peer.transaction():
            peer.query("INSERT INTO item VALUES (3)")
            peer.inner(lambda: peer.query("SELECT 1"))
            raise KeyError("rolls back")

    facts = failures(lambda: peer.work(job), 1)
    failures(lambda: peer.work(rolled_back), 1)
    return dict(facts, rows=world.numbers())


@scenario
def lost_in_a_transaction(peer, world):
    """The server ends the session in the middle of a transaction, which writes on."""
    world.run("DELETE FROM item")

    def job():
        with peer.transaction():
            peer.query("INSERT INTO item VALUES (1)")
            world.end(session(peer, world))
            peer.inner(lambda: None)
            peer.query("INSERT INTO item VALUES (2)")

    facts = failures(lambda: peer.work(job), 1)
    after = failures(lambda: peer.work(lambda: peer.query("SELECT 1")))
    return dict(facts, rows=world.numbers(), after=after["failed"])


@scenario
def repeated(peer, world):
    """The server ends the session between two statements of a job, at the first run."""
    if peer.repeat is None:
        return None

    def run(error):
        attempts = []

        def job():
            attempts.append(session(peer, world))
            if len(attempts) == 1:
                if error:
                    raise error
                world.end(attempts[0])
            peer.query("SELECT 1")

        try:
            peer.repeat(job)
        except Exception as other:  # what the library lets through
            return {"attempts": len(attempts), "error": short(other)}
        return {"attempts": len(attempts), "error": None}

    return {"lost": run(None), "other": run(ValueError("a mistake"))}


@scenario
def age_limit(peer, world):
    """The limit is one second; a job after 1.3 seconds has to get another session."""
    if peer.age is None:
        return None
    peer.age(1)
    numbers = [peer.work(lambda: session(peer, world))]
    time.sleep(1.3)
    numbers.append(peer.work(lambda: session(peer, world)))
    return {"replaced": numbers[0] != numbers[1]}


@scenario
def idle_limit(peer, world):
    """The limit is one second. A session in use stays for 1.5 s, an idle one goes."""
    if peer.idle is None:
        return None
    peer.idle(1)
    numbers = []
    for pause in (0.5, 0.5, 0.5, 1.3, 0):
        numbers.append(peer.work(lambda: session(peer, world)))
        time.sleep(pause)
    return {"kept": len(set(numbers[:4])) == 1, "replaced": numbers[4] != numbers[3]}


@scenario
def threads_end(peer, world):
    """Eight threads run a job each, at once, and end; the server counts sessions."""
    if peer.threads is None:
        return None
    before = world.sessions()
    peer.threads(lambda: peer.query(world.sleep(1)), 8)
    time.sleep(0.5)
    return {"left": len(world.sessions() - before)}


@scenario
def many_at_once(peer, world):
    """Thirty threads at once run a job of two seconds; the server counts sessions."""
    if peer.threads is None:
        return None
    before, peaks, ended = world.sessions(), [0], []

    def watch():
        while not ended:
            peaks.append(len(world.sessions() - before))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        peer.threads(lambda: peer.query(world.sleep(2)), 30)
        error = None
    except Exception as caught:  # of any driver or pool
        error = short(caught)
    ended.append(1)
    watcher.join()
    return {"peak": max(peaks), "error": error}


@scenario
def warned(peer, world):
    """50 processes of 10 threads are wanted, of a server that allows 100 sessions."""
    if peer.warn is None:
        return None
    # W001 is about time-outs.
    return {"ids": [name for name in peer.warn() if name != "django_compat.W001"]}


@scenario
def dropped(peer, world):
    """The network drops the idle connection, and tells neither end.

    The shortest limit that the library has is one second; the idle time is 1.5 seconds.
    The proxy swallows what is sent, and cuts after four seconds.
    """
    limit = peer.idle or peer.age
    if limit:
        limit(1)
    peer.work(lambda: session(peer, world))
    world.proxy.stall(new=False)
    timer = threading.Timer(5.5, world.proxy.cut)
    timer.start()
    time.sleep(1.5)
    started = time.time()
    facts = failures(lambda: peer.work(lambda: peer.query("SELECT 1")), 1)
    facts["seconds"] = round(time.time() - started, 1)
    timer.join()
    world.proxy.resume()
    return dict(facts, limit=bool(limit))


@scenario
def dropped_without_limit(peer, world):
    """The same, without any limit."""
    peer.work(lambda: session(peer, world))
    world.proxy.stall(new=False)
    timer = threading.Timer(4, world.proxy.cut)
    timer.start()
    started = time.time()
    facts = failures(lambda: peer.work(lambda: peer.query("SELECT 1")), 1)
    facts["seconds"] = round(time.time() - started, 1)
    timer.join()
    world.proxy.resume()
    return facts


@scenario
def forked(peer, world):
    """A process is forked while a connection is open, runs a query, and ends.

    The child has to have a session of its own, and the parent keeps its session.
    """
    from support.sql import SESSION_ID

    context = multiprocessing.get_context("fork")

    def fork(query):
        receiver, sender = context.Pipe(duplex=False)

        def ask():
            sender.send(query(SESSION_ID[world.vendor])[0][0])

        process = context.Process(target=ask)
        process.start()
        number = receiver.recv() if receiver.poll(10) else None
        process.join(10)
        return number

    def own():
        return session(peer, world)

    try:
        before, number, after = peer.fork(own, fork, own)
    except Exception as error:  # of any driver
        return {"kept": False, "own": None, "error": short(error)}
    return {"kept": before == after, "own": number not in (None, before), "error": None}


def child(title, vendor):
    """Run all scenarios of one library on one server; print the facts as JSON."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    world = World(vendor)
    # The classes need Django's settings, and the settings need the class's options.
    world.configure(types.SimpleNamespace(**json.loads(sys.stdin.readline())))
    import peers

    (peer_class,) = [peer for peer in peers.PEERS if peer.title == title]
    peer, facts = peer_class(), OrderedDict()

    def run():
        for name, function in SCENARIOS.items():
            try:
                for limit in (peer.idle, peer.age):
                    if limit:
                        limit(None)
                peer.reset()
                world.settle()
                facts[name] = function(peer, world)
            except BaseException as error:  # of the harness: it must be looked at
                facts[name] = {"broken": short(error)}
            print(title, vendor, name, facts[name], file=sys.stderr)
        ((release,),) = world.run("SELECT VERSION()")
        print(json.dumps({"facts": facts, "version": release}))
        sys.stdout.flush()
        world.proxy.close()
        world.server.stop()
        os._exit(0)  # workers have threads that do not end

    peer.run(run)


def describe():
    """Return the title, options and distribution of each library."""
    from django.conf import settings

    settings.configure()
    import peers

    return [
        {key: getattr(peer, key) for key in
         ("title", "options", "apps", "settings", "vendors", "distribution")}
        for peer in peers.PEERS
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="TITLE", action="append")
    options = parser.parse_args()
    path = os.path.join(HERE, "scenarios.json")
    results = {"libraries": {}, "servers": {}}
    if options.only and os.path.exists(path):
        with open(path) as stream:
            results = json.load(stream)
    for peer in describe():
        title = peer["title"]
        if options.only and title not in options.only:
            continue
        name = peer["distribution"]
        release = "this one" if name == "django-compat-shim" else version(name)
        entry = results["libraries"][title] = {"release": release, "facts": {}}
        for vendor in peer["vendors"]:
            process = subprocess.run(
                [sys.executable, os.path.abspath(__file__), "--child", title, vendor],
                input=json.dumps(peer) + "\n",
                stdout=subprocess.PIPE,
                universal_newlines=True,
                timeout=1200,
            )
            answer = json.loads(process.stdout.splitlines()[-1])
            entry["facts"][vendor] = answer["facts"]
            results["servers"][vendor] = answer["version"]
    results.update(
        python=platform.python_version(),
        date=time.strftime("%Y-%m-%d"),
        packages={
            name: version(name)
            for name in ("Django", "mysqlclient", "psycopg", "psycopg-pool", "dramatiq")
        },
    )
    with open(path, "w") as stream:
        json.dump(results, stream, indent=1, sort_keys=True)
        stream.write("\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
