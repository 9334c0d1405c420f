"""For a seed, everything public answers to the bit, whoever works on it, and where."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from answers import ANSWERS, EVERYTHING, NO_ANSWERS, answers_of, questions_of
from joblib import parallel_config
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from skdensity import (
    CholeskyGaussian,
    DensityClassifier,
    EMGaussianMixture,
    GaussianMixtureSearch,
    GaussianMLE,
)
from skdensity.passes import blocks

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    # What answers are asked of others, too, stands in their own tests.
    "ignore:.*(serve both|Allowed for|coincide|no structure|rests on):UserWarning",
)
# Bytes of a block: so small that there are many, and one that cuts elsewhere.
SMALL, OTHER = 2**12, 2**14
SCRIPT = """
import sys, warnings
sys.path.insert(0, {tests!r})
warnings.simplefilter("ignore")
from answers import digests
print(*digests(), sep="\\n")
"""


def with_jobs(estimator, n_jobs):
    """The estimator, and those inside, with so many threads."""
    names = [name for name in estimator.get_params() if name.endswith("n_jobs")]
    return clone(estimator).set_params(**dict.fromkeys(names, n_jobs))


def answers_by(estimator, n_jobs, block_bytes):
    with pytest.MonkeyPatch.context() as patch, parallel_config("threading"):
        patch.setattr(blocks, "BLOCK_BYTES", block_bytes)
        return answers_of(with_jobs(estimator, n_jobs))


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, arrays in expected.items():
        for one, other in zip(found[name], arrays, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


def assert_close(found, expected):
    for name, arrays in expected.items():
        for one, other in zip(found[name], arrays, strict=True):
            if one.dtype.kind == "f":
                np.testing.assert_allclose(one, other, 1e-9, 1e-9, err_msg=name)
            elif one.dtype.kind != "U":  # a text of floats has all their digits
                np.testing.assert_array_equal(one, other, err_msg=name)


def test_every_public_method_is_asked():
    """A new method needs an entry in ANSWERS, or a reason in NO_ANSWERS."""
    asked = {name for estimator in EVERYTHING for name in questions_of(estimator)}
    assert asked == set(ANSWERS)
    assert not asked & NO_ANSWERS


@pytest.mark.parametrize("estimator", EVERYTHING, ids=repr)
def test_neither_threads_nor_blocks_make_a_difference(estimator):
    expected = answers_by(estimator, 1, SMALL)
    assert_same(answers_by(estimator, 3, SMALL), expected)
    assert_close(answers_by(estimator, 1, OTHER), expected)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", EVERYTHING, ids=repr)
def test_two_threads_are_as_good_as_one(estimator):
    expected = answers_by(estimator, 1, SMALL)
    assert_same(answers_by(estimator, 2, SMALL), expected)


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMixtureSearch([1, 2, 3], ["full", "diag"], random_state=0),
        DensityClassifier(EMGaussianMixture(2, random_state=0)),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_processes_find_what_threads_find(estimator):
    expected = answers_of(estimator)
    with parallel_config("loky"):
        assert_same(answers_of(with_jobs(estimator, 2)), expected)


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMLE(),
        CholeskyGaussian(max_iter=2, tol=None),
        EMGaussianMixture(2, max_iter=2, tol=0, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_threads_of_blas_make_no_difference(estimator):
    """Enough features that BLAS would share a product, and add it up in other parts."""
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((600, 250))
    rows[:, 1:] += rows[:, :-1]
    known = list(range(50))
    found = []
    for limit in (1, None):
        with threadpool_limits(limit):
            density = clone(estimator).fit(rows)
            given = density.condition(known, rows[0, known])
            part = density.marginal(np.arange(200))
            found.append(
                [
                    density.score_samples(rows[:50]),
                    density.gradient(rows[:50]),
                    given.score_samples(rows[:50, 50:]),
                    part.score_samples(rows[:50, :200]),
                ]
            )
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_fresh_processes_agree_to_the_bit():
    """Whatever strings hash to, and however many threads BLAS and OpenMP may use."""
    code = SCRIPT.format(tests=str(Path(__file__).parent))
    printed = set()
    for seed, n_threads in [("0", "1"), ("1", "2"), ("2", "3")]:
        environment = {
            "PYTHONHASHSEED": seed,
            "OMP_NUM_THREADS": n_threads,
            "OPENBLAS_NUM_THREADS": n_threads,
        }
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        printed.add(result.stdout)
    assert len(printed) == 1
    lines = printed.pop().splitlines()
    assert len({line.split()[0] for line in lines}) == len(EVERYTHING)
