from collections.abc import Callable

import torch
from torch import Tensor
from torch.testing import assert_close
from torchvision.transforms.v2 import functional as oracle

from understudy.data.augment.color_jitter import ColorJitterSettings, Jitter
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 24_000
FRAME = Frame(source=Size(9, 7), target=Size(9, 7))
PEERS = (
    oracle.adjust_brightness,
    oracle.adjust_contrast,
    oracle.adjust_saturation,
    oracle.adjust_hue,
)


def one_by_one(images: Tensor, jitter: Jitter) -> Tensor:
    views = []
    for place, image in enumerate(images):
        view = image
        for number in jitter.order[place].tolist():
            factor = jitter[1 + number] if number >= 0 else None
            view = view if factor is None else PEERS[number](view, float(factor[place]))
        views.append(view)
    return torch.stack(views)


def test_values_are_torchvisions_in_each_images_own_order(
    colours: Tensor, dice: Callable[[int], Dice]
) -> None:
    strong = ColorJitterSettings(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2)
    jitter = strong.draw(dice(len(colours)), FRAME)

    views = jitter.apply(colours.clone())

    assert_close(views, one_by_one(colours, jitter), atol=2e-5, rtol=0)


def test_adjustments_of_no_strength_are_left_out(
    colours: Tensor, dice: Callable[[int], Dice]
) -> None:
    jitter = ColorJitterSettings(saturation=0, hue=0).draw(dice(len(colours)), FRAME)

    views = jitter.apply(colours.clone())

    assert jitter.saturation is None
    assert jitter.hue is None
    assert_close(views, one_by_one(colours, jitter), atol=1e-5, rtol=0)


def test_factors_are_uniform_over_torchvisions_ranges(dice: Callable[[int], Dice]) -> None:
    jitter = ColorJitterSettings(brightness=1.5, contrast=0.4, saturation=0.2, hue=0.1).draw(
        dice(COUNT), FRAME
    )

    spans = [(0.0, 2.5), (0.6, 1.4), (0.8, 1.2), (-0.1, 0.1)]
    for factor, (low, high) in zip(jitter[1:], spans, strict=True):
        assert factor is not None
        assert low <= factor.min() < factor.max() <= high
        places = (factor.sort().values - low) / (high - low)
        steps = torch.arange(1, COUNT + 1) / COUNT
        assert (places - steps).abs().max() < 1.95 / COUNT**0.5  # Kolmogorov, p = 0.001


def test_all_twenty_four_orders_are_equally_likely(dice: Callable[[int], Dice]) -> None:
    jitter = ColorJitterSettings(probability=1.0).draw(dice(COUNT), FRAME)

    codes = (jitter.order * torch.tensor([64, 16, 4, 1])).sum(dim=1)
    counts = codes.bincount()
    counts = counts[counts > 0]

    assert torch.equal(jitter.order.sort(dim=1).values, torch.arange(4).expand(COUNT, 4))
    assert len(counts) == 24
    assert (counts - COUNT / 24).abs().max() < 4 * (COUNT / 24) ** 0.5


def test_the_wanted_share_of_views_is_changed_and_no_other(dice: Callable[[int], Dice]) -> None:
    jitter = ColorJitterSettings(probability=0.8).draw(dice(COUNT), FRAME)
    images = torch.full((COUNT, 3, 1, 1), 0.4)

    views = jitter.apply(images.clone())

    still = (jitter.order == -1).all(dim=1)
    assert abs(still.double().mean() - 0.2) < 4 * (0.8 * 0.2 / COUNT) ** 0.5
    assert torch.equal(views[still], images[still])


def test_factors_order_and_choice_are_independent(dice: Callable[[int], Dice]) -> None:
    jitter = ColorJitterSettings().draw(dice(COUNT), FRAME)

    applied = (jitter.order[:, 0] >= 0).double()
    columns = [applied, jitter.order[:, 0].double() * applied]
    columns += [factor.double() for factor in jitter[1:] if factor is not None]
    correlations = torch.corrcoef(torch.stack(columns[:1] + columns[2:])).fill_diagonal_(0)

    assert correlations.abs().max() < 4 / COUNT**0.5


def test_only_colours_object_to_other_channel_counts() -> None:
    assert ColorJitterSettings().objection(3) is None
    assert ColorJitterSettings(saturation=0, hue=0).objection(12) is None
    for colourful in (ColorJitterSettings(saturation=0), ColorJitterSettings(hue=0)):
        assert "set `saturation: 0` and `hue: 0`" in str(colourful.objection(1))
