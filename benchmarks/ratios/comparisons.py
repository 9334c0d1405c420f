"""What is compared: the engines on rows that take a fraction of a second.

All run on one thread: how many cores a machine has must not change a ratio.
"""

from collections.abc import Callable
from functools import partial
from statistics import mean

from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from benchmarks.common.checks import checked, difference, largest_error
from benchmarks.common.turns import timed
from benchmarks.kernel.problems import draw
from benchmarks.kernel.speed import RTOL, fit_and_score, several
from benchmarks.mixture.equal_work import TOLERANCE, em_fit
from benchmarks.mixture.problems import clusters, start_at_rows
from benchmarks.mixture.whole_fits import seeded_fits
from benchmarks.ratios.comparison import Comparison
from skdensity import EMGaussianMixture, LOOKernelDensity

LESS_LIKELY = 1e-3  # nats per row by which a whole fit may stay below the peer's


def iterations(n_samples, n_features, n_components, shape) -> Comparison:
    """Six iterations of EM from the same start."""
    X = clusters(n_samples, n_features, n_components)
    start = start_at_rows(X, n_components, shape)
    fits = [
        partial(timed, partial(em_fit, Mixture, X, start, max_iter=6))
        for Mixture in (EMGaussianMixture, GaussianMixture)
    ]
    return Comparison(*fits, same_within(difference, TOLERANCE))


def mixture_scores(n_samples, n_features, n_components) -> Comparison:
    """Log-densities at the same parameters."""
    X = clusters(n_samples, n_features, n_components)
    theirs = GaussianMixture(max_iter=5, **start_at_rows(X, n_components)).fit(X)
    ours = EMGaussianMixture.from_parameters(
        theirs.weights_, theirs.means_, theirs.covariances_
    )
    calls = [
        partial(timed, partial(model.score_samples, X)) for model in (ours, theirs)
    ]
    return Comparison(*calls, same_within(difference, TOLERANCE))


def whole_fits() -> Comparison:
    """Fits of a small table at both defaults."""
    X = clusters(2_000, 2, 3)
    fits = [
        partial(seeded_fits, partial(Mixture, 3), X, n_seeds=3)
        for Mixture in (EMGaussianMixture, GaussianMixture)
    ]
    return Comparison(*fits, as_likely)


def kernel_scores(n_samples, n_features, bandwidth) -> Comparison:
    """Log-densities of fresh rows, as many as kernels."""
    X, queries = (draw(n_samples, n_features, seed) for seed in (0, 1))
    calls = [
        partial(timed, partial(density.fit(X).score_samples, queries))
        for density in (LOOKernelDensity(bandwidth), KernelDensity(bandwidth=bandwidth))
    ]
    return Comparison(*calls, same_within(largest_error, RTOL))


def small_kernels() -> Comparison:
    """A fit and the scores of few rows, beside kernels that are given its bandwidth."""
    X = draw(200, 2)
    bandwidth = LOOKernelDensity().fit(X).bandwidth_
    calls = [
        partial(several, partial(fit_and_score, density, X))
        for density in (LOOKernelDensity(), KernelDensity(bandwidth=bandwidth))
    ]

    def error(ours, theirs):
        return largest_error(ours.score_samples(X), theirs.score_samples(X))

    return Comparison(*calls, same_within(error, RTOL))


def same_within(error: Callable, tolerance: float) -> Callable:
    """An agreement of results to a tolerance."""
    return lambda ours, theirs: checked(error(ours, theirs), tolerance)


def as_likely(ours, theirs) -> float:
    """Whether our likelihoods are not below the peer's, in the mean over seeds."""
    return checked(mean(theirs) - mean(ours), LESS_LIKELY)


# Made one after the other: what one holds in memory must not slow the next.
COMPARISONS: dict[str, Callable[[], Comparison]] = {
    "EM, 100,000 × 1, K = 3": partial(iterations, 100_000, 1, 3, "full"),
    "EM, 20,000 × 10, K = 10": partial(iterations, 20_000, 10, 10, "full"),
    "EM, 20,000 × 10, K = 10, diag": partial(iterations, 20_000, 10, 10, "diag"),
    "EM, 5,000 × 64, K = 4": partial(iterations, 5_000, 64, 4, "full"),
    "mixture scores, 100,000 × 2, K = 5": partial(mixture_scores, 100_000, 2, 5),
    "mixture fits at the defaults, 2,000 × 2, K = 3": whole_fits,
    "kernel scores, 5,000 × 1": partial(kernel_scores, 5_000, 1, 0.2),
    "kernel scores, 5,000 × 2": partial(kernel_scores, 5_000, 2, 0.25),
    "kernel scores, 2,000 × 6": partial(kernel_scores, 2_000, 6, 0.6),
    "kernel fit and scores, 200 × 2": small_kernels,
}
