"""The same work for every image, done by one thread per core, given back in order."""

import os
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from understudy.core.progress import Progress

Result = TypeVar("Result")

BLOCK = 256  # images at a time in memory: 40 MB at 224x224
GRAIN = 16  # images a thread takes at once: handing over single 32x32 ones costs a third more


def in_blocks(
    work: Callable[[int], Result], count: int, *, title: str, progress: Progress
) -> Generator[list[Result]]:
    """Results of `work(0)`, `work(1)`, ... `work(count - 1)` in order, a block at a time.

    Reading files and decoding them release Python's lock, so threads serve here. An error of
    `work` ends the iteration.
    """

    def piece(indices: range) -> list[Result]:
        return [work(index) for index in indices]

    progress.begin(title, count)
    try:
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for start in range(0, count, BLOCK):
                indices = range(start, min(start + BLOCK, count))
                pieces = [indices[i : i + GRAIN] for i in range(0, len(indices), GRAIN)]
                block = [result for results in pool.map(piece, pieces) for result in results]
                progress.advance(len(block))
                yield block
    finally:
        progress.end()
