"""What the five estimators share: validation, the model, scores and draws."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from contextlib import AbstractContextManager
from functools import partial
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skdensity.densities.checks import (
    check_sampling,
    check_total,
    weighted_sum,
)
from skdensity.densities.doc_link import DocLinkMixin
from skdensity.densities.feature_names import names_of_features
from skdensity.densities.kept import Kept
from skdensity.densities.tables.array_table import ArrayTable
from skdensity.densities.tables.checked_table import checked_table
from skdensity.densities.tables.kinds import table_of
from skdensity.densities.tables.table import Answer
from skdensity.densities.tables.table_check import TableCheck
from skdensity.models.draws import rows_of
from skdensity.passes.workspace import Workspace, as_in_a_pass
from skdensity.rows.incomplete_rows import rows_of_table
from skdensity.rows.row_blocks import RowBlocks


class BaseDensity(DensityMixin, DocLinkMixin, BaseEstimator, metaclass=ABCMeta):
    """Base of the density estimators, which say what density their attributes tell.

    Think twice before adding anything: every estimator inherits it.
    """

    # The fitted attributes that tell the density; the first has the dtype of the rows.
    _told_by: tuple[str, ...]

    # Whether `fit` takes NaN for what was not observed; evaluation always does.
    _takes_missing = False
    # Whether the rows of the fit are a part of the density, and must be in memory.
    _keeps_rows = False

    def score_samples(self, X: ArrayLike | RowBlocks) -> np.ndarray:
        """Log-density of every row, in nats.

        The density may exceed 1: it is a probability per unit of the features, and its
        logarithm then is positive.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows to evaluate. NaN is what was not observed: the density is then that of
            the other features, and 1 of a row without any.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            ``log p(x)``, float32 for float32 rows and float64 otherwise; finite
            wherever the exact value is. For RowBlocks an iterator of such arrays, one
            for each block, and so for all that is returned for every row.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities, or
            if the fitted covariance is singular.

        See Also
        --------
        score : Their mean.
        sample : Draw rows from the density.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> GaussianMLE().fit([[0.0], [2.0]]).score_samples([[1.0], [3.0]]).round(4)
        array([-0.9189, -2.9189])
        """
        return self._answer("log_density", X)

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """Draw rows from the fitted density.

        The draws are independent of each other, and not among the training rows.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance, Generator or None, default=None
            Source of randomness; an int gives the same draws at every call, an instance
            goes on. None falls back on the constructor's, if it has one.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Independent draws.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `n_samples` is below 1, or the fitted covariance is singular.
        TypeError
            If `n_samples` is not an integer.

        See Also
        --------
        score_samples : Evaluate the density.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> GaussianMLE().fit([[0.0], [2.0]]).sample(3, random_state=0).round(2)
        array([[-1.27],
               [ 2.33],
               [ 0.16]])
        """
        return self._drawn(n_samples, random_state)

    def score(
        self,
        X: ArrayLike | RowBlocks,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Mean log-likelihood of the rows of `X`, in nats per unit of weight.

        A mean, as in scikit-learn's mixtures, so that folds of unequal size compare;
        ``KernelDensity.score`` is a sum.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows to score.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; those of RowBlocks come with them. None weighs all
            rows equally.

        Returns
        -------
        score : float
            ``sum(w * log p(x)) / sum(w)``; higher is better.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table that :meth:`score_samples` takes, or the weights are
            negative, all zero or not as many as the rows.

        See Also
        --------
        score_samples : The log-density of every row.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> density = GaussianMLE().fit([[0.0], [2.0]])
        >>> round(density.score([[1.0], [3.0]]), 4)
        -1.9189
        >>> round(density.score([[1.0], [3.0]], sample_weight=[1, 0]), 4)
        -0.9189
        """

        self._check_fitted()

        def term(X, weight):
            return sum_of_values(self.score_samples(X), weight)

        total, weight = table_of(X).add(term, sample_weight)
        check_total(weight, weight)
        return float(total / weight)

    @abstractmethod
    def _model_of(self, told: dict[str, Any]) -> Any:
        """The density that the values of :meth:`_told` stand for.

        A model has `n_features`, and methods ``log_density(rows)`` and
        ``sample(n_samples, rng)``.
        """

    def _drawn(self, n_samples, random_state):
        """Draws from the model, in the dtype of the rows that it was fitted to."""
        self._check_fitted()
        n_samples, rng = check_sampling(self, n_samples, random_state)
        drawn = as_in_a_pass(self._model().sample, n_samples, rng)
        return rows_as(drawn, self._dtype())

    def _dtype(self) -> np.dtype:
        """That of the rows that the density was fitted to."""
        dtype = np.asarray(getattr(self, self._told_by[0])).dtype
        # Attributes may be set by hand, to lists of integers for example.
        return dtype if dtype == np.float32 else np.dtype(np.float64)

    def _told(self) -> dict[str, Any]:
        """Everything that the density depends on, by name."""
        values = {name: getattr(self, name) for name in self._told_by}
        # Lists may have been set by hand; what changes in them must be seen, too.
        return {
            name: np.array(value) if isinstance(value, list | tuple) else value
            for name, value in values.items()
        }

    def _model(self):
        """The density behind the public attributes, kept until they change."""
        return self._keeper().model(self._told(), self._built)

    def _once(self, name, find):
        """What is found of the model, under a name; kept as long as the model is."""
        return self._keeper().answer(self._told(), self._built, name, find)

    def _keeper(self):
        self._check_fitted()
        if "_kept" not in vars(self):
            self._kept = Kept()
        return self._kept

    def _built(self, told):
        return as_in_a_pass(self._model_of, told)

    def _answer(self, method, X, *, shape=(), dtype=None, check=lambda X: None):
        """What a method of the model gives for a table, in the way of its kind.

        `shape` and `dtype` are those of a value; `check` may complain of checked rows.
        """
        self._check_fitted()

        def values(X):
            check(X)
            return self._evaluated(method, X)

        answer = Answer(values, shape, dtype)
        return table_of(X).evaluate(self._check_of_rows(), answer)

    def _evaluated(self, method, X):
        """What a method of the model gives for validated rows, in their dtype."""
        model = self._model_for(X)
        with Workspace(self.n_jobs) as workspace, workspace:
            return getattr(model, method)(rows_of_table(X, None, workspace))

    def _model_for(self, X):
        """The model, if it has as many features as some rows."""
        model = self._model()
        if X.shape[1] != model.n_features:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting "
                f"{model.n_features} features as input."
            )
        return model

    def _rows(self, X):
        """Rows to evaluate a fitted estimator at, as an array."""
        self._check_fitted()
        return self._check_of_rows()(X)

    def _check_of_rows(self):
        """What rows must be that a fitted estimator is evaluated at."""
        return TableCheck(self)

    def _table(self, X, **checks):
        """A table of numbers, as float64 or float32."""
        return checked_table(self, X, **checks)

    def _rows_to_fit(self, X, sample_weight, workspace, *, min_samples=1, reset=True):
        """Weighted rows, whose blocks the workspace works on."""
        # Here, since evaluating must leave the attributes as they are.
        self._kept = Kept()
        check = TableCheck(
            self,
            reset=reset,
            min_samples=max(min_samples, 1),
            is_whole=min_samples > 0,
        )
        table = table_of(X)
        if self._keeps_rows:
            table = ArrayTable(table.held(f"{type(self).__name__}.fit"))
        once_known = partial(
            self._check_known, min_samples=min_samples, everywhere=reset
        )
        rows = table.rows(check, sample_weight, workspace, once_known)
        if rows.remembered is not None:
            self._look_at(rows)
        return rows

    def _look_at(self, rows):
        """What the first pass is made for, where passes are dear and remembered."""

    def _check_known(self, rows, min_samples, everywhere):
        """Complain of rows that cannot be fitted to, as soon as they are known.

        Every feature must be seen `everywhere`, or else in some batch of a stream.
        """
        if not rows.are_complete:
            self._check_observed(rows, everywhere)
        if min_samples > 0:
            check_total(rows.total_weight, rows.largest_weight)
        if rows.n_rows < min_samples:
            raise ValueError(
                f"There are n_samples={rows.n_rows} rows of positive weight; "
                f"{type(self).__name__} needs at least {min_samples}."
            )

    def _check_observed(self, rows, everywhere):
        """Complain of NaN where nothing can be missing, or everything is."""
        name = type(self).__name__
        if not self._takes_missing:
            raise ValueError(
                f"Input X contains NaN, and {name} takes none in `fit`. Fill in what "
                "is missing, for example by `skdensity.DensityImputer`, drop "
                "such rows, or fit `EMGaussianMixture`, which takes NaN as missing."
            )
        if not everywhere:
            return  # other batches have values of it
        names = names_of_features(self, rows.n_features)
        never = list(compress(names, np.isnan(rows.origin)))
        if never:
            raise ValueError(
                f"X has no value of feature{'s' * (len(never) > 1)} "
                f"{', '.join(map(repr, never))}: every row that counts has NaN there, "
                "so that nothing can be learnt of it. Remove it."
            )

    def _check_fitted(self):
        """Complain unless all attributes that tell the density are there."""
        there = [name for name in self._told_by if hasattr(self, name)]
        if not there:
            check_is_fitted(self)
        missing = [name for name in self._told_by if name not in there]
        if missing:
            or_else = ", or `from_parameters`" * hasattr(self, "from_parameters")
            raise NotFittedError(
                f"This {type(self).__name__} has {_listed(there)} but not "
                f"{_listed(missing)}. Call `fit`{or_else}."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._takes_missing
        return tags

    def __sklearn_is_fitted__(self):
        return all(hasattr(self, name) for name in self._told_by)

    def __getstate__(self):
        # What is kept can be built again, and would make a pickle many times larger.
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_kept"}


def _listed(names):
    return ", ".join(f"`{name}`" for name in names)


class unchanged_on_error(AbstractContextManager):
    """Give an estimator its attributes back when a fit fails half-way.

    It is a class, as a generator that is interrupted before it goes on would end, and
    give them back, whenever the last traceback is gone: maybe after another fit.

    Parameters
    ----------
    estimator : estimator
        What is fitted inside of the context.
    """

    def __init__(self, estimator: BaseEstimator) -> None:
        self.estimator, self.before = estimator, dict(vars(estimator))

    def __exit__(self, kind: Any, *error: Any) -> None:
        if kind is not None:
            # At once: another interrupt would find some of them.
            self.estimator.__dict__ = self.before


def rows_as(sample: Any, dtype: np.dtype) -> Any:
    """What `sample` returns, with rows of another dtype."""
    rows = rows_of(sample).astype(dtype, copy=False)
    return (rows, *sample[1:]) if isinstance(sample, tuple) else rows


def sum_of_values(values: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The weighted sum of values, and the sum of the weights."""
    if weight is None:
        return np.array([values.sum(dtype=np.float64), len(values)])
    return np.array([weighted_sum(weight, values), weight.sum()])
