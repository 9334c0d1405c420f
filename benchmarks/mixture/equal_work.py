"""Equal work at equal results: an EM iteration, scores, an epoch of Adam."""

from functools import partial

from sklearn.mixture import GaussianMixture

from benchmarks.common.checks import checked, difference
from benchmarks.common.environment import installed
from benchmarks.common.report import ratio, seconds, size, times
from benchmarks.common.turns import take_turns, timed
from benchmarks.mixture.ours import EM, adam_fit, adam_loss
from benchmarks.mixture.peers import pomegranate_em, torch_adam
from benchmarks.mixture.problems import clusters, lecture, start_at_rows
from skdensity import EMGaussianMixture

LEARNING_RATE = 0.05
TOLERANCE = 1e-9  # of a relative difference
PROBLEMS = [
    (1_000_000, 1, 3, "full"),
    (1_000_000, 2, 5, "full"),
    (200_000, 10, 10, "full"),
    (100_000, 32, 16, "full"),
    (50_000, 64, 10, "full"),
    (200_000, 10, 10, "tied"),
    (200_000, 10, 10, "diag"),
    (200_000, 10, 10, "spherical"),
]

MANY_FEATURES = [
    (60, 1000, 1, "full"),
    (2_000, 100, 5, "full"),
    (5_000, 300, 5, "full"),
    (5_000, 300, 5, "diag"),
]


def em(report, repeats):
    """One iteration of EM, beside scikit-learn's and pomegranate's."""
    report.table(
        "One iteration of EM",
        "A fit of 6 iterations less a fit of 1, over 5, from the same start. Δ is the "
        "relative difference to skdensity's log-likelihood in the sixth iteration; "
        "scikit-learn's must be below 1e-9. pomegranate knows two of the covariances "
        "and adds nothing to the variances, where the others add 1e-6.",
        "rows × features, K, covariances, skdensity, "
        "scikit-learn, ratio, Δ, pomegranate, ratio, Δ",
    )
    for n_samples, n_features, n_components, shape in PROBLEMS:
        X = clusters(n_samples, n_features, n_components)
        start = start_at_rows(X, n_components, shape)
        cells = compare_iterations(X, start, repeats)
        report.row(size(X), n_components, shape, *cells)


def compare_iterations(X, start, repeats):
    """Our time, then time, ratio and difference of each peer."""
    fits = [partial(em_fit, EM, X, start), partial(em_fit, GaussianMixture, X, start)]
    if installed("pomegranate") and start["covariance_type"] in ("full", "diag"):
        fits.append(partial(pomegranate_em, X, start))
    runs = [partial(per_iteration, fit, n_iter=5) for fit in fits]
    ours, *peers = take_turns(repeats, *runs)
    checked(difference(peers[0].result, ours.result), TOLERANCE)
    cells = [seconds(ours.median)]
    for peer in peers:
        gap = difference(peer.result, ours.result)
        cells += [seconds(peer.median), ratio(peer, ours), f"{gap:.0e}"]
    return cells + ["–"] * (7 - len(cells))


def em_fit(Mixture, X, start, max_iter):
    """Log-likelihood per row that the last of `max_iter` iterations saw."""
    # What is added to covariances is the same number for both.
    settings = {"tol": 0, "reg_covar": 1e-6, "max_iter": max_iter}
    return Mixture(**settings, **start).fit(X).lower_bound_


def per_iteration(fit, n_iter):
    """Seconds of one of the iterations after the first, and what they lead to."""
    fit(1)  # the first fit of a process loads what the others find
    short, _ = timed(partial(fit, 1))
    long, result = timed(partial(fit, 1 + n_iter))
    return (long - short) / n_iter, result


def scores(report, repeats):
    """Log-densities and responsibilities of many rows."""
    report.table(
        "Scores",
        "1,000,000 × 2, K = 5, at the same parameters. Δ is the largest difference, "
        "relative to the largest value; it must be below 1e-9.",
        "method, skdensity, scikit-learn, ratio, Δ",
    )
    X = clusters(1_000_000, 2, 5)
    theirs = GaussianMixture(max_iter=5, **start_at_rows(X, 5)).fit(X)
    ours = EMGaussianMixture.from_parameters(
        theirs.weights_, theirs.means_, theirs.covariances_
    ).set_params(n_jobs=-1)
    for method in ("score_samples", "predict_proba"):
        calls = [partial(getattr(model, method), X) for model in (ours, theirs)]
        runs = take_turns(repeats, *(partial(timed, call) for call in calls))
        report.row(f"`{method}`", *compared(*runs))


def adam(report, repeats):
    """An epoch of Adam beside automatic gradients, and its end beside EM's."""
    X, start = lecture()
    report.table(
        "Adam",
        f"{size(X)}, K = 3, full batches, learning rate {LEARNING_RATE}, from the same "
        "start. An epoch is a fit of 51 less a fit of 1, over 50. PyTorch "
        "differentiates by itself, in float64. Δ is the relative difference of the "
        "losses, which must be below 1e-9. The last column is how far 500 epochs stay "
        "below EM run to `tol=1e-12`, in nats per row.",
        "skdensity, PyTorch, ratio, Δ, below EM",
    )
    fits = [partial(adam_loss, X, start, LEARNING_RATE)]
    if installed("torch"):
        fits.append(partial(torch_adam, X, start, LEARNING_RATE))
    runs = take_turns(
        repeats, *(partial(per_iteration, fit, n_iter=50) for fit in fits)
    )
    report.row(*compared(*runs), f"{below_em(X, start):.1e}")


def epochs(report, repeats):
    """An epoch of Adam beside an iteration of EM, where features are many."""
    report.table(
        "Adam in many features",
        "An epoch in full batches beside an iteration of EM from the same start: a fit "
        "of 11 less a fit of 1, over 10.",
        "rows × features, K, covariances, EM, Adam, EM over Adam",
    )
    for n_samples, n_features, n_components, shape in MANY_FEATURES:
        X = clusters(n_samples, n_features, n_components)
        start = start_at_rows(X, n_components, shape)
        fits = partial(adam_loss, X, start, 1e-3), partial(em_fit, EM, X, start)
        runs = [partial(per_iteration, fit, n_iter=10) for fit in fits]
        ours, theirs = take_turns(repeats, *runs)
        cells = seconds(theirs.median), seconds(ours.median), ratio(theirs, ours)
        report.row(size(X), n_components, shape, *cells)


def below_em(X, start):
    """Nats per row by which 500 epochs of Adam are less likely than EM's end."""
    converged = EM(tol=1e-12, max_iter=10_000, **start).fit(X)
    return converged.score(X) - adam_fit(X, start, LEARNING_RATE, 500).score(X)


def compared(ours, theirs=None):
    """Both times, their ratio, and the difference of the results, which is checked."""
    if theirs is None:
        return [seconds(ours.median), "–", "–", "–"]
    gap = checked(difference(theirs.result, ours.result), TOLERANCE)
    return [*times(ours, theirs), f"{gap:.0e}"]
