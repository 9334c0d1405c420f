r"""Sums of kernels in one to three dimensions by non-uniform Fourier transforms.

.. math::

    \sum_j m_j e^{-|q - x_j|^2 / 2h^2}
    = \sum_\omega \hat c_\omega \hat k_\omega e^{i \omega \cdot q}, \qquad
    \hat c_\omega = \sum_j m_j e^{-i \omega \cdot x_j}

on a box so long that its periodic images do not matter, or that repeats just as the
sources do, over the frequencies that the kernel leaves: a transform of the sources, a
product, a transform to the queries (Barnett, Magland and af Klinteberg 2019,
doi:10.1137/18M120885X). Derivatives of the kernel are factors of its modes.

The error is *absolute*, at full precision some 1e-14 of a kernel's peak: a sum that is
too small for a relative error must be computed in another way. What coordinates lose as
angles moves a point by some 1e-16 of the box, which no box of memory's size can show.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skdensity.models.kernels.statistics import PairStatistic
from skdensity.passes.workspace import Workspace

try:
    import finufft
except ImportError:  # there is no wheel for this platform: other ways give the same
    finufft = None

MAX_FEATURES = 3
# Points of the grid that is transformed, twice as many as modes along every axis; they
# take 16 bytes each.
MAX_GRID = 2**24


def can_transform(n_features: int) -> bool:
    """Whether there is a transform for so many features."""
    return finufft is not None and n_features <= MAX_FEATURES


@dataclass(frozen=True)
class Precision:
    """What transforms are asked for.

    Attributes
    ----------
    eps : float
        Error relative to a sum of moduli.
    upsampling : float
        Points of the grid to a mode, along every axis; few suffice for few digits.

    Examples
    --------
    >>> from skdensity.models.kernels.sums.fourier import COARSE, FULL
    >>> FULL.loss, COARSE.loss, round(float(COARSE.support), 2)
    (2e-14, 2e-09, 6.79)
    """

    eps: float
    upsampling: float

    @property
    def loss(self) -> float:
        """A bound on what is lost of a sum of moduli."""
        return 2 * self.eps

    @cached_property
    def support(self) -> float:
        """Beyond so many bandwidths a kernel, or its transform, is below the loss."""
        return float(np.sqrt(-2 * np.log(0.1 * self.eps)))


FULL = Precision(1e-14, 2.0)
# On 100,000 rows a third of the time in three features.
COARSE = Precision(1e-9, 1.25)


@dataclass(frozen=True, eq=False)
class Box:
    """A periodic box that holds sources and queries, and the modes of kernels in it.

    Attributes
    ----------
    lower, upper : ndarray of shape (n_features,)
        Corners.
    bandwidth : float
        Standard deviation of the kernels.
    repeats : ndarray of shape (n_features,) or float, default=inf
        After how much the sources themselves repeat.
    precision : Precision, default=FULL
        Of the transforms.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.models.kernels.sums.fourier import Box
    >>> Box(np.zeros(2), np.array([1.0, 2.0]), bandwidth=0.1).n_modes
    (51, 77)
    """

    lower: np.ndarray
    upper: np.ndarray
    bandwidth: float
    repeats: np.ndarray | float = np.inf
    precision: Precision = FULL

    @cached_property
    def period(self) -> np.ndarray:
        """So long that no kernel reaches a query around the end of the box.

        Or as long as that of the sources, whose images are then those of the box.
        """
        longest = self.upper - self.lower + self.precision.support * self.bandwidth
        return np.minimum(longest, self.repeats)

    @cached_property
    def n_modes(self) -> tuple[int, ...]:
        """Frequencies along each axis, up to where the kernel's transform ends."""
        support = self.precision.support
        with np.errstate(over="ignore"):
            highest = support * self.period / (2 * np.pi * self.bandwidth)
        # So many that they do not fit are no matter, and may be infinite.
        highest = np.minimum(np.ceil(highest), MAX_GRID)
        return tuple(2 * int(n) + 1 for n in highest)

    @property
    def size(self) -> float:
        """Number of modes."""
        return math.prod(map(float, self.n_modes))

    @property
    def fits(self) -> bool:
        """Whether there is memory for the transforms."""
        return self.size * 2 ** len(self.n_modes) <= MAX_GRID

    def at(self, precision: Precision) -> Box:
        """The same box, for transforms of some precision."""
        return (
            self if precision is self.precision else replace(self, precision=precision)
        )

    @property
    def how(self) -> dict[str, float]:
        """What a transform is asked for."""
        return {"eps": self.precision.eps, "upsampfac": self.precision.upsampling}

    def angles(self, points: np.ndarray) -> list[np.ndarray]:
        """Every feature as an angle from −π to π."""
        centre = 0.5 * (self.lower + self.upper)
        angles = (points - centre) * (2 * np.pi / self.period)
        return [np.ascontiguousarray(column) for column in angles.T]

    @property
    def omega(self) -> list[np.ndarray]:
        """Frequencies along every axis, in units of 1/h, shaped to broadcast."""
        steps = 2 * np.pi * self.bandwidth / self.period
        axes = [
            step * np.arange(-(n // 2), n // 2 + 1)
            for step, n in zip(steps, self.n_modes, strict=True)
        ]
        return list(np.meshgrid(*axes, indexing="ij", sparse=True))

    @property
    def kernel(self) -> Iterator[np.ndarray]:
        """The kernel's transform, a factor for every axis."""
        for omega, period in zip(self.omega, self.period, strict=True):
            peak = np.sqrt(2 * np.pi) * self.bandwidth / period
            yield peak * np.exp(-0.5 * omega**2)


@dataclass(frozen=True, eq=False)
class Modes:
    """Kernels around some points, transformed.

    Attributes
    ----------
    box : Box
        Holds the points, and says how wide the kernels are.
    values : ndarray of shape ``box.n_modes``
        Coefficients, in complex128.
    moduli : float
        What errors are relative to: the sum of the masses and of the modes' moduli.
    """

    box: Box
    values: np.ndarray
    moduli: float

    @classmethod
    def of(cls, points: np.ndarray, masses: np.ndarray, box: Box) -> Modes:
        """Transform points with masses; each kernel is 1 at its centre, times its mass.

        With one thread, as several would add in any order.
        """
        transform = getattr(finufft, f"nufft{points.shape[1]}d1")
        how = {"isign": -1, "nthreads": 1, "n_modes": box.n_modes, **box.how}
        modes = transform(*box.angles(points), masses.astype(np.complex128), **how)
        for kernel in box.kernel:
            modes *= kernel
        return cls(box, modes, float(masses.sum() + np.abs(modes).sum()))


def fourier_sums(
    queries: np.ndarray,
    modes: Modes,
    statistic: PairStatistic,
    workspace: Workspace,
    n_parts: int = 1,
) -> tuple[np.ndarray, float]:
    """Sums of kernels, and of kernels times a statistic.

    Time O(n_queries + n_modes log n_modes), memory O(n_modes).

    Parameters
    ----------
    queries : ndarray of shape (n_queries, n_features)
        Where to evaluate, in the box.
    modes : Modes
        The kernels.
    statistic : PairStatistic
        What else to multiply them with.
    workspace : Workspace
        Threads to work on parts of the queries.
    n_parts : int, default=1
        Parts of the queries; it shows in no digit.

    Returns
    -------
    sums : ndarray of shape (1 + n_columns, n_queries)
        Neither logarithms nor means, as a sum may come out negative.
    error : float
        Bound on the absolute error of the first row.
    """
    factors = [1.0, *statistic.multipliers(modes.box.omega)]
    parts = workspace.map(
        lambda part: _transformed(part, modes, factors),
        np.array_split(queries, n_parts),
        few=1,
    )
    sums = np.concatenate(list(parts), axis=1)
    return sums, modes.box.precision.loss * modes.moduli


def _transformed(queries, modes, factors):
    """Sums of kernels times every factor."""
    transform = getattr(finufft, f"nufft{queries.shape[1]}d2")
    # With one thread of its own, as the last digits depend on their number.
    how = {"isign": 1, "nthreads": 1, **modes.box.how}
    angles, sums = modes.box.angles(queries), []
    # All sums are real: one transform yields two, one of them times i.
    for real, imaginary in _in_twos(factors):
        both = transform(*angles, modes.values * (real + 1j * imaginary), **how)
        sums += [both.real, both.imag]
    return np.array(sums[: len(factors)])


def _in_twos(factors):
    if len(factors) % 2:
        factors = [*factors, 0.0]
    return zip(factors[::2], factors[1::2], strict=True)
