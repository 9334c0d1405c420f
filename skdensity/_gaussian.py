"""What the two single Gaussians share once fitted."""

from __future__ import annotations

from skdensity._base import BaseDensity, check_sampling


class BaseGaussian(BaseDensity):
    """Density and samples of a fitted Gaussian."""

    def score_samples(self, X):
        """Log-density of every row, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to evaluate.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            ``log p(x)``, float32 for float32 rows and float64 otherwise.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `X` is not a finite table of the features seen in `fit`, or
            `covariance_` is singular.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> GaussianMLE().fit([[0.0], [2.0]]).score_samples([[1.0], [3.0]]).round(4)
        array([-0.9189, -2.9189])
        """
        X = self._rows(X)
        return self._fitted().log_density(X)

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the fitted density.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Source of randomness; an int gives the same draws at every call. None falls
            back on the constructor's, if it has one.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Independent draws.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If `n_samples` is below 1, or `covariance_` is singular.

        Examples
        --------
        >>> from skdensity import GaussianMLE
        >>> GaussianMLE().fit([[0.0], [2.0]]).sample(3, random_state=0).round(2)
        array([[-1.27],
               [ 2.33],
               [ 0.16]])
        """
        n_samples, rng = check_sampling(self, n_samples, random_state)
        X, _ = self._fitted().sample(n_samples, rng)
        return X.astype(self.location_.dtype)

    def _store(self, gaussian, dtype):
        """Set the fitted attributes from a mixture of one component."""
        family, n_features = gaussian.family, gaussian.means.shape[1]
        (covariance,) = family.matrices(gaussian.covariances, n_features)
        precisions = family.square(gaussian.precision_factors)
        (precision,) = family.matrices(precisions, n_features)
        self.location_ = gaussian.means[0].astype(dtype)
        self.covariance_ = covariance.astype(dtype)
        self.precision_ = precision.astype(dtype)
        self._density = gaussian

    def _fitted(self):
        """The fitted density, or a ValueError that says why there is none."""
        if isinstance(self._density, str):
            raise ValueError(self._density)
        return self._density
