"""Gaussian mixtures, and the moments that a pass over the rows yields."""
