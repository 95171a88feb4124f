from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn
from torch.testing import assert_close

from understudy.objectives.memory import Memory

IMAGES = torch.tensor([70, 3, 41, 900, 12, 5, 33])


def memory(*, width: int = 4) -> Memory:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Memory(IMAGES, width=width)


def fresh(images: int, *, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(images, 4, generator=generator), dim=1)


def test_each_image_has_one_row_of_length_one() -> None:
    kept = memory()

    assert kept.rows(IMAGES).sort().values.tolist() == list(range(7))
    assert kept.student.norm(dim=1).tolist() == pytest.approx([1] * 7)
    assert kept.teacher.norm(dim=1).tolist() == pytest.approx([1] * 7)


def test_rows_of_images_that_follow_each_other_lie_apart() -> None:
    """The images of a class follow each other in a pack; a window must not be of one class."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        rows = Memory(torch.arange(10_000), width=1).rows(torch.arange(10_000))

    drawn = rows[:1000] < 5000

    assert 400 < drawn.sum() < 600


@pytest.mark.parametrize("length", [1, 2, 3, 5, 7])
def test_all_rows_are_drawn_equally_often(length: int) -> None:
    kept, drawn = memory(), torch.zeros(7, dtype=torch.int64)
    nothing = torch.empty(0, dtype=torch.int64), torch.empty(0, 4), torch.empty(0, 4)

    for _ in range(7):
        window = kept.window(length)
        assert len(window.unique()) == length  # type: ignore[no-untyped-call]
        drawn[window] += 1
        kept.remember(*nothing, momentum=0.5)

    assert drawn.tolist() == [length] * 7


def test_rows_move_towards_what_is_new_and_the_others_stay() -> None:
    kept, index = memory(), torch.tensor([41, 900])
    rows, student, teacher = kept.rows(index), fresh(2, seed=2), fresh(2, seed=3)
    before = kept.student.clone(), kept.teacher.clone()
    place = kept.student.data_ptr()

    kept.remember(rows, student, teacher, momentum=0.25)

    for old, new, now in zip(before, (student, teacher), (kept.student, kept.teacher), strict=True):
        expected = old.clone()
        expected[rows] = F.normalize(0.25 * old[rows] + 0.75 * new, dim=1)
        assert_close(now, expected)
    assert kept.student.data_ptr() == place  # the loop takes back a spoiled step in place


def test_an_image_that_comes_twice_counts_with_its_mean() -> None:
    twice, once = memory(), memory()
    rows, student = twice.rows(torch.tensor([41, 12, 41])), fresh(3, seed=2)
    average = torch.stack([(student[0] + student[2]) / 2, student[1]])

    twice.remember(rows, student, student, momentum=0.5)
    once.remember(rows[:2], average, average, momentum=0.5)

    assert_close(twice.state_dict(), once.state_dict())


def test_a_spoiled_step_is_undone_bit_by_bit_and_a_sound_one_stands() -> None:
    kept, index = memory(), torch.tensor([41, 12, 41])
    spoiled, sound = torch.tensor(1.0), torch.tensor(0.0)
    kept.remember(kept.rows(index), fresh(3, seed=2), fresh(3, seed=3), momentum=0.5)
    kept.undo(sound)
    before = {name: value.clone() for name, value in kept.state_dict().items()}

    kept.remember(kept.rows(index), fresh(3, seed=4) / 0, fresh(3, seed=5), momentum=0.5)
    assert not all(torch.equal(value, before[name]) for name, value in kept.state_dict().items())
    kept.undo(spoiled)
    kept.undo(spoiled)  # of a step that remembered nothing

    assert all(torch.equal(value, before[name]) for name, value in kept.state_dict().items())
    assert before["step"] == 1


def remember_half(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    kept, half = memory(), slice(rank * 2, rank * 2 + 2)
    rows = kept.rows(IMAGES[:4])[half]
    kept.remember(rows, fresh(4, seed=2)[half], fresh(4, seed=3)[half], momentum=0.5)
    torch.save(kept.state_dict(), folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_remember_what_one_would(tmp_path: Path) -> None:
    spawn(remember_half, args=(tmp_path,), nprocs=2)  # type: ignore[no-untyped-call]
    whole = memory()

    whole.remember(whole.rows(IMAGES[:4]), fresh(4, seed=2), fresh(4, seed=3), momentum=0.5)

    for rank in range(2):
        assert_close(torch.load(tmp_path / f"{rank}.pt"), dict(whole.state_dict()))
