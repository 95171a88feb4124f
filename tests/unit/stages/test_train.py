import pytest
from pydantic import ValidationError

from understudy.stages.train import TrainSettings


def test_a_training_without_a_view_is_refused() -> None:
    with pytest.raises(ValidationError, match="views"):
        TrainSettings(views=())
