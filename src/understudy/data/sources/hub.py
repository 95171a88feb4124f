"""A data set of the Hugging Face hub, by its name or from a folder that holds a copy."""

import os
from pathlib import Path
from typing import Literal

from understudy.data.sources.file_source import Found
from understudy.data.sources.hub_layout import chosen
from understudy.data.sources.hub_place import Place, in_folder, on_hub
from understudy.data.sources.listing import existing
from understudy.data.sources.parquet import ShardSettings


class HubSettings(ShardSettings):
    """A data set of the Hugging Face hub, of which only Parquet files are read; no code is run.

    They are kept in the hub's own cache (`HF_HOME`), so that a second run needs no connection.
    """

    kind: Literal["hub"] = "hub"
    name: str
    """OWNER/NAME on the hub, or a folder that holds a copy of such a data set."""
    config: str | None = None
    """Which of its configurations, where it has several."""
    revision: str | None = None
    """A branch, a tag or a commit on the hub; by default `main` as it is now."""

    def found(self) -> Found:
        """All rows of the configuration, in the order of the files' names."""
        place = self._place()
        files = chosen(place.names, place.readme, config=self.config, origin=self.name)
        root = place.fetch(list(files.splits))
        return self.rows(
            {root / name: split for name, split in files.splits.items()},
            root=root,
            origin=self.name,
            ignored=files.ignored,
        )

    def _place(self) -> Place:
        folder = Path(os.path.expanduser(self.name))
        if folder.is_dir():
            return in_folder(folder)
        if self.name.startswith((".", "~")) or folder.is_absolute() or len(folder.parts) > 2:
            return in_folder(existing(folder, key="data.name"))  # tells what is there instead
        return on_hub(self.name, revision=self.revision)
