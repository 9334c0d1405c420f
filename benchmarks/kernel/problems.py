"""The rows that the benchmark of the kernel density fits, and where it scores."""

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits


def draw(n_samples, n_features, seed=0):
    """Rows of the problem with so many features; another seed draws fresh rows.

    One feature: 0.6 N(-1.5, 0.5²) + 0.4 N(1.5, 1). Two: three round clusters of
    different widths. More: one standard Gaussian.
    """
    rng = np.random.RandomState(seed)
    if n_features == 1:
        return _clusters(n_samples, [0.6, 0.4], [[-1.5], [1.5]], [0.5, 1.0], rng)
    if n_features == 2:
        means = [[-2.0, 0.0], [1.0, 1.5], [1.5, -1.5]]
        return _clusters(n_samples, [1 / 3] * 3, means, [0.5, 0.8, 0.6], rng)
    return rng.standard_normal((n_samples, n_features))


def draw_clusters(n_samples, n_features, n_clusters, seed=0):
    """Rows of N(0, I), moved to centres in a cube of side 20, or to one at 0."""
    rng = np.random.RandomState(seed)
    centres = np.random.RandomState(99).uniform(-10, 10, (n_clusters, n_features))
    if n_clusters == 1:
        centres[:] = 0
    label = rng.randint(n_clusters, size=n_samples)
    return centres[label] + rng.standard_normal((n_samples, n_features))


def _clusters(n_samples, weights, means, scales, rng):
    """Rows of round Gaussian clusters."""
    label = rng.choice(len(weights), n_samples, p=weights)
    noise = rng.standard_normal((n_samples, len(means[0])))
    return np.array(means)[label] + np.array(scales)[label, None] * noise


def digits(n_samples, seed=0):
    """Shuffled images of digits: rows of 64 grey levels, and the rows left over."""
    X = load_digits().data
    X = X[np.random.RandomState(seed).permutation(len(X))]
    return X[:n_samples], X[n_samples:]


@dataclass(frozen=True)
class Case:
    """Rows that are hard to evaluate, and the queries and bandwidth to do it at."""

    name: str
    X: np.ndarray
    queries: np.ndarray
    bandwidth: float | str = "silverman"
    weight: np.ndarray | None = None


def hard_cases(n_samples=20_000):
    """Many features, narrow kernels, heavy tails, edges, far queries, odd weights."""
    rng = np.random.RandomState(0)
    yield Case("digits", *digits(1_500), bandwidth=1.0)
    narrow = {3: 0.084, 5: 0.107, 10: 0.29, 20: 0.36, 50: 0.5}
    for n_features, bandwidth in narrow.items():
        X, queries = rng.standard_normal((2, 2_000, n_features))
        for h in ("silverman", bandwidth):
            yield Case("N(0, I)", X, queries, h)
    yield Case("Cauchy", *rng.standard_cauchy((2, n_samples, 1)))
    yield Case("uniform", *rng.random_sample((2, n_samples, 2)))
    yield Case("clusters and isolated points", *_isolated(n_samples, rng), 0.05)
    yield _far(n_samples, rng)
    X, queries = rng.standard_normal((2, n_samples, 2))
    weight = 10.0 ** rng.uniform(-12, 0, n_samples)
    yield Case("weights from 1e-12 to 1", X, queries, 0.2, weight)


def _isolated(n_samples, rng):
    """Narrow clusters with some rows far from all, and queries about both."""
    X, queries = (draw(n_samples, 2, seed=seed) for seed in (0, 1))
    X[:20] = rng.uniform(-50, 50, (20, 2))
    queries[:100] = X[rng.randint(20, size=100)] + 0.1 * rng.standard_normal((100, 2))
    return X, queries


def _far(n_samples, rng):
    """Queries a thousand bandwidths and more from every row, in all directions."""
    X = draw(n_samples, 2)
    bandwidth = 0.1
    radius = np.linalg.norm(X, axis=1).max() + 1_000 * bandwidth
    angle = rng.uniform(0, 2 * np.pi, 200)
    far = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    return Case("1,000 bandwidths away", X, far, bandwidth)


def difficult_columns(n_samples=500):
    """One feature: light and heavy tails, ties, rounding and an outlier."""
    rng = np.random.RandomState(0)
    x = rng.standard_normal(n_samples)
    is_zero = rng.permutation(n_samples) < n_samples // 10
    return {
        "N(0, 1)": x,
        "rounded to 0.1": np.round(x, 1),
        "rounded to 0.5": np.round(2 * x) / 2,
        "each value twice": rng.permutation(np.repeat(x, 2)),
        "10 % exact zeros": np.where(is_zero, 0.0, x),
        "with one value at 20": np.append(x, 20.0),
        "Student t, 3 degrees": rng.standard_t(3, n_samples),
        "Cauchy": rng.standard_cauchy(n_samples),
        "Laplace": rng.laplace(size=n_samples),
    }
