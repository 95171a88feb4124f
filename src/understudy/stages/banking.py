"""The bank of a distillation: what its teacher's answers follow from, and where they lie."""

from hashlib import sha256

from understudy.core.run import Run
from understudy.data.views import ViewSettings
from understudy.guidance.bank import Bank, Views, open_bank
from understudy.guidance.teacher import Teacher
from understudy.stages.material import VIEWS, Indices, Material, TrainingSettings
from understudy.stages.restore import Restored


def stored(
    teacher: Teacher,
    source: Restored,
    settings: TrainingSettings,
    *,
    plan: tuple[ViewSettings, ...],
    ring: int,
    images: Material,
    transfer: Indices,
    run: Run,
) -> Bank:
    """A guide that looks up what the teacher answers; asked now where no run did it before.

    Args:
        teacher: Who answers.
        source: Where it came from.
        settings: Of the training: its seed and its machine.
        plan: How each view of an image is made.
        ring: How many views of each image there are.
        images: Of the training.
        transfer: Positions in the pack of the images that it shows.
        run: Its run.

    Raises:
        StorageError, DivergedError: As for `open_bank`.
    """
    device = settings.machine.build_device()
    seed = settings.stream(VIEWS)
    columns = teacher.columns
    known_by = {
        "weights": source.weights,
        "network": source.settings.model_dump(mode="json"),
        "columns": None if columns is None else columns.tolist(),
        "views": [view.model_dump(mode="json") for view in plan],
        "size": images.size,
        "seed": seed,
        "pack": images.pack.key,
        "images": sha256(transfer.tobytes()).hexdigest(),
    }
    views = Views(
        images=images.pack.images,
        indices=transfer,
        settings=plan,
        size=images.size,
        seed=seed,
        device=device,
    )
    return open_bank(
        teacher.to(device),
        views,
        known_by=known_by,
        ring=ring,
        classes=len(images.pack.classes),
        shared=run.shared,
        progress=run.progress,
    )
