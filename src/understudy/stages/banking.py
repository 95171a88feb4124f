"""The bank of a distillation: what its teacher's answers follow from, and where they lie."""

from copy import deepcopy
from hashlib import sha256

from understudy.core.errors import UsageError
from understudy.core.run import Run
from understudy.data.views import ViewSettings
from understudy.engine.checkpoint import weights_hash
from understudy.guidance.bank import Bank, BankSettings, MeanOfBanks, Views, open_bank
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
) -> Bank | MeanOfBanks:
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
    )
    about = {
        "views": [view.model_dump(mode="json") for view in plan],
        "size": images.size,
        "seed": seed,
        "pack": images.pack.key,
        "images": sha256(transfer.tobytes()).hexdigest(),
    }

    def opened(
        answering: Teacher, network: NetworkSettings | EnsembleNetworkSettings, weights: str
    ) -> Bank:
        columns = None if answering.columns is None else answering.columns.tolist()
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
            ring=bank.views,
            classes=len(network.classes or ()) if columns is None else len(columns),
            shared=run.shared,
            progress=run.progress,
        )

    found, known = source.network, source.settings
    if not bank.members:
        return opened(teacher, known, source.weights)
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
        banks.append(opened(alone, described, weights_hash(member)))
    return MeanOfBanks(
        banks,
        ensemble=found,
        columns=teacher.columns,
        device=device,
        name=f"{teacher.name}, stored for each member",
    )
