import threading
import time

import pytest

from understudy.core.progress import Silent
from understudy.data.blocks import BLOCK, in_blocks


class Counted(Silent):
    def __init__(self) -> None:
        self.total = self.done = self.ends = 0

    def begin(self, title: str, total: int) -> None:
        assert title == "work"
        self.total += total

    def advance(self, count: int = 1, note: str = "") -> None:
        assert not note
        self.done += count

    def end(self, note: str = "") -> None:
        assert not note
        self.ends += 1


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 17])
def test_results_come_in_order_and_progress_counts_them(count: int) -> None:
    progress = Counted()

    blocks = list(in_blocks(lambda i: i * i, count, title="work", progress=progress))

    assert [result for block in blocks for result in block] == [i * i for i in range(count)]
    assert max(map(len, blocks), default=0) <= BLOCK
    assert (progress.total, progress.done, progress.ends) == (count, count, 1)


def test_work_is_done_by_other_threads() -> None:
    def name(_: int) -> str:
        time.sleep(0.001)
        return threading.current_thread().name

    names = {n for block in in_blocks(name, 64, title="work", progress=Counted()) for n in block}

    assert threading.current_thread().name not in names


def test_an_error_ends_the_work_and_the_progress() -> None:
    progress = Counted()

    def fail(index: int) -> int:
        raise OSError(f"image {index}")

    with pytest.raises(OSError, match="image 0"):
        list(in_blocks(fail, 10, title="work", progress=progress))

    assert progress.ends == 1
