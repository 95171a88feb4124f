import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torchvision.transforms.v2 import functional as oracle

from understudy.data.augment.transform import Size
from understudy.data.augment.window import Flip, Window, seen_through, weights

COUNT = 60


def random_windows(source: Size, target: Size) -> Window:
    generator = torch.Generator().manual_seed(0)
    numbers = torch.rand(6, COUNT, generator=generator)
    height, width = (1 + numbers[0] * source.height).long(), (1 + numbers[1] * source.width).long()
    return Window(
        top=(numbers[2] * (source.height - height + 1)).long(),
        left=(numbers[3] * (source.width - width + 1)).long(),
        height=height,
        width=width,
        flip=Flip(horizontal=numbers[4] < 0.5, vertical=numbers[5] < 0.5),
        source=source,
        target=target,
    )


def one_by_one(images: Tensor, window: Window) -> Tensor:
    """Torchvision's crops and flips."""
    views = []
    for place, image in enumerate(images):
        top, left, height, width = (int(numbers[place]) for numbers in window[:4])
        view = oracle.resized_crop(
            image, top, left, height, width, list(window.target), antialias=True
        )
        view = oracle.horizontal_flip(view) if window.flip.horizontal[place] else view
        views.append(oracle.vertical_flip(view) if window.flip.vertical[place] else view)
    return torch.stack(views)


@pytest.mark.parametrize("channels", [1, 3, 12])
@pytest.mark.parametrize(
    ("source", "target"),
    [
        pytest.param(Size(32, 32), Size(32, 32), id="enlarging"),
        pytest.param(Size(50, 41), Size(8, 11), id="shrinking, not square"),
        pytest.param(Size(96, 20), Size(24, 24), id="shrinking one way, enlarging the other"),
        pytest.param(Size(8, 8), Size(1, 1), id="to a single pixel"),
    ],
)
def test_windows_have_torchvisions_values(source: Size, target: Size, channels: int) -> None:
    generator = torch.Generator().manual_seed(1)
    images, window = (
        torch.rand(COUNT, channels, *source, generator=generator),
        random_windows(source, target),
    )

    views = seen_through(images, [window])

    assert_close(views, one_by_one(images, window), atol=1e-5, rtol=0)


def test_a_window_beyond_the_image_shows_zeros_there() -> None:
    images = torch.rand(3, 2, 6, 6)
    shifts = torch.tensor([[-2, 3, 0], [1, -6, 0]])
    window = Window.whole(Size(6, 6), 3)._replace(top=shifts[0], left=shifts[1])

    views = seen_through(images, [window])

    for view, image, top, left in zip(views, images, *shifts.tolist(), strict=True):
        padded = oracle.pad(image, [6])
        assert torch.equal(view, oracle.crop(padded, top + 6, left + 6, 6, 6))


@pytest.mark.parametrize("where", ["before", "after"])
def test_flips_beside_a_window_are_flips_of_images(where: str) -> None:
    images, window = torch.rand(COUNT, 3, 12, 10), random_windows(Size(12, 10), Size(8, 8))
    left_right = torch.arange(COUNT) % 2 == 0
    flip = Flip(horizontal=left_right, vertical=torch.zeros_like(left_right))

    def flipped(these: Tensor) -> Tensor:
        return torch.where(left_right[:, None, None, None], these.flip(3), these)

    steps: list[Window | Flip] = [flip, window] if where == "before" else [window, flip]
    views = seen_through(images, steps)

    before, after = (flipped(images), images)[where == "after"], where == "after"
    expected = seen_through(before, [window])
    assert_close(views, flipped(expected) if after else expected, atol=1e-6, rtol=0)


def test_several_windows_are_one_resampling_with_the_values_of_all() -> None:
    images = torch.rand(COUNT, 3, 12, 10)
    first, second = random_windows(Size(12, 10), Size(9, 7)), random_windows(Size(9, 7), Size(8, 8))

    views = seen_through(images, [first, second])

    in_turn = seen_through(seen_through(images, [first]), [second])
    assert_close(views, in_turn, atol=1e-5, rtol=0)


def test_a_whole_window_changes_nothing_at_all() -> None:
    images = torch.rand(4, 3, 7, 5)

    views = seen_through(images, [Window.whole(Size(7, 5), 4)])

    assert torch.equal(views, images)


def test_weights_sum_to_one_inside_the_image_and_are_never_negative() -> None:
    start, extent = torch.tensor([0, 3, 7]), torch.tensor([20, 9, 1])

    matrices = weights(
        start=start,
        extent=extent,
        mirrored=torch.tensor([False, True, False]),
        source=20,
        target=6,
    )

    assert matrices.min() >= 0
    assert_close(matrices.sum(dim=2), torch.ones(3, 6))


def test_white_images_stay_in_the_range_to_the_last_bit() -> None:
    source, target = Size(50, 41), Size(24, 37)

    views = seen_through(torch.ones(COUNT, 1, *source), [random_windows(source, target)])

    assert views.max() == 1
