"""Device, precision, memory format and compilation, chosen by measuring the real step."""

import logging
import os
import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from filelock import FileLock
from lightning_fabric import Fabric
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from understudy.core.errors import MissingResourceError
from understudy.core.files import make_folder, read_json, write_json
from understudy.core.identity import digest
from understudy.core.progress import Progress
from understudy.core.settings import Settings
from understudy.core.types import Batch
from understudy.guidance.guide import Guide
from understudy.methods.method import Method

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it prints what we print

WARM_STEPS, TIMED_STEPS = 2, 3
WORTH_COMPILING = 120.0  # seconds of training: compiling costs 10 to 60 s and at best halves it
LOSS_TOLERANCE = 0.02  # relative; bf16 has 8 bits, and a loss averages over the batch
LEAST_COSINE = 0.95  # between a candidate's gradient and that of fp32


class MachineSettings(Settings):
    """What to compute with; nothing here changes what a run is, only how fast it is."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """"auto" (a GPU where there is one), "cpu", "cuda" or "cuda:1"."""
    precision: Literal["measure", "fp32", "bf16"] = "measure"
    """Numbers of the forward pass; by default what a short measurement finds faster."""
    memory_format: Literal["measure", "contiguous", "channels_last"] = "measure"
    """Layout of images in memory; by default measured."""
    compile: Literal["measure", "never", "always"] = "measure"
    """Compilation; by default measured, and only where the run is long enough to repay it."""
    threads: PositiveInt | None = None
    """Processor threads; by default all cores."""

    def build_device(self) -> torch.device:
        """The device.

        Raises:
            MissingResourceError: It is not here.
        """
        if self.threads:
            torch.set_num_threads(self.threads)
        count = torch.cuda.device_count()
        if self.device == "auto":
            return torch.device("cuda" if count else "cpu")
        device = torch.device(self.device)
        if device.type == "cuda" and (device.index or 0) >= count:
            names = [f"cuda:{number}" for number in range(count)]
            raise MissingResourceError(
                f"machine.device = {self.device}: not here. Found: {', '.join(['cpu', *names])}."
            )
        return device


class Choice(NamedTuple):
    """How a training computes."""

    precision: str
    channels_last: bool
    compiled: bool

    def __str__(self) -> str:
        words = [self.precision, "channels_last" if self.channels_last else "contiguous"]
        return " ".join([*words, "compiled"] if self.compiled else words)

    def prepared(self, module: nn.Module) -> None:
        """Puts a module, in place, into the chosen layout and compiles its forward."""
        module.to(memory_format=self.memory_format)
        module._compiled_call_impl = None
        if self.compiled:
            module.compile()

    @property
    def memory_format(self) -> torch.memory_format:
        """Torch's name of the layout."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def fabric(self, device: torch.device) -> Fabric:
        """Fabric with this precision on one device."""
        return Fabric(
            accelerator="cuda" if device.type == "cuda" else "cpu",
            devices=[device.index or 0] if device.type == "cuda" else 1,
            precision="bf16-mixed" if self.precision == "bf16" else "32-true",
        )

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """The precision for work outside the loop."""
        if self.precision == "bf16":
            return torch.autocast(device.type, torch.bfloat16)
        return nullcontext()


def chosen(
    settings: MachineSettings,
    *,
    subject: dict[str, Any],
    method: Method,
    guide: Guide,
    batches: Callable[[Choice], Batch],
    steps: int,
    device: torch.device,
    shared: Path,
    progress: Progress,
) -> tuple[Choice, dict[str, Any]]:
    """Measures the real step in each allowed way and takes the fastest that computes the same.

    One choice is made for each `subject` (network, batch) on this machine, and kept in `shared`,
    so that runs which are compared compute alike and a resumed run goes on as it began.

    Args:
        settings: What the user allows.
        subject: What the choice depends on, beside the machine.
        method: What will be trained; left as it was, but in the chosen layout.
        guide: Who guides it.
        batches: One batch in the layout of a choice.
        steps: Length of the training, which decides whether compiling can pay.
        device: Where it runs.
        shared: The folder of shared things.
        progress: Where to say what was chosen.

    Returns:
        The choice, and what was measured, for the run's records.
    """
    key = digest(
        {"subject": subject, "machine": describe(device), "allowed": settings.model_dump()}
    )
    folder = make_folder(shared / "machine")
    path = folder / f"{key}.json"
    with FileLock(folder / f".{key}.lock"):
        if not path.exists():
            measured = _measure(settings, method, guide, batches, steps, device, progress)
            write_json(path, measured)
        record = read_json(path)
    choice = Choice(**record["choice"])
    choice.prepared(method)
    if isinstance(guide, nn.Module):
        choice.prepared(guide)
    return choice, record


def describe(device: torch.device) -> dict[str, Any]:
    """The machine as far as speed and rounding depend on it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "system": platform.platform(),
    }


def _measure(
    settings: MachineSettings,
    method: Method,
    guide: Guide,
    batches: Callable[[Choice], Batch],
    steps: int,
    device: torch.device,
    progress: Progress,
) -> dict[str, Any]:
    candidates = _eager_candidates(settings)
    plain = Choice("fp32", channels_last=False, compiled=False)
    timed: dict[Choice, dict[str, Any]] = {}
    if len(candidates) == 1 and settings.compile != "measure":
        choice = candidates[0]._replace(compiled=settings.compile == "always")
        return {"choice": choice._asdict(), "measured": {}}

    reference = _trial(plain, method, guide, batches, device)
    for candidate in candidates:
        trial = (
            reference if candidate == plain else _trial(candidate, method, guide, batches, device)
        )
        timed[candidate] = _verdict(trial, reference)
    best = _fastest(timed)
    seconds = timed[best]["seconds_per_step"] * steps
    if settings.compile == "always" or (
        settings.compile == "measure" and seconds > WORTH_COMPILING
    ):
        for candidate in candidates if settings.compile == "always" else _worth(candidates, best):
            compiled = candidate._replace(compiled=True)
            progress.say(f"machine: compiling for {compiled} (once; about half a minute)")
            trial = _trial(compiled, method, guide, batches, device)
            timed[compiled] = _verdict(trial, reference)
        eager = set() if settings.compile == "measure" else set(candidates)
        best = _fastest({choice: seen for choice, seen in timed.items() if choice not in eager})
    progress.say(f"machine: {best}, {_compared(timed)}")
    return {
        "choice": best._asdict(),
        "measured": {str(choice): seen for choice, seen in timed.items()},
    }


def _eager_candidates(settings: MachineSettings) -> list[Choice]:
    precisions = ["fp32", "bf16"] if settings.precision == "measure" else [settings.precision]
    formats = (
        [False, True]
        if settings.memory_format == "measure"
        else [settings.memory_format == "channels_last"]
    )
    return [
        Choice(precision, channels_last=channels_last, compiled=False)
        for precision in precisions
        for channels_last in formats
    ]


def _worth(candidates: list[Choice], best: Choice) -> list[Choice]:
    """What to compile: the fastest as it is, and bf16, which compiling helps most on a CPU."""
    wanted = [best, Choice("bf16", channels_last=True, compiled=False)]
    return [candidate for candidate in candidates if candidate in wanted]


class _Trial(NamedTuple):
    seconds: float
    loss: float
    gradient: Tensor | None
    error: str | None


def _trial(
    choice: Choice,
    method: Method,
    guide: Guide,
    batches: Callable[[Choice], Batch],
    device: torch.device,
) -> _Trial:
    """Times the step and keeps its first loss and gradient; the method is left as it was."""
    kept = {name: value.clone() for name, value in method.state_dict().items()}
    random = torch.get_rng_state()
    choice.prepared(method)
    if isinstance(guide, nn.Module):
        choice.prepared(guide)
    method.train()
    batch = batches(choice)

    def step() -> Tensor:
        with choice.autocast(device):
            loss: Tensor = method(batch, guide(batch)).loss
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    try:
        torch.set_rng_state(random)
        loss = float(step())
        gradient = _flat_gradient(method)
        for _ in range(WARM_STEPS - 1):
            step()
        times = [_timed(step, device) for _ in range(TIMED_STEPS)]
        return _Trial(min(times), loss, gradient, None)  # the least is what others disturb least
    except Exception as error:  # whatever a candidate cannot do rules only it out
        return _Trial(float("inf"), float("nan"), None, f"{type(error).__name__}: {error}"[:200])
    finally:
        method.zero_grad()
        method.load_state_dict(kept)
        method._compiled_call_impl = None
        torch.set_rng_state(random)


def _timed(step: Callable[[], Tensor], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def _flat_gradient(method: Method) -> Tensor:
    parts = [weight.grad.flatten() for weight in method.parameters() if weight.grad is not None]
    gradient = torch.cat(parts).float().cpu()
    method.zero_grad()
    return gradient


def _verdict(trial: _Trial, reference: _Trial) -> dict[str, Any]:
    """What a trial showed, and whether it computes the same as fp32."""
    if trial.gradient is None or reference.gradient is None:
        return {"seconds_per_step": None, "sound": False, "error": trial.error or reference.error}
    difference = abs(trial.loss - reference.loss) / max(abs(reference.loss), 1e-6)
    cosine = float(nn.functional.cosine_similarity(trial.gradient, reference.gradient, dim=0))
    return {
        "seconds_per_step": trial.seconds,
        "loss_difference": difference,
        "gradient_cosine": cosine,
        "sound": difference <= LOSS_TOLERANCE and cosine >= LEAST_COSINE,
        "error": None,
    }


def _fastest(timed: dict[Choice, dict[str, Any]]) -> Choice:
    sound = {choice: seen for choice, seen in timed.items() if seen["sound"]}
    if not sound:
        reasons = "; ".join(f"{choice}: {seen['error']}" for choice, seen in timed.items())
        raise MissingResourceError(f"No way to compute the step works here. {reasons}")
    return min(sound, key=lambda choice: float(sound[choice]["seconds_per_step"]))


def _compared(timed: dict[Choice, dict[str, Any]]) -> str:
    seconds = [seen["seconds_per_step"] for seen in timed.values() if seen["seconds_per_step"]]
    plain = next(iter(timed.values()))["seconds_per_step"]
    return f"{plain / min(seconds):.1f} times as fast as plain fp32" if plain else "measured"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
