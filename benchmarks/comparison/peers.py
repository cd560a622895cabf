"""The libraries of the comparison, each used as its own documentation says.

``work(job)`` runs a job as the library's unit of work: a task of a runner, the body of
a scope. A method that a library has no answer to is None. scenarios.py imports this
module in a process for one library, where Django's settings are there.
"""

from __future__ import absolute_import

import itertools
import queue
import threading
from contextlib import contextmanager

from asgiref.sync import async_to_sync, sync_to_async
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
    transaction,
)

LOST = (OperationalError, InterfaceError)
WAIT = 100  # seconds, for a worker on a busy machine


class Django(object):
    """close_old_connections() before and after the job, as Django does for requests."""

    distribution, title = "Django", "Django"
    settings, options = {}, {}  # of the project, and of its database
    apps = ()
    vendors = ("mysql", "postgresql")
    idle = repeat = tell = None

    def run(self, scenarios):
        """Run the scenarios while the library's worker runs."""
        scenarios()

    def work(self, job):
        close_old_connections()
        try:
            return job()
        finally:
            close_old_connections()

    async def awork(self, job):
        await sync_to_async(close_old_connections)()
        try:
            return await sync_to_async(job)()
        finally:
            await sync_to_async(close_old_connections)()

    def inner(self, job):
        """Run a job as a unit of work inside another one, in its transaction."""
        return self.work(job)

    def query(self, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    @contextmanager
    def shell(self):
        """A shell or a notebook: queries without a unit of work around them."""
        yield self.query

    def transaction(self):
        return transaction.atomic()

    def age(self, seconds):
        """Let connections live so long; None is no limit."""
        connections.databases["default"]["CONN_MAX_AGE"] = seconds

    def threads(self, job, number):
        """Run a job in each of so many threads, and end the threads."""
        with self.executor()(number) as pool:
            for result in [pool.submit(self.work, job) for _ in range(number)]:
                result.result()

    def executor(self):
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor

    def fork(self, before, child, after):
        """Fork a process with an open connection; return the results of both ends."""
        return self.work(lambda: (before(), child(self.query), after()))

    def warn(self):
        """Return the ids of what Django's checks say about the database."""
        from django.core.checks import run_checks

        return sorted({message.id for message in run_checks(databases=["default"])})

    def reset(self):
        self.work(connections.close_all)


class HealthChecks(Django):
    """Django asks before the first query of a unit whether the connection lives."""

    title = "Django, CONN_HEALTH_CHECKS"
    options = {"CONN_HEALTH_CHECKS": True}


class DjangoPool(Django):
    """Django with psycopg's pool, which Django 5.1 and newer can use."""

    title = "Django, psycopg's pool"
    # A pool serves connections that live as long as a unit of work.
    options = {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": {"min_size": 2, "max_size": 5}}}
    vendors = ("postgresql",)
    age = None  # max_lifetime of the pool is set once, for the process

    def reset(self):
        self.work(lambda: connection.close() or connection.close_pool())


class DjangoCompat(Django):
    """The line in INSTALLED_APPS, and a scope around the job."""

    distribution, title = "django-compat-shim", "django_compat"
    apps = ("django_compat",)
    settings = {"DJANGO_COMPAT_PROCESSES": 50, "DJANGO_COMPAT_THREADS": 10}

    def work(self, job):
        from django_compat import fresh_connections

        with fresh_connections():
            return job()

    async def awork(self, job):
        from django_compat import fresh_connections

        async with fresh_connections():
            return await sync_to_async(job)()

    @contextmanager
    def shell(self):
        from django_compat import guard_connections

        with guard_connections():
            yield self.query

    def executor(self):
        from django_compat import ThreadPoolExecutor

        return ThreadPoolExecutor

    def threads(self, job, number):
        with self.executor()(number) as pool:
            for result in [pool.submit(job) for _ in range(number)]:
                result.result()

    def idle(self, seconds):
        connections.databases["default"]["CONN_MAX_IDLE"] = seconds

    def repeat(self, job):
        from django_compat import retry_on_disconnect

        return self.work(retry_on_disconnect(attempts=3)(job))

    def tell(self, heard):
        from django_compat import connection_replaced

        connection_replaced.connect(lambda **_: heard.append(1), weak=False)


class Retry(Django):
    """A changed ensure_connection() of Django; it asks for no unit of work."""

    distribution = title = "django-dbconn-retry"
    apps = ("django_dbconn_retry",)

    def work(self, job):
        return job()

    async def awork(self, job):
        return await sync_to_async(job)()

    def tell(self, heard):
        from django_dbconn_retry import post_reconnect

        post_reconnect.connect(lambda **_: heard.append(1), weak=False)


class Channels(Django):
    """The job in database_sync_to_async()."""

    distribution = title = "channels"
    shell = None

    def work(self, job):
        from channels.db import database_sync_to_async

        return async_to_sync(database_sync_to_async(job))()

    async def awork(self, job):
        from channels.db import database_sync_to_async

        return await database_sync_to_async(job)()

    threads = None  # one thread runs all jobs


class Runner(Django):
    """A runner of tasks: jobs go to its worker, in another thread, by a number."""

    shell = awork = None

    def __init__(self):
        self.jobs, self.numbers = {}, itertools.count()

    def call(self, number):
        """Run a job in the worker; the runner shall see the error, too."""
        job, results = self.jobs[number]
        try:
            result = job()
        except BaseException as error:
            results.put((None, error))
            raise
        results.put((result, None))

    def enter(self, job):
        number, results = next(self.numbers), queue.Queue()
        self.jobs[number] = job, results
        return number, results

    def work(self, job):
        number, results = self.enter(job)
        self.send(number)
        result, error = results.get(timeout=WAIT)
        self.settle()
        if error is not None:
            raise error
        return result

    def repeat(self, job):
        number, results = self.enter(job)
        self.send_repeated(number)
        result, error = results.get(timeout=WAIT)
        while error is not None:  # the next attempt, if there is one
            try:
                result, error = results.get(timeout=20)
            except queue.Empty:
                raise error
        return result


class Celery(Runner):
    """A real worker of celery, with thirty threads, on a broker in memory.

    celery's own child processes begin sessions of their own (``on_worker_process_init``
    in ``celery/fixups/django.py``); the scenario is a process that a task forks.
    """

    distribution, title = "celery", "celery's Django fixup"

    def run(self, scenarios):
        import celery

        self.app = app = celery.Celery("comparison", broker="memory://")
        app.conf.update(task_ignore_result=True, worker_redirect_stdouts=False)
        self.ended = queue.Queue()

        @app.task(name="call")
        def call(number):
            self.call(number)

        @app.task(name="repeated", bind=True, autoretry_for=LOST, retry_backoff=False,
                  default_retry_delay=0)
        def repeated(task, number):
            self.call(number)

        self.task, self.repeated = call, repeated
        from celery import signals

        # Connected last: when the fixup has done its work after the task.
        def ended(**_):
            self.ended.put(1)

        def begin(**_):
            signals.task_postrun.connect(ended, weak=False)
            threading.Thread(target=scenarios, daemon=True).start()

        signals.worker_ready.connect(begin, weak=False)
        app.worker_main(
            "worker --pool threads --concurrency 30 --loglevel CRITICAL"
            " --without-gossip --without-mingle --without-heartbeat".split()
        )

    def send(self, number):
        self.task.delay(number)

    def send_repeated(self, number):
        self.repeated.delay(number)

    def settle(self):
        self.ended.get(timeout=WAIT)

    def inner(self, job):
        number, results = self.enter(job)
        self.task.apply((number,), throw=True)  # the task, called where one is
        return results.get()[0]

    def threads(self, job, number):
        entries = [self.enter(job) for _ in range(number)]
        for entry, _ in entries:
            self.send(entry)
        for _, results in entries:
            error = results.get(timeout=WAIT)[1]
            if error:
                raise error
        for _ in entries:
            self.settle()


class Dramatiq(Runner):
    """A real worker of dramatiq, with one thread, on a broker in memory."""

    distribution, title = "django-dramatiq", "django_dramatiq"

    def run(self, scenarios):
        import dramatiq
        from django_dramatiq.middleware import DbConnectionsMiddleware
        from dramatiq.brokers.stub import StubBroker

        self.ended = queue.Queue()

        class Ended(dramatiq.Middleware):
            def after_process_message(_, *args, **kwargs):
                self.ended.put(1)

        self.broker = StubBroker()
        # What is added later is called earlier, after a message.
        for middleware in Ended(), DbConnectionsMiddleware():
            self.broker.add_middleware(middleware)
        dramatiq.set_broker(self.broker)
        self.actor = dramatiq.actor(self.call, actor_name="call", max_retries=0)
        self.repeated = dramatiq.actor(self.call, actor_name="more", min_backoff=10)
        self.begin(1)
        scenarios()

    def begin(self, threads):
        import dramatiq

        self.worker = dramatiq.Worker(
            self.broker, worker_threads=threads, worker_timeout=100
        )
        self.worker.start()

    def send(self, number):
        self.actor.send(number)

    def send_repeated(self, number):
        self.repeated.send(number)

    def settle(self):
        self.ended.get(timeout=WAIT)

    def inner(self, job):
        number, results = self.enter(job)
        self.actor(number)  # the function of the actor, called where one is
        return results.get()[0]

    def threads(self, job, number):
        self.worker.stop()
        self.begin(number)
        entries = [self.enter(job) for _ in range(number)]
        for entry, _ in entries:
            self.send(entry)
        for _, results in entries:
            results.get(timeout=WAIT)
        self.worker.stop()
        self.begin(1)


class SQLAlchemy(Django):
    """A connection of the engine's pool for each job, with pool_pre_ping.

    As by default, each connection begins a transaction and ends with a rollback, which
    are packets; a mode without is there, ``isolation_level="AUTOCOMMIT"``.
    """

    distribution = title = "SQLAlchemy"
    urls = {"mysql": "mysql+mysqldb", "postgresql": "postgresql+psycopg"}
    async_urls = {"mysql": "mysql+aiomysql", "postgresql": "postgresql+asyncpg"}
    recycle, warn = -1, None

    def __init__(self):
        self.local, self.heard = threading.local(), None
        self.reset()

    def engine_of(self, urls, create):
        from sqlalchemy import URL

        database = connections.databases["default"]
        vendor = database["ENGINE"].rpartition(".")[2]
        url = URL.create(urls[vendor], database["USER"], None, database["HOST"],
                         int(database["PORT"]), database["NAME"])
        return create(url, pool_pre_ping=True, pool_recycle=self.recycle)

    def reset(self):
        from sqlalchemy import create_engine, event

        if hasattr(self, "engine"):
            self.engine.dispose()
        self.engine = self.engine_of(self.urls, create_engine)
        if self.heard is not None:
            event.listen(self.engine, "invalidate", lambda *_: self.heard.append(1))

    @contextmanager
    def using(self, opened):
        before = getattr(self.local, "connection", None)
        with opened as self.local.connection:
            try:
                yield
            finally:
                self.local.connection = before

    def work(self, job):
        with self.using(self.engine.connect()):
            return job()

    async def awork(self, job):
        from sqlalchemy.ext.asyncio import create_async_engine

        if not hasattr(self, "async_engine"):
            self.async_engine = self.engine_of(self.async_urls, create_async_engine)
        async with self.async_engine.connect() as opened:
            with self.using(_Opened(opened.sync_connection)):
                return await opened.run_sync(lambda _: job())

    def query(self, sql):
        from sqlalchemy import text

        result = self.local.connection.execute(text(sql))
        return result.fetchall() if result.returns_rows else None

    @contextmanager
    def shell(self):
        yield lambda sql: self.work(lambda: self.query(sql))

    def transaction(self):
        return self.using(self.engine.begin())

    def age(self, seconds):
        self.recycle = -1 if seconds is None else seconds
        self.reset()

    def fork(self, before, child, after):
        results = [self.work(before)]
        results.append(child(lambda sql: self.work(lambda: self.query(sql))))
        return results + [self.work(after)]

    def tell(self, heard):
        self.heard = heard
        self.reset()


class _Opened(object):
    """A connection that somebody else closes."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self.connection

    def __exit__(self, *exc_info):
        pass


PEERS = [DjangoCompat, Django, HealthChecks, DjangoPool, Celery, Channels, Dramatiq,
         Retry, SQLAlchemy]
