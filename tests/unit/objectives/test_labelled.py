import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Targets
from understudy.objectives.labelled import labelled_mean, with_shares

LABELS = torch.tensor([2, -1, 0])


def test_images_without_a_label_count_neither_way() -> None:
    values = torch.tensor([3.0, 100.0, 5.0])

    assert labelled_mean(lambda _: values, [(LABELS, torch.ones(3))]).item() == 4


def test_a_loss_is_asked_for_classes_that_there_are() -> None:
    asked: list[Tensor] = []

    def losses(indices: Tensor) -> Tensor:
        asked.append(indices)
        return torch.zeros(3)

    labelled_mean(losses, [(LABELS, torch.ones(3))])

    assert asked[0].tolist() == [2, 0, 0]


def test_several_losses_are_averaged_each_by_itself() -> None:
    found = labelled_mean(
        lambda indices: torch.stack([indices.float(), 10 * indices.float()]),
        [(LABELS, torch.ones(3))],
    )

    assert_close(found, torch.tensor([1.0, 10.0]))


def test_a_mixed_image_counts_by_its_shares_and_without_a_label_not_at_all() -> None:
    partner, share = torch.tensor([1, 2, 0]), torch.tensor([0.75, 0.5, 0.25])
    targets = Targets(labels=LABELS, index=torch.arange(3), mix=(partner, share))

    found = labelled_mean(lambda indices: indices.float(), with_shares(targets))

    own, other = [2 * 0.75, 0 * 0.25], [0 * 0.5, 2 * 0.75]  # the second image's own, the first's
    assert_close(found, torch.tensor((sum(own) + sum(other)) / (0.75 + 0.25 + 0.5 + 0.75)))
