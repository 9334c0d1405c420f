"""How kernels are added up to a promised relative error."""
