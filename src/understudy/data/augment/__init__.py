"""Every transform there is: those of `single.py`, and what draws among them."""

from typing import Annotated

from pydantic import Field

from understudy.data.augment.pair import PairSettings
from understudy.data.augment.rand_augment import RandAugmentSettings
from understudy.data.augment.single import Single

AnyTransform = Annotated[Single | PairSettings | RandAugmentSettings, Field(discriminator="kind")]
