"""How a pass runs changes nothing: blocks, threads, dtypes, weights for repetitions."""

import numpy as np
import pytest

from skdensity import EMGaussianMixture
from skdensity.models.covariances import FAMILIES
from skdensity.models.mixture import Mixture
from skdensity.models.triangular import TriangularForm
from skdensity.passes import blocks
from skdensity.passes.blocks import Workspace
from skdensity.solvers.em import EM


def mixture_of(name, n_features):
    family = FAMILIES[name]
    rng = np.random.RandomState(n_features)
    scale = 0.3 / max(1, n_features / 7)
    free = scale * rng.standard_normal(family.n_parameters(3, n_features))
    means = 2 * rng.standard_normal((3, n_features))
    cholesky = family.unravel(free, 3, n_features)
    return Mixture.from_cholesky(np.array([0.2, 0.3, 0.5]), means, cholesky, family)


def all_results(mixture, X, workspace):
    """What passes compute: densities, responsibilities and a step of EM."""
    step = EM(X, np.ones(len(X)), 1e-6, workspace)
    after = step.step(step.init(mixture)).mixture
    return {
        "log_density": mixture.log_density(X, workspace),
        "responsibilities": mixture.responsibilities(X, workspace),
        "weights": after.weights,
        "means": after.means,
        "covariances": after.covariances,
    }


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("n_features", [1, 2, 10, 40])
@pytest.mark.parametrize("with_far_rows", [False, True])
def test_blocks_and_threads_change_nothing(
    monkeypatch, name, n_features, with_far_rows
):
    mixture = mixture_of(name, n_features)
    assert isinstance(mixture.form, TriangularForm) == (
        n_features == 40 and name in ("full", "tied")
    )
    X, _ = mixture.sample(700, np.random.RandomState(0))
    if with_far_rows:
        # Their blocks are whitened; the others are not, and all of them add up.
        X[400:410] *= 1e4
    expected = all_results(mixture, X, Workspace())
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 60 * mixture.row_bytes)
    for n_threads in (1, 3):
        results = all_results(mixture, X, Workspace(n_threads))
        for part, values in expected.items():
            # Small entries are differences of large ones: by the largest.
            np.testing.assert_allclose(
                results[part], values, rtol=1e-12, atol=1e-12 * np.abs(values).max()
            )


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_float32_is_float64_to_four_digits(name, offset):
    mixture = mixture_of(name, 4)
    X, _ = mixture.sample(500, np.random.RandomState(0))
    X = (X + offset).astype(np.float32)  # the rounded rows are the data of both
    em = EMGaussianMixture(3, covariance_type=name, random_state=0, tol=1e-8)
    single = em.fit(X).score_samples(X)
    double = em.fit(X.astype(np.float64)).score_samples(X.astype(np.float64))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", FAMILIES)
def test_50_000_weighted_rows_are_repeated_rows(name):
    truth = mixture_of(name, 3)
    X, _ = truth.sample(50_000, np.random.RandomState(0))
    weight = np.random.RandomState(1).randint(0, 4, len(X))
    repeated = np.repeat(X, weight, axis=0)
    mixture = EMGaussianMixture(3, covariance_type=name, max_iter=30, random_state=0)
    weighted = mixture.fit(X, sample_weight=weight)
    scores = weighted.score_samples(X)
    total = weighted.score(X, sample_weight=weight)
    # The fits take the same path; sums of 75,000 rows differ by their rounding, which
    # the iterations amplify.
    np.testing.assert_allclose(
        mixture.fit(repeated).score_samples(X), scores, rtol=1e-7, atol=1e-7
    )
    assert mixture.score(repeated) == pytest.approx(total, rel=1e-9)
