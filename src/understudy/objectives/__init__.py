"""Every objective there is. To add one: write its file, import it here, name it in the union.

An objective says what it reads of student and teacher; `combine` builds all that a training asks
for and refuses what its networks cannot give (both in objective.py).
"""

from typing import Annotated, get_args

from pydantic import Field

from understudy.objectives.distill.attention import AttentionSettings
from understudy.objectives.distill.contrastive import ContrastiveSettings
from understudy.objectives.distill.correlation import CorrelationSettings
from understudy.objectives.distill.decoupled import DecoupledSettings
from understudy.objectives.distill.dist import DistSettings
from understudy.objectives.distill.hard_label import HardLabelSettings
from understudy.objectives.distill.hints import HintsSettings
from understudy.objectives.distill.logit_mse import LogitMseSettings
from understudy.objectives.distill.multi_level import MultiLevelSettings
from understudy.objectives.distill.probability import ProbabilitySettings
from understudy.objectives.distill.projection import ProjectionSettings
from understudy.objectives.distill.queue import QueueSettings
from understudy.objectives.distill.regression import RegressionSettings
from understudy.objectives.distill.relational import RelationalSettings
from understudy.objectives.distill.review import ReviewSettings
from understudy.objectives.distill.similarity import SimilaritySettings
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.distill.standardized import StandardizedSettings
from understudy.objectives.distill.variational import VariationalSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import ObjectiveSettings
from understudy.objectives.selfsup.info_nce import InfoNceSettings
from understudy.objectives.selfsup.nt_xent import NtXentSettings
from understudy.objectives.selfsup.prediction import PredictionSettings
from understudy.objectives.selfsup.redundancy_reduction import RedundancyReductionSettings
from understudy.objectives.selfsup.self_distillation import SelfDistillationSettings
from understudy.objectives.selfsup.swapped_assignment import SwappedAssignmentSettings
from understudy.objectives.selfsup.vicreg import VicregSettings

AnyObjective = Annotated[
    LabelSettings
    | HardLabelSettings
    | SoftLabelSettings
    | LogitMseSettings
    | StandardizedSettings
    | DecoupledSettings
    | DistSettings
    | MultiLevelSettings
    | NtXentSettings
    | RegressionSettings
    | QueueSettings
    | HintsSettings
    | AttentionSettings
    | SimilaritySettings
    | RelationalSettings
    | ProbabilitySettings
    | VariationalSettings
    | ContrastiveSettings
    | ReviewSettings
    | CorrelationSettings
    | ProjectionSettings
    | PredictionSettings
    | InfoNceSettings
    | RedundancyReductionSettings
    | VicregSettings
    | SwappedAssignmentSettings
    | SelfDistillationSettings,
    Field(discriminator="kind"),
]


def every_objective() -> tuple[type[ObjectiveSettings], ...]:
    """The settings of all objectives, in the order of the union."""
    union, *_ = get_args(AnyObjective)
    return get_args(union)
