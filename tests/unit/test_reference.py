"""The settings' reference that is shipped."""

import json
import re

from understudy.reference import PLACE, Setting, as_text, reference
from understudy.stages import STAGES


def settings(stage: str) -> list[Setting]:
    return [Setting(**entry) for entry in reference()["stages"][stage]["settings"]]


def test_the_file_is_what_the_stages_say_now() -> None:
    assert PLACE.read_text(encoding="utf-8") == as_text(reference()), "run `make docs`"


def test_every_stage_and_every_one_of_its_fields_is_there() -> None:
    for stage, kind in STAGES.items():
        keys = {re.split(r"[.\[]", setting.key)[0] for setting in settings(stage)}
        assert keys == set(kind.model_fields) - {"stage"}


def test_a_default_further_out_goes_over_one_further_in() -> None:
    """`plan` of a distillation is `PlanSettings(epochs=30)`; alone it has no epochs."""
    (epochs,) = [setting for setting in settings("distill") if setting.key == "plan.epochs"]

    assert float(epochs.default) == STAGES["distill"].model_fields["plan"].default.epochs


def test_a_choice_of_kinds_is_one_key_and_each_kind_has_its_own() -> None:
    found = {(setting.key, setting.only): setting for setting in settings("distill")}

    kind = found["student.kind", ""]
    assert "cifar_resnet" in kind.allowed.split(" | ")
    assert ("student.depth", "student.kind=cifar_resnet") in found
    assert found["teacher", ""].allowed == "run | null"
    (start,) = [setting for setting in settings("finetune") if setting.key == "start"]
    assert (start.allowed, start.default) == ("run", "")


def test_nothing_of_this_machine_is_in_it() -> None:
    text = json.dumps(reference())

    assert "/home" not in text
    assert "/work" not in text


def test_every_setting_says_what_it_means() -> None:
    silent = [setting.key for stage in STAGES for setting in settings(stage) if not setting.help]

    assert silent == []
