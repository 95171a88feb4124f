"""The only training loop."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.optim import Optimizer

from understudy.core.errors import DivergedError
from understudy.core.interrupts import stopped
from understudy.core.run import Run
from understudy.core.types import Batch
from understudy.engine.guard import Guard, Hearing
from understudy.engine.layers import lower_rates
from understudy.engine.meter import Meter
from understudy.engine.plan import Plan
from understudy.engine.state import State
from understudy.engine.watch import Observation, Watch
from understudy.guidance.guide import Guide
from understudy.methods.method import Method
from understudy.models.average import Average
from understudy.models.ensemble import Ensemble
from understudy.models.network import Network

if TYPE_CHECKING:  # it takes a second, which a plan or a mistake need not wait
    from lightning_fabric import Fabric

SAVE_SECONDS = 60.0  # a crash costs at most about a minute of training; a save costs milliseconds

Observe = Callable[[Network | Ensemble], Observation]


class Fitted(NamedTuple):
    """How a training ended."""

    step: int
    watch: Watch
    seconds: float
    """Of all attempts together."""


def fit(
    fabric: "Fabric",
    method: Method,
    guide: Guide,
    batches: Callable[[int], Iterator[Batch]],
    plan: Plan,
    run: Run,
    observe: Observe,
) -> Fitted:
    """Trains `method` until `plan` is done, picking up where `run` left off.

    Args:
        fabric: Device and precision.
        method: What learns.
        guide: Answers of the teacher to a batch; `unguided` where there is none.
        batches: The endless stream of batches from a given step on.
        plan: Length, optimizer and checks.
        run: Where everything is written.
        observe: Looks at the network at intervals and scores it.

    Raises:
        DivergedError: More steps than tolerated were not finite; none of them changed a weight.
            Or a teacher answered with what is not finite.
        InterruptedRunError: A signal came; everything is saved.
        StorageError: The disk refuses.
    """
    settings = plan.settings
    optimizer = settings.optimizer.build(method)
    lower_rates(optimizer, method, decay=settings.layer_decay)
    average = Average(method.network) if settings.average else None
    watch = Watch(patience=settings.patience)
    state = State(method, optimizer, average=average, watch=watch).resumed_from(run)
    model, _ = fabric.setup(method, optimizer)
    guard = Guard(method, optimizer, max_norm=settings.max_norm)
    meter, hearing, clock = Meter(), Hearing(), Clock(before=state.seconds)

    method.train()
    with run.interrupts.deferred():  # from what is shown on, a signal waits for a step to save
        run.progress.begin(f"{run.stage} {run.name}", plan.steps)
        run.progress.advance(state.step)
        stream = batches(state.step)
        while state.step < plan.steps and not state.watch.is_over:
            batch = next(stream)
            progress = state.step / plan.steps
            method.at(progress)
            _set_learning_rate(optimizer, settings.schedule.factor(progress))
            guard.remember()
            with fabric.autocast():
                guidance = guide(batch)
            hearing.hear(guidance)
            output = model(batch, guidance)

            fabric.backward(output.loss)
            spoiled = guard.step(output.loss)
            optimizer.zero_grad()
            method.after_step(progress, spoiled)
            if average and settings.average:
                average.update(torch.where(spoiled > 0, 1.0, settings.average))

            state.step += 1
            meter.add(output, spoiled=spoiled)
            run.progress.advance()
            number, observes = run.interrupts.received, plan.observes_after(state.step)
            if not (number or observes or plan.logs_after(state.step) or clock.is_due):
                continue

            _log(run, plan, state, meter)  # the only wait for the device
            if unsound := hearing.read():
                raise _misled(run, state, guide, unsound)
            if state.spoiled > settings.tolerated:
                raise _diverged(run, state)
            if observes:
                _look(run, plan, state, observe)
            if number or observes or clock.is_due:
                state.seconds = clock.seconds
                state.save(run, "last")
                clock.saved()
            if number:
                raise stopped(number)
    run.progress.end(f"{state.step:,} steps")
    return Fitted(step=state.step, watch=state.watch, seconds=clock.seconds)


class Clock:
    """Seconds of a training over all its attempts, and whether it is time to save.

    Args:
        before: Seconds of the earlier attempts.
    """

    def __init__(self, *, before: float) -> None:
        self._began = time.monotonic() - before
        self._saved = time.monotonic()

    @property
    def seconds(self) -> float:
        """Of all attempts together."""
        return time.monotonic() - self._began

    @property
    def is_due(self) -> bool:
        """Whether the last save is long enough ago."""
        return time.monotonic() - self._saved > SAVE_SECONDS

    def saved(self) -> None:
        """Takes note of a save."""
        self._saved = time.monotonic()


def _look(run: Run, plan: Plan, state: State, observe: Observe) -> None:
    was_training = state.method.training
    observation = observe(state.network)
    state.method.train(was_training)
    record = {"step": state.step, "epoch": plan.epoch(state.step), "phase": "validation"}
    run.log({**record, **observation.values})
    if state.watch.sees(observation, step=state.step):
        state.save(run, "best")


def _log(run: Run, plan: Plan, state: State, meter: Meter) -> None:
    means, spoiled = meter.read()
    state.spoiled += spoiled
    rate = max(group["lr"] for group in state.optimizer.param_groups)
    record = {"step": state.step, "epoch": plan.epoch(state.step), "phase": "train"}
    run.log({**record, **means, "learning_rate": rate, "spoiled_steps": spoiled})
    run.progress.advance(0, f"loss {means['loss']:.3f}" if means["loss"] is not None else "")


def _set_learning_rate(optimizer: Optimizer, factor: float) -> None:
    for group in optimizer.param_groups:
        group.setdefault("peak", group["lr"])
        group["lr"] = group["peak"] * factor


def _misled(run: Run, state: State, guide: Guide, unsound: int) -> DivergedError:
    return DivergedError(
        f"{run.stage} {run.name}: {guide.name} answered with NaN or infinity in {unsound} step(s) "
        f"before step {state.step:,}. The training is not at fault, and nothing of these steps was "
        "saved. Let another checkpoint or another run teach."
    )


def _diverged(run: Run, state: State) -> DivergedError:
    return DivergedError(
        f"{run.stage} {run.name}: {state.spoiled} step(s) before step {state.step:,} had a loss or "
        "a gradient that is not finite. They changed no weight; the last checkpoint stands. "
        "Lower `plan.optimizer.learning_rate`, set `plan.max_norm=1`, or allow a few such "
        "steps with `plan.tolerated`."
    )
