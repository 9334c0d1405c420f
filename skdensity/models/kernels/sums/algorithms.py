"""How kernels are to be added up: how exactly, and by which ways."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    rtol: float = 1e-6
    algorithm: Algorithm = ALGORITHMS["auto"]


DEFAULT = Summation()
