"""The list of administrative divisions: its counts, its cities, and which city letters speak of."""

from __future__ import annotations

import pytest

from corpora.divisions import Divisions

DIVISIONS = Divisions.load()


def test_the_list_holds_the_whole_country() -> None:
    assert (len(DIVISIONS.provinces), len(DIVISIONS.cities), len(DIVISIONS.counties)) == (31, 333, 2978)
    assert set(DIVISIONS.towns) == set(DIVISIONS.counties)
    assert 41_000 < sum(map(len, DIVISIONS.towns.values())) < 42_000


@pytest.mark.parametrize(
    ("county", "city", "name"),
    [
        ("330383", "3303", "温州市"),
        ("310112", "31", "上海市"),  # a municipality
        ("500229", "50", "重庆市"),  # a county of a municipality
        ("429004", "429004", "仙桃市"),  # right below its province
        ("441900", "4419", "东莞市"),  # a city without counties
    ],
)
def test_the_city_of_a_county(county: str, city: str, name: str) -> None:
    assert DIVISIONS.city_of(county) == city
    assert DIVISIONS.name_of(city) == name


def test_places_of_a_city() -> None:
    gazetteer = DIVISIONS.gazetteer("31")
    (found,) = gazetteer.find(["家住七宝，单位在闵行区莘庄镇"])
    assert [match.text for match in found] == ["七宝", "闵行区", "莘庄镇"]
    assert found[0].codes == ("310112七宝镇",)
    assert gazetteer.ancestors("310112七宝镇") == ("310112", "31")
    assert [gazetteer[code].kind for code in ("310112七宝镇", "310101外滩街道", "310112")] == ["town", "subdistrict", "district"]


@pytest.mark.parametrize("city", ["4419", "429004", "50", "3303"])
def test_every_kind_of_city_has_towns(city: str) -> None:
    assert len(DIVISIONS.gazetteer(city).places) > 20


def test_the_city_that_letters_speak_of() -> None:
    letters = ["鹿城区的路灯坏了", "请问平阳县怎么办理", "瑞安市占道经营", "没有说在哪里", "从闵行区搬来"] * 10
    assert DIVISIONS.city_named_in(letters) == "3303"


@pytest.mark.parametrize(
    "letters",
    [
        [],
        ["没有说在哪里"] * 100,
        ["鹿城区的路灯坏了"] * 19,  # too few
        ["鹿城区的路灯坏了"] * 30 + ["没有说在哪里"] * 3_000,  # too small a part
        [f"{place}的路灯坏了" for place in ("鹿城区", "闵行区", "仙桃市")] * 30,  # no city has most of them
    ],
)
def test_where_it_is_not_plain_there_is_none(letters: list[str]) -> None:
    assert DIVISIONS.city_named_in(letters) is None
