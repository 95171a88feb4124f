from typing import Any

import pytest
import torch
from torch import Tensor

from understudy.core.errors import DataError, UsageError
from understudy.core.types import Outputs, Tap
from understudy.models.adoption import Adopted, Bands, Statistics, adopted
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import NetworkSettings
from understudy.models.timm_backbone import TimmSettings

SMALL = NetworkSettings(
    backbone=CifarResNetSettings(depth=8, width=0.25), channels=2, size=8, classes=None
)


def weights(settings: NetworkSettings = SMALL, *, seed: int = 7) -> dict[str, torch.Tensor]:
    network = settings.build(mean=(0.1, 0.2), std=(0.3, 0.4), seed=seed)
    return dict(network.state_dict())


def take(tensors: dict[str, torch.Tensor], statistics: Statistics | None = None) -> Adopted:
    return adopted(SMALL, tensors, tag=None, statistics=statistics, origin="FILE", seed=0)


def test_nothing_of_the_initialisation_is_left() -> None:
    expected = weights()

    found = take(expected).network.state_dict()

    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_head_is_left_aside_and_named() -> None:
    with_head = SMALL.model_copy(update={"classes": ("a", "b")})

    found = take(weights(with_head))

    assert found.left_aside == ("classifier.weight", "classifier.bias")
    assert found.network.shape.num_classes is None


def test_what_the_user_says_of_the_images_goes_over_what_the_file_says() -> None:
    found = take(weights(), Statistics((0.5, 0.6), (0.7, 0.8)))

    assert found.mean == (0.5, 0.6)
    assert found.network.normalise.std.tolist() == pytest.approx([0.7, 0.8])


def test_a_file_without_the_counters_of_batch_norms_is_whole() -> None:
    tensors = {n: t for n, t in weights().items() if not n.endswith("num_batches_tracked")}

    assert take(tensors).left_aside == ()


def test_half_precision_becomes_single() -> None:
    halves = {n: t.half() if t.is_floating_point() else t for n, t in weights().items()}

    assert take(halves).network.state_dict()["backbone.stem.0.0.weight"].dtype == torch.float32


def test_a_weight_that_is_not_finite_is_refused_by_name() -> None:
    tensors = weights()
    tensors["backbone.stem.0.0.weight"].view(-1)[3] = float("nan")

    with pytest.raises(DataError, match=r"FILE: .*not finite, in stem\.0\.0\.weight"):
        take(tensors)


def test_every_misfit_is_one_line_of_one_error() -> None:
    """With the nearest name on the other side; a name of another shape is never the nearest."""
    tensors = weights()
    tensors["backbone.stems.0.0.weight"] = tensors.pop("backbone.stem.0.0.weight")
    tensors["backbone.extra"] = torch.zeros(5, 5)

    with pytest.raises(UsageError) as caught:
        take(tensors)

    assert str(caught.value).splitlines() == [
        "FILE: 3 mistakes",
        "  stem.0.0.weight  missing; the nearest of its shape is stems.0.0.weight",
        "  extra  unknown",
        "  stems.0.0.weight  unknown; the nearest of its shape is stem.0.0.weight",
        "These are weights of another network, or under other names: set `backbone`.",
    ]


@pytest.mark.parametrize("name", ["test_resnet", "test_convnext", "test_efficientnet", "test_vit"])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_timms_first_layer_is_inflated(name: str, channels: int) -> None:
    """On a constant image of one value in every channel, inflating changes no answer."""
    backbone = TimmSettings(name=name)
    size = 160 if name == "test_vit" else 32
    wide = NetworkSettings(backbone=backbone, channels=channels, size=size, classes=None)
    rgb = wide.model_copy(update={"channels": 3})
    with_colour = rgb.build(mean=(0,) * 3, std=(1,) * 3, seed=3).backbone.state_dict()
    tensors = {n.removeprefix("model."): t for n, t in with_colour.items()}
    layer = f"{backbone.published(None).first[0]}.weight"
    tensors[layer] = tensors[layer].mean(dim=1, keepdim=True).expand(-1, 3, -1, -1).clone()

    def answer(settings: NetworkSettings) -> torch.Tensor:
        half = Statistics((0.5,) * settings.channels, (0.25,) * settings.channels)
        found = adopted(settings, tensors, tag=None, statistics=half, origin="FILE", seed=0)
        grey = torch.full((1, settings.channels, size, size), 0.7)
        with torch.inference_mode():
            outputs: Outputs = found.network.eval()(grey, frozenset({Tap.POOLED}))
        assert outputs.pooled is not None
        return outputs.pooled

    torch.testing.assert_close(answer(wide), answer(rgb), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "mean"),
    [
        (1, (0.449,)),
        (3, (0.485, 0.456, 0.406)),
        (5, (0.485, 0.456, 0.406, 0.485, 0.456)),
    ],
)
def test_timms_mean_is_averaged_for_one_channel_and_repeated_for_many(
    channels: int, mean: tuple[float, ...]
) -> None:
    backbone = TimmSettings(name="test_efficientnet")  # of ImageNet's usual mean
    settings = NetworkSettings(backbone=backbone, channels=channels, size=32, classes=None)
    flat = {"mean": (0.0,) * channels, "std": (1.0,) * channels}
    own = settings.build(**flat, seed=1).backbone.state_dict()
    tensors = {name.removeprefix("model."): tensor for name, tensor in own.items()}

    found = adopted(settings, tensors, tag=None, statistics=None, origin="FILE", seed=0)

    assert found.mean == pytest.approx(mean)


@pytest.mark.parametrize(
    "name", ["test_resnet", "test_efficientnet", "test_convnext", "test_vit", "resnet10t"]
)
def test_with_its_classes_a_network_answers_as_timms_own_does(name: str) -> None:
    """With the normalisation that timm states, in which the weights were trained."""
    import timm

    torch.manual_seed(3)
    options: dict[str, Any] = {"img_size": 32, "patch_size": 8} if name == "test_vit" else {}
    theirs = timm.create_model(name, num_classes=5, **options).eval()
    settings = NetworkSettings(
        backbone=TimmSettings(name=name, options=options),
        channels=3,
        size=32,
        classes=tuple("abcde"),
    )

    found = adopted(settings, theirs.state_dict(), tag=None, statistics=None, origin="FILE", seed=0)

    images = torch.rand(2, 3, 32, 32)
    stated: Any = theirs.pretrained_cfg
    mean, std = (torch.tensor(stated[key])[:, None, None] for key in ("mean", "std"))
    with torch.inference_mode():
        expected = theirs((images - mean) / std)
        answers = found.network.eval()(images, frozenset({Tap.LOGITS})).logits
    torch.testing.assert_close(answers, expected)
    assert found.left_aside == ()


def test_a_classifier_of_other_classes_is_refused() -> None:
    three = SMALL.model_copy(update={"classes": ("a", "b", "c")})
    two = SMALL.model_copy(update={"classes": ("a", "b")})

    def take_into(settings: NetworkSettings, tensors: dict[str, torch.Tensor]) -> Adopted:
        return adopted(settings, tensors, tag=None, statistics=None, origin="FILE", seed=0)

    with pytest.raises(UsageError, match="tells 3 classes apart"):
        take_into(two, weights(three))
    with pytest.raises(UsageError, match="holds no linear classifier"):
        take_into(two, weights())
    spoiled = weights(two) | {"classifier.bias": torch.tensor([0.0, torch.nan])}
    with pytest.raises(DataError, match="not finite, in bias"):
        take_into(two, spoiled)
    assert take_into(two, weights(two)).network.shape.num_classes == 2


BANDS = Bands(Statistics((0.02, 0.03, 0.04, 0.05), (0.01, 0.02, 0.03, 0.04)), colours=(2, 1, 0))


def published_and_wide(bands: Bands | None) -> tuple[Tensor, Adopted]:
    """timm's first layer of three channels, and a network of four that has adopted it."""
    backbone = TimmSettings(name="test_resnet")
    wide = NetworkSettings(backbone=backbone, channels=4, size=32, classes=None)
    rgb = wide.model_copy(update={"channels": 3}).build(mean=(0,) * 3, std=(1,) * 3, seed=3)
    tensors = {
        name.removeprefix("model."): tensor for name, tensor in rgb.backbone.state_dict().items()
    }
    first = f"{backbone.published(None).first[0]}.weight"
    found = adopted(wide, tensors, tag=None, statistics=None, origin="FILE", seed=0, bands=bands)
    assert found.network.backbone.state_dict()[f"model.{first}"].shape[1] == 4
    return tensors[first], found


def test_bands_of_a_colour_get_the_weights_of_that_colour_and_others_the_mean() -> None:
    theirs, found = published_and_wide(BANDS)

    first = TimmSettings(name="test_resnet").published(None).first[0]
    ours = found.network.backbone.state_dict()[f"model.{first}.weight"] * (4 / 3)
    for position, colour in ((2, 0), (1, 1), (0, 2)):
        torch.testing.assert_close(ours[:, position], theirs[:, colour])
    torch.testing.assert_close(ours[:, 3], theirs.mean(dim=1))


def test_bands_are_normalised_by_their_own_statistics_and_not_by_those_of_photographs() -> None:
    _, found = published_and_wide(BANDS)
    _, plain = published_and_wide(None)

    assert (found.mean, found.std) == BANDS.statistics
    assert plain.mean != found.mean


def test_a_checkpoint_of_ours_keeps_the_statistics_that_it_was_trained_with() -> None:
    own = SMALL.build(mean=(0.1,) * SMALL.channels, std=(0.2,) * SMALL.channels, seed=1)
    other = Bands(Statistics((0.9,) * SMALL.channels, (0.8,) * SMALL.channels), colours=None)

    found = adopted(
        SMALL, own.state_dict(), tag=None, statistics=None, origin="FILE", seed=0, bands=other
    )

    assert found.mean == pytest.approx((0.1,) * SMALL.channels)


@pytest.mark.parametrize("is_ours", [True, False], ids=["a checkpoint", "others' weights"])
@pytest.mark.parametrize("colours", [(2, 1, 0), None])
def test_weights_of_three_channels_become_those_of_bands(
    is_ours: bool, colours: tuple[int, int, int] | None
) -> None:
    wide = SMALL.model_copy(update={"channels": 4})
    rgb = SMALL.model_copy(update={"channels": 3})
    own = rgb.build(mean=(0.1,) * 3, std=(0.2,) * 3, seed=1)
    tensors = (own if is_ours else own.backbone).state_dict()

    found = adopted(
        wide,
        tensors,
        tag=None,
        statistics=None,
        origin="FILE",
        seed=0,
        bands=BANDS._replace(colours=colours),
    )

    name = "stem.0.0.weight"
    theirs = own.backbone.state_dict()[name]
    ours = found.network.backbone.state_dict()[name] * (4 / 3)
    mean = theirs.mean(dim=1)
    wanted = [mean] * 4 if colours is None else [*reversed(theirs.unbind(dim=1)), mean]
    torch.testing.assert_close(ours, torch.stack(wanted, dim=1))
    assert (found.mean, found.std) == BANDS.statistics


def test_weights_of_three_channels_do_not_fit_two_that_are_no_bands() -> None:
    own = SMALL.model_copy(update={"channels": 3}).build(mean=(0.1,) * 3, std=(0.2,) * 3, seed=1)

    with pytest.raises(UsageError, match=r"stem\.0\.0\.weight  is 4 x 3 x 3 x 3 in the file"):
        take(dict(own.state_dict()))
