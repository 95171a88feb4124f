import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from understudy.core.errors import DataError, UsageError
from understudy.core.numbers import Numbers
from understudy.core.settings import checked
from understudy.core.types import Outputs, Tap
from understudy.models.dense import HeadSettings
from understudy.models.heads import HiddenSettings
from understudy.models.network import Network, NetworkSettings, Normalise

EVERYTHING = frozenset(Tap)


def without_heads(settings: NetworkSettings) -> Network:
    bare = settings.model_copy(update={"classes": None, "projector": None})
    return bare.build(mean=[0.4], std=[0.2], seed=1)


def test_normalisation_is_by_channel() -> None:
    images = torch.rand(4, 5, 3, 3)
    mean, std = torch.linspace(0.1, 0.5, 5), torch.linspace(0.2, 0.6, 5)

    found = Normalise(mean=mean.tolist(), std=std.tolist())(images)

    assert_close(found[:, 3], (images[:, 3] - mean[3]) / std[3])
    assert found.shape == images.shape


def test_statistics_may_be_whole_numbers() -> None:
    images = torch.rand(2, 1, 3, 3)

    assert_close(Normalise(mean=[0], std=[1])(images), images)


def test_it_tells_what_is_asked_for_and_nothing_else(network: Network, images: Tensor) -> None:
    network.eval()
    everything = network(images, EVERYTHING)

    for tap in Tap:
        outputs = network(images, frozenset({tap}))

        assert_close(getattr(outputs, tap.value), getattr(everything, tap.value))
        absent = Outputs()
        assert all(
            getattr(outputs, other.value) == getattr(absent, other.value)
            for other in Tap
            if other is not tap
        )


def test_heads_that_are_not_asked_for_do_not_run(network: Network, images: Tensor) -> None:
    ran: list[nn.Module] = []
    for head in (network.classifier, network.projector):
        head.register_forward_hook(lambda module, *_: ran.append(module))

    network(images, frozenset({Tap.POOLED, Tap.STAGES}))
    assert ran == []

    network(images, frozenset({Tap.LOGITS}))
    assert ran == [network.classifier]


def test_the_shape_is_complete(network: Network, images: Tensor) -> None:
    outputs = network(images, EVERYTHING)

    assert outputs.logits is not None and outputs.logits.shape == (6, network.shape.num_classes)
    assert outputs.pooled is not None and outputs.pooled.shape == (6, network.shape.pooled)
    assert outputs.projected is not None
    assert outputs.projected.shape == (6, network.shape.projected)
    assert len(outputs.stages) == len(network.shape.stages)


@pytest.mark.parametrize(
    ("tap", "head"), [(Tap.LOGITS, "classifier"), (Tap.PROJECTED, "projector")]
)
def test_a_head_that_is_not_there_is_a_clear_error(
    settings: NetworkSettings, images: Tensor, tap: Tap, head: str
) -> None:
    network = without_heads(settings)

    assert network.shape.num_classes is None and network.shape.projected is None
    with pytest.raises(UsageError, match=f"no {head}"):
        network(images, frozenset({tap}))


def test_a_backbone_starts_equal_whatever_its_heads(
    settings: NetworkSettings, network: Network
) -> None:
    bare = without_heads(settings)

    assert_close(bare.backbone.state_dict(), network.backbone.state_dict(), rtol=0, atol=0)


def test_it_is_rebuilt_from_json_and_weights(
    settings: NetworkSettings, network: Network, images: Tensor
) -> None:
    network.train()(images, EVERYTHING)  # moves the statistics
    written = settings.model_dump_json()

    again = NetworkSettings.model_validate_json(written).build(mean=[0.0], std=[1.0], seed=9)
    again.load_state_dict(network.state_dict())

    found, expected = again.eval()(images, EVERYTHING), network.eval()(images, EVERYTHING)
    assert_close(found, expected, rtol=0, atol=0)


def test_a_taken_backbone_brings_its_normalisation_and_leaves_the_heads(
    settings: NetworkSettings, network: Network, images: Tensor
) -> None:
    other = settings.build(mean=[0.1], std=[0.9], seed=2)
    head = network.classifier.weight.clone()  # type: ignore[operator]

    network.take_backbone(other)

    pooled = frozenset({Tap.POOLED})
    found, expected = network.eval()(images, pooled), other.eval()(images, pooled)
    assert_close(found, expected, rtol=0, atol=0)
    assert torch.equal(network.classifier.weight, head)  # type: ignore[arg-type]


def test_a_frozen_backbone_keeps_weights_and_statistics_while_the_head_learns(
    network: Network, images: Tensor
) -> None:
    network.freeze_backbone()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)

    for _ in range(2):
        network.train()
        network(images, frozenset({Tap.LOGITS})).logits.square().sum().backward()
        optimizer.step()

    after = network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"classifier.weight", "classifier.bias"}


def test_the_last_stages_of_a_frozen_backbone_learn_and_the_others_keep_their_statistics(
    network: Network, images: Tensor
) -> None:
    network.freeze_backbone(last_stages=2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)

    for _ in range(2):
        network.train()
        network(images, EVERYTHING - {Tap.PROJECTED}).logits.square().sum().backward()
        optimizer.step()

    after = network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    learning = ("backbone.stages.1.", "backbone.stages.2.", "classifier.")
    assert changed == {name for name in before if name.startswith(learning)}
    assert any("running_mean" in name for name in changed)


def test_a_network_is_thawed_by_no_change_of_mode(network: Network) -> None:
    network.freeze_backbone(last_stages=1)

    network.eval()
    network.train()

    modes = {name: part.training for name, part in network.backbone.named_children()}
    assert modes == {"stem": False, "stages": True}
    assert [stage.training for stage in network.backbone.stages] == [False, False, True]  # type: ignore[union-attr]


def test_more_stages_than_there_are_cannot_learn(network: Network) -> None:
    with pytest.raises(UsageError, match=r"last_stages = 4: .* has 3 stages .* at most 3"):
        network.freeze_backbone(last_stages=4)


def test_dense_layers_stand_before_the_classifier_alone(
    settings: NetworkSettings, network: Network, images: Tensor
) -> None:
    head = HeadSettings(widths=(5, 4), activation="elu", dropout=0.5)
    deep = settings.model_copy(update={"head": head}).build(mean=[0.4], std=[0.2], seed=1)
    deep.eval()

    outputs, plain = deep(images, EVERYTHING), network.eval()(images, EVERYTHING)

    assert_close(outputs.pooled, plain.pooled, rtol=0, atol=0)
    assert_close(outputs.projected, plain.projected, rtol=0, atol=0)
    assert deep.dense is not None
    assert_close(outputs.logits, deep.classifier(deep.dense(outputs.pooled)))
    assert deep.shape == network.shape
    deep.drop_classifier()
    assert deep.dense is None


@pytest.mark.parametrize(
    ("mean", "std"), [([0.1, 0.2], [0.2]), ([0.1], []), ([0.1] * 3, [0.1] * 3)]
)
def test_statistics_for_another_number_of_channels_are_refused(
    settings: NetworkSettings, mean: list[float], std: list[float]
) -> None:
    with pytest.raises(UsageError, match="1 channels"):
        settings.build(mean=mean, std=std, seed=1)


@pytest.mark.parametrize("std", [0.0, -1.0, float("nan")])
def test_a_channel_without_spread_is_refused(settings: NetworkSettings, std: float) -> None:
    with pytest.raises(DataError, match="standard deviation of channel 0"):
        settings.build(mean=[0.1], std=[std], seed=1)


def test_a_class_list_without_names_is_refused(settings: NetworkSettings) -> None:
    values = {**settings.model_dump(), "classes": []}

    with pytest.raises(UsageError, match="classes"):
        checked(NetworkSettings, values, origin="here")


@pytest.mark.slow
def test_it_compiles_into_one_graph(network: Network, images: Tensor) -> None:
    compiled = torch.compile(network, fullgraph=True, backend="eager")

    found = compiled(images, EVERYTHING)

    assert_close(found, network(images, EVERYTHING), rtol=1e-4, atol=1e-5)


def test_hidden_layers_make_what_the_classifier_and_a_student_read(
    settings: NetworkSettings,
) -> None:
    hidden = HiddenSettings(width=7, layers=2, normed=True)
    network = settings.model_copy(update={"hidden": hidden, "projector": None}).build(
        mean=[0.4], std=[0.2], seed=1
    )
    bare = without_heads(settings)
    images = torch.rand(3, 1, 8, 8)

    found = network.eval()(images, frozenset({Tap.POOLED, Tap.LOGITS}))

    before = bare.eval()(images, frozenset({Tap.POOLED})).pooled
    assert network.hidden is not None
    assert_close(found.pooled, network.hidden(before))
    assert_close(found.logits, network.classifier(found.pooled))
    assert network.shape.pooled == 7
    assert not network.shape.averaged


def test_hidden_layers_keep_their_weights_and_statistics_with_the_backbone(
    settings: NetworkSettings,
) -> None:
    hidden = HiddenSettings(width=7, layers=1, normed=True)
    network = settings.model_copy(update={"hidden": hidden, "projector": None}).build(
        mean=[0.4], std=[0.2], seed=1
    )
    network.freeze_backbone()
    assert network.hidden is not None
    before = {name: one.clone() for name, one in network.hidden.state_dict().items()}

    network.train()(torch.rand(4, 1, 8, 8), frozenset({Tap.LOGITS})).logits.sum().backward()

    assert all(torch.equal(before[name], one) for name, one in network.hidden.state_dict().items())
    assert [name for name, one in network.named_parameters() if one.grad is not None] == [
        "classifier.weight",
        "classifier.bias",
    ]


def test_what_is_stored_by_a_networks_settings_is_found_where_nobody_asked_for_numbers(
    settings: NetworkSettings,
) -> None:
    """Banks, costs and choices of precision are known by them; photographs have no numbers."""
    known = settings.model_copy(update={"numbers": Numbers(kind="float", white=2)})

    assert "numbers" not in settings.model_dump(mode="json")
    assert checked(NetworkSettings, known.model_dump(mode="json"), origin="here") == known
