"""Mixtures that learn from batches of rows: when they begin, and how they go on."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from skdensity.densities.regularisation import Regularisation
from skdensity.densities.runs import FitProblem, Run
from skdensity.densities.streams import StreamMixin
from skdensity.models.covariances.table import FAMILIES
from skdensity.models.mixtures.mixture import Mixture
from skdensity.rows.incomplete_rows import rows_of_table
from skdensity.rows.rows import Rows
from skdensity.solvers.mixtures.sample import rows_for_components
from skdensity.solvers.mixtures.stand_in import StandIn
from skdensity.solvers.mixtures.starts import start_of


class MixtureStreamMixin(StreamMixin):
    """A mixture that waits for the rows that a start needs, then steps on.

    A start from a few rows is poor, and a stream does not look at rows twice. So until
    there are enough, rows are kept, and the stream begins anew with all of them.
    """

    # What the estimators provide.
    _dtype: Any
    _fitted_type: Any
    _model: Any
    _problem: Any
    _starts: Any
    covariance_type: Any
    init_params: Any
    means_: Any
    n_components: Any
    n_features_in_: Any
    random_state: Any
    reg_covar: Any
    # Rows that wait for others, and how many of them the parameters are from.
    _waiting: dict[str, Any] | None = None
    # Whether the last rows were a batch, and not those of `fit`.
    _streamed = False
    # See `Regularisation.shares`.
    _shares: np.ndarray | None = None

    @property
    @abstractmethod
    def _has_stream(self) -> bool:
        """Whether there is something to go on from, besides parameters."""

    @abstractmethod
    def _set_out(self, problem: FitProblem, start: Mixture) -> None:
        """The first batch, from a start."""

    @abstractmethod
    def _go_on(self, rows: Rows) -> None:
        """The next batch."""

    def _learn(self, rows):
        if self._waiting is None and self._has_stream:
            self._check_same_kind()
            self._go_on(rows)
        else:
            self._begin_with(self._joined(rows))
        self._streamed = True

    def _begin_with(self, rows):
        """Begin with what there is, and keep it unless it is enough."""
        n_begun = self._waiting["n_begun"] if self._waiting else 0
        is_given = n_begun == 0 and hasattr(self, "means_")
        n_least, n_enough = self._rows_to_begin(rows)
        n_due = n_enough
        # With nothing added, components of few rows are singular.
        if not is_given and self.reg_covar != 0:
            # Twice as many as last time: there are few starts, however small batches.
            n_due = min(n_enough, max(n_least, 2 * n_begun))
        if rows.n_rows >= n_due:
            problem = self._problem(rows)
            start = self._model() if is_given else self._best_start(problem)
            self._shares = problem.regularisation.shares
            self._set_out(problem, start)
            n_begun = rows.n_rows
        self._waiting = None if rows.n_rows >= n_enough else _kept(rows, n_begun)

    def _best_start(self, problem):
        """The start, or the most likely of all."""
        starts = list(self._starts(problem))
        if len(starts) == 1:
            return starts[0]
        return max(starts, key=lambda start: start.moments(problem.rows).log_likelihood)

    def _rows_to_begin(self, rows):
        """How many rows a start needs, and how many are enough for a good one."""
        n_least = max(2, self.n_components)
        rng = check_random_state(self.random_state)
        start = start_of(self.init_params, StandIn(rows, rows.n_rows, rng))
        if start.is_blind or start.is_fixed:
            return n_least, n_least  # others would make no difference
        family = FAMILIES[self.covariance_type]
        n_good = rows_for_components(self.n_components, rows.n_features, family)
        return n_least, max(n_least, n_good)

    def _joined(self, rows):
        """The rows that wait, and these."""
        if self._waiting is None:
            return rows
        X, weight = self._waiting["X"], self._waiting["weight"]
        return rows.after(rows_of_table(X, weight, rows.workspace))

    def _fitted_to(self, problem: FitProblem, run: Run) -> None:
        """What a stream goes on with after a fit to all rows."""
        self._note_added(problem.reg_covar)
        self._shares = problem.regularisation.shares
        self._waiting, self._streamed = None, False
        self.n_samples_seen_ = problem.rows.n_rows

    @property
    def _regularisation(self) -> Regularisation:
        """What `reg_covar` adds, given moments of the stream."""
        family, n_features = FAMILIES[self.covariance_type], self.n_features_in_
        return Regularisation(self.reg_covar, family, n_features, self._shares)

    def _note_added(self, added):
        """What `reg_covar` added to the variance that it added the least to."""
        shape = FAMILIES[self.covariance_type].shape
        variances = shape.variances(added, self.n_features_in_)
        self._reg_covar_used = float(variances.min())

    def _check_same_kind(self):
        fitted = len(self.means_), self._fitted_type
        wanted = self.n_components, self.covariance_type
        if fitted != wanted:
            raise ValueError(
                f"A stream of (n_components, covariance_type) = {fitted} cannot "
                f"continue with {wanted}. Set them back, or call `fit` to start over."
            )

    def _stream_dtype(self):
        if self._waiting is not None:
            return self._waiting["X"].dtype
        return super()._stream_dtype()

    def _check_fitted(self):
        """Complain, and say so where rows wait for others."""
        if self._waiting is None or hasattr(self, "means_"):
            return super()._check_fitted()  # type: ignore[misc]
        raise NotFittedError(
            f"This {type(self).__name__} has seen {self.n_samples_seen_} rows, too few "
            f"for a start with n_components={self.n_components}. They are kept: call "
            "`partial_fit` with more rows."
        )


def _kept(rows, n_begun):
    """Rows as plain arrays of our own, since the user may change theirs."""
    held = rows.held(rows.n_rows, np.random.RandomState(0))  # all: nothing is drawn
    weight = None if held.weight is None else held.weight.copy()
    return {"X": held.X.copy(), "weight": weight, "n_begun": n_begun}
