"""What the two single Gaussians share once fitted."""

from __future__ import annotations

from skdensity._base import BaseDensity


class BaseGaussian(BaseDensity):
    """Density and samples of a fitted Gaussian."""

    def _log_density(self, X):
        return self._fitted().log_density(X)

    def _draw(self, n_samples, rng):
        X, _ = self._fitted().sample(n_samples, rng)
        return X.astype(self.location_.dtype)

    def _store(self, gaussian, dtype):
        """Set the fitted attributes from a mixture of one component."""
        family, n_features = gaussian.family, gaussian.means.shape[1]
        (covariance,) = family.matrices(gaussian.covariances, n_features)
        precisions = family.square(gaussian.precision_factors)
        (precision,) = family.matrices(precisions, n_features)
        self._store_parameters(gaussian.means[0], covariance, precision, dtype)
        self._density = gaussian

    def _store_parameters(self, location, covariance, precision, dtype):
        self.location_ = location.astype(dtype)
        self.covariance_ = covariance.astype(dtype)
        self.precision_ = precision.astype(dtype)

    def _fitted(self):
        """The fitted density, or a ValueError that says why there is none."""
        if self._density is None:
            raise ValueError(self._singularity)
        return self._density
