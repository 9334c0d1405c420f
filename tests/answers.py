"""Whatever public estimators answer, as arrays that can be compared to the bit."""

import hashlib

import numpy as np
from conftest import ONE_OF_EACH, read_only
from public import PUBLIC
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.preprocessing import PowerTransformer

from skdensity import (
    DensityClassifier,
    DensityImputer,
    DensityOutlierDetector,
    DensityRegressor,
    EMGaussianMixture,
    GaussianMixtureSearch,
    LOOKernelDensity,
    TransformedDensity,
)
from skdensity.densities.base import BaseDensity

_rng = np.random.RandomState(0)
LABELS = _rng.randint(2, size=400)
X = _rng.standard_normal((400, 2)) * [1, 1.5] + 4 * LABELS[:, None]
TARGETS = X.sum(axis=1) + _rng.standard_normal(400)
SOME = X[::9]
HOLED = X.copy()
HOLED[::3, 0] = np.nan
HOLED[1::7, 1] = np.nan
for _array in (X, LABELS, TARGETS, HOLED):
    read_only(_array)

MIXTURE = EMGaussianMixture(2, random_state=0)
USES = [
    DensityClassifier(MIXTURE),
    DensityImputer(MIXTURE, sample_posterior=True, random_state=0),
    DensityOutlierDetector(MIXTURE, random_state=0),
    DensityOutlierDetector(LOOKernelDensity(), random_state=0),
    DensityRegressor(MIXTURE),
    GaussianMixtureSearch([1, 2, 3], ["full", "diag"], random_state=0),
    TransformedDensity(PowerTransformer(), MIXTURE),
]
EVERYTHING = [
    *ONE_OF_EACH,
    LOOKernelDensity("lscv", covariance_type="diag"),
    LOOKernelDensity(bounds=[[-9, np.inf], [-np.inf, np.inf]]),
    *USES,
]

# What a fitted estimator is asked, by the name of the method.
ANSWERS = {
    "aic": lambda e: e.aic(X),
    "bic": lambda e: e.bic(X),
    "cdf": lambda e: e.marginal([0]).cdf(SOME[:, :1]),
    "condition": lambda e: e.condition([1], [3.0]),
    "conditional_quantile": lambda e: e.conditional_quantile(HOLED[:50], [0.1, 0.9]),
    "conditional_std": lambda e: e.conditional_std(HOLED[:50]),
    "decision_function": lambda e: e.decision_function(X),
    "fit_predict": lambda e: clone(e).fit_predict(X),
    "gradient": lambda e: e.gradient(X),
    "icl": lambda e: e.icl(X),
    "impute": lambda e: [
        e.impute(HOLED[:50]),
        e.impute(HOLED, sample=True, random_state=0),
    ],
    "log_density": lambda e: e.log_density(X, TARGETS),
    "marginal": lambda e: e.marginal([1]),
    "modes": lambda e: e.modes(),
    "p_values": lambda e: e.p_values(X),
    "partial_fit": lambda e: clone(e).partial_fit(X[:200]).partial_fit(X[200:]),
    "predict": lambda e: e.predict(X),
    "predict_log_proba": lambda e: e.predict_log_proba(X),
    "predict_proba": lambda e: e.predict_proba(X),
    "predict_quantiles": lambda e: e.predict_quantiles(X[:50], [0.1, 0.9]),
    "probability": lambda e: e.probability([0, 0], [4, np.inf]),
    "quantile": lambda e: e.marginal([0]).quantile([0.01, 0.5]),
    "region": lambda e: e.region(0.9),
    "sample": lambda e: e.sample(100, random_state=0),
    "sample_y": lambda e: e.sample_y(X[:50], 3, random_state=0),
    "score": lambda e: e.score(X, targets_of(e)),
    "score_components": lambda e: e.score_components(X),
    "score_samples": lambda e: e.score_samples(X),
    "sf": lambda e: e.marginal([0]).sf(SOME[:, :1]),
    "to_sklearn": lambda e: e.to_sklearn().score_samples(X),
    "transform": lambda e: e.transform(HOLED),
}
# Methods that answer nothing about rows.
NO_ANSWERS = {
    "fit",  # what every answer begins with
    "from_parameters",
    "from_pipeline",
    "from_sklearn",
    "get_feature_names_out",
    "get_metadata_routing",
    "untransformed",
}


def targets_of(estimator):
    if is_classifier(estimator):
        return LABELS
    return TARGETS if is_regressor(estimator) else None


def fitted(estimator):
    """A fresh one, fitted to the rows that it is made for."""
    rows = HOLED if isinstance(estimator, DensityImputer) else X
    return clone(estimator).fit(rows, targets_of(estimator))


def questions_of(estimator):
    """The names of all public methods that answer something."""
    names = {name.rpartition(".")[2] for name in PUBLIC if belongs(name, estimator)}
    return sorted(names - NO_ANSWERS)


def belongs(name, estimator):
    owner = name.rpartition(".")[0]
    return owner == f"skdensity.{type(estimator).__name__}"


def arrays_in(value):
    """All arrays in an answer, in order."""
    if value is None:
        return []
    if isinstance(value, BaseDensity):
        return attributes_of(value)
    if isinstance(value, dict):
        # Times differ, whatever else does not.
        return arrays_in([value[name] for name in sorted(value) if name != "fit_time"])
    if isinstance(value, list | tuple) and not all(map(np.isscalar, value)):
        return [array for item in value for array in arrays_in(item)]
    array = np.asarray(value)
    if array.dtype == object:
        return (
            arrays_in(vars(value)) if hasattr(value, "__dict__") else [as_text(value)]
        )
    return [array]


def as_text(value):
    return np.array(repr(value))


def attributes_of(estimator):
    """What a fit has found."""
    found = [
        getattr(estimator, name)
        for name in sorted(vars(estimator))
        if name.endswith("_") and not name.startswith("_")
    ]
    return arrays_in(found)


def answers_of(estimator):
    """All that a fresh fit finds and then says, by the name of the method."""
    found = fitted(estimator)
    answers = {"fit": attributes_of(found)}
    for name in questions_of(found):
        if hasattr(found, name):  # some answers depend on what is inside
            answers[name] = arrays_in(ANSWERS[name](found))
    return answers


def digests():
    """Of everything, in a line for each answer: what another process is to repeat."""
    for number, estimator in enumerate(EVERYTHING):
        for name, arrays in answers_of(estimator).items():
            digest = hashlib.sha256()
            for array in arrays:
                digest.update(np.ascontiguousarray(array).tobytes())
            yield f"{number} {type(estimator).__name__}.{name} {digest.hexdigest()}"
