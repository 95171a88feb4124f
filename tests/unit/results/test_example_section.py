import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.results.conftest import DOT, example

from understudy.results.comparison import comparison
from understudy.results.evaluations import evaluations_of
from understudy.results.example_section import images
from understudy.results.examples import examples_of
from understudy.results.find import find


def shown(study: Path) -> str:
    record = find(study)
    return str(images(record, comparison(record)) or "").replace("\u00a0", " ")


def test_each_image_has_its_class_and_both_answers(run_main_job: Any) -> None:
    other = {"answer": "bee", "probability": 0.805}
    told = [example("a/1.png"), example("a/2.png", why="surpassed", answer="cat", teacher=other)]

    text = shown(run_main_job(seeds=(1, 2), examples=told).study())

    assert "student, last checkpoint, seed 1." in text
    assert text.index("Wrong, the surest first") < text.index("Right where the teacher is wrong")
    first, second = text.split("<img ")[1:]
    assert 'alt="cat: a/1.png"' in first
    for part in ("<b>cat</b>", "✗ </span>dog, 97 %", "✓ </span>cat, 60 %"):
        assert part in first
    for part in ("✓ </span>cat, 97 %", "✗ </span>bee, 80 %"):
        assert part in second
    assert text.count(DOT) == 2


def test_a_model_without_a_teacher_answers_alone(run_main_job: Any) -> None:
    text = shown(run_main_job(seeds=(1,), examples=[example("a.png", teacher=None)]).study())

    assert "teacher </small>" not in text
    assert "dog, 97 %" in text


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "[[]]", json.dumps([example("a", webp="<svg onload=x>")])],
)
def test_without_a_readable_image_the_section_says_so(run_main_job: Any, content: str) -> None:
    text = shown(run_main_job(seeds=(1,), examples=content or " ").study())

    assert "The images that the evaluation kept cannot be read." in text
    assert "<img" not in text


def test_an_evaluation_that_kept_no_image_has_no_section(study: Path) -> None:
    assert shown(study) == ""


@pytest.mark.parametrize("name", ["../../secret.json", "/etc/secret.json", "examples/a.txt", "", 3])
def test_a_file_outside_of_the_run_is_never_read(run_main_job: Any, name: Any) -> None:
    tree = run_main_job(seeds=(1,), examples=[example("a.png")])
    tree.write("secret.json", [example("secret.png")])
    evaluation = next(run for run in tree.summaries if run.startswith("evaluate/"))
    (tree.root / evaluation / "examples" / "a.txt").write_text(json.dumps([example("secret.png")]))
    summary = tree.summaries[evaluation]
    for one in summary["evaluations"]:
        one["examples"] = name
    tree.write(f"{evaluation}/summary.json", summary)

    assert "<img" not in shown(tree.study())


def test_a_link_out_of_the_run_is_never_followed(run_main_job: Any) -> None:
    tree = run_main_job(seeds=(1,), examples=[example("a.png")])
    secret = tree.write("secret.json", [example("secret.png")])
    place = next(tree.root.glob("evaluate/*/examples/student.json"))
    place.unlink()
    place.symlink_to(secret)

    assert "<img" not in shown(tree.study())


def test_pictures_never_make_a_heavy_page(run_main_job: Any) -> None:
    heavy = [example(f"{number}.png", webp="A" * 50_000) for number in range(48)]
    study = run_main_job(seeds=(1,), examples=heavy).study()
    record = find(study)
    (line,) = [one for one in comparison(record).at("last") if one.name == "student"]

    found = examples_of(evaluations_of(record, line))

    assert found is not None
    assert sum(len(one.webp) for one in found.examples) <= 600_000
    assert "36 more" in shown(study)
