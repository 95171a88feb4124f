"""What decides which images a run sees, and which of them train, validate and test."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from understudy.core.settings import Added, Settings, nearest
from understudy.data.pack import Pack
from understudy.data.schemes import SchemeSettings
from understudy.data.sources import AnySource
from understudy.data.sources.digits import DigitsSettings
from understudy.data.splits import SplitSettings


class DataSettings(Settings):
    """Which images."""

    needs_classes: ClassVar[bool] = True
    """Whether images without a single class are of no use to it."""
    keeps_check: ClassVar[bool] = True
    """Whether the run keeps what the check of its images found, with pictures of some."""
    data: AnySource = DigitsSettings()
    """Where the images come from; where there is a parent, by default its images."""
    split: SplitSettings = SplitSettings()
    """Which images are for training, validation and test; by default as for the parent."""
    schemes: Annotated[Mapping[str, SchemeSettings], Added()] = {}
    """Label schemes by name: classes made of the data's own labels; by default the parent's."""
    scheme: Annotated[str | None, Added()] = None
    """Which of `schemes` says what the images are called; without one the data's own classes are
    meant, or where there is a parent, its scheme."""

    @model_validator(mode="after")
    def _known_schemes(self) -> Self:
        asked = {"scheme": [self.scheme] if self.scheme is not None else []}
        asked["split.keep_out"] = list(self.split.keep_out)
        for key, names in asked.items():
            for name in names:
                if name not in self.schemes:
                    near = nearest(name, list(self.schemes)) if self.schemes else "there are none"
                    raise ValueError(f"{key}: {name!r} is not among `schemes`; {near}")
        return self

    @property
    def chosen_scheme(self) -> SchemeSettings | None:
        """The scheme that counts here."""
        return None if self.scheme is None else self.schemes[self.scheme]

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
