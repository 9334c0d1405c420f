"""Warnings that point to where somebody called the package."""

import sys
import warnings
from types import FrameType

# A warning is about what somebody asked these for, not about how they do it: contextlib
# and joblib run functions of the others.
INSIDE = ("skdensity", "sklearn", "contextlib", "joblib")


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn as of the line that called the package, however deep inside it this is.

    Examples
    --------
    >>> import warnings
    >>> from skdensity.callers import warn_caller
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     warn_caller("Few rows.")
    >>> str(told[0].message), told[0].category.__name__
    ('Few rows.', 'UserWarning')
    """
    warnings.warn(message, category, stacklevel=_frames_inside() + 1)


def _frames_inside() -> int:
    """How many frames lie in these packages, from the caller up."""
    frame: FrameType | None = sys._getframe(1)
    n_frames = 0
    while frame is not None and _is_inside(frame.f_globals.get("__name__", "")):
        frame, n_frames = frame.f_back, n_frames + 1
    return n_frames


def _is_inside(module: str) -> bool:
    return module.split(".")[0] in INSIDE
