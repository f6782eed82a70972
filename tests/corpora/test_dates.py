"""Times of exports."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.dates import Numbers, last_year, parse_times

EPOCH = datetime.datetime(1970, 1, 1)


def parse(value: object, numbers: Numbers = "epoch") -> str | None:
    """Return "bad", None for an absent time, or the local time as ISO text."""
    times = parse_times([value], numbers=numbers, latest=2027)
    if times.bad:
        assert not times.present[0]
        return "bad"
    if not times.present[0]:
        return None
    return (EPOCH + datetime.timedelta(seconds=int(times.seconds[0]))).isoformat()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2018/6/14 17:32:20", "2018-06-14T17:32:20"),
        ("2018-06-14", "2018-06-14T00:00:00"),
        ("2018-06-14T17:32:20+08:00", "2018-06-14T17:32:20"),
        ("2018-06-14T17:32:20Z", "2018-06-15T01:32:20"),
        ("2018-06-14T17:32:20.123456", "2018-06-14T17:32:20"),
        ("2018-06-14 17:32", "2018-06-14T17:32:00"),
        ("2018年6月14日 17时32分", "2018-06-14T17:32:00"),
        ("2018年6月14日17时32分20秒", "2018-06-14T17:32:20"),
        ("2018年6月14日17时", "2018-06-14T17:00:00"),
        ("2018 年 6 月 14 日", "2018-06-14T00:00:00"),
        ("2018.06.14", "2018-06-14T00:00:00"),
        ("20180614", "2018-06-14T00:00:00"),
        ("20180614173220", "2018-06-14T17:32:20"),
        ("２０１８／６／１４　１７：３２", "2018-06-14T17:32:00"),
        ("2018/6/14 下午 5:32:20", "2018-06-14T17:32:20"),
        ("2018/6/14 上午12:05", "2018-06-14T00:05:00"),
        ("2018/6/14 星期四 17:32", "2018-06-14T17:32:00"),
        ("2018/6/14 5:32:20 PM", "2018-06-14T17:32:20"),
        ("2020-02-29", "2020-02-29T00:00:00"),
        ("", None),
        (None, None),
        ("\u3000", None),
        ("2019-02-29", "bad"),
        ("2018-13-01", "bad"),
        ("2018-00-10", "bad"),
        ("0000-01-01", "bad"),
        ("1989-12-31", "bad"),
        ("2027-12-31", "2027-12-31T00:00:00"),
        ("2028-01-01", "bad"),
        ("2018-06-14 25:00:00", "bad"),
        ("2018-06-14 24:00:00", "bad"),
        ("14-Jun-18", "bad"),
        ("昨天", "bad"),
        ("2018-06-14T17:32:20+99:99", "bad"),
        (datetime.date(2018, 6, 14), "2018-06-14T00:00:00"),
        (datetime.datetime(2018, 6, 14, 17, 32, 20), "2018-06-14T17:32:20"),
        (datetime.datetime(2018, 6, 14, 17, 32, 20, tzinfo=datetime.UTC), "2018-06-15T01:32:20"),
        (1528968740, "2018-06-14T17:32:20"),
        (1528968740123, "2018-06-14T17:32:20"),
        (1528968740.9, "2018-06-14T17:32:20"),
        (20180614, "2018-06-14T00:00:00"),
        (0, "bad"),
        (-5, "bad"),
        (float("nan"), "bad"),
        (10**30, "bad"),
        (True, "bad"),
        ([1], "bad"),
    ],
)
def test_forms(value: object, expected: str | None) -> None:
    assert parse(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (43265.0, "2018-06-14T00:00:00"),
        (43265.73078703704, "2018-06-14T17:32:20"),
        (20180614.0, "2018-06-14T00:00:00"),
        (20180614173220.0, "2018-06-14T17:32:20"),
        (1.0, "bad"),
        (1528968740.0, "bad"),
        (1e300, "bad"),
    ],
)
def test_excel_numbers(value: float, expected: str) -> None:
    assert parse(value, "excel") == expected


@given(
    st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2027, 12, 31)).map(lambda t: t.replace(microsecond=0))
)
def test_round_trip(moment: datetime.datetime) -> None:
    expected = moment.isoformat()
    for form in (
        "%Y-%m-%d %H:%M:%S",
        "%Y/%m/%dT%H:%M:%S",
        "%Y年%m月%d日 %H时%M分%S秒",
        "%Y%m%d%H%M%S",
        "%Y.%m.%d %H:%M:%S",
    ):
        assert parse(moment.strftime(form)) == expected


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans())))
def test_any_value_is_a_time_absent_or_bad(values: list[object]) -> None:
    for numbers in ("excel", "epoch"):
        times = parse_times(values, numbers=numbers)
        assert len(times.seconds) == len(times.present) == len(values)
        assert not any(times.present[index] for index in times.bad)


def test_last_year_is_next_year() -> None:
    assert last_year(datetime.datetime(2024, 12, 31)) == 2025
