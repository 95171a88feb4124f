"""Weights that were trained elsewhere, taken into a backbone: all of them fit, or none is taken."""

import difflib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from understudy.core.errors import DataError, UsageError
from understudy.core.wording import headed
from understudy.models.backbone import Backbone, Foreign, ForeignClassifier
from understudy.models.inflation import Colours, inflated
from understudy.models.network import Network, NetworkSettings

OURS = "backbone."  # how a `Network` names what its backbone holds
STATISTICS = ("normalise.mean", "normalise.std")
BETWEEN = ("neck.", "hidden.")  # layers between its backbone and its classifier
PROJECTOR = "projector."  # also beside weights under others' names, where `import` kept a head
CLASSIFIER = ("classifier.weight", "classifier.bias")
MOST_TOLD = 20  # lines of mistakes: more of them are of one cause
COUNTERS = "num_batches_tracked"  # of batch norms; torch itself does without one in a file


class Adopted(NamedTuple):
    """A network with weights from elsewhere."""

    network: Network
    mean: tuple[float, ...]
    std: tuple[float, ...]
    left_aside: tuple[str, ...]
    """Names in the file that belong to a head."""


class Statistics(NamedTuple):
    """What the user says of the images that the weights were trained on."""

    mean: Sequence[float]
    std: Sequence[float]


class Bands(NamedTuple):
    """Images that are no photographs, for weights that were trained on photographs."""

    statistics: Statistics
    """Of these images: what normalised photographs would not normalise them."""
    colours: Colours | None
    """Where red, green and blue are among the bands, if they are."""


def adopted(
    settings: NetworkSettings,
    tensors: Mapping[str, Tensor],
    *,
    tag: str | None,
    statistics: Statistics | None,
    origin: str,
    seed: int,
    bands: Bands | None = None,
) -> Adopted:
    """The network with the weights of a file, and the normalisation that they were trained with.

    Args:
        settings: The network; where it names classes, the classifier of the file is taken too, and
            where it has a projector, that of the file.
        tensors: What the file holds: a checkpoint of ours, or a backbone's weights under the names
            that its own library gives them.
        tag: Which of timm's weights they are, where that matters.
        statistics: Instead of those that come with the weights.
        origin: The file, to head error messages.
        seed: Of the initialisation, of which nothing is left.
        bands: Where the images are none of the kind that others' weights were trained on. What
            comes from our own checkpoints keeps the normalisation that lies beside it, unless they
            are of three channels and become those of other bands.

    Raises:
        UsageError: Names or shapes do not fit; all are listed. Or nothing says how the images were
            normalised.
        DataError: A weight is not finite.
    """
    flat = {"mean": (0.0,) * settings.channels, "std": (1.0,) * settings.channels}
    backbone = settings.build(**flat, seed=seed).backbone
    given = _of_ours(tensors, backbone, settings.channels, bands) if _is_ours(tensors) else None
    given = given or settings.backbone.foreign(
        backbone,
        _without_projector(tensors),
        channels=settings.channels,
        tag=tag,
        colours=bands.colours if bands else None,
    )
    _must_fit(_under(given.prefix, backbone.state_dict()), given.tensors, origin)
    keeps = _is_ours(tensors) and given.mean is not None
    theirs = bands.statistics if bands and not keeps else (given.mean, given.std)
    mean, std = statistics or theirs
    if mean is None or std is None:
        raise UsageError(
            f"{origin}: says nothing of how its images were normalised. Set `mean` and `std`, one "
            "number for each channel of images in [0, 1], as the weights were trained with."
        )
    network = settings.build(mean=mean, std=std, seed=seed)
    network.backbone.load_state_dict(
        {f"{given.prefix}{name}": tensor for name, tensor in given.tensors.items()}
    )
    heads = dict.fromkeys([*given.left_aside, *_projector_of(tensors)])
    taken = _take_classifier(network, settings, given, origin)
    taken += _take_projector(network, settings, tensors, origin)
    left_aside = tuple(name for name in heads if name not in taken)
    return Adopted(network, tuple(mean), tuple(std), left_aside)


def _take_classifier(
    network: Network, settings: NetworkSettings, given: Foreign, origin: str
) -> tuple[str, ...]:
    """Loads the classifier where the network has one, and tells the names of its tensors.

    Raises:
        UsageError: The file has none that is linear, or one of other classes.
    """
    if settings.classes is None:
        return ()
    found = given.classifier
    if found is None:
        raise UsageError(
            f"{origin}: holds no linear classifier that reads the backbone's features. Leave "
            "`classes` out, and finetune the run; or use the run itself, if it is one of ours."
        )
    expected = (len(settings.classes), network.shape.pooled)
    if tuple(found.weight.shape) != expected:
        raise UsageError(
            f"{origin}: its classifier tells {len(found.weight)} classes apart, from "
            f"{found.weight.shape[1]} features; `classes` names {expected[0]}, and the network "
            f"gives {expected[1]} features. Name its classes, in their order."
        )
    _must_be_finite({name: getattr(found, name) for name in ("weight", "bias")}, origin)
    network.classifier.load_state_dict({"weight": found.weight, "bias": found.bias})
    return found.names


def _take_projector(
    network: Network, settings: NetworkSettings, tensors: Mapping[str, Tensor], origin: str
) -> tuple[str, ...]:
    """Loads the projector where the network has one, and tells the names of its tensors.

    Raises:
        UsageError: The file has none, or one of another build.
    """
    if settings.projector is None:
        return ()
    found = _projector_of(tensors)
    if not found:
        raise UsageError(f"{origin}: holds no projector. Leave `projector` out.")
    expected = {f"{PROJECTOR}{n}": t for n, t in network.projector.state_dict().items()}
    _must_fit(expected, found, origin)
    network.projector.load_state_dict(
        {name.removeprefix(PROJECTOR): tensor for name, tensor in found.items()}
    )
    return tuple(found)


def _projector_of(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if name.startswith(PROJECTOR)}


def _without_projector(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(PROJECTOR)}


def _is_ours(tensors: Mapping[str, Tensor]) -> bool:
    return all(name in tensors for name in STATISTICS) and any(map(_is_backbone, tensors))


def _is_backbone(name: str) -> bool:
    return name.startswith(OURS)


def _of_ours(
    tensors: Mapping[str, Tensor], backbone: Backbone, channels: int, bands: Bands | None
) -> Foreign:
    """A checkpoint of a run: its backbone, and the normalisation that lies beside it.

    One of three channels becomes one of bands, and then has no normalisation for them.
    """
    own = {name.removeprefix(OURS): t for name, t in tensors.items() if _is_backbone(name)}
    mean, std = (tuple(map(float, tensors[name])) for name in STATISTICS)
    is_of_others = bands is not None and len(mean) != channels
    if bands is not None and is_of_others:
        own = inflated(own, backbone.state_dict(), channels=channels, colours=bands.colours)
    return Foreign(
        tensors=own,
        prefix="",
        left_aside=tuple(
            name for name in tensors if not _is_backbone(name) and name not in STATISTICS
        ),
        mean=None if is_of_others else mean,
        std=None if is_of_others else std,
        classifier=_classifier_of(tensors),
    )


def _classifier_of(tensors: Mapping[str, Tensor]) -> ForeignClassifier | None:
    """The classifier, where it reads what the backbone gives and not what others make of it."""
    weight, bias = (tensors.get(name) for name in CLASSIFIER)
    if weight is None or bias is None or any(name.startswith(BETWEEN) for name in tensors):
        return None
    return ForeignClassifier(CLASSIFIER, weight, bias)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}


def _must_fit(expected: Mapping[str, Tensor], given: Mapping[str, Tensor], origin: str) -> None:
    missing = [name for name in expected if name not in given and not name.endswith(COUNTERS)]
    strange = sorted(name for name in given if name not in expected)
    mistakes = [
        *(f"{name}  missing{_nearest(name, expected, strange, given)}" for name in missing),
        *(f"{name}  unknown{_nearest(name, given, missing, expected)}" for name in strange),
        *(
            f"{name}  is {_shape(given[name])} in the file, {_shape(wanted)} in the network"
            for name, wanted in expected.items()
            if name in given and given[name].shape != wanted.shape
        ),
    ]
    if mistakes:
        advice = "These are weights of another network, or under other names: set `backbone`."
        told = headed(origin, mistakes).splitlines()
        more = len(told) - 1 - MOST_TOLD
        told = [*told[: 1 + MOST_TOLD], f"  and {more} more"] if more > 0 else told
        raise UsageError("\n".join([*told, advice]))
    _must_be_finite(given, origin)


def _must_be_finite(given: Mapping[str, Tensor], origin: str) -> None:
    spoiled = [name for name, tensor in given.items() if not bool(torch.isfinite(tensor).all())]
    if spoiled:
        raise DataError(f"{origin}: holds values that are not finite, in {', '.join(spoiled)}.")


def _nearest(
    name: str, own: Mapping[str, Tensor], others: Sequence[str], theirs: Mapping[str, Tensor]
) -> str:
    """The name on the other side that is most like it, among those of the same shape."""
    alike = [other for other in others if theirs[other].shape == own[name].shape]
    close = difflib.get_close_matches(name, alike, n=1, cutoff=0.0)
    return f"; the nearest of its shape is {close[0]}" if close else ""


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "one number"
