"""Mutation testing: change the code at one place; a test has to notice.

    python tests/mutation/run.py FOLDER --only stale

cosmic-ray makes the mutants. pytest collects the tests once. Then each mutant gets a
forked child, which puts the mutant's code into the functions of the module, and runs
the tests of the changed line, which a first run notes in FOLDER. A mutant that no test
notices is a survivor, and ``survivors.rst`` says why that may be so. The exit code is 1
for a survivor that is not explained there.

The results are in FOLDER, too, and the next run goes on from there. Needs Python 3.
"""

from __future__ import absolute_import, print_function

import argparse
import ast
import collections
import difflib
import glob
import json
import os
import random
import re
import signal
import sys
import time
import types
import zlib
from importlib import import_module

import cosmic_ray.plugins
import parso
import pytest
from _pytest.main import pytest_runtestloop
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(TESTS)
CLOSING = """closing stale old_connections forks interruptions engines django_facts
    transports logins pools retry guard session_state stats warnings"""
SCOPES = """scopes nested_scopes interruptions leftovers old_connections forks requests
    transactions session_state stale round_trips callables idle_limit probe_readable"""
# By module: the files with the tests that are about it.
MODULES = collections.OrderedDict(
    [
        ("_db/closing", CLOSING),
        ("_db/stale", SCOPES + " probe django_facts stats engines guard time_limits"),
        ("_db/probe", "probe probe_readable idle_limit stale"),
        ("_db/scopes", SCOPES + " aio nested_async executors guard storm"),
        ("_db/disconnects", "disconnects"),
        ("_capacity/rules", "rules checks"),
    ]
)
# Other replacements of an operator fail at the tests at which these fail. "%" formats
# messages here: any other operator is a TypeError.
OPERATORS = re.compile(
    r"""core/(?:AddNot|NumberReplacer|ZeroIterationForLoop|ReplaceContinueWithBreak
    |ExceptionReplacer|ReplaceUnaryOperator_Delete_Not
    |Replace(?:TrueWithFalse|FalseWithTrue|OrWithAnd|AndWithOr)
    |ReplaceComparisonOperator_(?:Is_IsNot|IsNot_Is|Eq_NotEq|NotEq_Eq|Lt_LtE|Lt_GtE
    |LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt)
    |ReplaceBinaryOperator_(?:Add_Sub|Sub_Add|Div_Mul|Mul_Div|BitOr_BitAnd
    |BitAnd_BitOr))$""",
    re.VERBOSE,
)
# These tests start Python anew: the mutant is not there.
ELSEWHERE = "not installed_app and not import_alone and not without_us"
PLAIN = (bool, int, float, str, tuple, dict, frozenset, re.Pattern)


class RemoveStatement(Operator):
    """Put ``pass`` in place of a statement of a function: cosmic-ray does not."""

    def mutation_positions(self, node):
        if node.type == "simple_stmt" and parso.tree.search_ancestor(node, "funcdef"):
            first = node.children[0]
            if first.type not in ("string", "strings", "global_stmt", "import_from"):
                yield first.start_pos, first.end_pos

    def mutate(self, node, index):
        first = node.children[0]
        prefix = first.get_first_leaf().prefix
        node.children[0] = parso.python.tree.Name("pass", first.start_pos, prefix)
        return node

    @classmethod
    def examples(cls):
        return ()


def operators():
    """Yield each operator with its name."""
    yield "RemoveStatement", RemoveStatement()
    for name in sorted(cosmic_ray.plugins.operator_names()):
        if OPERATORS.match(name):
            yield name.partition("/")[2], cosmic_ray.plugins.get_operator(name)()


def essence(code):
    """Return what a code object does, without its places in the source."""
    constants = [
        essence(each) if isinstance(each, types.CodeType) else repr(each)
        for each in code.co_consts
    ]
    return code.co_code, code.co_names, code.co_varnames, constants


def mutants_of(module, source):
    """Return the mutants of a module; none does the same as another one."""
    seen, mutants, tree = [essence(compile(source, "", "exec"))], [], get_ast(source)
    for name, operator in operators():
        spots = [
            (node, begin[0])
            for node in ast_nodes(tree)
            for begin, _ in operator.mutation_positions(node)
        ]
        for index, (node, line) in enumerate(spots):
            try:
                mutated = mutate_code(source, operator, index)
                does = essence(compile(mutated, "", "exec"))
            except (AttributeError, SyntaxError):
                continue  # ExceptionReplacer knows no "except a.b"
            if does in seen:
                continue
            seen.append(does)
            place = parso.tree.search_ancestor(node, "funcdef", "classdef")
            lines = difflib.ndiff(source.splitlines(), mutated.splitlines())
            mutants.append(
                {
                    "module": module,
                    "place": place.name.value if place else "",
                    "line": line,
                    "diff": [text for text in lines if text[0] in "+-"],
                    "source": mutated,
                }
            )
    name_all(mutants)
    return mutants


def name_all(mutants):
    """Give each mutant a key that outlives changes of other lines."""
    seen = collections.Counter()
    for mutant in mutants:
        words = [mutant["module"], mutant["place"]] + mutant["diff"]
        seen["\n".join(words)] += 1
        words.append(str(seen["\n".join(words)]))
        mutant["key"] = "\n".join(words)


def lines_of_statement(source, line):
    """Return the lines of the statement at a line, without those of its body."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno:
            lines = list(range(node.lineno, node.end_lineno + 1))
            if getattr(node, "body", None) and line < node.body[0].lineno:
                lines = lines[: max(1, node.body[0].lineno - node.lineno)]
                break
    return lines


def in_turn(names, times):
    """Return tests in the order to run them: the fastest of each function first."""
    seen, turns = collections.Counter(), {}
    for name in sorted(names, key=times.get):
        function = name.partition("[")[0]
        seen[function] += 1
        turns[name] = seen[function], times[name]
    return sorted(turns, key=turns.get)


def put_in(module, source):
    """Let a module that is imported do what another source says."""
    new = types.ModuleType(module.__name__)
    new.__package__, new.__file__ = module.__package__, module.__file__
    exec(compile(source, module.__file__, "exec"), new.__dict__)
    replace(module, new)


def replace(old, new):
    """Take the code of functions and the constants from a new module or class."""
    for name, value in list(vars(new).items()):
        before = vars(old).get(name)
        if getattr(value, "__module__", old) != getattr(before, "__module__", old):
            continue
        if isinstance(value, types.FunctionType):
            before.__code__ = value.__code__
            before.__defaults__ = value.__defaults__
        elif isinstance(value, type) and before is not value:
            if value.__module__ == new.__name__:
                replace(before, value)
        elif isinstance(value, PLAIN) and not name.startswith("__"):
            if repr(before) != repr(value):
                setattr(old, name, value)


class Mutation(object):
    """A plugin of pytest that runs the collected tests for each mutant."""

    def __init__(self, options):
        self.options = options
        self.failure, self.test, self.lines = "", "", None
        self.times, self.sources = collections.Counter(), {}
        for module in options.modules:  # now: somebody may edit a file meanwhile
            with open("%s/django_compat/%s.py" % (ROOT, module)) as stream:
                self.sources[module] = stream.read()

    def path(self, name):
        """Return the path of a file in the folder of the run."""
        return os.path.join(self.options.folder, name)

    def measured(self, path):
        """Return the file with what was measured, of this state of the code."""
        sources = [ROOT + "/django_compat/%s.py" % name for name in MODULES]
        drivers = os.environ.get("DJANGO_COMPAT_TEST_DRIVERS", "")
        state = zlib.crc32((self.options.tests + drivers).encode())
        for name in sources + [str(path)]:
            with open(name, "rb") as stream:
                state = zlib.crc32(stream.read(), state)
        return self.path("%s-%d.json" % (path.name, state))

    def pytest_runtest_logstart(self, nodeid):
        self.test = nodeid
        if self.lines is not None:
            sys.monitoring.restart_events()  # a line counts once a test

    def note(self, code, line):
        """Note that the test runs a line, in a file: the test may have forked."""
        if code.co_filename.startswith(ROOT + "/django_compat"):
            place = "%s:%d" % (os.path.relpath(code.co_filename, ROOT), line)
            os.write(self.lines, ("%s\t%s\n" % (place, self.test)).encode())
        return sys.monitoring.DISABLE

    def pytest_runtest_logreport(self, report):
        self.times[report.nodeid] += report.duration
        if report.failed and not self.failure:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.failure = "%s: %s" % (report.nodeid, crash and crash.message[:200])
            with open(self.path("failure"), "w") as stream:
                stream.write(self.failure)
        if not report.passed:
            self.times[report.nodeid] += 1e6  # it cannot tell a mutant

    def in_child(self, function, seconds):
        """Run a function in a child; tell how it ended: 0 when nothing failed."""
        pid = os.fork()
        if not pid:
            status = 99
            try:
                os.setsid()
                log = open(self.path("log"), "w")
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
                function()
                status = bool(self.failure)
            except BaseException as error:
                with open(self.path("failure"), "a") as stream:
                    stream.write(" " + repr(error)[:200])
            finally:
                os._exit(status)
        deadline, status = time.time() + seconds, None
        while time.time() < deadline:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            time.sleep(0.01)
        else:
            status = -1
        try:
            os.killpg(pid, signal.SIGKILL)  # also what a test left
        except OSError:
            pass
        if status == -1:
            os.waitpid(pid, 0)
        return status

    def run_tests(self, session, items):
        """Run some of the tests, in this order."""
        session.items = items
        try:
            pytest_runtestloop(session)
        except (session.Failed, session.Interrupted):
            pass

    def measure(self, session, path):
        """Note the time of each test of a file, and the lines that it runs."""

        def run():
            flags = os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_WRONLY
            file = self.path("lines")
            self.lines = os.open(file, flags, 0o600)
            tool, line = sys.monitoring.DEBUGGER_ID, sys.monitoring.events.LINE
            sys.monitoring.use_tool_id(tool, "mutation")
            sys.monitoring.register_callback(tool, line, self.note)
            sys.monitoring.set_events(tool, line)
            self.run_tests(session, [i for i in session.items if i.path == path])
            sys.monitoring.set_events(tool, 0)
            lines = collections.defaultdict(list)
            with open(file) as stream:
                for place, _, test in (row.strip().partition("\t") for row in stream):
                    lines[place].append(test)
            with open(self.measured(path), "w") as stream:
                json.dump({"times": self.times, "lines": lines}, stream)

        if not os.path.exists(self.measured(path)):
            begun = time.time()
            status = self.in_child(run, 3600)
            self.say("%s: %s, %.0f s" % (path.name, status, time.time() - begun))

    def say(self, text):
        """Print what pytest must not capture."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        if self.failure or session.testsfailed:
            raise session.Failed("the tests cannot be collected")
        if not self.test:
            self.test = "running"
            for path in sorted({item.path for item in session.items}):
                self.measure(session, path)
            session.config.option.maxfail = 1
            for module in self.options.modules:
                self.test_module(session, module)
            return True
        return None

    def test_module(self, session, module):
        """Run the tests for the mutants of a module, and note the results."""
        path, source = "django_compat/%s.py" % module, self.sources[module]
        items = {item.nodeid: item for item in session.items}
        times, tests = {}, collections.defaultdict(set)
        for file in {item.path for item in session.items}:
            with open(self.measured(file)) as stream:
                found = json.load(stream)
            times.update(found["times"])
            for place, names in found["lines"].items():
                name, _, line = place.partition(":")
                if name == path:
                    tests[int(line)].update(names)
        for names in tests.values():  # without those that failed or are left out
            names &= {name for name in items if times.get(name, 1e6) < 1e6}
        everything = set().union(*tests.values())
        mutants = mutants_of(module, source)
        self.say("%s: %d mutants" % (module, len(mutants)))
        if self.options.sample:
            seed = str(self.options.seed)
            # A larger sample holds the smaller one, whatever changed meanwhile.
            mutants.sort(key=lambda one: random.Random(seed + one["key"]).random())
            del mutants[self.options.sample :]
        results, explained = self.results(), read_survivors()
        target = import_module("django_compat." + module.replace("/", "."))
        for mutant in mutants:
            known = results.get(mutant["key"])
            if self.options.again:
                if not known or known["outcome"] == "killed":
                    continue
                if text_of(mutant) in explained:
                    continue
            elif known:
                continue
            names = set()
            for line in lines_of_statement(source, mutant["line"]):
                names |= tests[line]
            chosen, total = [], 0
            for name in in_turn(names or everything, times):
                total += times[name]
                if chosen and total > self.options.seconds:
                    break
                chosen.append(name)

            def run():
                put_in(target, mutant["source"])
                self.run_tests(session, [items[name] for name in chosen])

            open(self.path("failure"), "w").close()
            begun = time.time()
            status = self.in_child(run, 120 + 10 * total)
            with open(self.path("failure")) as stream:
                failure = stream.read()
            result = dict(
                mutant,
                outcome="killed" if status else "survived",
                status=status,
                failure=failure,
                tests=len(chosen),
                seconds=round(time.time() - begun, 1),
            )
            del result["source"]
            with open(self.path("results"), "a") as stream:
                stream.write(json.dumps(result) + "\n")
            self.say(
                "%s %s.py:%d %d tests, %.1f s: %s"
                % (
                    result["outcome"],
                    module,
                    mutant["line"],
                    len(chosen),
                    result["seconds"],
                    failure.partition("\n")[0] if status else mutant["diff"],
                )
            )

    def results(self):
        """Return the last result of each mutant, by its key."""
        results = {}
        if os.path.exists(self.path("results")):
            with open(self.path("results")) as stream:
                for line in stream:
                    result = json.loads(line)
                    results[result["key"]] = result
        return results

    def report(self):
        """Print the figures and the survivors; return whether all are explained."""
        explained, good = read_survivors(), True
        for module in self.options.modules:
            results = [r for r in self.results().values() if r["module"] == module]
            alive = [r for r in results if r["outcome"] == "survived"]
            print("%s: %d mutants, %d survive" % (module, len(results), len(alive)))
            for result in sorted(alive, key=lambda result: result["line"]):
                if text_of(result) not in explained:
                    good = False
                    print("Line %d:\n%s" % (result["line"], text_of(result)))
        return good


def text_of(mutant):
    """Return the lines of a mutant as ``survivors.rst`` has them."""
    lines = [("%(module)s.py %(place)s" % mutant).strip()] + mutant["diff"]
    return "".join("    %s\n" % line.rstrip() for line in lines)


def read_survivors():
    """Return the text of ``survivors.rst``."""
    with open(os.path.join(TESTS, "mutation", "survivors.rst")) as stream:
        return stream.read()


def files_of(modules):
    """Return the files of the tests of modules."""
    files = []
    for module in modules:
        for name in MODULES[module].split():
            files += glob.glob(os.path.join(TESTS, "*", "test_%s.py" % name))
    return list(collections.OrderedDict.fromkeys(files))


def start_servers():
    """Start a server of each vendor for all mutants."""
    from support import servers

    started = [servers.Server(vendor) for vendor in ("mysql", "postgresql")]
    for server in started:
        server.start()
        url = "%s://%s@%s:%d/%s"
        url %= server.vendor, server.user, server.host, server.port, server.name
        os.environ[servers.URLS[server.vendor]] = url
    os.environ["PGSSLMODE"] = "disable"
    return started


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=os.path.abspath)
    parser.add_argument("--only", default="", help="a pattern of modules")
    parser.add_argument("--sample", type=int, help="so many mutants of each module")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--seconds", type=float, default=60, help="of tests a mutant")
    parser.add_argument("--tests", default=ELSEWHERE, help="as pytest's -k has it")
    parser.add_argument("--again", action="store_true", help="survivors only")
    parser.add_argument("--report", action="store_true", help="run nothing")
    options = parser.parse_args()
    options.modules = [name for name in MODULES if re.search(options.only, name)]
    mutation = Mutation(options)
    if not options.report:
        if not os.path.isdir(options.folder):
            os.makedirs(options.folder)
        os.environ["DJANGO_COMPAT_TEST_ALL"] = "1"
        sys.path[:0] = [ROOT, TESTS]
        servers = start_servers()
        try:
            arguments = "-s -p no:faulthandler --timeout 60 --timeout-method thread"
            files = files_of(options.modules)
            pytest.main(arguments.split() + ["-k", options.tests] + files, [mutation])
        finally:
            for server in servers:
                server.stop()
    sys.exit(not mutation.report())


if __name__ == "__main__":
    main()
