"""Gaussian log-densities from the residuals of every component: exact anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.forms.form import ALL_COMPONENTS, Kept, spread
from skdensity.models.mixtures.moments import Moments, block_moments
from skdensity.passes.scratch import Scratch


@dataclass(frozen=True, eq=False)
class WhitenedForm:
    """Whitening, component by component.

    Attributes
    ----------
    components : Components
        The mixture that is evaluated.
    """

    components: Components

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row needs."""
        return 8 * (3 * self.components.n_features + 2 * self.components.n_components)

    def block(
        self, X: np.ndarray, scratch: Scratch, kept: Kept = ALL_COMPONENTS
    ) -> WhitenedBlock:
        """Rows ready to evaluate, however far they reach."""
        columns = scratch.array("columns", X.shape[::-1])
        columns[...] = X.T
        return WhitenedBlock(self.components, columns, scratch, kept)


@dataclass(frozen=True, eq=False)
class WhitenedBlock:
    """Rows as columns, from which residuals are taken."""

    components: Components
    columns: np.ndarray
    scratch: Scratch
    kept: Kept

    def log_joint(self) -> np.ndarray:
        """log π_k N(x_i | k), of shape (n_kept, n_rows), in nats."""
        components, n_rows = self.components, self.columns.shape[1]
        means = components.means[self.kept]
        out = self.scratch.array("log_joint", (len(means), n_rows))
        residuals, white = (
            self.scratch.array(name, self.columns.shape)
            for name in ("residuals", "white")
        )
        factors = components.own(components.precision_factors)[self.kept]
        for mean, factor, squares in zip(means, factors, out, strict=True):
            np.subtract(self.columns, mean[:, None], out=residuals)
            components.family.factors.whiten(factor, residuals, out=white)
            np.einsum("dn,dn->n", white, white, out=squares)
        out *= -0.5
        out += components.log_peaks[self.kept, None]
        return out

    def sums(self, shares: np.ndarray, log_likelihood: float) -> Moments:
        """Moments about the mixture's means, for weights times responsibilities."""
        means, scatter = self.components.means, self.components.family.scatter
        found = block_moments(
            self.columns,
            shares,
            means[self.kept],
            scratch=self.scratch,
            scatter=scatter,
        )
        mass, first, second = (
            spread(sums, self.kept, len(means))
            for sums in (found.mass, found.first, found.second)
        )
        return Moments(log_likelihood, mass, first, second, about=means)
