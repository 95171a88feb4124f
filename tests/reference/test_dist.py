"""The inter- and intra-class relations of Huang et al. 2022, with a textbook's correlation."""

import math
import statistics

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.distill.dist import correlation_distance, relation_distances


def softened(logits: list[float], temperature: float) -> list[float]:
    exponentials = [math.exp(value / temperature) for value in logits]
    return [value / sum(exponentials) for value in exponentials]


def pair(batch: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(17)
    shape = (2, batch, classes)
    student, teacher = 3 * torch.randn(shape, dtype=torch.float64, generator=generator)
    return student, teacher


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_rows_are_images_and_columns_are_classes(temperature: float) -> None:
    student, teacher = pair(batch=5, classes=4)

    inter, intra = relation_distances(student, teacher, temperature)

    learnt = [softened(image, temperature) for image in student.tolist()]
    taught = [softened(image, temperature) for image in teacher.tolist()]
    rows = [statistics.correlation(*images) for images in zip(learnt, taught, strict=True)]
    columns = [
        statistics.correlation(
            [image[label] for image in learnt], [image[label] for image in taught]
        )
        for label in range(4)
    ]
    assert inter.item() == pytest.approx(1 - statistics.mean(rows), rel=1e-5)
    assert intra.item() == pytest.approx(1 - statistics.mean(columns), rel=1e-5)


def test_scale_and_shift_of_a_row_change_nothing() -> None:
    student, teacher = pair(batch=8, classes=6)
    scale = torch.linspace(0.5, 20, 8, dtype=torch.float64)[:, None]

    found = correlation_distance(scale * student - 7, teacher / scale + scale)

    assert_close(found, correlation_distance(student, teacher))


def test_it_runs_from_0_for_the_same_to_2_for_the_opposite() -> None:
    student, _ = pair(batch=8, classes=6)

    assert correlation_distance(student, 3 * student + 1).item() == pytest.approx(0, abs=1e-8)
    assert correlation_distance(student, -student).item() == pytest.approx(2)
    assert correlation_distance(torch.ones_like(student), student).item() == pytest.approx(1)


def test_a_batch_twice_over_is_the_same() -> None:
    student, teacher = pair(batch=8, classes=6)

    found = relation_distances(student.repeat(2, 1), teacher.repeat(2, 1), 4.0)

    assert_close(found, relation_distances(student, teacher, 4.0), rtol=1e-5, atol=0)
