"""A picture of a density: a curve, contours of coverage, or a corner of marginals."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skdensity.displays.drawing import (
    COLOURS,
    axes_for,
    columns_of,
    draws_of,
    log_density_of,
    shown_features,
)

# A corner of more features than this has axes too small to read.
MAX_FEATURES = 8
# A histogram of more bins than this is a rug.
MAX_BINS = 100
# Draws that ranges and levels of coverage are estimated from.
N_DRAWS = 4000


class DensityDisplay:
    r"""A density in pictures: a curve, regions of highest density, or a corner of both.

    Use :meth:`from_estimator`.

    Parameters
    ----------
    names : list of str
        Names of the features.
    curves : list of tuple of ndarray
        For every feature, values and marginal densities at them.
    surfaces : dict of tuple of int to tuple of ndarray
        For every pair of positions of features, values of both, densities of shape
        (n_points, n_points), the second feature first, and the levels of `coverage`.
    coverage : tuple of float
        Probabilities that the regions hold.
    rows : ndarray of shape (n_samples, n_features) or None
        Rows to show.

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

    which is a quantile of the density at draws. More features are a corner: the
    marginal density of every feature on the diagonal, of every pair below.

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
    ) -> None:
        self.names = names
        self.curves = curves
        self.surfaces = surfaces
        self.coverage = coverage
        self.rows = rows

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

        Ranges and levels of coverage are taken from draws of the density, so that the
        picture shows where it is, not only where the rows are.

        Parameters
        ----------
        estimator : estimator
            Fitted. What others wrote needs `score_samples` and `sample` alone; the
            marginals of such are kernel densities of draws.
        X : array-like of shape (n_samples, n_features), default=None
            Rows to show with the density.
        features : array-like of int or str, default=None
            Features to show, by number or by name; None shows all, of which there may
            be at most 8.
        coverage : tuple of float, default=(0.5, 0.9, 0.99)
            Probabilities of the regions of highest density.
        n_points : int, default=100
            Points along every feature at which the density is evaluated.
        random_state : int, RandomState instance or None, default=0
            Source of the draws that ranges and levels are taken from.
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
            If there are too many features or no such feature, or `ax` has the wrong
            number of axes.

        See Also
        --------
        plot : Draw again, elsewhere or in another style.

        Examples
        --------
        >>> from skdensity import DensityDisplay, LOOKernelDensity
        >>> density = LOOKernelDensity(0.5).fit([[0.0], [1.0], [3.0]])
        >>> DensityDisplay.from_estimator(density).ax_.get_ylabel()
        'density'
        """
        draws = draws_of(estimator, N_DRAWS, random_state)
        features, names = shown_features(estimator, draws.shape[1], features, X)
        _check_few(features)

        def density_of(positions):
            shown = log_density_of(estimator, features[positions], draws)
            return lambda X: np.exp(shown(X))

        axes = [_axis(column, n_points) for column in draws[:, features].T]
        display = cls(
            names=names,
            curves=[
                (axis, density_of([i])(axis[:, None])) for i, axis in enumerate(axes)
            ],
            surfaces={
                (i, j): _surface(
                    density_of([i, j]),
                    axes[i],
                    axes[j],
                    draws[:, features[[i, j]]],
                    coverage,
                )
                for i, j in combinations(range(len(features)), 2)
            },
            coverage=tuple(coverage),
            rows=columns_of(X, features),
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        line_kw: dict | None = None,
        contour_kw: dict | None = None,
        rows_kw: dict | None = None,
    ) -> Self:
        """Draw the density.

        One feature is a curve, two are regions, more are a corner of both.

        Parameters
        ----------
        ax : Axes or array of Axes, default=None
            Where to draw; None makes a new figure. A corner of k features needs k²
            axes.
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
            If `ax` has the wrong number of axes.

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
        n_panels = 1 if len(self.curves) <= 2 else len(self.curves)
        self.axes_ = axes_for(ax, type(self).__name__, n_panels)
        self.ax_ = self.axes_[0, 0]
        self.figure_ = self.ax_.figure
        if n_panels > 1:
            self._plot_corner(*kw)
        elif self.surfaces:
            self._plot_surface(self.ax_, (0, 1), kw[1], kw[2])
            self.ax_.set(xlabel=self.names[0], ylabel=self.names[1])
        else:
            self._plot_curve(self.ax_, 0, kw[0], kw[2])
            self.ax_.set(xlabel=self.names[0], ylabel="density")
        return self

    def _plot_curve(self, ax, feature, line_kw, rows_kw):
        x, density = self.curves[feature]
        ax.plot(x, density, **{"color": COLOURS[0], "zorder": 3, **line_kw})
        ax.set_ylim(bottom=0)
        ax.margins(x=0)
        if self.rows is None:
            return
        values = self.rows[:, feature]
        # NumPy's own rules draw too few bins where there are several peaks.
        bins = round(min(MAX_BINS, np.sqrt(len(values))))
        hist_kw = {"bins": bins, "color": COLOURS[7], "alpha": 0.35, **rows_kw}
        ax.hist(values, density=True, **hist_kw)
        rug = ax.get_xaxis_transform()  # the height is a share of the axes
        ax.plot(
            values,
            np.full(len(values), 0.015),
            "|",
            color=COLOURS[7],
            markersize=6,
            alpha=max(0.1, min(1, 50 / len(values))),
            transform=rug,
        )

    def _plot_surface(self, ax, pair, contour_kw, rows_kw):
        x, y, density, levels = self.surfaces[pair]
        # From the outermost region to the peak, ever more opaque.
        edges = [*sorted(set(levels)), max(density.max(), max(levels)) * 1.0001]
        shades = np.linspace(0.2, 0.75, len(edges) - 1)
        fill = {"colors": [(COLOURS[0], shade) for shade in shades], **contour_kw}
        ax.contourf(x, y, density, levels=edges, **fill)
        lines = ax.contour(x, y, density, edges[:-1], colors=COLOURS[0], linewidths=1)
        names = dict(zip(levels, self.coverage, strict=True))
        text = ax.xaxis.label.get_color()
        fmt = {level: f"{names[level]:.0%}" for level in lines.levels}
        spots = _tops(lines.allsegs)
        ax.clabel(lines, fmt=fmt, colors=text, fontsize="small", manual=spots)
        if self.rows is not None:
            points_kw = {"s": 6, "color": COLOURS[1], "alpha": 0.6, "linewidths": 0}
            ax.scatter(*self.rows[:, pair].T, **{**points_kw, **rows_kw})

    def _plot_corner(self, line_kw, contour_kw, rows_kw):
        n = len(self.curves)
        for i, j in np.ndindex(n, n):
            ax: Any = self.axes_[i, j]
            if i == j:
                self._plot_curve(ax, i, line_kw, {})
                ax.set_yticks([])
            elif j < i:
                self._plot_surface(ax, (j, i), contour_kw, rows_kw)
            else:
                ax.set_axis_off()
            ax.set_xlabel(self.names[j] if i == n - 1 else "")
            ax.set_ylabel(self.names[i] if j == 0 and i else "")


def _check_few(features):
    if len(features) > MAX_FEATURES:
        raise ValueError(
            f"A corner of {len(features)} features cannot be read; choose at most "
            f"{MAX_FEATURES} with `features`."
        )


def _axis(values, n_points):
    """From the smallest to the largest draw, and a little beyond."""
    lower, upper = values.min(), values.max()
    margin = 0.1 * (upper - lower)
    return np.linspace(lower - margin, upper + margin, n_points)


def _surface(density_at, x, y, draws, coverage):
    """Densities on a grid, and the levels of regions of highest density."""
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    density = density_at(grid).reshape(len(y), len(x))
    levels = np.quantile(density_at(draws), 1 - np.asarray(coverage))
    return x, y, density, levels


def _tops(lines_of_levels):
    """The highest point of every level's longest line, where a label is level too.

    With one label a level, those of small regions do not cover each other.
    """
    longest = [max(lines, key=len) for lines in lines_of_levels if lines]
    return [tuple(line[line[:, 1].argmax()]) for line in longest]
