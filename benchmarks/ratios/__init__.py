"""Whether skdensity is as fast beside scikit-learn as it was."""
