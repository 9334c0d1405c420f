"""What "auto" adds: it follows the axes, and gives blank features a width."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold, cross_val_score

from skdensity import EMGaussianMixture
from skdensity.densities.regularisation import Regularisation
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.mixtures.majority import minority_shares
from skdensity.models.mixtures.moments import moments_of
from skdensity.rows.array_rows import ArrayRows

APART = ("diag", "tied_diag")


@pytest.fixture(scope="module")
def sparse():
    """Blank in all rows but one, in all but some, in about half, and never blank."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((1001, 5)) + 3
    for feature, n_filled in enumerate((1, 20, 490, 510)):
        X[rng.permutation(1001)[n_filled:], feature] = 0.0
    X.flags.writeable = False
    return X


def brute_force_shares(X, weight):
    totals = [[weight[x == value].sum() for value in np.unique(x)] for x in X.T]
    others = 1 - np.array([max(total) for total in totals]) / weight.sum()
    return np.where(others < 0.5, others, 1.0)


def added(X, covariance_type, weight=None):
    rows, family = ArrayRows(X, weight), FAMILIES[covariance_type]
    moments = moments_of(rows, family.scatter)
    return Regularisation.of("auto", rows, family).added(lambda: moments)


@pytest.mark.parametrize("n_rows", [1, 2, 3, 7, 64, 1001])
def test_the_value_of_most_rows_is_found(sparse, n_rows):
    X = sparse[:n_rows]
    shares = minority_shares(ArrayRows(X))
    np.testing.assert_allclose(shares, brute_force_shares(X, np.ones(n_rows)))


def test_it_is_found_among_weights_and_blocks_in_any_order(monkeypatch, sparse):
    monkeypatch.setattr("skdensity.passes.blocks.BLOCK_BYTES", 5000)
    rng = np.random.RandomState(1)
    weight = rng.randint(0, 4, 1001).astype(float)
    expected = brute_force_shares(sparse, weight)
    assert (expected < 0.5).sum() >= 2
    for order in (rng.permutation(1001), np.argsort(sparse[:, 2])):
        shares = minority_shares(ArrayRows(sparse[order], weight[order]))
        np.testing.assert_allclose(shares, expected)


@pytest.mark.parametrize("covariance_type", APART)
def test_what_is_added_to_features_apart(sparse, covariance_type):
    variances = sparse.var(axis=0)
    expected = 1e-6 * variances / [1e-5**0.5, (20 / 1001) ** 2, (490 / 1001) ** 2, 1, 1]
    expected[0] = variances[0] / 10
    np.testing.assert_allclose(added(sparse, covariance_type), expected)
    constant = np.c_[sparse, np.full(1001, 7.0)]
    found = added(constant, covariance_type)
    np.testing.assert_allclose(found, np.append(expected, expected.mean()))
    np.testing.assert_array_equal(added(np.ones((5, 2)), covariance_type), 1e-6)


@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_what_is_added_follows_the_axes(sparse, covariance_type):
    family, before = FAMILIES[covariance_type], added(sparse, covariance_type)
    rng = np.random.RandomState(2)
    if family.shape.is_oriented:
        change = rng.standard_normal((5, 5)) * [[1e-3], [1], [1e2], [1], [-1e3]]
    elif covariance_type in APART:
        change = np.diag([1e-3, -1, 1e2, 7, -1e3])
    else:
        change = 1e3 * np.eye(5)
    after = added(sparse @ change.T + rng.standard_normal(5), covariance_type)
    expected = change @ family.shape.matrices(before, 5) @ change.T
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    found = family.shape.matrices(after, 5)
    np.testing.assert_allclose(found / size, expected / size, atol=1e-8)


@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_weights_are_repetitions(sparse, covariance_type):
    weight = np.random.RandomState(3).randint(0, 4, 1001)
    np.testing.assert_allclose(
        added(sparse, covariance_type, 0.1 * weight),
        added(np.repeat(sparse, weight, axis=0), covariance_type),
        atol=1e-15,
    )


@pytest.mark.filterwarnings("ignore:.*reg_covar:UserWarning")
@pytest.mark.parametrize("covariance_type", APART)
def test_a_fit_to_blank_features_follows_units_and_origins(sparse, covariance_type):
    options = {"covariance_type": covariance_type, "random_state": 0}
    mixture = EMGaussianMixture(3, **options).fit(sparse[:, 1:])
    # Powers of two change no digit.
    units = np.array([-0.25, 8.0, 1024.0, -1.0])
    X = units * sparse[:, 1:]
    other = EMGaussianMixture(3, **options).fit(X)
    np.testing.assert_allclose(
        other.score_samples(X) + np.log(np.abs(units)).sum(),
        mixture.score_samples(sparse[:, 1:]),
        rtol=1e-9,
    )
    np.testing.assert_array_equal(other.predict(X), mixture.predict(sparse[:, 1:]))


@pytest.mark.filterwarnings("ignore:.*reg_covar:UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_rare_pixels_do_not_ruin_the_likelihood_of_new_rows():
    X = load_digits().data
    folds = KFold(5, shuffle=True, random_state=0)
    ours, theirs = (
        cross_val_score(mixture, X[:, X.any(axis=0)], cv=folds).mean()
        for mixture in (
            EMGaussianMixture(10, covariance_type="diag", random_state=0),
            # A pixel that is 1 for the first time costs half a million nats there.
            GaussianMixture(10, covariance_type="diag", random_state=0),
        )
    )
    assert ours > theirs
    assert ours > -120
