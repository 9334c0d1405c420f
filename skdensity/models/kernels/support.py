"""Where rows can be: every feature on a line, a half line, an interval or a circle.

A kernel that would leave is folded back. A half line and an interval reflect it, as if
there were a mirror at each end; two mirrors repeat all images after twice the distance
between them. A circle repeats without a mirror. So there are only two things to know of
a feature: after which period images repeat, and where there is a mirror.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product

import numpy as np


@dataclass(frozen=True)
class Axis:
    """The values that a feature can have.

    Attributes
    ----------
    lower, upper : float
        Ends, infinite where there is none.
    is_circle : bool
        Whether one end is the other; what is between them is one turn, cut anywhere.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.kernels.support import Axis
    >>> Axis(0.0, 1.0).fold(np.array([-0.25, 2.75]))
    array([0.25, 0.75])
    >>> Axis(0.0, 24.0, is_circle=True).fold(np.array([-1.0, 24.0, 49.5]))
    array([23. ,  0. ,  1.5])
    """

    lower: float = -np.inf
    upper: float = np.inf
    is_circle: bool = False

    @property
    def has_mirror(self) -> bool:
        """Whether an end reflects."""
        return not self.is_circle and bool(np.isfinite([self.lower, self.upper]).any())

    @property
    def node(self) -> float:
        """A finite end, if there is one: where images are counted from."""
        return self.lower if np.isfinite(self.lower) else self.upper

    @property
    def period(self) -> float:
        """After how much the images of a value repeat; infinite if they do not."""
        return (1 if self.is_circle else 2) * (self.upper - self.lower)

    def contains(self, x: np.ndarray) -> np.ndarray:
        """Whether there are such values; a circle has them all."""
        if self.is_circle:
            return np.ones(len(x), dtype=bool)
        return (x >= self.lower) & (x <= self.upper)

    def wrap(self, x: np.ndarray) -> np.ndarray:
        """Values on a circle taken modulo its period; others as they are."""
        if not self.is_circle:
            return x
        turned = self.lower + np.mod(x.astype(np.float64) - self.lower, self.period)
        turned = turned.astype(x.dtype)
        # A tiny negative number is a whole period in floating point, which is none.
        turned[turned >= self.upper] = self.lower
        return turned

    def fold(self, x: np.ndarray) -> np.ndarray:
        """Values brought back to where they can be, of the same dtype."""
        if not self.has_mirror:
            return self.wrap(x)
        distance = np.abs(x - self.node)
        if np.isfinite(self.period):
            distance = np.mod(distance, self.period)
            distance = np.minimum(distance, self.period - distance)
        folded = self.node + (distance if self.node == self.lower else -distance)
        return np.clip(folded, self.lower, self.upper)

    def mirrored(self, x: np.ndarray) -> list[np.ndarray]:
        """Values and their reflection: all images but for whole periods."""
        return [x, 2 * self.node - x] if self.has_mirror else [x]

    def images(self, x: np.ndarray, reach: float) -> list[np.ndarray]:
        """Values, and all images within reach of the ends; some are farther."""
        if not np.isfinite(self.period):
            return self.mirrored(x)
        n_turns = int(np.ceil(reach / self.period)) + 1
        shifts = self.period * np.arange(-n_turns, n_turns + 1)
        return [copy + shift for copy in self.mirrored(x) for shift in shifts]

    def cut(self, x: np.ndarray, masses: np.ndarray) -> Axis:
        """The same circle, cut where its values vary the least on the line.

        Then their mean is the intrinsic mean of the circle (Hotz and Huckemann 2015,
        doi:10.1007/s10463-013-0444-7), in the middle of its turn or nearly.
        """
        if not self.is_circle:
            return self
        order = np.argsort(x, kind="stable")
        x, masses = x[order].astype(np.float64) - self.lower, masses[order]
        # Moments when the first k of the sorted values go around once more.
        moved = np.concatenate([[0.0], np.cumsum(masses)[:-1]])
        gain = np.concatenate([[0.0], np.cumsum(masses * x)[:-1]])
        means = masses @ x + self.period * moved
        variances = self.period * (2 * gain + self.period * moved) - means**2
        k = int(np.argmin(variances))
        before = x[k - 1] if k else x[-1] - self.period
        lower = self.lower + 0.5 * (before + x[k])
        return replace(self, lower=lower, upper=lower + self.period)


@dataclass(frozen=True, eq=False)
class Support:
    """The rows that a density is for: a product of axes.

    Attributes
    ----------
    axes : mapping of int to Axis
        Of the features that are more than a line.
    """

    axes: Mapping[int, Axis] = field(default_factory=dict)

    @classmethod
    def of(
        cls, bounds: np.ndarray | None = None, periods: np.ndarray | None = None
    ) -> Support:
        """The support within bounds and around circles.

        Parameters
        ----------
        bounds : ndarray of shape (n_features, 2), optional
            Lower and upper ends, infinite where there is none.
        periods : ndarray of shape (n_features,), optional
            Lengths of circles from 0, infinite for what is none.
        """
        axes = {}
        for feature, (lower, upper) in enumerate([] if bounds is None else bounds):
            if np.isfinite(lower) or np.isfinite(upper):
                axes[feature] = Axis(float(lower), float(upper))
        for feature, period in enumerate([] if periods is None else periods):
            if np.isfinite(period):
                axes[feature] = Axis(0.0, float(period), is_circle=True)
        return cls(axes)

    @cached_property
    def _circles(self):
        """The features on circles."""
        return [k for k, axis in self.axes.items() if axis.is_circle]

    @property
    def is_open(self) -> bool:
        """Whether rows can be anywhere."""
        return not self.axes

    def axis(self, feature: int) -> Axis:
        """That of a feature."""
        return self.axes.get(feature, LINE)

    def bounds(self, n_features: int) -> np.ndarray | None:
        """Ends that reflect, of shape (n_features, 2); None without any."""
        walls = {k: axis for k, axis in self.axes.items() if not axis.is_circle}
        if not walls:
            return None
        ends = [walls.get(feature, LINE) for feature in range(n_features)]
        return np.array([(axis.lower, axis.upper) for axis in ends])

    def circles(self, n_features: int) -> list[float | None] | None:
        """The period of every feature that is a circle; None without any."""
        if not self._circles:
            return None
        axes = map(self.axis, range(n_features))
        return [axis.period if axis.is_circle else None for axis in axes]

    def periods(self, n_features: int) -> np.ndarray:
        """After how much images repeat along every feature; infinite for none."""
        return np.array([self.axis(feature).period for feature in range(n_features)])

    def circumferences(self, n_features: int) -> np.ndarray | None:
        """The period of every circle, and 0 for what is none; None without any."""
        periods = self.circles(n_features)
        return None if periods is None else np.array([p or 0.0 for p in periods])

    def unrolled(self, X: np.ndarray) -> np.ndarray:
        """Rows of which the features on circles are from 0 to their periods."""
        X = X.copy() if self._circles else X
        for k in self._circles:
            turn = Axis(0.0, self.axes[k].period, is_circle=True)
            X[:, k] = turn.wrap(X[:, k] - self.axes[k].lower)
        return X

    def off_circles(self, X: np.ndarray) -> np.ndarray:
        """Rows with 0 for the features on circles."""
        X = X.copy() if self._circles else X
        X[:, self._circles] = 0
        return X

    def part(self, features: Sequence[int] | np.ndarray) -> Support:
        """The support of some features, in the order that they are given."""
        found = {new: self.axes.get(int(old)) for new, old in enumerate(features)}
        return Support({new: axis for new, axis in found.items() if axis is not None})

    def ends(self, n_features: int) -> np.ndarray:
        """Lower and upper ends of all features, of shape (2, n_features)."""
        axes = [self.axis(feature) for feature in range(n_features)]
        return np.array([[a.lower for a in axes], [a.upper for a in axes]])

    def with_ends(self, ends: np.ndarray) -> Support:
        """The same support in other units."""
        moved = {
            k: replace(axis, lower=float(ends[0, k]), upper=float(ends[1, k]))
            for k, axis in self.axes.items()
        }
        return Support(moved)

    def cut(self, X: np.ndarray, masses: np.ndarray) -> Support:
        """The same support, whose circles are cut where rows vary the least."""
        cuts = {k: axis.cut(X[:, k], masses) for k, axis in self.axes.items()}
        return Support(cuts)

    def contains(self, X: np.ndarray) -> np.ndarray:
        """Which rows can be, of shape (n_samples,)."""
        inside = np.ones(len(X), dtype=bool)
        for k, axis in self.axes.items():
            inside &= axis.contains(X[:, k])
        return inside

    def wrap(self, X: np.ndarray) -> np.ndarray:
        """Rows of which the features on circles are taken modulo their periods."""
        X = X.copy() if self._circles else X
        for k in self._circles:
            X[:, k] = self.axes[k].wrap(X[:, k])
        return X

    def fold(self, X: np.ndarray) -> np.ndarray:
        """Rows brought back to where they can be."""
        X = X if self.is_open else X.copy()
        for k, axis in self.axes.items():
            X[:, k] = axis.fold(X[:, k])
        return X

    def mirrored(self, X: np.ndarray) -> np.ndarray:
        """Rows, and all their reflections but for whole periods.

        Returns
        -------
        X : ndarray of shape (n_copies * n_samples, n_features)
            The rows first; every mirror doubles their number.
        """
        if self.is_open:
            return X
        columns = [self.axis(k).mirrored(x) for k, x in enumerate(X.T)]
        return np.vstack([np.column_stack(copy) for copy in product(*columns)])

    def nearest(self, X: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """Rows moved by whole periods, as near to a centre as they can be."""
        repeating = [k for k, axis in self.axes.items() if np.isfinite(axis.period)]
        X = X.copy() if repeating else X
        for k in repeating:
            period, middle = self.axes[k].period, centre[..., k]
            X[:, k] -= period * np.rint((X[:, k] - middle) / period)
        return X


LINE, OPEN = Axis(), Support()
