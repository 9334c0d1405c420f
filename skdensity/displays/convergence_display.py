"""A picture of how fits converged."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdensity.displays.drawing import COLOURS, axes_for


class ConvergenceDisplay:
    """Likelihood or loss against iteration, for one or several fits.

    Use :meth:`from_estimator` or :meth:`from_estimators`.

    Parameters
    ----------
    curves : dict of str to ndarray
        For every label, the value after each iteration.
    ylabel : str
        What the values are.
    is_loss : bool
        Whether lower is better.

    Attributes
    ----------
    ax_ : Axes
        The axes.
    figure_ : Figure
        The figure.

    See Also
    --------
    BandwidthDisplay : Shows how a bandwidth was chosen.

    Notes
    -----
    The log-likelihood of a mixture rises, the loss of CholeskyGaussian falls; both are
    in nats per unit of weight. The best of every curve is marked.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdensity import ConvergenceDisplay, EMGaussianMixture
    >>> X = load_iris().data
    >>> fits = {
    ...     start: EMGaussianMixture(3, init_params=start, random_state=0).fit(X)
    ...     for start in ("kmeans", "small_em")
    ... }
    >>> sorted(ConvergenceDisplay.from_estimators(fits).curves)
    ['kmeans', 'small_em']
    """

    def __init__(
        self, *, curves: dict[str, np.ndarray], ylabel: str, is_loss: bool
    ) -> None:
        self.curves = curves
        self.ylabel = ylabel
        self.is_loss = is_loss

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the convergence of one fit.

        One curve, with its best value marked.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `lower_bounds_` or `loss_curve_`.
        ax : Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : ConvergenceDisplay
            Drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is not fitted by iterations.

        See Also
        --------
        from_estimators : Compare several fits.
        plot : Draw again, elsewhere or in another style.

        Examples
        --------
        >>> from skdensity import ConvergenceDisplay, EMGaussianMixture
        >>> fit = EMGaussianMixture(1).fit([[0.0], [1.0], [3.0]])
        >>> ConvergenceDisplay.from_estimator(fit).ax_.get_xlabel()
        'iteration'
        """
        return cls.from_estimators([estimator], ax=ax, **kwargs)

    @classmethod
    def from_estimators(
        cls, estimators: list | dict[str, Any], *, ax: Any = None, **kwargs: Any
    ) -> Self:
        """Draw the convergence of several fits.

        One curve for every fit, each with its best value marked, and a legend.

        Parameters
        ----------
        estimators : list of estimator, or dict of str to estimator
            Fitted; the keys are labels.
        ax : Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : ConvergenceDisplay
            Drawn.

        Raises
        ------
        NotFittedError
            If an estimator is not fitted.
        TypeError
            If one is not fitted by iterations, or some have likelihoods and others
            losses.

        See Also
        --------
        from_estimator : Draw one fit.
        plot : Draw again, elsewhere or in another style.

        Examples
        --------
        >>> from skdensity import ConvergenceDisplay, EMGaussianMixture
        >>> X = [[0.0], [1.0], [3.0], [4.0]]
        >>> fits = [EMGaussianMixture(2, random_state=seed).fit(X) for seed in (0, 1)]
        >>> len(ConvergenceDisplay.from_estimators(fits).curves)
        2
        """
        if not isinstance(estimators, dict):
            estimators = {f"fit {i}": fit for i, fit in enumerate(estimators)}
        names = {_curve_name(estimator) for estimator in estimators.values()}
        if len(names) != 1:
            raise TypeError(
                "Likelihoods and losses do not share an axis; give mixtures, or fits "
                "of CholeskyGaussian."
            )
        (name,) = names
        curves = {
            label: np.asarray(getattr(estimator, name), dtype=np.float64)
            for label, estimator in estimators.items()
        }
        display = cls(curves=curves, **CURVES[name])
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, *, line_kw: dict | None = None) -> Self:
        """Draw the curves.

        One curve for every fit, each with its best value marked.

        Parameters
        ----------
        ax : Axes, default=None
            Where to draw; None makes a new figure.
        line_kw : dict, default=None
            Passed to ``Axes.plot``.

        Returns
        -------
        self : ConvergenceDisplay
            With the attributes `ax_` and `figure_`.

        Raises
        ------
        ImportError
            If matplotlib is not there.
        ValueError
            If `ax` has the wrong number of axes.

        See Also
        --------
        from_estimator : Take the values from a fit, and draw.

        Examples
        --------
        >>> from skdensity import ConvergenceDisplay, EMGaussianMixture
        >>> fit = EMGaussianMixture(1).fit([[0.0], [1.0], [3.0]])
        >>> display = ConvergenceDisplay.from_estimator(fit)
        >>> display.plot(line_kw={"linewidth": 3}).ax_.lines[0].get_linewidth()
        3.0
        """
        self.ax_ = axes_for(ax, type(self).__name__)[0, 0]
        self.figure_ = self.ax_.figure
        for i, (label, values) in enumerate(self.curves.items()):
            iterations = np.arange(1, len(values) + 1)
            kw = {**_style(i), "label": label, **(line_kw or {})}
            (line,) = self.ax_.plot(iterations, values, **kw)
            best = np.argmin(values) if self.is_loss else np.argmax(values)
            marks = {"color": line.get_color(), "zorder": 3}
            self.ax_.scatter(iterations[best], values[best], s=25, **marks)
        self.ax_.set(xlabel="iteration", ylabel=self.ylabel)
        if len(self.curves) > 1:
            self.ax_.legend(frameon=False)
        return self


# What the fitted attributes hold.
CURVES: dict[str, dict[str, Any]] = {
    "lower_bounds_": {"ylabel": "log-likelihood, nats per row", "is_loss": False},
    "loss_curve_": {"ylabel": "loss, nats per row", "is_loss": True},
}


def _style(i):
    """Colours first, then the same colours on other lines."""
    round_, colour = divmod(i, len(COLOURS))
    return {"color": COLOURS[colour], "linestyle": ("-", "--", ":", "-.")[round_ % 4]}


def _curve_name(estimator):
    """The attribute that holds the values of an estimator's iterations."""
    check_is_fitted(estimator)
    for name in CURVES:
        # There are none of a part, or of parameters that were given.
        if len(getattr(estimator, name, ())):
            return name
    raise TypeError(
        "ConvergenceDisplay is for EMGaussianMixture, AdamGaussianMixture and "
        f"CholeskyGaussian; this {type(estimator).__name__} is not fitted by "
        "iterations."
    )
