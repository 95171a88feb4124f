"""Every transform that does one thing. To add one: write its file, import it here, name it."""

from typing import Annotated

from pydantic import Field

from understudy.data.augment.brightness import BrightnessSettings
from understudy.data.augment.color_jitter import ColorJitterSettings
from understudy.data.augment.contrast import ContrastSettings
from understudy.data.augment.cutout import CutoutSettings
from understudy.data.augment.flip import (
    FlipSettings,
    HorizontalFlipSettings,
    VerticalFlipSettings,
)
from understudy.data.augment.gain import GainSettings
from understudy.data.augment.gaussian_blur import GaussianBlurSettings
from understudy.data.augment.grayscale import GrayscaleSettings
from understudy.data.augment.pad_and_crop import PadAndCropSettings
from understudy.data.augment.random_resized_crop import RandomResizedCropSettings
from understudy.data.augment.rotate90 import Rotate90Settings
from understudy.data.augment.shift import ShiftSettings
from understudy.data.augment.solarize import SolarizeSettings
from understudy.data.augment.speckle import SpeckleSettings

Single = (
    RandomResizedCropSettings
    | PadAndCropSettings
    | HorizontalFlipSettings
    | VerticalFlipSettings
    | FlipSettings
    | Rotate90Settings
    | ShiftSettings
    | ColorJitterSettings
    | BrightnessSettings
    | ContrastSettings
    | GainSettings
    | GrayscaleSettings
    | GaussianBlurSettings
    | SolarizeSettings
    | SpeckleSettings
    | CutoutSettings
)
SingleTransform = Annotated[Single, Field(discriminator="kind")]
