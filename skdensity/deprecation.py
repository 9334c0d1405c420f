"""How something goes: a warning in two minor releases, and then it is gone.

`doc/versions.rst` states the policy. A version in which something goes is a literal in
the code, and `tests/test_deprecation.py` fails once the package is that version: then
the code that the warning is about is to be removed.
"""

from dataclasses import dataclass
from functools import wraps
from inspect import isclass, signature
from typing import Any

from skdensity.callers import warn_caller

# The default of a parameter that goes: nobody gave it.
DEPRECATED = "deprecated"


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
        warn_caller(message, FutureWarning)

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
