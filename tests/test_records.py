"""Records of the lower layers: they stay as they are, and are equal or not."""

import importlib
import inspect
import pkgutil
from dataclasses import fields

import pytest

import skdensity

LAYERS = ("passes", "rows", "models", "solvers")
# What is compared by value; all others may hold arrays, whose == is no answer.
COMPARED = {
    "Algorithm",
    "Axis",
    "Column",
    "FoldedKernel",
    "Precision",
    "Rule",
    "Start",
    "Summation",
    "Tally",
    "Trial",
}
WRITTEN = {"_Path"}  # which is the memory of one fit


def classes():
    for module in pkgutil.walk_packages(skdensity.__path__, "skdensity."):
        if module.name.split(".")[1] in LAYERS:
            for value in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(value) and value.__module__ == module.name:
                    yield value


RECORDS = [value for value in classes() if "__dataclass_params__" in vars(value)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__qualname__)
def test_a_record_is_frozen_and_compared_by_identity_if_it_holds_arrays(record):
    params = record.__dataclass_params__
    assert params.frozen == (record.__name__ not in WRITTEN)
    assert params.eq == (record.__name__ in COMPARED)


def test_what_is_compared_by_value_holds_no_array():
    for record in RECORDS:
        if record.__name__ in COMPARED:
            assert not any("ndarray" in str(field.type) for field in fields(record))
