"""Which observation was the best, and when to stop waiting for a better one."""

import math
from typing import Any, NamedTuple


class Observation(NamedTuple):
    """What a stage saw when the loop let it look at the network."""

    values: dict[str, float]
    """For the log, such as `top1` and `nll`."""
    score: float | None
    """What decides which checkpoint is the best, higher is better; None where nothing decides."""


class Watch:
    """Keeps the best score and counts the observations since.

    A tie goes to the earlier one; a score that is not a number is never the best.
    """

    def __init__(self, *, patience: int | None) -> None:
        self.patience = patience
        self.best_score: float | None = None
        self.best_step: int | None = None
        self.waited = 0

    def sees(self, observation: Observation, *, step: int) -> bool:
        """Takes note of an observation; true where it is the best so far."""
        score = observation.score
        if score is None:
            return False
        if math.isnan(score) or (self.best_score is not None and score <= self.best_score):
            self.waited += 1
            return False
        self.best_score, self.best_step, self.waited = score, step, 0
        return True

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """What a resume needs."""
        return {"best_score": self.best_score, "best_step": self.best_step, "waited": self.waited}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up what `state` told."""
        self.best_score, self.best_step = state["best_score"], state["best_step"]
        self.waited = state["waited"]
