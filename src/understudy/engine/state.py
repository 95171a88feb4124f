"""Everything that moves while a training runs, and how it is written down and taken up again."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from understudy.core.errors import StorageError
from understudy.core.run import Run
from understudy.engine.checkpoint import Checkpoint, latest, publish
from understudy.engine.watch import Watch
from understudy.methods.method import Method
from understudy.models.average import Average
from understudy.models.ensemble import Ensemble
from understudy.models.network import Network


class State:
    """The method, its optimizer, the average of its weights, the watch, and the step.

    Args:
        method: What learns, not wrapped.
        optimizer: Over the method's parameters.
        average: Moving average of the network, or None.
        watch: Which observation was the best.
    """

    def __init__(
        self, method: Method, optimizer: Optimizer, *, average: Average | None, watch: Watch
    ) -> None:
        self.method, self.optimizer = method, optimizer
        self.average, self.watch = average, watch
        self.step = 0
        self.spoiled = 0
        """Steps so far that were not finite."""
        self.seconds = 0.0
        """Of all attempts, up to the last save."""

    @property
    def network(self) -> Network | Ensemble:
        """The network that counts: the averaged one where there is one."""
        return self.average.network if self.average else self.method.network

    def resumed_from(self, run: Run) -> "State":
        """Takes up the newest whole checkpoint of the run, if there is one.

        Raises:
            StorageError: It is of another run, or of another method.
        """
        found = latest(run.path / "checkpoints", run.progress)
        if found is None:
            run.rewind_log(0)
            return self
        tensors = found.train_state
        _must_be_of_run(run, found.state)
        _must_fit(self.method, _under("method", tensors), run)
        self.method.load_state_dict(_under("method", tensors))
        if self.average:
            self.average.load_state_dict(_under("average", tensors))
        self._restore_optimizer(_under("optimizer", tensors))
        torch.set_rng_state(tensors["random.cpu"])
        device = module_device(self.method)
        if device.type == "cuda" and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"], device)
        self.watch.restore(found.state["watch"])
        self.step, self.spoiled = int(found.state["step"]), int(found.state["spoiled"])
        self.seconds = float(found.state["seconds"])
        run.rewind_log(self.step)
        run.progress.say(f"{run.stage} {run.name}: going on from step {self.step:,}")
        return self

    def save(self, run: Run, slot: str) -> None:
        """Publishes a checkpoint; `best` holds the network alone."""
        publish(
            run.path / "checkpoints",
            slot,
            Checkpoint(
                model=self.network.state_dict(),
                train_state=self._train_state() if slot == "last" else {},
                state={
                    "run": run.identity,
                    "step": self.step,
                    "spoiled": self.spoiled,
                    "seconds": self.seconds,
                    "watch": self.watch.state(),
                },
            ),
        )

    def _train_state(self) -> dict[str, Tensor]:
        tensors = {f"method.{name}": value for name, value in self.method.state_dict().items()}
        if self.average:
            averaged = self.average.state_dict().items()
            tensors |= {f"average.{name}": value for name, value in averaged}
        for position, state in self.optimizer.state_dict()["state"].items():
            tensors |= {
                f"optimizer.{position}.{name}": value
                for name, value in state.items()
                if isinstance(value, Tensor)
            }
        tensors["random.cpu"] = torch.get_rng_state()
        device = module_device(self.method)
        if device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(device)
        return tensors

    def _restore_optimizer(self, tensors: dict[str, Tensor]) -> None:
        states: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            position, name = key.split(".", 1)
            states.setdefault(int(position), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": states, "param_groups": groups})
        for weight, state in self.optimizer.state.items():
            state |= {name: _laid_out_as(weight, value) for name, value in state.items()}


def _must_be_of_run(run: Run, state: dict[str, Any]) -> None:
    """Refuses another run's checkpoint, which somebody put into this one's folder.

    Two methods may have tensors of equal names and shapes: SimCLR and Barlow Twins do.

    Raises:
        StorageError: It names another run.
    """
    found = state.get("run", run.identity)  # those of earlier versions name none
    if found != run.identity:
        raise _foreign(run, f"are of another run, {found}; this one is {run.identity}")


def _must_fit(method: Method, tensors: dict[str, Tensor], run: Run) -> None:
    """Refuses what another method or network wrote.

    Raises:
        StorageError: Names or shapes differ.
    """
    own = method.state_dict()
    odd = sorted(own.keys() ^ tensors.keys())
    odd += [name for name in own if name in tensors and own[name].shape != tensors[name].shape]
    if odd:
        what = f"{len(odd)} tensors differ, such as {odd[0]}"
        raise _foreign(run, f"are of another method or network: {what}")


def _foreign(run: Run, why: str) -> StorageError:
    return StorageError(
        f"{run.path / 'checkpoints'}: the checkpoints {why}. Put this run's own back, or delete "
        "the folder to have it trained from the beginning."
    )


def _laid_out_as(weight: Tensor, value: Tensor) -> Tensor:
    """The value in the memory layout of its weight: torch's fused optimizers walk raw memory."""
    if value.shape != weight.shape:
        return value
    return torch.empty_like(weight, dtype=value.dtype).copy_(value)


def module_device(module: nn.Module) -> torch.device:
    """The device on which the module's parameters lie."""
    return next(module.parameters()).device


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {
        name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)
    }
