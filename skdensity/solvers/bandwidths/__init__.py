"""How the kernels of a kernel density are chosen."""
