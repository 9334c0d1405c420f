"""The house: arrows point down, and the public face is complete and documented."""

import ast
import importlib
import inspect
import pkgutil
import pydoc
import re
import subprocess
import sys
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from numpydoc.validate import validate
from public import FACES, PUBLIC

import skdensity

ROOT = Path(skdensity.__file__).parent
# From the lowest to the highest; what is in none of them stands above.
LAYERS = [
    *("callers", "deprecation"),
    *("passes", "rows", "models", "solvers", "densities", "uses", "displays"),
    *("datasets", "information", "testing"),
]
MODULES = [
    "skdensity",
    *(module.name for module in pkgutil.walk_packages([str(ROOT)], "skdensity.")),
]


def layer_of(module):
    parts = module.split(".")
    named = len(parts) > 1 and parts[1] in LAYERS
    return LAYERS.index(parts[1]) if named else len(LAYERS)


def tree_of(module):
    return ast.parse(Path(inspect.getfile(importlib.import_module(module))).read_text())


def imports_of(module):
    """Modules of the package that a module imports, in functions and for types too."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in names)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


GRAPH = {
    module: sorted({name for name in imports_of(module) if name in MODULES})
    for module in MODULES
}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    for imported in GRAPH[module]:
        assert layer_of(imported) <= layer_of(module), imported


def test_no_imports_go_in_circles():
    # Raises a CycleError that names the circle.
    assert list(TopologicalSorter(GRAPH).static_order())


def length(node):
    """Lines of a body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("module", MODULES)
def test_functions_and_modules_are_short(module):
    tree = tree_of(module)
    docstrings = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert length(node) <= 30, node.name
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            has_one = ast.get_docstring(node)
            docstrings += has_one is not None and (
                node.body[0].end_lineno - node.body[0].lineno + 1
            )
    n_lines = len(Path(inspect.getfile(sys.modules[module])).read_text().splitlines())
    assert n_lines - docstrings <= 350


def interfaces():
    """Protocols and abstract classes of the models."""
    for module in MODULES:
        if module.startswith("skdensity.models"):
            for value in vars(sys.modules[module]).values():
                is_own = inspect.isclass(value) and value.__module__ == module
                if is_own and (inspect.isabstract(value) or is_protocol(value)):
                    yield value


def is_protocol(value):
    return getattr(value, "_is_protocol", False)


@pytest.mark.parametrize("interface", interfaces(), ids=lambda value: value.__name__)
def test_interfaces_are_small(interface):
    methods = {
        name
        for base in interface.__mro__
        if base.__module__.startswith("skdensity")
        for name, value in vars(base).items()
        if inspect.isfunction(value) or isinstance(value, property | cached_property)
    }
    assert 1 < len(methods - {"__init__"}) <= 12


@pytest.mark.parametrize("attribute", ["rank", "isotropic"])
def test_nobody_asks_a_family_what_it_is(attribute):
    for module in MODULES:
        if not module.startswith("skdensity.models.covariances"):
            for node in ast.walk(tree_of(module)):
                is_asked = isinstance(node, ast.Attribute) and node.attr == attribute
                assert not is_asked, module


def test_importing_draws_nothing_and_loads_no_plotting():
    code = "import skdensity, sys; assert 'matplotlib' not in sys.modules"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == result.stderr == ""


def test_names_are_sorted_and_there():
    for module in FACES:
        assert module.__all__ == sorted(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)


def test_one_public_class_per_file():
    for module in MODULES:
        loaded = importlib.import_module(module)
        here = [
            name
            for name, value in vars(loaded).items()
            if inspect.isclass(value) and value.__module__ == module
        ]
        assert len(set(here) & set(skdensity.__all__)) <= 1


CLASSES = {
    f"skdensity.{name}"
    for name in skdensity.__all__
    if inspect.isclass(getattr(skdensity, name))
}
ESTIMATORS = [name for name in CLASSES if hasattr(pydoc.locate(name), "fit")]

# Values returned have names here, as in scikit-learn; numpydoc asks for types alone.
NOT_ASKED = {"RT02"}


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_are_complete(name):
    errors = [error for error in validate(name)["errors"] if error[0] not in NOT_ASKED]
    assert errors == []


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_classes_document_attributes_relatives_and_examples(name):
    docstring = inspect.getdoc(pydoc.locate(name))
    for section in ("Attributes", "See Also", "Notes", "Examples"):
        assert re.search(rf"^{section}\n-+$", docstring, re.MULTILINE), section


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_estimators_document_their_source(name):
    docstring = inspect.getdoc(pydoc.locate(name))
    assert re.search(r"^References\n-+$", docstring, re.MULTILINE)
    assert re.search(r"doi:10\.|arXiv:", docstring)


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - CLASSES))
def test_whatever_can_be_called_says_how_it_fails(name):
    docstring = inspect.getdoc(pydoc.locate(name))
    assert re.search(r"^Raises\n-+$", docstring, re.MULTILINE)
    method = name.rpartition(".")[2]
    if method.startswith("score") or method in ("aic", "bic", "icl"):
        assert "nats" in docstring


@pytest.mark.parametrize("name", PUBLIC)
def test_signatures_are_annotated(name):
    value = pydoc.locate(name)
    function = value.__init__ if inspect.isclass(value) else value
    if isinstance(function, cached_property):
        function = function.func
    for parameter in inspect.signature(function).parameters.values():
        is_own = parameter.name in ("self", "cls")
        assert is_own or parameter.annotation is not parameter.empty, parameter.name
    returned = inspect.signature(function).return_annotation
    assert returned is not inspect.Signature.empty
