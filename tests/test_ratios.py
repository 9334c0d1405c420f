"""The one timed check, with times that are given: what passes, and what fails."""

import json
from itertools import count

import pytest

from benchmarks.common.checks import checked
from benchmarks.ratios import __main__ as command
from benchmarks.ratios.comparison import SHARE, TURNS, Comparison, judge, problems
from benchmarks.ratios.comparisons import COMPARISONS


def taking(*seconds, result=0.0):
    """A contender that takes one time after the other, over and over."""
    turn = count()
    return lambda: (seconds[next(turn) % len(seconds)], result)


def of_ratios(*ratios, agree=lambda ours, theirs: None):
    """A comparison whose attempts, of some turns each, have these ratios."""
    theirs = [ratio for ratio in ratios for _ in range(TURNS)]
    return Comparison(taking(1.0), taking(*theirs), agree)


def test_a_ratio_is_that_of_the_medians():
    ours, theirs = taking(1, 50, 2, 1, 2), taking(6, 5, 9, 0.1, 7)
    assert Comparison(ours, theirs, lambda *_: None).ratio() == 6 / 2


@pytest.mark.parametrize(
    ("measured", "attempts", "is_kept"),
    [
        ([5.0], 1, True),
        ([3.0], 1, True),  # at the share itself
        ([2.9, 5.0], 2, True),
        ([2.9, 2.9], 2, False),
    ],
)
def test_what_falls_is_tried_once_more(measured, attempts, is_kept):
    verdict = judge(of_ratios(*measured), stored=3.0 / SHARE)
    assert verdict.found == pytest.approx(measured)
    assert len(verdict.found) == attempts
    assert verdict.is_kept is is_kept


def test_what_is_not_stored_is_measured_once_and_does_not_pass():
    verdict = judge(of_ratios(5.0, 6.0), stored=None)
    assert verdict.found == [5.0]
    assert not verdict.is_kept


def test_problems_are_named():
    stored = {"kept": 2.0, "fallen": 10.0, "forgotten": 1.0}
    measured = {"kept": 2.0, "fallen": 5.9, "new": 2.0}
    verdicts = {
        name: judge(of_ratios(ratio), stored.get(name))
        for name, ratio in measured.items()
    }
    assert problems(verdicts, stored) == [
        "fallen fell below 0.6 of 10.00, twice",
        "new is not stored",
        "forgotten is not compared",
    ]
    assert not problems({"kept": verdicts["kept"]}, {"kept": 2.0})


def test_times_of_different_results_do_not_compare():
    comparison = of_ratios(2.0, agree=lambda ours, theirs: checked(1.0, 1e-9))
    with pytest.raises(SystemExit, match="do not compare"):
        comparison.ratio()


def test_every_comparison_is_stored_and_no_other():
    assert set(json.loads(command.FILE.read_text("utf-8"))["ratios"]) == set(
        COMPARISONS
    )


@pytest.fixture
def one_comparison(monkeypatch, tmp_path):
    """The command, with a file of its own and a comparison whose ratio can be set."""
    ratios = []
    monkeypatch.setattr(command, "FILE", tmp_path / "ratios.json")
    monkeypatch.setattr(command, "COMPARISONS", {"one": lambda: of_ratios(*ratios)})

    def call(*options, found):
        ratios[:] = found
        monkeypatch.setattr("sys.argv", ["benchmarks.ratios", *options])
        command.main()

    return call


def test_what_is_written_is_what_is_compared(one_comparison, capsys):
    one_comparison("--write", found=[4.0])
    one_comparison(found=[4.0])
    assert "| one | 4.0 | 4.0 |" in capsys.readouterr().out
    one_comparison(found=[1.0, 4.0])
    assert "| one | 4.0 | 1.0, 4.0 |" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"one fell below 0\.6 of 4\.00, twice"):
        one_comparison(found=[1.0, 2.0])


def test_writing_accepts_a_fall(one_comparison):
    one_comparison("--write", found=[4.0])
    one_comparison("--write", found=[1.0])
    one_comparison(found=[1.0])
    kept = json.loads(command.FILE.read_text("utf-8"))
    assert kept["ratios"] == {"one": 1.0}
    assert "scikit-learn" in kept["packages"]


def test_what_is_not_named_stays_as_it_is_stored(one_comparison, monkeypatch, capsys):
    both = {"one": lambda: of_ratios(1.0), "other": lambda: of_ratios(2.0)}
    monkeypatch.setattr(command, "COMPARISONS", both)
    ratios = {"one": 4.0, "other": 4.0, "gone": 4.0}
    command.FILE.write_text(json.dumps({"ratios": ratios}), "utf-8")
    with pytest.raises(SystemExit) as failed:
        one_comparison("--only", "other", found=[])
    assert str(failed.value).splitlines() == [
        "other fell below 0.6 of 4.00, twice",
        "gone is not compared",
    ]
    one_comparison("--only", "other", "--write", found=[])
    kept = json.loads(command.FILE.read_text("utf-8"))
    assert kept["ratios"] == {"one": 4.0, "other": 2.0}
    assert "| one |" not in capsys.readouterr().out


def test_a_name_that_is_not_compared_is_refused(one_comparison, capsys):
    with pytest.raises(SystemExit):
        one_comparison("--only", "none", found=[4.0])
    assert "choose from one" in capsys.readouterr().err.replace("'", "")
