"""Our side of the distillation races: the step of `understudy distill`, as a run computes it."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from bench import arena
from bench.contestant import Ready
from bench.step import CPU, batches_of, fastest, our_steps
from understudy.core.progress import Silent
from understudy.core.types import Tap
from understudy.data.views import ViewSettings
from understudy.engine.machine import Choice
from understudy.engine.memory import keep_freed_memory
from understudy.guidance.bank import Views, open_bank
from understudy.guidance.guide import Guide
from understudy.guidance.teacher import Teacher
from understudy.methods.distilled import Distilled
from understudy.models.ensemble import Ensemble
from understudy.models.frozen import Frozen
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import Combined, combine

VIEWS = (
    ViewSettings.model_validate(
        {"transforms": [{"kind": "pad_and_crop"}, {"kind": "horizontal_flip"}]}
    ),
)
TERMS = (
    LabelSettings(weight=arena.LABEL),
    SoftLabelSettings(weight=arena.SOFT_LABEL, temperature=arena.TEMPERATURE),
)


class Banked(NamedTuple):
    """How a training from a bank computes, and how fast its bank was built."""

    choice: str
    views_per_second: float
    """Answered and stored, for one view of an image each; of all teachers together."""


def objective(here: arena.Arena) -> Combined:
    """The label, and the teacher's soft one."""
    shape = here.student().shape
    return combine(TERMS, student=shape, guidance=shape, images=torch.arange(len(here.pixels)))


def teacher(here: arena.Arena, teachers: int) -> Teacher:
    """One, or the mean of the probabilities of several."""
    members = [here.teacher(number) for number in range(teachers)]
    network = (
        members[0]
        if teachers == 1
        else Ensemble(
            members,
            sizes=[arena.SIZE] * teachers,
            weights=[1.0] * teachers,
            mean="probabilities",
        )
    )
    return Teacher(Frozen(network), taps=arena.LOGITS)


def in_the_loop(here: arena.Arena, precision: Literal["measure", "fp32"]) -> Ready:
    """The teacher answers every batch."""
    choice, steps = _training(here, teacher(here, 1), precision=precision, ring=None, images=None)
    return Ready(str(choice), steps)


def from_a_bank(here: arena.Arena, teachers: int, ring: int, banked: int) -> Ready:
    """The teacher answers once; a part of its bank is built now, and read again and again.

    Args:
        here: The arena.
        teachers: How many answer as one.
        ring: Views of each image.
        banked: Images of the part.
    """
    keep_freed_memory()
    views = Views(here.pixels, np.arange(banked), VIEWS, arena.SIZE, seed=1, device=CPU)
    with tempfile.TemporaryDirectory() as folder:

        def opened(count: int, shared: Path) -> Guide:
            return open_bank(
                teacher(here, teachers),
                views._replace(indices=views.indices[:count]),
                known_by={},
                tap=Tap.LOGITS,
                width=10,
                ring=ring,
                shared=shared,
                progress=Silent(),
            )

        opened(banked // 8, Path(folder) / "first")  # what a process sets up once
        began = time.perf_counter()
        bank = opened(banked, Path(folder) / "timed")
        rate = banked * ring / (time.perf_counter() - began)
    choice, steps = _training(here, bank, precision="measure", ring=ring, images=banked)
    return Ready(Banked(str(choice), rate), steps)


def _training(
    here: arena.Arena, guide: Guide, *, precision: str, ring: int | None, images: int | None
) -> tuple[Choice, Iterator[float]]:
    keep_freed_memory()
    method = Distilled(here.student(), objective(here))
    batches = batches_of(
        here.pixels, here.labels, VIEWS, batch_size=arena.BATCH, images=images, ring=ring
    )
    choice = fastest(method, guide, batches, precision=precision)
    return choice, our_steps(method, guide, batches(choice), choice)
