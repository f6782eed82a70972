"""Views without labels: duties, places and names, and what each names as its ground."""

from __future__ import annotations

import datetime as dt

import pytest
import toy

from corpora.places import Gazetteer, Place
from corpora.records import UnitCode
from corpora.units import DutyItem, Unit, UnitDirectory
from models.given import GivenScores, GivenViews

OLD = dt.date(2019, 12, 31)
PLACES = [
    Place("X", "澜城", "city"),
    Place("X-Z1", "东片区", "zone", "X"),
    Place("X-Z2", "西片区", "zone", "X"),
    Place("X-C1", "鹭洲社区", "community", "X-Z1"),
    Place("X-C2", "梅屿社区", "community", "X-Z2"),
    Place("X-R1", "白鹭花园", "estate", "X-C1"),
    Place("X-R2", "同名花园", "estate", "X-C1"),
    Place("X-R3", "同名花园", "estate", "X-C2"),
    Place("X-V1", "老渡口村", "village", "X", valid_to=OLD, successor=("X-C2",)),
]


def unit(code: str, name: str, area: tuple[str, ...], *duties: str, aliases: tuple[str, ...] = ()) -> Unit:
    """Return a unit; each duty is its text, its keywords the same."""
    items = tuple(DutyItem(f"{code}-{i}", UnitCode(code), text, (text,)) for i, text in enumerate(duties))
    return Unit(UnitCode(code), name, "department", aliases=aliases, area=area, duties=items)


UNITS = UnitDirectory([
    unit("D1", "市住建局", ("X",), "物业管理", aliases=("市住房城乡建设局",)),
    unit("D2", "市城管局", ("X",), "路灯维护", "占道经营"),
    unit("S1", "东片工作站", ("X-Z1",)),
    unit("S2", "西片工作站", ("X-Z2",)),
    unit("C1", "鹭洲社区居委会", ("X-C1",)),
])  # fmt: skip
GAZETTEER = Gazetteer(PLACES).on(dt.date(2026, 11, 20))
VIEWS = GivenViews(UNITS, GAZETTEER, toy.SEGMENTER)


def score(text: str, views: GivenViews = VIEWS) -> GivenScores:
    """Return the scores of one text."""
    return views.scores(toy.features([""], [text]), [text])


#: (text, units on the spot)
ON_THE_SPOT = [
    ("白鹭花园三幢漏水", {"S1", "C1"}),  # estate → community → zone
    ("东片区路灯", {"S1"}),
    ("梅屿社区广场舞", {"S2"}),
    ("老渡口村路面", {"S2"}),  # gone: its successor
    ("同名花园停车难", set()),  # which of the two, nobody knows
    ("澜城的交通", set()),  # the whole city tells nothing apart
    ("没有地名", set()),
    ("白鹭花园和梅屿社区之间", {"S1", "C1", "S2"}),
]


@pytest.mark.parametrize(("text", "expected"), ON_THE_SPOT)
def test_places_speak_for_those_on_the_spot(text: str, expected: set[str]) -> None:
    found = score(text)
    assert {VIEWS.units[i] for i in found.place_of[0]} == expected
    assert {VIEWS.units[i] for i in found.views["place"][0].nonzero()[0]} == expected
    assert all(word in text for word in found.place_of[0].values())


@pytest.mark.parametrize(("text", "unit", "duty"), [
    ("小区物业管理混乱", "D1", "D1-0"),
    ("路灯维护不及时", "D2", "D2-0"),
    ("占道经营严重", "D2", "D2-1"),
])  # fmt: skip
def test_duties_speak_for_their_unit(text: str, unit: str, duty: str) -> None:
    found = score(text)
    at = VIEWS.units.index(unit)
    assert found.views["duty"][0].argmax() == at
    assert VIEWS.duties[found.duty[0, at]][1].id == duty
    assert (found.duty[0, 2:] == -1).all()  # those without duty items


@pytest.mark.parametrize(("text", "named"), [
    ("市住建局不回复", {"D1": "市住建局"}),
    ("市住房城乡建设局不回复", {"D1": "市住房城乡建设局"}),
    ("市住建局和市城管局互相推", {"D1": "市住建局", "D2": "市城管局"}),
    ("有关部门", {}),
])  # fmt: skip
def test_names_speak_for_their_bearer(text: str, named: dict[str, str]) -> None:
    found = score(text)
    assert {VIEWS.units[i]: word for i, word in found.names[0].items()} == named
    assert {VIEWS.units[i] for i in found.views["name"][0].nonzero()[0]} == set(named)


#: (text, unit → worth) for units known by name alone
TERRITORIES = [
    ("七宝镇的河道", {"上海市闵行区七宝镇人民政府": 1.0, "上海市闵行区教育局": 0.0}),
    ("七宝的河道", {"上海市闵行区七宝镇人民政府": 0.6}),
    ("闵行区的学校", {"上海市闵行区教育局": 1.0, "上海市闵行区七宝镇人民政府": 0.3, "上海市徐汇区教育局": 0.0}),
    ("徐汇的学校", {"上海市徐汇区教育局": 0.6}),
    ("上海市的学校", {"上海市徐汇区教育局": 0.0, "上海市闵行区教育局": 0.0}),
]
NAMED = UnitDirectory.from_labels(["上海市闵行区七宝镇人民政府", "上海市闵行区教育局", "上海市徐汇区教育局", "上海市徐汇区城管局"])


@pytest.mark.parametrize(("text", "worth"), TERRITORIES)
def test_territories_in_names(text: str, worth: dict[str, float]) -> None:
    views = GivenViews(NAMED, None, toy.SEGMENTER)
    found = score(text, views)
    place = dict(zip(views.units, found.views["place"][0].tolist(), strict=True))
    assert {name: place[name] for name in worth} == pytest.approx(worth)


@pytest.mark.parametrize(("directory", "gazetteer", "names"), [
    (UNITS, GAZETTEER, ("duty", "place", "name")),
    (NAMED, None, ("place", "name")),
    (toy.directory(), None, ("name",)),
])  # fmt: skip
def test_views_that_a_directory_can_give(directory: UnitDirectory, gazetteer: Gazetteer | None, names: tuple[str, ...]) -> None:
    views = GivenViews(directory, gazetteer, toy.SEGMENTER)
    assert views.names == names
    assert set(score("路灯不亮", views).views) == set(names)


def test_a_row_does_not_depend_on_its_batch_and_a_batch_may_be_empty() -> None:
    texts = [text for text, _ in ON_THE_SPOT]
    together = VIEWS.scores(toy.features([""] * len(texts), texts), texts)
    for row, text in enumerate(texts):
        alone = score(text)
        assert together.place_of[row] == alone.place_of[0]
        for name, view in alone.views.items():
            assert together.views[name][row].tolist() == view[0].tolist()
    none = VIEWS.scores(toy.features([], []), [])
    assert {view.shape for view in none.views.values()} == {(0, 5)}
