import pytest
import torch

from understudy.core.errors import UsageError
from understudy.core.progress import Silent
from understudy.data.views import ViewSettings
from understudy.guidance.bank import Views
from understudy.methods.supervised import Supervised
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import NetworkSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import combine
from understudy.stages.stored_features import stored_features

IMAGES = torch.randint(0, 256, (300, 1, 8, 8), dtype=torch.uint8).numpy()


def method() -> Supervised:
    settings = NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.5), channels=1, size=8, classes=("a", "b")
    )
    network = settings.build(mean=[0.4], std=[0.2], seed=1)
    network.freeze_backbone()
    label = combine(
        [LabelSettings()], student=network.shape, guidance=None, images=torch.arange(300)
    )
    return Supervised(network, label)


def views(count: int) -> Views:
    crop = ViewSettings.model_validate({"augment": ["crop"]})
    return Views(
        images=IMAGES,
        indices=torch.arange(count).numpy(),
        settings=[crop],
        size=8,
        seed=3,
        device=torch.device("cpu"),
    )


def test_each_view_of_each_image_has_its_own_features() -> None:
    learner = method()

    values = stored_features(learner, views(300), ring=2, progress=Silent())

    assert values.shape == (300, 2, learner.network.shape.pooled)
    assert not torch.allclose(values[:, 0], values[:, 1])
    (images,) = views(300).made(torch.tensor([299]).numpy(), 1).views
    with torch.no_grad():
        expected = learner.network.eval().backbone_features(images)  # type: ignore[operator]
    assert torch.allclose(values[299, 1], expected[0], atol=1e-5)


def test_more_than_memory_is_for_is_refused_before_the_backbone_is_asked() -> None:
    with pytest.raises(UsageError, match=r"the features need .* GB .* Set it lower"):
        stored_features(method(), views(300), ring=10**8, progress=Silent())
