"""One side of a race in a process of its own: its memory, threads and compiled code are its own."""

import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, NamedTuple


class Ready(NamedTuple):
    """A side that may be told to step."""

    said: Any
    """What it found out while it got ready."""
    steps: Iterator[float]
    """Seconds of each step of an endless training."""


class Contestant:
    """Gets ready when it is made, and then steps only while it is told to.

    Args:
        make: Gets ready; a function that another process can import.
        given: Its arguments.
    """

    def __init__(self, make: Callable[..., Ready], *given: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, given))
        self._process.start()
        theirs.close()
        self.said, self.seconds_to_start = self._answer()

    def seconds(self, steps: int) -> list[float]:
        """Seconds of each of the next so many steps."""
        self._pipe.send(steps)
        found: list[float] = self._answer()
        return found

    def end(self) -> None:
        """Lets the process go."""
        self._pipe.send(None)
        self._process.join()

    def _answer(self) -> Any:
        is_well, answer = self._pipe.recv()
        if not is_well:
            self._process.join()
            raise RuntimeError(f"a side of the race failed:\n{answer}")
        return answer


def _serve(pipe: Connection, make: Callable[..., Ready], given: tuple[Any, ...]) -> None:
    began = time.perf_counter()
    try:
        ready = make(*given)
        next(ready.steps)  # compiles, where it is to be compiled
        pipe.send((True, (ready.said, time.perf_counter() - began)))
        while (steps := pipe.recv()) is not None:
            pipe.send((True, list(islice(ready.steps, steps))))
    except EOFError:
        return  # the race was stopped
    except Exception:
        pipe.send((False, traceback.format_exc()))
