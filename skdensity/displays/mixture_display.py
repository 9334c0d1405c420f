"""A picture of a mixture: its components, and how they share the rows."""

from __future__ import annotations

from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm
from sklearn.utils.validation import check_is_fitted

from skdensity.densities.base_mixture import BaseGaussianMixture
from skdensity.displays.bumps import Bumps
from skdensity.displays.drawing import (
    COLOURS,
    axes_for,
    checked_coverages,
    columns_of,
    shown_features,
)
from skdensity.displays.grids import curve
from skdensity.displays.rows import (
    MAX_POINTS,
    mark_rows_beyond,
    mark_values_beyond,
    opacity,
    some_of,
)
from skdensity.displays.units import in_data_units
from skdensity.displays.warped import (
    bumps_before,
    components_of,
    densities_before,
    outline,
    rows_before,
    shares_of,
)
from skdensity.uses.transformed_density import TransformedDensity

# Points of curves, of which there are more where components are narrow.
N_POINTS = 200
# Pixels that two labels of components are apart, along both axes.
APART = 34, 16


class MixtureDisplay:
    r"""The components of a mixture, and how they share the rows.

    Use :meth:`from_estimator`.

    Parameters
    ----------
    names : list of str
        Names of the one or two features.
    weights : ndarray of shape (n_components,)
        Weights of the components.
    means : ndarray of shape (n_components, n_features)
        Their means, of the features that are shown.
    covariances : ndarray of shape (n_components, n_features, n_features)
        Their covariances.
    coverage : tuple of float
        Shares of a component's probability that its ellipses hold.
    rows : ndarray of shape (n_samples, n_features) or None
        Rows to show.
    responsibilities : ndarray of shape (n_samples, n_components) or None
        How the components share them, all features considered.
    transformer : transformer or None
        Fitted: of the features that are shown, to those of the means and covariances.
        None where these are in the units of the data.

    Attributes
    ----------
    ax_ : Axes
        The axes.
    figure_ : Figure
        The figure.

    See Also
    --------
    DensityDisplay : Shows the density as a whole.

    Notes
    -----
    For one feature, weighted densities and their sum. For two, ellipses that hold some
    share of each component's probability, which for a Gaussian are

    .. math:: (x - \mu_k)^\top \Sigma_k^{-1} (x - \mu_k) = -2 \log(1 - q)

    and rows in the colours of the components, mixed by their responsibilities. What the
    axes hold is as in :class:`DensityDisplay`; rows and components beyond are marked at
    the edge. Of many rows some are drawn, and labels where others leave room. Behind a
    transform that is not affine, ellipses are bent: they hold the same shares.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdensity import EMGaussianMixture, MixtureDisplay
    >>> X = load_iris().data[:, 2:]
    >>> mixture = EMGaussianMixture(2, random_state=0).fit(X)
    >>> display = MixtureDisplay.from_estimator(mixture, X)
    >>> len(display.ax_.patches)
    4
    """

    def __init__(
        self,
        *,
        names: list[str],
        weights: np.ndarray,
        means: np.ndarray,
        covariances: np.ndarray,
        coverage: tuple[float, ...],
        rows: np.ndarray | None = None,
        responsibilities: np.ndarray | None = None,
        transformer: Any = None,
    ) -> None:
        self.names = names
        self.weights = weights
        self.means = means
        self.covariances = covariances
        self.coverage = coverage
        self.rows = rows
        self.responsibilities = responsibilities
        self.transformer = transformer

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike | None = None,
        *,
        features: Any = None,
        coverage: tuple[float, ...] = (0.5, 0.9),
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the components of a fitted mixture.

        One feature shows the weighted density of every component and their sum; two
        show ellipses. Rows have the colours of their components, blended by
        responsibility.

        Parameters
        ----------
        estimator : EMGaussianMixture or AdamGaussianMixture
            Fitted. A pipeline of transformers that :class:`TransformedDensity` knows
            and a mixture, or a search for one, is drawn in the units of the data.
        X : array-like of shape (n_samples, n_features), default=None
            Rows to show, with all their features.
        features : array-like of int or str, default=None
            One or two features to show, by number or by name; None is all of them.
        coverage : tuple of float, default=(0.5, 0.9)
            Shares of a component's probability that its ellipses hold.
        ax : Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : MixtureDisplay
            Drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is not a mixture, or a step of a pipeline is not known or drops
            features.
        ValueError
            If there are more than two features to show, or no such feature, or some of
            those that a transformer mixes, or `coverage` is not shares between 0 and 1.

        See Also
        --------
        plot : Draw again, elsewhere or in another style.

        Examples
        --------
        >>> from skdensity import EMGaussianMixture, MixtureDisplay
        >>> mixture = EMGaussianMixture(2, random_state=0)
        >>> mixture = mixture.fit([[0.0], [0.1], [0.2], [5.0], [5.2], [5.4]])
        >>> len(MixtureDisplay.from_estimator(mixture).ax_.lines)
        3
        """
        density = in_data_units(estimator, cls.__name__)
        n_features = _mixture_of(density).means_.shape[1]
        coverage = checked_coverages(coverage)
        features, names = shown_features(density, n_features, features, X)
        if len(features) > 2:
            raise ValueError(
                f"MixtureDisplay shows one or two features, not {len(features)}; "
                "choose them with `features`."
            )
        mixture, transformer = components_of(density, features)
        covariances = mixture.family.shape.matrices(
            mixture.own(mixture.covariances), len(features)
        )
        display = cls(
            names=names,
            weights=mixture.weights,
            means=mixture.means,
            covariances=covariances,
            coverage=coverage,
            rows=columns_of(X, features, n_features),
            responsibilities=None if X is None else shares_of(density, X),
            transformer=transformer,
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        line_kw: dict | None = None,
        ellipse_kw: dict | None = None,
        rows_kw: dict | None = None,
    ) -> Self:
        """Draw the components.

        Curves or ellipses of the components, and the rows in blended colours.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None makes a new figure.
        line_kw : dict, default=None
            Passed to ``Axes.plot`` for the curves of one feature.
        ellipse_kw : dict, default=None
            Passed to ``matplotlib.patches.Ellipse``.
        rows_kw : dict, default=None
            Passed to ``Axes.scatter``.

        Returns
        -------
        self : MixtureDisplay
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
        >>> from skdensity import EMGaussianMixture, MixtureDisplay
        >>> mixture = EMGaussianMixture(1).fit([[0.0, 1.0], [1.0, 0.0], [3.0, 2.0]])
        >>> display = MixtureDisplay.from_estimator(mixture)
        >>> len(display.plot(ellipse_kw={"linestyle": ":"}).ax_.patches)
        2
        """
        self.ax_ = axes_for(ax, type(self).__name__)[0, 0]
        self.figure_ = self.ax_.figure
        if len(self.names) == 1:
            self._plot_curves(line_kw or {}, rows_kw or {})
            self.ax_.set(xlabel=self.names[0], ylabel="density")
        else:
            self._plot_ellipses(ellipse_kw or {}, rows_kw or {})
            self.ax_.set(xlabel=self.names[0], ylabel=self.names[1])
        return self

    @property
    def _colours(self):
        from matplotlib.colors import to_rgb

        n = len(self.weights)
        return np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(n)])

    @property
    def _bumps(self):
        components = self.weights, self.means, self.covariances
        if self.transformer is not None:
            return bumps_before(self.transformer, *components)
        widths = np.sqrt(np.diagonal(self.covariances, axis1=1, axis2=2))
        return Bumps.unbounded(self.means, self.weights, widths)

    @property
    def _centres(self):
        """The means in the units of the data."""
        if self.transformer is None:
            return self.means
        return rows_before(self.transformer, self.means)

    def _shown(self, rows):
        """Some of the rows, and every one's mixture of the components' colours."""
        shares = some_of(np.asarray(self.responsibilities), MAX_POINTS)
        return some_of(rows, MAX_POINTS), np.clip(shares @ self._colours, 0, 1)

    def _plot_curves(self, line_kw, rows_kw):
        means, widths = self.means[:, [0]], np.sqrt(self.covariances[:, 0])

        def normals(Z):
            return self.weights[:, None] * norm.pdf(Z[:, 0], means, widths)

        parts = normals
        if self.transformer is not None:
            parts = partial(densities_before, self.transformer, normals)

        def density(X):
            return parts(X).sum(axis=0)

        bumps = self._bumps
        window = bumps.window(0, self.rows)
        x, total = curve(density, bumps, 0, window, N_POINTS)
        for part, colour in zip(parts(x[:, None]), self._colours, strict=True):
            self.ax_.plot(x, part, **{"color": colour, **line_kw})
        style = {"color": "0.5", "linestyle": "--", "zorder": 1, **line_kw}
        self.ax_.plot(x, total, **style)
        self.ax_.set(xlim=window, ylim=(0, 1.05 * total.max()))
        if self.rows is not None:
            self._plot_rug(self.rows, window, rows_kw)

    def _plot_rug(self, rows, window, rows_kw):
        at_the_bottom = self.ax_.get_xaxis_transform()
        shown, colours = self._shown(rows)
        heights = np.full(len(shown), 0.02)
        marks = {"marker": "|", "c": colours, "zorder": 3, **rows_kw}
        self.ax_.scatter(shown[:, 0], heights, transform=at_the_bottom, **marks)
        mark_values_beyond(self.ax_, rows[:, 0], window, is_horizontal=False)

    def _plot_ellipses(self, ellipse_kw, rows_kw):
        bumps = self._bumps
        windows = [bumps.window(feature, self.rows) for feature in (0, 1)]
        self.ax_.set(xlim=windows[0], ylim=windows[1])
        mark_rows_beyond(self.ax_, self._centres, windows)
        if self.rows is not None:
            self._plot_rows(self.rows, windows, rows_kw)
        for k, colour in enumerate(self._colours):
            for coverage in self.coverage:
                ellipse = self._outline(k, coverage)
                ellipse.set(edgecolor=colour, facecolor="none", linewidth=1.6)
                ellipse.set(**ellipse_kw)
                self.ax_.add_patch(ellipse)
        self._label_components()

    def _outline(self, k, coverage):
        """What holds a share of a component: an ellipse, or one that is bent."""
        component = self.means[k], self.covariances[k], coverage
        if self.transformer is None:
            return _ellipse(*component)
        return outline(self.transformer, *component)

    def _plot_rows(self, rows, windows, rows_kw):
        mark_rows_beyond(self.ax_, rows, windows)
        shown, colours = self._shown(rows)
        alpha = min(1, 2 * opacity(len(shown)))
        marks = {"s": 9, "c": colours, "alpha": alpha, "linewidths": 0, **rows_kw}
        self.ax_.scatter(*shown.T, **marks)

    def _label_components(self):
        """Label components, the heaviest first, where no label is in the way.

        Those beyond the window have marks there: text too far away cannot be drawn.
        """
        places = self.ax_.transData.transform(self._centres)
        placed: list[np.ndarray] = []
        for k in np.argsort(-self.weights, kind="stable"):
            if not self.ax_.bbox.contains(*places[k]):
                continue
            if all(np.any(np.abs(places[k] - spot) > APART) for spot in placed):
                placed.append(places[k])
                self._label(k, self._colours[k])

    def _label(self, k, colour):
        """A component's weight at its mean, on a patch that hides the rows there."""
        patch = {"facecolor": self.ax_.get_facecolor(), "alpha": 0.8, "pad": 1}
        self.ax_.text(
            *self._centres[k],
            _percent(self.weights[k]),
            color=colour,
            weight="bold",
            ha="center",
            va="center",
            bbox={"edgecolor": "none", **patch},
            clip_on=True,
        )


def _mixture_of(density):
    """The fitted mixture that a density is, or is of transformed rows."""
    is_transformed = isinstance(density, TransformedDensity)
    mixture = density.density_ if is_transformed else density
    if not isinstance(mixture, BaseGaussianMixture):
        raise TypeError(
            "MixtureDisplay is for EMGaussianMixture and AdamGaussianMixture; got "
            f"{type(mixture).__name__}. DensityDisplay shows any density."
        )
    check_is_fitted(mixture)
    return mixture


def _percent(weight):
    return f"{weight:.0%}" if weight >= 0.005 else "<1%"


def _ellipse(mean, covariance, coverage):
    """The ellipse that holds a share of a Gaussian."""
    from matplotlib.patches import Ellipse

    variances, directions = np.linalg.eigh(covariance)
    radius = np.sqrt(chi2.ppf(coverage, df=2))
    angle = np.degrees(np.arctan2(*directions[::-1, 1]))
    minor, major = 2 * radius * np.sqrt(np.maximum(variances, 0))
    return Ellipse(mean, major, minor, angle=angle)
