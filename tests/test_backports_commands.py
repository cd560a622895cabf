"""Commands: what call_command and the command line give to handle()."""

from __future__ import absolute_import

import os
import sys

import django
import pytest
import six
from django.core.management import CommandError, base, call_command, get_commands
from variants import variants

LINES = six.StringIO  # what a command's stdout may be


def bases(name):
    """Return ours, and Django's own where it takes add_arguments."""
    return variants(
        "commands:Compatibility" + name,
        "django.core.management.base:" + name,
        since=(1, 9),
    )


def make(parent):
    """Return a command that takes all kinds of arguments."""

    class Command(parent):
        help = "Do nothing."
        requires_model_validation = False  # until Django 1.8
        requires_system_checks = False if django.VERSION < (3, 2) else []

        if django.VERSION >= (1, 7):
            del requires_model_validation

        def add_arguments(self, parser):
            parser.add_argument("name")
            parser.add_argument("rest", nargs="*")
            parser.add_argument("-n", "--how-many", type=int, default=1)
            parser.add_argument("--kind", choices=["a", "b"])
            parser.add_argument("--flag", action="store_true", dest="is_set")
            parser.add_argument("--many", action="append")
            parser.add_argument("--two", nargs=2, type=float)

        def handle(self, *args, **options):
            names = "name rest how_many kind is_set many two verbosity".split()
            self.found = [options[name] for name in names]
            self.arguments = args
            if options["name"] == "bad":
                raise CommandError("bad name")
            self.stdout.write("one")
            self.stdout.write("two\n")
            return "three"

    return Command()


def call(command, *args, **options):
    """Call a command by its name, as Django until 1.9 has it."""
    get_commands()["of_a_test"] = command
    try:
        call_command("of_a_test", *args, **options)
    finally:
        del get_commands()["of_a_test"]


commands = pytest.mark.parametrize("parent", bases("BaseCommand"))


@commands
def test_call_gives_parsed_arguments(parent):
    """Positional ones as texts, options by name as they are, the rest by default."""
    command, out = make(parent), LINES()
    call(command, "x", stdout=out)
    assert command.found == ["x", [], 1, None, False, None, None, 1]
    assert command.arguments == ()
    assert out.getvalue() == "one\ntwo\nthree\n"
    call(command, "x", "y", "5", how_many=7, kind="b", verbosity=2, stdout=out)
    assert command.found == ["x", ["y", "5"], 7, "b", False, None, None, 2]
    call(command, "x", "--how-many=3", "--flag", "--two", "1", "2", stdout=out)
    assert command.found == ["x", [], 3, None, True, None, [1.0, 2.0], 1]


@commands
def test_call_takes_an_option_by_its_name_or_where_it_goes(parent):
    """``flag`` is ``is_set``."""
    command = make(parent)
    call(command, "x", is_set=True, stdout=LINES())
    assert command.found[4] is True
    if django.VERSION < (1, 8) or django.VERSION >= (1, 10):
        call(command, "x", flag=True, stdout=LINES())
        assert command.found[4] is True


@commands
@pytest.mark.parametrize(
    "arguments", [[], ["x", "--kind=c"], ["x", "--how-many=z"], ["x", "--unknown"]]
)
def test_call_with_wrong_arguments_raises(parent, arguments):
    """CommandError, and the process lives."""
    with pytest.raises(CommandError):
        call(make(parent), *arguments)


@commands
def test_error_of_a_command_leaves_the_call(parent):
    """And the command works the next time."""
    command = make(parent)
    with pytest.raises(CommandError) as caught:
        call(command, "bad", stdout=LINES(), stderr=LINES())
    assert str(caught.value) == "bad name"
    call(command, "x", stdout=LINES())
    assert command.found[0] == "x"


@commands
def test_command_line_is_parsed(parent, capsys):
    """As the call is; options may stand anywhere."""
    command = make(parent)
    line = "manage.py it --flag x y --how-many 4 --many 1 --many 2 -v 0 --two 1 2"
    command.run_from_argv(line.split())
    expected = ["x", ["y"], 4, None, True, ["1", "2"], [1.0, 2.0], 0]
    assert command.found == expected
    assert capsys.readouterr()[0].split() == ["one", "two", "three"]


@commands
@pytest.mark.parametrize(
    "line, status, text",
    [
        ("it", 2, "usage:"),
        ("it x --kind c", 2, "--kind"),
        ("it bad", 1, "bad name"),
        ("it --help", 0, "Do nothing."),
    ],
)
def test_command_line_ends_the_process(parent, capsys, line, status, text):
    """With the usage and 2, an error and 1, or the help and 0."""
    with pytest.raises(SystemExit) as caught:
        make(parent).run_from_argv(["manage.py"] + line.split())
    assert caught.value.code == status
    assert text in "".join(capsys.readouterr())


@commands
def test_settings_and_path_are_options(parent, monkeypatch, capsys):
    """--settings and --pythonpath are obeyed before handle() runs."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    line = "manage.py it x --settings=some.settings --pythonpath=/some/folder"
    make(parent).run_from_argv(line.split())
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "some.settings"
    assert sys.path[0] == "/some/folder"


@commands
def test_success_has_a_style(parent):
    """self.style.SUCCESS, from Django 1.9 on, and here before."""
    assert "done" in make(parent).style.SUCCESS("done")


@pytest.mark.parametrize("parent", bases("LabelCommand"))
def test_label_command_handles_each_label(parent):
    """At least one, with the options."""
    quiet = {"requires_system_checks": False if django.VERSION < (3, 2) else []}
    if django.VERSION < (1, 7):
        quiet = {"requires_model_validation": False}

    class Command(parent):
        locals().update(quiet)

        def add_arguments(self, parser):
            super(Command, self).add_arguments(parser)
            parser.add_argument("--end", default=".")

        def handle_label(self, label, **options):
            return label + options["end"]

    out = LINES()
    call(Command(), "a", "b", end="!", stdout=out)
    assert out.getvalue() == "a!\nb!\n"
    with pytest.raises(CommandError):
        call(Command())


if not hasattr(base.BaseCommand, "add_arguments"):  # until Django 1.7

    def test_command_with_option_list_is_served_by_optparse(capsys):
        """As it was: arguments are arguments, and Django's options are there."""
        from optparse import make_option

        (parent,) = bases("BaseCommand")

        class Command(parent.values[0]):
            requires_model_validation = False
            option_list = (make_option("--number", type="int", default=1),)

            def handle(self, *args, **options):
                self.found = args, options["number"], options["verbosity"]

        if django.VERSION >= (1, 7):
            del Command.requires_model_validation
            Command.requires_system_checks = False
        command = Command()
        command.run_from_argv("manage.py it a b --number=5 -v 2".split())
        assert command.found == (("a", "b"), 5, "2")
        call(command, "a", number=6)
        assert command.found[:2] == (("a",), 6)
