"""A kernel density whose bandwidth is chosen by leaving one out."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from skdensity.densities.ascent import AscentMixin
from skdensity.densities.base import BaseDensity, unchanged_on_error
from skdensity.densities.callbacks import CallbackSupportMixin, Task, Trials, fit_task
from skdensity.densities.checks import checked_shares
from skdensity.densities.conditionals import ConditionalsMixin
from skdensity.densities.distribution import DistributionMixin
from skdensity.densities.feature_names import names_of_features
from skdensity.densities.imputation import ImputationMixin
from skdensity.densities.kernel_checks import (
    check_widths,
    checked_algorithm,
    checked_kernel,
    checked_values,
    kernel_of,
)
from skdensity.densities.kernel_doubts import warn_of_table
from skdensity.densities.parts import PartsMixin
from skdensity.densities.squares import check_squares
from skdensity.densities.support_checks import check_known, check_within, checked_folds
from skdensity.models.gaussian import Gaussian
from skdensity.models.kernels.kernels import Kernels
from skdensity.models.kernels.shapes import SHAPES, KernelShape, shape_of
from skdensity.models.kernels.statistics import NOTHING
from skdensity.models.kernels.sums.algorithms import ALGORITHMS, Summation
from skdensity.models.kernels.support import Support
from skdensity.passes.workspace import Workspace, as_in_a_pass
from skdensity.rows.array_rows import ArrayRows
from skdensity.rows.columns import Column
from skdensity.rows.distinct import merge_duplicates
from skdensity.rows.repeats import Repeats, repeats_in
from skdensity.solvers.bandwidths.criteria import LeftOut
from skdensity.solvers.bandwidths.problem import reference
from skdensity.solvers.bandwidths.progress import Progress
from skdensity.solvers.bandwidths.rules import BANDWIDTHS, Choice, Rule, choose
from skdensity.solvers.modes import climb

# What a search may have left behind, and other fits do not set.
OF_SEARCHES = "bandwidths_", "loo_scores_"
# Starts of mean shift: more rows than this would find the same modes.
MAX_STARTS = 2000


class LOOKernelDensity(
    PartsMixin,
    ImputationMixin,
    ConditionalsMixin,
    AscentMixin,
    DistributionMixin,
    BaseDensity,
    CallbackSupportMixin,
):
    r"""Gaussian kernel density with a bandwidth chosen by leave-one-out likelihood.

    .. math::

        \hat p(x) = \sum_j m_j \, N(x \mid x_j, H), \qquad
        H = \arg\max_H \sum_i m_i \log \hat p_{-i}(x_i)

    Each training row is replaced by a Gaussian of covariance H, in the simplest case
    :math:`h^2 I` with the bandwidth h. The naive likelihood grows without bound as
    h → 0, because every row explains itself; leaving each row out of its own density
    removes that term.

    Parameters
    ----------
    bandwidth : str, float or array-like, default="loo"
        How H is chosen:

        - ``"loo"`` maximises the leave-one-out log-likelihood;
        - ``"robust_loo"`` does so with less regard for rows that are far from all
          others, for outliers and heavy tails;
        - ``"lscv"`` minimises an estimate of the integrated squared error;
        - ``"isj"`` is the improved Sheather–Jones plug-in rule, for more than one
          feature a mean over them;
        - ``"scott"`` and ``"silverman"`` are the rules of thumb, scaled with the data;
        - a positive number is h itself, in units of the data; one for each feature
          are standard deviations; a matrix is H.
    covariance_type : {"spherical", "diag", "full"}, default="spherical"
        The shape of H, unless `bandwidth` is given as numbers: one width for all
        features, one for each, or any covariance. ``"loo"`` optimises all of it, the
        other rules scale the scatter of the middle of the rows.
    bounds : array-like of shape (2,) or (n_features, 2), default=None
        Where rows can be, (lower, upper) with None for no bound; one pair stands for
        all features. Kernels are reflected at the bounds, so that no mass leaves;
        beyond them the density is zero. Not for correlated kernels.
    periodic : float or array-like of shape (n_features,), default=None
        The period of features that are angles, hours or days of the year: a number, or
        one for each feature with None for what is not periodic. Rows are taken modulo
        the period, from any origin, and kernels go around the circle. Not for
        correlated kernels, and not together with bounds of the same feature.
    algorithm : {"auto", "exact", "nufft"}, default="auto"
        How kernels are added up: ``"exact"`` over all pairs; ``"nufft"`` by transforms,
        for up to three features and with finufft installed; ``"auto"`` by whatever is
        expected to be faster. Results agree to `rtol`.
    rtol : float, default=1e-6
        Largest relative error of a density, at every query.
    verbose : int, default=0
        1 prints every bandwidth that a search tries on all rows, with its score and
        the time since the last; 2 also those that are tried on a sample of the rows.
    n_jobs : int or None, default=None
        Number of threads. None takes as many as BLAS may use here and now, so that
        limits of ``threadpoolctl``, ``OMP_NUM_THREADS`` and joblib's workers hold;
        elsewhere in scikit-learn None means 1 for what has no threads of its own. −1
        takes all processors. It makes no difference to the result.

    Attributes
    ----------
    bandwidth_ : float or ndarray of shape (n_features,) or (n_features, n_features)
        h, standard deviations, or H, for a spherical, diagonal or full kernel.
    covariance_ : ndarray of shape (n_features, n_features)
        H.
    loo_score_ : float
        Mean leave-one-out log-likelihood under H, in nats per unit of weight. Computed
        when it is first asked for, whatever `bandwidth` is; −inf when there is one
        location only.
    loo_log_density_ : ndarray of shape (n_samples,)
        Leave-one-out log-density of every row, in nats and in the order that `fit` saw
        them in: what `score_samples` gives for a row that was not there. Copies are
        left out together; a row of weight zero has the density of all. About 5 % of
        fresh rows are below its 5 % quantile, which is a threshold for outliers; that
        of `score_samples` at the rows is none, as each is raised by its own kernel.
        Computed when it is first asked for. After `marginal` or `condition` it is that
        of the locations.
    bandwidths_ : ndarray of shape (n_tried,) + shape of `bandwidth_`
        The bandwidths that a search tried on all rows, the narrowest first. Set by
        ``"loo"``, ``"robust_loo"`` and ``"lscv"``.
    loo_scores_ : ndarray of shape (n_tried,)
        Their scores, higher being better; for ``"loo"`` they are leave-one-out
        log-likelihoods, of cells where rows are on grids, and with no more of an atom
        than counts (see Notes). That of the bandwidth that is chosen is as exact as
        `rtol`; of many rows, those on the way there are of densities with errors up to
        1e-3, which come out as some 1e-9.
    columns_ : list of Column
        What the values of every feature are: their `kind`, ``"continuous"``,
        ``"grid"``, ``"discrete"`` or ``"constant"``, the `steps` of their grids, the
        `atoms` among them, and the `least_width` of kernels that show no gaps.
    locations_ : ndarray of shape (n_locations, n_features)
        The distinct training rows of positive weight, sorted.
    weights_ : ndarray of shape (n_locations,)
        Their shares :math:`m_j` of the weight, summing to 1.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when `X` has string names.

    See Also
    --------
    sklearn.neighbors.KernelDensity : Several kernels; its ``score`` is a sum.
    GaussianMLE : A density of fixed shape.

    Notes
    -----
    Rows that coincide are one location with the sum of their weights, and are left out
    together: with

    .. math::

        \hat p_{-i}(x_i) = \sum_{j \ne i} \frac{m_j}{1 - m_i} N(x_i \mid x_j, H)

    over distinct locations, duplicates cannot drive H to 0, a weight equals repetition,
    and neither the unit of the weights nor the order of the rows matters. The same
    holds for the rules of thumb, whose n is the effective number of locations,
    :math:`1 / \sum_j m_j^2`, or of rows where rounding made them coincide.

    Every rule asks what the columns are. Where rounding explains which rows coincide,
    because as many are one step apart, only one row is left out, and the others at its
    location count like any other row. A feature on a grid, or a discrete one, has at
    least half a step of width; where all features have one width, that is half of the
    largest step. What a search scores there are cells: the density is divided by

    .. math:: A(H) = \sum_{\kappa} e^{-2 \pi^2 \kappa^\top H \kappa},

    over the frequencies κ of the grids, which is what a kernel adds up to on them: 1
    for wide kernels, and 1.4 % more for half a step. Without it narrow kernels would
    gain log A at every row, which outweighs what many rows say of the width.
    `loo_score_` and `loo_log_density_` are of the density itself.

    A few values that occur again and again among others that do not, such as exact
    zeros, clipped ends or multiples of 500 among those of 10, count as much as those
    around them when the bandwidth is chosen. Without one of its rows such an atom is
    still there, so that one that is far from all other rows does not ask for kernels
    that bridge the gap. A warning says what was found and done.

    Spreads are those of the middle of the rows: the smaller of the standard deviation
    and what the quartiles tell of a Gaussian, and for full kernels the smaller of the
    covariance and the scatter of a multivariate Cauchy distribution.

    One bandwidth serves all features when `covariance_type` is ``"spherical"``:
    standardise them when their units differ, or use another type. A warning says where
    their spreads differ more than threefold.

    Bounds and periods fold kernels back: the density is a sum over all images of every
    row, its reflections at the bounds and its repetitions around the circles, and a row
    is left out with all of its images. Along each feature the images of a kernel are
    added up by themselves, in a few terms whatever its width, so that the work grows
    with the number of such features and not with that of their combinations. Rules of
    thumb measure the spread of a feature on a circle around its intrinsic mean.

    The likelihood criterion is for light tails; with tails like a power of x the
    bandwidth that it chooses does not go to 0 as it should (Hall 1987), and one far row
    asks for a bandwidth that bridges the gap to it. ``"robust_loo"`` does not.

    From scikit-learn 1.9 on, ``set_callbacks`` attaches a progress bar or an early stop
    to a search: every bandwidth that is tried on all rows is an iteration. A search
    that a callback stops takes the best of those.

    *Time.* In up to three features sums of n kernels at n rows take O(n + m log m) by
    non-uniform Fourier transforms, with m proportional to the volume of the data in
    bandwidths; space is cut so that gaps and outliers cost little. A transform has an
    absolute error: densities too small for `rtol` are added up from the neighbours, in
    log space. In more features, or on few rows, pairs are added up, O(n² n_features);
    of many rows only blocks of them that are near enough to matter within `rtol`, so
    that a table of clusters costs a fraction of all pairs. Memory is that of some
    copies of the rows, some blocks, and at most some 300 MB of modes. A search adds up
    kernels for some ten bandwidths on a sample of the rows, whose slopes lead to the
    best on all rows in three or four, of which all but the last are taken from coarse
    sums; of fewer than 8,192 rows, 2,048 in more than two features, all are always
    summed over. What does not depend on the queries is kept
    for the next ones, until the fitted attributes change; it is not pickled.

    References
    ----------
    J. D. F. Habbema, J. Hermans and K. van den Broek (1974), *A stepwise discriminant
    analysis program using density estimation*, COMPSTAT; R. P. W. Duin (1976),
    doi:10.1109/TC.1976.1674577; P. Hall (1987), doi:10.1214/aos/1176350606; J. T. Kent,
    D. E. Tyler and Y. Vardi (1994), doi:10.1080/03610919408813180; X. Wu (2019),
    doi:10.1080/07350015.2018.1424633; Z. I. Botev, J. F. Grotowski and D. P. Kroese
    (2010), doi:10.1214/10-AOS799; J. M. Leiva-Murillo and A. Artés-Rodríguez (2012),
    doi:10.1016/j.patrec.2012.06.006; A. H. Barnett, J. Magland and L. af Klinteberg
    (2019), doi:10.1137/18M120885X; D. W. Scott (1992), doi:10.1002/9780470316849;
    B. W. Silverman (1986), *Density Estimation for Statistics and Data Analysis*.

    Examples
    --------
    >>> from skdensity import LOOKernelDensity
    >>> from skdensity.datasets import make_mixture_1d
    >>> X, _ = make_mixture_1d()
    >>> density = LOOKernelDensity().fit(X)
    >>> round(density.bandwidth_, 3), round(density.loo_score_, 3)
    (0.296, -2.343)
    >>> density.score_samples([[0.0], [20.0]]).round(2)
    array([   -2.05, -1230.58])

    Rows that are all the same say nothing about a bandwidth:

    >>> LOOKernelDensity().fit([[1.0], [1.0]])
    Traceback (most recent call last):
        ...
    ValueError: bandwidth='loo' needs at least 2 distinct rows...
    >>> round(LOOKernelDensity(bandwidth=0.5).fit([[1.0]]).score([[1.0]]), 4)
    -0.2258

    Midnight is between 23 and 1 o'clock:

    >>> hours = [[23.0], [23.5], [0.5], [1.0]]
    >>> density = LOOKernelDensity(bandwidth=1.0, periodic=24).fit(hours)
    >>> density.score_samples([[0.0], [24.0], [12.0]]).round(2)
    array([ -1.21,  -1.21, -62.11])
    """

    _parameter_constraints: dict = {
        "bandwidth": [
            StrOptions(BANDWIDTHS.keys()),  # a live view: rules that are added count
            Interval(Real, 0, None, closed="neither"),
            "array-like",
        ],
        "covariance_type": [StrOptions(set(SHAPES))],
        "bounds": ["array-like", None],
        "periodic": [Real, "array-like", None],
        "algorithm": [StrOptions(set(ALGORITHMS))],
        "rtol": [Interval(Real, 0, 1, closed="neither")],
        "verbose": ["verbose"],
        "n_jobs": [Integral, None],
    }
    _told_by = ("locations_", "weights_", "bandwidth_")
    _keeps_rows = True

    def __init__(
        self,
        bandwidth: str | float | ArrayLike = "loo",
        *,
        covariance_type: str = "spherical",
        bounds: ArrayLike | None = None,
        periodic: float | ArrayLike | None = None,
        algorithm: str = "auto",
        rtol: float = 1e-6,
        verbose: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.bandwidth = bandwidth
        self.covariance_type = covariance_type
        self.bounds = bounds
        self.periodic = periodic
        self.algorithm = algorithm
        self.rtol = rtol
        self.verbose = verbose
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Store the rows and choose the bandwidth.

        Equal rows become one location with the sum of their weights. With `bandwidth`
        as a number nothing has to be chosen, and a fit costs a sort.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows; at least 2 distinct ones unless `bandwidth` is numbers.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 counts like a row that is there twice.

        Returns
        -------
        self : LOOKernelDensity
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input is not a finite table with usable weights, has squares that
            overflow or underflow while a rule chooses a matrix, is in units whose
            reciprocals overflow, has too few distinct rows, or lies outside of the
            bounds; if bounds and periods do not fit the features, are both given for
            one, or are given for correlated kernels; or if the bandwidth does not fit
            the features or is not positive definite. The estimator is then left as it
            was.

        Warns
        -----
        UserWarning
            If rows coincide or columns hold grids or atoms that made a difference; if
            one width serves columns of unlike spreads; or if a rule found no structure
            to follow.

        See Also
        --------
        BandwidthDisplay : Shows how a bandwidth was chosen.

        Examples
        --------
        >>> from skdensity import LOOKernelDensity
        >>> density = LOOKernelDensity(bandwidth=1.0)
        >>> density = density.fit([[0.0], [1.0], [1.0], [3.0]])
        >>> density.locations_.ravel(), density.weights_
        (array([0., 1., 3.]), array([0.25, 0.5 , 0.25]))
        """
        is_rule = isinstance(self.bandwidth, str)
        rule = BANDWIDTHS[str(self.bandwidth)] if is_rule else None
        task = fit_task(
            self, None if rule and rule.searches else 0, X, y, sample_weight
        )
        n_least = 2 if rule else 1
        with unchanged_on_error(self), Workspace(self.n_jobs) as workspace, workspace:
            rows = self._rows_to_fit(X, sample_weight, workspace, min_samples=n_least)
            if rule:
                shape = SHAPES[self.covariance_type]
            else:
                kernel = checked_kernel(self.bandwidth, rows.n_features)
                shape = shape_of(self.bandwidth)
            self._locate(rows, self._checked_folds(rows.n_features, shape))
            for name in OF_SEARCHES:
                self.__dict__.pop(name, None)
            if rule:
                self._choose(rule, rows, shape, task)
            else:
                self._store(kernel)
            task.end()
        return self

    # Attributes are described in the class: with a docstring numpydoc would take them
    # for members with pages of their own.

    @property
    def columns_(self) -> list[Column]:
        return self._once("columns_", lambda kernels: _repeats_of(kernels).columns)

    @property
    def loo_score_(self) -> float:
        return as_in_a_pass(self._mean_left_out)

    @property
    def loo_log_density_(self) -> np.ndarray:
        return self._once("loo_log_density_", self._found_loo_log_density)

    def _left_out(self) -> np.ndarray:
        """Leave-one-out log-density of every location, which both of them come from."""

        def found(kernels):
            with Workspace(self.n_jobs) as workspace, workspace:
                return _left_out(kernels, workspace)

        return self._once("left_out", found)

    def _mean_left_out(self) -> float:
        return float(self._model().masses @ self._left_out())

    def _found_loo_log_density(self, kernels: Kernels) -> np.ndarray:
        places = self._places_among(len(kernels.locations))
        values = self._left_out()[places]
        is_absent = places < 0
        if is_absent.any():
            with Workspace(self.n_jobs) as workspace, workspace:
                rows = ArrayRows(self._absent, workspace=workspace)
                values[is_absent] = kernels.log_density(rows)
        return values.astype(kernels.locations.dtype)

    def _places_among(self, n_locations: int) -> np.ndarray:
        """Which location each row of the fit is; without one, the locations are."""
        places = getattr(self, "_places", None)
        if places is None or places.max() != n_locations - 1:
            return np.arange(n_locations)
        return places

    def _found_modes(self):
        kernels = self._model()
        every = -(-len(kernels.locations) // MAX_STARTS)
        with Workspace(self.n_jobs) as workspace, workspace:
            modes = climb(kernels, kernels.locations[::every], workspace)
        # After rounding: a whole turn is none.
        return kernels.support.wrap(modes.astype(kernels.locations.dtype))

    def _check_known(self, rows, min_samples, everywhere):
        super()._check_known(rows, min_samples, everywhere)
        # A matrix is of squares of widths; what users see of other shapes is of widths.
        is_matrix = not SHAPES[self.covariance_type].is_independent
        if is_matrix and isinstance(self.bandwidth, str):
            check_squares(self, rows)

    def _check_given(self, X):
        check_known(X, self._model().support, names_of_features(self, X.shape[1]))

    def _check_within(self, support: Support, numbers: np.ndarray) -> None:
        """Complain of locations outside of the bounds, by the numbers of their rows."""
        locations = np.asarray(self.locations_)
        names = names_of_features(self, locations.shape[1])
        check_within(locations, support, numbers, names)

    def _told(self) -> dict[str, Any]:
        told = super()._told()
        folds = getattr(self, "_folds", None)
        if folds is None:  # the fitted attributes were set by hand
            locations = np.asarray(self.locations_)
            shape = shape_of(self.bandwidth_)
            folds = self._checked_folds(locations.shape[1], shape)
            self._check_within(Support.of(**folds), np.arange(len(locations)))
        return {
            **told,
            **folds,
            "rtol": self.rtol,
            "algorithm": self.algorithm,
        }

    def _model_of(self, told):
        locations, masses, bandwidth = (told[name] for name in self._told_by)
        locations = locations.astype(self._dtype(), copy=False)
        masses = checked_shares(masses, "weights_", len(locations))
        origin = masses @ locations.astype(np.float64)
        kernel = kernel_of(bandwidth, origin, "bandwidth_")
        summation = Summation(told["rtol"], checked_algorithm(told["algorithm"]))
        support = Support.of(told["bounds"], told["periods"])
        return Kernels(locations, masses, kernel, support, summation)

    def _checked_folds(
        self, n_features: int, shape: KernelShape
    ) -> dict[str, np.ndarray | None]:
        """Bounds and periods as arrays, or None."""
        return checked_folds(self.bounds, self.periodic, n_features, shape)

    def _locate(self, rows: ArrayRows, folds: dict[str, np.ndarray | None]) -> None:
        """Set the distinct rows, which must lie within bounds."""
        support = Support.of(**folds)
        X = support.wrap(rows.X)
        self.locations_, self.weights_, first, self._places = merge_duplicates(
            X, rows.each_weight
        )
        self._absent = X[self._places < 0]
        self._check_within(support, first)
        self._folds = folds

    def _choose(
        self, rule: Rule, rows: ArrayRows, shape: KernelShape, task: Task
    ) -> None:
        """Apply a rule, and set what it finds."""
        if len(self.locations_) < 2:
            raise ValueError(
                f"bandwidth={self.bandwidth!r} needs at least 2 distinct rows of "
                "positive weight, but all rows are the same. Give `bandwidth` a number."
            )
        # As they are: cut elsewhere, a grid that does not divide the period had a seam.
        located = self.locations_, self.weights_
        repeats = repeats_in(*located)
        support = Support.of(**self._folds)
        unrolled = support.cut(repeats.locations, repeats.masses).wrap(
            repeats.locations
        )
        kernel = reference(unrolled, repeats, shape)
        check_widths(kernel, str(self.bandwidth))
        summation = Summation(self.rtol, ALGORITHMS[self.algorithm])
        kernels = Kernels(*located, kernel, support, summation)

        def store(estimator, tried):
            estimator._store_search(Choice.best_of(kernels, tried))

        progress = Progress(self.verbose, Trials(task, store))
        choice = choose(rule, kernels, repeats, rows.workspace, progress)
        if rule.searches:
            self._store_search(choice)
        else:
            self._store(choice.chosen.kernel)
        warn_of_table(self, repeats, choice, int(np.count_nonzero(self._places >= 0)))

    def _store_search(self, choice: Choice) -> None:
        """Set what a search has tried, and what it chose."""
        self.loo_scores_ = choice.scores
        self.bandwidths_ = np.array([tried.bandwidth for tried in choice.tried])
        self._store(choice.chosen.kernel)

    def _store(self, kernel: Gaussian) -> None:
        """Set what tells the kernel."""
        self.bandwidth_ = SHAPES[kernel.family.name].bandwidth_of(kernel)
        with np.errstate(over="ignore"):  # in units that are out of all proportion
            self.covariance_ = kernel.covariance

    def _known(self, values, given):
        model = self._model()
        names = names_of_features(self, model.n_features)
        return checked_values(values, given, model.support, names)

    def _store_model(self, model, dtype):
        self.locations_, self.weights_, *_ = merge_duplicates(
            model.locations, model.masses
        )
        self._store(model.kernel)
        n_features = model.n_features
        self.set_params(
            bandwidth=self.bandwidth_,
            bounds=model.support.bounds(n_features),
            periodic=model.support.circles(n_features),
        )
        self._folds = self._checked_folds(n_features, model.shape)


def _repeats_of(kernels: Kernels) -> Repeats:
    """Why the locations of kernels coincide, and what their columns are."""
    return repeats_in(kernels.locations, kernels.masses)


def _left_out(kernels: Kernels, workspace: Workspace) -> np.ndarray:
    """Log-density of every location without its own rows, or without one of them."""
    if len(kernels.locations) == 1:
        return np.array([-np.inf])
    left_out = kernels.masses * _repeats_of(kernels).shares
    ((log_density, _),) = LeftOut(kernels, workspace, left_out).at([1.0], NOTHING)
    return log_density
