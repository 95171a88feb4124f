"""What a run of a study is called by, for people."""

from collections import defaultdict
from collections.abc import Mapping

from understudy.core.wording import named
from understudy.studies.plan import Node


def label(node: Node) -> str:
    """`student, objective dist, seed 1`."""
    axes = [f"{axis} {named(value)}" for axis, value in node.axes.items()]
    seed = [] if node.seed is None else [f"seed {node.seed}"]
    return ", ".join([node.name, *axes, *seed])


def brief(nodes: Mapping[str, Node]) -> dict[str, str]:
    """What tells each run from the others: `student, balanced, fraction 0.1, ResNet-8`.

    Args:
        nodes: All of them, by key.
    """
    seen: dict[str, set[str]] = defaultdict(set)
    for node in nodes.values():
        for axis, value in node.axes.items():
            seen[axis].add(named(value))
        if node.seed is not None:
            seen["seed"].add(str(node.seed))
    return {key: _brief(node, seen) for key, node in nodes.items()}


def _brief(node: Node, seen: Mapping[str, set[str]]) -> str:
    """Words say by themselves what they are; numbers do not."""
    told = [
        named(value) if isinstance(value, str | Mapping) else f"{axis} {named(value)}"
        for axis, value in node.axes.items()
        if len(seen[axis]) > 1
    ]
    if node.seed is not None and len(seen["seed"]) > 1:
        told.append(f"seed {node.seed}")
    return ", ".join([node.name, *told])
