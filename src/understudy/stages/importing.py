"""Turn a file that others wrote into safetensors that `adopt` takes: a ResNet and nothing else."""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from understudy.core.errors import UsageError
from understudy.core.files import file_hash, make_folder, write_bytes
from understudy.engine.checkpoint import with_notes
from understudy.engine.foreign_weights import tensors_in
from understudy.models.adoption import PROJECTOR, Statistics, adopted
from understudy.models.heads import ProjectorSettings
from understudy.models.network import NetworkSettings
from understudy.models.torchvision_resnet import (
    FoundResNet,
    found_resnet,
    left_aside,
    moco_projector,
)

PLACE = "imported"  # in the folder of what runs share: made anew from the file, if it is lost
SIZE = 224  # pixels: what the public networks were trained and are evaluated with
ENDINGS = re.compile(r"(\.(pth|pt|tar|ckpt|bin|safetensors))+$")
UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


class Imported(NamedTuple):
    """A ResNet of others as safetensors, and what `adopt` is to be told of it."""

    settings: dict[str, Any]
    """Of `adopt`, by key: the network and its weights."""
    name: str
    """For the run, after the file."""
    told: tuple[str, ...]
    """What was taken and what was left, a line each."""


def must_be_file(path: Path) -> None:
    """Refuses what is no file before anything takes time.

    Raises:
        UsageError: It is a folder, or not there.
    """
    if path.is_dir():
        raise UsageError(f"{path}: is a folder. Name a file of weights; runs need no import.")
    if not path.is_file():
        raise UsageError(f"{path}: no such file. Name one with weights: .pth, .pt, .safetensors.")


def imported(file: Path, *, network: str, projector: bool, shared: Path) -> Imported:
    """Reads a file of weights, finds the ResNet in it, and writes it as safetensors.

    Args:
        file: What `torch.save` wrote, or safetensors.
        network: Where in the file the ResNet lies, if there are several; "" to find it.
        projector: Whether to take MoCo v2's head as a projector.
        shared: Where what runs share lies.

    Raises:
        UsageError: Names or shapes do not fit, or there are several networks.
        DataError: The file is damaged, is no weights, or holds no ResNet.
        StorageError: The disk refuses.
    """
    tensors = tensors_in(file)
    found = found_resnet(tensors, asked=network, origin=str(file))
    head, kept = moco_projector(found, str(file)) if projector else (None, {})
    own = {**found.tensors, **{f"{PROJECTOR}{name}": tensor for name, tensor in kept.items()}}
    _must_fit(found, head, own, origin=str(file))

    left = left_aside(tensors, found, list(found.head) if projector else [])
    notes = {"from": file_hash(file), "network": found.place.rstrip("."), "left": left}
    name = UNFIT.sub("-", ENDINGS.sub("", file.name)).lstrip("_.-") or PLACE
    settings: dict[str, Any] = {
        "backbone": found.backbone.model_dump(mode="json"),
        "weights": str(_written(own, notes, name=name, folder=shared / PLACE)),
        "projector": None if head is None else head.model_dump(mode="json"),
    }
    if not found.small_stem:
        settings["size"] = SIZE
    return Imported(settings, name, tuple(_told(file, found, head, left)))


def _must_fit(
    found: FoundResNet,
    head: ProjectorSettings | None,
    tensors: Mapping[str, Tensor],
    *,
    origin: str,
) -> None:
    """Has the network take all tensors, so that mistakes are told of the user's own file."""
    settings = NetworkSettings(
        backbone=found.backbone,
        channels=found.channels,
        size=SIZE,
        classes=None,
        projector=head,
    )
    any_ = Statistics((0.0,) * found.channels, (1.0,) * found.channels)
    adopted(settings, tensors, tag=None, statistics=any_, origin=origin, seed=0)


def _written(
    tensors: Mapping[str, Tensor], notes: Mapping[str, str], *, name: str, folder: Path
) -> Path:
    """The safetensors file, named after what it is from and by what is in it."""
    content = with_notes(tensors, notes)
    path = make_folder(folder) / f"{name}-{sha256(content).hexdigest()[:12]}.safetensors"
    write_bytes(path, content)
    return path


def _told(file: Path, found: FoundResNet, head: ProjectorSettings | None, left: str) -> list[str]:
    place = f" at `{found.place.rstrip('.')}`" if found.place else ""
    beside = f" and its head, {head.hidden} to {head.out} wide, as projector" if head else ""
    lines = [
        f"{file.name}: takes a ResNet-{found.depth}{place}, {len(found.tensors)} tensors{beside}"
    ]
    if left:
        lines.append(f"{file.name}: leaves aside {left}")
    if found.small_stem:
        lines.append(
            f"{file.name}: its first convolution is 3 x 3. It is taken to have stride 1 and "
            "padding 1, without max pool behind it; the file does not say"
        )
    return lines
