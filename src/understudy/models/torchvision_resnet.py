"""ResNets under torchvision's names, wherever they lie in a file of weights.

MoCo's code puts one behind `module.encoder_q.`, ports of BYOL behind `online_encoder.net.` or
`online_network.encoder.`, solo-learn behind `backbone.`. So the place is not looked up but found: a
ResNet lies where the names behind a common beginning are those of a ResNet. Some put its layers
into an `nn.Sequential`, which numbers them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from understudy.core.errors import DataError, UsageError
from understudy.models.heads import ProjectorSettings
from understudy.models.timm_backbone import TimmSettings

STAGES = ("layer1", "layer2", "layer3", "layer4")
NUMBERED = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
"""What `nn.Sequential(*resnet.children())` calls them; 2 and 3, relu and max pool, hold nothing."""
NAMED = {name: name for name in NUMBERED.values()}
DEPTHS: dict[tuple[int, tuple[int, ...]], int] = {
    (2, (2, 2, 2, 2)): 18,
    (2, (3, 4, 6, 3)): 34,
    (3, (3, 4, 6, 3)): 50,
    (3, (3, 4, 23, 3)): 101,
}
"""Layers, by convolutions of a block and blocks of each stage (He et al. 2015, table 1)."""
SLOW = frozenset({"target", "momentum", "ema", "k", "key"})
"""Words in the names of a copy that follows the network: `target_encoder`, `encoder_k`."""
MOCO_HEAD = ("fc.0.weight", "fc.0.bias", "fc.2.weight", "fc.2.bias")
IN_PROJECTOR = {"fc.0": "layers.0", "fc.2": "layers.2"}
SMALL_STEM = (3, 3)  # of the first convolution, as for CIFAR; torchvision's is 7 x 7
WRAPPERS = frozenset({"state_dict", "model", "module", "_orig_mod"})
"""Words that trainers put around a network, and that tell nothing of it."""
MOST_SHOWN = 5


class FoundResNet(NamedTuple):
    """A ResNet in a file of weights."""

    place: str
    """What stands before its names in the file, with a dot behind; "" where nothing does."""
    tensors: Mapping[str, Tensor]
    """Of the backbone, under torchvision's names, which are timm's too."""
    head: Mapping[str, Tensor]
    """What lies beside them in the same place, such as `fc.0.weight`."""
    depth: int

    @property
    def backbone(self) -> TimmSettings:
        """The network that takes the tensors."""
        return TimmSettings(name=f"resnet{self.depth}", small_stem=self.small_stem)

    @property
    def small_stem(self) -> bool:
        """Whether it begins as ResNets for small images do; the names say nothing of strides."""
        return tuple(self.tensors["conv1.weight"].shape[2:]) == SMALL_STEM

    @property
    def channels(self) -> int:
        """Of the images that it was trained on."""
        return int(self.tensors["conv1.weight"].shape[1])


def found_resnet(tensors: Mapping[str, Tensor], *, asked: str, origin: str) -> FoundResNet:
    """The one ResNet in a file that is meant.

    Of a network and a copy that follows it by a moving average, the network is.

    Args:
        tensors: What the file holds, by dotted name.
        asked: Where it lies, such as `module.encoder_k`; "" where there is no choice.
        origin: The file, to head error messages.

    Raises:
        DataError: There is none, or of a depth that is not known.
        UsageError: There are several, or none where it was asked for.
    """
    places = list(_places(tensors))
    if not places:
        raise DataError(_no_resnet(tensors, origin))
    if asked:
        places = [place for place in places if _is_asked(place, asked)]
        if not places:
            known = ", ".join(_shown(place) for place in _places(tensors))
            raise UsageError(f"{origin}: has no ResNet at {asked!r}, but at {known}.")
    learning = [place for place in places if not _is_slow(place)] or places
    found = [_taken(tensors, place, origin) for place in learning]
    others = [one for one in found[1:] if not _is_same(one, found[0])]
    if others:
        known = ", ".join(_shown(one.place) for one in (found[0], *others))
        raise UsageError(
            f"{origin}: has several ResNets, at {known}. Say with `network` which one is meant."
        )
    return found[0]


def moco_projector(found: FoundResNet, origin: str) -> tuple[ProjectorSettings, dict[str, Tensor]]:
    """MoCo v2's head of two linear layers as a projector of ours, and its tensors by their names.

    Raises:
        UsageError: The file has another head, or none.
    """
    weights = [found.head.get(name) for name in MOCO_HEAD if name.endswith("weight")]
    two = [weight for weight in weights if weight is not None and weight.ndim == 2]
    if set(found.head) != set(MOCO_HEAD) or len(two) != 2:
        there = ", ".join(found.head) or "none"
        raise UsageError(
            f"{origin}: has no head of two linear layers at {found.place}fc.0 and fc.2, as MoCo v2 "
            f"has; its head: {there}. Leave the projector out."
        )
    hidden, out = (len(weight) for weight in two)
    settings = ProjectorSettings(hidden=hidden, out=out, layers=2, normed="none")
    tensors = {f"{IN_PROJECTOR[name[:4]]}{name[4:]}": tensor for name, tensor in found.head.items()}
    return settings, tensors


def left_aside(tensors: Mapping[str, Tensor], found: FoundResNet, taken: Sequence[str]) -> str:
    """What is not taken from the file: parts with their numbers of tensors; "" where nothing is.

    Args:
        tensors: What the file holds.
        found: The network that is taken.
        taken: Names of its head's tensors that are taken too.
    """
    numbers = dict(_names_at(tensors, found.place))
    parts: dict[str, int] = {}
    for name in tensors:
        own = numbers.get(name)
        if own in found.tensors or own in taken:
            continue
        part = _part(name.removeprefix(found.place)) if own else _part(name)
        parts[part] = parts.get(part, 0) + 1
    return ", ".join(f"{part} ({count})" for part, count in parts.items())


def _places(tensors: Mapping[str, Tensor]) -> Iterator[str]:
    """Where the first block of a ResNet lies, and its first convolution with it."""
    for stage, first in (("layer1", "conv1"), ("4", "0")):
        end = f"{stage}.0.conv1.weight"
        for name in tensors:
            place = name.removesuffix(end)
            if (
                name.endswith(end)
                and place[-1:] in ("", ".")
                and f"{place}{first}.weight" in tensors
            ):
                yield place


def _names_at(tensors: Mapping[str, Tensor], place: str) -> Iterator[tuple[str, str]]:
    """The names in the file that lie there, each with that of torchvision behind it."""
    parts = NAMED if f"{place}layer1.0.conv1.weight" in tensors else NUMBERED
    for name in tensors:
        if name.startswith(place):
            part, dot, rest = name.removeprefix(place).partition(".")
            yield name, f"{parts.get(part, part)}{dot}{rest}"


def _taken(tensors: Mapping[str, Tensor], place: str, origin: str) -> FoundResNet:
    own = {known: tensors[name] for name, known in _names_at(tensors, place)}
    backbone = {name: tensor for name, tensor in own.items() if name.split(".")[0] in NAMED}
    head = {name: tensor for name, tensor in own.items() if name.startswith("fc.")}
    if backbone["conv1.weight"].ndim != 4:
        raise DataError(f"{origin}: {place}conv1.weight is no convolution of images.")
    blocks = tuple(_blocks(backbone, stage) for stage in STAGES)
    convolutions = 3 if "layer1.0.conv3.weight" in backbone else 2
    depth = DEPTHS.get((convolutions, blocks))
    if depth is None:
        raise DataError(
            f"{origin}: the ResNet at {_shown(place)} has {', '.join(map(str, blocks))} blocks of "
            f"{convolutions} convolutions; known are those of {_known_depths()}."
        )
    return FoundResNet(place, backbone, head, depth)


def _blocks(backbone: Mapping[str, Tensor], stage: str) -> int:
    return len({name.split(".")[1] for name in backbone if name.startswith(f"{stage}.")})


def _known_depths() -> str:
    return ", ".join(f"ResNet-{depth}" for depth in DEPTHS.values())


def _is_slow(place: str) -> bool:
    """Whether a part of the place is called as copies are that follow a network."""
    return any(SLOW & set(part.split("_")) for part in place.split("."))


def _is_asked(place: str, asked: str) -> bool:
    return f".{place}".endswith(f".{asked.strip('.')}.")


def _is_same(one: FoundResNet, other: FoundResNet) -> bool:
    """Whether a file holds one network under two names, as a module and its part do."""
    return one.tensors.keys() == other.tensors.keys() and all(
        torch.equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items()
    )


def _shown(place: str) -> str:
    return f"`{place.rstrip('.')}`" if place else "the top of the file"


def _part(name: str) -> str:
    """Which part of a file a name belongs to: its first words, without those of trainers."""
    words = [word for word in name.split(".")[:-1] if word not in WRAPPERS]
    return words[0] if words else name.split(".")[-1]


def _no_resnet(tensors: Mapping[str, Tensor], origin: str) -> str:
    names = list(tensors)
    shown = ", ".join(names[:MOST_SHOWN]) + (", ..." if len(names) > MOST_SHOWN else "")
    held = f"its {len(names)} tensors begin with {shown}" if names else "it holds no tensor at all"
    return (
        f"{origin}: holds no ResNet under torchvision's names (conv1, bn1, layer1 to layer4); "
        f"{held}. Weights of another network are taken from safetensors, by `understudy adopt "
        "backbone.kind=timm backbone.name=NAME weights=FILE`."
    )
