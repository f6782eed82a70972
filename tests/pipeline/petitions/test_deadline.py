"""Deadlines: counting Chinese working days, rules and what is not known."""

from __future__ import annotations

import datetime as dt

import chinese_calendar  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.config import CalendarYear, DeadlineRule, DeadlinesConfig, DeadlineWhen, load_config
from pipeline.petitions.deadline import Deadline, DeadlineRules, WorkingCalendar, deadlines

CALENDAR = WorkingCalendar.load()
RULES = DeadlineRules.compile(load_config().deadlines)
D = dt.date


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        (D(2024, 5, 6), 1, D(2024, 5, 7)),
        (D(2024, 4, 26), 1, D(2024, 4, 28)),  # Sunday 28 April 2024 was worked
        (D(2024, 4, 30), 1, D(2024, 5, 6)),  # over the May holiday
        (D(2024, 9, 30), 5, D(2024, 10, 12)),  # National Day, with Saturday 12 October worked
        (D(2024, 2, 8), 2, D(2024, 2, 18)),  # eve of the Spring Festival of 2024; Friday 9 February was a working day
        (D(2024, 5, 11), 0, D(2024, 5, 11)),  # a worked Saturday
        (D(2024, 5, 12), 0, D(2024, 5, 13)),  # a Sunday
        (D(2024, 5, 12), 1, D(2024, 5, 13)),
        (D(2018, 12, 28), 2, D(2019, 1, 2)),  # Saturday 29 December 2018 worked, the 31st off
        (None, 3, None),
        (D(2003, 12, 31), 1, None),
        (D(2100, 1, 4), 1, None),
        (CALENDAR.last, 1, None),
    ],
)
def test_add_working_days(start: dt.date | None, days: int, expected: dt.date | None) -> None:
    assert CALENDAR.add_working_days([start], [days]) == [expected]


@given(
    st.dates(CALENDAR.first, CALENDAR.last - dt.timedelta(days=60)),
    st.integers(1, 20),
)
def test_add_working_days_agrees_with_walking(start: dt.date, days: int) -> None:
    day, left = start, days
    while left:
        day += dt.timedelta(days=1)
        left -= chinese_calendar.is_workday(day)
    assert CALENDAR.add_working_days([start], [days]) == [day]
    assert CALENDAR.count(np.array([start], "M8[D]"), np.array([day], "M8[D]")).tolist() == [days]


def test_add_working_days_takes_columns_and_checks_them() -> None:
    assert CALENDAR.add_working_days([], []) == []
    with pytest.raises(ValueError, match="1 dates and 2"):
        CALENDAR.add_working_days([D(2024, 1, 2)], [1, 2])
    with pytest.raises(ValueError, match="negative"):
        CALENDAR.add_working_days([D(2024, 1, 2)], [-1])


def test_a_year_from_the_configuration_extends_the_calendar() -> None:
    year = CALENDAR.last.year + 1
    weekday = next(D(year, 3, day) for day in range(1, 8) if D(year, 3, day).weekday() == 2)
    notice = CalendarYear(off=(weekday,), worked=(weekday + dt.timedelta(days=3),), source="示例")
    longer = WorkingCalendar.load({year: notice})
    assert longer.last == D(year, 12, 28)
    assert longer.add_working_days([weekday - dt.timedelta(days=1)] * 3, [1, 2, 3]) == [
        weekday + dt.timedelta(days=n) for n in (1, 2, 3)
    ]
    with pytest.raises(ValueError, match=str(year)):
        WorkingCalendar.load({year + 1: notice})


@pytest.mark.parametrize(
    ("received", "level", "issue", "channel", "expected"),
    [
        # Monday morning, and a hotline order of no special kind
        ("2024-05-13T09:00", "normal", "", "12345热线", (D(2024, 5, 20), 5, "hotline")),
        # in the evening and on the Sunday before the count begins on the next working day, like for any other
        ("2024-05-13T22:00", "normal", "0108", "", (D(2024, 5, 20), 5, "hotline")),
        ("2024-05-12T09:00", "normal", "", "", (D(2024, 5, 17), 5, "hotline")),
        ("2024-05-13T09:00", "urgent", "150604", "来信", (D(2024, 5, 14), 1, "urgent")),
        ("2024-05-11T23:00", "critical", "", "", (D(2024, 5, 11), 0, "critical")),
        ("2024-05-13T09:00", "elevated", "", "", (D(2024, 5, 16), 3, "elevated")),
        ("2024-05-13T09:00", "normal", "0108", "网上信访", (D(2024, 7, 12), 43, "petition-office")),
        ("2024-05-13T09:00", "normal", "150604", "", (D(2024, 5, 20), 5, "wage-arrears")),
        ("2024-05-13T09:00", "normal", "110403", "", (D(2024, 5, 22), 7, "consumer-complaint")),
    ],
)
def test_bundled_rules(received: str, level: str, issue: str, channel: str, expected: tuple[object, ...]) -> None:
    (deadline,) = deadlines([dt.datetime.fromisoformat(received)], [level], [issue], [channel], RULES)
    assert (deadline.date, deadline.working_days, deadline.rule) == expected
    assert deadline.basis
    assert deadline.note == ""


def test_what_is_not_known_has_no_date_and_says_why() -> None:
    received = [None, dt.datetime(2003, 5, 1), dt.datetime(2100, 1, 1, 9)]
    found = deadlines(received, ["normal"] * 3, [""] * 3, [""] * 3, RULES)
    assert [deadline.date for deadline in found] == [None] * 3
    assert "没有受理时间" in found[0].note
    assert "早于" in found[1].note
    assert "工作日历只到" in found[2].note


def test_calendar_days_need_no_calendar_but_cannot_be_counted_beyond_it() -> None:
    (found,) = deadlines([dt.datetime(2100, 1, 1)], ["normal"], [""], ["来信"], RULES)
    assert found.date == D(2100, 3, 2)
    assert found.working_days is None


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2024-05-13T17:30", D(2024, 5, 13)),
        ("2024-05-13T17:31", D(2024, 5, 14)),
        ("2024-05-17T18:00", D(2024, 5, 20)),
        ("2024-05-18T09:00", D(2024, 5, 20)),
        ("2024-05-19T20:00", D(2024, 5, 20)),
    ],
)
def test_zero_working_days_mind_the_closing_time(received: str, expected: dt.date) -> None:
    rule = DeadlineRule(id="today", name="当日", basis="示例", working_days=0)
    rules = DeadlineRules(DeadlinesConfig(office_closes="17:30", rules=(rule,)), CALENDAR)
    (found,) = rules.deadlines([dt.datetime.fromisoformat(received)], ["normal"], [""], [""])
    assert found.date == expected


def test_no_rule_is_said() -> None:
    rule = DeadlineRule(id="x", name="x", basis="x", when=DeadlineWhen(levels=("urgent",)), working_days=1)
    rules = DeadlineRules(DeadlinesConfig(office_closes="17:30", rules=(rule,)), CALENDAR)
    found = rules.deadlines(np.array(["2024-05-13", "NaT"], dtype="M8[s]"), ["normal", "normal"], ["", ""], ["", ""])
    assert found == [Deadline(None, None, "", "", "没有适用的期限规则")] * 2


def test_columns_must_agree() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        RULES.deadlines([None], [], [""], [""])
    assert RULES.deadlines([], [], [], []) == []
