"""Rows that come in batches: what the estimators that learn from streams share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np

from skdensity.densities.base import unchanged_on_error
from skdensity.densities.tables.kinds import table_of
from skdensity.passes.workspace import Workspace


class StreamMixin:
    """An estimator that goes on from what it has learnt, batch by batch."""

    # What BaseDensity provides.
    _dtype: Any
    _rows_to_fit: Any
    _validate_params: Any
    n_jobs: Any
    # Whether the next batch is the first: those of a marginal are of other features.
    _begins_anew = False

    def _learn_from(self, X, sample_weight) -> Self:
        """Take in a batch as a whole, or not at all."""
        self._validate_params()  # scikit-learn does so before the first call alone
        table_of(X).check_batch()
        is_first = self._begins_anew or not hasattr(self, "n_features_in_")
        with unchanged_on_error(self), Workspace(self.n_jobs) as workspace, workspace:
            rows = self._rows_to_fit(
                X, sample_weight, workspace, min_samples=0, reset=is_first
            )
            if not is_first:
                self._check_dtype(rows)
            if rows.n_rows > 0:  # rows without any value count for nothing
                self._learn(rows)
            n_seen = 0 if is_first else getattr(self, "n_samples_seen_", 0)
            self.n_samples_seen_ = n_seen + rows.n_rows
        return self

    @abstractmethod
    def _learn(self, rows):
        """Take in some rows."""

    def _stream_dtype(self):
        """That of the rows so far; None where none stand behind the parameters."""
        return self._dtype() if hasattr(self, "n_samples_seen_") else None

    def _check_dtype(self, rows):
        began = self._stream_dtype()
        if began is None or began == rows.dtype:
            return
        raise ValueError(
            f"X has dtype {rows.dtype}, but the stream of this {type(self).__name__} "
            f"began with {began}. Convert the batch, with X.astype(np.{began}), or "
            "call `fit` to start over."
        )


def as_plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values with arrays in C order.

    As they come out of a pickle: the layout decides the last digits of what is computed
    from them, and a stream that was saved is to go on as if it had not been.
    """
    return {
        name: np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }
