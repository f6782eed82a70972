"""Small tools of the console: marked words, bars, days, and the search of a unit."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.console.live import Cached, Claims
from dispatch.console.show import Age, age, percent, pieces, width
from dispatch.console.units import find_units
from dispatch.console.web import local
from dispatch.scoring import UnitChoice

DAY = dt.date(2026, 11, 26)


@pytest.mark.parametrize(
    ("deadline", "found"),
    [
        (None, Age("none", 0)),
        (DAY, Age("today", 0)),
        (DAY - dt.timedelta(1), Age("overdue", 1)),
        (DAY + dt.timedelta(3), Age("soon", 3)),
        (DAY + dt.timedelta(4), Age("later", 4)),
    ],
)
def test_age(deadline, found):
    assert age(deadline, DAY) == found


@pytest.mark.parametrize(
    ("share", "text"), [(None, "—"), (0.0, "0%"), (0.004, "<1%"), (0.5, "50%"), (0.994, ">99%"), (0.99, "99%"), (1.0, "100%")]
)
def test_percent(share, text):
    assert percent(share) == text


def test_width_stays_within_the_bar():
    assert [width(share) for share in (None, -1, 0.123456, 2)] == [0, 0, 12.3, 100]


def test_words_are_marked_where_they_stand():
    found = pieces("窨井盖不见了，井盖", [(1, ["井盖", "窨井"]), (2, ["井盖"])], ["不见了"])
    assert [(piece.text, piece.numbers, piece.ends, piece.urgent) for piece in found] == [
        ("窨", (1,), (), False),
        ("井盖", (1, 2), (1, 2), False),
        ("不见了", (), (), True),
        ("，", (), (), False),
        ("井盖", (1, 2), (1, 2), False),
    ]


@given(st.text("甲乙丙<&", max_size=30), st.lists(st.tuples(st.integers(1, 5), st.lists(st.text("甲乙丙<", max_size=3), max_size=3)), max_size=4))
def test_marking_loses_no_character(text, words):
    found = pieces(text, words, ["丙"])
    assert "".join(piece.text for piece in found) == text
    assert all(piece.text for piece in found)
    for piece in found:
        assert set(piece.ends) <= set(piece.numbers)


UNITS = [
    UnitChoice("D09", "澜港市水利和城市供水事务局", "department"),
    UnitChoice("E01", "澜港市水务集团有限公司", "enterprise"),
    UnitChoice("D12", "澜港市公安局", "department"),
    UnitChoice("S1", "公安局东港派出所", "station"),
]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", []),
        ("  ", []),
        ("公安局", ["D12", "S1"]),
        ("公安 澜港", ["D12"]),
        ("d12", ["D12"]),
        ("水务局", ["D09"]),
        ("水务", ["E01", "D09"]),
        ("林业", []),
        ("ｄ１２", ["D12"]),
    ],
)
def test_units_are_found_by_what_people_call_them(text, codes):
    assert [unit.code for unit in find_units(UNITS, text)] == codes


@pytest.mark.parametrize(
    ("path", "found"),
    [("/queue?a=b", "/queue?a=b"), ("//evil", "/"), ("/\\evil", "/"), ("https://evil", "/"), ("", "/"), ("/a\nb", "/"), ("/中", "/"), ("/a\\b", "/")],
)
def test_only_paths_of_this_site(path, found):
    assert local(path) == found


def test_claims_fade(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("dispatch.console.live.time.monotonic", lambda: clock[0])
    claims = Claims()
    assert claims.look("p", "li") == "" and claims.look("p", "li") == ""
    assert claims.look("p", "wang") == "li"
    claims.take("p", "wang")
    assert claims.look("p", "li") == "wang"
    claims.leave("p", "li")
    assert claims.look("p", "li") == "wang"
    claims.leave("p", "wang")
    assert claims.look("p", "li") == ""
    clock[0] += 1000
    assert claims.look("p", "wang") == ""


def test_cached_makes_once_and_again_when_it_is_old(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("dispatch.console.live.time.monotonic", lambda: clock[0])
    cached, made = Cached(20), []

    def make():
        made.append(1)
        return len(made)

    assert [cached.get("a", make), cached.get("a", make), cached.get("b", make)] == [1, 1, 2]
    clock[0] += 21
    assert cached.get("a", make) == 3
    cached.forget()
    assert cached.get("a", make) == 4
