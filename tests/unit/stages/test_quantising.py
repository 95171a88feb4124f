from collections import Counter

import numpy as np
import pytest

from understudy.core.errors import DataError
from understudy.data.fingerprint import fingerprint, fingerprints_of
from understudy.data.pack import Pack
from understudy.data.splits import Splits
from understudy.stages.quantising import Judgement, calibration_images, spread

FASTER = Judgement(
    calibrated_on=512,
    labels=200,
    top1=0.900,
    top1_fp32=0.905,
    compared=300,
    agreement=0.99,
    latency_ms_1=0.5,
    latency_ms_64=30.0,
    latency_ms_1_fp32=0.7,
    latency_ms_64_fp32=50.0,
    file_bytes=100,
    file_bytes_fp32=300,
)


def pack_of(values: list[int]) -> Pack:
    """Images of one colour each."""
    images = np.stack([np.full((1, 2, 2), value, dtype=np.uint8) for value in values])
    count = len(values)
    return Pack(
        images=images,
        names=tuple(map(str, range(count))),
        labels=np.zeros(count, dtype=np.int64),
        given=("",) * count,
        classes=("a", "b"),
        key="0",
        skipped=Counter(),
        fingerprints=fingerprints_of([fingerprint(image) for image in images]),
    )


def splits_of(train: list[int], test: list[int]) -> Splits:
    empty = np.array([], dtype=np.int64)
    return Splits(np.array(train), empty, np.array(test), empty)


def test_g4_half_a_point_and_a_gain_in_time_at_both_batches_are_recommended() -> None:
    assert FASTER.against == []
    assert FASTER.as_json()["recommended"] is True


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"top1": 0.8995}, "loses"),
        ({"top1": None, "top1_fp32": None}, "no validation label"),
        ({"labels": 199}, "199 validation labels are too few to tell half a point"),
        ({"labels": 1, "top1": 1.0, "top1_fp32": 1.0}, "differ on 1.0 % of 300 images"),
        ({"labels": 50, "compared": 199, "agreement": 1.0}, "too few"),
        ({"latency_ms_1": 0.68}, "1.03 times as fast here at batch 1, and less than 1.05"),
        ({"latency_ms_64": 50.1}, "1.00 times as fast here at batch 64"),
    ],
)
def test_g4_anything_less_is_not(changed: dict[str, float | None], reason: str) -> None:
    judged = FASTER._replace(**changed)  # type: ignore[arg-type]

    assert len(judged.against) == 1
    assert reason in judged.against[0]
    assert judged.as_json()["recommended"] is False


def test_g4_without_enough_labels_equal_answers_show_that_nothing_is_lost() -> None:
    alike = FASTER._replace(labels=50, compared=400, agreement=0.995)

    assert alike.against == []


def test_g5_ranges_are_measured_on_training_images_that_are_no_test_image() -> None:
    """Image 1 lies in the training split, and once more, pixel for pixel, in the test split."""
    pack = pack_of([10, 20, 30, 20, 40])

    found = calibration_images(pack, splits_of(train=[0, 1, 2], test=[3, 4]))

    assert found.tolist() == [0, 2]


def test_g5_with_nothing_but_test_images_it_is_refused() -> None:
    with pytest.raises(DataError, match="identical to a test image"):
        calibration_images(pack_of([7, 7]), splits_of(train=[0], test=[1]))


def test_images_are_taken_evenly() -> None:
    assert spread(np.arange(100), 5).tolist() == [0, 24, 49, 74, 99]
    assert spread(np.arange(3), 5).tolist() == [0, 1, 2]
