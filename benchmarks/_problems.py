"""The rows and starts that the benchmarks of the mixtures fit."""

import numpy as np

from skdensity import EMGaussianMixture
from skdensity.datasets import make_mixture_1d


def clusters(n_samples, n_features, n_components):
    """Rows of unit Gaussians whose centres lie some standard deviations apart."""
    rng = np.random.RandomState(0)
    centres = 3 * rng.standard_normal((n_components, n_features))
    X = rng.standard_normal((n_samples, n_features))
    X += centres[rng.randint(n_components, size=n_samples)]
    return X


def start_at_rows(X, n_components, covariance_type="full"):
    """Constructor arguments of a start: some rows, with unit covariances."""
    n_features = X.shape[1]
    precisions = {
        "full": np.stack([np.eye(n_features)] * n_components),
        "tied": np.eye(n_features),
        "diag": np.ones((n_components, n_features)),
        "spherical": np.ones(n_components),
    }
    return {
        "n_components": n_components,
        "covariance_type": covariance_type,
        "weights_init": np.full(n_components, 1 / n_components),
        "means_init": X[:n_components],
        "precisions_init": precisions[covariance_type],
    }


def lecture():
    """Many rows of the lecture's mixture, and its first guess as a start."""
    X, _ = make_mixture_1d(100_000)
    start = {
        "n_components": 3,
        "weights_init": np.full(3, 1 / 3),
        "means_init": np.array([[-2.0], [0.0], [2.0]]),
        "precisions_init": np.ones((3, 1, 1)),
    }
    return X, start


def overlapping(n_samples, n_features, n_components):
    """Rows of unit Gaussians that are not much farther apart than they are wide."""
    rng = np.random.RandomState(0)
    centres = 1.2 * rng.standard_normal((n_components, n_features))
    X = rng.standard_normal((n_samples, n_features))
    X += centres[rng.randint(n_components, size=n_samples)]
    return X


def uneven(n_samples, n_features, n_components, seed):
    """A mixture that is hard for k-means, and rows of it.

    Weights differ, covariances are random and long in some directions, so that
    components overlap although their centres lie apart.
    """
    rng = np.random.RandomState(seed)
    factors = rng.standard_normal((n_components, n_features, n_features))
    truth = EMGaussianMixture.from_parameters(
        rng.dirichlet(np.full(n_components, 3.0)),
        2 * rng.standard_normal((n_components, n_features)),
        factors @ factors.transpose(0, 2, 1) / n_features + 0.1 * np.eye(n_features),
    )
    X, _ = truth.sample(n_samples, random_state=rng)
    return truth, X


def start_at(mixture):
    """Constructor arguments of a start at the parameters of a mixture."""
    return {
        "n_components": mixture.n_components,
        "weights_init": mixture.weights_,
        "means_init": mixture.means_,
        "precisions_init": mixture.precisions_,
    }
