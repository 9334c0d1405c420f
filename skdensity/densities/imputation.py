"""What is missing in rows, from the density of what is there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdensity.densities.checks import check_sampling
from skdensity.densities.tables.kinds import table_of
from skdensity.densities.tables.table import Answer
from skdensity.passes.workspace import as_in_a_pass


class ImputationMixin:
    """Fill in rows, for a density whose model has ``completed`` and ``drawn``."""

    # What BaseDensity provides.
    _check_fitted: Any
    _check_of_rows: Any
    _evaluated: Any
    _model: Any
    _model_for: Any

    def impute(
        self, X: ArrayLike, *, sample: bool = False, random_state: Any = None
    ) -> np.ndarray:
        """Fill in what is missing, given what was observed.

        With the conditional mean, which has the least squared error and too little
        spread; or with a draw from the conditional density, which has the right spread.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; NaN is what is missing. Rows without any value get the mean of the
            density, or a draw from it. Periodic features have a circular mean.
        sample : bool, default=False
            Whether to draw.
        random_state : int, RandomState instance, Generator or None, default=None
            Source of randomness of the draws; an int gives the same ones at every call,
            an instance goes on. None falls back on the constructor's, if it has one.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A copy without NaN, float32 for float32 rows and float64 otherwise. What was
            observed is there to the bit; what is filled in is within bounds.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities, or
            if a row with NaN has a value out of bounds.

        See Also
        --------
        condition : The density of what is missing in one row.
        DensityImputer : The same as a step of a pipeline.

        Notes
        -----
        It is right where values are missing at random, given those observed. One draw
        is no multiple imputation: the parameters are those of the fit, and what is not
        known of them shows nowhere.

        Time O(m³ + n_features²) for a row that misses m features, for every component;
        O(n_features) for independent features, and for every kernel.

        References
        ----------
        D. B. Rubin (1976), doi:10.1093/biomet/63.3.581; the draws, Y. Hoffman and
        E. Ribak (1991), doi:10.1086/186160.

        Examples
        --------
        >>> import numpy as np
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE.from_parameters([0.0, 1.0], [[2.0, 1.0], [1.0, 3.0]])
        >>> density.impute([[2.0, np.nan], [np.nan, 1.0]])
        array([[2., 2.],
               [0., 1.]])
        >>> density.impute([[2.0, np.nan]], sample=True, random_state=0).round(2)
        array([[2.  , 2.62]])
        """
        self._check_fitted()
        rng = check_sampling(self, 1, random_state)[1] if sample else None
        answer = Answer(self._imputed, (self._model().n_features,), rng=rng)
        return table_of(X).evaluate(self._check_of_rows(), answer)

    def _imputed(self, rows, rng=None):
        """Rows filled in, with draws if there is something to draw with."""
        model, holes = self._model_for(rows), np.isnan(rows)
        some, filled = holes.any(axis=1), rows.copy()
        if not some.any():
            return filled
        if not some.all():
            rows, holes = rows[some], holes[some]
        self._check_given(rows)
        if rng is not None:
            values = as_in_a_pass(model.drawn, rows, rng)
        else:
            values = self._evaluated("completed", rows)
        filled[some] = np.where(holes, values, rows)
        return filled

    def _check_given(self, X):
        """Complain of values that nothing can follow from; Gaussians take them all."""
