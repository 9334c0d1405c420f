"""A mixture whose number of components and family of covariances are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from skdensity.densities.base import unchanged_on_error
from skdensity.densities.criteria import CRITERIA
from skdensity.densities.doc_link import DocLinkMixin
from skdensity.densities.doubts import warn_of
from skdensity.densities.em_gaussian_mixture import EMGaussianMixture
from skdensity.models.covariances.table import FAMILIES
from skdensity.rows.row_blocks import RowBlocks
from skdensity.uses.mixture_cell import Sample
from skdensity.uses.mixture_table import MixtureTable


class GaussianMixtureSearch(DensityMixin, DocLinkMixin, BaseEstimator):
    r"""Gaussian mixture with the number of components and the family that suit.

    .. math::

        \hat K, \hat F = \arg\min_{K, F} \; -2 \, \ell(K, F) + p(K, F) \log W

    A mixture is fitted for every number of components K in every family of covariances
    F, and the one with the least criterion is kept. It answers what is asked of the
    search.

    Parameters
    ----------
    n_components : int or array-like of int, default=(1, 2, ..., 10)
        Numbers of components K to try.
    covariance_types : str, list of str or None, default=None
        Families to try: values of `covariance_type` of `EMGaussianMixture`. None is all
        of them; for one feature ``"full"`` and ``"tied"``, which are all that differ
        there.
    criterion : {"bic", "aic", "icl"}, default="bic"
        What is to be least: ``"bic"`` counts Gaussians, ``"icl"`` clusters, and
        ``"aic"`` asks less of a parameter.
    n_jobs : int or None, default=None
        Families that are fitted at a time, in processes of joblib. None is 1, or what a
        ``joblib.parallel_config`` says. It makes no difference to the result.
    random_state : int, RandomState instance or None, default=None
        Source of randomness of the starts, and the default of :meth:`sample`.

    Attributes
    ----------
    results_ : dict of str to ndarray of shape (n_cells,)
        The table, family by family: ``"n_components"``, ``"covariance_type"``, the
        criteria ``"bic"``, ``"aic"`` and ``"icl"``, ``"log_likelihood"`` of all rows in
        nats, ``"n_parameters"``, ``"n_iter"``, ``"converged"``, ``"fit_time"`` in
        seconds, and ``"reason"``. Where that is not empty, it says why the cell does
        not count, and criteria and likelihood are NaN.
    best_index_ : int
        Where in the table the chosen mixture is.
    best_params_ : dict
        Its ``"n_components"`` and ``"covariance_type"``.
    best_estimator_ : EMGaussianMixture
        The mixture.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    EMGaussianMixture : What is chosen among.
    MixtureSearchDisplay : Shows the table as curves.
    sklearn.model_selection.GridSearchCV : Chooses by rows that were left out.

    Notes
    -----
    W is the total weight, ℓ the log-likelihood of the training rows and p the number of
    free parameters.

    Mixtures of the first family start from the better of two: where the default start
    of `EMGaussianMixture` leads, and the mixture with one component fewer, one of its
    components cut in two where that promises most. Those of the others start from the
    first family's, and from their own with one component fewer. The three cells with
    the least criterion and those beside them are then tried again: from a new start,
    and from all of their neighbours, as long as that gains anything.

    These fits end when 1e-3 nats for each row are to be expected of further iterations.
    Mixtures that this could make the best go on, until it is a thousandth of a nat of
    all rows together, and so does the best one in any case.

    A cell does not count where a fit fails, where components rest on `reg_covar`, which
    then decides the likelihood (spikes on few rows, or on values that a rounded column
    repeats), and where there are more parameters than values. R's mclust has NA in such
    cells; its criteria have the opposite sign. Its names for the families here are VVV
    (``"full"``), EEE (``"tied"``), VVI (``"diag"``), EEI (``"tied_diag"``), VII
    (``"spherical"``) and EII (``"tied_spherical"``).

    Rows that need not fit into memory are taken, too; each fit reads them again in
    every iteration. NaN is what was not observed, as for `EMGaussianMixture`.

    References
    ----------
    G. Schwarz (1978), doi:10.1214/aos/1176344136; C. Fraley and A. E. Raftery (2002),
    doi:10.1198/016214502760047131; the starts, N. Vlassis and A. Likas (2002),
    doi:10.1023/A:1013844811137.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdensity import GaussianMixtureSearch
    >>> X = load_iris().data
    >>> search = GaussianMixtureSearch(range(1, 4), random_state=0).fit(X)
    >>> search.best_params_
    {'n_components': 2, 'covariance_type': 'full'}
    >>> search.predict(X[[0, 50, 100]])
    array([1, 0, 0])

    The table, as mclust prints it:

    >>> import pandas as pd
    >>> table = pd.DataFrame(search.results_).query("n_components > 1")
    >>> table = table.pivot(
    ...     index="covariance_type", columns="n_components", values="bic"
    ... )
    >>> table.loc[["full", "tied", "diag"]].round()
    n_components         2      3
    covariance_type
    full             574.0  581.0
    tied             688.0  633.0
    diag             858.0  744.0
    """

    _parameter_constraints: dict = {
        "n_components": ["array-like", Integral],
        "covariance_types": [StrOptions(FAMILIES.keys()), "array-like", None],
        "criterion": [StrOptions(set(CRITERIA))],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int | ArrayLike = tuple(range(1, 11)),
        covariance_types: str | Sequence[str] | None = None,
        *,
        criterion: str = "bic",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_types = covariance_types
        self.criterion = criterion
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike | RowBlocks,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit a mixture for every cell of the table, and keep the best.

        First from neighbours in the table, then from more starts where that may decide,
        last with further iterations.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Training rows. NaN is what was not observed; every feature needs a value
            somewhere.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice,
            in the criterion as well.

        Returns
        -------
        self : GaussianMixtureSearch
            The fitted search.

        Raises
        ------
        ValueError
            If `X` or the weights are not what :class:`EMGaussianMixture` takes, if
            `n_components` is no positive integers or `covariance_types` no families, or
            if no mixture could be fitted. The search is left as it was.
        KeyboardInterrupt
            If the user interrupted the fit.

        Warns
        -----
        UserWarning
            If there is a doubt about the best mixture, as of its own `fit`; if it has
            more parameters than there are rows; or if no cell of the table counts, so
            that there is no choice: the mixture with the fewest parameters is then
            kept.

        See Also
        --------
        MixtureSearchDisplay.from_estimator : Draw the table.

        Examples
        --------
        >>> from skdensity import GaussianMixtureSearch
        >>> from skdensity.datasets import make_mixture_1d
        >>> X, _ = make_mixture_1d()
        >>> GaussianMixtureSearch(range(1, 6), random_state=0).fit(X).best_params_
        {'n_components': 3, 'covariance_type': 'full'}
        """
        numbers, families = self._numbers(), self._families()
        # Complains of rows that no mixture could be fitted to, before all of them do.
        one = EMGaussianMixture()
        one._fitted(X, None, sample_weight)
        sample = Sample(X, sample_weight, one.n_features_in_)
        if self.covariance_types is None and sample.n_features == 1:
            families = _differing(families)
        rng = check_random_state(self.random_state)
        table = MixtureTable(sample, families, numbers, rng, self.n_jobs)
        table.fill()
        table.improve(self.criterion)
        index = table.least(self.criterion)
        cells = list(table.cells.values())
        doubts = cells[index].told()
        if not cells[index].counts:
            index, doubt = _without_choice(table, cells)
            doubts = [doubt]
        with unchanged_on_error(self):
            self._store(table, index, one)
        warn_of(self, doubts)
        return self

    def score_samples(self, X: ArrayLike | RowBlocks) -> np.ndarray:
        """Log-density of every row under the best mixture, in nats.

        That of :meth:`EMGaussianMixture.score_samples`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows to evaluate; NaN is what was not observed.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            ``log p(x)``.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities.

        See Also
        --------
        score : Their mean.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import GaussianMixtureSearch
        >>> X = load_iris().data
        >>> search = GaussianMixtureSearch(range(1, 4), "full", random_state=0).fit(X)
        >>> search.score_samples(X[:2]).round(2)
        array([1.57, 0.74])
        """
        return self._best().score_samples(X)

    def score(
        self,
        X: ArrayLike | RowBlocks,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Mean log-likelihood of rows under the best mixture, in nats.

        That of :meth:`EMGaussianMixture.score`, so that a search can itself be
        cross-validated.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows to score.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        score : float
            ``sum(w * log p(x)) / sum(w)``; higher is better.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        ValueError
            If `X` or the weights are unusable.

        See Also
        --------
        score_samples : The log-density of every row.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import GaussianMixtureSearch
        >>> X = load_iris().data
        >>> search = GaussianMixtureSearch(range(1, 4), "full", random_state=0).fit(X)
        >>> round(search.score(X), 3)
        -1.429
        """
        return self._best().score(X, sample_weight=sample_weight)

    def predict(self, X: ArrayLike | RowBlocks) -> np.ndarray:
        """Assign every row to its most probable component of the best mixture.

        The component of :meth:`EMGaussianMixture.predict`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows; NaN is what was not observed.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Index of each row's component.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities.

        See Also
        --------
        predict_proba : How sure that is.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import GaussianMixtureSearch
        >>> X = load_iris().data
        >>> search = GaussianMixtureSearch(range(1, 4), "full", random_state=0).fit(X)
        >>> search.predict(X[::30])
        array([1, 1, 0, 0, 0])
        """
        return self._best().predict(X)

    def predict_proba(self, X: ArrayLike | RowBlocks) -> np.ndarray:
        """Tell how probable the components of the best mixture are for every row.

        Those of :meth:`EMGaussianMixture.predict_proba`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or RowBlocks
            Rows; NaN is what was not observed.

        Returns
        -------
        responsibilities : ndarray of shape (n_samples, n_components)
            Rows sum to 1.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        ValueError
            If `X` is not a table of the features seen in `fit`, or has infinities.

        See Also
        --------
        predict : The most probable one.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import GaussianMixtureSearch
        >>> X = load_iris().data
        >>> search = GaussianMixtureSearch(range(1, 4), "full", random_state=0).fit(X)
        >>> search.predict_proba(X[:1]).round(3)
        array([[0., 1.]])
        """
        return self._best().predict_proba(X)

    def sample(
        self, n_samples: int = 1, random_state: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows from the best mixture.

        As :meth:`EMGaussianMixture.sample` does.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance, Generator or None, default=None
            Source of randomness; an int gives the same draws at every call, an instance
            goes on. None falls back on the constructor's.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Independent draws.
        y : ndarray of shape (n_samples,)
            The component that each row came from.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        ValueError
            If `n_samples` is below 1.
        TypeError
            If `n_samples` is not an integer.

        See Also
        --------
        score_samples : Evaluate the density.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skdensity import GaussianMixtureSearch
        >>> X = load_iris().data
        >>> search = GaussianMixtureSearch(range(1, 4), "full", random_state=0).fit(X)
        >>> X_new, y = search.sample(5)
        >>> X_new.shape, y.shape
        ((5, 4), (5,))
        """
        return self._best().sample(n_samples, random_state)

    def _best(self):
        check_is_fitted(self)
        return self.best_estimator_

    def _numbers(self):
        """Numbers of components, ascending."""
        # As objects, so that whatever it is can be looked at.
        given = np.asarray(self.n_components, dtype=object).ravel()
        if not len(given) or not all(map(_is_number, given)):
            raise ValueError(
                "`n_components` must be positive integers, such as range(1, 11); got "
                f"{self.n_components!r}."
            )
        return sorted(set(map(int, given)))

    def _families(self):
        """Names of families, each once."""
        if self.covariance_types is None:
            return list(FAMILIES)
        names = self.covariance_types
        names = [names] if isinstance(names, str) else list(names)
        if not names or not all(map(_is_family, names)):
            raise ValueError(
                f"`covariance_types` must be some of {', '.join(map(repr, FAMILIES))}; "
                f"got {self.covariance_types!r}."
            )
        return list(dict.fromkeys(names))

    def _store(self, table, index, one):
        """Set the fitted attributes."""
        best = list(table.cells.values())[index].mixture
        self.results_ = table.results()
        self.best_index_ = index
        self.best_params_ = {
            "n_components": best.n_components,
            "covariance_type": best.covariance_type,
        }
        self.best_estimator_ = best.set_params(random_state=self.random_state)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(one, name):
                setattr(self, name, getattr(one, name))
            elif hasattr(self, name):
                delattr(self, name)  # of rows with names, before these

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _is_number(k):
    is_integer = isinstance(k, int | np.integer) and not isinstance(k, bool)
    return is_integer and k >= 1


def _is_family(name):
    return isinstance(name, str) and name in FAMILIES


def _without_choice(table, cells):
    """The cell to keep where none counts, and a word of warning; or an error."""
    index = table.smallest()
    if index is None:
        raise ValueError(
            f"None of {len(cells)} mixtures could be fitted. {_told(cells[0])}"
        )
    return index, (
        f"None of {len(cells)} mixtures counts, and the one with the fewest parameters "
        f"is kept. {_told(cells[index])}"
    )


def _told(cell):
    """Why a cell does not count."""
    return (
        f"Of n_components={cell.n_components} with "
        f"covariance_type={cell.mixture.covariance_type!r}, it is said: {cell.reason}"
    )


def _differing(names):
    """Those families that differ where there is one feature."""
    by_tie = {FAMILIES[name].shape.tied: name for name in reversed(names)}
    return [name for name in names if name in by_tie.values()]
