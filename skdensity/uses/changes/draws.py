"""Draws from a density that come back from a transformer, and their share."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdensity.densities.base import BaseDensity
from skdensity.uses.changes.log_jacobian import log_jacobian
from skdensity.uses.changes.questions import everything, forward, image, inverse
from skdensity.uses.draws import draws_of

# Draws, and their seed, that the mass of an image which is no box is the share of.
N_DRAWS = 2**16
SEED = 0
# How far a draw may be from the transform of its inverse, by rounding, where nothing
# else tells whether that is an inverse.
ROUNDING = 1e-6
# Draws for every row that is wanted, at most, and at least.
MOST_EACH, MOST = 1000, 100_000


def come_back(transformer: Any, Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows before the transform, and which of them do become Z."""
    Z = Z.astype(np.float64, copy=False)
    X = inverse(transformer, Z)
    inside = np.isfinite(X).all(axis=1)
    inside[inside] = log_jacobian(transformer, X[inside]) > -np.inf
    box = image(transformer, everything(Z.shape[1]))
    if box is not None:
        return X, inside & ((box[0] <= Z) & (box[1] >= Z)).all(axis=1)
    lost = np.abs(forward(transformer, X[inside]) - Z[inside])
    inside[inside] = (lost <= ROUNDING * (1 + np.abs(Z[inside]))).all(axis=1)
    return X, inside


def untransformed_draws(
    transformer: Any, density: Any, n_draws: int, rng: np.random.RandomState
) -> np.ndarray:
    """Rows whose transforms are draws; those that are nobody's are drawn again."""
    most, size, n_drawn = max(MOST_EACH * n_draws, MOST), n_draws, 0
    found: Any = None
    while size > 0:
        Z = draws_of(density, size, rng)
        X, inside = come_back(transformer, Z)
        X = X[inside].astype(Z.dtype)
        found = X if found is None else np.concatenate([found, X])
        n_drawn += size
        if len(found) > n_draws:  # some densities draw by component, in order
            return found[rng.choice(len(found), n_draws, replace=False)]
        if len(found) == n_draws:
            return found
        size = min(_draws_more(n_draws, len(found), n_drawn), most - n_drawn)
    raise ValueError(
        f"Of {n_drawn} draws from the density of transformed rows {len(found)} are "
        "transforms of rows: `image_mass_` is too small to draw. Give the density "
        "bounds, or take another transformer."
    )


def _draws_more(n_draws, n_found, n_drawn):
    """As many as the others should take, and some; as many again if none came back."""
    if n_found == 0:
        return n_drawn
    return 1 + int(1.1 * (n_draws - n_found) * n_drawn / n_found)


def image_mass(transformer: Any, density: Any, n_features: int) -> float:
    """The probability of what a transformer can give, under a density of it."""
    box = image(transformer, everything(n_features))
    if box is not None and np.isinf(box).all():
        return 1.0
    if box is not None and isinstance(density, BaseDensity):
        return density.probability(*box)
    draws = draws_of(density, N_DRAWS, np.random.RandomState(SEED))
    return float(come_back(transformer, draws)[1].mean())
