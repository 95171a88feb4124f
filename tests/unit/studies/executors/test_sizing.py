"""How many workers a pool has, by what runs took."""

from pathlib import Path
from typing import Any

import pytest

from understudy.core.progress import Silent
from understudy.core.yaml import write_yaml
from understudy.studies.executors.executor import Done
from understudy.studies.executors.messages import Used
from understudy.studies.executors.sizing import MeasuredSize, Size

GB = 1 << 30
NETWORK = {"backbone": {"kind": "cifar_resnet", "depth": 8}}
SETTINGS: dict[str, Any] = {
    "plan": {"batch_size": 32, "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
    "terms": [{"kind": "label"}],
    "labels": {"per_class": 5},
    "seed": 1,
}


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def done(
    folder: Path,
    *,
    speed: float,
    seconds: float = 20.0,
    was_skipped: bool = False,
    settings: dict[str, Any] = SETTINGS,
) -> Done:
    """A finished training of 1000 images."""
    path = folder / f"train-{len(list(folder.iterdir()))}"
    path.mkdir()
    (path / "config.yaml").write_text(write_yaml({"settings": settings}))
    summary = {"stage": "train", "images": 1000, "seconds": seconds, "network": NETWORK}
    return Done(path, "id", {**summary, "seconds_per_epoch": 1000 / speed}, was_skipped)


def measured(threads: int = 8, free: int | None = 100 * GB) -> tuple[MeasuredSize, Told]:
    told = Told()
    return MeasuredSize(threads, told, free=lambda: free), told


def learn(size: Size, run: Done, *, times: int = 1, seconds: float = 25.0) -> None:
    """From as many as are at once, all the time."""
    for _ in range(times):
        size.learn(run, workers=size.workers, beside=size.workers, seconds=seconds)


def test_a_number_that_was_asked_for_stays(tmp_path: Path) -> None:
    size = Size(3)
    size.hear(Used(memory=10**15), workers=size.workers)
    size.look()
    learn(size, done(tmp_path, speed=1.0))
    size.lose(beside=3)

    assert size.workers == 3


def test_it_grows_while_runs_keep_their_speed(tmp_path: Path) -> None:
    size, told = measured(threads=4)
    seen = [size.workers]
    for _ in range(3):
        size.hear(Used(memory=GB), workers=size.workers)
        learn(size, done(tmp_path, speed=100.0), times=size.workers)
        seen.append(size.workers)

    assert seen == [1, 2, 4, 4]
    assert told.lines == ["4 workers: 2.00 times the runs of 2; torch has 4 threads here"]


def test_it_goes_back_where_more_do_not_pay(tmp_path: Path) -> None:
    size, told = measured()
    learn(size, done(tmp_path, speed=100.0))
    learn(size, done(tmp_path, speed=52.0), times=2)

    assert size.workers == 1
    assert told.lines == ["1 worker: 2 do 1.04 times as many"]


def test_memory_is_never_promised_twice(tmp_path: Path) -> None:
    size, told = measured(free=10 * GB)
    size.hear(Used(memory=3 * GB), workers=size.workers)
    for _ in range(4):
        learn(size, done(tmp_path, speed=100.0), times=size.workers)

    assert size.workers == 2
    assert told.lines == [
        "2 workers: 2.00 times the runs of 1; 3 would need 9.7 GB of the 8.6 GB that may be taken "
        "(80% of the free part of memory)"
    ]


def test_a_larger_run_later_takes_workers_away(tmp_path: Path) -> None:
    size, told = measured(threads=2, free=10 * GB)
    size.hear(Used(memory=GB), workers=size.workers)
    for _ in range(3):
        learn(size, done(tmp_path, speed=100.0), times=size.workers)
    assert size.workers == 2

    size.hear(Used(memory=5 * GB), workers=size.workers)

    assert size.workers == 1
    assert told.lines[-1].startswith("1 worker: 2 would need 11 GB of the 8.6 GB")


def test_where_memory_is_not_told_there_is_one(tmp_path: Path) -> None:
    size, told = measured(free=None)
    learn(size, done(tmp_path, speed=100.0))

    assert size.workers == 1
    assert told.lines == ["1 worker: this system does not tell how much memory is free"]


def test_a_gpu_holds_what_it_held_when_one_was_alone(tmp_path: Path) -> None:
    size, told = measured()
    size.hear(Used(memory=GB, gpu=20 * GB, gpu_free=70 * GB), workers=size.workers)
    learn(size, done(tmp_path, speed=100.0))
    assert size.workers == 2
    size.hear(
        Used(memory=GB, gpu=20 * GB, gpu_free=30 * GB), workers=size.workers
    )  # the other one has its share
    learn(size, done(tmp_path, speed=100.0), times=2)

    assert size.workers == 2
    assert "3 would need 64 GB of the 60 GB" in told.lines[0]
    assert "the GPU's memory" in told.lines[0]


def test_a_worker_that_the_system_kills_is_one_too_many(tmp_path: Path) -> None:
    size, told = measured()
    for _ in range(2):
        learn(size, done(tmp_path, speed=100.0), times=size.workers)
    assert size.workers == 4

    size.lose(beside=4)
    assert size.workers == 3
    learn(size, done(tmp_path, speed=100.0), times=3)

    assert size.workers == 3
    assert told.lines[-1].endswith("one of 4 was killed, as when memory runs out")


def test_what_ends_after_the_number_has_changed_counts_for_the_old_one(tmp_path: Path) -> None:
    """Back from two to one, for nothing was alike: what is under way yet had another beside it."""
    size, told = measured(threads=2)
    learn(size, done(tmp_path, speed=100.0))
    other = {**SETTINGS, "terms": [{"kind": "hints"}]}
    learn(size, done(tmp_path, speed=100.0, settings=other), times=3)
    assert size.workers == 1

    late = done(tmp_path, speed=50.0, settings=other)
    size.learn(late, workers=2, beside=2.0, seconds=25.0)
    learn(size, done(tmp_path, speed=100.0, settings=other))

    assert told.lines == ["2 workers: 1.68 times the runs of 1; torch has 2 threads here"]


def test_the_only_worker_that_is_killed_leaves_room_for_one() -> None:
    size, _ = measured()
    size.lose(beside=1)

    assert size.workers == 1


@pytest.mark.parametrize(
    ("run", "beside", "under_way"),
    [
        ({"was_skipped": True}, 1.0, 25.0),
        ({"seconds": 0.2}, 1.0, 25.0),
        ({"seconds": 300.0}, 1.0, 25.0),
    ],
    ids=["found", "too short", "of earlier attempts too"],
)
def test_some_runs_tell_nothing(
    run: dict[str, Any], beside: float, under_way: float, tmp_path: Path
) -> None:
    size, _ = measured()
    size.learn(done(tmp_path, speed=100.0, **run), workers=1, beside=beside, seconds=under_way)

    assert size.workers == 1


def test_a_run_that_was_alone_for_a_while_tells_nothing_of_two(tmp_path: Path) -> None:
    size, told = measured(threads=2)
    learn(size, done(tmp_path, speed=100.0))
    for _ in range(20):
        size.learn(done(tmp_path, speed=100.0), workers=2, beside=1.6, seconds=25.0)
    assert told.lines == []

    learn(size, done(tmp_path, speed=100.0), times=2)
    assert len(told.lines) == 1


@pytest.mark.parametrize(
    ("changed", "is_alike"),
    [
        ({"seed": 2}, True),
        ({"labels": {"per_class": 50}}, True),
        ({"plan": {"batch_size": 32, "optimizer": {"kind": "sgd", "learning_rate": 0.5}}}, True),
        ({"plan": {"batch_size": 64, "optimizer": {"kind": "sgd", "learning_rate": 0.1}}}, False),
        ({"terms": [{"kind": "label"}, {"kind": "hints"}]}, False),
    ],
    ids=["seed", "labels", "rate", "batch", "objective"],
)
def test_alike_are_runs_that_do_the_same_for_an_image(
    changed: dict[str, Any], is_alike: bool, tmp_path: Path
) -> None:
    size, told = measured(threads=2)
    learn(size, done(tmp_path, speed=100.0))
    learn(size, done(tmp_path, speed=100.0, settings={**SETTINGS, **changed}), times=2)

    assert bool(told.lines) == is_alike
