"""The verdicts on a sample, kept in cosmic-ray's own database, so that a run goes on.

A verdict is known by what the mutated module says as a whole: where a module has
changed, its mutants are tried again.
"""

import itertools
import os

from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import (
    MutationSpec,
    TestOutcome,
    WorkerOutcome,
    WorkItem,
    WorkResult,
)

from tools.mutation.harness import Plan, run_pytest
from tools.mutation.tests_map import in_turn, namesake

TICKS = itertools.count(1)


class Session:
    """A database of mutants and of the tests that killed them."""

    def __init__(self, file):
        self.db = WorkDB(file, WorkDB.Mode.create)

    def add(self, mutants):
        known = {item.job_id for item in self.db.work_items}
        for mutant in mutants:
            if mutant.id not in known:
                spec = MutationSpec(
                    mutant.path,
                    mutant.operator,
                    mutant.occurrence,
                    mutant.start,
                    mutant.end,
                )
                self.db.add_work_item(WorkItem.single(mutant.id, spec))

    def killers(self, mutants):
        """What killed each mutant that was tried; None where it survived."""
        results = dict(self.db.results)
        found = {}
        for mutant in mutants:
            if mutant.id in results:
                result = results[mutant.id]
                found[mutant] = result.output if result.is_killed else None
        return found

    def store(self, mutant, killer):
        outcome = TestOutcome.SURVIVED if killer is None else TestOutcome.KILLED
        self.db.set_result(
            mutant.id, WorkResult(WorkerOutcome.NORMAL, killer, outcome, mutant.diff)
        )


def killer_of(mutant, copy, tests, budget):
    """The test that fails on a mutant, the files that cannot be read, or None."""
    with _mutated(copy / mutant.path, mutant):
        covering, own = tests.covering(mutant), namesake(mutant.path)
        for seconds in in_turn(covering, tests.seconds, budget, own):
            files = sorted({test.partition("::")[0] for test in seconds})
            if not files:
                continue
            outcome = run_pytest(copy, Plan(files, seconds))
            if outcome.has_failed:
                return outcome.test or " ".join(files)
    return None


def failing_anyway(session, mutants, copy, tests):
    """Those of the killers that fail on a tree without faults, and so kill nothing."""
    killers, found = {*filter(None, session.killers(mutants).values())}, set()
    while rest := killers - found:
        files = sorted({file for k in rest for file in k.partition("::")[0].split()})
        seconds = {k: tests.seconds[k] for k in rest & tests.seconds.keys()}
        outcome = run_pytest(copy, Plan(files, seconds))
        if not outcome.has_failed:
            break
        if outcome.test not in rest:
            raise RuntimeError(f"without any fault:\n{outcome.output}")
        found.add(outcome.test)
    return found


class _mutated:
    """Put a mutant into a copy, and take it out again.

    Python knows compiled files by the seconds of a time stamp: each change has its own.
    """

    def __init__(self, module, mutant):
        self.module, self.mutant = module, mutant

    def __enter__(self):
        self._write(self.mutant.mutated)

    def __exit__(self, *error):
        self._write(self.mutant.source)

    def _write(self, text):
        self.module.write_text(text, encoding="utf-8")
        tick = 1e9 + next(TICKS)
        os.utime(self.module, (tick, tick))
