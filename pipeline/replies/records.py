"""What is said of a reply: a score for each part, with its evidence in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

#: Kinds of replies (答复类型) with their names for the reader.
KINDS = {
    "substantive": "实质答复",
    "refusal_with_reason": "不予支持（说明理由）",
    "refusal": "不予支持（未说明理由）",
    "referral": "引导至其他渠道",
    "holding": "程序性答复（已收悉、已转办）",
    "echo": "与来信文字雷同",
    "unanswered": "未答复",
}

#: States of timeliness (及时性) with their names for the reader.
STATES = {
    "on_time": "按期",
    "late": "逾期",
    "overdue": "逾期未答复",
    "pending": "未到期未答复",
    "unknown": "无法判断",
}


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How long a reply took.

    Attributes:
        state: one of `STATES`.
        working_days: working days after the day of receipt up to and with the day of the reply (or, without a reply, the
            day of the run); None where it cannot be known.
        due: last day to answer, None where it cannot be known.
        limit: working days up to `due`, None where it cannot be known.
        late: working days after `due`; 0 if on time, None where it cannot be known.
        rule, basis: id and legal source of the deadline rule, "" if none applied.
        score: 0 to 1, None where it cannot be known.
        note: what is to be added, in Chinese; "" if nothing.
    """

    state: str
    working_days: int | None
    due: dt.date | None
    limit: int | None
    late: int | None
    rule: str
    basis: str
    score: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of quality: a score from 0 to 1, None where it cannot be told; what speaks for it and what is wanting."""

    score: float | None
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


#: Of what is not judged, because there is no reply.
NOTHING = Part(None)


@dataclass(frozen=True, slots=True)
class ReplyScore:
    """A reply and how good it is.

    Attributes:
        kind: one of `KINDS`.
        total: 0 to 100; None where nothing can be said (not answered and not yet due).
        relevance, completeness, explanation: 相关性、完整性、可解释性.
        unit: who replied, "" where neither a column nor a signature says it.
        unit_from: `column`, `signature` or "".
        signed_on: last date under the reply, None if there is none.
        copies: how many replies of the batch are copies of this one, itself counted; 1 where there is no group.
        copy_group: number of the group, None if there is none.
        requests, met: requests of the petition, and those of them that the reply took up.
    """

    kind: str
    total: float | None
    timeliness: Timeliness
    relevance: Part = NOTHING
    completeness: Part = NOTHING
    explanation: Part = NOTHING
    unit: str = ""
    unit_from: str = ""
    signed_on: dt.date | None = None
    copies: int = 1
    copy_group: int | None = None
    requests: int = 0
    met: int = 0
    reasons: tuple[str, ...] = field(default=())
