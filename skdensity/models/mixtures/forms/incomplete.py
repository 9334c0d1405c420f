"""Blocks of rows with holes: residuals completed for every component."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skdensity.models.completed import HoledBlock
from skdensity.models.conditional_normals import HoleNormals
from skdensity.models.covariances.conditionals import Conditionals
from skdensity.models.mixtures.components import Components
from skdensity.models.mixtures.forms.form import ALL_COMPONENTS, BlockForm, Form, Kept
from skdensity.models.mixtures.moments import Moments
from skdensity.passes.scratch import Scratch


@dataclass(frozen=True, eq=False)
class IncompleteForm:
    """A form for complete blocks, and what blocks with holes take.

    Attributes
    ----------
    complete : Form
        How blocks without holes are evaluated.
    components : Components
        The mixture.
    """

    complete: Form
    components: Components

    def __reduce__(self) -> tuple:
        # Conditionals are found again: they would double what travels.
        return IncompleteForm, (self.complete, self.components)

    @property
    def row_bytes(self) -> int:
        """Bytes of temporaries that one row needs."""
        n_components, n_features = self.components.means.shape
        completed = 8 * (n_components * (n_features + 2) + 4 * n_features)
        return max(self.complete.row_bytes, completed)

    @cached_property
    def conditionals(self) -> list[Conditionals]:
        """What features that are missing are, for every component."""
        components = self.components
        conditionals = components.family.asked(
            "conditionals", "a row with missing values"
        )
        own = components.own(components.precision_factors)
        if components.family.shape.tied:
            return [conditionals(own[0])] * len(own)
        return [conditionals(factor) for factor in own]

    def block(
        self, X: np.ndarray, scratch: Scratch, kept: Kept = ALL_COMPONENTS
    ) -> BlockForm:
        """Rows ready to evaluate: all complete or sorted by their holes."""
        if not np.isnan(X[0]).any():
            return self.complete.block(X, scratch, kept)
        rows, means = HoledBlock.of(X, scratch), self.components.means
        residuals = scratch.array("completed", (*means.shape, len(X)))
        corrections = [
            rows.completed(mean, conditionals, out=out)
            for mean, conditionals, out in zip(
                means, self.conditionals, residuals, strict=True
            )
        ]
        return IncompleteBlock(self, rows, residuals, np.stack(corrections))


@dataclass(frozen=True, eq=False)
class IncompleteBlock:
    """Rows with holes, evaluated for all components.

    Attributes
    ----------
    form : IncompleteForm
        The mixture.
    rows : HoledBlock
        The rows.
    residuals : ndarray of shape (n_components, n_features, n_rows)
        Completed ones.
    corrections : ndarray of shape (n_components, n_rows)
        What the log-densities of the completed rows lack, in nats.
    """

    form: IncompleteForm
    rows: HoledBlock
    residuals: np.ndarray
    corrections: np.ndarray

    @property
    def kept(self) -> Kept:
        """All components."""
        return ALL_COMPONENTS

    def log_joint(self) -> np.ndarray:
        """log π_k N(observed part of x_i | k), of shape (n_components, n_rows)."""
        components, scratch = self.form.components, self.rows.scratch
        white = scratch.array("white", self.residuals.shape[1:])
        out = scratch.array("log_joint", self.corrections.shape)
        own = components.own(components.precision_factors)
        for factor, residuals, squares in zip(own, self.residuals, out, strict=True):
            components.family.factors.whiten(factor, residuals, out=white)
            np.einsum("dn,dn->n", white, white, out=squares)
        out *= -0.5
        out += components.log_peaks[:, None]
        out += self.corrections
        return out

    def normals(self, shares: np.ndarray) -> HoleNormals:
        """What the features that rows miss are, for responsibilities."""
        deviations = self.rows.scratch.array("deviations", self.residuals.shape)
        for conditionals, out in zip(self.form.conditionals, deviations, strict=True):
            self.rows.deviations(conditionals, out)
        means = self.form.components.means
        return HoleNormals(self.rows, shares, means, self.residuals, deviations)

    def sums(self, shares: np.ndarray, log_likelihood: float) -> Moments:
        """Expected moments about the means, for weights times responsibilities."""
        components, scratch = self.form.components, self.rows.scratch
        scatter = components.family.scatter
        scaled = scratch.array("white", self.residuals.shape[1:])
        first, second = [], []
        for residuals, conditionals, share in zip(
            self.residuals, self.form.conditionals, shares, strict=True
        ):
            first.append(residuals @ share)
            found = scatter.of_residuals(residuals, share, out=scaled)
            second.append(found + self.rows.scatter(conditionals, share))
        return Moments(
            log_likelihood,
            mass=shares.sum(axis=1),
            first=np.stack(first),
            second=np.stack(second),
            about=components.means,
        )
