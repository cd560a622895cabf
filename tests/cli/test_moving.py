"""The outputs that docs/moving.rst shows are those of a run."""

from __future__ import absolute_import

import os
import re
import shlex

import pytest

from support.processes import run as run_python
from support.repository import ROOT, read

pytest.importorskip("libcst", reason="needs Python 3.10+, and LibCST")

VIEWS = '''from django.utils.http import is_safe_url
from django.utils.translation import ugettext_lazy as _

try:
    from django.urls import NoReverseMatch, reverse
except ImportError:  # Django 1.9
    from django.core.urlresolvers import NoReverseMatch, reverse


def back(request):
    """Return where to go, and its title."""
    url = request.GET.get("next")
    if is_safe_url(url, allowed_hosts={request.get_host()}):
        return url, _("Back")
    try:
        return reverse("start"), _("Start")
    except NoReverseMatch:
        return "/", _("Start")
'''
MODELS = '''from django.db import models
from django.utils import encoding


class Word(models.Model):
    text = models.CharField(max_length=99)

    def __str__(self):
        return encoding.smart_text(self.text)
'''
# A command of the page, and what it prints.
BLOCK = re.compile(
    r"^    \$ (python -m django_compat \w+ .*)\n((?:    .*\n|\n)+)", re.MULTILINE
)


@pytest.fixture
def app(tmpdir):
    folder = tmpdir.mkdir("src").mkdir("app")
    folder.join("models.py").write(MODELS)
    folder.join("views.py").write(VIEWS)
    return tmpdir


def run(folder, command):
    """Run a command as the page has it; return its output and its messages."""
    _, output, errors = run_python(
        shlex.split(command)[1:], dict(os.environ, PYTHONPATH=ROOT), str(folder)
    )
    return [output, errors]


def test_page_shows_what_the_commands_print(app):
    """The page breaks long lines; apart from that each word is the command's."""
    blocks = BLOCK.findall(read("docs", "moving.rst"))
    names = [command.split()[3] for command, _ in blocks]
    assert names == ["audit", "adopt", "retire"]
    for command, shown in blocks:
        if " retire " in command:  # the app has moved in
            run(app, "python -m django_compat adopt src/ --django '>=1.8' --write")
        assert " ".join(run(app, command)).split() == shown.split()
