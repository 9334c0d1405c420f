"""The benchmark of the mixtures."""
