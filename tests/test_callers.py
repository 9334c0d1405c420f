"""Warnings point to the line of the user, whatever calls what inside."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdensity import (
    CholeskyGaussian,
    DensityClassifier,
    DensityImputer,
    DensityOutlierDetector,
    DensityRegressor,
    EMGaussianMixture,
    GaussianMLE,
    LOOKernelDensity,
)

HASTY = EMGaussianMixture(2, init_params="random", max_iter=1, random_state=0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda X: HASTY.fit(X),
        lambda X: HASTY.fit_predict(X),
        lambda X: CholeskyGaussian(max_iter=2).fit(X),
        lambda X: make_pipeline(StandardScaler(), HASTY).fit(X),
        lambda X: GridSearchCV(HASTY, {"n_components": [2]}, cv=2).fit(X),
        lambda X: LOOKernelDensity("loo").fit(np.round(X)),
        lambda X: GaussianMLE(reg_covar=1.0).fit(X),
        lambda X: DensityImputer(HASTY).fit_transform(X),
        lambda X: DensityRegressor(HASTY).fit(X, X[:, 0] ** 2),
        lambda X: DensityOutlierDetector(HASTY).fit(X),
        lambda X: DensityClassifier(HASTY).fit(X, X[:, 0] > 0),
    ],
)
def test_warnings_point_to_the_line_of_the_user(ask):
    X = np.random.RandomState(0).standard_normal((200, 2))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        ask(X)
    assert {warning.filename for warning in told} == {__file__}
