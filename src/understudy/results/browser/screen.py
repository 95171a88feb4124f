"""What rows say, on a terminal: how they were read, and the answers to what they can be asked."""

from rich.console import Console
from rich.text import Text

from understudy.results.browser.measures import gain
from understudy.results.browser.observed import Answer, Question, answers, questions, splits
from understudy.results.browser.section import interval_of, sentence, summary
from understudy.results.browser.sheet import Measure, Sheet
from understudy.results.browser.view import first_view
from understudy.results.plain import lines_for
from understudy.results.strips import Strip, table_of, text_of


def show(sheet: Sheet, console: Console, *, facts: bool = True) -> None:
    """Prints the answers over all pairs, and of each setting.

    Args:
        sheet: The rows.
        console: Where; its width decides which columns have room.
        facts: Tell each setting; the sentences over all are told in any case.
    """
    view = first_view(sheet)
    measure = next(one for one in sheet.measures if one.name == view.figure)
    console.print(text_of(summary(sheet), console, style="bold"))
    for note in sheet.notes:
        _say(note, console, "dim")
    for question in questions(sheet):
        by = splits(sheet, question, along=view.along, panels=view.panels, group=view.group)
        found = answers(sheet, question, view.figure, by=by, among=sheet.chosen())
        if not found:
            continue
        console.print()
        _say(sentence(question, found[0], measure), console, "")
        if facts and len(found) > 1:
            console.print(table_of(_strips(question, found[1:], by, measure), console))


def _say(text: str, console: Console, style: str) -> None:
    for line in lines_for(text, console):
        console.print(Text(line, style=style), soft_wrap=True)


def _strips(
    question: Question, found: list[Answer], by: list[str], measure: Measure
) -> list[Strip]:
    settings = [
        Strip(axis, [one.setting[place] for one in found], numeric=False, spare=0)
        for place, axis in enumerate(by)
    ]
    unit = measure.of_differences.strip()
    return [
        *settings,
        Strip(unit or question.title, [gain(measure, one.found.mean) for one in found], True, 0),
        Strip("95 % interval", [interval_of(one, measure) for one in found], True, 2),
        Strip("n", [str(one.found.n) for one in found], True, 3),
        Strip("pairs", [str(one.pairs) for one in found], True, 4),
        Strip("higher", [str(one.higher) for one in found], True, 5),
    ]
