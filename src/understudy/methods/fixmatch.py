"""FixMatch (Sohn et al., NeurIPS 2020, arXiv:2001.07685): labels, and answers that are sure.

What the network answers to a weak view of an image without label, where it is sure, is what it
learns to answer to a strong view of it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.core.types import Batch, Guidance, Outputs, StepOutput, Tap, Targets
from understudy.methods.method import Method, detached
from understudy.methods.threshold import AdaptiveThreshold, FixedThreshold
from understudy.models.network import Network
from understudy.objectives.objective import Combined, Portion
from understudy.objectives.reading import given, precise

VIEWS = 2
"""A weak one and a strong one."""


def sure_cross_entropy(
    logits: Tensor, answers: Tensor, *, threshold: FixedThreshold | AdaptiveThreshold
) -> tuple[Tensor, Tensor]:
    """Cross-entropy with the likeliest class of another view, where that is likely enough.

    Args:
        logits: Of strong views, [B, K].
        answers: Logits of weak views of the same images, [B, K]; no gradient is sent into them.
        threshold: The least probability of each.

    Returns:
        The mean over all B, of which those that are not sure enough count zero, as in the paper;
        and the share that is sure enough.
    """
    probabilities = answers.detach().softmax(dim=1)
    probability, label = probabilities.max(dim=1)
    is_sure = (probability >= threshold(probabilities)).to(logits.dtype)
    losses = F.cross_entropy(logits, label, reduction="none")
    return (losses * is_sure).mean(), is_sure.mean()


class FixMatch(Method):
    """Labelled images come first in a batch, in their weak view; the others in both.

    All pass through the network together, so that batch norm sees them as one, as in the authors'
    code.

    Args:
        network: Has a classifier.
        objective: What is learned from labels.
        labelled: How many images of a batch come with labels.
        threshold: From which probability on an answer is learned.
        weight: Of what is learned from answers, beside the labels.
    """

    def __init__(
        self,
        network: Network,
        objective: Combined,
        *,
        labelled: int,
        threshold: FixedThreshold | AdaptiveThreshold,
        weight: float,
    ) -> None:
        super().__init__(network, objective)
        self.labelled, self.threshold, self.weight = labelled, threshold, weight

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:
        """The loss of one batch.

        Args:
            batch: Labelled images and then others, each in a weak and a strong view.
            guidance: None; the network guides itself.
        """
        weak, strong = batch.views
        assert batch.labels is not None, "the labelled images of a batch have labels"
        shown = torch.cat([weak, strong[self.labelled :]])
        outputs = self.network(shown, self.objective.taps)
        logits = precise(given(outputs.logits))
        others = len(weak) - self.labelled
        known = Targets(
            labels=batch.labels[: self.labelled], index=batch.index[: self.labelled], mix=None
        )
        loss, terms = self.objective((Outputs(logits=logits[: self.labelled]),), guidance, known)
        answers, answered = logits[self.labelled : -others], logits[-others:]
        unsupervised, sure = sure_cross_entropy(answered, answers, threshold=self.threshold)
        told = {**terms, "pseudo_label": unsupervised, "sure": sure}
        return StepOutput(
            loss=loss + self.weight * unsupervised,
            terms=detached(told),
            size=self.labelled,  # an epoch counts these
        )

    def objections(self, portion: Portion) -> list[str]:
        """What the objectives object to, other numbers of views than two, and other taps."""
        found = self.objective.objections(portion)
        if self.objective.taps != {Tap.LOGITS}:
            found.append(
                "`terms` reads more than logits, and `fixmatch` gives its terms the logits of "
                "labelled images. Leave `label` alone there."
            )
        if portion.views != VIEWS:
            found.append(
                f"`views` has {portion.views}, but `fixmatch` compares a weak view of each image "
                "with a strong one. List 2, the weak one first."
            )
        return found
