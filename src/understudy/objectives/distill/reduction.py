"""A projection of the teacher's features to fewer, which a student can follow.

Learned together with a student by their agreement, a projection makes all images alike: a constant
is what two networks agree on best. So what is learned here is learned from the teacher alone.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import PositiveInt
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.settings import Settings


def lost(features: Tensor, projection: Tensor) -> Tensor:
    """How much of features a projection and its transpose do not give back.

    The loss of a linear autoencoder whose decoder is the encoder's transpose. Wherever it cannot
    be lowered further, the projection has orthonormal rows that span the principal subspace of
    the features; every other stationary point is a saddle (Yang, IEEE Transactions on Signal
    Processing 43(1), 1995, theorems 1 and 2). A projection that makes all images alike gives
    nothing back, and so cannot be where it ends.

    Args:
        features: [B, D], of length 1.
        projection: [W, D].

    Returns:
        The squared length of the difference, averaged over the batch: 1 where nothing is given
        back, 0 where all is.
    """
    return (features - features @ projection.T @ projection).square().sum(dim=1).mean()


class Reduction(nn.Module):
    """Takes the teacher's features to fewer; begins as a random orthogonal projection.

    Args:
        inputs: Of the teacher's features, D.
        width: Of what is left, W; at most D.
        learned: Whether it learns to keep as much of the features as it can. Else it is a buffer,
            and stays as it was drawn.
    """

    projection: Tensor

    def __init__(self, *, inputs: int, width: int, learned: bool) -> None:
        super().__init__()
        drawn = nn.init.orthogonal_(torch.empty(width, inputs))
        self.learned = learned
        if learned:
            self.projection = nn.Parameter(drawn)
        else:
            self.register_buffer("projection", drawn)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the student is to agree with, and what teaches the projection.

        Args:
            features: [B, D], of any length.

        Returns:
            The projected features [B, W] without a gradient, so that the student's agreement moves
            nothing here; and what is lost of the features' direction, or None where nothing
            learns.
        """
        # Autocast would compute the products in half precision, whatever the inputs are.
        with torch.autocast(features.device.type, enabled=False):
            reduced = features @ self.projection.detach().T
            if not self.learned:
                return reduced, None
            return reduced, lost(F.normalize(features, dim=1), self.projection)


class ReductionSettings(Settings):
    """Fewer features of the teacher: KASSL's "feature reduction", which says not how it is made."""

    width: PositiveInt
    """How many features are left; at most as many as the teacher has."""
    projection: Literal["fixed", "learned"] = "fixed"
    """A random orthogonal projection that never moves, or one that learns to keep as much of the
    teacher's features as it can. The student's agreement moves neither: both would agree on a
    constant."""

    def build(self, inputs: int) -> Reduction:
        """The projection of so many features.

        Raises:
            UsageError: There are fewer than are to be left.
        """
        if inputs < self.width:
            raise UsageError(
                f"`reduction.width` is {self.width}, but the teacher gives {inputs} features. Set "
                f"`reduction.width` to at most {inputs}, or leave `reduction` out."
            )
        return Reduction(inputs=inputs, width=self.width, learned=self.projection == "learned")
