"""The machine and the packages that a benchmark runs with."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import joblib
from threadpoolctl import threadpool_info


def installed(package: str) -> bool:
    """Whether a package can be imported."""
    return find_spec(package) is not None


def environment(*packages: str) -> str:
    """Versions, processors, BLAS and thread limits, as a Markdown list."""
    found = [f"{name} {number}" for name, number in versions(*packages).items()]
    return "\n".join(
        [
            f"- Python {platform.python_version()}, {', '.join(found)}",
            f"- {platform.system()} {platform.machine()}, {joblib.cpu_count()} cores",
            f"- {'; '.join(_thread_pools())}",
            f"- thread limits: {', '.join(_thread_limits()) or 'none'}",
        ]
    )


def versions(*packages: str) -> dict[str, str]:
    """The version of every package, or that it is not installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _thread_pools():
    """The BLAS and OpenMP libraries in use, each once."""
    keys = ("internal_api", "version", "architecture")
    return sorted(
        {
            " ".join(pool[key] for key in keys if pool.get(key))
            + f" ({pool['num_threads']} threads)"
            for pool in threadpool_info()
        }
    )


def _thread_limits():
    """The environment variables that limit threads."""
    return [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name.endswith("_NUM_THREADS")
    ]
