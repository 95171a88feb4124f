from typing import Any

import pytest

from understudy.results.comparison import comparison
from understudy.results.confidence import reliability
from understudy.results.confidence_section import confidence
from understudy.results.find import find


def evaluated(*bins: tuple[float, float, float]) -> dict[str, Any]:
    keys = ("confidence", "accuracy", "share")
    return {"reliability": [dict(zip(keys, one, strict=True)) for one in bins]}


def test_bins_of_several_seeds_are_merged_by_their_shares() -> None:
    one = evaluated((0.50, 0.4, 0.3), (0.97, 0.9, 0.7))
    other = evaluated((0.52, 0.8, 0.1), (0.98, 1.0, 0.9))

    low, high = reliability([one, other])

    assert low.confidence == pytest.approx((0.5 * 0.3 + 0.52 * 0.1) / 0.4)
    assert low.accuracy == pytest.approx((0.4 * 0.3 + 0.8 * 0.1) / 0.4)
    assert (low.share, high.share) == pytest.approx((0.2, 0.8))
    assert high.accuracy == pytest.approx((0.9 * 0.7 + 1.0 * 0.9) / 1.6)


def test_the_mean_gap_of_the_merged_bins_is_the_error_of_calibration() -> None:
    bins = reliability([evaluated((0.3, 0.2, 0.25), (0.7, 0.5, 0.5), (0.97, 0.9, 0.25))])

    gap = sum(one.share * abs(one.accuracy - one.confidence) for one in bins)
    assert gap == pytest.approx(0.25 * 0.1 + 0.5 * 0.2 + 0.25 * 0.07)


@pytest.mark.parametrize("odd", [None, "x", [None], [{"confidence": 2, "accuracy": 1, "share": 1}]])
def test_odd_bins_are_no_bins(odd: Any) -> None:
    assert reliability([{"reliability": odd}, {}]) == []


@pytest.mark.parametrize(
    ("accuracy", "verdict"), [(0.60, "too sure"), (0.79, "as often as it says"), (0.9, "modest")]
)
def test_a_sentence_tells_whether_a_model_is_as_often_right_as_it_says(
    tree: Any, accuracy: float, verdict: str
) -> None:
    tree.train("student", 1)
    tree.evaluate(1, top1={"student": 0.5})
    (evaluation,) = [one for one in tree.summaries if one.startswith("evaluate/")]
    summary = tree.summaries[evaluation]
    for one in summary["evaluations"]:
        one.update(evaluated((0.8, accuracy, 1.0)))
    tree.write(f"{evaluation}/summary.json", summary)
    record = find(tree.study())

    told = confidence(record, comparison(record), {"student": "var(--accent)"})

    assert told is not None
    assert "The student is 80.0 % sure of its answers on average" in told
    assert verdict in told
    assert "temperature" not in told


def test_what_the_temperature_is_worth_is_told_where_one_was_fitted(tree: Any) -> None:
    tree.train("student", 1)
    tree.train("student", 2)
    for seed, calibrated in ((1, 0.03), (2, 0.01)):
        entry = tree.evaluate(seed, top1={"student": 0.5})["run"]
        for one in tree.summaries[entry]["evaluations"]:
            one |= {"ece": 0.1, "ece_calibrated": calibrated, "temperature": {"labels": 50}}
        tree.write(f"{entry}/summary.json", tree.summaries[entry])
    record = find(tree.study())

    told = confidence(record, comparison(record), {"student": "var(--accent)"})

    assert told is not None
    assert "on validation takes its calibration error from 10.0 % to 2.0 %." in told
