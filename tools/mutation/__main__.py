"""Draw mutants, run the tests that cover each, and say how many died.

Run ``python -m tools.mutation --help`` from the root of a checkout.
"""

import argparse
import os
from pathlib import Path

from scipy.stats import binomtest

from tools.mutation.mutants import sample
from tools.mutation.reviewed import reviewed
from tools.mutation.session import Session, failing_anyway, killer_of
from tools.mutation.tests_map import TestsMap
from tools.mutation.workers import Workers

FLOOR = 0.97


def main():
    args = _arguments()
    root = Path.cwd()
    folder = args.folder.resolve()
    folder.mkdir(exist_ok=True)
    mutants, n_places = sample(root, args.sample, args.seed)
    print(f"{len(mutants)} of {n_places} places, seed {args.seed}", flush=True)
    workers = Workers(root, folder, args.workers)
    tests = TestsMap(folder / "tests")
    tests.update(root, workers)
    session = Session(folder / "session.sqlite")
    session.add(mutants)
    _try(_pending(session, mutants, args.again), workers, tests, session, args.budget)
    _try_without_void(session, mutants, workers, tests, args.budget)
    raise SystemExit(_report(session.killers(mutants)))


def _arguments():
    parser = argparse.ArgumentParser(prog="python -m tools.mutation")
    add = parser.add_argument
    add("--sample", type=int, default=500, help="how many mutants")
    add("--seed", type=int, default=0)
    add("--again", action="store_true", help="try survivors again, for new tests")
    add("--budget", type=float, default=90, help="seconds that a survivor may take")
    add("--workers", type=int, default=len(os.sched_getaffinity(0)))
    add("--folder", type=Path, default=Path(".mutation"), help="copies and results")
    return parser.parse_args()


def _pending(session, mutants, again):
    killers = session.killers(mutants)
    if again:
        return [m for m in mutants if killers.get(m) is None]
    return [m for m in mutants if m not in killers]


def _try(mutants, workers, tests, session, budget):
    def trial(mutant, copy):
        return mutant, killer_of(mutant, copy, tests, budget)

    for done, (mutant, killer) in enumerate(workers.map(trial, mutants), 1):
        session.store(mutant, killer)
        verdict = f"killed by {killer}" if killer else "SURVIVED"
        print(f"{done}/{len(mutants)} {mutant.path}: {verdict}", flush=True)


def _try_without_void(session, mutants, workers, tests, budget):
    """Try again what was killed by tests that fail without any fault, too."""
    while void := failing_anyway(session, mutants, workers.copies[0], tests):
        print("fail without any fault:", *sorted(void), sep="\n", flush=True)
        for test in void:
            del tests.seconds[test]
        killers = session.killers(mutants)
        again = [mutant for mutant in mutants if killers[mutant] in void]
        _try(again, workers, tests, session, budget)


def _report(killers):
    known = reviewed()
    survivors = [mutant for mutant, killer in killers.items() if killer is None]
    groups = {"equivalent": [], "speed": [], "missing test": []}
    for mutant in survivors:
        kind, reason = known.get((mutant.path, *mutant.change), ("missing test", ""))
        groups[kind].append((mutant, reason))
    for kind, members in groups.items():
        for mutant, reason in members:
            print(f"\n[{kind}] {reason}\n{mutant.diff}")
    n_killed = len(killers) - len(survivors)
    _rate("of all", n_killed, len(killers))
    n_missing = len(groups["missing test"])
    rate = _rate("of those that a test can see", n_killed, n_killed + n_missing)
    print({kind: len(members) for kind, members in groups.items()})
    return int(rate < FLOOR)


def _rate(what, n_killed, n):
    low, high = binomtest(n_killed, n).proportion_ci(method="wilson")
    rate = n_killed / n
    print(
        f"killed {what}: {n_killed}/{n} = {rate:.1%}, 95 % in [{low:.1%}, {high:.1%}]"
    )
    return rate


if __name__ == "__main__":
    main()
