"""dramatiq: a middleware; docs/recipes/dramatiq.rst, with real workers."""

from __future__ import absolute_import

from support import recipes
from support.databases import observe, sessions, wait_for
from support.required import needs_package

needs_package("django_dramatiq")
PAGE = recipes.page("dramatiq")
SEND = """
import time
from dramatiq.results import ResultMissing
from shop import tasks

def send():
    message, deadline = tasks.%s.send(), time.time() + 30
    while time.time() < deadline:
        try:
            return message.get_result()
        except ResultMissing:
            time.sleep(0.02)
"""


def test_tasks_after_idle_spells(server_alias, redis, tmpdir):
    """The page's table."""

    def prepare(project, number):
        project.env["REDIS_URL"] = "%s/%d" % (redis, number)

    senders = {"a task fails": SEND % "count_tables"}
    found = recipes.measure(PAGE, tmpdir, server_alias, senders, prepare)
    assert found == recipes.figures(PAGE, server_alias, list(senders))
    wait_for(lambda: not sessions(server_alias))


MORE = """

from support.databases import session_id
from support.sql import SLEEP

@dramatiq.actor(store_results=True)
def session():
    return session_id(connection)

@dramatiq.actor(store_results=True, time_limit=1000, max_retries=0)
def interrupted():
    session_id(connection)
    connection.cursor().execute(SLEEP[connection.vendor] % 3)
    for _ in range(1000):
        session_id(connection)

@dramatiq.actor(store_results=True, max_retries=0)
def failing():
    connection.cursor().execute("SELECT nothing")
"""


def test_tasks_after_a_failure_and_a_time_limit(server_alias, redis, tmpdir):
    """The next task finds a connection that gives its own answer; the end is clean."""
    made = recipes.Project(PAGE, tmpdir, server_alias, True)
    made.env["REDIS_URL"] = redis + "/15"
    tasks = recipes.files_of(PAGE, True)["shop/tasks.py"]
    made.write("shop/tasks.py", tasks + MORE)
    with made.worker(), made.sender(SEND % "session") as ask:
        ask()
        for name in "interrupted", "failing":
            with made.sender(SEND % name) as ask_other:
                for _ in range(2):
                    assert "ResultFailure" in ask_other().get("error")
                    assert ask()["result"] in sessions(server_alias)
        # Before, PyMySQL closed the sockets of the two queries that were interrupted.
        before = aborted(server_alias)
    wait_for(lambda: not sessions(server_alias))
    assert aborted(server_alias) == before


def aborted(alias):
    """Return how many clients have gone without a goodbye; only MySQL counts."""
    if alias == "postgresql":
        return None
    ((_, number),) = observe(alias, {"mysql": "SHOW STATUS LIKE 'Aborted_clients'"})
    return int(number)


def test_message_that_an_earlier_middleware_skips():
    """The message ends no scope that it did not begin, and the next one has its own."""
    from dramatiq import Middleware, Worker, actor
    from dramatiq.brokers.stub import StubBroker
    from dramatiq.middleware import SkipMessage

    from django_compat.contrib.dramatiq import ConnectionsMiddleware

    class Skip(Middleware):
        def before_process_message(self, broker, message):
            if message.args == (1,):
                raise SkipMessage()

    broker, done = StubBroker(middleware=[Skip(), ConnectionsMiddleware()]), []
    job = actor(done.append, broker=broker, actor_name="job")
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    try:
        for number in range(3):
            job.send(number)
        broker.join("default", timeout=10000)
    finally:
        worker.stop()
    assert done == [0, 2]
