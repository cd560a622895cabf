"""The types of Django's own names: read by type checkers with django-stubs, not run."""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from django.core.management.base import CommandParser
from django.http import HttpRequest, HttpResponse
from typing_extensions import assert_type

from django_compat import (
    AbstractUser,
    BaseCommand,
    JsonResponse,
    Q,
    QuerySet,
    User,
    atomic,
    cached_property,
    connection_replaced,
    connections,
    csrf_exempt,
    force_text,
    get_object_or_404,
    parse_date,
    reverse,
    ugettext_lazy,
    url,
    urlencode,
)
from django_compat.apps import DjangoCompatConfig
from django_compat.contrib.dramatiq import ConnectionsMiddleware
from django_compat.contrib.rq import SimpleWorker, Worker


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--label")

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(force_text(b"done"))


class Writer(AbstractUser):
    @cached_property
    def label(self) -> str:
        return str(ugettext_lazy("writer"))


@atomic
def rename(user: User, name: str) -> JsonResponse:
    user.username = name
    return JsonResponse({"place": reverse("user", args=[name])})


@csrf_exempt
def view(request: HttpRequest, name: str) -> HttpResponse:
    return rename(get_object_or_404(User, Q(username=name)), name)


def find(users: QuerySet[User]) -> User | None:
    return users.first()


def on_loss(alias: str, reason: str, **kwargs: object) -> None: ...


connection_replaced.connect(on_loss)
connections["default"].cursor().execute("SELECT 1")
connections["default"].cursors()  # type: ignore[attr-defined]
assert_type(Writer().label, str)
assert_type(reverse("index"), str)
reverse(1)  # type: ignore[arg-type]
rename("me", "you")  # type: ignore[arg-type]
parse_date(1)  # type: ignore[arg-type]
urlencode(1)  # type: ignore[arg-type]
routes = [url("^$", view)]  # Any: Django has no such function any more
assert_type(DjangoCompatConfig.name, str)


class Middleware(ConnectionsMiddleware):
    pass


class CustomWorker(Worker):
    pass


SimpleWorker(queues=1)  # type: ignore[arg-type]
