"""A picture of how a bandwidth was chosen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skdensity.densities.loo_kernel_density import LOOKernelDensity
from skdensity.displays.drawing import COLOURS, axes_for
from skdensity.passes.workspace import Workspace
from skdensity.rows.repeats import repeats_in
from skdensity.solvers.bandwidths.problem import Problem, reference
from skdensity.solvers.bandwidths.rules import BANDWIDTHS
from skdensity.uses.unwrapped import unwrapped


class BandwidthDisplay:
    """The score of bandwidths, with the one that was chosen.

    Use :meth:`from_estimator`.

    Parameters
    ----------
    bandwidths : ndarray of shape (n_tried,)
        Widths that were tried, ascending.
    scores : ndarray of shape (n_tried,)
        Their scores.
    chosen : float
        The width that was chosen.
    others : dict of str to float
        Widths that other rules choose.
    ylabel : str
        What the scores are.

    Attributes
    ----------
    ax_ : Axes
        The axes.
    figure_ : Figure
        The figure.

    See Also
    --------
    DensityDisplay : Shows the density.

    Notes
    -----
    For kernels with several widths the axis is their geometric mean. The axes show the
    scores from a fifth of the smallest mark to five times the largest.

    Examples
    --------
    >>> from skdensity import BandwidthDisplay, LOOKernelDensity
    >>> from skdensity.datasets import make_mixture_1d
    >>> X, _ = make_mixture_1d()
    >>> density = LOOKernelDensity().fit(X)
    >>> display = BandwidthDisplay.from_estimator(density, rules=["scott"])
    >>> round(display.chosen, 3), round(display.others["scott"], 3)
    (0.296, 0.891)
    """

    def __init__(
        self,
        *,
        bandwidths: np.ndarray,
        scores: np.ndarray,
        chosen: float,
        others: dict[str, float],
        ylabel: str,
    ) -> None:
        self.bandwidths = bandwidths
        self.scores = scores
        self.chosen = chosen
        self.others = others
        self.ylabel = ylabel

    @classmethod
    def from_estimator(
        cls,
        estimator: LOOKernelDensity,
        X: ArrayLike | None = None,
        *,
        rules: Sequence[str] = (),
        n_points: int = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the scores of the bandwidths that a fit tried.

        The curve is the criterion that the fit maximised, and a line marks its choice.

        Parameters
        ----------
        estimator : LOOKernelDensity
            Fitted by a search: ``"loo"``, ``"robust_loo"`` or ``"lscv"``.
        X : array-like of shape (n_samples, n_features), default=None
            Ignored: the fit has its rows and their weights. Present by convention.
        rules : list of str, default=()
            Other values of `bandwidth`, to mark what they choose for the same rows.
        n_points : int, default=0
            Further widths, from a fifth to five times the chosen one, that the
            criterion of the fit scores; for a spherical kernel.
        ax : Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : BandwidthDisplay
            Drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no scores of bandwidths.
        ValueError
            If there is no rule of a name, or `n_points` is given for kernels that
            have more than one width.

        See Also
        --------
        plot : Draw again, elsewhere or in another style.

        Examples
        --------
        >>> from skdensity import BandwidthDisplay, LOOKernelDensity
        >>> density = LOOKernelDensity().fit([[0.0], [1.0], [3.0], [3.5]])
        >>> BandwidthDisplay.from_estimator(density).ax_.get_xscale()
        'log'
        """
        check_is_fitted(estimator)
        estimator = unwrapped(estimator)
        rule = _search_of(estimator)
        widths = np.array([_width(bandwidth) for bandwidth in estimator.bandwidths_])
        scores, chosen = estimator.loo_scores_, _width(estimator.bandwidth_)
        if n_points:
            more = chosen * np.geomspace(0.2, 5, n_points)
            widths = np.append(widths, more)
            scores = np.append(scores, _scores_of(estimator, more))
        order = np.argsort(widths, kind="stable")
        display = cls(
            bandwidths=widths[order],
            scores=scores[order],
            chosen=chosen,
            others={
                name: _width(_refitted(estimator, name).bandwidth_) for name in rules
            },
            ylabel=rule.label,
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        line_kw: dict | None = None,
        mark_kw: dict | None = None,
    ) -> Self:
        """Draw the scores.

        A curve of scores, a line at the choice, and one at the choice of every other
        rule.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None makes a new figure.
        line_kw : dict, default=None
            Passed to ``Axes.plot`` for the scores.
        mark_kw : dict, default=None
            Passed to ``Axes.axvline`` for the marks.

        Returns
        -------
        self : BandwidthDisplay
            With the attributes `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not there.
        ValueError
            If `ax` has the wrong number of axes.

        See Also
        --------
        from_estimator : Compute and draw.

        Examples
        --------
        >>> from skdensity import BandwidthDisplay, LOOKernelDensity
        >>> density = LOOKernelDensity().fit([[0.0], [1.0], [3.0], [3.5]])
        >>> display = BandwidthDisplay.from_estimator(density)
        >>> display.plot(line_kw={"marker": "s"}).ax_.lines[0].get_marker()
        's'
        """
        self.ax_ = axes_for(ax, type(self).__name__)[0, 0]
        self.figure_ = self.ax_.figure
        line = {"color": COLOURS[0], "marker": "o", "markersize": 3.5}
        self.ax_.plot(self.bandwidths, self.scores, **{**line, **(line_kw or {})})
        self.ax_.set(xscale="log", xlabel="bandwidth", ylabel=self.ylabel)
        self._zoom()
        marks = {"chosen": self.chosen, **self.others}
        for i, (name, width) in enumerate(marks.items()):
            mark = {"color": COLOURS[1 + i % (len(COLOURS) - 1)], "linestyle": "--"}
            label = f"{name}: {width:.3g}"
            self.ax_.axvline(width, **{**mark, "label": label, **(mark_kw or {})})
        self.ax_.legend(loc="lower center")
        return self

    def _zoom(self):
        """Show the widths around the best, not the depths of those far from it."""
        widths = [self.chosen, *self.others.values()]
        lower, upper = min(widths) / 5, max(widths) * 5
        shown = (self.bandwidths >= lower) & (self.bandwidths <= upper)
        bottom, top = self.scores[shown].min(), self.scores[shown].max()
        margin = 0.08 * (top - bottom) or 1.0
        self.ax_.set(xlim=(lower, upper), ylim=(bottom - margin, top + margin))


def _search_of(estimator):
    """The rule whose scores a fit has; what was set since makes them another's."""
    rule = BANDWIDTHS.get(str(getattr(estimator, "bandwidth", None)))
    if rule is None or not rule.searches or not hasattr(estimator, "loo_scores_"):
        known = [repr(name) for name, rule in BANDWIDTHS.items() if rule.searches]
        raise TypeError(
            "BandwidthDisplay is for LOOKernelDensity fitted with bandwidth="
            f"{', '.join(known[:-1])} or {known[-1]}; got {estimator!r}."
        )
    return rule


def _width(bandwidth):
    """Geometric mean of a kernel's widths."""
    if np.ndim(bandwidth) == 2:
        return float(np.exp(np.linalg.slogdet(bandwidth)[1] / (2 * len(bandwidth))))
    return float(np.exp(np.mean(np.log(bandwidth))))


def _scores_of(estimator, widths):
    """Scores of ascending widths, as the search of the fit has them."""
    located = estimator._model()
    if not located.shape.is_width:
        raise ValueError(
            "`n_points` is for kernels of one width; these have covariance_type="
            f"{estimator.covariance_type!r}. Leave it at 0, or fit 'spherical' ones."
        )
    repeats = repeats_in(located.locations, located.masses)
    unit = reference(located.unrolled, repeats, located.shape)
    kernels = located.with_kernel(unit)
    criterion: Any = _search_of(estimator).criterion
    with Workspace(estimator.n_jobs) as workspace, workspace:
        problem = Problem.of(kernels, repeats, workspace)
        factors = widths[::-1] / kernels.bandwidth
        trials = problem.left_out(criterion).scored(factors)
    return [trial.score for trial in reversed(trials)]


def _refitted(estimator, rule):
    """The estimator by another rule, of the same rows and weights."""
    other = clone(estimator).set_params(bandwidth=rule)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of ties, told when it was fitted
        return other.fit(estimator.locations_, sample_weight=estimator.weights_)
