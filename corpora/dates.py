"""Times as exports write them, parsed a column at a time.

Forms known: `2018/6/14 17:32:20`, `2018-06-14`, `2018-06-14T17:32:20+08:00`, `2018年6月14日 17时32分`, `2018.06.14`,
`20180614`, `20180614173220`, `2018/6/14 下午 5:32`; Excel serial numbers in Excel files; epoch seconds or
milliseconds in JSON and Parquet numbers. A time with a zone is turned into China Standard Time;
one without is taken to be in it.
"""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

CHINA = datetime.timezone(datetime.timedelta(hours=8), "CST")

#: No petition platform kept electronic records before this year; an earlier date is a slip or an empty field's default.
FIRST_YEAR = 1990

#: What a bare number in a time column means: an Excel serial day, or seconds (milliseconds) since 1970 in UTC.
Numbers = Literal["excel", "epoch"]

_FORM = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?:日|号)?"
    r"(?:(?:[T,]|\s*)(?:星期.|周.)?\s*(上午|下午|凌晨|晚上|AM|PM)?\s*"
    r"(\d{1,2})[:时点](?:(\d{1,2})(?:[:分](\d{1,2})(?:\.\d{1,9})?)?)?[分秒]?"
    r"\s*(上午|下午|AM|PM)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?"
)
_SPACED_DATE = re.compile(r"(?<=[年月])\s+|\s+(?=[年月日])")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?")
_AFTERNOON = frozenset({"下午", "晚上", "PM"})
_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()
_EXCEL_EPOCH_ORDINAL = datetime.date(1899, 12, 30).toordinal()


@dataclass(frozen=True, slots=True)
class Times:
    """A parsed column: `seconds` since 1970 in local time, `present` where there is one, `bad` rows by index."""

    seconds: npt.NDArray[np.int64]
    present: npt.NDArray[np.bool_]
    bad: tuple[int, ...]


def last_year(now: datetime.datetime | None = None) -> int:
    """Return the last year a petition may bear: the one after `now` (default: the present, in China)."""
    return (now or datetime.datetime.now(CHINA)).year + 1


def parse_times(values: Sequence[object], *, numbers: Numbers = "epoch", latest: int | None = None) -> Times:
    """Parse a column of times.

    Args:
        values: n cells: text, numbers, dates, datetimes or None. Empty text and None are an absent time, not a bad one.
        numbers: what a bare number means in this kind of file.
        latest: last year allowed (default: next year).
    """
    latest = last_year() if latest is None else latest
    seconds = np.zeros(len(values), dtype=np.int64)
    present = np.zeros(len(values), dtype=np.bool_)
    bad: list[int] = []
    for index, value in enumerate(values):
        if value is None or value == "":
            continue
        try:
            found = _seconds(value, numbers, latest)
        except (ValueError, OverflowError):
            bad.append(index)
            continue
        if found is not None:
            seconds[index] = found
            present[index] = True
    return Times(seconds, present, tuple(bad))


def _seconds(value: object, numbers: Numbers, latest: int) -> int | None:
    """Return local seconds since 1970, None for an absent time; ValueError or OverflowError for an impossible one."""
    if isinstance(value, str):
        return _from_text(value, latest)
    if isinstance(value, datetime.datetime):
        local = value.astimezone(CHINA) if value.tzinfo else value
        return _count(local.year, local.month, local.day, local.hour, local.minute, local.second, latest)
    if isinstance(value, datetime.date):
        return _count(value.year, value.month, value.day, 0, 0, 0, latest)
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = "not a time"
        raise ValueError(msg)
    return _from_number(value, numbers, latest)


def _from_text(text: str, latest: int) -> int | None:
    match = _FORM.fullmatch(text)
    if match is None:
        text = unicodedata.normalize("NFKC", text).strip()
        if not text:
            return None
        if compact := _COMPACT.fullmatch(text):
            year, month, day, hour, minute, second = (int(part or 0) for part in compact.groups())
            return _count(year, month, day, hour, minute, second, latest)
        match = _FORM.fullmatch(_SPACED_DATE.sub("", text).upper())
        if match is None:
            msg = "no known form of a time"
            raise ValueError(msg)
    year_, month_, day_, before, hour_, minute_, second_, after, zone = match.groups()
    hour = int(hour_) if hour_ else 0
    half = before or after
    if half in _AFTERNOON and hour < 12:
        hour += 12
    elif half and half not in _AFTERNOON and hour == 12:
        hour = 0
    minute, second = int(minute_ or 0), int(second_ or 0)
    if not zone:
        return _count(int(year_), int(month_), int(day_), hour, minute, second, latest)
    moment = datetime.datetime(int(year_), int(month_), int(day_), hour, minute, second, tzinfo=_zone(zone))
    local = moment.astimezone(CHINA)
    return _count(local.year, local.month, local.day, local.hour, local.minute, local.second, latest)


def _zone(text: str) -> datetime.timezone:
    if text[0] not in "+-":
        return datetime.UTC
    offset = datetime.timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return datetime.timezone(-offset if text[0] == "-" else offset)


def _from_number(value: float, numbers: Numbers, latest: int) -> int:
    """Read a bare number; compact dates (20180614, 20180614173220) are no serials or epochs of these years."""
    if not math.isfinite(value):
        msg = "not a number"
        raise ValueError(msg)
    whole = int(value)
    if whole == value and len(str(whole)) in (8, 14) and FIRST_YEAR <= int(str(whole)[:4]) <= latest:
        found = _from_text(str(whole), latest)
        if found is not None:
            return found
    if numbers == "excel":
        local = round((value + _EXCEL_EPOCH_ORDINAL - _EPOCH_ORDINAL) * 86_400)
    else:
        local = (whole // 1000 if abs(whole) >= 100_000_000_000 else whole) + 8 * 3600
    year = datetime.date.fromordinal(_EPOCH_ORDINAL + local // 86_400).year
    if not FIRST_YEAR <= year <= latest:
        msg = "year out of range"
        raise ValueError(msg)
    return local


def _count(year: int, month: int, day: int, hour: int, minute: int, second: int, latest: int) -> int:
    """Count the seconds since 1970, checking every part."""
    if not FIRST_YEAR <= year <= latest or hour > 23 or minute > 59 or second > 59:
        msg = "out of range"
        raise ValueError(msg)
    days = datetime.date(year, month, day).toordinal() - _EPOCH_ORDINAL
    return days * 86_400 + hour * 3_600 + minute * 60 + second
