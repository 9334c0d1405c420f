"""What is to go warns where it is used, and is gone in the version that it names."""

import ast
import inspect
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from packaging.version import Version
from sklearn.base import BaseEstimator, clone

import skdensity
from skdensity.deprecation import DEPRECATED, Deprecation

ROOT = Path(skdensity.__file__).parent
SOON = Deprecation(since="0.2", gone_in="0.4", instead="Use new instead.")
MESSAGE = (
    r"{} is deprecated since skdensity 0\.2 and is gone in 0\.4\. Use new instead\."
)


# ---- No deprecation outlives its version ----


def spans_in(source):
    """First and last version of every deprecation that some code declares."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            named = {keyword.arg: keyword.value for keyword in node.keywords}
            if {"since", "gone_in"} <= named.keys():
                versions = (
                    ast.literal_eval(named[key]) for key in ("since", "gone_in")
                )
                yield tuple(Version(version) for version in versions)


def complaints(source, current):
    """What a maintainer has to do about the deprecations in some code."""
    for since, gone_in in spans_in(source):
        if (gone_in.major, gone_in.minor) <= (current.major, current.minor):
            yield f"remove what is gone in {gone_in}"
        if gone_in.major == since.major and gone_in.minor < since.minor + 2:
            yield f"warn in two minor releases, not from {since} to {gone_in}"


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_deprecation_outlives_its_version(path):
    assert not [*complaints(path.read_text(), Version(skdensity.__version__))]


@pytest.mark.parametrize(
    ("current", "has_outlived"),
    [
        ("0.2.0", False),
        ("0.3.7", False),
        ("0.4.0.dev0", True),
        ("0.4.0", True),
        ("1.0.0", True),
    ],
)
def test_an_outlived_deprecation_is_found(current, has_outlived):
    source = 'OLD = Deprecation(since="0.2", gone_in="0.4", instead="Use new.")'
    assert bool([*complaints(source, Version(current))]) is has_outlived


def test_a_deprecation_that_is_too_short_is_found():
    source = 'Deprecation(since="0.2", gone_in="0.3", instead="Use new.")'
    (complaint,) = complaints(source, Version("0.2.0"))
    assert complaint == "warn in two minor releases, not from 0.2 to 0.3"
    last_of_its_kind = source.replace("0.3", "1.0")
    assert not [*complaints(last_of_its_kind, Version("0.2.0"))]


# ---- Names ----


@SOON
def old_function(x, *, factor=2):
    """Do something."""
    return factor * x


class WithOldMethods:
    """Something whose methods are to go."""

    @SOON
    def method(self):
        return "method"

    @property
    @SOON
    def attribute(self):
        return "attribute"

    @classmethod
    @SOON
    def build(cls):
        return cls


class New(BaseEstimator):
    """What has a new name."""

    def __init__(self, size=1):
        self.size = size


@SOON
class Old(New):
    """The old name."""


def of_this_file(records):
    """Messages of some warnings, all of which point to this file."""
    assert {record.filename for record in records} == {__file__}
    return [str(record.message) for record in records]


@pytest.mark.parametrize(
    ("use", "result", "name"),
    [
        (lambda: old_function(3, factor=5), 15, "old_function"),
        (lambda: WithOldMethods().method(), "method", "WithOldMethods.method"),
        (lambda: WithOldMethods().attribute, "attribute", "WithOldMethods.attribute"),
        (lambda: WithOldMethods.build(), WithOldMethods, "WithOldMethods.build"),
        (lambda: Old(size=3).size, 3, "Old"),
    ],
    ids=["function", "method", "attribute", "classmethod", "class"],
)
def test_an_old_name_works_and_warns(use, result, name):
    with pytest.warns(FutureWarning, match=MESSAGE.format(name)) as records:
        assert use() == result
    assert len(of_this_file(records)) == 1


def test_an_old_name_keeps_its_face():
    assert old_function.__doc__ == "Do something."
    assert str(inspect.signature(old_function)) == "(x, *, factor=2)"
    assert inspect.signature(Old) == inspect.signature(New)


def test_a_new_name_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert New(size=3).get_params() == {"size": 3}


def test_an_old_class_is_an_estimator_still():
    with pytest.warns(FutureWarning):
        old = Old(size=3)
    with pytest.warns(FutureWarning):
        again = clone(old)
    assert isinstance(again, New)
    assert pickle.loads(pickle.dumps(again)).get_params() == {"size": 3}


# ---- Parameters ----


class Estimator(BaseEstimator):
    """An estimator one of whose parameters has a new name."""

    def __init__(self, size=1.5, length=DEPRECATED):
        self.size = size
        self.length = length

    def fit(self):
        self.size_ = SOON.renamed(self, "length", "size")
        return self


@pytest.mark.parametrize("value", [1.5, None, "auto", np.arange(3)], ids=repr)
def test_the_new_parameter_counts_without_a_warning(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Estimator(size=value).fit().size_ is value


@pytest.mark.parametrize("value", [1.5, None, "auto", np.arange(3)], ids=repr)
def test_the_old_parameter_counts_and_warns(value):
    name = r"Estimator\(length=\.\.\.\)"
    with pytest.warns(FutureWarning, match=MESSAGE.format(name)) as records:
        assert Estimator(length=value).fit().size_ is value
    assert len(of_this_file(records)) == 1


def test_a_constructor_does_not_warn_of_a_parameter():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator = clone(Estimator(length=3))
    assert estimator.get_params() == {"size": 1.5, "length": 3}


def test_a_parameter_of_both_names_is_refused():
    message = (
        r"got size=2 and length=3, which is the old name of size: leave out length"
    )
    with pytest.warns(FutureWarning), pytest.raises(ValueError, match=message):
        Estimator(size=2, length=3).fit()


def test_a_default_that_was_pickled_is_a_default_still():
    estimator = pickle.loads(pickle.dumps(Estimator(length=3)))
    with pytest.warns(FutureWarning):
        assert estimator.fit().size_ == 3
