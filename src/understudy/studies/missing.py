"""Images that are not where a study says, found before anything heavy is imported."""

from understudy.core.errors import UsageError
from understudy.data.sources.places import places_must_exist
from understudy.studies.parameters import is_around
from understudy.studies.study import Study, images_of


def missing_places(study: Study) -> list[str]:
    """Places of images that are not there, a sentence for each."""
    told = []
    for data in images_of(study).values():
        try:
            places_must_exist(data)
        except UsageError as error:
            told.append(str(error))
    return told


def is_all_that_was_asked(study: Study) -> bool:
    """Whether nothing but the images was changed, so that a plan would find no other mistake."""
    names = images_of(study)
    return not study.machine and all(
        any(is_around(name, key) for name in names) for key in study.changed
    )
