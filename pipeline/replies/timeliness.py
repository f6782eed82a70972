"""Timeliness (及时性): working days from receipt to reply, against the limit of the deadline rules.

The limits are those of `pipeline.petitions.deadline`, asked at urgency `normal`: the rules for urgent petitions set how
soon someone must act, not how soon the written reply must be there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import numpy as np

from pipeline.petitions.deadline import Days, DeadlineRules
from pipeline.replies.records import Timeliness

_ISSUE_CODE = re.compile(r"(?:[0-9]{2}){1,3}")
_DAY = np.dtype("datetime64[D]")


def timeliness(
    received: Days,
    replied: Days,
    answered: Sequence[bool],
    channels: Sequence[str],
    issue_types: Sequence[str],
    rules: DeadlineRules,
    on: dt.date,
) -> list[Timeliness]:
    """Return the timeliness of n replies.

    On time counts 1; late, the limit divided by the working days used (twice the limit: 0.5); not answered and overdue, 0.
    Nothing is guessed: what the calendar does not reach and a time that is not given are `unknown`.

    Args:
        received: local times of receipt, datetime64, NaT where not given, shape (n,).
        replied: local times of the reply, NaT where not given, shape (n,).
        answered: whether there is a reply.
        channels: channel each, "" where not known.
        issue_types: issue type as filed; only codes are looked at.
        rules: the deadline rules with their calendar.
        on: day as of which what has no reply is judged.
    """
    codes = [text if _ISSUE_CODE.fullmatch(text) else "" for text in issue_types]
    limits = rules.deadlines(received, ["normal"] * len(codes), codes, channels)
    calendar = rules.calendar
    ended = np.where(np.asarray(answered, np.bool_), replied.astype(_DAY), np.datetime64(on, "D"))
    due = np.array([limit.date for limit in limits], _DAY)
    used, late = calendar.count(received.astype(_DAY), ended), calendar.count(due, ended)
    out = []
    for limit, there, start, end, days, after in zip(
        limits, answered, received.astype(_DAY).tolist(), ended.tolist(), used.tolist(), late.tolist(), strict=True
    ):
        known = days if days >= 0 and start is not None and end is not None and end >= start else None
        basis = (limit.rule, limit.basis)
        note = ""
        if start is None:
            note = "没有来信时间，无法判断"
        elif end is None:
            note = "没有答复时间，无法判断"
        elif limit.date is None:
            note = limit.note
        if note or limit.date is None or end is None:
            out.append(Timeliness("unknown", known, limit.date, limit.working_days, None, *basis, None, note))
            continue
        if end <= limit.date:
            state, score = ("on_time", 1.0) if there else ("pending", None)
            out.append(Timeliness(state, known, limit.date, limit.working_days, 0, *basis, score))
            continue
        behind = after if after >= 0 else None
        if not there:
            out.append(Timeliness("overdue", known, limit.date, limit.working_days, behind, *basis, 0.0))
        elif known is None or limit.working_days is None:
            span = f"{calendar.first:%Y-%m-%d}至{calendar.last:%Y-%m-%d}"
            note = f"已逾期；工作日历只覆盖{span}，逾期工作日数无法计算，不计分"
            out.append(Timeliness("late", None, limit.date, limit.working_days, behind, *basis, None, note))
        else:
            score = max(limit.working_days, 1) / max(known, 1)
            out.append(Timeliness("late", known, limit.date, limit.working_days, behind, *basis, min(score, 1.0)))
    return out
