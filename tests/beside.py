"""What docs/objectives.md says of the losses of other libraries, held against them and ours.

The page says it, in a table: a test reads from it what a loss of theirs is in terms of ours.
"""

from collections.abc import Callable, Sequence
from math import log
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.objective import ObjectiveSettings, combine

PAGE = Path(__file__).parents[1] / "docs" / "objectives.md"
BEGINNING = "## Beside "

# No two are alike, so that no factor can pass for another.
BATCH, CLASSES, FEATURES, TEMPERATURE = 6, 7, 5, 3.0
LABELS = torch.arange(BATCH) % CLASSES
TARGETS = Targets(labels=LABELS, index=torch.arange(BATCH))

Loss = Callable[[Tensor], Tensor]
"""Of what the student gives."""

RELATIONS: dict[str, Loss] = {
    "the same": lambda ours: ours,
    "ours / T²": lambda ours: ours / TEMPERATURE**2,
    "T² ours": lambda ours: TEMPERATURE**2 * ours,
    "(K - 1) / K ours": lambda ours: (CLASSES - 1) / CLASSES * ours,
    "(K - 1) / K ours / T²": lambda ours: (CLASSES - 1) / CLASSES * ours / TEMPERATURE**2,
    "(B - 1) / B ours": lambda ours: (BATCH - 1) / BATCH * ours,
    "(B - 1)(B - 2) / B² ours": lambda ours: (BATCH - 1) * (BATCH - 2) / BATCH**2 * ours,
    "ours + 2 log B": lambda ours: ours + 2 * log(BATCH),
    "√(B (B - 1) ours) / B²": lambda ours: (BATCH * (BATCH - 1) * ours).sqrt() / BATCH**2,
    "(2 + 2 ours) / D": lambda ours: (2 + 2 * ours) / FEATURES,
}
"""What the page says that theirs is, as a function of ours."""

ANOTHER = "another formula"


class Row(NamedTuple):
    """Of the page's table."""

    library: str
    theirs: str
    ours: str
    relation: str
    how: str


class Comparison(NamedTuple):
    """A loss of theirs and ours, of the same student."""

    student: Tensor
    theirs: Loss
    ours: Loss
    changed: Loss | None = None
    """Where theirs is another formula: that formula, made of parts of ours as the page says."""
    otherwise: Loss | None = None
    """Where the page names a condition: theirs without it, which is another formula."""


def beside(library: str | None = None) -> list[Row]:
    """The table's rows, of one library or all."""
    section = PAGE.read_text().partition(BEGINNING)[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    rows = [Row(*(cell.strip() for cell in line.split("|")[1:-1])) for line in lines]
    return [row for row in rows if library in (None, row.library)]


def drawn(*size: int, seed: int) -> Tensor:
    """Normal values, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, dtype=torch.float64, generator=generator)


def logits() -> tuple[Tensor, Tensor]:
    """Student's and teacher's."""
    return 3 * drawn(BATCH, CLASSES, seed=1), 3 * drawn(BATCH, CLASSES, seed=2)


def wanted(
    terms: Sequence[ObjectiveSettings], teacher: Outputs, tap: Callable[[Tensor], Outputs]
) -> Loss:
    """What a training with these terms minimises, where no term has parameters of its own."""

    def loss(values: Tensor) -> Tensor:
        student = tap(values)
        combined = combine(
            terms, student=_shape(student), guidance=_shape(teacher), images=TARGETS.index
        )
        total: Tensor
        total, _ = combined((student,), (teacher,), TARGETS)
        return total

    return loss


def _shape(outputs: Outputs) -> Shape:
    width = 0 if outputs.pooled is None else outputs.pooled.shape[1]
    classes = None if outputs.logits is None else outputs.logits.shape[1]
    return Shape(pooled=width, stages=(), num_classes=classes)


def wanted_of_logits(*terms: ObjectiveSettings, teacher: Tensor) -> Loss:
    """As `wanted`, of the student's logits."""
    return wanted(terms, Outputs(logits=teacher), lambda values: Outputs(logits=values))


def wanted_of_pooled(*terms: ObjectiveSettings, teacher: Tensor) -> Loss:
    """As `wanted`, of the student's pooled features."""
    return wanted(terms, Outputs(pooled=teacher), lambda values: Outputs(pooled=values))


def hold(row: Row, comparison: Comparison) -> None:
    """Theirs is what the page says, in value and in gradient with respect to the student."""
    student, theirs, ours, changed, otherwise = comparison
    if row.relation == ANOTHER:
        assert changed is not None
        expected, otherwise = changed, theirs
    else:
        relation = RELATIONS[row.relation]

        def expected(values: Tensor) -> Tensor:
            return relation(ours(values))

    if otherwise is not None:
        _, mine = _value_and_gradient(ours, student)
        _, other = _value_and_gradient(otherwise, student)
        alike = F.cosine_similarity(mine.flatten(), other.flatten(), dim=0)
        assert alike < 1 - 1e-3, "no other formula: a factor would do"

    found, said = _value_and_gradient(theirs, student), _value_and_gradient(expected, student)
    for mine, other in zip(found, said, strict=True):
        assert other.abs().max() > 1e-4, "nothing to compare"
        # They add 1e-7 or 1e-8 here and there.
        assert_close(mine, other, rtol=1e-5, atol=1e-5 * other.abs().max().item())


def _value_and_gradient(loss: Loss, student: Tensor) -> tuple[Tensor, Tensor]:
    given = student.clone().requires_grad_()
    value = loss(given).squeeze()
    (gradient,) = torch.autograd.grad(value, given)
    return value.detach(), gradient
