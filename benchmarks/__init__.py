"""Benchmarks, one folder for each engine: `python -m benchmarks.mixture`, `.kernel`."""
