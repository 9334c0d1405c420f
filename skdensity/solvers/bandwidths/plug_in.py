r"""The improved Sheather–Jones bandwidth, for one feature.

Botev, Grotowski and Kroese (2010), doi:10.1214/10-AOS799: the bandwidth that minimises
the asymptotic error needs the norm of a derivative of the density, whose estimate needs
a bandwidth, that of a higher derivative, and so on. The chain is closed by asking that
its first and its last bandwidth agree, without a Gaussian as reference.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.fft import dct
from scipy.optimize import brentq

# Fewest and most cells of the histogram, and how many of them there are to a bandwidth
# that a single Gaussian would have.
N_CELLS, MAX_CELLS, PER_BANDWIDTH = 2**14, 2**20, 32
# How much wider than the rows it is, where no bound is nearer.
MARGIN = 0.1
# Wider gaps, in bandwidths of a single Gaussian, separate what does not overlap.
GAP = 25
# Where exponentials are too small to count.
EXPONENT = 50
# Times between which a fixed point is looked for: from a fraction of the mean distance
# of neighbours, in widths of the histogram, on a grid.
SHORTEST, LONGEST, N_TIMES = 0.1, 0.1, 12
# Length of the chain: the first derivative whose norm is that of a Gaussian kernel.
N_STAGES = 7
NO_BOUNDS = -np.inf, np.inf


def improved_sheather_jones(
    x: np.ndarray,
    masses: np.ndarray,
    n_rows: float,
    bounds: tuple[float, float] = NO_BOUNDS,
    step: float = 0.0,
) -> tuple[float, bool]:
    """The bandwidth of numbers with masses.

    Parameters
    ----------
    x : ndarray of shape (n_locations,)
        At least 2 distinct numbers.
    masses : ndarray of shape (n_locations,)
        Positive, summing to 1.
    n_rows : float
        Number of independent rows that they stand for.
    bounds : (float, float), default=(-inf, inf)
        Where kernels are reflected.
    step : float, default=0
        Distance of the grid that numbers were rounded to. Their masses are spread over
        its cells, so that derivatives do not see it, and the bandwidth is at least half
        of it.

    Returns
    -------
    bandwidth : float
        In the unit of `x`.
    is_flat : bool
        Whether the chain has no fixed point, as for uniform numbers within bounds:
        their density is flat. The bandwidth is then the widest candidate, some third of
        the range.
    """
    position, width, n_cells = _closed_up(x, bounds)
    power = _power(position / width, masses, n_cells)
    power *= np.sinc(np.arange(1, n_cells) * step / width / 2) ** 2
    modes = power, *_squares(n_cells)

    def excess(log_time):
        # Where a stage is too smooth to have a norm, the next is infinitely wide.
        with np.errstate(divide="ignore", over="ignore"):
            norm = _last(np.exp(log_time), modes, n_rows)
            return log_time - np.log(_time(norm, n_rows))

    shortest = min(max(SHORTEST / len(x), step / width / 2) ** 2, LONGEST)
    times = np.linspace(np.log(shortest), np.log(LONGEST), N_TIMES)
    signs = np.sign([excess(time) for time in times])
    crossings = np.flatnonzero((signs[:-1] < 0) & (signs[1:] >= 0))
    if signs[0] >= 0:
        log_time = times[0]
    elif len(crossings) == 0:
        log_time = times[-1]
    else:
        first = crossings[0]
        log_time = brentq(excess, times[first], times[first + 1], xtol=1e-12)
    return float(width * np.exp(0.5 * log_time)), bool(np.all(signs < 0))


def _closed_up(x, bounds):
    """Positions in a histogram, its width, and its number of cells.

    The norms of derivatives are sums over parts that do not overlap, wherever they are.
    So gaps are closed up as far as they may be, that outliers do not take all cells.
    """
    values, index = np.unique(x, return_inverse=True)
    n_values = len(values)
    gaps = np.diff(values, prepend=bounds[0], append=bounds[1])
    # A Gaussian's neighbours are about 2.5 h / n^(4/5) apart.
    bandwidth = 0.4 * n_values**0.8 * np.median(gaps[1:-1])
    ends, gaps = gaps[[0, -1]], np.minimum(gaps, GAP * bandwidth)
    # A bound that is far away, or the cut of a long circle, is none.
    gaps[[0, -1]] = np.minimum(ends, MARGIN * gaps[1:-1].sum())
    width = gaps.sum()
    n_cells = 2 ** int(np.ceil(np.log2(PER_BANDWIDTH * width / bandwidth)))
    return np.cumsum(gaps)[:-1][index], width, int(np.clip(n_cells, N_CELLS, MAX_CELLS))


def _power(position, masses, n_cells):
    """Squared cosine coefficients of the density on [0, 1], beyond the constant."""
    # Shared between the two nearest cells, a mass moves smoothly with its position. At
    # the ends, the outer half of a cell is that of the one within.
    cell = np.clip(position * n_cells - 0.5, 0, n_cells - 1)
    left = np.minimum(np.floor(cell).astype(np.intp), n_cells - 2)
    part = cell - left
    histogram = np.bincount(left, masses * (1 - part), n_cells)
    histogram += np.bincount(left + 1, masses * part, n_cells)
    return (dct(histogram, type=2)[1:] / 2) ** 2


@lru_cache(maxsize=2)
def _squares(n_cells):
    """Squared frequencies, and their logarithms."""
    squares = np.arange(1, n_cells, dtype=np.float64) ** 2
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
