from collections.abc import Callable

import pytest
import torch
from pydantic import ValidationError

from understudy.data.augment.cutout import CutoutSettings
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 4_000
FRAME = Frame(source=Size(8, 12), target=Size(8, 12))


def covered(dice: Dice, **settings: float) -> torch.Tensor:
    """[B, 8, 12], bool: what lies under the square of each view."""
    images = torch.full((COUNT, 2, *FRAME.source), 0.25)
    views = CutoutSettings.model_validate(settings).draw(dice, FRAME).apply(images)
    changed = views != 0.25
    assert torch.equal(changed[:, 0], changed[:, 1])
    assert set(views.flatten().tolist()) == {0.25, settings.get("fill", 0.5)}
    return changed[:, 0]


def test_a_square_of_half_the_shorter_side_lies_around_a_pixel(dice: Callable[[int], Dice]) -> None:
    areas = covered(dice(COUNT)).sum(dim=(1, 2))

    assert areas.max() == 4 * 4
    assert areas.min() == 2 * 2, "in a corner, where most of it lies outside"


def test_squares_are_squares(dice: Callable[[int], Dice]) -> None:
    for mask in covered(dice(COUNT))[:200]:
        rows, columns = mask.any(dim=1), mask.any(dim=0)
        assert torch.equal(mask, rows[:, None] & columns)
        for line in (rows, columns):
            places = line.nonzero()[:, 0]
            assert len(places) <= 4
            assert places[-1] - places[0] == len(places) - 1


def test_every_pixel_of_the_middle_is_covered_as_often(dice: Callable[[int], Dice]) -> None:
    share = covered(dice(COUNT)).double().mean(dim=0)[1:-2, 1:-2]  # whose neighbours all exist

    expected = 4 * 4 / (8 * 12)
    assert (share - expected).abs().max() < 5 * (expected * (1 - expected) / COUNT) ** 0.5


def test_the_wanted_share_of_views_is_covered(dice: Callable[[int], Dice]) -> None:
    share = covered(dice(COUNT), probability=0.3, fill=0.75).any(dim=(1, 2)).double().mean()

    assert abs(share - 0.3) < 4 * (0.3 * 0.7 / COUNT) ** 0.5


def test_a_square_is_at_least_a_pixel_and_a_side_of_nothing_is_refused(
    dice: Callable[[int], Dice],
) -> None:
    assert torch.equal(
        covered(dice(COUNT), side=0.01).sum(dim=(1, 2)), torch.ones(COUNT, dtype=torch.int64)
    )
    with pytest.raises(ValidationError, match="side"):
        CutoutSettings(side=0.0)
