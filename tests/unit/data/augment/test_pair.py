from collections import Counter
from collections.abc import Callable
from itertools import combinations

import pytest
import torch

from understudy.data.augment.flip import FlipSettings
from understudy.data.augment.gain import GainSettings
from understudy.data.augment.pair import FORBIDDEN, NINE, PairSettings
from understudy.data.augment.rotate90 import Rotate90Settings
from understudy.data.augment.transform import Dice, Frame, Size, Statistics
from understudy.data.augment.window import seen_through

COUNT = 20_000
FRAME = Frame(Size(8, 8), Size(8, 8), Statistics((0.5,) * 3, (0.2,) * 3))


def drawn_pairs(settings: PairSettings, dice: Dice) -> Counter[tuple[str, str]]:
    places = settings.draw(dice, FRAME).places
    kinds = [transform.kind for transform in settings.among]
    return Counter((kinds[one], kinds[other]) for one, other in places.tolist())


def test_the_nine_leave_twenty_seven_pairs_of_thirty_six() -> None:
    assert len(NINE) == len({transform.kind for transform in NINE}) == 9
    assert len(set(map(frozenset, FORBIDDEN))) == 9
    assert len(PairSettings().allowed()) == 36 - 9


def test_no_forbidden_pair_is_ever_drawn_and_all_others_are_alike(
    dice: Callable[[int], Dice],
) -> None:
    found = drawn_pairs(PairSettings(), dice(COUNT))

    forbidden = set(map(frozenset, FORBIDDEN))
    every = {frozenset(pair) for pair in combinations([one.kind for one in NINE], 2)}
    assert {frozenset(pair) for pair in found} == every - forbidden
    expected = COUNT / 54  # 27 pairs in 2 orders
    assert len(found) == 54
    assert all(abs(count - expected) <= 5 * expected**0.5 for count in found.values())


def test_none_forbidden_gives_all_pairs(dice: Callable[[int], Dice]) -> None:
    assert len(drawn_pairs(PairSettings(forbidden=()), dice(COUNT))) == 72


def test_the_two_follow_each_other_in_the_order_drawn(dice: Callable[[int], Dice]) -> None:
    among = (Rotate90Settings(probability=1.0), FlipSettings(probability=1.0), GainSettings())
    settings = PairSettings(among=among, forbidden=())
    images = torch.rand(60, 3, 8, 8, generator=torch.Generator().manual_seed(0)) / 2
    drawn = settings.draw(dice(60), FRAME)

    found = drawn.apply(images.clone())

    turn, flip, gain = drawn.steps
    for number, places in enumerate(drawn.places.tolist()):
        one = images[number : number + 1]
        for place in places:
            if place == 0:
                one = torch.rot90(one, int(turn.turns[number]), (2, 3))
            elif place == 1:
                mirrored = type(flip)(*(part[number : number + 1] for part in flip))
                one = seen_through(one, [mirrored])
            else:
                one = (one * gain.factor[number]).clamp(0, 1)
        torch.testing.assert_close(found[number : number + 1], one, atol=1e-6, rtol=0)


@pytest.mark.parametrize("probability", [0.0, 0.3])
def test_the_wanted_share_of_views_goes_through_none(
    probability: float, dice: Callable[[int], Dice]
) -> None:
    places = PairSettings(probability=probability).draw(dice(COUNT), FRAME).places

    assert (places[:, 0] == -1).equal(places[:, 1] == -1)
    assert abs(float((places[:, 0] >= 0).double().mean()) - probability) < 0.02


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"among": [{"kind": "gain"}]}, "leaves no pair"),
        ({"among": [{"kind": "gain"}, {"kind": "gain"}]}, "gain twice"),
        ({"forbidden": [["gain", "blur"]]}, "blur not among the transforms"),
        ({"among": [{"kind": "gain"}, {"kind": "flip"}]}, "leaves no pair"),
    ],
)
def test_settings_that_cannot_be_drawn_from_are_refused(
    settings: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        PairSettings.model_validate(settings)


def test_other_transforms_may_be_drawn_without_naming_what_is_forbidden() -> None:
    """The default's names that are not there forbid nothing, also where a run reads them again."""
    settings = PairSettings.model_validate({"among": [{"kind": "gain"}, {"kind": "shift"}]})

    assert settings.allowed() == [(0, 1)]
    assert PairSettings.model_validate(settings.model_dump()) == settings


def test_an_objection_of_one_is_an_objection_of_all() -> None:
    settings = PairSettings.model_validate({"among": [{"kind": "grayscale"}, {"kind": "shift"}]})

    assert "grayscale needs 3 channels" in (settings.objection(12) or "")
    assert PairSettings().objection(12) is None


def test_it_says_whether_its_views_follow_from_statistics() -> None:
    assert PairSettings().reads_statistics()
    plain = PairSettings.model_validate({"among": [{"kind": "gain"}, {"kind": "shift"}]})
    assert not plain.reads_statistics()
