"""How parameters are found: a state, a step, and one loop for all."""
