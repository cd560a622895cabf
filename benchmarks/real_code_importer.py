"""Import the modules of an app on this Django; print the lines that fail.

``benchmarks/real_code.py`` runs this script on each Python from 2.7 on. The argument
is a file with the folder of the app, its package and its modules. Each attempt runs in
a fork, so no attempt leaves modules behind for the next one.
"""

from __future__ import absolute_import, print_function

import json
import os
import re
import sys
import traceback
import types
import warnings

warnings.simplefilter("ignore")
root, package, modules = json.load(open(sys.argv[1]))
root, package = str(root), str(package)  # Python 2 wants no unicode here
sys.path.insert(0, root)
import django
from django.conf import settings

apps = "admin auth contenttypes sessions messages staticfiles sites".split()
apps = ["django.contrib." + name for name in apps]
settings.configure(
    INSTALLED_APPS=apps,
    SECRET_KEY="x",
    SITE_ID=1,
    MIDDLEWARE=[],
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    STATIC_URL="/static/",
    ROOT_URLCONF="django.conf.urls",
    AUTHENTICATION_BACKENDS=[],
)
getattr(django, "setup", lambda: None)()
try:
    import builtins
except ImportError:
    import __builtin__ as builtins
original = builtins.__import__


class Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub

    def __iter__(cls):
        return iter(())


class Stub(Meta("Base", (object,), {})):
    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and callable(args[0]) else Stub()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub

    def __iter__(self):
        return iter(())


class StubModule(types.ModuleType):
    real = None
    __path__, __all__ = [], []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.real, name, Stub)


CRASH = {"error": "Crash", "text": "", "file": None, "line": None, "lines": []}
MISSING = ("ImportError", "ModuleNotFoundError", "AttributeError")
IS_IMPORT = re.compile(r"\s*(from|import)\b")
stubbed, patched, lines, held = set(), set(), set(), []


def source(name):
    return name[:-1] if name.endswith(".pyc") else name


LEVEL = 0 if sys.version_info > (3,) else -1


def hooked(name, globals=None, locals=None, fromlist=(), level=LEVEL):
    frame = sys._getframe(1)
    here = (source(frame.f_code.co_filename), frame.f_lineno)
    if here[0].startswith(root):
        # Python 2 empties a module that nobody holds when its import fails.
        held.append(sys.modules.get(frame.f_globals.get("__name__")))
    if here not in stubbed:
        return original(name, globals, locals, fromlist, level)
    stub = StubModule("stub")
    try:
        stub.real = original(name, globals, locals, fromlist, level)
    except Exception:
        pass
    return stub


def trace(frame, event, arg):
    if not frame.f_code.co_filename.startswith(root):
        return None
    if event == "call" and frame.f_code.co_name != "<module>":
        if frame.f_code.co_flags & 2:  # CO_NEWLOCALS: a function, not a class
            return None
    lines.add((source(frame.f_code.co_filename), frame.f_lineno))
    return trace


def make_app():
    # Let models belong to an application that is not installed.
    try:
        from django.apps import AppConfig, apps as registry
    except ImportError:
        return
    module = types.ModuleType(package)
    module.__path__ = [os.path.join(root, package)]
    module.__file__ = os.path.join(root, package, "__init__.py")
    config = AppConfig(package, module)
    config.apps, config.models = registry, {}
    registry.app_configs[config.label] = config


def attempt(module, is_traced):
    make_app()
    builtins.__import__ = hooked
    for name, attribute in patched:
        try:
            setattr(original(name, {}, {}, ["x"]), attribute, Stub)
        except Exception:
            pass
    if is_traced:
        sys.settrace(trace)
    try:
        original(module)
        loaded = [name for name in sys.modules if name in modules and sys.modules[name]]
        return {"error": None, "loaded": loaded}
    except BaseException:
        sys.settrace(None)
        kind, error, tb = sys.exc_info()
        frames = traceback.extract_tb(tb)
        frames = [
            (source(f[0]), f[1], f[3] or "")
            for f in frames
            if f[2] != "hooked" and "importlib" not in f[0]
        ]
        own = [f for f in frames if f[0].startswith(root)]
        file, line, text = own[-1] if own else (None, None, "")
        bases = find_bases(tb, file, line, str(error)) if file else []
        # Where another module of the app imports the file that stops.
        outer = [f for f in own[:-1] if f[0] != file and IS_IMPORT.match(f[2])]
        return {
            "error": kind.__name__,
            "bases": bases,
            "outer": outer[-1:],
            "text": str(error)[:300],
            "file": file,
            "line": line,
            "is_last": bool(own) and frames[-1] == own[-1],
            "code": text,
        }
    finally:
        sys.settrace(None)


def find_bases(tb, file, line, text):
    # Return [(module, attribute)] that a failing line may have looked up.
    match = re.search(r"has no attribute '(\w+)'", text)
    found = []
    while match and tb is not None:
        frame = tb.tb_frame
        if source(frame.f_code.co_filename) == file:
            with open(file) as stream:
                code = "".join(stream.readlines()[max(line - 15, 0) : line + 15])
            for base in re.findall(r"(\w[\w.]*)\.%s\b" % match.group(1), code):
                try:
                    value = eval(base, frame.f_globals, frame.f_locals)
                except Exception:
                    continue
                name = match.group(1)
                if isinstance(value, types.ModuleType) and not hasattr(value, name):
                    found.append((value.__name__, name))
        tb = tb.tb_next
    return found


def forked(module, is_traced):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            result = attempt(module, is_traced)
            result["lines"] = sorted(lines)
        except BaseException:
            result = dict(CRASH, text=traceback.format_exc())
        with os.fdopen(writing, "wb") as stream:
            stream.write(json.dumps(result).encode("ascii"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        data = stream.read()
    os.waitpid(pid, 0)
    return json.loads(data.decode("ascii")) if data else CRASH


failed, stops, ran, done = [], [], set(), set()
for module in modules:
    for _ in range(99):
        if module in done:
            break
        result = forked(module, False)
        if result["error"] is None:
            result = forked(module, True)  # once more, to see which lines run
            ran.update(map(tuple, result["lines"]))
            done.update(result.get("loaded", ()))
            break
        place = (result["file"], result["line"]) if result["file"] else None
        is_name = result["error"] in MISSING
        if place is None:
            stops.append([module, result])
            break
        is_import = IS_IMPORT.match(result["code"]) is not None or (
            result["error"] in MISSING[:2] and result["is_last"]
        )
        if is_name and result["is_last"]:
            failed.append([place[0], place[1], result["error"], result["text"]])
        if is_import and place not in stubbed:
            stubbed.add(place)
        elif set(map(tuple, result.get("bases", ()))) - patched:
            patched.update(map(tuple, result["bases"]))
        else:
            stops.append([module, result])
            ran.update(map(tuple, forked(module, True)["lines"]))
            outer = [tuple(f[:2]) for f in result.get("outer", ())]
            if not outer or outer[0] in stubbed:
                break
            stubbed.add(outer[0])
stops = [
    [module, result["error"], result["text"], result["file"], result["line"]]
    for module, result in stops
]
print(json.dumps([failed, stops, sorted(ran), sorted(patched)]))
