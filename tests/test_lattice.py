"""What kernels add up to on grids: brute force over the grid, and derivatives."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from skdensity.models.kernels.kernels import Kernels
from skdensity.models.kernels.lattice import surplus
from skdensity.models.kernels.shapes import shape_of
from skdensity.models.kernels.statistics import CROSS_PRODUCTS, DISTANCE, SQUARES

# Half a step wide, less along one direction, and so correlated that the longest waves
# are across both features.
KERNELS = {
    "one": (0.5, [1.0]),
    "other unit": (3e6, [5e6]),
    "spherical": (0.55, [1.0, 0.5]),
    "diag": ([0.5, 0.4, 2.0], [1.0, 0.6, 0.0]),
    "full": ([[0.4, 0.1], [0.1, 0.3]], [1.0, 1.0]),
    "sheared": ([[0.3, 0.75], [0.75, 2.2]], [1.0, 1.0]),
    "some on grids": ([[0.3, 0.5, 0.2], [0.5, 2.2, 0.1], [0.2, 0.1, 0.4]], [1, 0, 1]),
    "three": ([[0.3, 0.1, 0.1], [0.1, 0.4, 0.1], [0.1, 0.1, 0.4]], [1, 1, 1]),
}


def kernels_of(bandwidth, n_features):
    bandwidth = bandwidth if np.ndim(bandwidth) == 0 else np.array(bandwidth)
    kernel = shape_of(bandwidth).kernel_of(np.zeros(n_features), bandwidth, "")
    return Kernels(np.zeros((1, n_features)), np.ones(1), kernel)


def brute_force(covariance, steps):
    """Densities at the points of a grid, times the volume of a cell."""
    features = np.flatnonzero(steps)
    axes = [np.arange(-30, 31) * steps[a] for a in features]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, len(axes))
    normal = multivariate_normal(cov=covariance[np.ix_(features, features)])
    return np.log(normal.pdf(grid).sum() * np.prod(steps[features]))


@pytest.mark.parametrize("name", KERNELS)
def test_densities_on_a_grid_sum_to_the_surplus(name):
    bandwidth, steps = KERNELS[name]
    steps = np.array(steps, dtype=float)
    kernels = kernels_of(bandwidth, len(steps))
    log_sum, _ = surplus(kernels, steps, DISTANCE)
    expected = brute_force(kernels.kernel.covariance, steps)
    # Three features at once have at least exp(−3π²/2), 4e-7, for each of 8 waves.
    tol = 1e-5 if name == "three" else 1e-12
    assert log_sum == pytest.approx(expected, abs=tol)
    assert expected > 1e-3


@pytest.mark.parametrize("name", KERNELS)
def test_means_are_derivatives(name):
    bandwidth, steps = KERNELS[name]
    steps = np.array(steps, dtype=float)
    kernels, step = kernels_of(bandwidth, len(steps)), 1e-6
    _, (mean,) = surplus(kernels, steps, DISTANCE)
    ahead, behind = (
        surplus(kernels.scaled(np.exp(by)), steps, DISTANCE)[0] for by in (step, -step)
    )
    assert -mean == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)
    _, squares = surplus(kernels, steps, SQUARES)
    assert squares.sum() == pytest.approx(mean, rel=1e-12)


def test_cross_products_are_derivatives_by_the_factor():
    bandwidth, steps = KERNELS["sheared"]
    kernels, step = kernels_of(bandwidth, 2), 1e-6
    _, means = surplus(kernels, np.array(steps), CROSS_PRODUCTS)
    for mean, (a, b) in zip(means, [(0, 0), (0, 1), (1, 1)], strict=True):
        ahead, behind = (
            surplus(kernels.reshaped(_changed(b, a, by)), np.array(steps), DISTANCE)[0]
            for by in (step, -step)
        )
        assert -mean == pytest.approx((ahead - behind) / (2 * step), rel=1e-5)


def _changed(a, b, by):
    inner = np.eye(2)
    inner[a, b] += by
    return inner


def test_wide_kernels_have_no_surplus():
    assert surplus(kernels_of(2.0, 1), np.ones(1), DISTANCE)[0] < 1e-30
