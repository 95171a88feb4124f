"""Measures the real step in each allowed way, and takes the fastest that computes the same."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from filelock import FileLock
from torch import Tensor, nn

from understudy.core.errors import MissingResourceError, UnderstudyError
from understudy.core.files import make_folder, read_json, write_json
from understudy.core.identity import digest
from understudy.core.progress import Progress
from understudy.core.types import Batch
from understudy.engine.guard import must_be_finite
from understudy.engine.machine import Choice, MachineSettings, describe, lacks_bf16
from understudy.guidance.guide import Guide
from understudy.methods.method import Method

TIMED_STEPS = 3
COMPARABLE = "comparable"
"""Of a record that is not kept: whether the plain step gave anything to hold the others to."""
HOPELESS = 3.0  # times slower: not measured further; bf16 that a processor lacks takes 10 times
WORTH_COMPILING = 120.0  # seconds of training: compiling costs 10 to 60 s and at best halves it
LOSS_TOLERANCE = 0.02  # relative; bf16 has 8 bits, and a loss averages over the batch
LEAST_COSINE = 0.95  # between a candidate's gradient and that of fp32
PLAIN = Choice("fp32", channels_last=False, compiled=False)

# Compiling looks for CUDA's own compiler, and warns where that is here without a GPU.
logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)


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
    earlier: dict[str, Any] | None,
    progress: Progress,
) -> tuple[Choice, dict[str, Any]]:
    """Measures the real step in each allowed way and takes the fastest that computes the same.

    One choice is made for each `subject` (network, batch) on this machine, and kept in `shared`,
    so that runs which are compared compute alike and a resumed run goes on as it began; another one
    for trainings so long that compiling can pay.

    Args:
        settings: What the user allows.
        subject: What the choice depends on, beside the machine.
        method: What will be trained; left as it was, but in the chosen layout.
        guide: Who guides it.
        batches: One batch in the layout of a choice.
        steps: Length of the training, which decides whether compiling can pay.
        device: Where it runs.
        shared: The folder of shared things.
        earlier: What an interrupted attempt of the same run recorded, and so goes on with.
        progress: Where to say what was chosen.

    Returns:
        The choice, and what was measured, for the run's records.
    """
    if earlier is not None:
        return _prepared(Choice(**earlier["choice"]), method, guide), earlier
    candidates = _eager_candidates(settings, device)
    trial_of = partial(_trial, method=method, guide=guide, batches=batches, device=device)
    allowed = settings.model_dump(exclude={"compile"})
    about: dict[str, Any] = {"subject": subject, "machine": describe(device), "allowed": allowed}
    record = _kept(shared, about, lambda: _eager(settings, candidates, trial_of, progress))
    if _may_be_compiled(settings, record, steps):
        about["compile"] = settings.compile
        record = _kept(
            shared, about, lambda: _compiled(settings, candidates, record, trial_of, progress)
        )
    return _prepared(Choice(**record["choice"]), method, guide), record


def _kept(
    shared: Path, about: dict[str, Any], measured: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What was measured on this machine before, or is now; by one process at a time."""
    folder = make_folder(shared / "machine")
    key = digest(about)
    path = folder / f"{key}.json"
    with FileLock(folder / f".{key}.lock"):
        if path.exists():
            return dict(read_json(path))
        record = measured()
        if record.pop(COMPARABLE, True):  # else a later training would be held to nothing, too
            write_json(path, record)
    return record


def _may_be_compiled(settings: MachineSettings, eager: dict[str, Any], steps: int) -> bool:
    """Whether compiling is asked for, or the training is long enough to repay it."""
    if settings.compile == "measure":
        seconds: float = eager["measured"][str(Choice(**eager["choice"]))]["seconds_per_step"]
        return seconds * steps > WORTH_COMPILING
    return settings.compile == "always"


def _prepared(choice: Choice, method: Method, guide: Guide) -> Choice:
    choice.prepared(method)
    if isinstance(guide, nn.Module):
        choice.prepared(guide)
    return choice


def _eager(
    settings: MachineSettings,
    candidates: list[Choice],
    trial_of: Callable[..., "_Trial"],
    progress: Progress,
) -> dict[str, Any]:
    """Measures what is allowed, uncompiled; the same for trainings of any length."""
    if len(candidates) == 1 and settings.compile != "measure":
        return _record(candidates[0], {})
    progress.say("machine: measuring ways to compute this step")
    timed: dict[Choice, dict[str, Any]] = {}
    reference = trial_of(PLAIN)
    for candidate in candidates:
        trial = reference if candidate == PLAIN else trial_of(candidate, against=reference)
        timed[candidate] = _verdict(trial, reference)
        progress.detail(f"machine: {candidate}: {_told(timed[candidate])}")
    best = _fastest(timed)
    progress.say(f"machine: {best}, {_compared(timed, best)}")
    return {**_record(best, timed), COMPARABLE: _is_measure(reference)}


def _compiled(
    settings: MachineSettings,
    candidates: list[Choice],
    eager: dict[str, Any],
    trial_of: Callable[..., "_Trial"],
    progress: Progress,
) -> dict[str, Any]:
    """Measures what is worth compiling beside what was measured uncompiled."""
    best = Choice(**eager["choice"])
    if len(candidates) == 1 and settings.compile == "always":
        return _record(best._replace(compiled=True), {})
    timed = {one: eager["measured"][str(one)] for one in candidates}
    reference = trial_of(PLAIN)
    for candidate in candidates if settings.compile == "always" else _worth(candidates, best):
        compiled = candidate._replace(compiled=True)
        progress.say(f"machine: compiling for {compiled} (once; about half a minute)")
        timed[compiled] = _verdict(trial_of(compiled, against=reference), reference)
        progress.detail(f"machine: {compiled}: {_told(timed[compiled])}")
    eligible = (
        timed if settings.compile == "measure" else {c: timed[c] for c in timed if c.compiled}
    )
    best = _fastest(eligible)
    progress.say(f"machine: {best}, {_compared(timed, best)}")
    return {**_record(best, timed), COMPARABLE: _is_measure(reference)}


def _record(choice: Choice, timed: Mapping[Choice, dict[str, Any]]) -> dict[str, Any]:
    return {
        "choice": choice._asdict(),
        "measured": {str(one): seen for one, seen in timed.items()},
    }


def _eager_candidates(settings: MachineSettings, device: torch.device) -> list[Choice]:
    measured = ["fp32"] if lacks_bf16(device) else ["fp32", "bf16"]
    precisions = measured if settings.precision == "measure" else [settings.precision]
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
    first: float
    """Seconds of the first step, which sets up whatever the later ones reuse."""
    seconds: float
    """Of a later step."""
    loss: float
    gradient: Tensor | None
    error: str | None


def _trial(
    choice: Choice,
    *,
    method: Method,
    guide: Guide,
    batches: Callable[[Choice], Batch],
    device: torch.device,
    against: _Trial | None = None,
) -> _Trial:
    """Times the step and keeps its first loss and gradient; the method is left as it was.

    A way far slower than `against`, first step against first step or second against later ones,
    is timed no longer: on a processor without bf16 five such steps took minutes.
    """
    kept = {name: value.clone() for name, value in method.state_dict().items()}
    random = torch.get_rng_state()
    choice.prepared(method)
    if isinstance(guide, nn.Module):
        choice.prepared(guide)
    method.train()
    batch = batches(choice)

    losses: list[Tensor] = []

    def step() -> None:
        with choice.autocast(device):
            guidance = guide(batch)
            if not losses and against is None:  # before anything is held to what it makes
                must_be_finite(guidance, guide.name)
            loss: Tensor = method(batch, guidance).loss
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())

    try:
        torch.set_rng_state(random)
        first = _timed(step, device)
        loss, gradient = float(losses[0]), _flat_gradient(method)
        if against and not choice.compiled and first > HOPELESS * against.first:
            return _Trial(first, first, loss, gradient, None)
        second = _timed(step, device)
        if against and second > HOPELESS * against.seconds:
            return _Trial(first, second, loss, gradient, None)
        times = [_timed(step, device) for _ in range(TIMED_STEPS)]
        return _Trial(first, min(times), loss, gradient, None)  # the least was disturbed least
    except (UnderstudyError, MemoryError, torch.OutOfMemoryError):
        raise  # a mistake in the settings, too little memory: neither is the candidate's
    except Exception as error:  # whatever a candidate cannot do rules only it out
        infinite = float("inf")
        return _Trial(
            infinite, infinite, float("nan"), None, f"{type(error).__name__}: {error}"[:200]
        )
    finally:
        method.zero_grad()
        method.load_state_dict(kept)
        method._compiled_call_impl = None
        torch.set_rng_state(random)


def _timed(step: Callable[[], None], device: torch.device) -> float:
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
    """What a trial showed, and whether it computes the same as fp32.

    Plain fp32 is what the others are held to, so it is sound wherever it runs at all; where its
    loss is not finite or its gradient zero, there is nothing to hold them to, and it alone stays.
    """
    if trial.gradient is None or reference.gradient is None:
        return {"seconds_per_step": None, "sound": False, "error": trial.error or reference.error}
    difference = abs(trial.loss - reference.loss) / max(abs(reference.loss), 1e-6)
    cosine = float(nn.functional.cosine_similarity(trial.gradient, reference.gradient, dim=0))
    agrees = difference <= LOSS_TOLERANCE and cosine >= LEAST_COSINE
    return {
        "seconds_per_step": trial.seconds,
        "loss_difference": difference if math.isfinite(difference) else None,
        "gradient_cosine": cosine if math.isfinite(cosine) else None,
        "sound": trial is reference or agrees,
        "error": None,
    }


def _is_measure(reference: _Trial) -> bool:
    """Whether there is a loss and a gradient to hold others to."""
    if reference.gradient is None:
        return False
    length = float(reference.gradient.norm())
    return math.isfinite(reference.loss) and math.isfinite(length) and length > 0


def _told(seen: Mapping[str, Any]) -> str:
    """A verdict for a person who wants to know all."""
    if seen["seconds_per_step"] is None:
        return f"did not run ({seen['error']})"
    ruled_out = "" if seen["sound"] else ", ruled out: not the gradient of plain fp32"
    return f"{1000 * seen['seconds_per_step']:.3g} ms a step{ruled_out}"


def _fastest(timed: dict[Choice, dict[str, Any]]) -> Choice:
    sound = {choice: seen for choice, seen in timed.items() if seen["sound"]}
    if not sound:
        reasons = "; ".join(f"{choice}: {seen['error']}" for choice, seen in timed.items())
        raise MissingResourceError(f"No way to compute the step works here. {reasons}")
    return min(sound, key=lambda choice: float(sound[choice]["seconds_per_step"]))


def _compared(timed: dict[Choice, dict[str, Any]], best: Choice) -> str:
    plain = timed.get(PLAIN)
    if plain is None or not plain["seconds_per_step"]:
        return "the fastest of what is allowed"
    ratio = plain["seconds_per_step"] / timed[best]["seconds_per_step"]
    return f"{ratio:.1f} times as fast as plain fp32"
