"""Write the moved names in django_compat/__init__.pyi: ``python .ci/stubs.py``.

Run it where mypy and django-stubs are installed, as in the environment ``lint``, where
``--check`` compares only. A name comes from the place that the table has for the newest
Django, or from an older place, if mypy finds the name there; else its type is Any.
"""

from __future__ import absolute_import

import os
import re
import sys
import tempfile
import textwrap

from mypy import api

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from django_compat._names.table import NAMES  # noqa: E402
from django_compat.matrix import SERIES  # noqa: E402

STUB = os.path.join(ROOT, "django_compat", "__init__.pyi")
NEWEST = tuple(map(int, SERIES[-1].django.split(".")))
MARK = "# Moved names"
HEAD = MARK + """: docs/moved-names.rst says what each is. .ci/stubs.py writes the lines
# below. Any is the type of what django-stubs does not have.
"""
# The types of values that no stub has at a place.
TYPES = {
    "CLEANSED_SUBSTITUTE": "builtins.str",
    "PY2": "bool",
    "PY3": "bool",
    "Support_ValuesListQuerySet": "bool",
    "Support_ValuesQuerySet": "bool",
    "user_model_label": "builtins.str",
    "utc": "timezone",
}
# Where Python 3 has what the table takes from six.
PYTHON3 = {
    "six:BytesIO": "io:BytesIO",
    "six:StringIO": "io:StringIO",
    "six:binary_type": "builtins:bytes",
    "six:text_type": "builtins:str",
    "six.moves._thread:get_ident": "threading:get_ident",
    "six.moves.builtins:str": "builtins:str",
    "six.moves.http_client:responses": "http.client:responses",
}


def statement(row):
    """Return the import that may give a row its type, or None."""
    place = row.place(NEWEST) or (row.new and row.new.place(NEWEST)) or ""
    place = PYTHON3.get(place, place.replace("six.moves.urllib", "urllib"))
    module, _, attribute = place.partition(":")
    if row.name in TYPES or "." in attribute or module.startswith("django_compat"):
        return None
    if not attribute:
        module, _, attribute = module.rpartition(".")
    source = "from %s import " % module if module else "import "
    return "%s%s as %s" % (source, attribute, row.name) if place else None


def refused(lines):
    """Return the numbers, from 0, of the imports that mypy refuses."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "imports.pyi")
        with open(path, "w") as file:
            file.write("\n".join(lines))
        cache = os.path.join(folder, "cache")
        output, errors, _ = api.run(["--config-file=", "--cache-dir", cache, path])
    assert not errors, errors
    # mypy says of a module once that it is missing.
    missing = re.findall(r'module named "(.+)"', output)
    numbers = set(
        number
        for number, line in enumerate(lines)
        if re.search(r"imports\.pyi:%d: error" % (number + 1), output)
        or line.startswith(tuple("from %s import" % module for module in missing))
    )
    return numbers


def render():
    """Return the text from the mark on."""
    names = sorted(NAMES)
    imports = [statement(NAMES[name]) or "" for name in names]
    unknown = refused(imports)
    lines = []
    for number, name in enumerate(names):
        line = imports[number]
        if not line or number in unknown:
            line = "%s: %s" % (name, TYPES.get(name, "Any"))
        elif len(line) > 88:
            line = re.sub("import (.+)", r"import (\n    \1,\n)", line)
        lines.append(line)
    listed = textwrap.fill(
        " ".join('"%s",' % name for name in names),
        width=88,
        initial_indent="    ",
        subsequent_indent="    ",
    )
    return "%s%s\n\n__all__ += [\n%s\n]\n" % (HEAD, "\n".join(lines), listed)


def main():
    with open(STUB) as file:
        code = file.read()
    new = code.partition(MARK)[0] + render()
    if "--check" in sys.argv[1:]:
        if code != new:
            print("django_compat/__init__.pyi: run python .ci/stubs.py")
        return int(code != new)
    with open(STUB, "w") as file:
        file.write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
