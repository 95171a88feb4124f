"""The bank of a distillation: what its teacher's answers follow from, and where they lie."""

from copy import deepcopy
from hashlib import sha256

from understudy.core.errors import UsageError
from understudy.core.run import Run
from understudy.core.types import Shape, Tap
from understudy.data.views import ViewSettings
from understudy.engine.checkpoint import weights_hash
from understudy.guidance.bank import (
    STORED,
    Bank,
    Banks,
    BankSettings,
    MeanOfBanks,
    Views,
    open_bank,
)
from understudy.guidance.teacher import Teacher
from understudy.models.ensemble import Ensemble, EnsembleNetworkSettings
from understudy.models.frozen import Frozen
from understudy.models.network import Network, NetworkSettings
from understudy.stages.material import VIEWS, Indices, Material, TrainingSettings
from understudy.stages.restore import Restored


def stored(
    teacher: Teacher,
    source: Restored,
    settings: TrainingSettings,
    *,
    plan: tuple[ViewSettings, ...],
    bank: BankSettings,
    images: Material,
    transfer: Indices,
    run: Run,
) -> Bank | Banks | MeanOfBanks:
    """A guide that looks up what the teacher answers; asked now where no run did it before.

    Args:
        teacher: Who answers.
        source: Where it came from.
        settings: Of the training: its seed and its machine.
        plan: How each view of an image is made.
        bank: What is stored.
        images: Of the training.
        transfer: Positions in the pack of the images that it shows.
        run: Its run.

    Raises:
        StorageError, DivergedError: As for `open_bank`.
        UsageError: Banks of members are asked for, where there are none.
    """
    device = settings.machine.build_device()
    seed = settings.stream(VIEWS)
    views = Views(
        images=images.pack.images,
        indices=transfer,
        settings=plan,
        size=images.size,
        seed=seed,
        device=device,
        statistics=images.statistics,
    )
    reads = any(one.reads_statistics() for view in plan for one in view.transforms)
    about = {
        "views": [view.model_dump(mode="json") for view in plan],
        "size": images.size,
        "seed": seed,
        "pack": images.pack.key,
        "images": sha256(transfer.tobytes()).hexdigest(),
        **({"statistics": images.statistics} if reads else {}),
    }

    def opened(
        answering: Teacher,
        network: NetworkSettings | EnsembleNetworkSettings,
        weights: str,
        tap: Tap,
    ) -> Bank:
        chosen = tap is Tap.LOGITS and answering.columns is not None  # features have no classes
        columns = answering.columns.tolist() if chosen and answering.columns is not None else None
        known_by = {
            "weights": weights,
            "network": network.model_dump(mode="json"),
            "columns": columns,
            **about,
        }
        return open_bank(
            answering.to(device),
            views,
            known_by=known_by,
            tap=tap,
            width=_width(answering.network.shape, tap) if columns is None else len(columns),
            ring=bank.views,
            shared=run.shared,
            progress=run.progress,
        )

    found, known = source.network, source.settings
    if not bank.members:
        of_each = [
            opened(teacher, known, source.weights, tap)
            for tap in sorted(teacher.taps, key=lambda tap: tap.value)
        ]
        one, *others = of_each
        return Banks(of_each, name=f"{teacher.name}, stored") if others else one
    if not (isinstance(found, Ensemble) and isinstance(known, EnsembleNetworkSettings)):
        raise UsageError(
            f"bank.members: {teacher.name} is one network, and has no members. Take it out."
        )
    banks = []
    for number, (member, described) in enumerate(
        zip(found.members, known.members, strict=True), start=1
    ):
        assert isinstance(member, Network)
        alone = Teacher(
            Frozen(deepcopy(member)),
            taps=teacher.taps,
            size=described.size,
            name=f"member {number} of {teacher.name}",
        )
        banks.append(opened(alone, described, weights_hash(member), Tap.LOGITS))
    return MeanOfBanks(
        banks,
        ensemble=found,
        columns=teacher.columns,
        device=device,
        name=f"{teacher.name}, stored for each member",
    )


def _width(shape: Shape, tap: Tap) -> int:
    """Of how many numbers the answer is that a network gives there."""
    widths = {
        Tap.LOGITS: shape.num_classes,
        Tap.POOLED: shape.pooled,
        Tap.PROJECTED: shape.projected,
    }
    width = widths[tap]
    assert tap in STORED and width, "objectives are refused that read what a bank does not hold"
    return width
