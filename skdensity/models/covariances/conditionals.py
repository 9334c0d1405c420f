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
    def deviations(
        self, patterns: Sequence[Patterns], scratch: Scratch, out: np.ndarray
    ) -> None:
        """Write conditional standard deviations, the roots of the diagonal of Λ_mm⁻¹.

        Parameters
        ----------
        patterns : sequence of Patterns
            Where the holes are.
        scratch : Scratch
            Where temporaries are kept.
        out : ndarray of shape (n_features, n_rows)
            Contiguous; what was observed keeps what is there.
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
