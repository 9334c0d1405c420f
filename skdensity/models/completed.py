r"""Residuals of rows with holes, completed, and what that does to their density.

With the holes filled by the conditional mean given what was observed,

.. math:: \log N(x_o) = -\tfrac{1}{2} \bigl( q + |o| \log 2\pi
    + \log |\Sigma| + \log |\Lambda_{mm}| \bigr)

with :math:`\Lambda = \Sigma^{-1}` and q the squared distance of the *completed* row:
the density of a complete row, and a correction. It is exact, and no sum cancels. The
cost follows what is missing, where the marginal's follows what is observed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.covariances.conditionals import Conditionals
from skdensity.passes.scratch import Scratch
from skdensity.rows.patterns import Patterns, patterns_of

LOG_2PI = np.log(2 * np.pi)


@dataclass(frozen=True, eq=False)
class HoledBlock:
    """Rows with holes, sorted by these.

    Attributes
    ----------
    columns : ndarray of shape (n_features, n_rows)
        The rows, 0 where a feature is missing.
    is_missing : ndarray of bool of shape (n_features, n_rows)
        Where that is.
    n_missing : ndarray of int of shape (n_rows,)
        How many are in each row.
    patterns : list of Patterns
        The same, by which features it is.
    scratch : Scratch
        Where temporaries are kept.
    """

    columns: np.ndarray
    is_missing: np.ndarray
    n_missing: np.ndarray
    patterns: list[Patterns]
    scratch: Scratch

    @classmethod
    def of(cls, X: np.ndarray, scratch: Scratch) -> HoledBlock:
        """Rows in which NaN is a hole."""
        is_missing = np.isnan(X)
        columns = scratch.array("columns", X.shape[::-1])
        columns[...] = X.T
        holes = np.ascontiguousarray(is_missing.T)
        np.copyto(columns, 0, where=holes)
        n_missing = np.count_nonzero(is_missing, axis=1)
        return cls(columns, holes, n_missing, patterns_of(is_missing), scratch)

    def completed(
        self, mean: np.ndarray, conditionals: Conditionals, out: np.ndarray
    ) -> np.ndarray:
        """Write residuals, conditional means in their holes.

        Parameters
        ----------
        mean : ndarray of shape (n_features,)
            What they are residuals from.
        conditionals : Conditionals
            Of the covariance about it.
        out : ndarray of shape (n_features, n_rows)
            Where they are written.

        Returns
        -------
        correction : ndarray of shape (n_rows,)
            What the log-densities of the completed rows lack, in nats.
        """
        np.subtract(self.columns, mean[:, None], out=out)
        np.copyto(out, 0, where=self.is_missing)
        log_det = conditionals.complete(out, self.patterns, self.scratch)
        return 0.5 * (self.n_missing * LOG_2PI - log_det)

    def deviations(self, conditionals: Conditionals, out: np.ndarray) -> None:
        """Write conditional standard deviations of the holes, and 0 elsewhere."""
        out[...] = 0
        conditionals.deviations(self.patterns, self.scratch, out)

    def scatter(self, conditionals: Conditionals, share: np.ndarray) -> np.ndarray:
        """What the holes add to second moments, for weights times responsibilities."""
        return conditionals.scatter(share, self.patterns, self.scratch)
