r"""Which components can matter to rows that lie in a box.

Over a box, the joint log-density of a component is at most :math:`u_k` and at least
:math:`l_k`, by how far its mean is from the nearest point and from the farthest. The
density of every row is at least :math:`e^l` with the largest :math:`l = \max_k l_k`. Of
the components with

.. math:: u_k < l - \log K - m

all together have less than :math:`e^{-m}` of the density of any row in the box, so that
leaving them out changes a log-density by less than :math:`e^{-m}` nats, and each
responsibility by less. With the margin :math:`m = 50` that is 2e-22: a millionth of
what rounding does to a sum, and for fewer than a million rows no digit of the moments
of a component that explains a row's weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.forms.form import ALL_COMPONENTS, Kept

# Nats; from some 37 on a term is lost in the rounding of a sum.
MARGIN = 50.0
# Consecutive rows that share a box: a block has several, and keeps what matters to any.
BOX_ROWS = 128  # pragma: no mutate
# Means of components that stand for all rows, where only an estimate is asked for.
SAMPLED_MEANS = 16  # pragma: no mutate
# Where bounds are worth their time: from so many components for each feature on, up to
# so many features, if no more than this share matters to a row, and where rows are so
# many that their boxes cut each feature into that many parts. Measured on 60,000 rows
# of 20 to 320 components in 1 to 4 features: a pass with bounds takes .3 to .6 of the
# time of one without where a quarter of the components matters, .6 to .9 where half
# does, and 1.5 to 2.3 where all do, as in 4 features they always did.
MIN_COMPONENTS = 40  # pragma: no mutate
MAX_FEATURES = 3  # pragma: no mutate
MAX_SHARE = 0.25  # pragma: no mutate
MIN_PARTS = 12  # pragma: no mutate


@dataclass(frozen=True, eq=False)
class Relevance:
    """Bounds of the joint log-densities of components over boxes.

    Attributes
    ----------
    components : Components
        Of a family that has `products` and `parts`.
    """

    components: Components

    def matters(
        self, low: np.ndarray, high: np.ndarray, some: Kept = ALL_COMPONENTS
    ) -> np.ndarray:
        """Whether components may matter to rows in boxes.

        Parameters
        ----------
        low, high : ndarray of shape (n_boxes, n_features)
            Corners of the boxes. Time O(n_boxes · n_some · n_features).
        some : slice or ndarray of int, default=all
            The components that are looked at.

        Returns
        -------
        matters : ndarray of bool of shape (n_boxes, n_some)
            False only where the bounds prove that leaving them out shows in no digit.
        """
        least, most = self.bounds(low, high, some)
        floor = least.max(axis=1) - np.log(self.components.n_components) - MARGIN
        return ~(most < floor[:, None])  # what is no number proves nothing

    def bounds(
        self, low: np.ndarray, high: np.ndarray, some: Kept = ALL_COMPONENTS
    ) -> tuple[np.ndarray, np.ndarray]:
        """The least and the most that joint log-densities can be in boxes, in nats.

        The parameters are those of :meth:`matters`; both are of shape (n_boxes,
        n_some).
        """
        log_peaks, means, sensitivities, deviations = (
            values[some] for values in self._of_components
        )
        centre, half = low / 2 + high / 2, high / 2 - low / 2  # which do not overflow
        # Features outermost in memory: loops then run along the components.
        steps = np.abs(centre.T[:, :, None] - means.T[:, None, :])
        half = half.T[:, :, None]
        nearest, farthest = (
            distance.transpose(1, 2, 0)
            for distance in (np.maximum(steps - half, 0), steps + half)
        )
        with np.errstate(over="ignore"):  # infinitely far is a bound, too
            least = log_peaks - 0.5 * self._products.reach(sensitivities, farthest)
            most = log_peaks - 0.5 * self._products.least(deviations, nearest)
        return least, most

    def kept(self, X: np.ndarray) -> Kept:
        """The components that may matter to some of the rows of a block."""
        begin = np.arange(0, len(X), BOX_ROWS)
        low, high = (
            extreme.reduceat(X, begin, axis=0).astype(np.float64, copy=False)
            for extreme in (np.minimum, np.maximum)
        )
        # Most are too far from all of the rows.
        whole = low.min(axis=0, keepdims=True), high.max(axis=0, keepdims=True)
        kept = np.flatnonzero(self.matters(*whole)[0])
        if len(begin) > 1:
            kept = kept[self.matters(low, high, kept).any(axis=0)]
        return ALL_COMPONENTS if len(kept) == self.components.n_components else kept

    @cached_property
    def share(self) -> float:
        """About the share of the components that matter to a row: those at a mean."""
        means = self.components.means
        some = means[:: -(-len(means) // SAMPLED_MEANS)]
        return float(self.matters(some, some).mean())

    @property
    def _products(self):
        return self.components.family.asked("products", "a bound")

    @cached_property
    def _of_components(self):
        """Log-peaks, means, sensitivities and standard deviations, one of each."""
        components, own = self.components, self.components.own
        parts = components.family.asked("parts", "a bound")
        return (
            components.log_peaks,
            components.means,
            own(self._products.sensitivities(components.precision_factors)),
            own(parts.deviations(components.cholesky)),
        )


def are_many(n_components: int, n_features: int, n_rows: int | None = None) -> bool:
    """Whether there are enough components, and rows if told, for bounds to pay."""
    if n_features > MAX_FEATURES or n_components < MIN_COMPONENTS * n_features:
        return False
    return n_rows is None or n_rows >= BOX_ROWS * MIN_PARTS**n_features


def relevance_of(components: Components) -> Relevance | None:
    """Which components matter where; None if looking for it would not pay.

    Few components are done with before bounds are found, in many features no block is
    compact, and where most components overlap nearly all of them matter.
    """
    family = components.family
    can_bound = family.products is not None and family.parts is not None
    if not (can_bound and are_many(components.n_components, components.n_features)):
        return None
    relevance = Relevance(components)
    return relevance if relevance.share <= MAX_SHARE else None
