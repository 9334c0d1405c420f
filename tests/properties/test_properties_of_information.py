"""Entropies and divergences of densities that were fitted to any problem.

Their promises hold for every density, whatever its rows: a mean of ``log p - log q``
over n draws of p is below -t with a probability of at most exp(-n t), since the mean of
q / p under p is 1 at most.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import RECIPES
from profiles import share_of_examples
from sklearn.base import clone
from uses import KERNELS, MIXTURE, ROBUST, attempted_call

from skdensity.information import entropy, kl_divergence, mutual_information

N_SAMPLES = 200
# Once in 10¹³ is never.
LEAST = -30 / N_SAMPLES
DENSITIES = st.sampled_from([ROBUST, MIXTURE, KERNELS])


def fitted(problem, density):
    """A clone, fitted; None where it refuses, which is not the matter here."""
    return attempted_call(
        problem, clone(density).fit, problem.X, sample_weight=problem.sample_weight
    )


def is_number(found):
    value, error = found
    assert np.isfinite(value)
    assert np.isfinite(error)
    assert error >= 0
    return value


@share_of_examples(3)
@given(RECIPES, DENSITIES)
def test_entropy_is_a_number_that_scales_move(recipe, density):
    problem = recipe.made()
    p = fitted(problem, density)
    if p is None:
        return
    value = is_number(attempted_call(problem, entropy, p, n_samples=N_SAMPLES))
    if density is ROBUST:
        scales = problem.recipe.scales
        covariance = p.covariance_.astype(np.float64) / scales / scales[:, None]
        _, log_volume = np.linalg.slogdet(2 * np.pi * np.e * covariance)
        expected = log_volume / 2 + np.log(scales).sum()
        # Entries of float32 in small units have few digits: the logarithm moves by the
        # trace of the inverse times what they lost.
        lost = np.spacing(np.abs(p.covariance_)).astype(np.float64)
        lost = np.sum(
            lost / scales / scales[:, None] * np.abs(np.linalg.inv(covariance))
        )
        assert value == pytest.approx(expected, rel=1e-5, abs=1e-4 + lost)


@share_of_examples(3)
@given(RECIPES, DENSITIES, DENSITIES)
def test_divergences_are_not_negative(recipe, density, other):
    problem = recipe.made()
    p, q = fitted(problem, density), fitted(problem, other)
    if p is None or q is None:
        return
    found = attempted_call(
        problem, kl_divergence, p, q, n_samples=N_SAMPLES, random_state=0
    )
    value, error = found
    assert not np.isnan([value, error]).any()
    assert value >= LEAST
    if density is other:
        assert value == pytest.approx(0, abs=1e-9)


@share_of_examples(3)
@given(RECIPES, DENSITIES)
def test_what_features_tell_is_not_negative(recipe, density):
    problem = recipe.made()
    n_features = problem.recipe.n_features
    p = fitted(problem, density)
    if p is None or n_features == 1:
        return
    features, others = [0], list(range(1, n_features))
    for pair in ((features, others), (others, features)):
        found = attempted_call(
            problem,
            mutual_information,
            p,
            *pair,
            n_samples=N_SAMPLES,
            random_state=0,
        )
        assert is_number(found) >= LEAST
