"""The benchmark of the kernel density."""
