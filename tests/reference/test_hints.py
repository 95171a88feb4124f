"""The distance to a hint, spelled out one value at a time."""

import pytest
import torch

from understudy.objectives.distill.hints import hint_distance


def test_it_averages_the_squared_difference_over_all_values() -> None:
    generator = torch.Generator().manual_seed(3)
    guess, hint = torch.randn((2, 3, 4, 2, 5), dtype=torch.float64, generator=generator)

    found = hint_distance(guess, hint)

    squares = [
        (guess[b, c, y, x].item() - hint[b, c, y, x].item()) ** 2
        for b in range(3)
        for c in range(4)
        for y in range(2)
        for x in range(5)
    ]
    assert found.item() == pytest.approx(sum(squares) / len(squares), abs=1e-12)
