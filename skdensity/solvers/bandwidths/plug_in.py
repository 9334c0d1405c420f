r"""The improved Sheather–Jones bandwidth, for one feature.

Botev, Grotowski and Kroese (2010), doi:10.1214/10-AOS799: the bandwidth that minimises
the asymptotic error needs the norm of a derivative of the density, whose estimate needs
a bandwidth, that of a higher derivative, and so on. The chain is closed by asking that
its first and its last bandwidth agree, without a Gaussian as reference.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.fft import dct
from scipy.optimize import brentq

# Cells of the histogram, and how much wider than the rows it is.
N_CELLS = 2**14
MARGIN = 0.1
# Where exponentials are too small to count.
EXPONENT = 50
# Times between which a fixed point is looked for: from a fraction of the mean distance
# of neighbours, in widths of the histogram, on a grid.
SHORTEST, LONGEST, N_TIMES = 0.1, 0.1, 12
# Length of the chain: the first derivative whose norm is that of a Gaussian kernel.
N_STAGES = 7


def improved_sheather_jones(x: np.ndarray, masses: np.ndarray, n_rows: float) -> float:
    """The bandwidth of distinct numbers with masses.

    Parameters
    ----------
    x : ndarray of shape (n_locations,)
        At least 2 distinct numbers.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    n_rows : float
        Number of independent rows that they stand for.

    Returns
    -------
    bandwidth : float
        In the unit of `x`; that of a Gaussian sample where the chain has no fixed
        point.
    """
    lower, upper = x.min(), x.max()
    width = (1 + 2 * MARGIN) * (upper - lower)
    power = _power((x - lower + MARGIN * (upper - lower)) / width, masses)
    modes = power, *_squares()

    def excess(log_time):
        # Where a stage is too smooth to have a norm, the next is infinitely wide.
        with np.errstate(divide="ignore", over="ignore"):
            norm = _last(np.exp(log_time), modes, n_rows)
            return log_time - np.log(_time(norm, n_rows))

    shortest = (SHORTEST / len(x)) ** 2
    times = np.linspace(np.log(shortest), np.log(LONGEST), N_TIMES)
    signs = np.sign([excess(time) for time in times])
    crossings = np.flatnonzero((signs[:-1] < 0) & (signs[1:] >= 0))
    if len(crossings) == 0:
        deviation = np.sqrt(masses @ (x - masses @ x) ** 2)
        return float((4 / 3 / n_rows) ** 0.2 * deviation)
    first = crossings[0]
    log_time = brentq(excess, times[first], times[first + 1], xtol=1e-12)
    return float(width * np.exp(0.5 * log_time))


def _power(position, masses):
    """Squared cosine coefficients of the density on [0, 1], beyond the constant."""
    # Shared between the two nearest cells, a mass moves smoothly with its position.
    cell = position * N_CELLS - 0.5
    left = np.floor(cell).astype(np.intp)
    part = cell - left
    histogram = np.bincount(left, masses * (1 - part), N_CELLS)
    histogram += np.bincount(left + 1, masses * part, N_CELLS)
    return (dct(histogram, type=2)[1:] / 2) ** 2


@cache
def _squares():
    """Squared frequencies, and their logarithms."""
    squares = np.arange(1, N_CELLS, dtype=np.float64) ** 2
    return squares, np.log(squares)


def _norm(order, time, modes):
    """Squared norm of a derivative of the density, smoothed for some time."""
    n_terms = int(np.sqrt(EXPONENT / time) / np.pi) + 1
    power, squares, log_squares = (array[:n_terms] for array in modes)
    kernel = np.exp(order * log_squares - np.pi**2 * time * squares)
    return 2 * np.pi ** (2 * order) * (power @ kernel)


def _time(norm, n_rows):
    """Time of the best bandwidth, given the norm of the second derivative."""
    return (2 * n_rows * np.sqrt(np.pi) * norm) ** -0.4


def _last(time, modes, n_rows):
    """Norm of the second derivative at the end of the chain that begins at `time`."""
    norm = _norm(N_STAGES, time, modes)
    for order in range(N_STAGES - 1, 1, -1):
        # (2s − 1)!! / √(2π), and the correction of the bias.
        moment = np.prod(np.arange(1, 2 * order, 2)) / np.sqrt(2 * np.pi)
        correction = (1 + 0.5 ** (order + 0.5)) / 3
        time = (2 * correction * moment / (n_rows * norm)) ** (2 / (3 + 2 * order))
        norm = _norm(order, time, modes)
    return norm
