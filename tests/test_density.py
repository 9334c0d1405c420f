"""Theorems of every density that `skdensity.testing` does not ask for."""

import numpy as np
import pytest
from conftest import (
    GAUSSIANS,
    KERNEL_SHAPES,
    KERNELS,
    MIXTURES,
    of_every_type,
)
from sklearn.base import clone

from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)
from skdensity.passes import blocks

# One width for features of unlike spread is what some of these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")

DENSITIES = [
    *GAUSSIANS,
    CholeskyGaussian(tol=None),
    *KERNELS,
    *KERNEL_SHAPES,
    LOOKernelDensity(algorithm="nufft"),
    *(
        density
        for Mixture in MIXTURES
        for k in (1, 3)
        for density in of_every_type(Mixture(k, random_state=0))
    ),
]


@pytest.mark.parametrize("estimator", DENSITIES, ids=repr)
def test_blocks_make_no_difference(monkeypatch, iris, estimator):
    weight = np.random.RandomState(0).uniform(0.5, 2, len(iris))
    if isinstance(estimator, AdamGaussianMixture):
        # Rounding decides when it slows down, and which way it leaves an optimum; few
        # epochs at one pace from a poorer start do not show it.
        descent = {"init_params": "kmeans", "tol": None, "max_iter": 50}
        estimator = clone(estimator).set_params(**descent)
    whole = clone(estimator).fit(iris, sample_weight=weight)
    expected = whole.score_samples(iris)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1000)
    assert len(list(blocks.row_blocks(len(iris), 8 * 4))) > 1
    np.testing.assert_allclose(whole.score_samples(iris), expected, rtol=1e-12)
    blocked = clone(estimator).fit(iris, sample_weight=weight)
    # Adam's steps and the search for h amplify rounding; a wrong block is off by far.
    np.testing.assert_allclose(blocked.score_samples(iris), expected, atol=1e-6)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_threads_make_no_difference(monkeypatch, iris, mixture):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4000)
    one, three = (mixture(3, random_state=0, n_jobs=n).fit(iris) for n in (None, 3))
    np.testing.assert_allclose(three.means_, one.means_, rtol=1e-12)
    np.testing.assert_allclose(
        three.score_samples(iris), one.score_samples(iris), rtol=1e-12
    )
    np.testing.assert_allclose(
        three.predict_proba(iris), one.predict_proba(iris), rtol=1e-9
    )
    np.testing.assert_array_equal(three.predict(iris), one.predict(iris))
    assert three.icl(iris) == pytest.approx(one.icl(iris), rel=1e-12)


def test_the_leave_one_out_score_is_the_same_in_blocks(monkeypatch, iris):
    density = LOOKernelDensity(0.3).fit(iris)
    expected = density.loo_score_
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 20_000)
    again = LOOKernelDensity(0.3).fit(iris)
    assert again.loo_score_ == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMLE(),
        LOOKernelDensity(),
        EMGaussianMixture(2, random_state=0),
        AdamGaussianMixture(2, random_state=0),
    ],
    ids=repr,
)
def test_a_row_out_of_reach_has_density_zero_not_nan(iris, estimator):
    fitted = clone(estimator).fit(iris)
    far = np.full((1, 4), 1e200)
    assert fitted.score_samples(far)[0] == -np.inf
    if hasattr(fitted, "predict_proba"):
        np.testing.assert_allclose(fitted.predict_proba(far)[0], fitted.weights_)


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMLE(),
        LOOKernelDensity(),
        EMGaussianMixture(3, random_state=0, reg_covar=0),
        # Where a component is at its optimum, rounding decides which way it goes.
        AdamGaussianMixture(
            3,
            random_state=0,
            reg_covar=0,
            tol=None,
            max_iter=50,
            init_params="random",
        ),
    ],
    ids=repr,
)
def test_a_change_of_units_moves_log_densities_by_a_constant(iris, estimator):
    # x → s x + b scales the density by s^-d. With s = 1e6 and b = 1e8 the data keep ten
    # digits, and they, not the fit, bound the agreement.
    scale, offset = 1e6, 1e8
    expected = clone(estimator).fit(iris).score_samples(iris) - 4 * np.log(scale)
    Z = scale * iris + offset
    np.testing.assert_allclose(
        clone(estimator).fit(Z).score_samples(Z), expected, rtol=0, atol=1e-6
    )
