"""Every transform there is. To add one: write its file, import it here, name it in the union."""

from typing import Annotated

from pydantic import Field

from understudy.data.augment.color_jitter import ColorJitterSettings
from understudy.data.augment.flip import HorizontalFlipSettings, VerticalFlipSettings
from understudy.data.augment.gaussian_blur import GaussianBlurSettings
from understudy.data.augment.grayscale import GrayscaleSettings
from understudy.data.augment.pad_and_crop import PadAndCropSettings
from understudy.data.augment.random_resized_crop import RandomResizedCropSettings
from understudy.data.augment.solarize import SolarizeSettings

AnyTransform = Annotated[
    RandomResizedCropSettings
    | PadAndCropSettings
    | HorizontalFlipSettings
    | VerticalFlipSettings
    | ColorJitterSettings
    | GrayscaleSettings
    | GaussianBlurSettings
    | SolarizeSettings,
    Field(discriminator="kind"),
]
