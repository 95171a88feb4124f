"""Whether the runs of a study go with its images: asked of all before any of them is begun."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from understudy.core.errors import DataError, UnderstudyError, UsageError
from understudy.core.wording import Location, dotted, headed, named, unheaded
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.studies.filling import written_at
from understudy.studies.plan import Node

ASIDE = {"seed", "generation", "machine"}
"""Settings that images fit whatever they say. All others may not: what is new is asked too."""
NAMED = re.compile(r"(?<=`)[a-z_]\w*(?:\.\w+|\[\d+\])*|\b[a-z_]\w*(?:\.\w+|\[\d+\])+")
"""A setting as a sentence names it: `plan.batch_size`, views[0].transforms[1]."""
PART = re.compile(r"\w+")

Asked = tuple[Node, DataSettings]


def must_fit(asked: Sequence[Asked], packs: Mapping[str, Pack], *, origin: str) -> None:
    """Compares the settings of all runs with their images.

    Runs that differ only in what they draw, or compute with, are asked once.

    Args:
        asked: Runs with their settings.
        packs: The images of each, by `images_key`.
        origin: Of the study, to head the message.

    Raises:
        UnderstudyError: Some cannot be done; each mistake is told once, with the stages that it
            is of where these are not all, and settings are called by the study's parameters where
            they come from those.
    """
    alike: dict[tuple[str, str], list[Asked]] = {}
    for node, settings in asked:
        what = settings.model_dump_json(exclude=ASIDE)
        alike.setdefault((images_key(settings), what), []).append((node, settings))
    told: dict[str, dict[str, list[Node]]] = {}
    errors: list[UnderstudyError] = []
    for (images, _), several in alike.items():
        try:
            several[0][1].must_fit(packs[images])
        except (UsageError, DataError) as error:
            errors.append(error)
            for node, _ in several:
                for sentence in unheaded(str(error)):
                    text = _by_parameters(sentence, node.sources)
                    told.setdefault(text, {}).setdefault(node.name, []).append(node)
    if errors:
        counts = Counter(node.name for node, _ in asked)
        lines = [f"{_stages(nodes, counts)}{text}" for text, nodes in told.items()]
        raise type(errors[0])(
            lines[0] if len(lines) == 1 and lines == list(told) else headed(origin, lines)
        )


def images_key(settings: DataSettings) -> str:
    """What tells the images of one run from those of another."""
    return settings.model_dump_json(include=set(DataSettings.model_fields))


def _by_parameters(sentence: str, sources: Mapping[Location, str]) -> str:
    """The sentence with settings called as the study's file calls them."""

    def called(match: re.Match[str]) -> str:
        parts = PART.findall(match[0])
        source = written_at(sources, tuple(int(p) if p.isdigit() else p for p in parts))
        return match[0] if source is None else dotted(source)

    return NAMED.sub(called, sentence)


def _stages(nodes: Mapping[str, Sequence[Node]], counts: Mapping[str, int]) -> str:
    """Of which stages a sentence is told; nothing where it is so for all runs of several."""
    where = {name: _where(own, counts[name]) for name, own in nodes.items()}
    if len(where) == len(counts) > 1 and not any(where.values()):
        return ""
    return f"{', '.join(f'stages.{name}{place}' for name, place in where.items())}  "


def _where(nodes: Sequence[Node], every: int) -> str:
    """Which values of the axes, where it is not so for all; what is tuned may differ without."""
    if len(nodes) == every:
        return ""
    places = [
        ", ".join(f"{axis} {named(value)}" for axis, value in node.axes.items()) for node in nodes
    ]
    told = "; ".join(dict.fromkeys(place for place in places if place))
    return f" ({told})" if told else ""
