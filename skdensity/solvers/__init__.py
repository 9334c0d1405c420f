"""How parameters are found: starts, steps, and the one loop that runs them."""
