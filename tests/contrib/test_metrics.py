"""The recipes for Prometheus and OpenTelemetry, with their own client libraries."""

from __future__ import absolute_import

import sys

import pytest

from django_compat import HUNG_UP, UNUSABLE
from support.databases import end_session, wait_for
from support.processes import web_process
from support.recipes import Project, page
from support.required import needs_package

needs_package("prometheus_client")

# A unit of work for each line: two that share a session, then the one after its end.
WORK = """
import json, sys
import django

%s
django.setup() if hasattr(django, "setup") else None
import shop.metrics
from django.db import connection
from django_compat import close_all_connections, fresh_connections

for line in iter(sys.stdin.readline, ""):
    with fresh_connections():
        with connection.cursor() as cursor:
            cursor.execute(%r)
            number = cursor.fetchone()[0]
    print(json.dumps([number, read()]))
    sys.stdout.flush()
close_all_connections()
"""
NUMBER = {"mysql": "SELECT CONNECTION_ID()", "postgresql": "SELECT pg_backend_pid()"}
PROMETHEUS = """
from prometheus_client import start_http_server
from prometheus_client.parser import text_string_to_metric_families as parse
from support.servers import free_port
try:
    from urllib.request import urlopen
except ImportError:
    from urllib2 import urlopen

port = free_port()
start_http_server(port, "127.0.0.1")

def read():
    text = urlopen("http://127.0.0.1:%d/metrics" % port).read().decode("utf-8")
    return [
        [sample.name, dict(sample.labels), sample.value]
        for family in parse(text)
        for sample in family.samples
        if sample.name.startswith("django_") and sample.name.endswith("_total")
    ]
"""
OPENTELEMETRY = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))

def read():
    (resource,) = reader.get_metrics_data().resource_metrics
    return [
        [metric.name, dict(point.attributes), point.value]
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    ]
"""


@pytest.fixture(params=["prometheus", "opentelemetry"])
def recipe(request, server_alias, tmpdir):
    """A process of the page's project: what it counts after each unit of work."""
    prelude = PROMETHEUS
    if request.param == "opentelemetry":
        if sys.version_info < (3,):
            pytest.skip("OpenTelemetry needs Python 3")
        needs_package("opentelemetry")
        prelude = OPENTELEMETRY
    project = Project(page(request.param), tmpdir, server_alias, True)
    assert "shop/metrics.py" in [str(path) for path in find_files(tmpdir)]
    project.write("work.py", WORK % (prelude, NUMBER[server_alias]))
    with web_process(project.env, "work") as ask:
        yield ask


def find_files(folder):
    return [path.relto(folder) for path in folder.visit("*.py")]


def test_numbers_are_those_of_the_process(recipe, server_alias):
    """Opened, reused, replaced, and closed by reason, after a session was lost."""

    def numbers(answer):
        found = {}
        for name, labels, value in answer[1]:
            labels = dict(labels)
            name = name.replace(".", "_").replace("_total", "")
            key = name.replace("django_connections_", "")
            assert labels.pop("alias") == "default"
            found[(key,) + tuple(labels.values())] = value
        return found

    first = recipe()
    assert numbers(first) == {("opened",): 1, ("reused",): 0, ("replaced",): 0}
    second = recipe()
    assert second[0] == first[0]
    assert numbers(second) == {("opened",): 1, ("reused",): 1, ("replaced",): 0}
    end_session(server_alias, first[0])

    def is_replaced():
        answers.append(recipe())
        return answers[-1][0] != first[0]

    answers = []
    wait_for(is_replaced)
    found = numbers(answers[-1])
    assert (found["opened",], found["replaced",]) == (2, 1)
    # PostgreSQL's last message may arrive before the end of its session.
    reasons = [key[1] for key in found if key[0] == "closed"]
    assert reasons in ([HUNG_UP], [UNUSABLE])
    assert found["closed", reasons[0]] == 1
