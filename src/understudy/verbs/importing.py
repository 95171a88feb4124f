"""Weights that others trained, brought here."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.core.errors import UsageError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress
from understudy.verbs.staging import done

if TYPE_CHECKING:  # it brings torch
    from understudy.stages.launch import Launched

READ = ("backbone", "weights", "tag", "projector", "classes")
"""Settings of `adopt` that follow from the file."""


def brought(
    file: Path,
    given: Mapping[str, Any],
    *,
    network: str,
    projector: bool,
    asked_by: str,
    runs: Path,
    name: str | None,
    out: Path | None,
    progress: Progress,
    interrupts: Interrupts,
) -> "Launched":
    """Imports a ResNet from a file of weights, and adopts it.

    Args:
        file: What `torch.save` wrote, or safetensors.
        given: Settings of `adopt` by dotted key: images, size, mean and std.
        network: Where in the file the ResNet lies, if there are several.
        projector: Whether to take MoCo v2's head as a projector.
        asked_by: Heads the mistakes.
        runs: Root of all runs.
        name: Name of the run; by default that of the file.
        out: The run's folder, instead of one under `runs`.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    from understudy.core.overrides import overlaid, with_data_path
    from understudy.data.sources.places import places_must_exist

    own = [key for key in given if key.split(".")[0] in READ]
    if own:
        raise UsageError(
            f"{', '.join(own)}: is read from the file by `import`. Take it out, or give the file "
            "to `understudy adopt`, which takes safetensors of any network."
        )
    settings = overlaid({}, with_data_path(given), origin=asked_by)
    places_must_exist(settings.get("data"))

    from understudy.core.settings import checked
    from understudy.stages import STAGES  # only now: these bring torch
    from understudy.stages.importing import imported, must_be_file

    must_be_file(file)
    some = {"backbone": {"kind": "timm", "name": "resnet50"}, "weights": file}
    checked(STAGES["adopt"], {**settings, **some}, asked_by)  # its mistakes before the file is read
    found = imported(file, network=network, projector=projector, shared=runs / "shared")
    for line in found.told:
        progress.say(line)
    return done(
        "adopt",
        "",
        {**found.settings, **given},
        asked_by=asked_by,
        runs=runs,
        name=name or found.name,
        out=out,
        progress=progress,
        interrupts=interrupts,
    )
