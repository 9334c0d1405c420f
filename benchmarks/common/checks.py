"""Whether results agree, so that their times compare."""

import numpy as np


def difference(ours, theirs) -> float:
    """Largest difference of two results, relative to the largest number in them."""
    return largest_error(ours, theirs) / float(np.max(np.abs(theirs)))


def largest_error(found, exact) -> float:
    """Largest absolute difference; of log-densities, the density's relative error."""
    with np.errstate(invalid="ignore"):
        return float(np.max(np.abs(np.subtract(found, exact))))


def checked(error: float, tolerance: float) -> float:
    """The same error; ends the script if it is too large for a comparison."""
    if not error <= tolerance:
        raise SystemExit(
            f"The results differ by {error:.0e}, more than {tolerance:.0e}: "
            "they do not compare."
        )
    return error
