"""Proper multiple imputation, of weights, refits and draws: its intervals cover."""

import numpy as np
import pytest
from scipy.stats import t as student

from skdensity import EMGaussianMixture, GaussianMLE

# Rows of a table, the mean that is asked for, and the slope of x on y.
N, MEAN, SLOPE = 100, 1.0, 0.5
N_DRAWS = 20


def table(rng):
    """Rows of x and y = 1 + x + noise; what x says decides whether y is missing."""
    x = rng.normal(size=N)
    y = MEAN + x + rng.normal(size=N)
    y[rng.uniform(size=N) < 1 / (1 + np.exp(0.3 - 1.5 * x))] = np.nan
    return np.column_stack([x, y])


def imputations(density, X, rng):
    """Draws of what is missing, each from a fit to rows that are weighted anew.

    The weights stand for a draw of the parameters (Rubin 1981,
    doi:10.1214/aos/1176345338).
    """
    for _ in range(N_DRAWS):
        density.fit(X, sample_weight=rng.exponential(size=N))
        yield density.impute(X, sample=True, random_state=rng)


def answers(filled):
    """Mean of y and slope of x on y, and the squares of their standard errors."""
    x, y = filled.T
    x, about = x - x.mean(), y - y.mean()
    square = about @ about
    slope = about @ x / square
    rest = x - slope * about
    errors = square / (N - 1) / N, rest @ rest / (N - 2) / square
    return np.array([y.mean(), slope]), np.array(errors)


def covers(values, errors):
    """Whether 95 % intervals hold the truth, by Rubin's rules.

    With the degrees of freedom of Barnard and Rubin (1999),
    doi:10.1093/biomet/86.4.948.
    """
    m, complete = len(values), N - np.array([1, 2])
    between = (1 + 1 / m) * values.var(axis=0, ddof=1) if m > 1 else np.zeros(2)
    total = errors.mean(axis=0) + between
    share = between / total
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    freedom = 1 / (share**2 / max(m - 1, 1) + 1 / observed)
    half = student.ppf(0.975, freedom) * np.sqrt(total)
    return np.abs(values.mean(axis=0) - [MEAN, SLOPE]) <= half


@pytest.mark.parametrize(
    "n_tables",
    [
        pytest.param(150, marks=pytest.mark.slow),
        pytest.param(600, marks=pytest.mark.nightly),
    ],
)
def test_intervals_of_proper_imputations_cover(n_tables):
    proper, single = np.empty((2, n_tables, 2), dtype=bool)
    for i in range(n_tables):
        rng = np.random.RandomState(i)
        X = table(rng)
        density = GaussianMLE(n_jobs=1).fit(X)
        alone = answers(density.impute(X, sample=True, random_state=rng))
        single[i] = covers(*(part[None] for part in alone))
        drawn = [answers(filled) for filled in imputations(density, X, rng)]
        proper[i] = covers(*(np.array(part) for part in zip(*drawn, strict=True)))
    # Shares of 600 have a standard error of 0.9 %, so that 3 % are more than three of
    # them: a coverage of 95 % is let pass, and one of 90 % is not, but for 5 %.
    tol = 0.03 * np.sqrt(600 / n_tables)
    np.testing.assert_allclose(proper.mean(axis=0), 0.95, atol=tol)
    # The tables are such that it matters: a single draw knows nothing of its errors.
    assert single.mean(axis=0).max() < 0.9


@pytest.mark.slow
def test_refits_that_go_on_from_the_last_vary_as_the_estimate_does():
    r"""For this pattern the variance of the estimated mean is known.

    With n rows of x, of which k have y, it is, to first order,

    .. math:: \frac{\beta^2 s_x^2}{n} + \frac{s_{y|x}^2}{k}
        \Bigl(1 + \frac{(\bar x_k - \bar x)^2}{s_{x,k}^2}\Bigr)

    (T. W. Anderson 1957, doi:10.1080/01621459.1957.10501379).
    """
    rng = np.random.RandomState(0)
    X = np.vstack([table(rng) for _ in range(10)])
    # What is ahead at `tol` is at most √(n tol) standard errors: 3 % of one.
    mixture = EMGaussianMixture(1, tol=1e-6, warm_start=True).fit(X)
    means = np.empty(400)
    for i in range(len(means)):
        mixture.fit(X, sample_weight=rng.exponential(size=len(X)))
        means[i] = mixture.means_[0, 1]
    x, y = X[~np.isnan(X[:, 1])].T
    slope, start = np.polyfit(x, y, 1)
    rest = np.var(y - start - slope * x)
    away = (x.mean() - X[:, 0].mean()) ** 2 / x.var()
    expected = slope**2 * X[:, 0].var() / len(X) + rest / len(x) * (1 + away)
    # A variance of 400 values has a relative standard error of √(2 / 400) = 7 %.
    assert means.var() == pytest.approx(expected, rel=0.21)
