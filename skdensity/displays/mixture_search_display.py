"""A picture of the table that a search for a mixture has filled."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skdensity.displays.drawing import COLOURS, axes_for
from skdensity.uses.gaussian_mixture_search import GaussianMixtureSearch

# Heights of the marks of failed cells, as shares of the axes: the first, and the step
# from one family's to the next.
FOOT, STEP = 0.02, 0.025
CROSS = {"marker": "x", "s": 18}


class MixtureSearchDisplay:
    """A criterion of mixtures over their number of components, a curve for each family.

    Use :meth:`from_estimator`.

    Parameters
    ----------
    n_components : ndarray of shape (n_numbers,)
        Numbers of components that were tried, ascending.
    curves : dict of str to ndarray of shape (n_numbers,)
        The criterion of each family, NaN where it has no mixture.
    chosen : tuple of str and int
        Family and number of components of the best mixture.
    ylabel : str
        What the criterion is.

    Attributes
    ----------
    ax_ : Axes
        The axes.
    figure_ : Figure
        The figure.

    See Also
    --------
    MixtureDisplay : Shows the mixture that was chosen.

    Notes
    -----
    Lower is better. The axes show the least value of every curve, and may cut off
    others. A cross at the foot is a mixture that does not count; `results_` of the
    search says why.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdensity import GaussianMixtureSearch, MixtureSearchDisplay
    >>> X = load_iris().data
    >>> search = GaussianMixtureSearch(range(1, 4), ["full", "tied"], random_state=0)
    >>> display = MixtureSearchDisplay.from_estimator(search.fit(X))
    >>> display.chosen
    ('full', 2)
    """

    def __init__(
        self,
        *,
        n_components: np.ndarray,
        curves: dict[str, np.ndarray],
        chosen: tuple[str, int],
        ylabel: str,
    ) -> None:
        self.n_components = n_components
        self.curves = curves
        self.chosen = chosen
        self.ylabel = ylabel

    @classmethod
    def from_estimator(
        cls,
        estimator: GaussianMixtureSearch,
        *,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the criterion that a search chose by.

        The circle is the mixture that has the least.

        Parameters
        ----------
        estimator : GaussianMixtureSearch
            Fitted.
        ax : Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : MixtureSearchDisplay
            Drawn.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        TypeError
            If it is something else.

        See Also
        --------
        plot : Draw again, elsewhere or in another style.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import GaussianMixtureSearch, MixtureSearchDisplay
        >>> search = GaussianMixtureSearch(range(1, 4), "tied", random_state=0)
        >>> search = search.fit(load_iris().data)
        >>> MixtureSearchDisplay.from_estimator(search).ax_.get_ylabel()
        'BIC, nats'
        """
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        if not isinstance(estimator, GaussianMixtureSearch):
            raise TypeError(
                "MixtureSearchDisplay is for GaussianMixtureSearch; got "
                f"{type(estimator).__name__}."
            )
        check_is_fitted(estimator)
        results, criterion = estimator.results_, estimator.criterion
        families = results["covariance_type"]
        # Families come one after the other, with the same numbers of components.
        names = list(dict.fromkeys(families.tolist()))
        best = estimator.best_params_
        display = cls(
            n_components=results["n_components"][families == names[0]],
            curves={name: results[criterion][families == name] for name in names},
            chosen=(best["covariance_type"], best["n_components"]),
            ylabel=f"{criterion.upper()}, nats",
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        line_kw: dict | None = None,
        mark_kw: dict | None = None,
    ) -> Self:
        """Draw the curves.

        One for each family, a circle about the best mixture, and a cross for each that
        does not count.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None makes a new figure.
        line_kw : dict, default=None
            Passed to ``Axes.plot`` for the curves.
        mark_kw : dict, default=None
            Passed to ``Axes.scatter`` for the circle about the best.

        Returns
        -------
        self : MixtureSearchDisplay
            With the attributes `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not there.
        ValueError
            If `ax` has the wrong number of axes.

        See Also
        --------
        from_estimator : Take the values from a search, and draw.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import GaussianMixtureSearch, MixtureSearchDisplay
        >>> search = GaussianMixtureSearch(range(1, 4), "tied", random_state=0)
        >>> search = search.fit(load_iris().data)
        >>> display = MixtureSearchDisplay.from_estimator(search)
        >>> display.plot(line_kw={"linestyle": ":"}).ax_.lines[0].get_linestyle()
        ':'
        """
        self.ax_ = axes_for(ax, type(self).__name__)[0, 0]
        self.figure_ = self.ax_.figure
        for i, (name, values) in enumerate(self.curves.items()):
            line = {
                "color": COLOURS[i % len(COLOURS)],
                "marker": "o",
                "markersize": 3.5,
            }
            line = {**line, "label": name, **(line_kw or {})}
            self.ax_.plot(self.n_components, values, **line)
            self._mark_failures(values, FOOT + i * STEP, line["color"])
        self.ax_.set(xlabel="components", ylabel=self.ylabel)
        self.ax_.locator_params(axis="x", integer=True)
        self._zoom()
        self._explain_failures()
        self._mark_best(mark_kw or {})
        # Beside the curves, which leave no corner free, where that is our own room.
        beside = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False}
        self.ax_.legend(**(beside if ax is None else {}))
        return self

    def _mark_failures(self, values, height, colour):
        failed = self.n_components[np.isnan(values)]
        at_the_foot = self.ax_.get_xaxis_transform()
        marks = {**CROSS, "color": colour, "transform": at_the_foot}
        self.ax_.scatter(failed, np.full(len(failed), height), **marks)

    def _explain_failures(self):
        if any(np.isnan(values).any() for values in self.curves.values()):
            self.ax_.scatter([], [], **CROSS, color="0.2", label="does not count")

    def _mark_best(self, mark_kw):
        name, number = self.chosen
        (value,) = self.curves[name][self.n_components == number]
        circle = {"s": 130, "facecolors": "none", "edgecolors": "0.2", "zorder": 3}
        label = f"best: {name}, {number}"
        self.ax_.scatter(number, value, **{**circle, "label": label, **mark_kw})

    def _zoom(self):
        """Show the least value of every curve, not how bad the worst mixtures are."""
        numbers = [values[~np.isnan(values)] for values in self.curves.values()]
        numbers = [values for values in numbers if len(values)]
        if not numbers:
            return  # nothing but crosses
        least = [values.min() for values in numbers]
        bottom, top = min(least), max(least)
        highest = max(values.max() for values in numbers)
        margin = 0.3 * (top - bottom) or highest - bottom or 1.0
        # Of large numbers an axis would begin and end at the same.
        margin = max(margin, 1e-9 * abs(highest))
        self.ax_.set_ylim(bottom - margin / 2, min(top + margin, highest + margin / 4))
