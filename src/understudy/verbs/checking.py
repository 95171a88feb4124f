"""Images, looked at before anything is trained on them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.core.errors import UsageError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress

if TYPE_CHECKING:  # it brings numpy
    from understudy.data.check.check import Check

LIKE = "few-labels"
"""The study whose images `check-data` looks at, so that a run afterwards finds them packed."""


def images_checked(
    place: str,
    given: Mapping[str, Any],
    *,
    asked_by: str,
    runs: Path,
    progress: Progress,
    interrupts: Interrupts,
) -> "Check":
    """Looks at every image, and tells all that stands against training on them.

    Args:
        place: The folder, or the table; "" where `given` says which images.
        given: Values by dotted key, under `data.` and `split.`; those of `data.` also without it.
        asked_by: Heads the mistakes.
        runs: Where packs lie.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.

    Raises:
        UnderstudyError: The images cannot be looked at.
    """
    from understudy.core.overrides import overlaid, with_data_path
    from understudy.core.settings import checked
    from understudy.data.check.check import Check
    from understudy.data.opening import open_checked
    from understudy.data.settings import DataSettings
    from understudy.studies.study import read_study

    values = {
        key if key.split(".")[0] in DataSettings.model_fields else f"data.{key}": value
        for key, value in with_data_path(given).items()
    }
    if place:
        values = {"data.path": place, **values}
    if not {"data", "data.path", "data.kind"} & values.keys():
        raise UsageError("say which images: `understudy check-data PATH`.")
    parameters = read_study(LIKE).parameters
    base = {key: parameters[key] for key in DataSettings.model_fields if key in parameters}
    asked_for = overlaid(base, values, origin=asked_by)
    settings = checked(DataSettings, asked_for, asked_by)

    def looked(kind: type[DataSettings], scheme: str | None) -> Check:
        asked = checked(kind, {**asked_for, "scheme": scheme}, asked_by)
        return open_checked(asked, runs=runs, shared=runs / "shared", progress=progress).check

    class OfAllSchemes(DataSettings):
        """Where none is chosen, images of several labels need none: all schemes are looked at."""

        needs_classes = False

    with interrupts.listening():
        if settings.scheme is not None or not settings.schemes:
            return looked(DataSettings, settings.scheme)
        whole = looked(OfAllSchemes, None)
        others = [looked(DataSettings, name) for name in settings.schemes]
        return Check(whole.inspection, whole.settings, others=others)
