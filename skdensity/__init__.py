"""Density estimation for scikit-learn: estimate a density, then sample from it."""

from skdensity.densities.adam_gaussian_mixture import AdamGaussianMixture
from skdensity.densities.cholesky_gaussian import CholeskyGaussian
from skdensity.densities.em_gaussian_mixture import EMGaussianMixture
from skdensity.densities.gaussian_mle import GaussianMLE
from skdensity.densities.loo_kernel_density import LOOKernelDensity
from skdensity.displays.bandwidth_display import BandwidthDisplay
from skdensity.displays.convergence_display import ConvergenceDisplay
from skdensity.displays.density_display import DensityDisplay
from skdensity.displays.mixture_display import MixtureDisplay
from skdensity.displays.mixture_search_display import MixtureSearchDisplay
from skdensity.rows.row_blocks import RowBlocks
from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.density_classifier import DensityClassifier
from skdensity.uses.density_imputer import DensityImputer
from skdensity.uses.density_outlier_detector import DensityOutlierDetector
from skdensity.uses.density_regressor import DensityRegressor
from skdensity.uses.gaussian_mixture_search import GaussianMixtureSearch
from skdensity.uses.transformed_density import TransformedDensity

__all__ = [
    "AdamGaussianMixture",
    "BandwidthDisplay",
    "CholeskyGaussian",
    "ConvergenceDisplay",
    "DensityClassifier",
    "DensityDisplay",
    "DensityImputer",
    "DensityOutlierDetector",
    "DensityRegressor",
    "EMGaussianMixture",
    "GaussianMLE",
    "GaussianMixtureSearch",
    "LOOKernelDensity",
    "MixtureDisplay",
    "MixtureSearchDisplay",
    "RowBlocks",
    "TransformedDensity",
    "log_jacobian",
]

__version__ = "0.2.0.dev0"
