"""Whether thresholds, p-values and selections keep their promises.

Usage: python -m benchmarks.uses.promises [--repeats 100] [--only shares] [--write]

A turn is a fit to rows drawn anew.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control, kstest

from benchmarks.common.command import run
from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
    DensityOutlierDetector,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

CONTAMINATIONS = 0.01, 0.05, 0.1
N_FEATURES = 1, 3, 10
N_ROWS = 500, 5000
ROWS_EACH = 10  # at least, for every free parameter
N_FRESH = 4000
# Fits that p-values are compared with a uniform law over, for each turn asked for.
FITS_EACH = 3
RATES = 0.05, 0.1, 0.2
N_MIXED, N_OUTLIERS = 200, 20
PACKAGES = ("skdensity", "numpy", "scipy", "scikit-learn")
NOTE = """\
Rows are drawn from three groups, of different size and spread, whose features are
correlated: no density is right but a mixture of three matrices, which a single Gaussian
is far from. That makes no difference to what is promised. Descents stop early, for
whatever density there is by then."""


@dataclass(frozen=True)
class Contender:
    """A density, how many free parameters it has of some features, and its rows.

    Of the default three components are counted.
    """

    density: Any
    n_parameters: Callable[[int], int]
    n_rows: tuple[int, ...] = N_ROWS


def of_gaussian(n_features: int) -> int:
    """A mean and a matrix."""
    return n_features * (n_features + 3) // 2


def of_mixture(n_features: int) -> int:
    """Two of them, and a weight."""
    return 2 * of_gaussian(n_features) + 1


CONTENDERS = {
    "GaussianMLE": Contender(GaussianMLE(), of_gaussian),
    "CholeskyGaussian": Contender(CholeskyGaussian(tol=None, max_iter=50), of_gaussian),
    "LOOKernelDensity": Contender(LOOKernelDensity(), lambda n_features: 1),
    "EMGaussianMixture(2)": Contender(EMGaussianMixture(2, random_state=0), of_mixture),
    "AdamGaussianMixture(2)": Contender(
        AdamGaussianMixture(2, tol=None, max_iter=30, random_state=0), of_mixture
    ),
    "the default": Contender(
        None, lambda n_features: 3 * of_gaussian(n_features) + 2, N_ROWS[:1]
    ),
}


def in_groups(rng: np.random.RandomState, n_rows: int, n_features: int) -> np.ndarray:
    """Rows of three groups."""
    group = rng.choice(3, size=n_rows, p=[0.5, 0.2, 0.3])
    towards = np.random.RandomState(n_features).standard_normal((3, n_features))
    centres = 4 * towards / np.linalg.norm(towards, axis=1, keepdims=True)
    common = rng.standard_normal((n_rows, 1))
    noise = rng.standard_normal((n_rows, n_features))
    spread = np.array([1.0, 0.6, 1.4])[group, None]
    return centres[group] + spread * (0.6 * common + 0.8 * noise)


def shares_flagged(density, n_rows, n_features, seed):
    """Shares of fresh rows flagged, and with quantiles of the rows' own scores."""
    rng = np.random.RandomState(seed)
    X = in_groups(rng, n_rows, n_features)
    fresh = in_groups(rng, N_FRESH, n_features)
    detector = DensityOutlierDetector(density, random_state=seed).fit(X)
    scores, own = detector.score_samples(fresh), detector.score_samples(X)
    return [
        [np.mean(scores < quantile(values, share)) for share in CONTAMINATIONS]
        for values in (detector.left_out_scores_, own)
    ]


def quantile(values, share):
    """As the detector takes it: one fit serves all contaminations."""
    return np.quantile(values, share, method="inverted_cdf")


def shares(report, repeats):
    """Shares of fresh inliers that are flagged."""
    report.table(
        "Fresh inliers that are flagged",
        f"Per cent, beside what was asked for: means over fits, each of {N_FRESH:,} "
        "fresh rows. There are at least ten rows for every free parameter. Then comes "
        "the largest difference, in percentage points, and what the 5 % quantile of "
        "the rows' own scores flags.",
        "density, rows × features, rows per parameter, 1 %, 5 %, 10 %, off by, "
        "own scores: 5 %",
    )
    worst = 0.0
    for name, contender in CONTENDERS.items():
        for n_features in N_FEATURES:
            for n_rows in contender.n_rows:
                n_parameters = contender.n_parameters(n_features)
                if n_rows < ROWS_EACH * n_parameters:
                    n_rows = ROWS_EACH * n_parameters
                flagged, naive = np.mean(
                    [
                        shares_flagged(contender.density, n_rows, n_features, seed)
                        for seed in range(repeats)
                    ],
                    axis=0,
                )
                off = np.abs(flagged - CONTAMINATIONS).max()
                worst = max(worst, off)
                report.row(
                    name,
                    f"{n_rows:,} × {n_features}",
                    f"{n_rows / n_parameters:,.0f}",
                    *(f"{100 * share:.2f}" for share in flagged),
                    f"{100 * off:.2f}",
                    f"{100 * naive[1]:.1f}",
                )
    report.text(f"\nThe largest difference is {100 * worst:.2f} percentage points.")


def p_values(report, repeats):
    """Whether p-values are super-uniform across fits."""
    report.table(
        "p-values across fits",
        "One fresh row for every fit to 200 rows of two features, so that p-values "
        "are independent: the shares of them that are at most 1, 5 and 10 per cent, "
        "and the p-value of a one-sided Kolmogorov–Smirnov test of whether they tend "
        "to be smaller than uniform ones. A `cv` of 0.5 holds half of the rows out.",
        "density, cv, fits, ≤ 1 %, ≤ 5 %, ≤ 10 %, Kolmogorov–Smirnov",
    )
    n_fits = FITS_EACH * repeats
    for name, contender in CONTENDERS.items():
        for cv in (5, 0.5):
            p = np.array(
                [of_one_row(contender.density, cv, seed) for seed in range(n_fits)]
            )
            report.row(
                name,
                "leave-one-out" if cv == 5 and name.startswith("LOO") else cv,
                n_fits,
                *(f"{100 * np.mean(p <= share):.1f} %" for share in CONTAMINATIONS),
                f"{kstest(p, 'uniform', alternative='greater').pvalue:.2f}",
            )


def of_one_row(density, cv, seed):
    """The p-value of one fresh row."""
    rng = np.random.RandomState(seed)
    detector = DensityOutlierDetector(density, cv=cv, random_state=seed)
    detector.fit(in_groups(rng, 200, 2))
    return detector.p_values(in_groups(rng, 1, 2))[0]


def discoveries(report, repeats):
    """Whether selections from a mixed sample keep their rate."""
    report.table(
        "False discoveries",
        f"Of {N_MIXED} fresh rows {N_OUTLIERS} are outliers, 4 off in each of three "
        "normal features; the density is one Gaussian of 500 rows. Rows are selected "
        "by the procedure of Benjamini and Hochberg. Its promise is that the mean "
        "share of inliers among those selected is at most the rate times the share of "
        "inliers, 0.9. The last column is how many of the outliers are found.",
        "cv, rate, at most, false discoveries, standard error, found",
    )
    for cv in (5, 0.5):
        for rate in RATES:
            false, found = np.transpose(
                [selection(cv, rate, seed) for seed in range(FITS_EACH * repeats)]
            )
            report.row(
                cv,
                rate,
                f"{rate * (1 - N_OUTLIERS / N_MIXED):.3f}",
                f"{false.mean():.3f}",
                f"{false.std() / np.sqrt(len(false)):.3f}",
                f"{found.mean():.1%}",
            )


def selection(cv, rate, seed):
    """The share of inliers among selected rows, and that of outliers selected."""
    rng = np.random.RandomState(seed)
    detector = DensityOutlierDetector(GaussianMLE(), cv=cv, random_state=seed)
    detector.fit(rng.standard_normal((500, 3)))
    mixed = rng.standard_normal((N_MIXED, 3))
    mixed[:N_OUTLIERS] += 4
    selected = false_discovery_control(detector.p_values(mixed)) <= rate
    n_false, n_selected = selected[N_OUTLIERS:].sum(), selected.sum()
    return n_false / max(n_selected, 1), selected[:N_OUTLIERS].mean()


def main() -> None:
    """Run the sections."""
    warnings.simplefilter("ignore")  # of descents that stop early
    run(
        "uses.promises",
        __doc__,
        [shares, p_values, discoveries],
        PACKAGES,
        title="What an outlier detector promises",
        note=NOTE,
        repeats=100,
    )


if __name__ == "__main__":
    main()
