"""The settings of a stage for `--help`, from the generated reference: no torch needed."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from understudy.cli.plain_text import wrapped
from understudy.core.wording import closest

RUNS = ("run", "list of run")  # how the reference writes what such a setting allows

OR_NONE = "run | null"


@cache
def reference() -> Mapping[str, Any]:
    """What `python -m understudy.reference` wrote."""
    text = resources.files("understudy").joinpath("settings_reference.json").read_text("utf-8")
    content: Mapping[str, Any] = json.loads(text)
    return content


def setting_keys(stage: str) -> list[str]:
    """Every dotted key of a stage."""
    return list(dict.fromkeys(s["key"] for s in reference()["stages"][stage]["settings"]))


class OwnRuns(NamedTuple):
    """The setting of a stage that names the finished runs which it works on."""

    key: str
    takes_several: bool


def own_runs(stage: str) -> OwnRuns | None:
    """That setting, where the stage has one."""
    allowed = {s["key"]: s["allowed"] for s in reference()["stages"][stage]["settings"]}
    required = [OwnRuns(key, words != "run") for key, words in allowed.items() if words in RUNS]
    optional = [OwnRuns(key, takes_several=False) for key, w in allowed.items() if w == OR_NONE]
    if required:
        return required[0] if len(required) == 1 else None
    return (
        optional[0] if optional else None
    )  # of several the first: what a distillation learns from


def settings_help(stage: str) -> str:
    """All settings of a stage in 79 columns, each as `key=default` with what is allowed."""
    lines: list[str] = []
    before = ""
    for setting in reference()["stages"][stage]["settings"]:
        if setting["only"] != before:
            before = setting["only"]
            lines += [f"  with {before}:"] if before else []
        lines += _lines(setting, indent="    " if before else "  ")
    return "\n".join(["Settings, as `key=value` words or in the recipe:", "", *lines])


def _lines(setting: Mapping[str, str], indent: str) -> Sequence[str]:
    if setting["allowed"] == "settings":
        return wrapped(
            setting["help"], first=f"{indent}{setting['key']}.*  ", indent=f"{indent}    "
        )
    default = setting["default"] or "..."
    return wrapped(
        f"({setting['allowed']}) {setting['help']}",
        first=f"{indent}{setting['key']}={default}  ",
        indent=f"{indent}    ",
    )


def meant(option: str, *, command: str) -> str:
    """A hint for an unknown option that may be meant as a setting, as `--epochs` may."""
    key = option.lstrip("-").split("=")[0].replace("-", "_")
    keys = setting_keys(command) if command in reference()["stages"] else []
    ends = [known for known in keys if known.split(".")[-1] == key]
    close = next(iter(ends), None) or closest(key, keys)
    if close:
        return f" Settings are written without dashes: did you mean `{close}=...`?"
    return " Settings are written without dashes, as `key=value`."
