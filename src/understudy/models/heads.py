"""What stands behind a backbone: a projector, what is kept of one, and the absence of a head."""

from typing import Literal, NoReturn, Self

import torch
import torch.nn.functional as F
from pydantic import PositiveInt
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.settings import Settings

Normed = Literal["every", "inner", "none"]
"""Which layers of a head end in batch norm."""


class Prototypes(nn.Module):
    """Cosines with directions that learn: the last layer of DINO's head (arXiv:2104.14294).

    The same as the authors' linear layer behind features of length 1 with normalised weights
    (weight norm whose length is fixed to 1), of which the directions alone count. In single
    precision at least. Departs in where directions begin: theirs fill a cube evenly, ours a sphere.

    Args:
        inputs: Features of an image.
        count: How many prototypes there are.
    """

    def __init__(self, *, inputs: int, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(F.normalize(torch.randn(count, inputs), dim=1))

    def forward(self, features: Tensor) -> Tensor:
        """[B, inputs], of any length, to [B, count] in [-1, 1]."""
        # Autocast would compute the product in half precision, whatever its inputs are.
        with torch.autocast(features.device.type, enabled=False):
            single = features.to(self.weight.dtype)
            return F.normalize(single, dim=1) @ F.normalize(self.weight, dim=1).T


class Projector(nn.Module):
    """A projection head: linear layers, relu between them, and batch norm behind some.

    With batch norm behind every layer it is that of SimCLR (Chen et al. 2020, arXiv:2002.05709 and
    arXiv:2006.10029). Departs from their code: the last batch norm has no scale either (theirs
    has no shift), and the layers are initialised as PyTorch does, since batch norm takes their
    scale away. A head without batch norm has biases, as MoCo v2's; the others have none, as BYOL's
    and VICReg's. With prototypes it is that of DINO, whose authors have GELU in place of relu.

    Departs from DINO's code in how a head without batch norm begins: theirs has weights of a
    truncated normal of 0.02 and no biases, ours PyTorch's. Theirs suits layers of 2048 inputs;
    behind 32 features its scores began half as spread (0.05 for 0.11), and stayed so for longer.
    """

    def __init__(
        self,
        *,
        inputs: int,
        hidden: int,
        out: int,
        layers: int,
        normed: Normed,
        prototypes: int | None,
    ) -> None:
        super().__init__()
        self.out = prototypes or out
        self.layers = _inner(inputs, hidden, layers - 1, normed=normed != "none")
        self.layers.append(nn.Linear(hidden, out, bias=normed == "none"))
        if normed == "every":
            self.layers.append(nn.BatchNorm1d(out, affine=False))
        if prototypes:
            self.layers.append(Prototypes(inputs=out, count=prototypes))

    def forward(self, pooled: Tensor) -> Tensor:
        """[B, D] to [B, out], not normalised; with prototypes, the cosines with them."""
        projected: Tensor = self.layers(pooled)
        return projected


class ProjectorSettings(Settings):
    """A projection head: used in pretraining, left behind afterwards."""

    hidden: PositiveInt = 512
    """Width of the layers between."""
    out: PositiveInt = 128
    """Width of what the objective compares."""
    layers: Literal[2, 3] = 2
    """2 as in SimCLR, 3 as in SimCLRv2."""
    normed: Normed = "every"
    """Which layers end in batch norm: every one as in SimCLR, SimSiam and Barlow Twins, the inner
    ones as in BYOL and VICReg, or none as in MoCo v2."""
    prototypes: PositiveInt | None = None
    """How many prototypes the features are compared with at last, as in DINO; the objective then
    compares the cosines. Those of a momentum network are averages too. By default none."""

    def build(self, inputs: int) -> Projector:
        """The head for `inputs` pooled features."""
        return Projector(
            inputs=inputs,
            hidden=self.hidden,
            out=self.out,
            layers=self.layers,
            normed=self.normed,
            prototypes=self.prototypes,
        )


class Hidden(nn.Module):
    """The first layers of a projector, which a fine-tuning keeps before its classifier.

    As SimCLR v2 does where labels are few (Chen et al. 2020, arXiv:2006.10029, section 2): each is
    a linear layer, batch norm where the projector has it, and a relu.
    """

    def __init__(self, *, inputs: int, width: int, layers: int, normed: bool) -> None:
        super().__init__()
        self.out = width
        self.layers = _inner(inputs, width, layers, normed=normed)

    def take(self, projector: Projector) -> None:
        """Copies the projector's first layers."""
        self.layers.load_state_dict(projector.layers[: len(self.layers)].state_dict())

    def forward(self, pooled: Tensor) -> Tensor:
        """[B, D] to [B, out], what a classifier reads."""
        features: Tensor = self.layers(pooled)
        return features


class HiddenSettings(Settings):
    """How such layers are built; a fine-tuning writes them, and no user does."""

    width: PositiveInt
    """Features that each gives."""
    layers: PositiveInt
    """How many there are."""
    normed: bool
    """Whether each has batch norm."""

    @classmethod
    def first_of(cls, projector: ProjectorSettings, *, layers: int) -> Self:
        """Those of a projector; its last layer, which the objective compares, is never among them.

        Raises:
            UsageError: It has not so many.
        """
        if layers >= projector.layers:
            raise UsageError(
                f"from_projector = {layers}: the projector has {projector.layers} layers, of which "
                f"the last is never kept. Set at most {projector.layers - 1}."
            )
        return cls(width=projector.hidden, layers=layers, normed=projector.normed != "none")

    def build(self, inputs: int) -> Hidden:
        """The layers for `inputs` pooled features."""
        return Hidden(inputs=inputs, width=self.width, layers=self.layers, normed=self.normed)


class Missing(nn.Module):
    """Stands where a network has no such head, and says so to whoever asks for it."""

    def __init__(self, head: str, *, remedy: str) -> None:
        super().__init__()
        self._message = f"This network has no {head}. {remedy}"

    def forward(self, *_: Tensor) -> NoReturn:
        """Refuses.

        Raises:
            UsageError: Always.
        """
        raise UsageError(self._message)


def _inner(inputs: int, width: int, layers: int, *, normed: bool) -> nn.Sequential:
    """The layers of a head before its last: linear, batch norm or a bias, relu."""
    found = nn.Sequential()
    for _ in range(layers):
        found.append(nn.Linear(inputs, width, bias=not normed))
        if normed:
            found.append(nn.BatchNorm1d(width))
        found.append(nn.ReLU(inplace=True))
        inputs = width
    return found
