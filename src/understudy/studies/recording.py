"""study.json: what a study asks for, how far it is, and what it tried."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from understudy.core.files import write_json
from understudy.core.wording import named
from understudy.results.values import listing, mapping, read_object, text
from understudy.studies.execution import Execution
from understudy.studies.plan import Node, Plan
from understudy.studies.tuning import Scores, Setting, Tuning


class Tried(NamedTuple):
    """How far the tuning of a study is."""

    tuning: Tuning
    scores: Scores
    among: Sequence[Setting]
    """What is tuned; empty while that is not known."""
    is_over: bool


class Record:
    """Writes the record of a study.

    Args:
        folder: The study's.
        packs: Keys of its images.
        outside: Runs that are none of its own, and that it is made from.
        execution: What is known of its runs.
    """

    def __init__(
        self, folder: Path, *, packs: Sequence[str], outside: Sequence[str], execution: Execution
    ) -> None:
        self.folder, self.packs, self.outside = folder, packs, outside
        self.execution = execution
        self._earlier: dict[str, dict[str, Any]] = {}

    def write(self, planned: Plan, tried: Tried | None) -> None:
        """Writes how far the study is.

        Args:
            planned: What it asks for, as far as that is known.
            tried: What it tries before that.
        """
        study = planned.study
        self._earlier |= _finished_before(self.folder)  # another process may do the same study
        content = {
            "name": study.name,
            "title": study.title,
            "parameters": dict(study.parameters),
            "changed": study.changed,
            "scale": study.scale,
            "reduced": study.reduced,
            "seeds": list(study.seeds),
            "axes": {axis: list(values) for axis, values in study.axes.items()},
            "reference": dict(study.reference),
            "published": [one.model_dump(mode="json") for one in study.published],
            "packs": list(self.packs),
            "outside": list(self.outside),
            "runs": [self._entry(node) for node in planned.nodes],
        }
        tuning = {} if tried is None else {"tuning": self._tuning(tried)}
        write_json(self.folder / "study.json", {**content, **tuning})

    def _tuning(self, tried: Tried) -> dict[str, Any]:
        tuning = tried.tuning
        return {
            "stage": tuning.settings.stage,
            "grid": tuning.settings.model_dump(mode="json")["grid"],
            "seed": tuning.seed,
            "best": tuning.settings.best,
            "monitor": tuning.monitor,
            "runs": [self._entry(node) for node in tuning.runs],
            "tried": [self._setting(setting, tried) for setting in tuning.tried],
        }

    def _setting(self, setting: Setting, tried: Tried) -> dict[str, Any]:
        is_tuned = setting in tried.among
        taken = setting.taken(tried.scores) if is_tuned else setting.candidates[0]
        return {
            "axes": {axis: named(value) for axis, value in setting.axes.items()},
            "tuned": is_tuned,
            "candidates": [
                {
                    "values": dict(one.values),
                    "written": one is setting.candidates[0],
                    "score": tried.scores.get(one.node.key),
                    "taken": tried.is_over and one is taken,
                    **{
                        key: value
                        for key, value in self._entry(one.node).items()
                        if key in ("run", "status", "error")
                    },
                }
                for one in (setting.candidates if is_tuned else setting.candidates[:1])
            ],
        }

    def _entry(self, node: Node) -> dict[str, Any]:
        done = self.execution
        path, error = done.paths.get(node.key), done.errors.get(node.key)
        place = {"node": node.name, "seed": node.seed, "axes": dict(node.axes)}
        if not path and not error and (earlier := self._earlier.get(node.key)):
            return {**earlier, **place}
        status = "finished" if path else "failed" if error else "pending"
        return {
            "node": node.name,
            "stage": node.stage,
            "seed": node.seed,
            "axes": dict(node.axes),
            "run": f"{path.parent.name}/{path.name}" if path else None,
            "identity": done.identities.get(node.key),
            "key": node.key,
            "status": status,
            "error": str(error) if error else None,
        }


def _finished_before(folder: Path) -> dict[str, dict[str, Any]]:
    """By key, the finished runs that the study's record names, until this process comes to them."""
    content = read_object(folder / "study.json")[0]
    listed = [*listing(content.get("runs")), *listing(mapping(content.get("tuning")).get("runs"))]
    told = map(mapping, listed)
    return {text(run.get("key")): run for run in told if run.get("status") == "finished"}
