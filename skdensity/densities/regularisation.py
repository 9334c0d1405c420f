"""What `reg_covar` stands for: a covariance that is added to every estimate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Literal

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skdensity.models.covariances.family import CovarianceFamily
from skdensity.models.mixtures.majority import minority_shares
from skdensity.models.mixtures.moments import Moments
from skdensity.models.mixtures.variances import positive_covariance, without_zeros
from skdensity.rows.rows import Rows

REG_COVAR_CONSTRAINT: list = [
    Interval(Real, 0, None, closed="left"),
    StrOptions({"auto"}),
]
# Share of the rows' covariance that "auto" adds.
AUTO_SHARE = 1e-6
# The largest share of a variance that it adds where most rows have one value. Of a
# hundredth the fits to the pixels of `digits_diag` and `mnist_diag` (see
# `benchmarks/mixture/real.py`) are less likely on new rows, by 60 and 800 nats; of all
# of it more likely, by 7 and 160, but then one Gaussian is far too wide.
LARGEST_SHARE = 0.1


def added_to_gaussian(
    reg_covar: float | Literal["auto"], moments: Moments, family: CovarianceFamily
) -> np.ndarray:
    """The covariance that is added to that of one Gaussian.

    Parameters
    ----------
    reg_covar : float or "auto"
        A variance of every feature, or a millionth of the covariance, which is made
        positive where it is singular.
    moments : Moments
        Of all rows.
    family : CovarianceFamily
        The shape of the covariance.

    Returns
    -------
    covariance : ndarray
        In the family's layout, without an axis of components.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.densities.regularisation import added_to_gaussian
    >>> from skdensity.models.covariances.table import FULL
    >>> from skdensity.models.mixtures.moments import moments_of
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> moments = moments_of(ArrayRows(np.eye(2)), FULL.scatter)
    >>> added_to_gaussian(0.5, moments, FULL)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    if reg_covar == "auto":
        return AUTO_SHARE * positive_covariance(moments, family)
    return _everywhere(reg_covar, moments.about.shape[1], family)


@dataclass(frozen=True, eq=False)
class Regularisation:
    r"""What is added to the covariances of all components, given moments of the rows.

    With "auto" it is a millionth of the covariance of all rows. Where every feature has
    a variance of its own, components may see nothing of a feature but the one value
    that most rows have. What is added is then all of their width, and a millionth of
    :math:`\sigma_d^2` would be absurd: rows with another value, a share :math:`q_d` of
    all, are about :math:`\sigma_d / \sqrt{q_d}` away, and each would cost
    :math:`10^6 / 2 q_d` nats. There :math:`10^{-6} \sigma_d^2 / q_d^2` is added, at
    most a tenth of :math:`\sigma_d^2`: the rarer such rows are, the less is known of
    how far away they may be.

    Attributes
    ----------
    reg_covar : float or "auto"
        A variance of every feature, or what follows the rows.
    family : CovarianceFamily
        The shape of the covariances.
    n_features : int
        Number of features.
    shares : ndarray of shape (n_features,) or None
        The shares q; None where they make no difference.

    Examples
    --------
    >>> import numpy as np
    >>> from skdensity.densities.regularisation import Regularisation
    >>> from skdensity.models.covariances.table import DIAGONAL
    >>> from skdensity.models.mixtures.moments import moments_of
    >>> from skdensity.rows.array_rows import ArrayRows
    >>> X = np.random.RandomState(0).standard_normal((1000, 2))
    >>> X[2:, 1] = 0
    >>> rows = ArrayRows(X)
    >>> auto = Regularisation.of("auto", rows, DIAGONAL)
    >>> auto.added(lambda: moments_of(rows, DIAGONAL.scatter)) / X.var(axis=0)
    array([1.e-06, 1.e-01])
    """

    reg_covar: float | Literal["auto"]
    family: CovarianceFamily
    n_features: int
    shares: np.ndarray | None = None

    @classmethod
    def of(
        cls, reg_covar: float | Literal["auto"], rows: Rows, family: CovarianceFamily
    ) -> Regularisation:
        """With the shares of some rows, where they make a difference."""
        follows_features = not (
            family.shape.is_oriented or family.shape.pooled_features
        )
        is_asked = reg_covar == "auto" and follows_features
        shares = minority_shares(rows) if is_asked else None
        return cls(reg_covar, family, rows.n_features, shares)

    def added(self, moments: Callable[[], Moments]) -> np.ndarray:
        """The covariance.

        Parameters
        ----------
        moments : callable
            Gives those of all rows, which "auto" alone asks for.

        Returns
        -------
        covariance : ndarray
            In the family's layout, without an axis of components. That of "auto" is
            positive definite, and follows every change of axes that the family allows,
            if the covariance of the rows is not singular. Constant features get what
            the others do on average.
        """
        if self.reg_covar != "auto":
            return _everywhere(self.reg_covar, self.n_features, self.family)
        if self.shares is None:
            return added_to_gaussian("auto", moments(), self.family)
        (variances,) = moments().covariances(self.family.scatter, 0.0)
        rarity = np.maximum(self.shares, np.sqrt(AUTO_SHARE / LARGEST_SHARE))
        return AUTO_SHARE * without_zeros(variances / rarity**2)


def _everywhere(variance, n_features, family):
    return family.scatter.isolated(np.full(n_features, float(variance)))
