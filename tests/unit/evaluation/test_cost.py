import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import nn

from understudy.core.errors import UsageError
from understudy.evaluation.cost import MOST_REPEATS, WARM_UPS, cost, macs, median_seconds

Build = Callable[..., nn.Module]


@pytest.mark.slow  # the first count imports half of torch
@pytest.mark.parametrize("channels", [1, 3])
def test_macs_are_those_of_convolutions_and_products(channels: int, toy: Build) -> None:
    network = toy(channels=channels).train()

    found = macs(network, channels=channels, size=8)

    first = 8 * 8 * 8 * channels * 9
    second = 4 * 4 * 12 * 8 * 9
    assert found == first + second + 12 * 3
    assert all(part.training for part in network.modules())


@pytest.mark.slow
def test_a_cost_is_counted_and_timed(student: nn.Module, student_file: Path) -> None:
    found = cost(student, channels=3, size=8, exported=student_file)

    weights = 8 * 3 * 9 + 2 * 8 + 12 * 8 * 9 + 2 * 12 + 12 * 3 + 3
    assert found.parameters == weights
    assert found.macs == macs(student, channels=3, size=8)
    assert found.file_bytes == student_file.stat().st_size
    assert 4 * (weights - 40) < found.file_bytes < 4 * weights + 20_000
    assert 0 < found.latency_ms_1 < found.latency_ms_64


def test_a_missing_file_is_named_before_anything_is_counted(toy: Build, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.onnx"):
        cost(toy(channels=3), channels=3, size=8, exported=tmp_path / "absent.onnx")


def test_a_call_that_takes_no_time_is_not_repeated_for_ever() -> None:
    calls = itertools.count()

    median_seconds([lambda: next(calls)])

    assert next(calls) == WARM_UPS + MOST_REPEATS


def test_what_is_compared_is_timed_in_turn() -> None:
    order: list[str] = []

    median_seconds([lambda: order.append("a"), lambda: order.append("b")])

    assert set(order[::2]) == {"a"}
    assert set(order[1::2]) == {"b"}


def test_timing_ends_soon_and_takes_the_median(monkeypatch: pytest.MonkeyPatch) -> None:
    durations = iter([9.0, 9.0, 9.0, 0.1, 0.1, 0.1, 0.2, 5.0])
    now = 0.0

    def call() -> None:
        nonlocal now
        now += next(durations)

    monkeypatch.setattr("time.perf_counter", lambda: now)

    (median,) = median_seconds([call])

    assert median == pytest.approx(0.1)
    assert next(durations, None) is None
