"""What features that are missing are, given those that were observed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from skdensity.passes.scratch import Scratch
from skdensity.rows.patterns import Patterns


class Conditionals(ABC):
    r"""The conditional Gaussians of missing features under one covariance.

    With the precision :math:`\Lambda = \Sigma^{-1}`, features m missing and o observed,
    residuals :math:`\rho = x - \mu` have conditional means
    :math:`-\Lambda_{mm}^{-1} \Lambda_{mo}\,\rho_o` and the conditional covariance
    :math:`\Lambda_{mm}^{-1}`: the cost follows what is missing.

    Parameters
    ----------
    factor : ndarray
        U of one covariance, in the family's layout without an axis of components.
    """

    @abstractmethod
    def __init__(self, factor: np.ndarray) -> None:
        """Prepare what all patterns share."""

    @abstractmethod
    def complete(
        self, residuals: np.ndarray, patterns: Sequence[Patterns], scratch: Scratch
    ) -> np.ndarray:
        """Write conditional means into the holes of residuals.

        Parameters
        ----------
        residuals : ndarray of shape (n_features, n_rows)
            Those of a block, contiguous, 0 where a feature is missing; overwritten.
        patterns : sequence of Patterns
            Where the holes are.
        scratch : Scratch
            Where temporaries are kept.

        Returns
        -------
        log_det : ndarray of shape (n_rows,)
            log |Λ_mm|.
        """

    @abstractmethod
    def scatter(
        self, share: np.ndarray, patterns: Sequence[Patterns], scratch: Scratch
    ) -> np.ndarray:
        """Σ_i s_i Λ_mm⁻¹ at the features that are missing, 0 at all others.

        Parameters
        ----------
        share : ndarray of shape (n_rows,)
            Weights times responsibilities of the block's rows.
        patterns : sequence of Patterns
            Where the holes are.
        scratch : Scratch
            Where temporaries are kept.

        Returns
        -------
        scatter : ndarray
            In the layout of the family's second moments, without an axis of components.
        """

    @abstractmethod
    def scatter_and_correction(
        self,
        share: np.ndarray,
        patterns: Sequence[Patterns],
        scratch: Scratch,
        covariance: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        r"""The same, and what holes change where rows have a covariance R of their own.

        Only what was observed has it: a completed row varies by :math:`P R P^\top`, P
        being what completes residuals, where a complete one varies by R. The change is
        :math:`\sum_i s_i (P_i R P_i^\top - R)`. Without it R would count twice where a
        feature is missing: it is part of the conditional covariance already.

        Parameters
        ----------
        share, patterns, scratch
            As those of :meth:`scatter`.
        covariance : ndarray
            R, in the family's layout without an axis of components.

        Returns
        -------
        scatter : ndarray
            That of :meth:`scatter`.
        correction : ndarray
            In the same layout.
        """
