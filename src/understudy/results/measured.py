"""What finished runs took: time, room on the disk, and what they were asked to do for it."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from understudy.core.errors import UnderstudyError
from understudy.core.yaml import read_yaml
from understudy.results.disk import disk_use
from understudy.results.values import mapping, read_object, text


class Measured:
    """One finished run.

    Args:
        path: Its directory.
        summary: What it wrote when it was finished.
    """

    def __init__(self, path: Path, summary: Mapping[str, Any]) -> None:
        self.path, self.summary = path, summary
        self.key, self.stage = text(summary.get("key")), text(summary.get("stage"))
        self.seconds: float | None = summary.get("seconds")

    @cached_property
    def settings(self) -> dict[str, Any]:
        """As they were in force; empty where they cannot be read."""
        try:
            return mapping(read_yaml(self.path / "config.yaml").get("settings"))
        except UnderstudyError:
            return {}

    @cached_property
    def bytes(self) -> int:
        """What it takes on the disk."""
        return disk_use(self.path).bytes

    @property
    def network(self) -> Any:
        """Settings of its backbone; None where it has none."""
        return mapping(self.summary.get("network")).get("backbone")

    @cached_property
    def networks(self) -> tuple[Any, ...]:
        """Its own, and those of the runs that it was made from."""
        parents = mapping(self.summary.get("parents")).values()
        runs = [text(mapping(parent).get("run")) for parent in parents]
        found = [read_object(self.path.parent.parent / run / "summary.json")[0] for run in runs]
        return (self.network, *(mapping(one.get("network")).get("backbone") for one in found))


def measured(runs: Path, stages: set[str]) -> Iterator[Measured]:
    """The finished runs of some stages; what cannot be read tells nothing."""
    for stage in sorted(stages):
        for path in sorted((runs / stage).glob("*/summary.json")):
            summary, _ = read_object(path)
            if summary:
                yield Measured(path.parent, summary)
