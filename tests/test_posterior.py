"""Log-densities and responsibilities from joint log-densities of any size."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from skdensity.models.mixtures.posterior import log_sum, posterior

RNG = np.random.RandomState(0)
JOINTS = {
    "near": RNG.standard_normal((4, 50)),
    "far": 300 * RNG.standard_normal((4, 50)) - 1e4,
    "apart": np.where(np.arange(4)[:, None] == np.arange(50) % 4, -3.0, -5000.0),
    "some far": RNG.standard_normal((4, 50)) - np.where(np.arange(50) < 5, 1e5, 0),
    "dense": RNG.standard_normal((4, 50)) + 800,
    "absent": np.vstack([RNG.standard_normal((3, 50)), np.full(50, -1e300)]),
    "no such": np.vstack([RNG.standard_normal((3, 50)), np.full(50, -np.inf)]),
}


@pytest.mark.parametrize("name", JOINTS)
def test_they_are_those_of_scipy(name):
    joint, prior, out = JOINTS[name], np.full(4, 0.25), np.empty((4, 50))
    log_density, shares = posterior(joint.copy(), prior, np.full(50, 2.0), out)
    assert shares is out
    expected = logsumexp(joint, axis=0)
    np.testing.assert_allclose(log_density, expected, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(log_sum(joint.copy(), out), expected, rtol=1e-14)
    _, shares = posterior(joint.copy(), prior, np.full(50, 2.0))
    responsibilities = softmax(joint, axis=0)
    # A difference of large numbers has the digits that these leave it.
    rtol = 1e-14 + 4 * np.finfo(float).eps * np.abs(expected).max()
    np.testing.assert_allclose(shares, 2 * responsibilities, rtol=rtol, atol=1e-200)
    # Less than normal numbers would make all that follows slow.
    assert np.all((shares == 0) | (shares > 1e-307))


def test_a_row_that_nothing_reaches_tells_nothing():
    prior = np.array([0.2, 0.8])
    log_density, shares = posterior(np.full((2, 3), -np.inf), prior)
    assert np.all(log_density < -1e300)
    np.testing.assert_array_equal(shares, np.repeat(prior[:, None], 3, axis=1))
