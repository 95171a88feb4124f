from collections.abc import Callable

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torchvision.transforms import v2

from understudy.data.augment.random_resized_crop import RandomResizedCropSettings
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 4000
DEFAULT = RandomResizedCropSettings()
WIDE = RandomResizedCropSettings(scale=(0.5, 1.0), ratio=(0.9, 1.1))


def torchvisions(crop: RandomResizedCropSettings, source: Size) -> Tensor:
    """[4, COUNT]: top, left, height and width that torchvision draws."""
    peer = v2.RandomResizedCrop(size=8, scale=crop.scale, ratio=crop.ratio)
    image = torch.zeros(1, *source)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = [peer.make_params([image]) for _ in range(COUNT)]
    return torch.tensor([[one[key] for one in drawn] for key in ("top", "left", "height", "width")])


def excess(ours: Tensor, theirs: Tensor, bins: int) -> float:
    """Two-sample chi-square of histograms, in standard deviations from what chance gives."""
    low, high = float(torch.cat([ours, theirs]).min()), float(torch.cat([ours, theirs]).max())
    first, second = (torch.histc(these, bins, low, high) for these in (ours, theirs))
    seen = (first + second) > 0
    freedom = int(seen.sum()) - 1
    statistic = ((first - second).square()[seen] / (first + second)[seen]).sum()
    return float((statistic - freedom) / (2 * max(freedom, 1)) ** 0.5)


@pytest.mark.parametrize(
    ("crop", "source"),
    [
        pytest.param(DEFAULT, Size(32, 32), id="SimCLR"),
        pytest.param(DEFAULT, Size(40, 100), id="wide images"),
        pytest.param(WIDE, Size(40, 64), id="often no try fits"),
    ],
)
def test_windows_are_distributed_as_torchvisions(
    crop: RandomResizedCropSettings, source: Size, dice: Callable[[int], Dice]
) -> None:
    window = crop.draw(dice(COUNT), Frame(source=source, target=Size(8, 8)))

    ours = torch.stack(window[:4]).double()
    theirs = torchvisions(crop, source).double()

    def measures(drawn: Tensor) -> dict[str, Tensor]:
        top, left, height, width = drawn
        return {
            "area": height * width,
            "aspect": (width / height).log(),
            "height": height,
            "width": width,
            "row": top / (source.height - height).clamp(min=1),
            "column": left / (source.width - width).clamp(min=1),
        }

    peer = measures(theirs)
    for name, values in measures(ours).items():
        assert excess(values, peer[name], bins=20) < 4, name


def test_every_window_lies_in_the_image(dice: Callable[[int], Dice]) -> None:
    source = Size(7, 5)

    window = DEFAULT.draw(dice(COUNT), Frame(source=source, target=Size(8, 8)))

    assert min(window.top.min(), window.left.min()) == 0
    assert min(window.height.min(), window.width.min()) >= 1
    assert (window.top + window.height).max() == source.height
    assert (window.left + window.width).max() == source.width


@pytest.mark.parametrize("source", [Size(30, 90), Size(90, 30), Size(30, 31)], ids=str)
def test_where_no_try_fits_the_centre_is_taken_as_torchvision_does(
    source: Size, dice: Callable[[int], Dice]
) -> None:
    crop = RandomResizedCropSettings(scale=(1.0, 1.0), ratio=(0.97, 0.98))

    window = crop.draw(dice(5), Frame(source=source, target=Size(8, 8)))

    expected = torchvisions(crop, source)[:, :5]
    assert torch.equal(torch.stack(window[:4]), expected)


def test_views_that_are_not_cropped_show_the_whole_image(dice: Callable[[int], Dice]) -> None:
    crop = RandomResizedCropSettings(probability=0.25)

    window = crop.draw(dice(COUNT), Frame(source=Size(100, 100), target=Size(8, 8)))

    whole = (window.height == 100) & (window.width == 100)
    assert abs(whole.double().mean() - 0.75) < 0.03  # 4 standard deviations


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("scale", (0.9, 0.2), r"write \[0.2, 0.9\]"),
        ("scale", (0.0, 1.0), "greater than 0"),
        ("scale", (0.1, 1.1), "less than or equal to 1"),
        ("ratio", (2.0, 1.0), r"write \[1.0, 2.0\]"),
        ("ratio", (float("nan"), 1.0), "finite"),
        ("probability", 1.5, "less than or equal to 1"),
    ],
)
def test_impossible_ranges_are_refused(key: str, value: object, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        RandomResizedCropSettings.model_validate({key: value})
