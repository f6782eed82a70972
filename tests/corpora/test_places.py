"""The gazetteer: days, successors, the finder, and what is wrong with a bad file."""

from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import corpora
from corpora.places import HEADER, Gazetteer, GazetteerError

BUNDLED = Path(corpora.__file__).parent / "data" / "cities" / "langang" / "places.csv"
ALL = Gazetteer.load(Path(__file__).parent / "data" / "places.csv")
NOW = ALL.on(dt.date(2024, 5, 1))


def found(gazetteer: Gazetteer, text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return names and codes found in one text, having checked the offsets."""
    [matches] = gazetteer.find([text])
    assert all(text[m.start : m.end] == m.text for m in matches)
    return [(m.text, m.codes) for m in matches]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("没有地名", []),
        ("我住青溪市柳岸社区3幢", [("青溪市", ("QX",)), ("柳岸社区", ("QX-C1",))]),
        ("柳岸花苑漏水", [("柳岸花苑", ("QX-E2",))]),
        # Two characters count only with an ending behind them.
        ("柳岸风景好", []),
        ("柳岸居委会不管", [("柳岸居委会", ("QX-C1",))]),
        ("去二院看病", []),
        # Two estates of one name: both stay.
        ("锦绣家园停电", [("锦绣家园", ("QX-E3", "QX-E4"))]),
        # The community's alias and a landmark within it: the inner one.
        ("柳岸边的路灯", [("柳岸边", ("QX-L1",))]),
        # Gone: the successors of the day, along the chain.
        ("前滩村的路", [("前滩村", ("QX-C1",))]),
        ("原石桥镇", [("石桥镇", ("QX-Z1", "QX-Z2"))]),
        # A name taken over by a place of today means that one.
        ("望湖村门口", [("望湖村", ("QX-E1",))]),
    ],
)
def test_find_on_a_day(text: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert found(NOW, text) == expected


def test_find_without_a_day_gives_the_places_themselves() -> None:
    assert found(ALL, "前滩村、望湖村") == [("前滩村", ("QX-V1",)), ("望湖村", ("QX-V3", "QX-E1"))]


def test_find_on_an_earlier_day() -> None:
    before = ALL.on(dt.date(2019, 6, 1))
    assert found(before, "前滩村、望湖村、柳岸花苑、石桥镇") == [
        ("前滩村", ("QX-V2",)),
        ("望湖村", ("QX-V3",)),
        ("石桥镇", ("QX-T1",)),
    ]
    assert [place.code for place in before.places] == ["QX-T1", "QX-V2", "QX-V3"]


def test_resolve_follows_successors() -> None:
    assert ALL.resolve("QX-V1", dt.date(2018, 12, 31)) == ("QX-V1",)
    assert ALL.resolve("QX-V1", dt.date(2019, 1, 1)) == ("QX-V2",)
    assert ALL.resolve("QX-V1", dt.date(2020, 1, 1)) == ("QX-C1",)
    assert ALL.resolve("QX-T1", dt.date(2020, 1, 1)) == ("QX-Z1", "QX-Z2")
    assert ALL.resolve("QX-E1", dt.date(2020, 1, 1)) == ()
    with pytest.raises(KeyError):
        ALL.resolve("nowhere", dt.date(2020, 1, 1))


def test_ancestors() -> None:
    assert ALL.ancestors("QX-L1") == ("QX-E2", "QX-C1", "QX-Z1", "QX")
    assert ALL.ancestors("QX") == ()
    # The town above was divided, so nothing can be said between the village and the city.
    assert ALL.ancestors("QX-V1") == ("QX-T1", "QX")
    assert NOW.ancestors("QX-V1") == ("QX",)


def test_a_used_gazetteer_on_another_day_finds_that_days_places() -> None:
    assert NOW.on(dt.date(2019, 6, 1)).find(["望湖村"])[0][0].codes == ("QX-V3",)


@given(st.lists(st.text(alphabet="柳岸社区花苑边青溪市望湖村𠮷 a", max_size=20), max_size=4))
def test_matches_are_in_order_and_apart(texts: list[str]) -> None:
    for text, matches in zip(texts, NOW.find(texts), strict=True):
        end = 0
        for match in matches:
            assert end <= match.start < match.end <= len(text)
            assert text[match.start : match.end] == match.text
            assert match.codes and all(code in NOW for code in match.codes)
            end = match.end


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    rows = [
        "A,甲市,city,,,2020-01-01,,",
        "A,乙市,city,,,,,",
        "B,,palace,X,,2020-13-01,,",
        "C,丙村,village,D,,2020-01-01,2019-01-01,Y",
        "D,丁村,village,C,,,,E",
        "E,戊村,village,A,,,2020-01-01,F",
        "F,己村,village,A,,,2020-01-01,E",
        ",庚村,village,A,,,,",
        "G,辛村",
    ]
    path.write_text("\n".join([",".join(HEADER), *rows]), encoding="utf-8")
    with pytest.raises(GazetteerError) as caught:
        Gazetteer.load(path)
    told = str(caught.value)
    assert told.startswith(str(path))
    for part in (
        "row 3 (A): code is given twice (first in row 2)",
        "row 4 (B): name is empty",
        "row 4 (B): kind 'palace'",
        "row 4 (B): valid_from '2020-13-01'",
        "row 4 (B): parent 'X'",
        "row 5 (C): valid_to 2019-01-01 lies before",
        "row 5 (C): successor 'Y'",
        "row 6 (D): has a successor but no valid_to",
        "its parents lead back to it",
        "its successors lead back to it",
        "row 9 (no code): code must be given",
        "row 10: 2 cells",
    ):
        assert part in told, part
    assert len(caught.value.problems) == 12


@pytest.mark.parametrize("content", [b"", b"code,name\n", b"\xff\xfe\xfa", ",".join(HEADER).encode()])
def test_unusable_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "places.csv"
    path.write_bytes(content)
    with pytest.raises(GazetteerError, match=r"places\.csv"):
        Gazetteer.load(path)
    with pytest.raises(GazetteerError, match="cannot be read"):
        Gazetteer.load(tmp_path / "none.csv")


def test_columns_in_any_order_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_bytes(("\ufeff" + ",".join(reversed(HEADER)) + "\r\n,,,甲|乙,,city,丙市,A\r\n").encode())
    [place] = Gazetteer.load(path).places
    assert (place.code, place.name, place.aliases, place.parent) == ("A", "丙市", ("甲", "乙"), None)


def test_a_gazetteer_can_be_sent_to_another_process() -> None:
    NOW.find(["柳岸社区"])
    assert found(pickle.loads(pickle.dumps(NOW)), "柳岸社区") == [("柳岸社区", ("QX-C1",))]


@pytest.mark.skipif(not BUNDLED.exists(), reason="the bundled city's places.csv is absent")
def test_bundled_city() -> None:
    gazetteer = Gazetteer.load(BUNDLED)
    today = gazetteer.on(dt.date(2025, 6, 1))
    assert sum(place.kind == "community" for place in today.places) == 102
    gone = [
        place
        for place in gazetteer.places
        if place.kind == "village" and place.code not in {p.code for p in today.places}
    ]
    assert gone
    for place in gone:
        assert gazetteer.resolve(place.code, dt.date(2025, 6, 1)), place.code
