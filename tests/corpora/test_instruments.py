"""Instruments that give duties to units: what is read, and everything that is wrong named at once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from corpora.instruments import InstrumentError, read_instruments
from corpora.legal import ArticleNumber
from corpora.units import UnitDirectory

CITY = Path(__file__).parents[2] / "corpora" / "data" / "cities" / "langang"

GOOD = """
format: minqing/instruments/1
invented: true
instruments:
  - title: 关于职责承接的决定
    number: 云政发〔2021〕1号
    issuer: 云州市人民政府
    issued: 2021-03-01
    expires: 2022-12-31
    assignments:
      - {article: 第二条, unit: U1, laws: [{title: 路灯法, articles: [第二条, 第三条之一]}]}
      - {article: 第三条, unit: U2, fields: [犬只]}
"""


def read(folder: Path, text: str) -> tuple:
    path = folder / "instruments.yaml"
    path.write_text(text, "utf-8")
    return read_instruments(path)


def test_what_is_read(tmp_path: Path) -> None:
    (decision,) = read(tmp_path, GOOD)
    assert decision.effective == decision.issued == dt.date(2021, 3, 1)
    assert decision.assignments[0].laws == (("路灯法", (ArticleNumber(2), ArticleNumber(3, 1))),)
    assert decision.assignments[1].fields == ("犬只",)


@pytest.mark.parametrize(
    ("day", "there"),
    [("2021-02-28", False), ("2021-03-01", True), ("2022-12-31", True), ("2023-01-01", False)],
)
def test_from_the_first_day_to_the_last(tmp_path: Path, day: str, there: bool) -> None:
    (decision,) = read(tmp_path, GOOD)
    assert decision.in_force(dt.date.fromisoformat(day)) == there


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("instruments/1", "instruments/9", "format must be"),
        ("invented: true", "inventd: true", "unknown key 'inventd'"),
        ("issued: 2021-03-01", "issued: soon", "not a date"),
        ("    issued: 2021-03-01\n", "", "issued must be given"),
        ("    issuer: 云州市人民政府\n", "", "issuer must be given"),
        ("第三条之一", "第零条", "no article number"),
        ("fields: [犬只]", "fields: 犬只", "fields must be a list"),
        (", fields: [犬只]", "", "gives nothing"),
        ("unit: U2, ", "", "unit must be given"),
        ("{title: 路灯法, articles: [第二条, 第三条之一]}", "路灯法", "must have a title"),
        ("instruments:\n", "instruments:\n  - 决定\n", "must be a mapping"),
        ("format:", "format: [", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in GOOD
    with pytest.raises(InstrumentError, match=problem):
        read(tmp_path, GOOD.replace(old, new, 1))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match="cannot be read"):
        read_instruments(tmp_path / "none.yaml")


def test_the_bundled_file_names_units_of_its_city() -> None:
    directory = UnitDirectory.load(CITY / "units.yaml")
    given = [each for decision in read_instruments(CITY / "instruments.yaml") for each in decision.assignments]
    assert given
    assert all(directory.has(each.unit) for each in given)
