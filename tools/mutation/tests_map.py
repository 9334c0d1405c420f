"""Which tests run which lines, and how long each test takes.

There is one record per test file, so that a file that changed is looked at alone.
"""

import ast
import json
from bisect import bisect_right
from collections import defaultdict
from hashlib import sha256
from pathlib import PurePath

from coverage import CoverageData

from tools.mutation.harness import Plan, run_pytest
from tools.mutation.mutants import PACKAGES

# What is pictures, pages and names says little about the four packages, and takes long.
LEFT_OUT = ("display", "documentation", "test_common", "lecture", "layers", "workflows")
# What looks at the package as a whole, and knows what no line shows.
WHOLE = ("tests/test_records.py",)


class TestsMap:
    """The records in ``folder``, made on trees without faults."""

    def __init__(self, folder):
        self.folder = folder
        self.seconds, self.lines = {}, defaultdict(lambda: defaultdict(set))
        self.texts = {}

    def update(self, root, workers):
        """Run what is not known as it is, test files and doctests, and read records."""
        self.folder.mkdir(exist_ok=True)
        files = sorted(root.glob("tests/test_*.py"))
        files = [f for f in files if not any(part in f.name for part in LEFT_OUT)]
        files += [root / "skdensity" / package for package in PACKAGES]
        names = {file.relative_to(root).as_posix(): self._name(file) for file in files}
        unknown = [f for f, n in names.items() if not n.with_suffix(".json").exists()]
        for _ in workers.map(lambda f, copy: self._record(f, names[f], copy), unknown):
            pass
        for name in names.values():
            self._read(name)
        self.texts = {
            name: (root / name).read_text() for name in names if name.endswith(".py")
        }

    def _name(self, file):
        """Where the record of a file, or of a folder, is: another one if it changes."""
        files = sorted(file.rglob("*.py")) if file.is_dir() else [file]
        digest = sha256(b"".join(each.read_bytes() for each in files)).hexdigest()
        return self.folder / f"{file.stem}-{digest[:8]}"

    def _record(self, file, name, copy):
        print("mapping", file, flush=True)
        outcome = run_pytest(copy, Plan([file], coverage=name))
        if outcome.has_failed:
            name.with_suffix(".json").unlink(missing_ok=True)
            raise RuntimeError(f"without any fault:\n{outcome.output}")

    def _read(self, name):
        self.seconds |= json.loads(name.with_suffix(".json").read_text())
        data = CoverageData(name.with_suffix(".coverage"))
        data.read()
        for module in data.measured_files():
            path = module[module.rindex("skdensity/") :]
            for line, contexts in data.contexts_by_lineno(module).items():
                tests = {each.partition("|")[0] for each in contexts if each}
                self.lines[path][line] |= tests

    def covering(self, mutant):
        """The tests that run the statement, and those of the module's namesake.

        The latter may run it in other processes, where lines are not counted.
        What runs at import is seen by the tests of whatever it stands in, by those that
        look at the package as a whole, and by those of files that import the module:
        defaults of fields are used without a line of it.
        """
        lines = self.lines[mutant.path]
        whole = self._of(namesake(mutant.path))
        for first, last in _around(mutant.source, mutant.start[0]):
            tests = set().union(*(lines[line] for line in range(first, last + 1)))
            if tests:
                return tests | whole
            whole |= self._of(*WHOLE, *self._importing(mutant.path))
        return whole

    def _of(self, *files):
        """The tests of some files."""
        return {test for test in self.seconds if test.startswith(files)}

    def _importing(self, path):
        """The test files that name a module."""
        module = path.removesuffix(".py").replace("/", ".")
        return [file for file, text in self.texts.items() if module in text]


def _around(source, line):
    """Spans of lines: the statement or its head; at import also all that is around."""
    spans, is_called = [(1, source.count("\n") + 1)], False
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            decorators = getattr(node, "decorator_list", [])
            first = min([node, *decorators], key=lambda each: each.lineno).lineno
            spans += [(first, _end_of_head(node)), (first, node.end_lineno)]
        if isinstance(node, ast.FunctionDef):
            is_called |= node.body[0].lineno <= line <= node.end_lineno
    inside = {span for span in spans if span[0] <= line <= span[1]}
    nearest_first = sorted(inside, key=lambda span: span[1] - span[0])
    return nearest_first[: 1 if is_called else None]


def _end_of_head(node):
    body = getattr(node, "body", None)
    return max(body[0].lineno - 1, node.lineno) if body else node.end_lineno


def namesake(path):
    """The test file of a module that has one of its own."""
    return f"tests/test_{PurePath(path).stem}.py"


def in_turn(tests, seconds, budget, nearest, near=45.0, n_near=3):
    """Tests of the nearest files that are fast, then the others, each by duration.

    After the ``nearest``, a file is near when most of its tests run the line.
    ``budget`` limits the seconds of both turns together.
    """
    by_file, n_tests = defaultdict(list), defaultdict(int)
    for test in seconds:
        n_tests[test.partition("::")[0]] += 1
    for test in tests & seconds.keys():
        by_file[test.partition("::")[0]].append(test)
    files = sorted(
        by_file,
        key=lambda file: (file != nearest, -len(by_file[file]) / n_tests[file]),
    )
    first = _within(
        [t for file in files[:n_near] for t in by_file[file]], seconds, near
    )
    others = [t for ts in by_file.values() for t in ts if t not in first]
    spent = sum(first.values())
    return [first, _within(others, seconds, budget - spent)]


def _within(tests, seconds, budget):
    """The fastest tests that take ``budget`` seconds together."""
    tests = sorted(tests, key=lambda test: (seconds[test], test))
    total, sums = 0.0, []
    for test in tests:
        total += seconds[test]
        sums.append(total)
    return {test: seconds[test] for test in tests[: bisect_right(sums, budget)]}
