"""Density estimation for scikit-learn: estimate a density, then sample from it."""

from skdensity._adam_gaussian_mixture import AdamGaussianMixture
from skdensity._cholesky_gaussian import CholeskyGaussian
from skdensity._em_gaussian_mixture import EMGaussianMixture
from skdensity._gaussian_mle import GaussianMLE
from skdensity._loo_kernel_density import LOOKernelDensity

__all__ = [
    "AdamGaussianMixture",
    "CholeskyGaussian",
    "EMGaussianMixture",
    "GaussianMLE",
    "LOOKernelDensity",
]

__version__ = "0.1.0"
