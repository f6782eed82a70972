"""Deadlines (办理期限) in Chinese working days, by rules that name their legal source.

How days are counted:

- The day of receipt does not count (期间开始之日不计入). Day 1 is the first working day after it, whether a petition
  came in on a working morning, after office hours or on a holiday; so the hour of receipt matters only to rules of 0
  working days, which fall on the day of receipt where that is a working day and the office still open, else on the
  next one.
- Calendar days run on through holidays, and the last day is not moved off one: the earlier day is the safe one.
- What the calendar does not know has no date: the result says why, and nothing is guessed.

The calendar is the package `chinesecalendar`, which follows the State Council's yearly notices. The notice of a year
may also rearrange the end of the December before it (29 December 2018 was a worked Saturday, 31 December a Monday off),
so without the following year's notice the calendar ends on 28 December.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from chinese_calendar.constants import holidays, workdays

from corpora.config import CalendarYear, DeadlineRule, DeadlinesConfig

Days = npt.NDArray[np.datetime64]

_DAY = np.dtype("datetime64[D]")
_NO_TIME = "诉求没有受理时间，无法计算期限"
_NO_RULE = "没有适用的期限规则"
#: Last day of December that no notice of a following year has ever rearranged (years 2004 to 2026).
_LAST_SURE_DAY = 28


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day to answer a petition.

    `date` is None where it cannot be known, and `note` then says why (in Chinese, for the report); `working_days` are
    the working days after the day of receipt up to and with `date`, None where the calendar does not reach (where there
    is no date, the number the rule asks for); `rule` is the id of the rule and `basis` its legal source, both "" where
    no rule applies.
    """

    date: dt.date | None
    working_days: int | None
    rule: str
    basis: str
    note: str


class WorkingCalendar:
    """The working days from `first` to `last`, both inclusive; outside them nothing is known."""

    __slots__ = ("_days", "first", "last")

    def __init__(self, working_days: Days, first: dt.date, last: dt.date) -> None:
        """Take the sorted working days between `first` and `last`; use `load` for the Chinese calendar."""
        self._days = working_days
        self.first = first
        self.last = last

    @classmethod
    def load(cls, extra_years: Mapping[int, CalendarYear] | None = None) -> Self:
        """Return the Chinese calendar with the notices in `extra_years`, which must follow on from the package's years.

        A year that the package already knows is left as the package has it.

        Raises:
            ValueError: if there is a hole between the package's last year and the extra years.
        """
        off, worked = set(holidays), set(workdays)
        first, year = min(holidays).year, max(holidays).year
        for extra in sorted(extra_years or {}):
            if extra <= year:
                continue
            if extra != year + 1:
                msg = f"calendar_years: {extra} follows on {year}; give the holiday notice of {year + 1} too"
                raise ValueError(msg)
            notice = (extra_years or {})[extra]
            off.update(notice.off)
            worked.update(notice.worked)
            year = extra
        last = dt.date(year, 12, _LAST_SURE_DAY)
        every = np.arange(np.datetime64(dt.date(first, 1, 1)), np.datetime64(last) + 1, dtype=_DAY)
        working = np.is_busday(every)
        working[np.isin(every, np.array(sorted(off), dtype=_DAY))] = False
        working[np.isin(every, np.array(sorted(worked), dtype=_DAY))] = True
        return cls(every[working], dt.date(first, 1, 1), last)

    def add_working_days(self, dates: Sequence[dt.date | None] | Days, days: Sequence[int]) -> list[dt.date | None]:
        """Return the day that is `days` working days after each date, None where a date is None or the calendar ends.

        0 days gives the date itself where it is a working day, else the next working day.

        Raises:
            ValueError: if the two differ in length or a number of days is negative.
        """
        starts = np.asarray(dates, dtype=_DAY)
        counts = np.asarray(days, dtype=np.int64)
        if starts.shape != counts.shape:
            msg = f"{starts.size} dates and {counts.size} numbers of days"
            raise ValueError(msg)
        if (counts < 0).any():
            msg = "a number of working days must not be negative"
            raise ValueError(msg)
        result: list[dt.date | None] = self._add(starts, counts).tolist()
        return result

    def _add(self, starts: Days, counts: npt.NDArray[np.int64]) -> Days:
        """Return the resulting days, NaT where there is none."""
        result = np.full(starts.shape, np.datetime64("NaT"), dtype=_DAY)
        if not self._days.size:
            return result
        after = np.searchsorted(self._days, starts, side="right")
        at = np.searchsorted(self._days, starts, side="left")
        index = np.where(counts == 0, at, after + counts - 1)
        ok = self.covers(starts) & (index < self._days.size)
        result[ok] = self._days[index[ok]]
        return result

    def covers(self, dates: Days) -> npt.NDArray[np.bool_]:
        """Say which dates lie within the calendar (NaT does not)."""
        return (dates >= np.datetime64(self.first)) & (dates <= np.datetime64(self.last))

    def count(self, starts: Days, ends: Days) -> npt.NDArray[np.int64]:
        """Return the working days after each start up to and with the end, -1 where the calendar does not know."""
        between = np.searchsorted(self._days, ends, side="right") - np.searchsorted(self._days, starts, side="right")
        return np.where(self.covers(starts) & self.covers(ends), between, -1)


class DeadlineRules:
    """Deadline rules with their calendar."""

    __slots__ = ("_closes", "_rules", "calendar")

    def __init__(self, config: DeadlinesConfig, calendar: WorkingCalendar) -> None:
        """Take the rules of `config`; use `compile` to load the calendar with them."""
        self._rules = config.rules
        self._closes = _time_of_day(config.office_closes)
        self.calendar = calendar

    @classmethod
    def compile(cls, config: DeadlinesConfig) -> Self:
        """Return the rules of `config` with the Chinese calendar and the years `config` adds to it."""
        return cls(config, WorkingCalendar.load(config.calendar_years))

    def match(self, level: str, issue: str, channel: str) -> int | None:
        """Return the index of the first rule that matches, None if there is none."""
        for i, rule in enumerate(self._rules):
            when = rule.when
            if (
                (not when.levels or level in when.levels)
                and (not when.issues or issue.startswith(when.issues))
                and (not when.channels or any(word in channel for word in when.channels))
            ):
                return i
        return None

    def deadlines(
        self,
        submitted_at: Sequence[dt.datetime | None] | npt.NDArray[np.datetime64],
        urgency_levels: Sequence[str],
        issue_codes: Sequence[str],
        channels: Sequence[str],
    ) -> list[Deadline]:
        """Return the deadline of each petition.

        Args:
            submitted_at: local time of receipt without zone, None or NaT where unknown.
            urgency_levels: one of `corpora.config.LEVELS` each.
            issue_codes: issue code each, "" where unknown.
            channels: name of the channel each, "" where unknown.

        Raises:
            ValueError: if the four differ in length.
        """
        received = np.asarray(submitted_at, dtype="datetime64[s]")
        if not received.size == len(urgency_levels) == len(issue_codes) == len(channels):
            msg = "submitted_at, urgency_levels, issue_codes and channels differ in length"
            raise ValueError(msg)
        seen: dict[tuple[str, str, str], int] = {}
        chosen = np.empty(received.size, dtype=np.int64)
        for row, key in enumerate(zip(urgency_levels, issue_codes, channels, strict=True)):
            index = seen.get(key)
            if index is None:
                found = self.match(*key)
                index = seen[key] = -1 if found is None else found
            chosen[row] = index
        dates, counted = self._compute(received, chosen)
        return self._records(received, chosen, dates, counted)

    def _compute(self, received: Days, chosen: npt.NDArray[np.int64]) -> tuple[Days, npt.NDArray[np.int64]]:
        """Return the last days (NaT for none) and the working days up to them (-1 for unknown)."""
        days = received.astype(_DAY)
        dates = np.full(received.shape, np.datetime64("NaT"), dtype=_DAY)
        for index, rule in enumerate(self._rules):
            rows = np.flatnonzero(chosen == index)
            if not rows.size:
                continue
            if rule.calendar_days is not None:
                dates[rows] = days[rows] + np.timedelta64(rule.calendar_days, "D")
                continue
            starts = days[rows]
            if rule.working_days == 0:  # after closing time the next day is the first on which anyone can act
                late = (received[rows] - starts) > self._closes
                starts = np.where(late, starts + np.timedelta64(1, "D"), starts)
            counts = np.full(rows.size, rule.working_days, dtype=np.int64)
            dates[rows] = self.calendar._add(starts, counts)
        return dates, self.calendar.count(days, dates)

    def _records(
        self, received: Days, chosen: npt.NDArray[np.int64], dates: Days, counted: npt.NDArray[np.int64]
    ) -> list[Deadline]:
        out = []
        for time, index, date, count in zip(
            received.tolist(), chosen.tolist(), dates.tolist(), counted.tolist(), strict=True
        ):
            rule = self._rules[index] if index >= 0 else None
            if rule is None:
                out.append(Deadline(None, None, "", "", _NO_RULE))
            elif date is None:
                note = _NO_TIME if time is None else self._beyond(time)
                out.append(Deadline(None, rule.working_days, rule.id, rule.basis, note))
            else:
                out.append(Deadline(date, count if count >= 0 else None, rule.id, rule.basis, ""))
        return out

    def _beyond(self, received: dt.datetime) -> str:
        if received.date() < self.calendar.first:
            return f"受理时间早于工作日历的起始日（{self.calendar.first:%Y-%m-%d}），无法计算期限"
        return f"工作日历只到{self.calendar.last:%Y-%m-%d}，其后的放假安排未载入，无法计算期限"

    @property
    def rules(self) -> tuple[DeadlineRule, ...]:
        """The rules in order."""
        return self._rules


def _time_of_day(text: str) -> np.timedelta64:
    time = dt.time.fromisoformat(text)
    return np.timedelta64(time.hour * 3600 + time.minute * 60 + time.second, "s")


def deadlines(
    submitted_at: Sequence[dt.datetime | None] | npt.NDArray[np.datetime64],
    urgency_levels: Sequence[str],
    issue_codes: Sequence[str],
    channels: Sequence[str],
    rules: DeadlineRules,
) -> list[Deadline]:
    """Return the deadline of each petition under `rules`: see `DeadlineRules.deadlines`."""
    return rules.deadlines(submitted_at, urgency_levels, issue_codes, channels)
