from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from understudy.data.sources import AnySource, every_source
from understudy.data.sources.listing import SourceSettings


def test_every_source_is_chosen_by_its_kind() -> None:
    kinds = [get_args(source.model_fields["kind"].annotation) for source in every_source()]

    assert kinds == [("folder",), ("manifest",), ("parquet",), ("hub",), ("digits",)]


@pytest.mark.parametrize("source", every_source(), ids=lambda source: source.__name__)
def test_every_setting_is_documented(source: type[SourceSettings]) -> None:
    assert source.__doc__
    assert all(field.description for name, field in source.model_fields.items() if name != "kind")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="'folder', 'manifest', 'parquet', 'hub'"):
        TypeAdapter(AnySource).validate_python({"kind": "tar"})
