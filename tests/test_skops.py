"""Files of skops: all that is fitted is read again, given a short list of types."""

from copy import deepcopy

import numpy as np
import pytest
import skops.io
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler
from skops.io.exceptions import UntrustedTypesFoundException
from states import assert_same, state_of

import skdensity
from skdensity import (
    AdamGaussianMixture,
    CholeskyGaussian,
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

# One width for features of unlike spread is enough here.
pytestmark = pytest.mark.filterwarnings("ignore:.*one width cannot serve:UserWarning")
X, LABELS = load_iris(return_X_y=True)
HOLED = X.copy()
HOLED[::3, 1] = HOLED[::7, 2] = np.nan


def streamed(estimator, first):
    return estimator.partial_fit(X[:first]).partial_fit(X[first : first + 5])


STREAMS = [
    lambda: streamed(GaussianMLE(), 40),
    lambda: streamed(EMGaussianMixture(2, random_state=0), 100),
    # Whose rows wait for others.
    lambda: streamed(AdamGaussianMixture(2, random_state=0), 20),
]
FITS = [
    *STREAMS,
    lambda: GaussianMLE().fit(HOLED),
    lambda: CholeskyGaussian(max_iter=5, tol=None, store_path=True).fit(X),
    lambda: EMGaussianMixture(2, random_state=0).fit(HOLED),
    lambda: AdamGaussianMixture(2, random_state=0, max_iter=3, tol=None).fit(X),
    lambda: LOOKernelDensity().fit(X),
    lambda: LOOKernelDensity("scott", covariance_type="diag", bounds=(0, None)).fit(X),
    lambda: GaussianMixtureSearch(2, "diag", random_state=0).fit(X),
    lambda: DensityImputer(GaussianMLE(), add_indicator=True).fit(HOLED),
    lambda: DensityClassifier().fit(X, LABELS),
    lambda: DensityRegressor(GaussianMLE()).fit(X[:, :3], X[:, 3]),
    lambda: DensityOutlierDetector(GaussianMLE(), random_state=0).fit(X),
    lambda: TransformedDensity(StandardScaler(), GaussianMLE()).fit(X),
]
FITTING = [
    kind
    for kind in (getattr(skdensity, name) for name in skdensity.__all__)
    if hasattr(kind, "fit")
]
# What a file may need besides what skops trusts: estimators, and one record.
TRUSTED = {f"{kind.__module__}.{kind.__name__}" for kind in FITTING}
TRUSTED |= {"skdensity.rows.columns.Column"}


def written_and_read(fitted):
    data = skops.io.dumps(fitted)
    needed = skops.io.get_untrusted_types(data=data)
    assert set(needed) <= TRUSTED
    return skops.io.loads(data, trusted=needed)


def test_all_are_read_again_with_a_short_list_of_types():
    seen = set()
    for fit in FITS:
        fitted = fit()
        assert_same(state_of(written_and_read(fitted)), state_of(fitted))
        seen.add(type(fitted))
    assert seen == set(FITTING)


@pytest.mark.parametrize("stream", STREAMS, ids=["one", "em", "adam"])
def test_a_stream_goes_on_from_its_file(stream):
    here = stream()
    there = written_and_read(deepcopy(here))
    for one in (here, there):
        one.partial_fit(X[60:])
    assert_same(state_of(there), state_of(here))


def test_nothing_is_made_of_types_that_are_not_trusted():
    data = skops.io.dumps(GaussianMLE().fit(X))
    with pytest.raises(UntrustedTypesFoundException, match="GaussianMLE"):
        skops.io.loads(data, trusted=[])
