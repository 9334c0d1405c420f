"""Theorems that any density estimator must satisfy, as checks for a test suite."""

from skdensity.testing.one_by_one import parametrize_with_density_checks
from skdensity.testing.together import check_density_estimator

__all__ = ["check_density_estimator", "parametrize_with_density_checks"]
