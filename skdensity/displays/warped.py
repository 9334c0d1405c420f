"""Components of a mixture before the transform that they are of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import chi2, norm

from skdensity.displays.bumps import Bumps, kernels_of
from skdensity.displays.units import is_by_feature
from skdensity.models.mixtures.mixture import Mixture
from skdensity.uses.changes.draws import come_back
from skdensity.uses.changes.questions import changed, quietly
from skdensity.uses.checked import held_table
from skdensity.uses.transformed_density import TransformedDensity

# Points that stand for a component, and those of an outline.
N_POINTS = 400
N_CORNERS = 400


def components_of(density: Any, features: np.ndarray) -> tuple[Mixture, Any]:
    """The mixture of some features, and the transformer to them, which may be None."""
    if not isinstance(density, TransformedDensity):
        return density._model().marginal(features), None
    if is_by_feature(density):
        part = density.marginal(features)
        return part.density_._model(), part.transformer_
    if not np.array_equal(features, np.arange(density.n_features_in_)):
        raise ValueError(
            f"MixtureDisplay shows no single features that {density.transformer_!r} "
            "mixes with others; DensityDisplay does."
        )
    return density.density_._model(), density.transformer_


def shares_of(density: Any, X: Any) -> np.ndarray:
    """Responsibilities; the weights, for rows where the density is 0."""
    if not isinstance(density, TransformedDensity):
        return density.predict_proba(X)
    rows = held_table(density, X)
    _, inside, Z = changed(density.transformer_, rows)
    mixture = density.density_
    shares = np.tile(mixture.weights_, (len(rows), 1))
    if len(inside):
        with quietly():
            shares[inside] = mixture.predict_proba(Z)
    return shares


def densities_before(
    transformer: Any, densities: Callable[[np.ndarray], np.ndarray], X: np.ndarray
) -> np.ndarray:
    """Densities (n, n_rows) at rows before a transform, given those after it."""
    log_slopes, inside, Z = changed(transformer, X)
    after = densities(Z)
    out = np.zeros((len(after), len(X)))
    out[:, inside] = after * np.exp(log_slopes[inside])
    return out


def rows_before(transformer: Any, Z: np.ndarray) -> np.ndarray:
    """Rows before a transform; NaN where there are none."""
    X, inside = come_back(transformer, Z)
    return np.where(inside[:, None], X, np.nan)


def bumps_before(
    transformer: Any, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray
) -> Bumps:
    """Kernels at points that stand for the components, which tell where they are."""
    parts = []
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        points = mean + _standard(len(mean)) @ np.linalg.cholesky(covariance).T
        points = rows_before(transformer, points)
        points = points[np.isfinite(points).all(axis=1)]
        if len(points):
            centres, masses, widths = kernels_of(points)
            parts.append((centres, weight * masses, widths))
    centres, masses, widths = map(np.concatenate, zip(*parts, strict=True))
    return Bumps.unbounded(centres, masses / masses.sum(), widths)


def outline(
    transformer: Any, mean: np.ndarray, covariance: np.ndarray, coverage: float
) -> Any:
    """What holds a share of a component: the ellipse of its transform, bent back."""
    from matplotlib.patches import Polygon

    angles = np.linspace(0, 2 * np.pi, N_CORNERS, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    radius = np.sqrt(chi2.ppf(coverage, df=2))
    ellipse = mean + radius * circle @ np.linalg.cholesky(covariance).T
    corners = rows_before(transformer, ellipse)
    return Polygon(corners[np.isfinite(corners).all(axis=1)])


def _standard(n_features):
    """Points of equal masses that stand for a standard Gaussian of 1 or 2 features."""
    if n_features == 1:
        return norm.ppf((np.arange(N_POINTS) + 0.5) / N_POINTS)[:, None]
    n_rings = int(np.sqrt(N_POINTS))
    radii = np.sqrt(chi2.ppf((np.arange(n_rings) + 0.5) / n_rings, df=2))
    angles = 2 * np.pi * np.arange(n_rings) / n_rings
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    return np.multiply.outer(radii, circle).reshape(-1, 2)
