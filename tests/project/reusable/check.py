"""Use the app through the test client, and print the results as JSON."""

from __future__ import absolute_import, print_function

import json
import uuid

import django
from django.conf import settings

APPS = ["django.contrib." + n for n in "auth contenttypes sessions messages".split()]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "reusable.middleware.PathMiddleware",
]
PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]


def configure():
    """Give Django the settings; each release reads the settings that it knows."""
    apps = APPS + ["django.contrib.admin", "django_compat", "reusable"]
    labels = [name.rpartition(".")[2] for name in apps]
    engine = {
        "APP_DIRS": True,
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"context_processors": PROCESSORS},
    }
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    # No migrations: None on Django 1.9+, before that a module that does not exist.
    module = None if django.VERSION >= (1, 9) else "no.migrations"
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=apps,
        MIDDLEWARE=MIDDLEWARE,
        MIDDLEWARE_CLASSES=MIDDLEWARE,
        MIGRATION_MODULES=dict.fromkeys(labels, module),
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ROOT_URLCONF="reusable.site",
        SECRET_KEY="for tests",
        STATIC_URL="/static/",
        TEMPLATES=[engine],
        TEMPLATE_CONTEXT_PROCESSORS=[
            name.replace("template.context", "core.context") for name in PROCESSORS
        ],
        USE_TZ=True,
    )
    getattr(django, "setup", bool)()  # Django 1.7+


def use():
    """Return the result of each part of the app."""
    from django.core.management import CommandError, call_command
    from django.db import connection
    from django.test import Client

    from django_compat import StringIO, get_user_model, reverse

    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    get_user_model().objects.create_superuser("admin", "admin@example.com", "password")
    client, results, out = Client(), {}, StringIO()

    def get(url):
        response = client.get(url)
        return response.status_code, response.content.decode("utf-8").strip()

    def post(url, **values):
        response = client.post(url, values)
        target = response["Location"].replace("http://testserver", "")
        return response.status_code, target

    titles = "First <one>", "Second"
    call_command("add_notes", *titles, times=2, verbosity=2, stdout=out)
    results["command"] = out.getvalue().split("\n")
    try:
        call_command("add_notes", "x", times=0)
    except CommandError as error:
        results["command fails"] = str(error)
    out = StringIO()
    call_command("list_models", "reusable", end="!", stdout=out)
    results["command for an app"] = out.getvalue()
    try:
        call_command("list_models", "absent")
    except CommandError as error:
        results["command for no app"] = "absent" in str(error)
    results["index"] = get("/notes/")
    results["header"] = client.get("/notes/")["X-Asked-For"]
    results["detail"] = get("/notes/1/")
    results["missing"] = client.get("/notes/99/").status_code
    results["no number"] = client.get("/notes/x/").status_code
    results["add"] = post("/notes/add/?next=/notes/", title="Third")
    results["add elsewhere"] = post("/notes/add/?next=//x.example/", title="Fourth")[1]
    response = client.post("/notes/add/", {"title": "A"})
    results["shout"] = b"Do not shout." in response.content
    try:
        client.get("/notes/fail/")
    except ValueError as error:
        results["fail"] = str(error)
    results["lost"] = "lost" in get("/notes/")[1]
    key = uuid.UUID(int=5)
    results["answer"] = json.loads(get(reverse("reusable:answer", args=[key]))[1])
    results["below"] = json.loads(get("/more/below/7/x-y/")[1])
    results["regex"] = json.loads(get("/notes/regex/a/b")[1])
    parameters = {"number": 7, "word": "x"}
    results["reverse"] = reverse("more:inner", kwargs=parameters)
    status = client.get("/admin/reusable/note/").status_code
    results["admin asks"] = status in (200, 302)
    assert client.login(username="admin", password="password")
    listed = get("/admin/reusable/note/")
    results["admin"] = listed[0], '<a href="/notes/1/">page</a>' in listed[1]
    status = post("/admin/reusable/note/add/", title="Fifth", author="1")[0]
    results["admin adds"] = status, "Fifth" in get("/notes/")[1]
    from reusable import facts

    return dict(results, **facts.collect())


def main():
    configure()
    print(json.dumps(use()))


if __name__ == "__main__":
    main()
