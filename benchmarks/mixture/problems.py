"""The rows and starts that the benchmarks of the mixtures fit."""

import numpy as np

from skdensity import EMGaussianMixture
from skdensity.datasets import make_mixture_1d


def clusters(n_samples, n_features, n_components, distance=3):
    """Rows of unit Gaussians whose centres are drawn from N(0, distance² I)."""
    rng = np.random.RandomState(0)
    centres = distance * rng.standard_normal((n_components, n_features))
    X = rng.standard_normal((n_samples, n_features))
    X += centres[rng.randint(n_components, size=n_samples)]
    return X


def start(weights, means, precisions):
    """Constructor arguments of a start at the parameters of a mixture."""
    return {
        "n_components": len(weights),
        "weights_init": weights,
        "means_init": means,
        "precisions_init": precisions,
    }


def start_at_rows(X, n_components, covariance_type="full"):
    """The same at some of the rows, with equal weights and unit covariances."""
    n_features = X.shape[1]
    precisions = {
        "full": np.stack([np.eye(n_features)] * n_components),
        "tied": np.eye(n_features),
        "diag": np.ones((n_components, n_features)),
        "spherical": np.ones(n_components),
    }
    weights = np.full(n_components, 1 / n_components)
    parameters = start(weights, X[:n_components], precisions[covariance_type])
    return {"covariance_type": covariance_type, **parameters}


def elongated(n_samples, n_features, n_components, condition):
    """Rows of components whose covariances have a condition, and a start near them.

    The start has the true orientations, variances that are a tenth too large and means
    that are off by a tenth of a standard deviation: an iteration moves all of them.
    """
    rng = np.random.RandomState(0)
    scales = np.geomspace(1, condition**-0.5, n_features)
    centres = rng.standard_normal((n_components, n_features))
    centres *= 10 / np.sqrt(2 * n_features)
    axes, _ = np.linalg.qr(rng.standard_normal((n_components, n_features, n_features)))
    factors = axes * scales
    labels = np.sort(rng.randint(n_components, size=n_samples))
    X = rng.standard_normal((n_samples, n_features))
    for k in range(n_components):
        X[labels == k] = X[labels == k] @ factors[k].T + centres[k]
    rng.shuffle(X)
    precisions = (axes / (1.1 * scales**2)) @ axes.transpose(0, 2, 1)
    off = 0.1 * rng.standard_normal((n_components, n_features))
    means = centres + np.einsum("kij,kj->ki", factors, off)
    weights = np.full(n_components, 1 / n_components)
    return X, {"reg_covar": 0, **start(weights, means, precisions)}


def lecture():
    """Many rows of the lecture's mixture, and its first guess as a start."""
    X, _ = make_mixture_1d(100_000)
    means = np.array([[-2.0], [0.0], [2.0]])
    return X, start(np.full(3, 1 / 3), means, np.ones((3, 1, 1)))


def uneven(n_samples, n_features, n_components, seed, distance=2):
    """A mixture that is hard for k-means, and rows of it.

    Weights differ, covariances are random and long in some directions, so that
    components overlap although their centres lie apart.
    """
    rng = np.random.RandomState(seed)
    factors = rng.standard_normal((n_components, n_features, n_features))
    truth = EMGaussianMixture.from_parameters(
        rng.dirichlet(np.full(n_components, 3.0)),
        distance * rng.standard_normal((n_components, n_features)),
        factors @ factors.transpose(0, 2, 1) / n_features + 0.1 * np.eye(n_features),
    )
    X, _ = truth.sample(n_samples, random_state=rng)
    return truth, X
