import copy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from understudy.core.errors import DivergedError
from understudy.evaluation.exported import Exported
from understudy.evaluation.parity import BATCHES, parity

pytestmark = pytest.mark.slow  # they share an export, which takes a moment


class Altered:
    """An exported file whose answers are tampered with."""

    def __init__(self, exported: Exported, change: Any) -> None:
        self.exported, self.change = exported, change
        self.batches: list[int] = []

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(len(pixels))
        altered: NDArray[np.float32] = self.change(self.exported(pixels))
        return altered


@pytest.fixture
def exported(student_file: Path) -> Exported:
    return Exported(student_file, threads=1)


def test_a_file_answers_as_its_network(
    student: nn.Module, exported: Exported, pixels: NDArray[np.uint8]
) -> None:
    network = copy.deepcopy(student).double().train()

    found = parity(network, exported, pixels)

    assert found.images == len(pixels)
    assert found.batches == (1, 2, 7, 32)
    assert found.max_difference < 1e-4
    assert found.agreement == 1
    assert all(part.training for part in network.modules())
    assert {value.dtype for value in network.parameters()} == {torch.float64}


@pytest.mark.parametrize("images", [1, 5, 80])
def test_every_batch_size_is_tried_however_few_images_there_are(
    images: int, student: nn.Module, exported: Exported, pixels: NDArray[np.uint8]
) -> None:
    watched: Any = Altered(exported, lambda logits: logits)

    parity(student, watched, pixels[:images])

    assert set(BATCHES) <= set(watched.batches)


def test_weights_that_changed_after_the_export_are_found(
    student: nn.Module, exported: Exported, pixels: NDArray[np.uint8]
) -> None:
    changed: Any = copy.deepcopy(student)
    with torch.no_grad():
        changed.classifier.bias += 0.01  # of all classes: no answer changes

    with pytest.raises(DivergedError, match=r"differ by up to 0\.01") as caught:
        parity(changed, exported, pixels)

    assert caught.value.exit_code == 4


def test_a_mismatch_of_the_normalisation_is_found(
    student: nn.Module, exported: Exported, pixels: NDArray[np.uint8]
) -> None:
    changed: Any = copy.deepcopy(student)
    changed.mean += 0.05

    with pytest.raises(DivergedError):
        parity(changed, exported, pixels)


def test_answers_that_are_not_numbers_are_found(
    student: nn.Module, exported: Exported, pixels: NDArray[np.uint8]
) -> None:
    broken: Any = Altered(exported, lambda logits: np.where(logits > 1e9, logits, np.nan))

    with pytest.raises(DivergedError):
        parity(student, broken, pixels)


def test_other_classes_are_found_even_where_logits_are_close(
    student: nn.Module, exported: Exported, pixels: NDArray[np.uint8]
) -> None:
    tied: Any = copy.deepcopy(student)
    torch.nn.init.zeros_(tied.classifier.weight)
    torch.nn.init.zeros_(tied.classifier.bias)
    other: Any = Altered(exported, lambda logits: 1e-4 * np.eye(3)[np.full(len(logits), 2)])

    with pytest.raises(DivergedError, match=r"0\.00% of 80 images"):
        parity(tied, other, pixels)


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_g1_a_batch_that_was_frozen_at_the_export_fails_it(
    batch: int, student: nn.Module, student_file: Path, pixels: NDArray[np.uint8], tmp_path: Path
) -> None:
    model = onnx.load(student_file)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = batch
    (tmp_path / "frozen.onnx").write_bytes(model.SerializeToString())

    with pytest.raises(DivergedError, match="does not answer in batches of") as caught:
        parity(student, Exported(tmp_path / "frozen.onnx", threads=1), pixels)

    assert caught.value.exit_code == 4
