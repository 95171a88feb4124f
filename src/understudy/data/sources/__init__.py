"""Every source of images. To add one: write its file, import it here, name it in the union."""

from typing import Annotated, get_args

from pydantic import Field

from understudy.data.sources.digits import DigitsSettings
from understudy.data.sources.folder import FolderSettings
from understudy.data.sources.listing import SourceSettings
from understudy.data.sources.parquet import ParquetSettings

AnySource = Annotated[
    FolderSettings | ParquetSettings | DigitsSettings,
    Field(discriminator="kind"),
]


def every_source() -> tuple[type[SourceSettings], ...]:
    """The settings classes of the union above."""
    members: tuple[type[SourceSettings], ...] = get_args(get_args(AnySource)[0])
    return members
