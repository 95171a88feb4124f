"""Learning from a teacher's answers (Hinton et al. 2015), with or without labels beside them."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from understudy.core.settings import Settings
from understudy.core.types import Batch, Guidance, StepOutput
from understudy.methods.method import Method
from understudy.models.ensemble import Ensemble
from understudy.models.network import Network, NetworkSettings
from understudy.objectives.objective import ObjectiveSettings


class Distilled(Method):
    """Every view passes alone, and is compared with the teacher's answer to the same pixels."""

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:
        """The loss of one batch.

        Args:
            batch: With or without labels.
            guidance: The teacher's outputs for each view.
        """
        assert guidance is not None, "a distilled student needs a guide"
        student = tuple(self.network(view, self.objective.taps) for view in batch.views)
        return self.scored(student, guidance, batch)


class DistillationSettings(Settings):
    """Base of the settings of a distillation's methods: what each may change, and changes not."""

    kind: str
    reads_features: ClassVar[bool] = False
    """Whether it compares maps of stages, which no stored answers hold."""
    brings_classifier: ClassVar[bool] = False
    """Whether the student has a classifier though no objective reads its logits."""

    def network(
        self,
        plain: NetworkSettings,
        teacher: Network | Ensemble | None,  # noqa: ARG002 - for the methods that read it
        *,
        size: int | None,  # noqa: ARG002
    ) -> NetworkSettings:
        """The network that learns.

        Args:
            plain: The student that was asked for.
            teacher: Who teaches; None where there are stored answers alone.
            size: Height and width of the images that the teacher sees.

        Raises:
            UsageError: The method does not go with this teacher.
        """
        return plain

    def begun(
        self,
        student: Network,
        teacher: Network | Ensemble | None,  # noqa: ARG002
        *,
        classes: Sequence[int] | None,  # noqa: ARG002
    ) -> Network:
        """The student as it begins; the same again after an interruption.

        Args:
            student: Freshly initialised; may be changed in place.
            teacher: Who teaches.
            classes: Which of the teacher's classes are the student's; None: all, in their order.
        """
        return student

    def own_terms(self) -> tuple[ObjectiveSettings, ...]:
        """Objectives that the method brings along, beside those of the user."""
        return ()


class DistilledSettings(DistillationSettings):
    """The student's own network learns what `terms` ask for."""

    kind: Literal["distilled"] = "distilled"
