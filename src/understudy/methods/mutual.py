"""Deep mutual learning (Zhang et al., CVPR 2018, arXiv:1706.00384): peers teach each other."""

from collections.abc import Sequence
from itertools import permutations

import torch
from torch import Tensor, nn

from understudy.core.types import Batch, Guidance, Outputs, StepOutput, Targets, Terms
from understudy.methods.method import Method, detached, targets_of, unmoved
from understudy.models.ensemble import Ensemble
from understudy.models.network import Network
from understudy.objectives.objective import Combined

Views = tuple[Outputs, ...]


class Mutual(Method):
    """Every peer learns what the objectives ask for, with each of the others as its teacher.

    A peer's loss is the mean over the others; with cross-entropy and KL(other || own) that is the
    paper's. Nothing is sent back into the one who teaches.

    Departs from the paper, where a peer is asked again after the one before it has made its step:
    here all of them step at once, from the answers before it. Gradients that are clipped
    (`max_norm`) are clipped together, and a step of one that is not finite is a step of none.

    Args:
        peers: Two or more; each normalises for itself.
        objective: What each learns; it reads logits alone and has no parameters of its own.
        network: What counts afterwards: one of the peers, or an ensemble of them.
    """

    def __init__(
        self, peers: Sequence[Network], objective: Combined, *, network: Network | Ensemble
    ) -> None:
        super().__init__(network, objective)
        counted = set(network.modules())
        self.others = nn.ModuleList(peer for peer in peers if peer not in counted)
        self.peers = tuple(peers)  # in a tuple, so that none is a sub-module twice

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:  # noqa: ARG002
        """The loss of one batch, summed over the peers.

        Args:
            batch: With or without labels.
            guidance: None; the peers guide each other.
        """
        answers = [
            tuple(peer(view, self.objective.taps) for view in batch.views) for peer in self.peers
        ]
        loss, terms = mutual_loss(self.objective, answers, targets_of(batch))
        return StepOutput(loss=loss, terms=detached(terms), size=len(batch.index))


def mutual_loss(
    objective: Combined, answers: Sequence[Views], targets: Targets
) -> tuple[Tensor, Terms]:
    """What all peers have to learn from labels and from each other.

    Args:
        objective: For one student and one teacher.
        answers: Of each peer to each view.
        targets: Of the batch.

    Returns:
        The sum over the peers, so that each has the gradient that it would have alone; and the
        mean of each term over all pairs, beside each peer's loss (`peer1`, `peer2`, ...).
    """
    losses: list[list[Tensor]] = [[] for _ in answers]
    told: list[Terms] = []
    for own, other in permutations(range(len(answers)), 2):
        loss, terms = objective(answers[own], unmoved(answers[other]), targets)
        losses[own].append(loss)
        told.append(terms)
    each = [torch.stack(parts).mean() for parts in losses]
    means = {name: torch.stack([terms[name] for terms in told]).mean() for name in told[0]}
    return torch.stack(each).sum(), means | {
        f"peer{number}": loss for number, loss in enumerate(each, start=1)
    }
