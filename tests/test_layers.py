"""The house: arrows point down, and the public face is complete and documented."""

import ast
import importlib
import inspect
import pkgutil
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest
from numpydoc.validate import validate

import skdensity
import skdensity.datasets
import skdensity.testing

ROOT = Path(skdensity.__file__).parent
LAYERS = ["passes", "models", "solvers"]
MODULES = [module.name for module in pkgutil.walk_packages([str(ROOT)], "skdensity.")]


def layer_of(module):
    parts = module.split(".")
    named = len(parts) > 1 and parts[1] in LAYERS
    return LAYERS.index(parts[1]) if named else len(LAYERS)


def imports_of(module):
    tree = ast.parse(Path(inspect.getfile(importlib.import_module(module))).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    for imported in imports_of(module):
        if imported.startswith("skdensity"):
            assert layer_of(imported) <= layer_of(module), imported


def test_importing_draws_nothing_and_loads_no_plotting():
    code = "import skdensity, sys; assert 'matplotlib' not in sys.modules"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == result.stderr == ""


def test_names_are_sorted_and_there():
    for module in (skdensity, skdensity.datasets, skdensity.testing):
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


def public_objects():
    for module in (skdensity, skdensity.datasets, skdensity.testing):
        for name in module.__all__:
            value = getattr(module, name)
            yield f"{module.__name__}.{name}"
            if inspect.isclass(value):
                for method, function in inspect.getmembers(value, callable):
                    source = getattr(function, "__module__", None) or ""
                    if source.startswith("skdensity") and not method.startswith("_"):
                        yield f"{module.__name__}.{name}.{method}"


PUBLIC = list(public_objects())
CLASSES = {f"skdensity.{name}" for name in skdensity.__all__}
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
