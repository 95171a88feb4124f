"""Dense layers between the features of an image and the linear classifier."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from understudy.core.settings import Settings

Activation = Literal["relu", "elu", "gelu"]
Share = Annotated[float, Field(ge=0, lt=1)]

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
}


class Dense(nn.Module):
    """Linear layers, each followed by an activation and dropout; with none, dropout alone.

    Args:
        inputs: Features of an image.
        widths: Features that each layer gives.
        activation: Behind each.
        dropout: Share of what each gives that is left out in training, one for each layer; where
            there is no layer, one: of the features themselves.
    """

    def __init__(
        self,
        *,
        inputs: int,
        widths: tuple[int, ...],
        activation: Activation,
        dropout: tuple[float, ...],
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for width, share in zip(widths, dropout, strict=bool(widths)):
            self.layers.append(nn.Linear(inputs, width))
            self.layers.append(_ACTIVATIONS[activation]())
            self.layers.append(nn.Dropout(share))
            inputs = width
        if not widths:
            self.layers.append(nn.Dropout(dropout[0]))
        self.out = inputs

    def forward(self, pooled: Tensor) -> Tensor:
        """[B, D] to [B, out], what the classifier reads."""
        features: Tensor = self.layers(pooled)
        return features


class HeadSettings(Settings):
    """What a classifier reads: the features themselves, or what dense layers make of them."""

    widths: tuple[PositiveInt, ...] = ()
    """Features that each dense layer gives, such as `[256, 256]`; none: the classifier is one
    linear layer over the backbone's features."""
    activation: Activation = "relu"
    """Behind each dense layer."""
    dropout: Share | tuple[Share, ...] = 0.0
    """Share of what each dense layer gives that is left out in training: one number for all, or a
    list with one for each. Without dense layers, one number: of the features themselves."""

    @model_validator(mode="after")
    def _one_share_for_each(self) -> Self:
        if isinstance(self.dropout, tuple) and len(self.dropout) != len(self.widths):
            raise ValueError(
                f"dropout: lists {len(self.dropout)} shares, and `widths` {len(self.widths)}; give "
                "one number for all, or one for each of `widths`"
            )
        return self

    @property
    def is_linear(self) -> bool:
        """Whether the classifier alone is the head."""
        return not self.widths and not self.dropout

    def build(self, inputs: int) -> Dense:
        """The layers for `inputs` features."""
        given, layers = self.dropout, max(1, len(self.widths))
        return Dense(
            inputs=inputs,
            widths=self.widths,
            activation=self.activation,
            dropout=given if isinstance(given, tuple) else (given,) * layers,
        )
