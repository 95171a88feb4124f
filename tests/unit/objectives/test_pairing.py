import pytest
import torch
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Stage
from understudy.objectives.pairing import Pairing, StagePair, same_size, stage_pairs


def network(*widths: int) -> Shape:
    stages = [Stage(f"s{at}", width, 2**at) for at, width in enumerate(widths)]
    return Shape(pooled=widths[-1] if widths else 3, stages=tuple(stages))


def names(pairing: Pairing, student: Shape, teacher: Shape) -> list[tuple[str, str]]:
    pairs = stage_pairs(pairing, student=student, teacher=teacher, kind="toy")
    return [(pair.student.name, pair.teacher.name) for pair in pairs]


def test_stages_are_paired_from_the_deepest_on() -> None:
    short, long = network(4, 8, 16), network(3, 5, 7, 9, 11)

    assert names("all", short, short) == [("s0", "s0"), ("s1", "s1"), ("s2", "s2")]
    assert names("all", short, long) == [("s0", "s2"), ("s1", "s3"), ("s2", "s4")]
    assert names("all", long, short) == [("s2", "s0"), ("s3", "s1"), ("s4", "s2")]
    assert names("all", short, network(6)) == [("s2", "s0")]


@pytest.mark.parametrize(("stages", "middle"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2)])
def test_the_middle_is_the_shallower_one_of_the_middle_pairs(stages: int, middle: int) -> None:
    both = network(*range(1, stages + 1))

    assert names("middle", both, both) == [(f"s{middle}", f"s{middle}")]
    assert names("last", both, both) == [(f"s{stages - 1}", f"s{stages - 1}")]


def test_names_are_taken_as_they_are() -> None:
    asked = (("s2", "s0"), ("s0", "s4"))

    assert names(asked, network(4, 8, 16), network(3, 5, 7, 9, 11)) == list(asked)


def test_all_wrong_names_are_told_at_once_with_those_that_there_are() -> None:
    with pytest.raises(
        UsageError,
        match=r"'toy'.*'x' of the student, 's2' of the teacher.*student has s0, s1.*teacher has s0",
    ):
        names((("x", "s0"), ("s1", "s2")), network(4, 8), network(4))


@pytest.mark.parametrize("pairing", ["all", "middle", "last", (("s0", "s0"),)])
def test_a_network_without_stages_has_no_pair(pairing: Pairing) -> None:
    assert names(pairing, network(), network(4)) == names(pairing, network(4), network()) == []


def test_a_pair_reads_its_maps_and_takes_no_gradient_to_the_teacher() -> None:
    maps = tuple(torch.randn(2, 3, 4, 4, requires_grad=True) for _ in range(2))
    pair = StagePair(Stage("s1", 3, 2), Stage("s0", 3, 1), at=(1, 0))

    mine, other = pair.maps(Outputs(stages=maps), Outputs(stages=maps))

    assert mine is maps[1]
    assert torch.equal(other, maps[0])
    assert not other.requires_grad


def test_the_larger_map_is_averaged_to_the_smaller_whichever_it_is() -> None:
    small, large = torch.randn(2, 3, 4, 2), torch.randn(2, 5, 8, 8)

    mine, other = same_size(small, large)
    other_first, mine_second = same_size(large, small)

    assert mine is small and mine_second is small
    assert torch.equal(other, other_first)
    assert_close(other[0, 0, 1, 1], large[0, 0, 2:4, 4:8].mean())


def test_each_side_is_matched_by_itself() -> None:
    tall, wide = same_size(torch.ones(1, 1, 8, 2), torch.ones(1, 1, 4, 6))

    assert tall.shape == wide.shape == (1, 1, 4, 2)


def test_repeating_pixels_is_undone() -> None:
    small = torch.randn(2, 3, 4, 4)
    large = small.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    assert_close(same_size(small, large)[1], small)
