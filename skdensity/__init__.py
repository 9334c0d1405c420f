"""Density estimation for scikit-learn: estimate a density, then sample from it."""

from skdensity._adam_gaussian_mixture import AdamGaussianMixture
from skdensity._bandwidth_display import BandwidthDisplay
from skdensity._cholesky_gaussian import CholeskyGaussian
from skdensity._convergence_display import ConvergenceDisplay
from skdensity._density_display import DensityDisplay
from skdensity._em_gaussian_mixture import EMGaussianMixture
from skdensity._gaussian_mle import GaussianMLE
from skdensity._loo_kernel_density import LOOKernelDensity
from skdensity._mixture_display import MixtureDisplay

__all__ = [
    "AdamGaussianMixture",
    "BandwidthDisplay",
    "CholeskyGaussian",
    "ConvergenceDisplay",
    "DensityDisplay",
    "EMGaussianMixture",
    "GaussianMLE",
    "LOOKernelDensity",
    "MixtureDisplay",
]

__version__ = "0.1.0"
