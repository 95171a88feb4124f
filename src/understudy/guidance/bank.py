"""Stored answers: a teacher asked once about each of V views of each image, for all its students.

A view is a pure function of (seed, view, image), so the answer to it can be kept: [n, V, K] logits
or [n, V, D] features in float16, in one file for each tap, known by everything that they follow
from. Students of other objectives, of other architectures and of later days read the same file.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from understudy.core.errors import DivergedError, StorageError
from understudy.core.files import file_hash, make_folder, read_json, storage_errors, write_json
from understudy.core.identity import digest
from understudy.core.locks import one_at_a_time
from understudy.core.progress import Progress
from understudy.core.settings import Settings
from understudy.core.types import Batch, Outputs, Tap
from understudy.data.augment.transform import Statistics
from understudy.data.stream import Images
from understudy.data.views import ViewSettings, make_view
from understudy.guidance.teacher import Teacher
from understudy.models.ensemble import MEANS, Ensemble

SCHEMA = 2
ANSWERS, CONTENT = "answers.f16", "bank.json"
"""Files of a bank's folder: the answers, and everything that they follow from."""
CHUNK = 128  # images at a time, each in all its views: some 100 MB of activations
VIEWS_SAMPLED = 8
SAMPLED = 64  # answers that are computed again when a bank is opened
TOLERANCE = 4e-3  # of the largest value: float16 keeps 5e-4, and another batch rounds otherwise
LEAST = 1e-3  # of the largest value, below which float16 keeps less
STORED = frozenset({Tap.LOGITS, Tap.POOLED, Tap.PROJECTED})
"""What can be stored: one row of numbers for a view. Maps would take a hundred times the room."""
RESIDENT_BYTES = 2 << 30  # read into memory up to here; mapped beyond


class BankSettings(Settings):
    """Stored answers of the teacher, in place of the teacher in the loop."""

    views: PositiveInt = 8
    """How many views of each image are stored, V; they come round in turn. As many as the epochs
    (times the views of each) make the training with the teacher in the loop, up to rounding."""
    seed: NonNegativeInt | None = None
    """Draws the views; by default the training's own seed and generation do. Students of other
    seeds share a bank of one number: they see the same views, each in an order of its own."""
    members: bool = False
    """Of an ensemble, whether each member's answers are stored, in a bank of its own, and not their
    mean: as many times the room, and a member's bank serves every ensemble that it belongs to and
    the students of it alone."""


class Views(NamedTuple):
    """Which views are made of which images: all that a view follows from."""

    images: Images
    indices: NDArray[np.int64]
    """[n], positions in the pack."""
    settings: Sequence[ViewSettings]
    """View v of V is made as the settings at v modulo their number."""
    size: int
    """Of the views that have none of their own."""
    seed: int
    device: torch.device
    statistics: Statistics | None = None
    """Of the channels, where a transform counts in deviations of them."""

    def made(self, rows: NDArray[np.int64], view_id: int) -> Batch:
        """One view of some of the images, as the training stream makes it.

        Args:
            rows: [B], positions among `indices`.
            view_id: Which of the image's views.
        """
        index = torch.from_numpy(self.indices[rows])
        ids = torch.full_like(index, view_id)
        pixels = torch.from_numpy(np.ascontiguousarray(self.images[index.numpy()]))
        settings = self.settings[view_id % len(self.settings)]
        view = make_view(
            pixels.to(self.device),
            index=index,
            view_ids=ids,
            transforms=settings.transforms,
            size=settings.size or self.size,
            seed=self.seed,
            statistics=self.statistics,
        )
        shown = view.contiguous(memory_format=self.memory_format)
        return Batch(views=(shown,), labels=None, index=index, view_ids=(ids,))

    @property
    def memory_format(self) -> torch.memory_format:
        """How images and the teacher's weights lie while it is asked.

        On a processor a folded resnet56 took 1.4 times as long over contiguous ones; on a GPU it
        was not measured, and stays as it is.
        """
        return torch.channels_last if self.device.type == "cpu" else torch.contiguous_format


class Bank:
    """A guide that looks the teacher's answers up.

    Args:
        answers: [n, V, K], float16.
        tap: What was asked for: logits, or features of K numbers.
        indices: [n], the image that each row answers to.
        count: Number of images in the pack.
        device: Where the answers are wanted.
        name: Who gave them, in words.
    """

    def __init__(
        self,
        answers: NDArray[np.float16],
        *,
        tap: Tap,
        indices: NDArray[np.int64],
        count: int,
        device: torch.device,
        name: str,
    ) -> None:
        self.name, self.tap = name, tap
        rows = torch.full((count,), -1, dtype=torch.int64)
        rows[torch.from_numpy(indices)] = torch.arange(len(indices))
        is_small = answers.nbytes <= RESIDENT_BYTES
        self._home = device if is_small else torch.device("cpu")
        self._answers = torch.from_numpy(np.array(answers) if is_small else answers).to(self._home)
        self._rows, self._device = rows.to(self._home), device

    def __call__(self, batch: Batch) -> tuple[Outputs, ...]:
        """What is stored of each view."""
        rows = self._rows[batch.index.to(self._home)]
        return tuple(
            _outputs({self.tap: self._answers[rows, ids.to(self._home)].to(self._device).float()})
            for ids in batch.view_ids
        )


class Banks:
    """A guide that looks up several taps of one teacher, each in a bank of its own.

    Args:
        banks: One for each tap.
        name: Who gave the answers, in words.
    """

    def __init__(self, banks: Sequence[Bank], *, name: str) -> None:
        self.banks, self.name = tuple(banks), name

    def __call__(self, batch: Batch) -> tuple[Outputs, ...]:
        """What is stored of each view."""
        answers = zip(*(bank(batch) for bank in self.banks), strict=True)
        return tuple(
            _outputs(
                {
                    bank.tap: getattr(answer, bank.tap.value)
                    for bank, answer in zip(self.banks, view, strict=True)
                }
            )
            for view in answers
        )


def _outputs(values: Mapping[Tap, Tensor]) -> Outputs:
    named: dict[str, Any] = {tap.value: value for tap, value in values.items()}
    return Outputs(**named)


class MeanOfBanks:
    """A guide that looks up what the members of an ensemble answer, and takes their mean.

    Args:
        banks: One for each member, each of all its classes.
        ensemble: Whose members they are; says of what the mean is, and with which weights.
        columns: Which classes are the student's, in its order; None: all.
        device: Where the answers are wanted.
        name: Who gave them, in words.
    """

    def __init__(
        self,
        banks: Sequence[Bank],
        *,
        ensemble: Ensemble,
        columns: Tensor | None,
        device: torch.device,
        name: str,
    ) -> None:
        self.banks, self.name = tuple(banks), name
        self._mean = MEANS[ensemble.mean]
        self._weights = ensemble.weights.to(device)
        self._columns = None if columns is None else columns.to(device)

    def __call__(self, batch: Batch) -> tuple[Outputs, ...]:
        """The mean of the stored logits, as the ensemble itself forms it, for each view."""
        answers = [bank(batch) for bank in self.banks]
        return tuple(self._together(view) for view in zip(*answers, strict=True))

    def _together(self, view: Sequence[Outputs]) -> Outputs:
        logits = torch.stack([answer.logits for answer in view if answer.logits is not None])
        mean = self._mean(logits, self._weights)
        return Outputs(
            logits=mean if self._columns is None else mean.index_select(1, self._columns)
        )


def open_bank(
    teacher: Teacher,
    views: Views,
    *,
    known_by: Mapping[str, Any],
    tap: Tap,
    width: int,
    ring: int,
    shared: Path,
    progress: Progress,
) -> Bank:
    """The bank of a teacher on these views: found, or built now, or built to its end.

    Args:
        teacher: Who answers; on the device of the views.
        views: What it is asked about.
        known_by: What its answers follow from beside the views: the weights, the pack, the seeds.
        tap: What of its answers is stored.
        width: K, of how many numbers it is.
        ring: V, the number of views of each image.
        shared: Where runs share things; banks lie in its folder `banks`.
        progress: Where to show how far it is.

    Raises:
        StorageError: The disk is too small or refuses, or what is stored is not what the teacher
            answers.
        DivergedError: The teacher answers with NaN or infinity.
    """
    teacher.to(memory_format=views.memory_format)
    banks = make_folder(shared / "banks")
    content = {"schema": SCHEMA, "ring": ring, "tap": tap.value, "width": width, **known_by}
    place = banks / digest(content) / ANSWERS

    def waiting() -> None:
        progress.say(f"bank: waiting for another process that is building {place.parent}")

    told = place.with_name(CONTENT)
    with one_at_a_time(banks / f"{place.parent.name}.lock", waiting=waiting):
        make_folder(place.parent)
        if not (place.exists() and told.exists()):
            asked = _Asked(teacher, tap, views)
            _build(asked, ring=ring, width=width, place=place, progress=progress)
            write_json(told, {**content, "sha256": file_hash(place)})
    if file_hash(place) != read_json(told).get("sha256"):
        raise StorageError(
            f"{place}: damaged, not as it was. Delete its folder to have it made again."
        )
    shape = (len(views.indices), ring, width)
    answers = np.memmap(place, dtype=np.float16, mode="c", shape=shape)
    _must_be_the_teachers(answers, _Asked(teacher, tap, views), place)
    return Bank(
        answers,
        tap=tap,
        indices=views.indices,
        count=len(views.images),
        device=views.device,
        name=f"{teacher.name}, stored in {place}",
    )


class _Asked(NamedTuple):
    """Who is asked for what, and about which views."""

    teacher: Teacher
    tap: Tap
    views: Views

    def about(self, rows: NDArray[np.int64], view_id: int) -> NDArray[np.float16]:
        """The teacher's answers [B, K] to one view of each of these images.

        Raises:
            DivergedError: Some are NaN, or beyond what float16 holds.
        """
        with torch.backends.cudnn.flags(allow_tf32=False):  # as exact as on any other device
            (answer,) = self.teacher(self.views.made(rows, view_id))
        values: Tensor = getattr(answer, self.tap.value).to(torch.float16)
        if not bool(values.isfinite().all()):
            raise DivergedError(
                f"{self.teacher.name} answers with NaN, infinity, or {_what(self.tap)} beyond "
                "65,504; it is broken. Use another checkpoint of it."
            )
        return np.asarray(values.numpy(force=True))


def _what(tap: Tap) -> str:
    return "logits" if tap is Tap.LOGITS else f"{tap.value} features"


def _build(asked: _Asked, *, ring: int, width: int, place: Path, progress: Progress) -> None:
    """Asks the teacher about everything; what an earlier attempt wrote is kept."""
    row, count = 2 * ring * width, len(asked.views.indices)
    partial = place.with_suffix(".partial")
    with storage_errors(partial), partial.open("ab") as stream:
        done = stream.tell() // row // CHUNK * CHUNK  # whole chunks; the last may be torn
        stream.truncate(done * row)
        progress.say(
            f"bank: {ring} views of {count:,} images, {width:,} {_what(asked.tap)} each, "
            f"{count * row / 1e6:,.1f} MB"
            + (f"; {done:,} images were asked about before" if done else "")
        )
        _must_fit((count - done) * row, place)
        progress.begin("bank: asking the teacher", -(-count // CHUNK))
        progress.advance(done // CHUNK)
        for rows in _chunks(done, count):
            answers = np.stack([asked.about(rows, each) for each in range(ring)], axis=1)
            stream.write(answers.tobytes())
            stream.flush()
            os.fsync(stream.fileno())  # a chunk that counts as done is on the disk
            progress.advance()
        progress.end(f"{count:,} images in {ring} views")
    partial.replace(place)


def _chunks(first: int, count: int) -> Iterator[NDArray[np.int64]]:
    for start in range(first, count, CHUNK):
        yield np.arange(start, min(start + CHUNK, count))


def _must_fit(needed: int, place: Path) -> None:
    free = shutil.disk_usage(place.parent).free
    if needed > free:
        raise StorageError(
            f"{place.parent.parent}: the bank needs {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB "
            "are free. Free some space, choose another folder with `--runs`, or set a smaller "
            "`bank.views`."
        )


def _must_be_the_teachers(answers: NDArray[np.float16], asked: _Asked, place: Path) -> None:
    """Asks the teacher some of it again.

    Raises:
        StorageError: It answers otherwise.
    """
    random = np.random.default_rng()
    count, ring, _ = answers.shape
    for view_id in random.choice(ring, size=min(ring, VIEWS_SAMPLED), replace=False).tolist():
        some = min(count, SAMPLED // VIEWS_SAMPLED)
        rows = np.sort(random.choice(count, size=some, replace=False))
        again = asked.about(rows, view_id).astype(np.float32)
        kept = np.asarray(answers[rows, view_id], dtype=np.float32)
        if not np.abs(again - kept).max() <= TOLERANCE * max(LEAST, float(np.abs(again).max())):
            raise StorageError(
                f"{place}: its answers are not the teacher's, as they would be after a change of "
                "how views are made. Delete its folder to have it made again."
            )
