"""What learns: a network, the objectives over its outputs, and how a batch passes through them."""

import torch
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.types import Batch, Guidance, Outputs, StepOutput, Targets, Terms
from understudy.models.ensemble import Ensemble
from understudy.models.network import Network
from understudy.objectives.objective import Combined, Portion


class Method(nn.Module):
    """Base of all methods; a new one changes `forward` and, where it has state, `after_step`.

    Args:
        network: The student, which export takes alone.
        objective: What is minimised; may own parameters and queues.
    """

    def __init__(self, network: Network | Ensemble, objective: Combined) -> None:
        super().__init__()
        self.network, self.objective = network, objective

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:
        """The loss of one batch."""
        raise NotImplementedError

    def at(self, progress: float) -> None:
        """Called before every step, for what follows a schedule.

        Args:
            progress: The share of the training that is done, from 0 to 1.
        """
        self.objective.at(progress)

    def after_step(self, progress: float, spoiled: Tensor) -> None:
        """Called after every optimizer step, for what moves by another rule than the gradient.

        Here, nothing does.

        Args:
            progress: The share of the training that was done before the step.
            spoiled: Scalar on the device: 1 where the step was not finite, and so must change
                nothing, else 0; nobody waits for it.
        """

    def objections(self, portion: Portion) -> list[str]:
        """Why steps of so much cannot be learned from, and what to set; mostly nothing.

        Asked before any heavy work. A method that needs more than its objectives adds to it.
        """
        return self.objective.objections(portion)

    def scored(self, student: tuple[Outputs, ...], guidance: Guidance, batch: Batch) -> StepOutput:
        """The objectives' verdict on the outputs."""
        loss, terms = self.objective(student, guidance, targets_of(batch))
        return StepOutput(loss=loss, terms=detached(terms), size=len(batch.index))


def targets_of(batch: Batch) -> Targets:
    """What objectives may know of the batch; labels of -1 where it has none."""
    unknown = torch.full_like(batch.index, -1)
    return Targets(
        labels=unknown if batch.labels is None else batch.labels, index=batch.index, mix=None
    )


def unmoved(views: tuple[Outputs, ...]) -> tuple[Outputs, ...]:
    """The outputs as a teacher gives them, without a gradient."""
    return tuple(
        Outputs(
            logits=_unmoved(view.logits),
            pooled=_unmoved(view.pooled),
            projected=_unmoved(view.projected),
            stages=tuple(stage.detach() for stage in view.stages),
        )
        for view in views
    )


def _unmoved(values: Tensor | None) -> Tensor | None:
    return None if values is None else values.detach()


def detached(terms: Terms) -> Terms:
    """The terms without their graph, for the log."""
    return {name: value.detach() for name, value in terms.items()}


def batch_norm_objection(size: int, parts: int = 1) -> str | None:
    """Why batch norm cannot do with a batch and what to set, or None.

    Args:
        size: Images in the batch.
        parts: In how many parts batch norm sees it.
    """
    if size % parts:
        return (
            f"`method.splits` is {parts}, which does not divide the batch of {size} images. "
            f"Set `plan.batch_size` to a multiple of {parts}, or `method.splits=1`."
        )
    if size < 2 * parts:
        where = f" in each of the {parts} parts of `method.splits`" if parts > 1 else ""
        return (
            f"`plan.batch_size` is {size}, but batch norm needs 2 images{where}: of one, nothing "
            f"is left when its mean is taken away. Set `plan.batch_size` to at least {2 * parts}."
        )
    return None


def must_be_several(batch: Batch, parts: int = 1) -> None:
    """Refuses a batch that batch norm cannot do with.

    Args:
        batch: Of a step.
        parts: In how many parts batch norm sees it.

    Raises:
        UsageError: A part would be a single image, or not all are of one size.
    """
    if objection := batch_norm_objection(len(batch.index), parts):
        raise UsageError(objection)


def self_supervised_objections(portion: Portion, parts: int = 1) -> list[str]:
    """What holds for all methods that learn from images alone.

    Args:
        portion: What a step brings.
        parts: In how many parts batch norm sees a batch.
    """
    found = batch_norm_objection(portion.batch, parts)
    return [] if found is None else [found]
