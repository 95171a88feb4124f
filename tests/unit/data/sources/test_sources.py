from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from understudy.core.errors import UsageError
from understudy.core.settings import Settings, checked
from understudy.data.sources import AnySource, every_source
from understudy.data.sources.digits import DigitsSettings
from understudy.data.sources.listing import SourceSettings


def test_every_source_is_chosen_by_its_kind() -> None:
    kinds = [get_args(source.model_fields["kind"].annotation) for source in every_source()]

    assert kinds == [("folder",), ("manifest",), ("parquet",), ("hub",), ("patches",), ("digits",)]


@pytest.mark.parametrize("source", every_source(), ids=lambda source: source.__name__)
def test_every_setting_is_documented(source: type[SourceSettings]) -> None:
    assert source.__doc__
    assert all(field.description for name, field in source.model_fields.items() if name != "kind")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("images", "folder"),
        ("images.zip", "folder"),
        ("labels.csv", "manifest"),
        ("a b/Labels.TSV", "manifest"),
        ("labels.txt", "manifest"),
        ("train.parquet", "parquet"),
    ],
)
def test_the_kind_follows_the_path_where_none_is_given(path: str, kind: str) -> None:
    class Holder(Settings):
        data: AnySource = DigitsSettings()

    for given in ({"path": path}, {"kind": None, "path": path}):
        assert checked(Holder, {"data": given}, "here").data.kind == kind
    assert Holder().data.kind == "digits"
    with pytest.raises(UsageError, match="it belongs to kind=folder"):
        checked(Holder, {"data": {"kind": "digits", "path": path}}, "here")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="'folder', 'manifest', 'parquet', 'hub'"):
        TypeAdapter(AnySource).validate_python({"kind": "tar"})
