"""A picture of a density: a curve, contours of coverage, or a corner of marginals."""

from __future__ import annotations

from functools import cache
from textwrap import fill
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skdensity.displays.bumps import Bumps
from skdensity.displays.contours import draw_regions, label, legend_of
from skdensity.displays.drawing import (
    COLOURS,
    axes_for,
    check_drawable,
    checked_coverages,
    checked_n_points,
    columns_of,
    flipped,
    limits_of,
    log_density_of,
    shown_features,
)
from skdensity.displays.rows import (
    POINT_SIZE,
    draw_histogram,
    draw_points,
    draw_rug,
    mark_rows_beyond,
    mark_values_beyond,
)
from skdensity.displays.surfaces import evaluated
from skdensity.displays.units import in_data_units
from skdensity.uses.draws import draws_of

# A corner of more features than this has axes too small to read.
MAX_FEATURES = 8
# What an axis has beyond a bound, as a part of the window.
BEYOND_BOUND = 0.015
# Draws that levels of coverage are estimated from.
N_DRAWS = 4000
# Nats beyond which densities of a pair overflow, or vanish, and with them its regions.
ROOM = 600


class DensityDisplay:
    r"""A density in pictures: a curve, regions of highest density, or a corner of both.

    Use :meth:`from_estimator`.

    Parameters
    ----------
    names : list of str
        Names of the features.
    curves : list of tuple of ndarray
        For every feature, ascending values and marginal densities at them.
    surfaces : dict of tuple of int to tuple of ndarray
        For every pair of positions of features, values of both, densities of shape
        (n_second, n_first), the second feature first, and the levels of `coverage`.
        Relative to the highest where float64 has no room for the densities of a pair,
        as in units of 1e-160.
    coverage : tuple of float
        Probabilities that the regions hold.
    rows : ndarray of shape (n_samples, n_features) or None
        Rows to show.
    bounds : ndarray of shape (n_features, 2) or None
        Where features are bounded, infinite where they are not: there the density ends
        in a step.

    Attributes
    ----------
    axes_ : ndarray of Axes
        All axes, of shape (1, 1) for one or two features.
    ax_ : Axes
        The first of them.
    figure_ : Figure
        The figure.

    See Also
    --------
    MixtureDisplay : Shows the components of a mixture.

    Notes
    -----
    One feature is a curve, with the rows as a histogram and a rug. Two features are
    regions of highest density, labelled by their coverage: the smallest region that
    holds 90 % of the probability is bounded by a contour of the density, at the level

    .. math:: c \quad \text{with} \quad P(p(X) \ge c) = 0.9,

    which is a quantile of the density at draws. Where there is no room for labels, a
    legend has them. More features are a corner: the marginal density of every feature
    on the diagonal, of every pair below.

    *What is shown.* A feature's axis holds 99.9 % of its probability, unless this is so
    far apart that nothing else would be seen; then less, but at least 95 %, and rows
    beyond are marked at the edge, with their number where there is room. It begins and
    ends at bounds that are near, where the density is a step, and is one period of a
    feature that goes round. Grids are made finer until lines between their points are
    the density, to 1 % of the peak for one feature: so the peak is there however
    narrow, whatever `n_points`.

    References
    ----------
    R. J. Hyndman (1996), *Computing and graphing highest density regions*,
    doi:10.1080/00031305.1996.10474359.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdensity import DensityDisplay, GaussianMLE
    >>> X = load_iris().data[:, :2]
    >>> display = DensityDisplay.from_estimator(GaussianMLE().fit(X), X)
    >>> display.ax_.get_xlabel()
    'feature 0'
    """

    def __init__(
        self,
        *,
        names: list[str],
        curves: list[tuple[np.ndarray, np.ndarray]],
        surfaces: dict[tuple[int, int], tuple[np.ndarray, ...]],
        coverage: tuple[float, ...],
        rows: np.ndarray | None = None,
        bounds: np.ndarray | None = None,
    ) -> None:
        self.names = names
        self.curves = curves
        self.surfaces = surfaces
        self.coverage = coverage
        self.rows = rows
        self.bounds = bounds

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike | None = None,
        *,
        features: Any = None,
        coverage: tuple[float, ...] = (0.5, 0.9, 0.99),
        n_points: int = 100,
        random_state: Any = 0,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the density of a fitted estimator.

        Ranges are taken from the density, so that the picture shows where it is, not
        only where the rows are. Levels of coverage are quantiles at 4,000 draws.

        Parameters
        ----------
        estimator : estimator
            Fitted. What others wrote needs `score_samples` and `sample` alone; the
            marginals of such are kernel densities of draws. A pipeline of transformers
            that :class:`TransformedDensity` knows and a density, or a search for one,
            is drawn in the units of the data.
        X : array-like of shape (n_samples, n_features), default=None
            Rows to show with the density.
        features : array-like of int or str, default=None
            Features to show, by number or by name; None shows all, of which there may
            be at most 8.
        coverage : tuple of float, default=(0.5, 0.9, 0.99)
            Probabilities of the regions of highest density.
        n_points : int, default=100
            Points along every feature at which the density is evaluated, at least.
            There are more where the density bends between them.
        random_state : int, RandomState instance, Generator or None, default=0
            Source of the draws that levels are taken from.
        ax : Axes or array of Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : DensityDisplay
            Drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there are too many features or no such feature, `coverage` is not shares
            between 0 and 1, `X` has fewer features than the density, the density
            reaches values beyond 1e300, or `ax` has the wrong number of axes.
        TypeError
            If `X` holds times, or a step of a pipeline is not known or drops features.

        See Also
        --------
        plot : Draw again, elsewhere or in another style.

        Examples
        --------
        >>> from skdensity import DensityDisplay, LOOKernelDensity
        >>> density = LOOKernelDensity(0.5).fit([[0.0], [1.0], [3.0]])
        >>> DensityDisplay.from_estimator(density).ax_.get_ylabel()
        'density'

        Conditionals at several values, in one picture:

        >>> from sklearn.datasets import load_iris
        >>> from skdensity import GaussianMLE
        >>> X = load_iris(as_frame=True).data.iloc[:, 2:]
        >>> density, ax = GaussianMLE().fit(X), None
        >>> for length in (2.0, 4.0, 6.0):
        ...     given = density.condition(["petal length (cm)"], [length])
        ...     ax = DensityDisplay.from_estimator(given, ax=ax).ax_
        >>> ax.get_xlabel(), len(ax.lines)
        ('petal width (cm)', 3)
        """
        coverage = checked_coverages(coverage)
        n_points = checked_n_points(n_points, least=2)
        estimator = in_data_units(estimator, cls.__name__)
        draws = draws_of(estimator, N_DRAWS, random_state)
        check_drawable(draws, cls.__name__)
        features, names = shown_features(estimator, draws.shape[1], features, X)
        _check_few(features)
        bumps = Bumps.of(estimator, features, draws)
        rows = bumps.wrapped(columns_of(X, features, draws.shape[1]))
        density_of = _densities(estimator, features, draws)
        windows = [bumps.window(i, rows) for i in range(len(features))]
        curves, surfaces = evaluated(density_of, bumps, windows, n_points)
        display = cls(
            names=names,
            curves=curves,
            surfaces=_with_levels(surfaces, density_of, draws[:, features], coverage),
            coverage=coverage,
            rows=rows,
            bounds=bumps.bounds,
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        corner: bool = False,
        orientation: str = "vertical",
        line_kw: dict | None = None,
        contour_kw: dict | None = None,
        rows_kw: dict | None = None,
    ) -> Self:
        """Draw the density.

        One feature is a curve, two are regions, more are a corner of both. Rows beyond
        what is shown are marked at the edge; of many rows some are drawn.

        Parameters
        ----------
        ax : Axes or array of Axes, default=None
            Where to draw; None makes a new figure. A corner of k features needs k²
            axes. Where a curve is already, or in axes that share theirs, both are seen.
        corner : bool, default=False
            Whether two features are a corner, too: their marginal densities besides.
        orientation : {"vertical", "horizontal"}, default="vertical"
            Where the density of one feature points to; a horizontal one has the
            feature on the vertical axis, as beside another picture.
        line_kw : dict, default=None
            Passed to ``Axes.plot`` for curves.
        contour_kw : dict, default=None
            Passed to ``Axes.contourf``.
        rows_kw : dict, default=None
            Passed to ``Axes.hist`` for one feature and to ``Axes.scatter`` for two.

        Returns
        -------
        self : DensityDisplay
            With the attributes `axes_`, `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not there.
        ValueError
            If `ax` has the wrong number of axes, or `orientation` is unknown, or
            horizontal for several features.

        See Also
        --------
        from_estimator : Compute and draw.

        Examples
        --------
        >>> from skdensity import DensityDisplay, GaussianMLE
        >>> display = DensityDisplay.from_estimator(GaussianMLE().fit([[0.0], [2.0]]))
        >>> display.plot(line_kw={"linestyle": "--"}).ax_.lines[0].get_linestyle()
        '--'
        """
        kw = line_kw or {}, contour_kw or {}, rows_kw or {}
        n = len(self.curves)
        is_horizontal = _is_horizontal(orientation, n)
        n_panels = n if n > 2 or corner else 1
        self.axes_ = axes_for(ax, type(self).__name__, n_panels)
        self.ax_ = self.axes_[0, 0]
        self.figure_ = self.ax_.figure
        if n_panels > 1:
            self._plot_corner(*kw)
        elif n == 2:
            label(self.ax_, self._plot_regions(self.ax_, (0, 1), kw[1], kw[2]))
            self.ax_.set(xlabel=self.names[0], ylabel=self.names[1])
        else:
            self._plot_curve(self.ax_, 0, kw[::2], is_horizontal)
            names = flipped(self.names[0], "density", is_horizontal)
            self.ax_.set(xlabel=names[0], ylabel=names[1])
        return self

    def _plot_curve(self, ax, feature, kw, is_horizontal=False, has_room=True):
        x, density = self.curves[feature]
        window, highest, shown = (x[0], x[-1]), density.max(), limits_of(ax)
        along, across = self._stepped(feature)
        line = flipped(along, across, is_horizontal)
        ax.plot(*line, **{"color": COLOURS[0], "zorder": 3, **kw[0]})
        values = np.empty(0) if self.rows is None else _finite(self.rows[:, feature])
        if len(values):
            top = draw_histogram(ax, values, window, is_horizontal, kw[1])
            highest = max(highest, top)
            draw_rug(ax, values, is_horizontal)
            mark_values_beyond(ax, values, window, is_horizontal, has_room)
        limits = flipped(self._limits(feature), (0, 1.05 * highest), is_horizontal)
        xlim, ylim = map(_together, limits, shown)
        ax.set(xlim=xlim, ylim=ylim)

    def _plot_regions(self, ax, pair, contour_kw, rows_kw):
        """Draw one pair; what :func:`label` needs to know is returned."""
        windows = [tuple(self.curves[feature][0][[0, -1]]) for feature in pair]
        ax.set(xlim=self._limits(pair[0]), ylim=self._limits(pair[1]))
        regions = draw_regions(ax, self._walled(pair), self.coverage, contour_kw)
        if self.rows is not None:
            rows = _finite(self.rows[:, pair])
            mark_rows_beyond(ax, rows, windows)
            draw_points(ax, rows, rows_kw)
        return regions

    def _plot_corner(self, line_kw, contour_kw, rows_kw):
        n = len(self.curves)
        regions: dict[str, Any] = {}
        # Points shrink with the panels of more than three features.
        rows_kw = {"s": POINT_SIZE * min(1, 3 / n) ** 2, **rows_kw}
        for i, j in np.ndindex(n, n):
            ax: Any = self.axes_[i, j]
            if i == j:
                self._plot_curve(ax, i, (line_kw, {}), has_room=False)
            elif j < i:
                regions = self._plot_regions(ax, (j, i), contour_kw, rows_kw)
            else:
                ax.set_axis_off()
            self._name_panel(ax, i, j)
        self.axes_[0, -1].legend(**legend_of(regions), loc="upper right")

    def _name_panel(self, ax, i, j):
        """Ticks and names at the left and the bottom of a corner only."""
        from matplotlib.ticker import MaxNLocator

        n = len(self.curves)
        size = {"labelsize": "small" if n < 5 else "x-small"}
        ax.tick_params(**size, labelbottom=i == n - 1, labelleft=j == 0 < i)
        if i == j:
            ax.set_yticks([])
        for axis in (ax.xaxis, ax.yaxis)[: 1 if i == j else 2]:
            axis.set_major_locator(MaxNLocator(nbins=3))
        names = [fill(name, max(8, 72 // n)) for name in self.names]
        ax.set_xlabel(names[j] if i == n - 1 else "", size=size["labelsize"])
        ax.set_ylabel(names[i] if j == 0 < i else "", size=size["labelsize"])

    def _stepped(self, feature):
        """A curve that rises from 0 where its feature is bounded."""
        x, density = self.curves[feature]
        ends = self._steps(feature).astype(int)
        return np.pad(x, ends, mode="edge"), np.pad(density, ends)

    def _walled(self, pair):
        """A surface that rises from 0 where its features are bounded."""
        x, y, density, levels = self.surfaces[pair]
        along, across = (self._steps(feature).astype(int) for feature in pair)
        walled = np.pad(density, [across, along])
        return (
            np.pad(x, along, mode="edge"),
            np.pad(y, across, mode="edge"),
            walled,
            levels,
        )

    def _limits(self, feature):
        """Ends of an axis: a little beyond a bound, where a step is seen."""
        x, _ = self.curves[feature]
        steps = BEYOND_BOUND * (x[-1] - x[0]) * self._steps(feature)
        return x[0] - steps[0], x[-1] + steps[1]

    def _steps(self, feature):
        """Whether the grid of a feature begins, and ends, at a bound."""
        if self.bounds is None:
            return np.zeros(2, dtype=bool)
        return self.bounds[feature] == self.curves[feature][0][[0, -1]]


def _finite(rows):
    return rows[np.isfinite(rows.reshape(len(rows), -1)).all(axis=1)]


def _together(*intervals):
    lower, upper = zip(*intervals, strict=True)
    return min(lower), max(upper)


def _check_few(features):
    if len(features) > MAX_FEATURES:
        raise ValueError(
            f"A corner of {len(features)} features cannot be read; choose at most "
            f"{MAX_FEATURES} with `features`."
        )


def _is_horizontal(orientation, n_features):
    if orientation not in ("vertical", "horizontal"):
        raise ValueError(
            f"`orientation` must be 'vertical' or 'horizontal'; got {orientation!r}."
        )
    if orientation == "horizontal" and n_features > 1:
        raise ValueError(
            f"orientation='horizontal' is for one feature, not {n_features}; choose it "
            "with `features`."
        )
    return orientation == "horizontal"


def _densities(estimator, features, draws):
    """Densities of the features at given positions, each made once."""

    @cache
    def density_of(*positions):
        some = features[list(positions)]
        shown = log_density_of(estimator, some, draws)
        highest = 0.0 if len(some) == 1 else shown(draws[:, some]).max()
        unit = highest if abs(highest) > ROOM else 0.0
        # float32 has no room for densities of small units.
        return lambda X: np.exp(shown(X) - unit, dtype=np.float64)

    return density_of


def _with_levels(surfaces, density_of, draws, coverage):
    """Surfaces with levels of the regions of highest density that hold some shares."""
    return {
        pair: (
            *surface,
            np.quantile(density_of(*pair)(draws[:, pair]), 1 - np.asarray(coverage)),
        )
        for pair, surface in surfaces.items()
    }
