r"""The shape of the kernel that maximises the leave-one-out likelihood.

Where the gradient vanishes, the covariance of the kernel is the mean scatter of the
locations about each other, with leave-one-out responsibilities,

.. math:: H = \sum_i m_i \sum_{j \ne i} r_{ij} (x_i - x_j)(x_i - x_j)^\top,

one step of EM (Leiva-Murillo and Artés-Rodríguez 2012,
doi:10.1016/j.patrec.2012.06.006). The same scatter gives the gradient in log-Cholesky
parameters, with which a quasi-Newton method needs fewer passes than EM.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from skdensity.models.kernels import Kernels
from skdensity.models.pair_statistics import PRODUCTS, SQUARES
from skdensity.solvers.criteria import LeftOut

# Largest entry of the gradient at the end, which is about the relative error of H.
GTOL = 1e-8
MAX_ITER = 200


def best_shape(
    kernels: Kernels, unit: float, narrowest: np.ndarray
) -> list[tuple[Kernels, float]]:
    """Shapes that were tried and their scores, the last of which is the best.

    Parameters
    ----------
    kernels : Kernels
        Where to start; the covariance of its kernel has a width for every feature.
    unit : float
        As in :class:`~skdensity.solvers.criteria.LeftOut`.
    narrowest : ndarray of shape (n_features,)
        Smallest width of every feature, given the features before it, relative to the
        start's; 0 for none.

    Returns
    -------
    trials : list of (Kernels, float)
        Kernels and their leave-one-out log-likelihoods, in nats per unit of weight.
    """
    family, d = kernels.kernel.family, kernels.n_features
    statistic = SQUARES if family.rank == 1 else PRODUCTS
    start = np.zeros(family.n_parameters(1, d))  # the logarithm of the identity
    trials = []

    def loss(free):
        tried = kernels.reshaped(family.unravel(free, 1, d))
        left_out = LeftOut(tried, unit)
        ((log_density, means),) = left_out.at([1.0], statistic)
        trials.append((tried, float(left_out.weights @ log_density)))
        white = family.from_products((left_out.weights @ means)[None], d)
        factors = family.precision_factors(family.unravel(free, 1, d))
        return -trials[-1][1], -family.gradient(white, np.ones(1), factors, d)

    with np.errstate(divide="ignore"):
        floors = family.floored(np.full_like(start, -np.inf), np.log(narrowest))
    options = {"gtol": GTOL, "ftol": 0.0, "maxiter": MAX_ITER, "maxcor": 20}
    found = minimize(
        loss,
        np.maximum(start, floors),
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, None) for low in floors],
        options=options,
    )
    best = kernels.reshaped(family.unravel(found.x, 1, d))
    return [*trials, (best, -float(found.fun))]
