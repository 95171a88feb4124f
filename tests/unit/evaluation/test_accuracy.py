import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn import metrics

from understudy.evaluation.accuracy import accuracy, confusion_matrix, top_k
from understudy.evaluation.labelled import labelled

SIX = tuple("abcdef")


def drawn(seed: int, *, images: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    logits = random.normal(size=(images, classes)).astype(np.float32)
    return logits, random.integers(0, classes, images)


@settings(deadline=None, max_examples=50)  # the oracle is slow on a busy machine
@given(seed=some.integers(0, 1000), images=some.integers(1, 60))
def test_every_figure_is_scikit_learns(seed: int, images: int) -> None:
    logits, labels = drawn(seed, images=images, classes=6)
    answers, everyone = logits.argmax(axis=1), np.arange(6)

    found = accuracy(logits, labels, classes=SIX)

    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, answers, labels=everyone, zero_division=np.nan
    )
    probabilities = torch.from_numpy(logits).double().softmax(dim=1).numpy()
    top5 = metrics.top_k_accuracy_score(labels, logits, k=5, labels=everyone)
    assert found.top1 == pytest.approx(metrics.accuracy_score(labels, answers))
    assert found.top5 == pytest.approx(top5)
    assert found.macro_f1 == pytest.approx(metrics.f1_score(labels, answers, average="macro"))
    assert found.nll == pytest.approx(metrics.log_loss(labels, probabilities, labels=everyone))
    assert found.confusion == tuple(
        map(tuple, metrics.confusion_matrix(labels, answers, labels=everyone).tolist())
    )
    for row, *expected in zip(found.per_class, precision, recall, f1, support, strict=True):
        mine = [row.precision, row.recall, row.f1, row.images]
        none_as_nan = [np.nan if value is None else value for value in mine]
        np.testing.assert_allclose(none_as_nan, expected)


def test_a_hand_made_case() -> None:
    logits = np.eye(3)[[0, 0, 1, 2]] * 2.0
    labels = np.array([0, 1, 1, 2])

    found = accuracy(logits, labels, classes=("ant", "bee", "cat"))

    assert found.top1 == 0.75
    assert found.top5 is None
    assert found.confusion == ((1, 0, 0), (1, 1, 0), (0, 0, 1))
    assert found.per_class[0] == ("ant", 0.5, 1.0, 2 / 3, 1)
    assert found.per_class[1] == ("bee", 1.0, 0.5, 2 / 3, 2)
    assert found.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    surprise_if_right = np.log(np.exp(2) + 2) - 2
    assert found.nll == pytest.approx(surprise_if_right + 2 / 4)


def test_classes_without_images_have_no_figures_and_no_weight() -> None:
    logits, labels = np.eye(4)[[0, 1, 3]], np.array([0, 1, 1])

    found = accuracy(logits, labels, classes=("ant", "bee", "cat", "dog"))

    assert found.per_class[2] == ("cat", None, None, None, 0)
    assert found.per_class[3] == ("dog", 0.0, None, 0.0, 0)
    assert found.macro_f1 == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_the_figures_are_json_without_nan() -> None:
    found = accuracy(np.eye(4)[[0, 1]], np.array([0, 1]), classes=tuple("abcd")).as_json()

    text = json.dumps(found, allow_nan=False)

    assert json.loads(text) == found
    assert found["per_class"][2] == {
        "class": "c",
        "precision": None,
        "recall": None,
        "f1": None,
        "images": 0,
    }


def test_the_first_of_equals_is_the_answer_in_every_figure() -> None:
    random = np.random.default_rng(0)
    answers = labelled(random.integers(0, 2, (500, 100)), random.integers(0, 100, 500))

    in_the_matrix = confusion_matrix(answers).trace() / 500
    assert top_k(answers, k=1) == in_the_matrix
    assert top_k(labelled(np.zeros((100, 100)), np.arange(100)), k=5) == 0.05


def test_tensors_and_arrays_give_the_same() -> None:
    logits, labels = drawn(0, images=9, classes=6)

    from_tensors = accuracy(torch.from_numpy(logits), torch.from_numpy(labels), classes=SIX)

    assert from_tensors == accuracy(logits, labels, classes=SIX)


def test_another_number_of_names_than_of_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        accuracy(np.eye(3), np.arange(3), classes=("ant", "bee"))
