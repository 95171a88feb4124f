"""What decides which images a run sees, and which of them train, validate and test."""

from typing import ClassVar

from understudy.core.settings import Settings
from understudy.data.pack import Pack
from understudy.data.sources import AnySource
from understudy.data.sources.digits import DigitsSettings
from understudy.data.splits import SplitSettings


class DataSettings(Settings):
    """Which images."""

    keeps_check: ClassVar[bool] = True
    """Whether the run keeps what the check of its images found, with pictures of some."""
    data: AnySource = DigitsSettings()
    """Where the images come from; where there is a parent, by default its images."""
    split: SplitSettings = SplitSettings()
    """Which images are for training, validation and test; by default as for the parent."""

    def must_be_at_hand(self) -> None:
        """Looks for what is needed beside images and runs, before any heavy work.

        Raises:
            UnderstudyError: It is not here.
        """

    def must_fit(self, pack: Pack) -> None:
        """Compares what is asked for with the images, before any heavy work.

        Raises:
            UnderstudyError: It cannot be done with them.
        """
