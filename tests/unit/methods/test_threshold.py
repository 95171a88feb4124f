"""FreeMatch's threshold against the paper's formulas written out, number by number."""

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor
from torch.testing import assert_close

from understudy.methods.fixmatch import sure_cross_entropy
from understudy.methods.threshold import (
    AdaptiveThreshold,
    AdaptiveThresholdSettings,
    FixedThreshold,
    Threshold,
    threshold_of,
)

THRESHOLD: TypeAdapter[Threshold] = TypeAdapter(Threshold)


def answers(step: int) -> Tensor:
    """[20, 3] probabilities; the third class is rarely the likeliest."""
    generator = torch.Generator().manual_seed(step)
    logits = 3 * torch.rand(20, 3, generator=generator) + torch.tensor([0.5, 0.0, -1.0])
    return logits.softmax(dim=1)


def test_what_an_answer_must_reach_is_the_papers_after_every_step() -> None:
    adaptive, momentum = AdaptiveThreshold(3, momentum=0.9), 0.9
    sureness, frequency = 1 / 3, [1 / 3] * 3
    for step in range(5):
        shown = answers(step)

        found = adaptive(shown)

        rows = shown.tolist()
        sureness = momentum * sureness + (1 - momentum) * sum(map(max, rows)) / 20
        means = [sum(row[place] for row in rows) / 20 for place in range(3)]
        frequency = [
            momentum * old + (1 - momentum) * mean
            for old, mean in zip(frequency, means, strict=True)
        ]
        expected = [sureness * frequency[row.index(max(row))] / max(frequency) for row in rows]
        assert_close(found, torch.tensor(expected))


def test_classes_that_are_seldom_named_are_learned_from_less_sure_answers() -> None:
    adaptive = AdaptiveThreshold(3, momentum=0.5)
    for step in range(10):
        adaptive(answers(step))

    often, _, seldom = adaptive(torch.eye(3) * 0.9 + 0.03)
    assert seldom < 0.7 * often


def test_no_gradient_reaches_the_answers_through_it() -> None:
    logits, shown = torch.zeros(20, 3, requires_grad=True), answers(0).log().requires_grad_()

    loss, share = sure_cross_entropy(logits, shown, threshold=AdaptiveThreshold(3, momentum=0.9))
    loss.backward()  # type: ignore[no-untyped-call]

    assert 0 < float(share) < 1
    assert shown.grad is None


def test_a_number_is_fixed_and_a_momentum_is_not() -> None:
    fixed, adaptive = threshold_of(0.7, 4), threshold_of(AdaptiveThresholdSettings(), 4)

    assert isinstance(fixed, FixedThreshold)
    assert_close(fixed(answers(0)), torch.full((20,), 0.7))
    assert isinstance(adaptive, AdaptiveThreshold)
    assert adaptive.frequency.shape == (4,)
    assert adaptive.momentum == 0.999
    assert THRESHOLD.validate_python({"momentum": 0.99}) == AdaptiveThresholdSettings(momentum=0.99)


@pytest.mark.parametrize("wrong", [1.2, -0.1, {"momentum": 1.0}, {"momentun": 0.9}])
def test_what_is_no_threshold_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        THRESHOLD.validate_python(wrong)
