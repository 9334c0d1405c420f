"""Numbers with few significant digits: the larger they are, the coarser their grid."""

from __future__ import annotations

import numpy as np

# Digits that are looked for; with more, values hardly coincide.
MAX_DIGITS = 5
# Numbers on one grid would by chance have so few digits once in so many columns, as a
# power of ten.
LOG_CHANCE = -6.0
# How far numbers may be off their digits, as a share of the step.
OFF_GRID = 1e-6


def digits_of(values: np.ndarray, step: float) -> int:
    """Significant digits that numbers were rounded to; 0 if that is not what they were.

    Integers up to 999 have no more than three, too. But where small numbers are no
    multiples of ten, a large one is by chance one time in ten.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Distinct numbers.
    step : float
        Of the grid that holds all of them, or 0.

    Returns
    -------
    n_digits : int
        At most `MAX_DIGITS`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.digits import digits_of
    >>> digits_of(np.array([1.7, 9.9, 23, 40, 67, 120, 140, 260, 970]), 0.1)
    2
    >>> digits_of(np.arange(1.0, 1000.0), 1.0)
    0
    """
    for n_digits in range(1, MAX_DIGITS + 1):
        steps = steps_of(values, n_digits)
        if steps.min() == 0:  # of numbers that have hardly any digits as floats
            return 0
        off = np.abs(values - steps * np.round(values / steps))
        if np.all(off <= OFF_GRID * steps):
            by_chance = np.minimum((step or steps.min()) / steps, 1)
            return n_digits if np.log10(by_chance).sum() < LOG_CHANCE else 0
    return 0


def steps_of(values: np.ndarray, n_digits: int) -> np.ndarray:
    """Distance of numbers with so many digits, of shape (n_values,); 0 is small.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.digits import steps_of
    >>> steps_of(np.array([0.0, 12.0, 370.0]), 2)
    array([ 1.,  1., 10.])
    """
    sizes = np.abs(values.astype(np.float64))
    sizes = np.maximum(sizes, sizes[sizes > 0].min())
    # Logarithms of powers of ten may be below them by rounding.
    return 10.0 ** (np.floor(np.log10(sizes) + 1e-12) + 1 - n_digits)


def places(values: np.ndarray, n_digits: int) -> np.ndarray:
    """Numbers of cells, from 0 on, one for each number with so many digits.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.rows.digits import places
    >>> places(np.array([98.0, 99.0, 100.0, 110.0]), 2)
    array([0, 1, 2, 3])
    """
    steps = steps_of(values, n_digits)
    decades = np.round(np.log10(steps / steps.min()))
    numbers = 9 * 10 ** (n_digits - 1) * decades + np.round(np.abs(values) / steps)
    signed = (np.sign(values) * numbers).astype(np.int64)
    return signed - signed.min()
