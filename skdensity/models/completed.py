r"""Residuals of rows with holes, completed, and what that does to their density.

With the holes filled by the conditional mean given what was observed,

.. math:: \log N(x_o) = -\tfrac{1}{2} \bigl( q + |o| \log 2\pi
    + \log |\Sigma| + \log |\Lambda_{mm}| \bigr)

with :math:`\Lambda = \Sigma^{-1}` and q the squared distance of the *completed* row:
the density of a complete row, and a correction. It is exact, and no sum cancels. The
cost follows what is missing, where the marginal's follows what is observed.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce

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
    patterns : list of Patterns
        The same, by which features it is.
    scratch : Scratch
        Where temporaries are kept.
    """

    columns: np.ndarray
    is_missing: np.ndarray
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
        return cls(columns, holes, patterns_of(is_missing), scratch)

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
        correction = np.empty(out.shape[1])
        for patterns in self.patterns:
            residuals = out[:, patterns.rows]
            log_det = conditionals.complete(residuals, patterns, self.scratch)
            each = 0.5 * (patterns.n_missing * LOG_2PI - log_det)
            correction[patterns.rows] = each[patterns.of_row]
        return correction

    def scatter(self, conditionals: Conditionals, share: np.ndarray) -> np.ndarray:
        """What the holes add to second moments, for weights times responsibilities."""
        each = (
            conditionals.scatter(
                patterns,
                np.add.reduceat(share[patterns.rows], patterns.begin),
                self.scratch,
            )
            for patterns in self.patterns
        )
        return reduce(operator.add, each)
