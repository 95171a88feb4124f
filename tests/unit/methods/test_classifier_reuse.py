import pytest
import torch

from understudy.core.errors import UsageError
from understudy.core.types import Batch, Tap
from understudy.guidance.teacher import Teacher
from understudy.methods.classifier_reuse import ClassifierReuseSettings, ReusedMaps, ReusedPooled
from understudy.methods.distilled import Distilled
from understudy.models import AnyBackbone
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.ensemble import Ensemble
from understudy.models.frozen import Frozen
from understudy.models.network import Network, NetworkSettings
from understudy.models.timm_backbone import TimmSettings
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.objective import combine

SIZE, BATCH = 32, 4
SMALL = CifarResNetSettings(depth=8, width=0.25)
WIDE = CifarResNetSettings(depth=8, width=0.5)
CONVNEXT = TimmSettings(name="test_convnext")
METHOD = ClassifierReuseSettings()


def described(backbone: AnyBackbone) -> NetworkSettings:
    return NetworkSettings(backbone=backbone, channels=3, size=SIZE, classes=("a", "b", "c"))


def built(settings: NetworkSettings, seed: int) -> Network:
    return settings.build(mean=[0.4] * 3, std=[0.25] * 3, seed=seed)


def shown() -> Batch:
    index = torch.arange(BATCH)
    images = torch.rand(BATCH, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    return Batch(views=(images,), labels=None, index=index, view_ids=(index * 0,))


def student_of(
    teacher: Network, backbone: AnyBackbone, classes: list[int] | None = None
) -> Network:
    plain = described(backbone)
    if classes is not None:
        plain = plain.model_copy(update={"classes": tuple("abc"[place] for place in classes)})
    network = METHOD.network(plain, teacher, size=SIZE)
    return METHOD.begun(built(network, seed=1), teacher, classes=classes)


@pytest.mark.parametrize("backbone", [WIDE, CONVNEXT], ids=["maps", "pooled"])
def test_the_student_learns_and_the_classifier_does_not(backbone: AnyBackbone) -> None:
    teacher = built(described(backbone), seed=2)
    taught = {name: value.clone() for name, value in teacher.state_dict().items()}
    student = student_of(teacher, SMALL)
    objective = combine(
        (*METHOD.own_terms(), SoftLabelSettings()),  # which would have the classifier learn
        student=student.shape,
        guidance=teacher.shape,
        images=torch.arange(4),
    )
    method = Distilled(student, objective)
    guide = Teacher(Frozen(teacher), taps=objective.guidance_taps)
    asked = {name: value.clone() for name, value in guide.state_dict().items()}
    learning = [weight for weight in method.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(learning, lr=1e-2)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        output = method(shown(), guide(shown()))
        output.loss.backward()
        optimizer.step()
        losses.append(float(output.loss.detach()))

    assert losses[-1] < losses[0]
    kept = student.state_dict()
    assert torch.equal(kept["classifier.weight"], taught["classifier.weight"])
    assert torch.equal(kept["classifier.bias"], taught["classifier.bias"])
    assert student.neck is not None
    assert all(weight.grad is not None for weight in student.neck.parameters())
    assert all(torch.equal(asked[name], value) for name, value in guide.state_dict().items())


def test_maps_are_compared_where_the_classifier_reads_their_mean() -> None:
    (own,) = METHOD.own_terms()
    averaging, norming = built(described(WIDE), seed=2), built(described(CONVNEXT), seed=2)
    images = torch.arange(4)

    assert isinstance(own.build(averaging.shape, averaging.shape, images), ReusedMaps)
    assert isinstance(own.build(norming.shape, norming.shape, images), ReusedPooled)


def test_classes_that_are_looked_up_take_their_rows() -> None:
    teacher = built(described(WIDE), seed=2)

    student = student_of(teacher, SMALL, classes=[2, 0])

    kept, theirs = student.state_dict(), teacher.state_dict()
    for name in ("classifier.weight", "classifier.bias"):
        assert torch.equal(kept[name], theirs[name][[2, 0]])


def test_a_student_of_it_can_teach_the_same_way() -> None:
    teacher = built(described(WIDE), seed=2)
    first = student_of(teacher, SMALL)

    second = student_of(first, SMALL)

    answers = second(shown().views[0], frozenset({Tap.LOGITS})).logits
    assert answers is not None
    assert answers.shape == (BATCH, 3)
    name = "classifier.weight"
    assert torch.equal(second.state_dict()[name], teacher.state_dict()[name])


def test_an_ensemble_has_no_classifier_to_reuse() -> None:
    members = [built(described(SMALL), seed=seed) for seed in (1, 2)]
    together = Ensemble(members, sizes=[SIZE] * 2, weights=[1, 1], mean="logits")

    with pytest.raises(UsageError, match="this one has none of its own, as ensembles"):
        METHOD.network(described(SMALL), together, size=SIZE)
