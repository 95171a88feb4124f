"""A configuration: what two runs share when only their seed differs."""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256

from understudy.results.records import IDENTITY_LENGTH, RunRecord
from understudy.results.values import text

SEED = re.compile(r"(  )?seed:")
"""The line of config.yaml with the run's own seed; one inside a block, as the split's, counts."""
ASIDE = re.compile(r"(identity|key):|\s*machine:")
"""Blocks of config.yaml that name a run or say where it ran, not how it learned."""


def configuration(run: RunRecord, runs: Mapping[str, RunRecord]) -> str:
    """A fingerprint of the settings, the data and the parents' configurations, without seeds.

    Args:
        run: A finished run.
        runs: Every run at hand by its identity; a parent that is absent counts as itself.

    Returns:
        Twelve hexadecimal digits. Without a config.yaml the run's own identity, so that what is
        unknown is never taken for equal.
    """
    if not run.config:
        return f"unknown {run.identity}"
    ancestors = {
        text(parent.get("identity"))[:IDENTITY_LENGTH]: role for role, parent in run.parents.items()
    }
    lines = [run.stage, text(run.summary.get("pack"))]
    for line in _kept(run.config):
        parent = next((one for one in ancestors if one and one in line), None)
        lines.append(line if parent is None else _parent_line(ancestors[parent], parent, runs))
    return sha256("\n".join(lines).encode()).hexdigest()[:IDENTITY_LENGTH]


def _parent_line(role: str, identity: str, runs: Mapping[str, RunRecord]) -> str:
    """Stands for the line that holds the parent's path, which differs from seed to seed."""
    parent = runs.get(identity)
    return f"{role}: {configuration(parent, runs) if parent else identity}"


def _kept(config: str) -> Iterator[str]:
    """The lines without seeds and without the blocks of `ASIDE`, as far as they are indented."""
    block: int | None = None
    for line in config.splitlines():
        indentation = len(line) - len(line.lstrip())
        if block is not None and indentation > block:
            continue
        block = indentation if ASIDE.match(line) else None
        if block is None and not SEED.match(line):
            yield line
