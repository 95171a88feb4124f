"""The backbone that a training starts from, and what it keeps of it: all that does not learn."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import NonNegativeInt, PositiveInt, model_validator

from understudy.core.errors import UsageError
from understudy.core.settings import Added, Settings
from understudy.data.pack import Pack
from understudy.models.backbone import BackboneSettings
from understudy.models.network import Network
from understudy.stages.restore import one_network, restored, same_channels


class StartedSettings(Settings):
    """What a training needs that may start from another run's backbone."""

    frozen: Annotated[bool, Added()] = False
    """Whether the backbone keeps its weights and statistics, so that only the head learns."""
    last_stages: Annotated[NonNegativeInt, Added()] = 0
    """How many of the last stages of a frozen backbone learn nevertheless. A stage is what follows
    the stem and keeps its resolution, in ResNets; a block of a vision transformer, a convolution of
    a VGG: as timm divides a model for layer-wise rates."""

    stored_views: Annotated[PositiveInt | None, Added()] = None
    """Of a backbone that is frozen as a whole: how many views of each image it is asked about, once
    and before the training, which shows the head what it gave; they come round in turn. Images
    without changes have one, `stored_views: 1`. By default it is asked at every step."""

    @model_validator(mode="after")
    def _stores_what_does_not_move(self) -> Self:
        if self.stored_views and (not self.frozen or self.last_stages):
            raise ValueError(
                "stored_views: features are stored of a backbone that does not learn; set "
                "`frozen: true` and `last_stages: 0`, or take it out"
            )
        return self

    @model_validator(mode="after")
    def _last_stages_of_what_is_frozen(self) -> Self:
        if self.last_stages and not self.frozen:
            raise ValueError(
                f"last_stages: {self.last_stages} stages learn of a backbone that is frozen, and "
                "this one learns as a whole; set `frozen: true`, or `last_stages: 0`"
            )
        return self

    def must_come_round(self, views: int) -> None:
        """Looks whether the stored views are as many of each of the different `views`.

        Raises:
            ValueError: They are not.
        """
        if self.stored_views and self.stored_views % views:
            raise ValueError(
                f"stored_views: {self.stored_views} views come round in turn, which {views} "
                "different `views` do not divide; give a multiple"
            )

    def stilled(self, network: Network) -> Network:
        """The network, of which no more learns than is asked for.

        Raises:
            UsageError: It has not so many stages.
        """
        if self.frozen:
            network.freeze_backbone(last_stages=self.last_stages)
        return network


def backbone_of(path: Path, wanted: BackboneSettings, pack: Pack, *, setting: str) -> Network:
    """The network whose last backbone a training of the same backbone goes on from.

    Args:
        path: A finished run.
        wanted: The backbone of the training.
        pack: Its images.
        setting: What its own backbone is called there, for messages.

    Raises:
        UsageError: The run is an ensemble, or has another backbone.
        DataError: It was trained on images with other channels.
    """
    found = restored(path, "last")
    same_channels(found, pack, path)
    network, known = one_network(found, path)
    if known.backbone != wanted:
        raise UsageError(
            f"start: the backbone of {path} is {known.backbone.model_dump_json()}, and `{setting}` "
            f"is {wanted.model_dump_json()}. Set `{setting}` to the same."
        )
    return network
