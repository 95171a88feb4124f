from collections.abc import Callable

import torch
from torch import Tensor

from understudy.data.augment.rotate90 import Rotate90, Rotate90Settings
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 10_000


def test_each_image_is_turned_as_torch_turns_one(colours: Tensor) -> None:
    square = colours[:, :, :7, :7].clone()
    turns = torch.arange(40) % 4

    turned = Rotate90(turns).apply(square.clone())

    for number in range(40):
        assert torch.equal(turned[number], torch.rot90(square[number], number % 4, (1, 2)))


def test_all_four_positions_are_equally_likely(dice: Callable[[int], Dice]) -> None:
    turns = Rotate90Settings().draw(dice(COUNT), Frame(Size(8, 8), Size(8, 8))).turns

    counts = torch.bincount(turns, minlength=4)
    assert ((counts - COUNT / 4).abs() <= 5 * (COUNT / 4) ** 0.5).all()


def test_what_is_no_square_is_turned_upside_down_alone(dice: Callable[[int], Dice]) -> None:
    turns = Rotate90Settings().draw(dice(COUNT), Frame(Size(8, 9), Size(8, 9))).turns

    assert sorted(set(turns.tolist())) == [0, 2]
