r"""Moments of whitened rows: what a gradient needs of a pass, where features are many.

With :math:`z = U_k^\top (x - \mu_k)`, which the density needs in any case,
:math:`\sum_i w_i r_{ik} z_i z_i^\top` is a symmetric update like that of the rows
themselves. To whiten moments of rows afterwards would take products of matrices that
are larger than the table, where it has fewer rows than features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.covariances.packing import PackedFactors
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.posterior import log_likelihood, posterior
from skdensity.passes import blocks
from skdensity.passes.scratch import Scratch
from skdensity.rows.rows import Block, Rows

# So many rows for every feature a block may hold, however much memory that takes, some
# times that of the moments: in smaller blocks, to add these up costs more than rows do.
ROWS_PER_FEATURE = 4  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class WhitePass:
    """A mixture, ready for passes that add up whitened rows.

    Attributes
    ----------
    weights : ndarray of shape (n_components,)
        Non-negative, summing to 1.
    means : ndarray of shape (n_components, n_features)
        The components' means.
    chain : tuple of ndarray
        Factors of every component that whiten its residuals one after the other: their
        product is U, which takes less than to form it where rows are few.
    log_peaks : ndarray of shape (n_components,)
        Joint log-density of every component at its mean, in nats.
    family : CovarianceFamily
        The shape of the covariances.
    """

    weights: np.ndarray
    means: np.ndarray
    chain: tuple[np.ndarray, ...]
    log_peaks: np.ndarray
    family: CovarianceFamily

    @classmethod
    def unpacked(cls, chain: tuple[PackedFactors, ...], **others: Any) -> WhitePass:
        """One that has travelled, in memory of its own."""
        return cls(chain=tuple(packed.factors() for packed in chain), **others)

    def __reduce__(self) -> tuple:
        others = {name: value for name, value in vars(self).items() if name != "chain"}
        chain = tuple(PackedFactors.of(factors) for factors in self.chain)
        return partial(self.unpacked, chain, **others), ()

    def moments(self, rows: Rows) -> Moments:
        """Moments of the rows that each component whitens, about 0, in one pass.

        Time O(n_samples · n_components · n_features²); memory of one block, and of the
        moments, beyond the rows.
        """

        def term(block: Block, scratch: Scratch) -> Moments:
            white = self._white(block.columns(scratch), scratch)
            log_joint = np.einsum("kdn,kdn->kn", white, white)
            log_joint *= -0.5
            log_joint += self.log_peaks[:, None]
            log_density, shares = posterior(log_joint, self.weights, block.weight)
            value = log_likelihood(log_density, block.weight)
            return self._sums(white, shares, value, scratch)

        return rows.add(term, self._row_bytes)

    @property
    def _row_bytes(self):
        """Bytes of temporaries that one row counts for."""
        n_components, n_features = self.means.shape
        needed = 8 * (n_features * (n_components + 3) + 2 * n_components)
        return min(needed, blocks.BLOCK_BYTES // (ROWS_PER_FEATURE * n_features))

    def _white(self, columns, scratch):
        """Whitened residuals of shape (n_components, n_features, n_rows)."""
        out = scratch.array("white", (len(self.means), *columns.shape))
        residuals = scratch.array("residuals", columns.shape)
        first, *others = (self.family.shape.untied(f, len(out)) for f in self.chain)
        for k, (mean, white) in enumerate(zip(self.means, out, strict=True)):
            np.subtract(columns, mean[:, None], out=residuals)
            self.family.factors.whiten(first[k], residuals, out=white)
            for factors in others:
                residuals[...] = white
                self.family.factors.whiten(factors[k], residuals, out=white)
        return out

    def _sums(self, white, shares, log_likelihood, scratch):
        scatter, scaled = self.family.scatter, scratch.array("scaled", white.shape[1:])
        return Moments(
            log_likelihood,
            mass=shares.sum(axis=1),
            first=np.matmul(white, shares[:, :, None])[:, :, 0],
            second=np.stack(
                [
                    scatter.of_residuals(rows, share, out=scaled)
                    for rows, share in zip(white, shares, strict=True)
                ]
            ),
            about=np.zeros_like(self.means),
        )
