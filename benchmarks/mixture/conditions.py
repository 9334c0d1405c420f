"""Equal work on covariances that are ill-conditioned, as those of real tables are."""

from functools import partial

from sklearn.mixture import GaussianMixture

from benchmarks.common.checks import checked
from benchmarks.common.report import factor, ratio, seconds, size
from benchmarks.common.turns import take_turns
from benchmarks.mixture.equal_work import em_fit, per_iteration
from benchmarks.mixture.ours import EM
from benchmarks.mixture.problems import elongated

SHAPES = [(200_000, 10, 10), (100_000, 32, 16)]
TOLERANCES = {1e1: 1e-9, 1e2: 1e-9, 1e4: 1e-9, 1e6: 1e-9, 1e8: 1e-6}  # by condition


def conditions(report, repeats):
    """One iteration of EM, by the condition of the components' covariances."""
    report.table(
        "Ill-conditioned covariances",
        "One iteration of EM, as above, with `reg_covar=0`, from near the truth. "
        "Components point in random directions, their variances go from 1 down to 1 "
        "over the condition in equal ratios, and their means are some 10 apart. "
        "“Own ratio” is skdensity's time over its time at condition 10, of the same "
        "turns. Δ is the difference of the log-likelihoods per row in the sixth "
        "iteration, relative to it or to 1; it must be below 1e-9, and below 1e-6 at "
        "condition 1e8.",
        "rows × features, K, condition, skdensity, own ratio, scikit-learn, ratio, Δ",
    )
    for shape in SHAPES:
        compare_conditions(report, shape, repeats)


def compare_conditions(report, shape, repeats):
    """Rows for all conditions of one shape, which take turns."""
    fits = []
    for condition in TOLERANCES:
        X, start = elongated(*shape, condition)
        fits += [partial(em_fit, M, X, start) for M in (EM, GaussianMixture)]
    turns = take_turns(repeats, *(partial(per_iteration, f, n_iter=5) for f in fits))
    first = turns[0].median
    pairs = zip(turns[::2], turns[1::2], strict=True)
    for (condition, tolerance), (ours, theirs) in zip(
        TOLERANCES.items(), pairs, strict=True
    ):
        gap = abs(ours.result - theirs.result) / max(1, abs(theirs.result))
        report.row(
            size(shape),
            shape[2],
            f"{condition:.0e}",
            seconds(ours.median),
            f"{factor(ours.median / first)}×",
            seconds(theirs.median),
            ratio(theirs, ours),
            f"{checked(gap, tolerance):.0e}",
        )
