"""The density of the data, where it is transformed rows whose density is known."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin, _fit_context, clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from skdensity.densities.base import sum_of_values, unchanged_on_error
from skdensity.densities.checks import (
    check_sampling,
    check_weights,
    checked_array,
    feature_indices,
)
from skdensity.densities.doc_link import DocLinkMixin
from skdensity.densities.tables.kinds import table_of
from skdensity.rows.rounding import rounded
from skdensity.uses.changes.affine import untransformed
from skdensity.uses.changes.draws import image_mass, untransformed_draws
from skdensity.uses.changes.fits import (
    changed_rows,
    fit_arguments,
    fitted_transformer,
    of_pipeline,
)
from skdensity.uses.changes.known import log_jacobian
from skdensity.uses.changes.part import TransformerPart
from skdensity.uses.changes.questions import changed, matrix, quietly, sources
from skdensity.uses.checked import (
    check_method,
    check_of_input,
    held_table,
    takes_nan,
)
from skdensity.uses.fits import fitted_density
from skdensity.uses.unwrapped import unwrapped
from skdensity.uses.weights import rows_that_count


class TransformedDensity(DensityMixin, DocLinkMixin, BaseEstimator):
    r"""Density of the data when transformed rows have a given kind of density.

    .. math:: p(x) = q(T(x)) \left| \det \frac{\partial T(x)}{\partial x} \right|

    with q the density of transformed rows. A pipeline that ends in a density gives
    q(T(x)), which is no density of x, and cannot be compared between transforms. This
    one is, so that a search finds the transform of highest likelihood.

    Parameters
    ----------
    transformer : transformer, default=None
        Invertible: `StandardScaler`, `MinMaxScaler`, `MaxAbsScaler`, `RobustScaler`,
        `PowerTransformer`, `QuantileTransformer`, `PCA` with all components,
        `FunctionTransformer` of log, log2, log10, log1p, sqrt, logit, arcsinh, their
        inverses, or a function with an attribute `derivative`; `Pipeline` and
        `ColumnTransformer` of these. :func:`log_jacobian` makes others known. None is
        the identity.
    density : estimator, default=None
        Of transformed rows, whoever wrote it. None is ``EMGaussianMixture(K,
        random_state=0)`` with the K of the least BIC: more components are tried while
        that falls, up to 10, as long as there are 20 rows for each, and 5 for each of
        their parameters.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer.
    density_ : estimator
        The fitted density of transformed rows.
    image_mass_ : float
        What p integrates to: the probability, under q, of what T can give. It is 1 if
        that is everything, and less where q leaks out of it, as a Gaussian below 0 for
        square roots. Computed when it is asked for.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    log_jacobian : What is known of a transformer.
    sklearn.pipeline.Pipeline : Scores in the units of its last step.

    Notes
    -----
    The density is 0, and its logarithm −∞, outside of what T is defined on: negative
    values for logarithms, for quantiles all that is beyond the rows of the fit. So it
    is at ends where T is infinitely steep, as the square root is at 0.

    `image_mass_` is not made up for: a density that leaks has a lower likelihood for
    it. It is the probability of a box for the densities here; where the image is none,
    or for other densities, the share of 65,536 draws with a fixed seed, whose standard
    error is at most 0.002. `sample` draws again until it has rows.

    Of NaN, which is what was not observed, scalers, powers, quantiles and functions
    make NaN; whether it is taken is up to the density.

    References
    ----------
    G. E. P. Box and D. R. Cox (1964), doi:10.1111/j.2517-6161.1964.tb00553.x: the
    likelihood of transforms. I.-K. Yeo and R. A. Johnson (2000),
    doi:10.1093/biomet/87.4.954.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import lognorm
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from skdensity import GaussianMLE, TransformedDensity
    >>> X = np.exp([[-1.0], [1.0]])
    >>> density = TransformedDensity(FunctionTransformer(np.log), GaussianMLE()).fit(X)
    >>> density.score_samples([[2.0], [-2.0]]).round(4)
    array([-1.8523,    -inf])
    >>> print(lognorm(s=1).logpdf(2.0).round(4))
    -1.8523
    """

    _parameter_constraints: dict = {
        "transformer": [HasMethods(["fit", "transform"]), None],
        "density": [HasMethods(["fit", "score_samples"]), None],
    }

    def __init__(self, transformer: Any = None, density: Any = None) -> None:
        self.transformer = transformer
        self.density = density

    @classmethod
    def from_pipeline(cls, pipeline: Any) -> Self:
        """The density of the data that a fitted pipeline stands for.

        Nothing is fitted again, and nothing copied.

        Parameters
        ----------
        pipeline : Pipeline or search
            Fitted, its last step a density and the others transformers that are known;
            or a fitted search for one, of which the best is taken.

        Returns
        -------
        density : TransformedDensity
            Of what the pipeline takes, in its units.

        Raises
        ------
        NotFittedError
            If the pipeline is not fitted.
        TypeError
            If it is no pipeline that ends in a density, or a step is not known.
        ValueError
            If a step drops features.

        See Also
        --------
        untransformed : Means and covariances in the units of the data.

        Examples
        --------
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skdensity import GaussianMLE, TransformedDensity
        >>> pipeline = make_pipeline(StandardScaler(), GaussianMLE())
        >>> pipeline = pipeline.fit([[1.0], [5.0]])
        >>> density = TransformedDensity.from_pipeline(pipeline)
        >>> density.untransformed().covariance_
        array([[4.]])
        """
        transformer, density, n_features, names = of_pipeline(pipeline)
        found = cls(clone(transformer), clone(density))
        found._store(transformer, density, n_features, names)
        log_jacobian(transformer, np.empty((0, found.n_features_in_)))
        return found

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Fit the transformer, then the density to transformed rows.

        Clones of both.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None weighs all rows equally. The density gets them,
            and the transformer, if its `fit` takes any. From one that does not, and
            learns something, unequal weights are an error.
        **params : dict
            Metadata that the transformer or the density has requested, if metadata
            routing is enabled; weights then go where they are requested as well.

        Returns
        -------
        self : TransformedDensity
            The fitted density.

        Raises
        ------
        ValueError
            If `X` is not a table that the transformer and the density can be fitted
            to, has rows where the density would be 0, if the transformer drops
            features, or the weights cannot be used.
        TypeError
            If the transformer is not known or not invertible, the density is a
            pipeline, whose scores lack the Jacobian, or `X` holds times or need not fit
            into memory: RowBlocks or a Dask collection.

        Warns
        -----
        Warning
            Where the transformer or the density warns.

        See Also
        --------
        score_samples : Evaluate the density.

        Examples
        --------
        >>> from sklearn.preprocessing import PowerTransformer
        >>> from skdensity import GaussianMLE, TransformedDensity
        >>> density = TransformedDensity(PowerTransformer(), GaussianMLE())
        >>> density = density.fit([[1.0], [2.0], [4.0], [16.0]])
        >>> round(density.image_mass_, 4)
        0.9946
        """
        check_of_input(self.density)
        with unchanged_on_error(self):
            X = table_of(X).held("TransformedDensity.fit")
            rows = held_table(self, X, reset=True)
            # Columns may be chosen by name.
            X = X if hasattr(self, "feature_names_in_") else rows
            weight, rows, X = rows_that_count(sample_weight, rows, X)
            to_transformer, to_density = fit_arguments(self, weight, params)
            self.transformer_ = fitted_transformer(self.transformer, X, to_transformer)
            Z = changed_rows(self.transformer_, rows)
            self.density_ = fitted_density(
                self.density, Z, random_state=0, **to_density
            )
            self.__dict__.pop("image_mass_", None)
        return self

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Log-density of every row, in nats per unit of the data.

        That of the transformed row, plus the log-Jacobian.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to evaluate.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            ``log p(x)``, float32 for float32 rows and float64 otherwise; −∞ outside of
            what the transformer is defined on.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table that the density takes.
        TypeError
            If `X` need not fit into memory: RowBlocks or a Dask collection.

        See Also
        --------
        score : Their mean.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.preprocessing import FunctionTransformer
        >>> from skdensity import GaussianMLE, TransformedDensity
        >>> density = TransformedDensity(FunctionTransformer(np.log), GaussianMLE())
        >>> density.fit(np.exp([[-1.0], [1.0]])).score_samples([[0.0], [1.0]]).round(4)
        array([   -inf, -0.9189])
        """
        check_is_fitted(self)
        rows = held_table(self, X)
        out, inside, Z = changed(self.transformer_, rows)
        if len(inside):
            with quietly():
                out[inside] += self.density_.score_samples(Z)
        return rounded(out, rows.dtype)

    def score(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Mean log-likelihood of the rows of `X`, in nats per unit of weight.

        The same units whatever the transformer, so that a search compares like with
        like.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights. None weighs all rows equally.

        Returns
        -------
        score : float
            ``sum(w * log p(x)) / sum(w)``; higher is better.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a table that :meth:`score_samples` takes, or the weights are
            negative, all zero or not as many as the rows.
        TypeError
            If `X` need not fit into memory: RowBlocks or a Dask collection.

        See Also
        --------
        score_samples : The log-density of every row.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.preprocessing import FunctionTransformer
        >>> from skdensity import GaussianMLE, TransformedDensity
        >>> X = np.exp([[-1.0], [1.0]])
        >>> for transformer in (None, FunctionTransformer(np.log)):
        ...     density = TransformedDensity(transformer, GaussianMLE()).fit(X)
        ...     print(round(density.score(X), 4))
        -1.5803
        -1.4189
        """
        log_density = self.score_samples(X)
        weight = None
        if sample_weight is not None:
            weight = check_weights(sample_weight, log_density)
        total, of_weight = sum_of_values(log_density, weight)
        return float(total / of_weight)

    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """Draw rows, in the units of the data.

        Draws from the density of transformed rows go back through the transformer;
        those that it never gives are drawn again.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance, Generator or None, default=None
            Source of randomness; an int gives the same draws at every call, an instance
            goes on. None falls back on that of the density, if it has one.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Independent draws, without components that mixtures return besides.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `n_samples` is below 1, or nearly all draws are nobody's transform.
        TypeError
            If `n_samples` is not an integer, or the density has no `sample`.

        See Also
        --------
        score_samples : Evaluate the density.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.preprocessing import FunctionTransformer
        >>> from skdensity import GaussianMLE, TransformedDensity
        >>> density = TransformedDensity(FunctionTransformer(np.log), GaussianMLE())
        >>> density = density.fit(np.exp([[-1.0], [1.0]]))
        >>> density.sample(2, random_state=0).round(2)
        array([[2.66],
               [9.4 ]])
        """
        check_is_fitted(self)
        n_samples, rng = check_sampling(self.density_, n_samples, random_state)
        return untransformed_draws(self.transformer_, self.density_, n_samples, rng)

    def marginal(self, features: ArrayLike) -> Self:
        """The density of some features, whatever the others are.

        For transformers of every feature by itself.

        Parameters
        ----------
        features : array-like of int or str
            Columns of `X`, or their names, in the order that the result has.

        Returns
        -------
        density : TransformedDensity
            Fitted.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there is no such feature, or one is there twice, or the transformer mixes
            features.
        TypeError
            If the density has no `marginal`.

        See Also
        --------
        condition : The density of features given others.

        Examples
        --------
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skdensity import GaussianMLE, TransformedDensity
        >>> X = [[0.0, 1.0], [2.0, 5.0], [4.0, 3.0]]
        >>> density = TransformedDensity(StandardScaler(), GaussianMLE()).fit(X)
        >>> density.marginal([1]).score_samples([[3.0]]).round(4)
        array([-1.4094])
        """
        chosen, places = self._columns(features, "marginal")
        part = unwrapped(self.density_).marginal(places[chosen])
        return self._part(part, chosen, places[chosen])

    def condition(self, features: ArrayLike, values: ArrayLike) -> Self:
        """The density of the other features where some are known.

        For transformers of every feature by itself.

        Parameters
        ----------
        features : array-like of int or str
            Columns of `X` that are known, or their names; not all of them.
        values : array-like of shape (n_given,)
            Their values.

        Returns
        -------
        density : TransformedDensity
            Fitted, of the other features in their order.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there is no such feature, one is there twice, none is left, the values
            are not one finite number for each where the density is not 0, or the
            transformer mixes features.
        TypeError
            If the density has no `condition`.

        See Also
        --------
        marginal : The density of features whatever the others are.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.preprocessing import FunctionTransformer
        >>> from skdensity import GaussianMLE, TransformedDensity
        >>> X = np.exp([[0.0, 1.0], [2.0, 5.0], [4.0, 3.0]])
        >>> density = TransformedDensity(FunctionTransformer(np.log), GaussianMLE())
        >>> given = density.fit(X).condition([0], [np.exp(2)])
        >>> given.density_.location_, given.score_samples([[20.0]]).round(4)
        (array([3.]), array([-4.2612]))
        """
        given, places = self._columns(features, "condition", leave=1)
        known_values = checked_array(values, "values", (len(given),))
        whole = TransformerPart(
            self.transformer_, self.n_features_in_, given, places[given]
        )
        _, inside, Z = changed(whole, known_values[None])
        if not len(inside):
            raise ValueError(
                f"`values` are {known_values}, where the density is 0: the transformer "
                "is not defined there. Nothing follows from what cannot be."
            )
        others = np.setdiff1d(np.arange(self.n_features_in_), given)
        part = unwrapped(self.density_).condition(places[given], Z[0])
        return self._part(part, others, np.sort(places[others]))

    def untransformed(self) -> Any:
        """The same density without a transformer, where that is affine.

        A Gaussian, or a mixture, in the units of the data: its means, covariances and
        all methods are about those.

        Returns
        -------
        density : estimator
            Fitted, of the class of `density_`, with full covariances; an
            `EMGaussianMixture` for scikit-learn's mixture.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the transformer is not affine, as scalers and PCA are.
        TypeError
            If the density is no Gaussian or Gaussian mixture.

        See Also
        --------
        from_pipeline : The same of a fitted pipeline.

        Examples
        --------
        >>> from sklearn.preprocessing import StandardScaler
        >>> from skdensity import EMGaussianMixture, TransformedDensity
        >>> X = [[1.0], [2.0], [3.0], [21.0], [23.0]]
        >>> mixture = EMGaussianMixture(2, random_state=0)
        >>> density = TransformedDensity(StandardScaler(), mixture).fit(X)
        >>> density.untransformed().means_.round(2)
        array([[ 2.],
               [22.]])
        """
        check_is_fitted(self)
        linear = matrix(self.transformer_, self.n_features_in_)
        if linear is None:
            raise ValueError(
                "`untransformed` is for affine transformers, such as StandardScaler "
                f"and PCA; {self.transformer_!r} bends the density, which is no "
                "Gaussian or mixture in the units of the data. `sample` draws rows in "
                "these units."
            )
        found = untransformed(unwrapped(self.density_), self.transformer_, linear)
        if hasattr(self, "feature_names_in_"):
            found.feature_names_in_ = self.feature_names_in_
        return found

    @cached_property
    def image_mass_(self) -> float:
        """What the density integrates to, when it is asked for."""
        check_is_fitted(self)
        density = unwrapped(self.density_)
        return image_mass(self.transformer_, density, self.n_features_in_)

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell where metadata of `fit` go: to the transformer and to the density.

        As far as they request any.

        Returns
        -------
        routing : MetadataRouter
            What each of them requests.

        Raises
        ------
        RuntimeError
            If metadata routing is used while it is not enabled.

        See Also
        --------
        fit : Passes metadata on.

        Examples
        --------
        >>> from skdensity import TransformedDensity
        >>> type(TransformedDensity().get_metadata_routing()).__name__
        'MetadataRouter'
        """
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        for name in ("transformer", "density"):
            if getattr(self, name) is not None:
                mapping = MethodMapping().add(caller="fit", callee="fit")
                router.add(**{name: getattr(self, name)}, method_mapping=mapping)
        return router

    def _columns(self, features, method, leave=0):
        """Features, and the column of every feature in the transformer's output."""
        check_is_fitted(self)
        density = unwrapped(self.density_)
        check_method(density, method, f"TransformedDensity.{method}")
        found = sources(self.transformer_, self.n_features_in_)
        if found is None:
            raise ValueError(
                f"`{method}` is for transformers of every feature by itself, and "
                f"{self.transformer_!r} mixes them, as far as is known."
            )
        names = list(getattr(self, "feature_names_in_", ()))
        chosen = feature_indices(features, self.n_features_in_, names, leave)
        return chosen, np.argsort(found)

    def _part(self, density, features, places):
        """The fitted density of some features, given that of the transformed ones."""
        transformer = TransformerPart(
            self.transformer_, self.n_features_in_, features, places
        )
        names = getattr(self, "feature_names_in_", None)
        names = None if names is None else names[features]
        return clone(self)._store(transformer, density, len(features), names)

    def _store(self, transformer, density, n_features, names):
        self.transformer_, self.density_ = transformer, density
        self.n_features_in_ = n_features
        if names is not None:
            self.feature_names_in_ = names
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = takes_nan(self.density)
        return tags
