"""How an image file becomes what a finished network was trained on."""

from understudy.core.numbers import Numbers
from understudy.data.decode import Decoding
from understudy.data.settings import DataSettings
from understudy.data.sources.file_source import FileSourceSettings
from understudy.evaluation.preparation import Preparation
from understudy.stages.restore import Restored


def preparation_for(
    settings: DataSettings, found: Restored, *, packed: int, numbers: Numbers | None = None
) -> Preparation:
    """The preparation of a network's images.

    Args:
        settings: Of the images that it was trained on, or of others that it was found fit for.
        found: The network.
        packed: Height of the packed images: of a source without files, files take that size.
        numbers: Of these images' files, where they are others than it was trained on.
    """
    size = found.settings.size
    if isinstance(settings.data, FileSourceSettings):
        decoding = settings.data.decoding(found.settings.bands)
        own = found.settings.numbers  # of what was trained before it was kept nothing is asked
        return Preparation(decoding, size, own and (numbers or own))
    return Preparation(Decoding("grey" if found.settings.channels == 1 else "rgb", packed), size)
