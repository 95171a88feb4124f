"""What both sides of the distillation races share: the images, the networks and their weights."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from understudy.core.files import make_folder
from understudy.core.progress import Silent
from understudy.core.settings import checked
from understudy.core.types import Tap
from understudy.data.pack import examine
from understudy.data.settings import DataSettings
from understudy.data.views import ViewSettings, make_view
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import Network, NetworkSettings

BATCH, SIZE, TEACHERS = 128, 32, 5
STUDENT, TEACHER = 20, 56  # depths
MOST_IMAGES = 10_000  # in memory of every side, and decoded to PIL by the others
DRAWN = 4_096  # images that are drawn at random where no folder is given
LABEL, SOFT_LABEL, TEMPERATURE = 0.1, 0.9, 4.0  # of the usual tables (RepDistiller)
LOGITS = frozenset({Tap.LOGITS})


class Arena(NamedTuple):
    """A folder that both sides read."""

    place: Path
    data: Path
    """Images as a user has them."""

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """[N, 3, 32, 32]."""
        found: NDArray[np.uint8] = np.load(self.place / "pixels.npy")
        return found

    @property
    def labels(self) -> NDArray[np.int64]:
        """[N]."""
        found: NDArray[np.int64] = np.load(self.place / "labels.npy")
        return found

    def student(self) -> Network:
        """The same at every call."""
        return self._loaded("student", STUDENT)

    def teacher(self, number: int) -> Network:
        """One of five; the same at every call."""
        return self._loaded(f"teacher{number}", TEACHER)

    def _loaded(self, name: str, depth: int) -> Network:
        found = _network(depth, seed=0)
        found.load_state_dict(load_file(self.place / f"{name}.safetensors"))
        return found


def prepared(place: Path, data: Path | None) -> Arena:
    """The arena in a folder, made where it is not there yet.

    Args:
        place: Kept, so that a race that was stopped goes on.
        data: The user's images, 32x32 in colour; None: images are drawn.
    """
    make_folder(place)
    arena = Arena(place, data or _drawn(place / "drawn"))
    if (place / "student.safetensors").exists():
        return arena
    pixels, labels = _images(arena.data, shared=place / "runs" / "shared")
    np.save(place / "pixels.npy", pixels)
    np.save(place / "labels.npy", labels)
    some = torch.from_numpy(pixels[: 2 * BATCH]).float() / 255
    for number in range(TEACHERS):
        teacher = _experienced(_network(TEACHER, seed=1 + number), some)
        save_file(teacher.state_dict(), place / f"teacher{number}.safetensors")
    save_file(_network(STUDENT, seed=0).state_dict(), place / "student.safetensors")
    return arena


def source_of(data: Path) -> dict[str, str]:
    """The images as a setting: a folder of Parquet files, or of pictures."""
    kind = "parquet" if any(data.glob("*.parquet")) else "folder"
    return {"kind": kind, "path": str(data)}


def parameters(network: nn.Module) -> int:
    """How many numbers learn."""
    return sum(weight.numel() for weight in network.parameters())


def _network(depth: int, *, seed: int) -> Network:
    return NetworkSettings(
        backbone=CifarResNetSettings(depth=depth),
        channels=3,
        size=SIZE,
        classes=tuple("0123456789"),
    ).build(mean=(0.5,) * 3, std=(0.25,) * 3, seed=seed)


@torch.no_grad()
def _experienced(network: Network, images: torch.Tensor) -> Network:
    """With statistics of real features, so that the answers are of a usual size."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of what it sees
    network(images, LOGITS)
    return network.eval()


def _images(data: Path, *, shared: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    source = checked(DataSettings, {"data": source_of(data)}, origin="--data").data
    pack = examine(source.survey(), shared=make_folder(shared), progress=Silent()).pack
    if pack is None or pack.images.shape[1:] != (3, SIZE, SIZE) or len(pack.classes) != 10:
        sys.exit(f"{data}: the races want colour images of {SIZE}x{SIZE} in ten classes.")
    chosen = np.flatnonzero((pack.labels >= 0) & (np.array(pack.given) != "test"))[:MOST_IMAGES]
    return np.ascontiguousarray(pack.images[chosen]), pack.labels[chosen]


def _drawn(folder: Path) -> Path:
    """Files of random pixels in ten folders; what is on an image does not matter for the time."""
    random = np.random.default_rng(0)
    if not (folder / "9").exists():
        for number, pixels in enumerate(_random_images(random)):
            home = make_folder(folder / str(number % 10))
            Image.fromarray(pixels).save(home / f"{number}.png")
    return folder


def _random_images(random: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    for _ in range(DRAWN):
        yield random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def views_of_a_ramp(
    view: ViewSettings, theirs: Callable[[Image.Image], Tensor], count: int = 4096
) -> tuple[Tensor, Tensor]:
    """Many views of one image by either side; it grows to the right and downwards, in colour.

    Returns:
        Ours and theirs, [count, 3, 32, 32].
    """
    side = torch.linspace(0, 1, SIZE)
    ramp = 0.8 * side[None, :] + 0.2 * side[:, None]
    image = (255 * torch.stack([ramp, 0.7 * ramp, 0.4 * ramp])).to(torch.uint8)
    index = torch.arange(count)
    we = make_view(
        image.expand(count, -1, -1, -1),
        index=index,
        view_ids=torch.zeros_like(index),
        transforms=view.transforms,
        size=SIZE,
        seed=1,
    )
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    return we, torch.stack([theirs(picture) for _ in range(count)])


def middle(seconds: Sequence[float]) -> float:
    """The median."""
    return float(np.median(seconds))
