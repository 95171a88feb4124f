"""What a training keeps of the backbone that it starts from: all that does not learn."""

from typing import Annotated, Self

from pydantic import NonNegativeInt, model_validator

from understudy.core.settings import Added, Settings
from understudy.models.network import Network


class StartedSettings(Settings):
    """What a training needs that may start from another run's backbone."""

    frozen: Annotated[bool, Added()] = False
    """Whether the backbone keeps its weights and statistics, so that only the head learns."""
    last_stages: Annotated[NonNegativeInt, Added()] = 0
    """How many of the last stages of a frozen backbone learn nevertheless. A stage is what follows
    the stem and keeps its resolution, in ResNets; a block of a vision transformer, a convolution of
    a VGG: as timm divides a model for layer-wise rates."""

    @model_validator(mode="after")
    def _last_stages_of_what_is_frozen(self) -> Self:
        if self.last_stages and not self.frozen:
            raise ValueError(
                f"last_stages: {self.last_stages} stages learn of a backbone that is frozen, and "
                "this one learns as a whole; set `frozen: true`, or `last_stages: 0`"
            )
        return self

    def stilled(self, network: Network) -> Network:
        """The network, of which no more learns than is asked for.

        Raises:
            UsageError: It has not so many stages.
        """
        if self.frozen:
            network.freeze_backbone(last_stages=self.last_stages)
        return network
