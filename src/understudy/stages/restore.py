"""Networks of finished runs, rebuilt from what the runs wrote."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from understudy.core.depth import bits
from understudy.core.errors import DataError, StorageError, UsageError
from understudy.core.files import read_json
from understudy.core.numbers import Numbers
from understudy.core.run import finished_summary
from understudy.core.settings import checked
from understudy.data.pack import Pack
from understudy.data.sources.listing import quoted
from understudy.engine.checkpoint import best_folder, read_checkpoint
from understudy.models.ensemble import Ensemble, EnsembleNetworkSettings
from understudy.models.inflation import RGB
from understudy.models.network import Network, NetworkSettings

Slot = Literal["best", "last"]
FOR_BANDS = (
    " `adopt` makes weights of photographs those of bands: give it a checkpoint of this run."
)
ON_PURPOSE = (
    " To go on from it all the same, `adopt` its checkpoint with `mean` and `std` of these images."
)


class Restored(NamedTuple):
    """A finished run's network."""

    network: Network | Ensemble
    settings: NetworkSettings | EnsembleNetworkSettings
    summary: dict[str, Any]
    slot: Slot
    """Which checkpoint it is."""
    weights: str
    """SHA-256 of its file."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the logits."""
        return self.settings.classes or ()


def restored(run: Path, slot: Slot) -> Restored:
    """The network of a finished run.

    Args:
        run: The run's directory.
        slot: "best" (on validation) or "last"; a run that never chose has only "last".

    Raises:
        UsageError: There is no finished run, or it trained no network.
        StorageError: The checkpoint is damaged or gone.
    """
    summary = finished_summary(run)
    if gone := lost_files(run, summary):
        raise StorageError(
            f"{run}: finished, but {gone} is gone. Put it back, or delete the folder to have the "
            "run done again."
        )
    if not (run / "network.json").exists():
        raise UsageError(f"{run}: a run of `{summary['stage']}` holds no network.")
    written = read_json(run / "network.json")
    settings = (
        checked(EnsembleNetworkSettings, written, origin=str(run))
        if "members" in written
        else checked(NetworkSettings, written, origin=str(run))
    )
    taken = slot if slot in slots_of(run) else "last"
    folder = run / "checkpoints"
    checkpoint = read_checkpoint(best_folder(folder) if taken == "best" else folder / "last")

    network = settings.empty()
    try:
        network.load_state_dict(checkpoint.model)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise StorageError(
            f"{run}: damaged, its weights are not those of its network.json ({reason})."
        ) from error
    weights = checkpoint.state["sha256"]["model"]
    return Restored(network, settings, summary, taken, weights)


def lost_files(run: Path, summary: Mapping[str, Any]) -> str:
    """Names of the files that the summary of a finished run tells of and that are gone, or ""."""
    folder = run / "checkpoints"
    places = {"last": folder / "last", "best": best_folder(folder)}
    told = [places[slot] / "model.safetensors" for slot in summary.get("checkpoints", {})]
    told += [run / summary["file"]] if "file" in summary else []
    return ", ".join(str(path.relative_to(run)) for path in told if not path.exists())


def slots_of(run: Path) -> tuple[Slot, ...]:
    """The checkpoints that a finished run keeps."""
    return ("last", "best") if best_folder(run / "checkpoints").exists() else ("last",)


def classifier(run: Path, slot: Slot) -> Restored:
    """As `restored`, for a run that must hold a classifier.

    Raises:
        UsageError: It holds none.
    """
    found = restored(run, slot)
    if found.settings.classes is None:
        raise UsageError(
            f"{run}: a run of `{found.summary['stage']}` holds no classifier; "
            "fine-tune it first, or name a run that learned classes."
        )
    return found


def one_network(found: Restored, run: Path) -> tuple[Network, NetworkSettings]:
    """A restored network that is one, with a backbone of its own.

    Raises:
        UsageError: It is an ensemble.
    """
    if isinstance(found.network, Ensemble) or isinstance(found.settings, EnsembleNetworkSettings):
        raise UsageError(f"{run}: is an ensemble. Name one of its members instead.")
    return found.network, found.settings


def classes_by_name(found: Restored, pack: Pack, run: Path) -> list[int] | None:
    """Where the data's classes stand among a classifier's; None where they are the same.

    Raises:
        DataError: Channels differ, or a class is not among them.
    """
    same_channels(found, pack, run)
    lacking = [name for name in pack.classes if name not in found.classes]
    if lacking:
        raise DataError(
            f"{run}: knows {len(found.classes)} classes, but not {quoted(lacking)} of the data. "
            "Use a model that knows them, or take these classes away."
        )
    columns = [found.classes.index(name) for name in pack.classes]
    return None if columns == list(range(len(found.classes))) else columns


def meaning_of(summary: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The classes of the scheme that a run learned, with their labels; empty where it had none."""
    return {name: tuple(labels) for name, labels in summary.get("meaning", {}).items()}


def means_other(found: Restored, pack: Pack) -> bool:
    """Whether both have schemes, and equal names stand for other labels."""
    theirs = meaning_of(found.summary)
    return any(
        name in theirs and set(theirs[name]) != set(labels) for name, labels in pack.meaning.items()
    )


def _sets(meaning: Mapping[str, tuple[str, ...]]) -> str:
    return "; ".join(
        f"{name}: {quoted(labels) or 'all others'}" for name, labels in meaning.items()
    )


def must_fit(found: Restored, pack: Pack, run: Path, *, advice: str = "") -> None:
    """Compares a classifier with the images that it is to see.

    Args:
        found: The classifier.
        pack: The images.
        run: Where it lies.
        advice: What helps where it knows all classes of the data, and others or another order.

    Raises:
        DataError: Channels or class names differ.
    """
    same_channels(found, pack, run)
    if means_other(found, pack):
        raise DataError(
            f"{run}: its classes are called as those of the data, but are other sets of labels: "
            f"{_sets(meaning_of(found.summary))} against {_sets(pack.meaning)}. Set `scheme` to "
            "that which it learned, or name a model of this one."
        )
    if found.classes == pack.classes:
        return
    lacking = [name for name in pack.classes if name not in found.classes]
    extra = [name for name in found.classes if name not in pack.classes]
    differ = f"it lacks {quoted(lacking) or 'none'}, and has {quoted(extra) or 'none'} beside them"
    detail = differ if lacking or extra else "the names are the same, in another order"
    help_ = f" {advice}" if advice and not lacking else ""
    raise DataError(f"{run}: its classes are not those of the data: {detail}.{help_}")


def same_channels(found: Restored, pack: Pack, run: Path) -> None:
    """Compares the channels of a network with those of the images: what they are, what 1 means.

    Raises:
        DataError: They differ.
    """
    theirs = found.settings
    channels = int(pack.images.shape[1])
    if theirs.bands and pack.bands and theirs.bands != pack.bands:
        bands = f"Set `data.bands=[{','.join(theirs.bands)}]`, its own in their order."
        raise DataError(
            f"{run}: trained on the bands {', '.join(theirs.bands)}; these images are given as "
            f"{', '.join(pack.bands)}. {bands}"
        )
    if theirs.channels != channels:
        raise DataError(
            f"{run}: trained on images with {theirs.channels} channels; these have {channels}."
            f"{FOR_BANDS if pack.bands and not theirs.bands and theirs.channels == RGB else ''}"
        )
    if bool(theirs.bands) != bool(pack.bands) or theirs.depth != pack.depth:
        raise DataError(
            f"{run}: trained on {_kind(theirs.bands)} of {bits(theirs.depth)}; these are "
            f"{_kind(pack.bands)} of {bits(pack.depth)}, whose numbers mean something else."
            f"{ON_PURPOSE}"
        )
    if theirs.numbers and pack.numbers and theirs.numbers.white != pack.numbers.white:
        raise DataError(f"{run}: {_other_numbers(theirs.numbers, pack.numbers)}{ON_PURPOSE}")


def _kind(bands: tuple[str, ...]) -> str:
    return f"images of the bands {', '.join(bands)}" if bands else "photographs"


def _other_numbers(theirs: Numbers, own: Numbers) -> str:
    scale, where = (
        ("10000", "they are reflectances from 0 to 1, and it knows 10,000 as 1")
        if theirs.white > own.white
        else ("0.0001", "10,000 of them is reflectance 1, and it knows reflectances")
    )
    return (
        f"trained on {theirs}, which are 0 to 1 to a network; these images hold {own}, and it "
        f"would take them for other numbers. Set `data.white={theirs.white:.15g}`, and with "
        "`data.scale` what takes their numbers to those that it knows: 1 if they are the same, "
        f"{scale} if {where}."
    )
