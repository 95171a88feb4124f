"""Laws that every objective keeps, those of the catalogue and those to come."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor, distributed
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.multiprocessing.spawn import spawn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.core.types import Outputs, Shape, Stage, Tap, Targets, Terms
from understudy.objectives import AnyObjective, every_objective
from understudy.objectives.objective import Objective, ObjectiveSettings, Views

Kind = type[ObjectiveSettings]

BATCH, CLASSES, SIZE = 8, 5, 16
# Networks of two families: where their stages meet, either one has the larger maps.
STUDENT = Shape(
    pooled=6,
    stages=(Stage("shallow", 3, 1), Stage("middle", 4, 4), Stage("deep", 5, 8)),
    num_classes=CLASSES,
    projected=4,
)
TEACHER = Shape(
    pooled=7,
    stages=(Stage("stem", 2, 1), Stage("first", 5, 2), Stage("second", 6, 4), Stage("third", 7, 4)),
    num_classes=CLASSES,
    projected=4,
)
IMAGES = torch.arange(5000)  # as many as the longest queue has features by default, and more
TARGETS = Targets(labels=torch.tensor([0, 1, 2, -1, 4, 3, -1, 0]), index=torch.arange(BATCH))

pytestmark = pytest.mark.parametrize(
    "kind", every_objective(), ids=lambda kind: kind.model_fields["kind"].default
)


def built(kind: Kind) -> Objective:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        return kind.model_validate({}).build(STUDENT, TEACHER, IMAGES)


def toy_views(
    taps: frozenset[Tap], shape: Shape, *, seed: int, views: int = 2, scale: float = 1.0
) -> Views:
    """Random outputs that hold the taps and nothing else; leaves that may take gradients."""
    generator = torch.Generator().manual_seed(seed)

    def values(*size: int) -> Tensor:
        drawn = scale * torch.randn(size, dtype=torch.float64, generator=generator)
        return drawn.float().requires_grad_()

    def stages() -> tuple[Tensor, ...]:
        return tuple(
            values(BATCH, stage.channels, SIZE // stage.reduction, SIZE // stage.reduction)
            for stage in shape.stages
        )

    return tuple(
        Outputs(
            logits=values(BATCH, CLASSES) if Tap.LOGITS in taps else None,
            pooled=values(BATCH, shape.pooled) if Tap.POOLED in taps else None,
            projected=values(BATCH, 4) if Tap.PROJECTED in taps else None,
            stages=stages() if Tap.STAGES in taps else (),
        )
        for _ in range(views)
    )


def toy_inputs(objective: Objective, *, seed: int = 0, scale: float = 1.0) -> tuple[Views, Views]:
    student = toy_views(objective.taps, STUDENT, seed=seed, scale=scale)
    return student, toy_views(objective.guidance_taps, TEACHER, seed=seed + 100, scale=scale)


def changed(views: Views, change: Callable[[Tensor], Tensor]) -> Views:
    def applied(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else change(tensor)

    return tuple(
        Outputs(
            logits=applied(view.logits),
            pooled=applied(view.pooled),
            projected=applied(view.projected),
            stages=tuple(change(stage) for stage in view.stages),
        )
        for view in views
    )


def leaves(views: Views, *, stages: set[int] | None = None) -> list[Tensor]:
    """All outputs, or of the stages those at some positions."""
    found = []
    for view in views:
        found += [each for each in (view.logits, view.pooled, view.projected) if each is not None]
        found += [each for at, each in enumerate(view.stages) if stages is None or at in stages]
    return found


def read(objective: Objective, student: Views) -> list[Tensor]:
    """Those of the student's outputs that the objective says it reads."""
    return leaves(student, stages={pair.at[0] for pair in objective.pairs})


def total(terms: Terms) -> Tensor:
    return torch.stack(list(terms.values())).sum()


def gradients(loss: Tensor, tensors: list[Tensor]) -> list[Tensor | None]:
    return list(torch.autograd.grad(loss, tensors, retain_graph=True, allow_unused=True))


def test_gradient_reaches_the_student_and_own_parameters_and_never_the_teacher(kind: Kind) -> None:
    objective = built(kind)
    student, teacher = toy_inputs(objective)
    own: list[Tensor] = list(objective.parameters())

    loss = total(objective(student, teacher, TARGETS))

    told = read(objective, student)
    reached = gradients(loss, told + own)
    assert all(each is not None and each.isfinite().all() for each in reached)
    assert all(each.abs().sum() > 0 for each in reached[: len(told)] if each is not None)
    others = [each for each in leaves(student) if all(each is not mine for mine in told)]
    unreached = gradients(loss, leaves(teacher) + others) if leaves(teacher) + others else []
    assert all(each is None for each in unreached)


def test_terms_are_scalars_of_single_precision_or_better(kind: Kind) -> None:
    objective = built(kind)

    terms = objective(*toy_inputs(objective), TARGETS)

    assert terms
    assert all(value.shape == () and value.dtype == torch.float32 for value in terms.values())


def test_double_precision_agrees_with_single(kind: Kind) -> None:
    objective = built(kind)
    student, teacher = toy_inputs(objective)
    single = total(deepcopy(objective)(student, teacher, TARGETS))

    twice = changed(student, Tensor.double), changed(teacher, Tensor.double)
    double = total(deepcopy(objective).double()(*twice, TARGETS))

    assert double.dtype == torch.float64
    assert_close(single.double(), double, rtol=1e-5, atol=1e-6)


def test_half_precision_inputs_under_autocast_are_computed_in_single(kind: Kind) -> None:
    """Formulas lose nothing but the rounding of their inputs; own layers run in half precision."""
    objective = built(kind)
    halves = [changed(views, Tensor.bfloat16) for views in toy_inputs(objective)]
    singles = [changed(views, Tensor.float) for views in halves]

    with torch.autocast("cpu", torch.bfloat16):
        found = total(deepcopy(objective)(*halves, TARGETS))

    expected = total(deepcopy(objective)(*singles, TARGETS))
    tolerance = 3e-2 if list(objective.parameters()) else 1e-5
    assert found.dtype == torch.float32
    assert_close(found, expected, rtol=tolerance, atol=tolerance)


def test_large_outputs_stay_finite_with_their_gradient(kind: Kind) -> None:
    objective = built(kind)
    student, teacher = toy_inputs(objective, scale=1e4)

    loss = total(objective(student, teacher, TARGETS))

    assert loss.isfinite()
    assert all(
        each is not None and each.isfinite().all()
        for each in gradients(loss, read(objective, student))
    )


def test_the_order_of_the_batch_does_not_matter(kind: Kind) -> None:
    objective = built(kind)
    student, teacher = toy_inputs(objective)
    order = torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    before = total(deepcopy(objective)(student, teacher, TARGETS))

    shuffled = [changed(views, lambda tensor: tensor[order]) for views in (student, teacher)]
    targets = Targets(labels=TARGETS.labels[order], index=TARGETS.index[order])
    after = total(deepcopy(objective)(*shuffled, targets))

    assert_close(before, after)


def test_every_tap_of_the_teacher_is_used(kind: Kind) -> None:
    objective = built(kind)
    student, teacher = toy_inputs(objective)
    before = total(deepcopy(objective)(student, teacher, TARGETS))

    for tap in objective.guidance_taps:
        fresh = toy_views(frozenset({tap}), TEACHER, seed=999)
        replaced = tuple(
            old._replace(**{tap.value: getattr(new, tap.value)})
            for old, new in zip(teacher, fresh, strict=True)
        )
        assert not torch.equal(before, total(deepcopy(objective)(student, replaced, TARGETS)))


def test_stages_are_compared_exactly_where_it_says_so(kind: Kind) -> None:
    objective = built(kind)
    student, teacher = toy_inputs(objective)
    before = total(deepcopy(objective)(student, teacher, TARGETS))

    taps_both = Tap.STAGES in objective.taps & objective.guidance_taps
    assert bool(objective.pairs) is taps_both
    for position in range(len(TEACHER.stages) if taps_both else 0):
        moved = tuple(
            view._replace(
                stages=tuple(
                    stage.flip(0) if at == position else stage
                    for at, stage in enumerate(view.stages)
                )
            )
            for view in teacher
        )
        after = total(deepcopy(objective)(student, moved, TARGETS))
        assert torch.equal(before, after) is (position not in {p.at[1] for p in objective.pairs})


def test_stages_are_chosen_by_name(kind: Kind) -> None:
    if "stages" not in kind.model_fields:
        return
    named = kind.model_validate({"stages": [["middle", "first"], ["shallow", "third"]]})

    objective = named.build(STUDENT, TEACHER, TARGETS.index)

    assert [pair.at for pair in objective.pairs] == [(1, 1), (0, 3)]
    assert total(objective(*toy_inputs(objective), TARGETS)).isfinite()
    unknown = kind.model_validate({"stages": [["first", "first"]]})
    with pytest.raises(UsageError, match=r"'first' of the student.*shallow, middle, deep"):
        unknown.build(STUDENT, TEACHER, TARGETS.index)


def test_it_works_without_a_teacher_exactly_where_it_says_so(kind: Kind) -> None:
    objective = built(kind)
    student, _ = toy_inputs(objective)

    if objective.guidance_taps:
        with pytest.raises(AssertionError, match="teacher"):
            objective(student, None, TARGETS)
    else:
        alone = kind.model_validate({}).build(STUDENT, None, IMAGES)
        assert total(alone(student, None, TARGETS)).isfinite()


def test_two_calls_are_equal(kind: Kind) -> None:
    objective = built(kind)
    inputs = toy_inputs(objective)

    first = total(deepcopy(objective)(*inputs, TARGETS))
    second = total(deepcopy(objective)(*inputs, TARGETS))

    assert torch.equal(first, second)


def test_labels_are_read_exactly_where_it_says_so(kind: Kind) -> None:
    objective = built(kind)
    inputs = toy_inputs(objective)
    before = total(deepcopy(objective)(*inputs, TARGETS))

    others = TARGETS._replace(labels=(TARGETS.labels + 1) % CLASSES)
    after = total(deepcopy(objective)(*inputs, others))

    assert torch.equal(before, after) is not objective.reads_labels


def test_it_never_asks_the_device_for_a_value(kind: Kind) -> None:
    """On tensors without values, a host synchronisation or a shape from data is an error."""
    objective = built(kind)
    inputs = toy_inputs(objective)

    with FakeTensorMode(allow_non_fake_inputs=True) as fake:
        student, teacher = (
            changed(views, lambda tensor: fake.from_tensor(tensor.detach())) for views in inputs
        )
        labels, index = fake.from_tensor(TARGETS.labels), fake.from_tensor(TARGETS.index)
        loss = total(objective(student, teacher, Targets(labels=labels, index=index)))

    assert loss.shape == ()


@pytest.mark.slow
def test_a_compiled_step_is_one_graph_for_all_steps_with_the_same_gradient(kind: Kind) -> None:
    objective = built(kind)
    student, teacher = toy_inputs(objective)
    torch.compiler.reset()
    plain = deepcopy(objective)
    compiled = torch.compile(objective, fullgraph=True, backend="aot_eager")

    for stance in ("default", "fail_on_recompile", "fail_on_recompile"):
        with torch.compiler.set_stance(stance):
            found = total(compiled(student, teacher, TARGETS))
        expected = total(plain(student, teacher, TARGETS))

        told = read(objective, student)
        assert_close(found, expected)
        assert_close(gradients(found, told), gradients(expected, told))
    assert_close(objective.state_dict(), plain.state_dict())


def test_settings_survive_json_and_the_catalogue(kind: Kind) -> None:
    settings = kind.model_validate({"weight": {"start": 0.0, "end": 0.5, "until": 0.25}})

    text = settings.model_dump_json()

    assert kind.model_validate_json(text) == settings
    union: TypeAdapter[ObjectiveSettings] = TypeAdapter(AnyObjective)
    assert union.validate_json(text) == settings


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf"), "much", {"start": -1}])
def test_weights_out_of_bounds_are_refused(kind: Kind, weight: object) -> None:
    with pytest.raises(UsageError, match="weight"):
        checked(kind, {"weight": weight}, origin="here")


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_temperatures_out_of_bounds_are_refused(kind: Kind, temperature: float) -> None:
    known = "temperature" in kind.model_fields

    with pytest.raises(
        UsageError, match="temperature.*(above|greater)" if known else "unknown key"
    ):
        checked(kind, {"temperature": temperature}, origin="here")


def test_every_setting_is_documented(kind: Kind) -> None:
    undocumented = [
        name
        for name, field in kind.model_fields.items()
        if name != "kind" and not field.description
    ]

    assert kind.__doc__
    assert undocumented == []


class Step(NamedTuple):
    """One step's loss and gradients."""

    loss: Tensor
    outputs: list[Tensor]
    own: list[Tensor]


def step(kind: Kind, rows: slice) -> Step:
    """A step on some of the images; batch norm, which couples them in training, stands still."""
    objective = built(kind).double().eval()
    student, teacher = (
        changed(views, lambda tensor: tensor[rows].detach().double().requires_grad_())
        for views in toy_inputs(objective)
    )
    labels = torch.tensor([0, 1, 2, 3, -1, 4, -1, 0])  # four in the first half, two in the second
    targets = Targets(labels=labels[rows], index=torch.arange(BATCH)[rows])
    loss = total(objective(student, teacher, targets))

    outputs: list[Tensor] = read(objective, student)
    own: list[Tensor] = list(objective.parameters())
    reached = [each for each in gradients(loss, outputs + own) if each is not None]
    return Step(loss.detach(), reached[: len(outputs)], reached[len(outputs) :])


def take_half(rank: int, folder: Path) -> None:
    """One of two processes: a step of every objective on its half of the batch."""
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    half = slice(rank * BATCH // 2, (rank + 1) * BATCH // 2)
    steps = {kind.__name__: tuple(step(kind, half)) for kind in every_objective()}
    torch.save(steps, folder / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, tuple[Any, ...]]]:
    folder = tmp_path_factory.mktemp("halves")
    spawn(take_half, args=(folder,), nprocs=2)  # type: ignore[no-untyped-call]
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.slow
def test_the_mean_gradient_of_two_processes_is_that_of_one_with_the_whole_batch(
    kind: Kind, halves: list[dict[str, tuple[Any, ...]]]
) -> None:
    whole = step(kind, slice(None))

    first, second = (Step(*half[kind.__name__]) for half in halves)

    assert_close((first.loss + second.loss) / 2, whole.loss)
    for mine, other, expected in zip(first.outputs, second.outputs, whole.outputs, strict=True):
        assert_close(torch.cat([mine, other]) / 2, expected)
    for mine, other, expected in zip(first.own, second.own, whole.own, strict=True):
        assert_close((mine + other) / 2, expected)


def test_its_value_is_pinned_by_an_oracle(kind: Kind) -> None:
    name = kind.model_fields["kind"].default

    assert (Path(__file__).parents[1] / "reference" / f"test_{name}.py").exists()
