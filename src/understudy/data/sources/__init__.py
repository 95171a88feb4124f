"""Every source of images. To add one: write its file, import it here, name it in the union."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field

from understudy.core.default_kinds import ImpliedKind
from understudy.data.sources.digits import DigitsSettings
from understudy.data.sources.folder import FolderSettings
from understudy.data.sources.hub import HubSettings
from understudy.data.sources.listing import KIND_OF_SUFFIX, SourceSettings
from understudy.data.sources.manifest import ManifestSettings
from understudy.data.sources.parquet import ParquetSettings
from understudy.data.sources.patches import PatchesSettings


def kind_of_path(values: Mapping[str, Any]) -> str | None:
    """The kind of source that a path is for: by its ending, whether it exists or not."""
    path = values.get("path")
    if not isinstance(path, str | Path):
        return None
    return KIND_OF_SUFFIX.get(Path(path).suffix.lower(), "folder")


AnySource = Annotated[
    FolderSettings
    | ManifestSettings
    | ParquetSettings
    | HubSettings
    | PatchesSettings
    | DigitsSettings,
    Field(discriminator="kind"),
    ImpliedKind(kind_of_path),
]


def every_source() -> tuple[type[SourceSettings], ...]:
    """The settings classes of the union above."""
    members: tuple[type[SourceSettings], ...] = get_args(get_args(AnySource)[0])
    return members
