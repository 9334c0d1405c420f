"""Shapes of covariances: how they are laid out, estimated, factored and descended.

A family is a record of small capabilities, each of which some callers ask for. Σ = L Lᵀ
with L lower triangular throughout, and U = L⁻ᵀ is scikit-learn's
``precisions_cholesky_``: Σ⁻¹ = U Uᵀ, and Uᵀ(x − μ) is white.
"""
