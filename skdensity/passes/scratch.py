"""Memory that blocks write into, kept from one block to the next."""

from __future__ import annotations

import math

import numpy as np

# Bytes that the processor reads at once: where an array begins then makes no difference
# to which numbers are added up together.
ALIGNMENT = 64


class Scratch:
    """Arrays that a block writes into, kept for the next one.

    A fresh array of a block's size comes from the operating system page by page, which
    costs more than computing its entries.

    Examples
    --------
    >>> from skdensity.passes.scratch import Scratch
    >>> scratch = Scratch()
    >>> first = scratch.array("products", (3, 4))
    >>> second = scratch.array("products", (3, 2))
    >>> second.flags.c_contiguous and first.ctypes.data == second.ctypes.data
    True
    """

    def __init__(self) -> None:
        self._kept: dict[str, np.ndarray] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """An array of float64, contiguous, holding anything; the last of its name."""
        size = math.prod(shape)
        if name not in self._kept or self._kept[name].size < size:
            self._kept[name] = aligned_empty(size)
        return self._kept[name][:size].reshape(shape)


def aligned_empty(size: int) -> np.ndarray:
    """A float64 array of some size that begins at a multiple of `ALIGNMENT` bytes."""
    itemsize = np.dtype(np.float64).itemsize
    memory = np.empty(size * itemsize + ALIGNMENT, dtype=np.uint8)
    begin = -memory.ctypes.data % ALIGNMENT
    return memory[begin : begin + size * itemsize].view(np.float64)
