"""How one pass over the rows runs: blocks of rows, and what is done with their results.

The lowest layer: it knows neither densities nor solvers.
"""
