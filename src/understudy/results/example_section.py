"""The page's section of images: what they are, and what student and teacher say they are."""

from collections.abc import Sequence

from understudy.results.comparison import Comparison
from understudy.results.evaluations import best_student, evaluations_of
from understudy.results.examples import Example, examples_of
from understudy.results.formats import percent, plural
from understudy.results.leaks import sign
from understudy.results.markup import Markup, element, joined, section
from understudy.results.records import StudyRecord
from understudy.results.values import text

UNBROKEN = "\u00a0"  # no line begins with a percent sign
KINDS = {
    "mistake": "Wrong, the surest first",
    "taught otherwise": "Wrong where the teacher is right",
    "surpassed": "Right where the teacher is wrong",
    "right": "Right, but hardly sure",
}


def images(record: StudyRecord, found: Comparison) -> Markup | None:
    """Test images of the student that is looked at closely, the surest mistakes first."""
    line = best_student(found)
    evaluations = evaluations_of(record, line) if line else []
    shown = examples_of(evaluations)
    if line is None or shown is None:
        kept = any(text(one.figures.get("examples")) for one in evaluations)
        told_so = "The images that the evaluation kept cannot be read."
        return section("images", "Images", element("p", told_so)) if kept else None
    seed = shown.evaluation.entry.seed
    which = f"{line.name}, {line.checkpoint} checkpoint" + (
        "" if seed is None else f", seed {seed}"
    )
    told = [
        (title, [one for one in shown.examples if one.why == kind]) for kind, title in KINDS.items()
    ]
    filled = [(title, group) for title, group in told if group]
    if not filled:
        return None
    first, *others = filled
    more = f" {shown.left_out} more lie in the run and are not shown." if shown.left_out else ""
    return section(
        "images",
        "Images",
        element(
            "p",
            f"{which}. Test images{sign(line.rows, 'test_top1')} with their class, and what the "
            f"models call them. A sure mistake may be a wrong label: look at it.{more}",
            class_="quiet note",
        ),
        element("h3", first[0]),
        _grid(first[1], line.name),
        *(
            element(
                "details",
                element("summary", f"{title} ({plural(len(group), 'image')})"),
                _grid(group, line.name),
            )
            for title, group in others
        ),
    )


def _grid(examples: Sequence[Example], name: str) -> Markup:
    return element("ul", *(_tile(one, name) for one in examples), class_="images")


def _tile(example: Example, name: str) -> Markup:
    picture = element(
        "img",
        src=f"data:image/webp;base64,{example.webp}",
        alt=f"{example.label}: {example.image}",
        title=example.image,
    )
    says = [_says(name, example.answer, example.probability, example.label)]
    if example.teacher is not None:
        says.append(_says("teacher", example.teacher, example.teachers_probability, example.label))
    return element("li", picture, element("p", element("b", example.label)), *says)


def _says(who: str, answer: str, probability: float, label: str) -> Markup:
    right = answer == label
    told = f"{answer}, {percent(probability, digits=0).replace(' ', UNBROKEN)}"
    mark = element("span", "✓ " if right else "✗ ", class_="mark")
    return element(
        "p",
        element("small", f"{who} "),
        joined([mark, told]),
        class_="right" if right else "wrong",
    )
