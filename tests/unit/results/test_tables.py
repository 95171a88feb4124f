from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from pytest import approx

from understudy.results.errors import ReportError
from understudy.results.find import find
from understudy.results.rows import Row, rows_of
from understudy.results.tables import paired, summarize

T_OF_TWO = 4.302652729911275  # 97.5 % quantile of Student's t, 2 degrees of freedom (tables: 4.303)


@pytest.fixture
def rows(study: Path) -> list[Row]:
    return [row for row in rows_of(find(study)) if row.checkpoint == "last"]


def of(rows: list[Row], name: str) -> list[Row]:
    return [row for row in rows if row.name == name]


def test_a_cell_is_the_mean_and_the_sample_deviation_over_seeds(rows: list[Row]) -> None:
    cell = summarize(of(rows, "student"), "test_top1")  # 0.530, 0.540, 0.532

    assert cell is not None
    assert cell.mean == approx(0.534)
    assert cell.sd == approx(sqrt((0.004**2 + 0.006**2 + 0.002**2) / 2))
    assert cell.n == 3
    assert cell.runs == tuple(row.run for row in of(rows, "student"))


def test_one_run_has_no_deviation(rows: list[Row]) -> None:
    cell = summarize(of(rows, "student")[:1], "test_top1")

    assert cell is not None
    assert (cell.mean, cell.sd, cell.n) == (0.53, None, 1)


def test_rows_without_the_figure_are_not_counted(rows: list[Row]) -> None:
    first, *others = of(rows, "student")

    cell = summarize([replace(first, test_top1=None), *others], "test_top1")

    assert cell is not None
    assert cell.n == 2
    assert summarize(of(rows, "pretrain"), "test_top1") is None


def test_a_run_that_stands_for_several_seeds_is_counted_once(rows: list[Row]) -> None:
    first = of(rows, "teacher")[0]

    cell = summarize([replace(first, seed=seed) for seed in (1, 2, 3)], "test_top1")

    assert cell is not None
    assert (cell.n, cell.sd) == (1, None)


def test_mixed_configurations_are_refused(rows: list[Row]) -> None:
    first, *others = of(rows, "student")

    with pytest.raises(ReportError, match="2 different configurations, such as distill/student"):
        summarize([replace(first, configuration="other"), *others], "test_top1")


def test_settings_that_differ_between_runs_are_mixed_configurations(tree: Any) -> None:
    tree.train("student", 1, settings={"depth": 8})
    tree.train("student", 2, settings={"depth": 14})
    rows = [row for row in rows_of(find(tree.study())) if row.checkpoint == "last"]

    with pytest.raises(ReportError, match="2 different configurations"):
        summarize(rows, "val_top1")


def test_last_and_best_are_not_mixed(study: Path) -> None:
    rows = of(rows_of(find(study)), "student")

    with pytest.raises(ReportError, match="2 different configurations"):
        summarize(rows, "test_top1")


def test_an_unknown_metric_is_refused_with_the_known_ones(rows: list[Row]) -> None:
    with pytest.raises(ReportError, match=r"'top1' is no numeric column. Known: parameters"):
        summarize(of(rows, "student"), "top1")


def test_paired_differences_agree_with_a_computation_by_hand(rows: list[Row]) -> None:
    """Differences 0.080, 0.080, 0.074: mean 0.078, deviation sqrt(0.000012)."""
    difference = paired(of(rows, "student"), of(rows, "baseline"), "test_top1")

    assert difference is not None
    sd = sqrt((0.002**2 + 0.002**2 + 0.004**2) / 2)
    half = T_OF_TWO * sd / sqrt(3)
    assert difference.values == approx((0.08, 0.08, 0.074))
    assert difference.mean == approx(0.078)
    assert difference.sd == approx(sd)
    assert difference.low == approx(0.078 - half)
    assert difference.high == approx(0.078 + half)
    assert (difference.n, difference.seeds) == (3, (1, 2, 3))
    assert difference.is_shown


def test_an_interval_that_holds_zero_shows_no_difference(rows: list[Row]) -> None:
    difference = paired(of(rows, "student"), of(rows, "teacher"), "test_top1")

    assert difference is not None
    assert difference.low is not None and difference.low < 0 < difference.mean
    assert not difference.is_shown


def test_differences_that_are_all_equal_show_no_spread_and_so_no_difference(
    rows: list[Row],
) -> None:
    """Few seeds on few test images: an interval of no width would be certain of too much."""
    baselines = of(rows, "baseline")
    better = [
        replace(row, name="student", test_top1=(row.test_top1 or 0) + 0.1) for row in baselines
    ]

    gain = paired(better, baselines, "test_top1")

    assert gain is not None
    assert gain.mean == approx(0.1)
    assert gain.n == 3
    assert (gain.low, gain.high, gain.is_shown) == (None, None, False)


def test_a_run_of_no_seed_is_compared_with_the_run_of_every_seed(rows: list[Row]) -> None:
    """The ensemble of all seeds, and the students that learned from it."""
    students = of(rows, "student")  # 0.530, 0.540, 0.532
    ensemble = replace(of(rows, "baseline")[0], name="ensemble", seed=None, test_top1=0.6)

    behind = paired(students, [ensemble], "test_top1")
    ahead = paired([ensemble], students, "test_top1")

    assert behind is not None
    assert behind.values == approx((-0.07, -0.06, -0.068))
    assert (behind.n, behind.is_with_one_run, behind.is_shown) == (3, True, True)
    assert ahead is not None
    assert ahead.mean == approx(-behind.mean)


def test_one_pair_has_neither_deviation_nor_interval(rows: list[Row]) -> None:
    few = [row for row in rows if row.seed == 1]

    difference = paired(of(few, "student"), of(few, "baseline"), "test_top1")

    assert difference is not None
    assert difference.mean == approx(0.08)
    assert difference.n == 1
    assert (difference.sd, difference.low, difference.high) == (None, None, None)
    assert not difference.is_shown


def test_students_are_compared_with_their_own_teacher_whatever_its_seed(rows: list[Row]) -> None:
    students, taught_by = of(rows, "student"), of(rows, "teacher")
    (one,) = {row.identity for row in taught_by if row.identity in students[0].origins}
    alone = [replace(row, seed=0) for row in taught_by if row.identity == one]
    taught = [replace(row, origins={one: "last"}) for row in students]

    difference = paired(taught, alone, "test_top1")

    assert difference is not None
    assert difference.seeds == tuple(row.seed for row in students)
    assert difference.values == approx(
        tuple((row.test_top1 or 0) - (alone[0].test_top1 or 0) for row in students)
    )
    assert difference.is_with_one_run
    untaught = [replace(row, origins={}) for row in students]
    assert paired(untaught, alone, "test_top1") is None


def test_only_seeds_that_both_have_are_paired(rows: list[Row]) -> None:
    few = [row for row in rows if row.name != "baseline" or row.seed != 2]

    difference = paired(of(few, "student"), of(few, "baseline"), "test_top1")

    assert difference is not None
    assert difference.seeds == (1, 3)
    assert paired(of(rows, "student"), of(rows, "nobody"), "test_top1") is None


def test_a_mixture_on_either_side_is_refused(rows: list[Row]) -> None:
    mixed = [
        replace(row, configuration="other") if (row.name, row.seed) == ("baseline", 2) else row
        for row in rows
    ]

    with pytest.raises(ReportError, match="2 different configurations, such as train/baseline"):
        paired(of(mixed, "student"), of(mixed, "baseline"), "test_top1")
