"""How mixtures are fitted: starts, expectation–maximisation, acceleration."""
