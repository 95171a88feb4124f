from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor

from understudy.data.augment.shift import ShiftSettings, rolled
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 10_000
FRAME = Frame(source=Size(20, 30), target=Size(20, 30))


def test_each_image_is_rolled_as_torch_rolls_one(colours: Tensor) -> None:
    down = torch.arange(-20, 20).view(-1, 1, 1, 1)
    right = -2 * down

    moved = rolled(colours, down, right)

    for number in range(40):
        shifts = int(down[number]), int(right[number])
        assert torch.equal(moved[number], torch.roll(colours[number], shifts, (1, 2)))


def test_every_distance_up_to_the_largest_is_equally_likely(dice: Callable[[int], Dice]) -> None:
    drawn = ShiftSettings(most=0.1).draw(dice(COUNT), FRAME)

    for distances, most in ((drawn.down, 2), (drawn.right, 3)):
        counts = Counter(distances.tolist())
        assert sorted(counts) == list(range(-most, most + 1))
        expected = COUNT / len(counts)
        assert all(abs(count - expected) <= 5 * expected**0.5 for count in counts.values())
