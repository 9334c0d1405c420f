"""What models and densities draw."""

from __future__ import annotations

from typing import Any

import numpy as np


def rows_of(sample: Any) -> np.ndarray:
    """The rows of what `sample` returns, which from mixtures has components besides."""
    return sample[0] if isinstance(sample, tuple) else sample
