"""Which mutants there are, and a sample of them.

The faults are cosmic-ray's, and one of our own. Not every replacement of an operator is
of interest: ``a << b`` of floats fails whatever the tests are. So arithmetic stays
arithmetic, bits stay bits, ``is`` only becomes ``is not``. A *place* is drawn first,
then one of its mutants: an operator with many replacements has no more weight than a
number.
"""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from difflib import unified_diff
from hashlib import sha256

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator

PACKAGES = ("rows", "passes", "models", "solvers")
PRAGMA = re.compile("#.*pragma: no mutate")

ARITHMETIC = {"Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"}
BITS = {"RShift", "LShift", "BitOr", "BitAnd", "BitXor"}
ORDER = {"Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"}
IDENTITY = {"Is", "IsNot"}


class DropTranspose(Operator):
    """``A.T`` becomes ``A``, which the shapes of square matrices allow."""

    def mutation_positions(self, node):
        if node.type == "trailer" and node.get_code() == ".T":
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):
        return None

    @classmethod
    def examples(cls):
        return (Example("A.T @ A", "A @ A"),)


def _alike(name):
    """Whether an operator replaces another of its own kind."""
    match = re.fullmatch(r"Replace(?:Binary|Comparison)Operator_(\w+)_(\w+)", name)
    kinds = (ARITHMETIC, BITS, ORDER, IDENTITY)
    return not match or any({*match.groups()} <= kind for kind in kinds)


def _operators():
    found = {"own/DropTranspose": DropTranspose()}
    for name in cosmic_ray.plugins.operator_names():
        operator = cosmic_ray.plugins.get_operator(name)
        if not operator.arguments() and _alike(operator.__name__):
            found[name] = operator()
    return found


OPERATORS = _operators()


@dataclass(frozen=True)
class Mutant:
    """A module, and what happens where in it. Lines count from 1, columns from 0."""

    path: str
    operator: str
    occurrence: int
    start: tuple[int, int]
    end: tuple[int, int]
    source: str
    mutated: str

    @property
    def id(self):
        return sha256(f"{self.path}\n{self.mutated}".encode()).hexdigest()[:16]

    @property
    def diff(self):
        sides = (text.splitlines() for text in (self.source, self.mutated))
        return "\n".join(unified_diff(*sides, self.path, self.path, lineterm="", n=2))

    @property
    def change(self):
        """The lines before and after, stripped; a decorator with what it decorates."""
        lines = [line for line in self.diff.splitlines()[2:] if line[1:].strip()]
        sides = {sign: [x[1:].strip() for x in lines if x[0] == sign] for sign in "-+"}
        if not sides["+"]:
            removed = max(i for i, line in enumerate(lines) if line[0] == "-")
            sides["-"].append(lines[removed + 1].strip())
        return "\n".join(sides["-"]), "\n".join(sides["+"])


def sample(root, size, seed):
    """The mutants of ``size`` places, drawn by hashes: a larger sample goes on."""
    places = {}
    for package in PACKAGES:
        for module in sorted((root / "skdensity" / package).rglob("*.py")):
            path = module.relative_to(root).as_posix()
            source = module.read_text(encoding="utf-8")
            for place, choices in _places(path, source).items():
                key = _hash(seed, path, *place)
                places[key] = (path, source, place, choices)
    found = []
    for key in sorted(places):
        mutant = _first_that_compiles(*places[key], key)
        if mutant is not None:
            found.append(mutant)
        if len(found) == size:
            break
    return found, len(places)


def _hash(*parts):
    return sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _places(path, source):
    """Choices ``(operator, occurrence)`` by the place they change."""
    tree = get_ast(source)
    nodes = list(ast_nodes(tree))
    left_out = list(_declarations(source))
    lines = source.splitlines()
    places = defaultdict(list)
    for name, operator in OPERATORS.items():
        spans = (span for node in nodes for span in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(spans):
            if PRAGMA.search(lines[end[0] - 1]):
                continue
            if not any(first <= start < last for first, last in left_out):
                places[start, end].append((name, occurrence))
    return places


def _declarations(source):
    """Spans of what never runs, or asserts: annotations, protocols, `strict`."""
    lines = source.splitlines()

    def column(line, offset):
        return line, len(lines[line - 1].encode()[:offset].decode())

    for node in ast.walk(ast.parse(source)):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if _is_declaration(node):
            parts.append(node)
        for part in filter(None, parts):
            first = min(
                [part, *getattr(part, "decorator_list", [])], key=lambda p: p.lineno
            )
            yield (
                column(first.lineno, max(first.col_offset - 1, 0)),
                column(part.end_lineno, part.end_col_offset),
            )


def _is_declaration(node):
    match node:
        case ast.keyword(arg="strict"):  # of zip: it fires on mistakes of our own
            return True
        case ast.ClassDef(bases=bases):
            return any("Protocol" in ast.unparse(base) for base in bases)
        case ast.FunctionDef(decorator_list=decorators):
            return any("abstractmethod" in ast.unparse(each) for each in decorators)
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _first_that_compiles(path, source, place, choices, key):
    for name, occurrence in sorted(choices, key=lambda choice: _hash(key, *choice)):
        mutated = mutate_code(source, OPERATORS[name], occurrence)
        try:
            same = ast.dump(ast.parse(mutated)) == ast.dump(ast.parse(source))
        except SyntaxError:
            continue
        if not same:
            return Mutant(path, name, occurrence, *place, source, mutated)
    return None
