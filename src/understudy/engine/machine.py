"""What there is to compute with: device, precision, memory format, compilation."""

import logging
import os
import platform
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import torch
from pydantic import AfterValidator, PositiveInt
from torch import nn

from understudy.core.errors import MissingResourceError
from understudy.core.settings import Settings

if TYPE_CHECKING:
    from lightning_fabric import Fabric

logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it prints what we print


ALL_THREADS = torch.get_num_threads()
"""What torch found at its start, which a run's own number must not change for the next run."""


VECTORS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp", "i8mm")
"""As Linux names them, on x86 and on ARM; those with vnni, amx, dp or i8mm multiply 8 bits."""

BF16 = ("avx512_bf16", "amx_bf16", "bf16")
"""As Linux names the instructions for bf16, on x86 and on ARM."""


def _is_device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise ValueError("must be auto, cpu, cuda, or cuda: with a number")
    return name


DeviceName = Annotated[str, AfterValidator(_is_device)]


class MachineSettings(Settings):
    """What to compute with; nothing here changes what a run is, only how fast it is."""

    device: DeviceName = "auto"
    """"auto" (a GPU where there is one), "cpu", "cuda" or "cuda:1"."""
    precision: Literal["measure", "fp32", "bf16"] = "measure"
    """Numbers of the forward pass; by default what a short measurement finds faster, and fp32 on a
    processor without instructions for bf16."""
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
        return device_named(self.device)

    def use_threads(self) -> None:
        """Lets torch use so many threads, or all cores."""
        torch.set_num_threads(self.threads or ALL_THREADS)


def device_named(name: str) -> torch.device:
    """A device by name; "auto" is a GPU where there is one.

    Raises:
        MissingResourceError: It is not here.
    """
    count = torch.cuda.device_count()
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        names = [f"cuda:{number}" for number in range(count)]
        raise MissingResourceError(
            f"device = {name}: not here. Found: {', '.join(['cpu', *names])}."
        )
    return device


def forget_compiled() -> None:
    """Forgets what this process has compiled, so that a training depends on none before it.

    Some values that are compiled in, sets of taps among them, are known again by their place in
    memory alone (torch 2.15), and a later training's may come to lie at the same one: a teacher
    would then answer what an earlier one was asked for. An earlier batch of another size would
    also make the next one compiled for any size, and after eight networks nothing more is compiled.
    """
    if "torch._dynamo" in sys.modules:  # else nothing was compiled, and it takes a second to import
        torch.compiler.reset()


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

    def fabric(self, device: torch.device) -> "Fabric":
        """Fabric with this precision on one device."""
        from lightning_fabric import Fabric  # a second that a plan or a mistake need not wait

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


def instructions() -> list[str]:
    """The vector instructions that inference gains from; none known counts as none."""
    return [name for name in VECTORS if name in _flags()]


def lacks_bf16(device: torch.device) -> bool:
    """Whether it is known to have no instructions for bf16, and so to be slow at it."""
    return device.type == "cpu" and bool(_flags()) and not _flags() & set(BF16)


def _flags() -> set[str]:
    """What Linux tells of the processor's instructions; elsewhere nothing."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return set()
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", path.read_text(), re.MULTILINE)
    return set(flags[1].split()) if flags else set()


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
