"""A synthetic tree of runs with the files that stages and studies write."""

import json
import math
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TEST = {  # test accuracy of the last checkpoint, by node and seed
    "baseline": {1: 0.4500, 2: 0.4600, 3: 0.4580},
    "teacher": {1: 0.5250, 2: 0.5190, 3: 0.5260},
    "student": {1: 0.5300, 2: 0.5400, 3: 0.5320},
}
NETWORKS = {
    "baseline": 78_042,
    "augmented": 78_042,
    "teacher": 4_903_242,
    "student": 78_042,
    "pretrain": 4_900_000,
}
LATENCIES = {"baseline": 0.31, "augmented": 0.31, "teacher": 4.62, "student": 0.31}
STAGES = {
    "baseline": "train",
    "pretrain": "pretrain",
    "teacher": "finetune",
    "student": "distill",
    "evaluation": "evaluate",
    "export": "export",
}
PARENTS = {
    "teacher": {"start": "pretrain"},
    "student": {"teacher": "teacher"},
    "evaluation": {"models[0]": "baseline", "models[1]": "teacher", "models[2]": "student"},
    "export": {"model": "student"},
}


class Tree:
    """Writes runs and studies; every number can be chosen."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: list[dict[str, Any]] = []
        self.summaries: dict[str, dict[str, Any]] = {}

    def write(self, path: str, content: Any) -> Path:
        """Writes JSON or text under the root."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else json.dumps(content))
        return target

    def run(
        self,
        node: str,
        seed: int,
        *,
        summary: dict[str, Any],
        axes: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        metrics: Sequence[dict[str, Any]] = (),
        stage: str = "",
    ) -> dict[str, Any]:
        """One finished run and its entry in the study."""
        stage, axes = stage or STAGES[node], axes or {}
        identity = sha256(f"{node}{seed}{axes}{settings}".encode()).hexdigest()[:12]
        parents = {
            role: {"identity": self._of(parent, seed, axes), "run": self._run(parent, seed, axes)}
            for role, parent in PARENTS.get(node, {}).items()
            if self._find(parent, seed, axes)
        }
        run = f"{stage}/{node}-{identity}"
        lines = [f"identity: {identity}", "settings:", f"  stage: {stage}", f"  seed: {seed}"]
        lines += [f"  {key}: {value}" for key, value in {**axes, **(settings or {})}.items()]
        lines += [f"  {role}: /elsewhere/{parent['run']}" for role, parent in parents.items()]
        self.write(f"{run}/config.yaml", "\n".join([*lines, "  machine:", f"    threads: {seed}"]))
        self.write(f"{run}/environment.json", {"python": "3.11", "libraries": {"torch": "2.15"}})
        if metrics:
            self.write(f"{run}/metrics.jsonl", "".join(f"{json.dumps(m)}\n" for m in metrics))
        content = {
            "stage": stage,
            "name": node,
            "identity": identity,
            "key": identity,
            "seed": seed,
            "parents": parents,
            "pack": "pack1",
            "version": "0.1.0+gabc1234",
            "seconds": 61.5,
            **summary,
            "finished": "2026-11-20T10:00:00Z",
        }
        self.write(f"{run}/summary.json", content)
        entry = {
            "node": node,
            "stage": stage,
            "seed": seed,
            "axes": axes,
            "run": run,
            "identity": identity,
            "status": "finished",
            "error": None,
        }
        self.entries.append(entry)
        self.summaries[run] = content
        return entry

    def train(
        self,
        node: str,
        seed: int,
        *,
        steps: int = 900,
        curve: int = 18,
        validation: float | None = None,
        nll: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """A training with its log and its checkpoints."""
        top1 = TEST.get(node, {}).get(seed, 0.5) if validation is None else validation
        best = steps - steps // 3
        checkpoints = {
            "last": {"step": steps, "val_top1": top1 + 0.01, "val_nll": 1.41},
            "best": {"step": best, "val_top1": top1 + 0.02, "val_nll": 1.38},
        }
        if node == "pretrain":
            checkpoints = {"last": {"step": steps, "val_knn_top1": 0.41}}
        changed = options.pop("summary", {})
        summary = {
            "labels": {"train": 0 if node == "pretrain" else 500, "validation": 100},
            "images": 45_000,
            "steps": steps,
            "planned_steps": steps,
            "epochs": 20.0,
            "precision": "bf16 channels_last",
            "parameters": NETWORKS.get(node, 100_000),
            "checkpoints": checkpoints,
            "skipped": {},
            **changed,
        }
        metrics = log(node, steps=steps, count=curve, top1=top1, wobble=seed)
        if nll:
            metrics = [
                {**line, "nll": 2 - line["step"] / steps} if line["phase"] == "validation" else line
                for line in metrics
            ]
        return self.run(node, seed, summary=summary, metrics=metrics, **options)

    def evaluate(
        self,
        seed: int,
        *,
        top1: dict[str, float] | None = None,
        classes: Sequence[str] = CLASSES,
        axes: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        examples: Sequence[dict[str, Any]] | str = (),
        **summary: Any,
    ) -> dict[str, Any]:
        """An evaluation of every trained classifier of a seed, at both checkpoints.

        Args:
            seed: Of the runs.
            top1: Test accuracies by node.
            classes: Their names.
            axes: Of the evaluation.
            settings: Of the evaluation.
            examples: Content of the student's file of images; none is written without.
            summary: Further fields of its summary.
        """
        levels = top1 or {node: by_seed[seed] for node, by_seed in TEST.items()}
        evaluations = [
            {
                "run": self._run(node, seed, axes or {}),
                "checkpoint": checkpoint,
                "identity": self._of(node, seed, axes or {}),
                **figures(level + 0.004 * (checkpoint == "best"), classes),
                "agreement": 0.81 if node == "student" else None,
                "examples": "examples/student.json" if node == "student" and examples else None,
                "parameters": NETWORKS[node],
                "macs": 10_000_000,
                "file_bytes": 330_000,
                "latency_ms_1": LATENCIES[node],
                "latency_ms_64": 9.0,
            }
            for node, level in levels.items()
            if self._find(node, seed, axes or {})
            for checkpoint in ("last", "best")
        ]
        content = {"split": "test", "images": 10_000, "classes": list(classes), **summary}
        told = {**content, "evaluations": evaluations}
        entry = self.run("evaluation", seed, summary=told, axes=axes, settings=settings)
        if examples:
            self.write(f"{entry['run']}/examples/student.json", examples)
        return entry

    def export(self, seed: int, **options: Any) -> dict[str, Any]:
        """An exported student."""
        parity = {"images": 512, "batches": [1, 2, 7, 32], "max_difference": 1.2e-5, "agreement": 1}
        content = {"file": "student.onnx", "file_bytes": 330_000, "parity": parity}
        return self.run("export", seed, summary=content, **options)

    def study(self, name: str = "few-labels", **fields: Any) -> Path:
        """The study's directory with everything written so far."""
        seeds = sorted({entry["seed"] for entry in self.entries} - {None})
        content = {
            "name": name,
            "title": "Few labels",
            "parameters": {"labels.per_class": 50},
            "scale": None,
            "seeds": seeds,
            "axes": {},
            "reduced": None,
            "runs": self.entries,
            **fields,
        }
        return self.write(f"studies/{name}/study.json", content).parent

    def _find(self, node: str, seed: int, axes: dict[str, Any]) -> dict[str, Any] | None:
        place = (node, seed, axes)
        found = [one for one in self.entries if (one["node"], one["seed"], one["axes"]) == place]
        return found[-1] if found else None

    def _of(self, node: str, seed: int, axes: dict[str, Any]) -> str:
        return str((self._find(node, seed, axes) or {"identity": ""})["identity"])

    def _run(self, node: str, seed: int, axes: dict[str, Any]) -> str:
        return str((self._find(node, seed, axes) or {"run": ""})["run"])


def log(node: str, *, steps: int, count: int, top1: float, wobble: int) -> list[dict[str, Any]]:
    """Lines of metrics.jsonl with a falling loss and a rising accuracy."""
    lines: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        share = number / count
        place = {"step": round(steps * share), "epoch": 20 * share}
        loss = 0.4 + 1.9 * math.exp(-3 * share) + 0.03 * math.sin(7 * number + wobble)
        reached = top1 * (1 - math.exp(-4 * share)) + 0.01 * math.sin(5 * number + wobble)
        seen = {"knn_top1": 0.2 + 0.2 * share} if node == "pretrain" else {"top1": reached}
        lines.append({**place, "phase": "train", "loss": loss, "spoiled_steps": 0})
        lines.append({**place, "phase": "validation", **seen})
    return lines


def figures(top1: float, classes: Sequence[str]) -> dict[str, Any]:
    """An evaluation's figures, each class a little easier or harder than the mean."""
    images, count = 1000, len(classes)
    recalls = [min(1.0, top1 * (1 + 0.4 * math.sin(2.3 * place))) for place in range(count)]
    confusion = []
    for place, recall in enumerate(recalls):
        right = round(images * recall)
        row = [0] * count
        row[place] = right
        row[(place + 1) % count] += (images - right) // 2
        row[(place + 3) % count] += images - right - (images - right) // 2
        confusion.append(row)
    per_class = [
        {"class": name, "precision": recall, "recall": recall, "f1": recall, "images": images}
        for name, recall in zip(classes, recalls, strict=True)
    ]
    return {
        "top1": top1,
        "top5": min(1.0, top1 + 0.4),
        "macro_f1": top1 - 0.005,
        "ece": 0.071,
        "nll": 1.4,
        "confusion": confusion,
        "per_class": per_class,
        "reliability": [
            {"confidence": 0.3, "accuracy": 0.2, "share": 0.25},
            {"confidence": 0.7, "accuracy": 0.5, "share": 0.5},
            {"confidence": 0.97, "accuracy": 0.9, "share": 0.25},
        ],
    }


DOT = "UklGRh4AAABXRUJQVlA4TBEAAAAvAAAAAAdQwAIWsP+BiOh/AAA="
"""One grey pixel as WebP, base64."""


def example(image: str, *, why: str = "mistake", **fields: Any) -> dict[str, Any]:
    """One image as an evaluation writes it."""
    return {
        "image": image,
        "why": why,
        "class": "cat",
        "probability_of_class": 0.02,
        "answer": "dog",
        "probability": 0.97,
        "teacher": {"answer": "cat", "probability": 0.6},
        "webp": DOT,
        **fields,
    }


def main_job(tree: Tree, *, seeds: Sequence[int] = (1, 2, 3), **evaluation: Any) -> Tree:
    """The main job: baseline, pretrain, teacher, student, evaluation and export of each seed."""
    for seed in seeds:
        tree.train("baseline", seed)
        tree.train("pretrain", seed)
        tree.train("teacher", seed, steps=300)
        tree.train("student", seed)
        tree.evaluate(seed, **evaluation)
        tree.export(seed)
    return tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty tree of runs."""
    return Tree(tmp_path / "runs")


@pytest.fixture
def run_main_job(tree: Tree) -> Callable[..., Tree]:
    """Fills the tree with the main job of some seeds."""

    def fill(**options: Any) -> Tree:
        return main_job(tree, **options)

    return fill


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The main job with three seeds; tests add files to it, but change none."""
    return main_job(Tree(tmp_path_factory.mktemp("results") / "runs")).study()
