"""How one pass over the rows runs: threads, scratch memory and blocks.

The lowest layer: it knows neither tables nor densities.
"""
