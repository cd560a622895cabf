"""Commands: the arguments that call_command and the command line give to handle()."""

from __future__ import absolute_import

import os
import sys

import django
import pytest
from django.core.management import CommandError, base, call_command, get_commands
from six import StringIO

from support.variants import variants

pytestmark = pytest.mark.contract


def bases(name):
    """Return our base class, and Django's own from Django 1.9 on."""
    return variants(
        "commands:Compatibility" + name,
        "django.core.management.base:" + name,
        since=(1, 9),
    )


def make(parent):
    """Return a command with all kinds of arguments; it records what handle() gets."""

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
            self.values = [options[name] for name in names]
            self.arguments = args
            if options["name"] == "bad":
                raise CommandError("bad name")
            self.stdout.write("one")
            self.stdout.write("two\n")
            return "three"

    return Command()


def call(command, *args, **options):
    """Call a command by a name: before 1.10 call_command takes only names."""
    get_commands()["of_a_test"] = command
    try:
        call_command("of_a_test", *args, **options)
    finally:
        del get_commands()["of_a_test"]


commands = pytest.mark.parametrize("parent", bases("BaseCommand"))


@commands
def test_call_gives_parsed_arguments(parent):
    """handle() gets positional texts, the given options, and defaults."""
    command, out = make(parent), StringIO()
    call(command, "x", stdout=out)
    assert command.values == ["x", [], 1, None, False, None, None, 1]
    assert command.arguments == ()
    assert out.getvalue() == "one\ntwo\nthree\n"
    call(command, "x", "y", "5", how_many=7, kind="b", verbosity=2, stdout=out)
    assert command.values == ["x", ["y", "5"], 7, "b", False, None, None, 2]
    call(command, "x", "--how-many=3", "--flag", "--two", "1", "2", stdout=out)
    assert command.values == ["x", [], 3, None, True, None, [1.0, 2.0], 1]


@commands
def test_call_takes_an_option_by_its_name_or_where_it_goes(parent):
    """The option --flag has the ``dest`` is_set; a call may use both names."""
    command = make(parent)
    call(command, "x", is_set=True, stdout=StringIO())
    assert command.values[4] is True
    if django.VERSION < (1, 8) or django.VERSION >= (1, 10):
        call(command, "x", flag=True, stdout=StringIO())
        assert command.values[4] is True


@commands
@pytest.mark.parametrize(
    "arguments", [[], ["x", "--kind=c"], ["x", "--how-many=z"], ["x", "--unknown"]]
)
def test_call_with_wrong_arguments_raises(parent, arguments):
    """A call with wrong arguments raises CommandError, and does not exit."""
    with pytest.raises(CommandError):
        call(make(parent), *arguments)


@commands
def test_call_raises_the_error_of_the_command(parent):
    """call_command() raises the CommandError, and the next call works."""
    command = make(parent)
    with pytest.raises(CommandError) as caught:
        call(command, "bad", stdout=StringIO(), stderr=StringIO())
    assert str(caught.value) == "bad name"
    call(command, "x", stdout=StringIO())
    assert command.values[0] == "x"


@commands
def test_command_line_is_parsed(parent, capsys):
    """The command line is parsed like a call; options may stand anywhere."""
    command = make(parent)
    line = "manage.py it --flag x y --how-many 4 --many 1 --many 2 -v 0 --two 1 2"
    command.run_from_argv(line.split())
    expected = ["x", ["y"], 4, None, True, ["1", "2"], [1.0, 2.0], 0]
    assert command.values == expected
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
    """Wrong usage exits with 2, a CommandError with 1, --help with 0."""
    with pytest.raises(SystemExit) as caught:
        make(parent).run_from_argv(["manage.py"] + line.split())
    assert caught.value.code == status
    assert text in "".join(capsys.readouterr())


@commands
def test_settings_and_path_are_options(parent, monkeypatch, capsys):
    """--settings and --pythonpath take effect before handle() runs."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    line = "manage.py it x --settings=some.settings --pythonpath=/some/folder"
    make(parent).run_from_argv(line.split())
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "some.settings"
    assert sys.path[0] == "/some/folder"


@commands
def test_success_has_a_style(parent):
    """``self.style.SUCCESS`` exists, as from Django 1.9 on."""
    assert "done" in make(parent).style.SUCCESS("done")


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@commands
def test_success_is_green_on_a_terminal(parent, monkeypatch):
    """``self.style.SUCCESS`` colours the text where Django colours texts."""
    monkeypatch.setenv("DJANGO_COLORS", "dark")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Terminal())
        text = make(parent).style.SUCCESS("done")
    assert text == "\x1b[32;1mdone\x1b[0m"


# Without checks of the models: the settings of these tests have none.
QUIET = {"requires_system_checks": False if django.VERSION < (3, 2) else []}
if django.VERSION < (1, 7):
    QUIET = {"requires_model_validation": False}


@pytest.mark.skipif(
    hasattr(base.BaseCommand, "add_arguments"),
    reason="commands of optparse are for Django before 1.8",
)
def test_command_with_args_takes_any_number_of_them():
    """A command that was written for optparse names its arguments in ``args``."""
    (parent,) = bases("BaseCommand")

    class Command(parent.values[0]):
        args = "<name name ...>"
        locals().update(QUIET)

        def handle(self, *args, **options):
            return " ".join(args)

    out = StringIO()
    call(Command(), "a", "b", stdout=out)
    call(Command(), stdout=out)
    assert out.getvalue() == "a b\n"


@pytest.mark.parametrize("parent", bases("AppCommand"))
def test_app_command_needs_its_handler(parent):
    """The error names the method that the subclass does not have."""
    with pytest.raises(NotImplementedError) as caught:
        parent().handle_app_config(None)
    assert "handle_app_config" in str(caught.value)


@pytest.mark.parametrize("parent", bases("LabelCommand"))
def test_label_command_handles_each_label(parent):
    """handle_label() gets each label and the options; no label is an error."""

    class Command(parent):
        locals().update(QUIET)

        def add_arguments(self, parser):
            super(Command, self).add_arguments(parser)
            parser.add_argument("--end", default=".")

        def handle_label(self, label, **options):
            return label + options["end"]

    out = StringIO()
    call(Command(), "a", "b", end="!", stdout=out)
    assert out.getvalue() == "a!\nb!\n"
    with pytest.raises(CommandError):
        call(Command())


@pytest.mark.skipif(
    hasattr(base.BaseCommand, "add_arguments"),
    reason="optparse is for Django before 1.8",
)
def test_command_with_option_list_is_served_by_optparse(capsys):
    """A subclass with ``option_list`` gets arguments and options as in Django 1.7."""
    from optparse import make_option

    (parent,) = bases("BaseCommand")

    class Command(parent.values[0]):
        requires_model_validation = False
        option_list = (make_option("--number", type="int", default=1),)

        def handle(self, *args, **options):
            self.arguments = args, options["number"], options["verbosity"]

    if django.VERSION >= (1, 7):
        del Command.requires_model_validation
        Command.requires_system_checks = False
    command = Command()
    command.run_from_argv("manage.py it a b --number=5 -v 2".split())
    assert command.arguments == (("a", "b"), 5, "2")
    call(command, "a", number=6)
    assert command.arguments[:2] == (("a",), 6)
