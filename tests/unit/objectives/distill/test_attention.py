import pytest
import torch
from tests.unit.objectives.distill.outputs import features, view
from torch import Tensor
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.types import Shape, Stage, Targets
from understudy.objectives.distill.attention import AttentionSettings, attention_distance


def maps(channels: int, side: int, *, seed: int) -> Tensor:
    return features(channels * side * side, seed=seed).view(-1, channels, side, side)


def test_equal_attention_costs_nothing_whatever_the_scale_and_the_channels() -> None:
    teacher = maps(4, 5, seed=1)
    others = teacher[:, [2, 0, 3, 1]].repeat(1, 3, 1, 1)  # in another order, and thrice as wide
    scales = torch.linspace(0.1, 30, len(teacher), dtype=torch.float64)[:, None, None, None]

    assert attention_distance(-scales * others, teacher, 2.0).item() == pytest.approx(0, abs=1e-15)
    assert attention_distance(maps(4, 5, seed=2), teacher, 2.0) > 1e-3


def test_places_are_told_apart() -> None:
    teacher = maps(4, 5, seed=1)

    assert attention_distance(teacher.transpose(2, 3), teacher, 2.0) > 1e-3
    turned = attention_distance(maps(4, 5, seed=2).mT, teacher.mT, 2.0)
    assert_close(turned, attention_distance(maps(4, 5, seed=2), teacher, 2.0))


@pytest.mark.parametrize("times", [2, 4])
def test_the_same_attention_on_more_places_weighs_less_by_their_number(times: int) -> None:
    """So 1000 at 32 pixels is 62 at 8: the value is a mean over places that share a length of 1."""
    student, teacher = maps(6, 3, seed=1), maps(4, 3, seed=2)

    def finer(each: Tensor) -> Tensor:
        return each.repeat_interleave(times, dim=2).repeat_interleave(times, dim=3)

    coarse = attention_distance(student, teacher, 2.0)

    assert_close(attention_distance(finer(student), finer(teacher), 2.0), coarse / times**2)


def test_all_pairs_are_added_up(small: Shape, large: Shape, targets: Targets) -> None:
    learner, teacher = view(small, seed=1), view(large, seed=2)
    pairs = ([["s1", "t1"]], [["s2", "t2"]])
    named = [AttentionSettings.model_validate({"stages": pair}) for pair in pairs]
    last = Shape(pooled=6, stages=small.stages[:2]), Shape(pooled=9, stages=large.stages[:3])

    both = AttentionSettings().build(*last, targets.index)((learner,), (teacher,), targets)

    apart = [
        each.build(small, large, targets.index)((learner,), (teacher,), targets) for each in named
    ]
    assert_close(both["distance"], apart[0]["distance"] + apart[1]["distance"])


def test_a_single_place_is_refused_since_it_would_teach_nothing(
    small: Shape, large: Shape, targets: Targets
) -> None:
    objective = AttentionSettings(stages="last").build(small, large, targets.index)
    assert large.stages[-1] == Stage("t3", 9, 8)  # one place of 8 x 8 pixels

    with pytest.raises(UsageError, match=r"'s3' of the student and 't3'.*single place.*`stages`"):
        objective((view(small, seed=1),), (view(large, seed=2),), targets)
