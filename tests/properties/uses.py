"""What a call of something that holds a density may do: answer rightly, or refuse.

As of the densities themselves, which `judged` tells; but that an error or a warning may
be one of the density inside, and so may what is kept from one call to the next.
"""

import warnings
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from judged import REASONS, Judge, Reason, sizes_of
from problems import RECIPES
from sklearn.decomposition import PCA
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import has_fit_parameter

from skdensity import (
    DensityClassifier,
    DensityImputer,
    DensityOutlierDetector,
    DensityRegressor,
    EMGaussianMixture,
    GaussianMixtureSearch,
    GaussianMLE,
    LOOKernelDensity,
    TransformedDensity,
)

ROBUST = GaussianMLE(reg_covar="auto")
MIXTURE = EMGaussianMixture(2, max_iter=15, random_state=0)
KERNELS = LOOKernelDensity("scott")
# The default density tries many mixtures; few examples are enough for it.
INSIDE = [ROBUST, ROBUST, MIXTURE, MIXTURE, KERNELS, None]

# Transformers whose change of variables is one constant, and others. They are
# scikit-learn's, which are asked for no more than they promise.
AFFINE = [None, StandardScaler(), MinMaxScaler(), RobustScaler(), PCA(whiten=True)]
BENT = [
    PowerTransformer(),
    QuantileTransformer(n_quantiles=10, output_distribution="normal"),
    FunctionTransformer(np.arcsinh),
    FunctionTransformer(np.log),
]

USES = {
    DensityImputer: [
        DensityImputer(
            density, sample_posterior=draws, add_indicator=tells, random_state=0
        )
        for density in (ROBUST, MIXTURE, None)
        for draws in (False, True)
        for tells in (False, True)
    ],
    DensityClassifier: [
        DensityClassifier(ROBUST),
        DensityClassifier(MIXTURE),
        DensityClassifier(KERNELS),
        DensityClassifier(),
    ],
    DensityRegressor: [DensityRegressor(d, random_state=0) for d in INSIDE],
    DensityOutlierDetector: [
        DensityOutlierDetector(
            density, contamination=share, cv=cv, novelty=novelty, random_state=0
        )
        for density in INSIDE
        for share in (0.1, 0.5)
        for cv, novelty in ((5, True), (3, False), (0.3, True))
    ],
    GaussianMixtureSearch: [
        GaussianMixtureSearch(numbers, families, criterion=criterion, random_state=0)
        for numbers in ((1,), (1, 2), (3, 1))
        for families in ("full", ["diag", "tied"], ["spherical"])
        for criterion in ("bic", "aic", "icl")
    ],
    TransformedDensity: [
        TransformedDensity(transformer, density)
        for transformer in [*AFFINE, *BENT]
        for density in (ROBUST, MIXTURE)
    ],
}


def smallest_part(problem, estimator):
    """How many rows the density of fewest rows is fitted to, at least."""
    is_there = problem.weight > 0
    if isinstance(estimator, DensityClassifier):
        _, counts = np.unique(labels_of(problem)[is_there], return_counts=True)
        return min(counts) - _empty(problem)
    n = int(is_there.sum())
    if isinstance(estimator, DensityOutlierDetector):
        share = estimator.cv if isinstance(estimator.cv, float) else 1 / estimator.cv
        n -= int(np.ceil(share * n))
    return n - _empty(problem)


def _empty(problem):
    return int(np.isnan(problem.float_values).all(axis=1).sum())


def _few(problem, estimator):
    return smallest_part(problem, estimator) < 2


def _part_is_one_row(problem, estimator):
    """Whether all rows of some part, that count, may be the same."""
    if isinstance(estimator, DensityOutlierDetector):
        return True  # rows are dealt to folds at random
    labels = labels_of(problem)[problem.counts]
    if not isinstance(estimator, DensityClassifier):
        labels = np.zeros(len(labels))
    rows = problem.counting
    parts = (rows[labels == label] for label in np.unique(labels))
    return any(len(np.unique(part, axis=0)) < 2 for part in parts)


def _is_narrow(problem, estimator):
    """Whether a feature has a range of next to nothing, in its unit."""
    return np.any(
        np.nanmax(problem.counting, 0) - np.nanmin(problem.counting, 0) < 1e-3
    )


def _lacks_a_feature(problem, estimator):
    """Whether some part of the rows may have no value of a feature."""
    is_there, is_nan = problem.weight > 0, np.isnan(problem.float_values)
    if isinstance(estimator, DensityOutlierDetector):
        return is_nan.any()  # rows are dealt to folds at random
    labels = labels_of(problem)
    if not isinstance(estimator, DensityClassifier):
        labels = np.zeros(len(is_there))
    parts = (is_there & (labels == label) for label in np.unique(labels[is_there]))
    return any(is_nan[part].all(axis=0).any() for part in parts)


def _takes_no_nan(problem, estimator):
    return np.isnan(problem.float_values).any()


def _log_of_negative(problem, estimator):
    is_log = getattr(estimator.transformer, "func", None) is np.log
    return is_log and not np.all(problem.counting > 0)


def _mixes(problem, estimator):
    return isinstance(estimator.transformer, PCA)


def _is_far_for_pca(problem, estimator):
    """Whether the squares of an offset, which PCA subtracts, leave it no digits."""
    return _mixes(problem, estimator) and abs(problem.recipe.offset) >= 1e7


def _bends(problem, estimator):
    return isinstance(estimator.transformer, tuple(map(type, BENT)))


def _takes_no_weights(problem, estimator):
    takes = has_fit_parameter(estimator.transformer, "sample_weight")
    return problem.sample_weight is not None and not takes


# Reasons that problems in general position give, too: what is inside cannot do it.
OF_ESTIMATORS = [
    Reason(r"Input X contains NaN, and LOOKernelDensity", _takes_no_nan),
    Reason(r"Input X contains NaN.\nPCA does not", _takes_no_nan),
    Reason(r"(?s)where the density would be 0.*'log'", _log_of_negative),
    Reason(r"variances of PCA's components go from", _is_far_for_pca),
    Reason(r"is for transformers of every feature by itself", _mixes),
    Reason(r"is for affine transformers", _bends),
    Reason(
        r"(?s)`sample_weight` has unequal weights, and the `fit` of .* takes none",
        _takes_no_weights,
    ),
]
OF_ROWS = [
    *REASONS,
    Reason(r"minimum of \d+ is required", _few),
    Reason(r"rows of positive weight", _few),
    Reason(r"2 distinct rows", _part_is_one_row),
    Reason(r"X has no value of feature", _lacks_a_feature),
    Reason(r"QuantileTransformer takes values within", _is_narrow),
    Reason(r"cv=0.3 leaves none of 1 rows", _few),
    Reason(r"cv=\d folds need as many", lambda p, e: (p.weight > 0).sum() < e.cv),
    Reason(r"variances of PCA's components go from", lambda p, e: True),
    Reason(
        r"PCA drops features",
        lambda p, e: (p.weight > 0).sum() <= p.recipe.n_features,
    ),
    Reason(r"where the density would be 0", lambda p, e: True),
    Reason(r"and pictures up to 1e\+300", lambda p, e: sizes_of(p).max() > 1e298),
]
# scikit-learn's transformers square values, and bend those of moderate size.
MODERATE = st.sampled_from([-3, 0, 2])


def recipes_for(estimator):
    """Problems of which the estimator, and what is inside, may be asked anything."""
    if not isinstance(estimator, TransformedDensity):
        return RECIPES
    return st.builds(
        lambda recipe, exponent: replace(recipe, exponent=exponent, units=0),
        RECIPES,
        MODERATE,
    )


def _seed(problem):
    """Of what goes with the rows, other than theirs."""
    return [problem.recipe.seed, 1]


def labels_of(problem):
    """Three classes, of whose rows the first feature tells something."""
    rng = np.random.RandomState(_seed(problem))
    return np.array(["a", "b", "c"])[rng.randint(3, size=problem.recipe.n_rows)]


def targets_of(problem):
    """A target that depends on the first feature, in its units, and is always there."""
    rng = np.random.RandomState(_seed(problem))
    first = problem.values[:, 0].astype(np.float64)
    noise = rng.standard_normal(len(first))
    unit = 10.0 ** np.clip(problem.recipe.exponent, -100, 100)
    return unit * (np.nan_to_num(first / problem.recipe.scales[0]) + noise)


def fit_arguments(problem, estimator):
    """What `fit` is given, and its weights if it takes any."""
    weights = {"sample_weight": problem.sample_weight}
    if isinstance(estimator, DensityImputer):
        return (problem.X,), {}
    if isinstance(estimator, DensityClassifier):
        return (problem.X, labels_of(problem)), weights
    if isinstance(estimator, DensityRegressor):
        return (problem.X, targets_of(problem)), weights
    return (problem.X,), weights


def inner_names(estimator):
    """How warnings of what is inside begin; None stands for the default density."""
    density = getattr(estimator, "density", None)
    yield "EMGaussianMixture" if density is None else type(density).__name__
    if isinstance(getattr(estimator, "transformer", None), QuantileTransformer):
        yield "n_quantiles (10) is greater"


JUDGE = Judge(OF_ROWS, OF_ESTIMATORS, inner_names)
attempted = JUDGE.attempted


def attempted_call(problem, function, *args, **kwargs):
    """What a call gives, or None where it is refused as the rows give reason for.

    Warnings are the matter of the tests of what it calls, but for those of NumPy's.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            JUDGE.check_reason(error, problem, getattr(function, "__self__", None))
            return None
