from understudy.results.colours import ACCENT, colours


def test_each_role_has_its_own_colour_and_the_student_the_accent() -> None:
    names = [("baseline", "train"), ("teacher", "finetune"), ("student", "distill")]

    found = colours(names)

    assert found["student"] == ACCENT
    assert len(set(found.values())) == 3


def test_up_to_eight_students_are_told_apart() -> None:
    found = colours([(f"student {number}", "distill") for number in range(7)])

    assert len(set(found.values())) == 7


def test_more_names_than_colours_have_colours_and_what_learns_nothing_has_none() -> None:
    found = colours([*((str(number), "distill") for number in range(30)), ("e", "evaluate")])

    assert len(found) == 30
    assert "e" not in found
