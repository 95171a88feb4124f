import numpy as np
import pytest
import torch

from understudy.core.errors import DataError, DivergedError
from understudy.evaluation.labelled import labelled


def test_log_probabilities_are_those_of_the_softmax_even_for_huge_logits() -> None:
    logits = torch.tensor([[1e4, 0.0, -1e4], [0.3, -0.2, 0.1]])

    answers = labelled(logits, torch.tensor([0, 2]))

    np.testing.assert_allclose(answers.log_probabilities, logits.double().log_softmax(1).numpy())


def test_the_first_of_equal_classes_is_the_answer() -> None:
    answers = labelled(np.array([[0.0, 2.0, 2.0]]), np.array([0]))

    assert answers.predicted.tolist() == [1]


@pytest.mark.parametrize("stranger", [-1, 3])
def test_a_label_that_is_no_class_is_an_error_about_data(stranger: int) -> None:
    with pytest.raises(DataError, match=rf"\[{stranger}\]"):
        labelled(np.zeros((2, 3)), np.array([0, stranger]))


def test_no_label_at_all_is_an_error_about_data() -> None:
    with pytest.raises(DataError, match="no labelled image"):
        labelled(np.zeros((0, 3)), np.zeros(0))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_broken_network_is_not_given_a_figure(value: float) -> None:
    logits = np.array([[0.0, value], [1.0, 2.0]])

    with pytest.raises(DivergedError, match="1 of 2"):
        labelled(logits, np.array([0, 1]))


def test_logits_and_labels_of_different_images_are_refused() -> None:
    with pytest.raises(ValueError, match="must be"):
        labelled(np.zeros((3, 2)), np.array([0, 1]))
