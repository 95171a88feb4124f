"""Waiting for jobs that other processes do, wherever those are."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import inf

from understudy.core.interrupts import Interrupts, stopped
from understudy.studies.executors.executor import Ended

SECONDS_BETWEEN_LOOKS = 0.2  # for a signal and for what is to be shown, while nothing has ended


class Afar(ABC):
    """An executor whose jobs are done by other processes.

    Args:
        interrupts: Where to ask whether a signal came.
    """

    is_alone = False

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts

    @property
    @abstractmethod
    def under_way(self) -> int:
        """How many jobs have begun, and are not told to have ended."""

    @abstractmethod
    def _heard(self) -> Sequence[Ended]:
        """What has ended within a short while; what is to be shown is shown."""

    @abstractmethod
    def _stop(self, number: int) -> None:
        """Has all that work save, as after this signal, and waits for them."""

    def ended(self, within: float | None = None) -> Sequence[Ended]:
        """Waits until some jobs have ended, and tells what came of them.

        Args:
            within: Seconds after which it tells that none has.

        Raises:
            InterruptedRunError: A signal came; what was begun is saved.
        """
        with self._interrupts.deferred():  # in the middle of a message nothing may be raised
            told: Sequence[Ended] = []
            until = inf if within is None else time.monotonic() + within
            while self.under_way and not told and time.monotonic() < until:
                if number := self._interrupts.received:
                    self._stop(number)
                    raise stopped(number)
                told = self._heard()
        return told
