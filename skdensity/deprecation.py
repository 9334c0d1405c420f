"""How something goes: a warning in two minor releases, and then it is gone.

`doc/versions.rst` states the policy. A version in which something goes is a literal in
the code, and `tests/test_deprecation.py` fails once the package is that version: then
the code that the warning is about is to be removed.
"""

import sys
import warnings
from dataclasses import dataclass
from functools import wraps
from inspect import isclass, signature
from types import FrameType
from typing import Any

# The default of a parameter that goes: nobody gave it.
DEPRECATED = "deprecated"
# Warnings are shown where somebody calls these, not where they call each other.
INSIDE = ("skdensity", "sklearn")


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """Since which version something is to go, in which it goes, and what to do.

    Attributes
    ----------
    since, gone_in : str
        Versions: "0.2" warns, "0.4" has it no longer.
    instead : str
        What to do, as a sentence.
    """

    since: str
    gone_in: str
    instead: str

    def warn(self, what: str) -> None:
        """Say that it goes.

        A FutureWarning: Python hides a DeprecationWarning from those who do not test.
        """
        message = (
            f"{what} is deprecated since skdensity {self.since} and is gone in "
            f"{self.gone_in}. {self.instead}"
        )
        warnings.warn(message, FutureWarning, stacklevel=frames_inside() + 1)

    def __call__(self, old: Any) -> Any:
        """Decorate a function, a method or a class that goes.

        An old name is such a function, or a subclass, that calls what has the new name.
        The decorator stands below those of a property or a class method.
        """
        if not isclass(old):
            return self._warned(old, old.__qualname__)
        # In `__init__`, whose signature scikit-learn reads the parameters from.
        old.__init__ = self._warned(  # type: ignore[method-assign]
            old.__init__, old.__qualname__
        )
        return old

    def _warned(self, function, what):
        @wraps(function)
        def warned(*args, **kwargs):
            self.warn(what)
            return function(*args, **kwargs)

        return warned

    def renamed(self, estimator: Any, old: str, new: str) -> Any:
        """Value of a parameter that has a new name; the old one warns and counts.

        It is asked for in `fit`: constructors keep what they are given. The default of
        `old` is `DEPRECATED`, and that of `new` what it always was.

        Raises
        ------
        ValueError
            If both are given.
        """
        name = type(estimator).__name__
        given, value = getattr(estimator, old), getattr(estimator, new)
        if not is_given(given):
            return value
        self.warn(f"{name}({old}=...)")
        default = signature(type(estimator)).parameters[new].default
        if is_given(value, default):
            raise ValueError(
                f"{name} got {new}={value!r} and {old}={given!r}, which is the old "
                f"name of {new}: leave out {old}."
            )
        return given


def is_given(value: Any, default: Any = DEPRECATED) -> bool:
    """Whether a parameter has another value than its default, an array included."""
    return not (type(value) is type(default) and value == default)


def frames_inside() -> int:
    """How many frames above the caller lie in this package or in scikit-learn."""
    frame: FrameType | None = sys._getframe(1)
    n_frames = 0
    while frame is not None and is_inside(frame.f_globals.get("__name__", "")):
        frame, n_frames = frame.f_back, n_frames + 1
    return n_frames


def is_inside(module: str) -> bool:
    """Whether a module belongs to one of those packages."""
    return module.split(".")[0] in INSIDE
