from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.objectives.queue import Queue


def queue(length: int = 7) -> Queue:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Queue(length=length, width=2)


def numbered(*numbers: float) -> Tensor:
    return torch.tensor([[number, -number] for number in numbers], dtype=torch.float32)


def test_it_begins_with_random_directions() -> None:
    begun = queue(length=1000).features

    assert begun.norm(dim=1).tolist() == pytest.approx([1] * 1000)
    assert begun.mean(dim=0).abs().max() < 0.1


def test_the_newest_take_the_place_of_the_oldest_also_past_the_end() -> None:
    kept = queue()
    place = kept.features.data_ptr()

    for step in range(4):  # 3 in each step: the third one is split by the end
        kept.enqueue(numbered(*(10 * step + number for number in range(3))))

    assert kept.features[:, 0].tolist() == [21, 22, 30, 31, 32, 12, 20]
    assert int(kept.position) == 12 % 7
    assert kept.features.data_ptr() == place  # a checkpoint and the loop know the buffer by place


def test_as_many_as_it_is_long_fit_and_no_more() -> None:
    kept = queue()
    kept.enqueue(numbered(*range(7)))
    assert kept.features[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]

    with pytest.raises(UsageError, match=r"holds 7 .* brings 8\. Set `queue`.*at least 8"):
        kept.enqueue(numbered(*range(8)))


def test_it_is_as_long_as_a_step_is_at_least_and_as_there_are_images_at_most() -> None:
    kept = queue(length=7)

    assert kept.objection(7, 7) is kept.objection(2, 7) is kept.objection(7) is None
    assert "at least 8" in str(kept.objection(8, 9))
    assert "7 features, but there are 6 images" in str(kept.objection(2, 6))
    assert "at most 6" in str(kept.objection(2, 6))
    both = str(kept.objection(8, 6))  # no length would do
    assert "one step brings 8 features" in both and "`plan.batch_size`" in both
    assert "Set `queue`" not in both


def test_no_gradient_flows_into_what_waits() -> None:
    kept, fresh = queue(), numbered(1, 2).requires_grad_()

    kept.enqueue(fresh)

    assert not kept.features.requires_grad


def test_all_of_it_is_saved() -> None:
    kept, other = queue(), queue()
    kept.enqueue(numbered(1, 2, 3))

    other.load_state_dict(kept.state_dict())
    for each in (kept, other):
        each.enqueue(numbered(*range(4, 10)))

    assert torch.equal(kept.features, other.features)


def test_a_spoiled_step_is_undone_bit_by_bit_and_a_sound_one_stands() -> None:
    kept, spoiled, sound = queue(), torch.tensor(1.0), torch.tensor(0.0)
    kept.enqueue(numbered(1, 2, 3, 4, 5))
    kept.undo(sound)
    before = {name: value.clone() for name, value in kept.state_dict().items()}

    kept.enqueue(numbered(1, 2, 3) / 0)
    assert not kept.features.isfinite().all()
    kept.undo(spoiled)
    kept.undo(spoiled)  # of a step that enqueued nothing

    assert all(torch.equal(value, before[name]) for name, value in kept.state_dict().items())
    assert int(before["position"]) == 5


def enqueue_half(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    kept = queue()
    kept.enqueue(F.normalize(numbered(1, 2, 3, 4))[2 * rank : 2 * rank + 2])
    torch.save(kept.state_dict(), folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_have_the_queue_that_one_would(tmp_path: Path) -> None:
    spawn(enqueue_half, args=(tmp_path,), nprocs=2)  # type: ignore[no-untyped-call]
    whole = queue()

    whole.enqueue(F.normalize(numbered(1, 2, 3, 4)))

    for rank in range(2):
        assert_close(torch.load(tmp_path / f"{rank}.pt"), dict(whole.state_dict()))
