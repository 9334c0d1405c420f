"""Runs pytest on a copy of the tree, in a process that has imported NumPy and others.

Such a process is forked from one that has imported all but skdensity, so that it starts
in no time. What a test may take is limited in processor time, which does not depend on
what else the machine does; a test that waits for ever is stopped by the clock.
"""

import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from multiprocessing import get_context
from pathlib import Path

# What the tests import; what is not installed is passed over.
PRELOAD = [
    "pytest",
    "_pytest.doctest",
    "coverage",
    "numpy",
    "scipy.stats",
    "scipy.integrate",
    "scipy.optimize",
    "sklearn.mixture",
    "sklearn.neighbors",
    "sklearn.datasets",
    "sklearn.model_selection",
    "sklearn.utils.estimator_checks",
    "joblib",
    "finufft",
    "pandas",
    "tools.mutation.harness",
]
SLOWER = 3  # times the normal time a test may take,
AT_LEAST = 10  # and some seconds, for what another test would have prepared
PER_SECOND = 20  # seconds by the clock for one of the processor
MEMORY = 6 << 30  # bytes

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["__main__", *PRELOAD])


@dataclass(frozen=True)
class Plan:
    """Files, and tests in them with their seconds; or all, where coverage goes."""

    files: list
    seconds: dict = field(default_factory=dict)
    coverage: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """How pytest ended, on which test, and what it printed last."""

    code: int
    test: str
    output: str

    @property
    def has_failed(self):
        return self.code not in (0, 5)  # 5: the tests have other names now


class Selection:
    """The tests of a plan, the fastest first, each with its limits."""

    def __init__(self, seconds, note):
        self.seconds, self.note = seconds, note

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if item.nodeid in self.seconds]
        items.sort(key=lambda item: self.seconds[item.nodeid])

    def pytest_runtest_logstart(self, nodeid):
        self.note.write_text(nodeid)
        seconds = AT_LEAST + SLOWER * self.seconds[nodeid]
        used = sum(os.times()[:2])
        limit = ceil(used + seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        signal.alarm(ceil(PER_SECOND * seconds))


def run_pytest(copy, plan):
    """The outcome of a plan."""
    process = FORKS.Process(target=_child, args=(copy, plan))
    process.start()
    process.join()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what its tests left running
    note, log = copy / "running", copy / "log"
    output = log.read_text(errors="replace")[-3000:]
    return Outcome(process.exitcode, note.read_text() if note.exists() else "", output)


def _child(copy, plan):
    os.setsid()
    _move_to(copy)
    import pytest

    note = copy / "running"
    note.unlink(missing_ok=True)
    options = ["-q", "-x", "--tb=short", "-p", "no:cacheprovider", "-p", "no:randomly"]
    plugins = []
    if plan.coverage:
        from tools.mutation.durations import Durations

        options += ["--cov", f"--cov-config={_coverage_settings(copy, plan.coverage)}"]
        options += ["--cov-context=test", "--cov-report="]
        plugins.append(Durations(plan.coverage.with_suffix(".json")))
    else:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        plugins.append(Selection(plan.seconds, note))
    code = pytest.main([*options, *plan.files], plugins)
    sys.stdout.flush()
    os._exit(code)


def _move_to(copy):
    """Take skdensity from the copy, and write what is printed to its log."""
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = False
    os.environ |= {"PYTHONPATH": str(copy), "MPLBACKEND": "Agg"}
    log = os.open(copy / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _coverage_settings(copy, name):
    os.environ["COVERAGE_FILE"] = str(name.with_suffix(".coverage"))
    settings = copy / "coverage.cfg"
    settings.write_text("[run]\nbranch = False\nsource = skdensity\n")
    return settings
