"""How kernels are to be added up: how exactly, and by which ways."""

from __future__ import annotations

from dataclasses import dataclass, replace

from skdensity.models.kernels.sums.fourier import COARSE, FULL, Precision

# Relative error of sums that only lead a search.
LEADING = 1e-3


@dataclass(frozen=True)
class Algorithm:
    """Which ways of adding up kernels are taken.

    Attributes
    ----------
    transforms : bool
        Whether transforms are.
    always : bool
        Whether they are wherever they are possible, even if pairs should be faster.
    skips : bool
        Whether pairs that cannot matter are left out where all others are added up.
    """

    transforms: bool = True
    always: bool = False
    skips: bool = True


ALGORITHMS: dict[str, Algorithm] = {
    "auto": Algorithm(),
    "exact": Algorithm(transforms=False, skips=False),
    "nufft": Algorithm(always=True),
}


@dataclass(frozen=True)
class Summation:
    """What is asked of sums of kernels.

    Attributes
    ----------
    rtol : float
        Largest relative error of a sum, wherever it is taken.
    algorithm : Algorithm
        Which ways are taken.
    precision : Precision
        Of transforms.
    """

    rtol: float = 1e-6
    algorithm: Algorithm = ALGORITHMS["auto"]
    precision: Precision = FULL

    @property
    def coarse(self) -> Summation:
        """The same for sums that only lead a search.

        A transform's error comes out as some 1e-6 of its bound: of 100,000 normal rows
        in three features, the largest was 4e-10, and that of the mean 2e-12.
        """
        return replace(self, rtol=max(self.rtol, LEADING), precision=COARSE)


DEFAULT = Summation()
