"""The objectives beside the losses of torchdistill, as docs/objectives.md has it."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.beside import (
    BATCH,
    CLASSES,
    LABELS,
    TARGETS,
    TEMPERATURE,
    Comparison,
    Row,
    beside,
    drawn,
    hold,
    logits,
    wanted_of_logits,
    wanted_of_pooled,
)
from torch import Tensor, nn

from understudy.core.types import Outputs, Shape, Stage, Targets
from understudy.objectives.distill.attention import AttentionSettings, attention_distance
from understudy.objectives.distill.contrastive import ContrastiveSettings
from understudy.objectives.distill.correlation import CorrelationSettings
from understudy.objectives.distill.dist import DistSettings
from understudy.objectives.distill.hints import HintsSettings
from understudy.objectives.distill.logit_mse import LogitMseSettings
from understudy.objectives.distill.probability import ProbabilitySettings, neighbourhood
from understudy.objectives.distill.projection import ProjectionSettings
from understudy.objectives.distill.relational import RelationalSettings
from understudy.objectives.distill.review import Level, ReviewSettings
from understudy.objectives.distill.similarity import SimilaritySettings, similarities
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.distill.standardized import StandardizedSettings
from understudy.objectives.distill.variational import Guess, VariationalSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import Objective

ENDS = ("there", "output") * 2  # where their losses look for both sides
CHANNELS, THEIRS = 3, (4, 5)  # of the student, and of the teacher at either stage
SIDES = 8, 4
STUDENT = Shape(CHANNELS, (Stage("first", CHANNELS, 1), Stage("last", CHANNELS, 2)))
TEACHER = Shape(THEIRS[1], (Stage("first", THEIRS[0], 1), Stage("last", THEIRS[1], 2)))


def module(name: str) -> Any:
    """Of torchdistill."""
    return pytest.importorskip(
        f"torchdistill.{name}", reason="torchdistill is not installed: pip install torchdistill"
    )


def losses() -> Any:
    return module("losses.mid_level")


def told(**values: Any) -> dict[str, dict[str, Any]]:
    """As their hooks tell what a network's modules gave."""
    return {path: {"output": value} for path, value in values.items()}


def asked(criterion: Any, student: Tensor, teacher: Tensor, *labels: Tensor) -> Tensor:
    loss: Tensor = criterion(told(there=student), told(there=teacher), *labels)
    return loss


def soft_label_with_labels() -> Comparison:
    student, teacher = logits()
    criterion = losses().KDLoss(*ENDS, temperature=TEMPERATURE, alpha=0.3)
    terms = LabelSettings(weight=0.3), SoftLabelSettings(weight=0.7, temperature=TEMPERATURE)
    return Comparison(
        student,
        lambda values: asked(criterion, values, teacher, LABELS),
        wanted_of_logits(*terms, teacher=teacher),
    )


def soft_label_alone() -> Comparison:
    student, teacher = logits()
    criterion = losses().KDLoss(*ENDS, temperature=TEMPERATURE, alpha=0, beta=0.7)
    return Comparison(
        student,
        lambda values: asked(criterion, values, teacher, LABELS),
        wanted_of_logits(SoftLabelSettings(temperature=TEMPERATURE), teacher=teacher),
    )


def standardized_at_their_temperature(teacher: Tensor) -> Callable[[Tensor], Tensor]:
    """Their z-scores are smaller by the root of (K - 1) / K."""
    warmer = TEMPERATURE * sqrt(CLASSES / (CLASSES - 1))
    return wanted_of_logits(StandardizedSettings(temperature=warmer), teacher=teacher)


def standardized_with_labels() -> Comparison:
    student, teacher = logits()
    criterion = losses().LogitStdKDLoss(*ENDS, temperature=TEMPERATURE, alpha=0.5, beta=1)
    return Comparison(
        student,
        lambda values: (
            asked(criterion, values, teacher, LABELS) - F.cross_entropy(values, LABELS) / 2
        ),
        standardized_at_their_temperature(teacher),
    )


def standardized_alone() -> Comparison:
    student, teacher = logits()
    criterion = losses().LogitStdKDLoss(*ENDS, temperature=TEMPERATURE, alpha=0, beta=9)
    return Comparison(
        student,
        lambda values: asked(criterion, values, teacher, LABELS),
        standardized_at_their_temperature(teacher),
    )


def dist() -> Comparison:
    student, teacher = logits()
    criterion = losses().DISTLoss(*ENDS, beta=2, gamma=0.5, tau=TEMPERATURE)
    term = DistSettings(temperature=TEMPERATURE, beta=2, gamma=0.5)
    return Comparison(
        student,
        lambda values: asked(criterion, values, teacher),
        wanted_of_logits(term, teacher=teacher),
    )


def compared_as_they_are() -> Any:
    """Their way to minimise the squared distance between two outputs."""
    return losses().SimpleLossWrapper(
        nn.MSELoss(),
        input={"is_from_teacher": False, "module_path": "there", "io": "output"},
        target={"is_from_teacher": True, "module_path": "there", "io": "output"},
    )


def logit_mse() -> Comparison:
    student, teacher = logits()
    criterion = compared_as_they_are()
    return Comparison(
        student,
        lambda values: asked(criterion, values, teacher, LABELS),
        wanted_of_logits(LogitMseSettings(), teacher=teacher),
    )


def pooled() -> tuple[Tensor, Tensor]:
    """Of other widths in student and teacher."""
    return drawn(BATCH, 4, seed=3), drawn(BATCH, 9, seed=4)


def probability() -> Comparison:
    student, teacher = pooled()
    criterion = losses().PKTLoss(*ENDS)

    def with_itself(features: Tensor) -> Tensor:
        directions = F.normalize(features, dim=1)
        others = ((directions @ directions.T + 1) / 2).sum(dim=1, keepdim=True) - 1
        itself = torch.eye(BATCH, dtype=features.dtype)
        return (neighbourhood(features) * others + itself) / (others + 1)

    def changed(values: Tensor) -> Tensor:
        mine, other = with_itself(values), with_itself(teacher)
        return (other * (other / mine).log()).sum() / BATCH**2

    return Comparison(
        student,
        lambda values: asked(criterion, values, teacher),
        wanted_of_pooled(ProbabilitySettings(), teacher=teacher),
        changed,
    )


def relational(*, distance: float, angle: float) -> Comparison:
    student, teacher = pooled()
    criterion = losses().RKDLoss("there", "there", distance, angle, "mean")
    return Comparison(
        student,
        lambda values: asked(criterion, values, teacher),
        wanted_of_pooled(RelationalSettings(distance=distance, angle=angle), teacher=teacher),
    )


def correlation() -> Comparison:
    student, teacher = pooled()
    kernel = {"type": "gaussian", "gamma": 0.4, "max_p": 2}
    criterion = losses().CCKDLoss("there", "there", kernel, "batchmean")
    return Comparison(
        student,
        lambda values: asked(criterion, F.normalize(values, dim=1), F.normalize(teacher, dim=1)),
        wanted_of_pooled(CorrelationSettings(gamma=0.4, order=2), teacher=teacher),
        otherwise=lambda values: asked(criterion, values, teacher),
    )


def projection() -> Comparison:
    student, _ = logits()
    teacher = Outputs(logits=drawn(BATCH, CLASSES, seed=2), pooled=drawn(BATCH, 9, seed=5))
    assert teacher.logits is not None and teacher.pooled is not None
    shapes = Shape(CLASSES, (), CLASSES), Shape(9, (), CLASSES)
    ours = ProjectionSettings(power=3).build(*shapes, TARGETS.index).double()
    soft_label = wanted_of_logits(
        SoftLabelSettings(weight=TEMPERATURE**-2, temperature=TEMPERATURE), teacher=teacher.logits
    )
    criterion = losses().SRDLoss(
        *("norm", "output") * 2, *ENDS, exponent=3.0, temperature=TEMPERATURE
    )
    norms = [nn.BatchNorm1d(9).double() for _ in range(2)]

    def theirs(values: Tensor) -> Tensor:
        guess, taught = norms[0](ours.projector(values)), norms[1](teacher.pooled)
        loss: Tensor = criterion(
            told(norm=guess, there=values), told(norm=taught, there=teacher.logits)
        )
        return loss

    return Comparison(
        student,
        theirs,
        lambda values: 2 * told_by(ours, Outputs(pooled=values), teacher) + soft_label(values),
    )


def contrastive() -> Comparison:
    """Two steps, so that what is remembered counts as well."""
    images, negatives, width = 40, 15, 8
    student, teacher = pooled()
    ours = ContrastiveSettings(width=width, negatives=negatives).build(
        Shape(4, ()), Shape(9, ()), torch.arange(images)
    )
    ours.double()
    memory = ours.memory
    rows = torch.arange(images - BATCH, images)  # beyond what two steps draw
    targets = TARGETS._replace(index=memory.order.argsort()[rows])

    criterion = losses().CRDLoss(
        *("normalizer", "empty", "normalizer"), width, images, negatives, images
    )
    criterion.double()
    criterion.memory_v1.copy_(memory.student)
    criterion.memory_v2.copy_(memory.teacher)
    wrapper = module("models.wrapper")
    learning = wrapper.Normalizer4CRD(ours.embed_student)
    teaching = wrapper.Normalizer4CRD(ours.embed_teacher)

    def step(values: Tensor, number: int) -> Tensor:
        others = (torch.arange(negatives) + number * negatives).expand(BATCH, -1)
        drawn_here = {"pos_idx": rows, "contrast_idx": torch.cat([rows[:, None], others], dim=1)}
        learned = told(normalizer=learning(values))
        loss: Tensor = criterion(
            {**learned, "empty": {"input": drawn_here}}, told(normalizer=teaching(teacher))
        )
        return loss

    def our_step(values: Tensor) -> Tensor:
        return told_by(ours, Outputs(pooled=values), Outputs(pooled=teacher), targets)

    return Comparison(
        student,
        lambda values: step(values, 0) + step(values.flip(1), 1),
        lambda values: our_step(values) + our_step(values.flip(1)),
    )


def told_by(
    objective: Objective, student: Outputs, teacher: Outputs, targets: Targets = TARGETS
) -> Tensor:
    """An objective's terms, added up."""
    return torch.stack(list(objective((student,), (teacher,), targets).values())).sum()


def maps() -> tuple[Tensor, Outputs]:
    """What the student's stages are made of, and the teacher's outputs."""
    stages = tuple(
        drawn(BATCH, width, side, side, seed=6 + place)
        for place, (width, side) in enumerate(zip(THEIRS, SIDES, strict=True))
    )
    student = drawn(BATCH, CHANNELS, SIDES[0], SIDES[0], seed=8)
    return student, Outputs(stages=stages, pooled=drawn(BATCH, THEIRS[1], seed=9))


def network(values: Tensor) -> Outputs:
    """A student of two stages, of which the first is given."""
    last = F.max_pool2d(values, 2)
    return Outputs(stages=(values, last), pooled=last.mean(dim=(2, 3)))


def hints() -> Comparison:
    student, teacher = maps()
    ours = HintsSettings(stages="last").build(STUDENT, TEACHER, TARGETS.index).double()
    (regressor,) = ours.regressors
    theirs = module("models.adaptation").ConvReg(CHANNELS, THEIRS[1], 1, 1, 0, uses_relu=False)
    theirs.double().conv.weight.data.copy_(next(regressor.parameters()))
    criterion = compared_as_they_are()
    return Comparison(
        student,
        lambda values: asked(
            criterion, theirs(network(values).stages[1]), teacher.stages[1], LABELS
        ),
        lambda values: told_by(ours, network(values), teacher),
    )


def attention(mode: str) -> Comparison:
    student, teacher = maps()
    ours = AttentionSettings().build(STUDENT, TEACHER, TARGETS.index)
    paths = [{"io": "output", "path": stage.name} for stage in STUDENT.stages]
    pairs = {path["path"]: {"student": path, "teacher": path} for path in paths}
    criterion = losses().ATLoss(pairs, mode=mode)

    def of_stages(outputs: Outputs) -> dict[str, dict[str, Any]]:
        first, last = outputs.stages
        return told(first=first, last=last)

    def theirs(values: Tensor) -> Tensor:
        loss: Tensor = criterion(of_stages(network(values)), of_stages(teacher))
        return loss

    def changed(values: Tensor) -> Tensor:
        """Of each image at each stage, the distance itself."""
        total = torch.zeros((), dtype=values.dtype)
        for mine, other in zip(network(values).stages, teacher.stages, strict=True):
            for image in range(BATCH):
                one = slice(image, image + 1)
                places = mine.shape[2:].numel()
                total = total + (places * attention_distance(mine[one], other[one], 2.0)).sqrt()
        return total / BATCH

    return Comparison(
        student, theirs, lambda values: told_by(ours, network(values), teacher), changed
    )


def similarity() -> Comparison:
    student, teacher = maps()
    ours = SimilaritySettings().build(STUDENT, TEACHER, TARGETS.index)
    criterion = losses().SPKDLoss("there", "there", "batchmean")

    def rows(features: Tensor) -> Tensor:
        products = similarities(features.flatten(1))
        return products / products.abs().sum(dim=1, keepdim=True)

    def changed(values: Tensor) -> Tensor:
        difference = rows(network(values).stages[1]) - rows(teacher.stages[1])
        return difference.square().sum() / BATCH**2

    return Comparison(
        student,
        lambda values: asked(criterion, network(values).stages[1], teacher.stages[1]),
        lambda values: told_by(ours, network(values), teacher),
        changed,
    )


def variational() -> Comparison:
    student, teacher = maps()
    ours = VariationalSettings(variance=2).build(STUDENT, TEACHER, TARGETS.index).double()
    regressors = []
    for guess, width in zip(ours.guesses, THEIRS, strict=True):
        assert isinstance(guess, Guess)
        theirs = module("models.wrapper").Regressor4VID(CHANNELS, width, width, 1e-5, 2.0)
        theirs.double().regressor.load_state_dict(guess.mean.state_dict())
        regressors.append(theirs)
    pairs = {
        stage.name: {
            "student": {"io": "output", "path": stage.name},
            "teacher": {"io": "output", "path": stage.name},
        }
        for stage in STUDENT.stages
    }
    criterion = losses().VIDLoss(pairs)

    def theirs_of(values: Tensor) -> Tensor:
        first, last = network(values).stages
        loss: Tensor = criterion(
            told(first=regressors[0](first), last=regressors[1](last)),
            told(first=teacher.stages[0], last=teacher.stages[1]),
        )
        return loss

    return Comparison(student, theirs_of, lambda values: told_by(ours, network(values), teacher))


def review() -> Comparison:
    student, teacher = maps()
    ours = ReviewSettings().build(STUDENT, TEACHER, TARGETS.index).double()
    fusions, inputs = [], (CHANNELS, CHANNELS)
    for depth, level in enumerate(ours.levels):
        assert isinstance(level, Level)
        outputs = (THEIRS[1], THEIRS[1], THEIRS[0])[depth]
        fusion = module("models.wrapper").AttentionBasedFusion(*inputs, outputs, depth > 0)
        fusion.double().conv1.load_state_dict(level.narrow.state_dict())
        fusion.conv2.load_state_dict(level.guess.state_dict())
        if level.shares is not None:
            fusion.attention_conv[0].load_state_dict(level.shares.state_dict())
        fusions.append(fusion)
    criterion = losses().HierarchicalContextLoss(*ENDS)

    def theirs(values: Tensor) -> Tensor:
        mine, total, handed = network(values), torch.zeros(()), None
        assert mine.pooled is not None and teacher.pooled is not None
        known = mine.pooled[:, :, None, None], *reversed(mine.stages)
        hoped = teacher.pooled[:, :, None, None], *reversed(teacher.stages)
        for fusion, features, expected in zip(fusions, known, hoped, strict=True):
            guess, handed = fusion(features, handed, features.shape[2])
            total = total + criterion(told(there=(guess, handed)), told(there=expected))
        return total

    return Comparison(student, theirs, lambda values: told_by(ours, network(values), teacher))


COMPARISONS: dict[str, Callable[[], Comparison]] = {
    "`KDLoss`": soft_label_with_labels,
    "`KDLoss`, no labels or `alpha` 0": soft_label_alone,
    "`LogitStdKDLoss`": standardized_with_labels,
    "`LogitStdKDLoss`, no labels or `alpha` 0": standardized_alone,
    "`DISTLoss`": dist,
    "`MSELoss` of logits": logit_mse,
    "`MSELoss` behind `ConvReg`": hints,
    "`ATLoss`, `mode` code": lambda: attention("code"),
    "`ATLoss`, `mode` paper": lambda: attention("paper"),
    "`SPKDLoss`": similarity,
    "`RKDLoss`, `dist_factor`": lambda: relational(distance=2, angle=0),
    "`RKDLoss`, `angle_factor`": lambda: relational(distance=0, angle=2),
    "`PKTLoss`": probability,
    "`VIDLoss` with `Regressor4VID`": variational,
    "`CRDLoss` with `Normalizer4CRD`": contrastive,
    "`HierarchicalContextLoss` with `AttentionBasedFusion`": review,
    "`CCKDLoss`, gaussian": correlation,
    "`SRDLoss`": projection,
}


@pytest.mark.parametrize("row", beside("torchdistill"), ids=lambda row: row.theirs)
def test_theirs_is_what_the_page_says(row: Row) -> None:
    hold(row, COMPARISONS[row.theirs]())


def test_the_page_has_all_that_is_compared_and_no_more() -> None:
    assert [row.theirs for row in beside("torchdistill")] == list(COMPARISONS)
