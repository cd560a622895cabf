"""The rules for where a line of code lives, read from the sources, importing none."""

from __future__ import absolute_import

import ast
import io
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# From the bottom up: a module imports from the lines above its own, and from its own
# package. The root is __init__, so nobody but __main__ can import it.
LAYERS = """
    _versions expressions matrix ranges tables
    deployments deprecation
    _lazy _moved
    moves backports answers disconnect_codes drivers servers
    forks holders liveness limits
    staleness
    policies
    demand
    findings
    hosting
    closing
    attempts capacity connections units
    _async
    scopes
    disconnects executors guard
    checks management report templatetags
    apps
    matrices
    __init__
    __main__
"""
RANKS = {
    module: rank
    for rank, line in enumerate(LAYERS.strip().splitlines())
    for module in line.split()
}
TABLES = {"__init__", "matrix", "moves"}  # these may be long
DRIVERS = set(
    "MySQLdb _mysql mysql pymysql psycopg2 psycopg psycopg_pool postgresql sqlite3 "
    "cx_Oracle oracledb oracle".split()
)
VERSIONS = {"VERSION", "get_version", "version_info", "hexversion"}
MAY_COMPARE_VERSIONS = {
    "_versions": "the place for it",
    "_lazy": "with data: the release in a name's row",
    "_moved": "with data: the releases in a moved name's row",
    "deprecation": "with data: the release in a warning's name",
}
# Python 2.7 reads none of it; _async.py is imported where Django has coroutines.
MODERN_SYNTAX = set(
    "AsyncFor AsyncFunctionDef AsyncWith Await AnnAssign JoinedStr NamedExpr Nonlocal "
    "TemplateStr YieldFrom".split()
)


def find_sources(*folders):
    """Return the paths of the Python files and stubs under ``folders`` of the tree."""
    return sorted(
        os.path.join(parent, file)
        for folder in folders
        for parent, _, files in os.walk(os.path.join(ROOT, folder))
        for file in files
        if file.endswith((".py", ".pyi"))
    )


def read(path):
    """Return the text of a file."""
    with io.open(path, encoding="utf-8") as file:
        return file.read()


def parse_modules():
    """Return ``{dotted name below the package: tree}``."""
    package = os.path.join(ROOT, "django_compat")
    trees = {}
    for path in find_sources("django_compat"):
        name = os.path.relpath(path, package).replace(os.sep, ".")
        if path.endswith(".pyi") or (name == "_async.py" and sys.version_info[0] == 2):
            continue
        with open(path, "rb") as file:
            trees[name[: -len(".py")]] = ast.parse(file.read(), path)
    return trees


MODULES = parse_modules()


def walk_module_level(node):
    """Yield what runs when the module is imported: everything outside functions."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not type(child).__name__.endswith(("FunctionDef", "Lambda")):
            for grandchild in walk_module_level(child):
                yield grandchild


def imported(nodes):
    """Yield the dotted name of everything that ``nodes`` import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield "%s%s.%s" % ("." * node.level, node.module or "", alias.name)


def find_imports(is_offence):
    """Return ``module: what`` for each import in the package that is an offence."""
    return [
        "%s: %s" % (module, name)
        for module, tree in sorted(MODULES.items())
        for name in imported(ast.walk(tree))
        if is_offence(module, name)
    ]


def assert_none(offences):
    """Fail with every offence on a line of its own."""
    lines = sorted(offences)
    assert not lines, "\n".join([""] + lines)


def test_every_module_has_a_layer():
    """A module that LAYERS does not list is in no known place."""
    assert_none({name.split(".")[0] for name in MODULES} - set(RANKS))


def test_imports_go_down_only():
    """A module imports only from lower layers: so nobody imports the root."""

    def goes_up(module, name):
        importer, parts = module.split(".")[0], name.split(".")
        if parts[0] != "django_compat":
            return parts[0] == ""  # relative: the layers are told by absolute names
        target = parts[1] if len(parts) > 1 and parts[1] in RANKS else "__init__"
        return target != importer and RANKS[target] >= RANKS[importer]

    assert_none(find_imports(goes_up))


def test_drivers_are_never_imported():
    """A driver, or a backend that imports one, is known by its objects' module name."""
    assert_none(find_imports(lambda _, name: DRIVERS & set(name.split("."))))


def test_async_libraries_are_imported_in_functions():
    """Importing a module loads no event loop; only _async itself imports them."""
    assert_none(
        "%s: %s" % (module, name)
        for module, tree in sorted(MODULES.items())
        for name in imported(walk_module_level(tree))
        if module != "_async"
        and re.match(r"(asyncio|asgiref|django_compat\._async)\b", name)
    )


def test_versions_are_compared_in_one_module():
    """Releases of Django and Python are compared where the table says, with reasons."""

    def names(node):
        return {getattr(n, "attr", getattr(n, "id", None)) for n in ast.walk(node)}

    found = {
        module
        for module, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and names(node) & VERSIONS
        or getattr(node, "attr", None) in ("PY2", "PY3")
    }
    assert_none(found - set(MAY_COMPARE_VERSIONS))


def test_version_conditions_have_a_comment():
    """An ``if`` on a version names the release in a comment, on its line or above."""
    condition = r"(?:^ *#.*\n)*^.*if .*\b(?:django\.VERSION|sys\.version_info)\b.*$"
    assert_none(
        "%s: %s" % (os.path.relpath(path, ROOT), found.group().strip())
        for path in find_sources("django_compat")
        for found in re.finditer(condition, read(path), re.MULTILINE)
        if not re.search(r"#.*\b(Django|Python) \d+\.\d", found.group())
    )


def test_syntax_is_one_that_python_2_reads():
    """No coroutines, annotations or f-strings, but in _async.py and the stubs."""
    assert_none(
        "%s, line %s: %s" % (module, node.lineno, type(node).__name__)
        for module, tree in sorted(MODULES.items())
        for node in ast.walk(tree)
        if module != "_async"
        and (
            type(node).__name__ in MODERN_SYNTAX
            or getattr(node, "returns", None)
            or getattr(node, "annotation", None)
        )
    )


def test_absolute_import_is_the_first_statement():
    """Python 2.7 must not find our modules under the names of others."""

    def first_statement(tree):
        body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
        return list(imported(body[:1]))

    assert_none(
        module
        for module, tree in sorted(MODULES.items())
        if module != "_async"
        and tree.body
        and first_statement(tree) != ["__future__.absolute_import"]
    )


def test_public_modules_have_all():
    """``__all__`` says what is public, and each function and class in it has a text."""
    wrong = []
    for module, tree in sorted(MODULES.items()):
        if module.split(".")[-1].startswith("_") or module.startswith("management."):
            continue
        bound = {}
        for node in walk_module_level(tree):
            if isinstance(node, ast.Assign):
                bound.update((getattr(n, "id", None), node.value) for n in node.targets)
            elif hasattr(node, "name") and hasattr(node, "body"):
                bound[node.name] = node
        if "__all__" not in bound:
            wrong.append("%s has no __all__" % module)
            continue
        for name in ast.literal_eval(bound["__all__"]):
            if name not in bound:
                wrong.append("%s: %s is not defined here" % (module, name))
            elif hasattr(bound[name], "name") and not ast.get_docstring(bound[name]):
                wrong.append("%s: %s has no docstring" % (module, name))
    assert_none(wrong)


def test_files_are_short():
    """A module has at most 200 lines, but for the tables."""
    package = os.path.join(ROOT, "django_compat")
    assert_none(
        os.path.relpath(path, package)
        for path in find_sources("django_compat")
        if os.path.basename(path).split(".")[0] not in TABLES
        and len(read(path).splitlines()) > 200
    )


def test_lines_are_short():
    """No line of code has more than 88 columns."""
    folders = "django_compat", "tests", "examples", "benchmarks"
    assert_none(
        "%s, line %s" % (os.path.relpath(path, ROOT), number)
        for path in find_sources(*folders) + [os.path.join(ROOT, "setup.py")]
        for number, line in enumerate(read(path).splitlines(), 1)
        if len(line) > 88
    )
