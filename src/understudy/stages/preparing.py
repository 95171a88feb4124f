"""How an image file becomes what a finished network was trained on."""

from understudy.data.decode import Decoding
from understudy.data.settings import DataSettings
from understudy.data.sources.file_source import FileSourceSettings
from understudy.evaluation.preparation import Preparation
from understudy.stages.restore import Restored


def preparation_for(settings: DataSettings, found: Restored, *, packed: int) -> Preparation:
    """The preparation of a network's images.

    Args:
        settings: Of the images that it was trained on.
        found: The network.
        packed: Height of the packed images: of a source without files, files take that size.
    """
    size = found.settings.size
    if isinstance(settings.data, FileSourceSettings):
        return Preparation(settings.data.decoding(found.settings.bands), size)
    return Preparation(Decoding("grey" if found.settings.channels == 1 else "rgb", packed), size)
