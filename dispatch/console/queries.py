"""The queue in SQL: pages by key, never by offset, and counts that stop when they are large enough.

Petitions are asked for one urgency at a time: within it the index `petitions_queue` has them by deadline, so that "due today"
among a million is a short stretch of it and not a walk past all that is overdue.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from dispatch.console.filters import Filters
from dispatch.console.show import SOON
from dispatch.labels import URGENCY_LEVELS, headings
from dispatch.store.tables import NO_DEADLINE, OPEN, events, petitions, suggestions

#: Counts end here: a queue of more is "1000+".
COUNTED = 1_000
PAGE = 50
#: `petitions.urgency_rank`: the most urgent level is 0.
RANKS = range(len(URGENCY_LEVELS))
#: Ids that one beginning may stand for.
_IDS = 500
#: The last character there is, and some that ids are made of.
_LAST, _ANY = "\U0010ffff", "09azAZ-_./·信龘\U00020000"
_p = petitions.c


@dataclass(frozen=True, slots=True)
class Key:
    """Where a petition stands in the queue."""

    rank: int
    due: dt.date
    petition_id: str

    @property
    def text(self) -> str:
        """The key as an address carries it."""
        return f"{self.rank}.{self.due.isoformat()}.{self.petition_id}"

    @classmethod
    def of(cls, text: str) -> Key | None:
        """Return the key that `text` wrote, None for anything else."""
        rank, _, rest = text.partition(".")
        day, _, pid = rest.partition(".")
        try:
            return cls(int(rank), dt.date.fromisoformat(day), pid[:80]) if rank in map(str, RANKS) and pid else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Line:
    """A petition in the queue; `excerpt` is the beginning of its text, "" where that is its heading; `top` are the suggested units (name, probability), `due` is None without a deadline."""

    key: Key
    heading: str
    excerpt: str
    filed: dt.datetime | None
    issue: str
    unit: str | None
    top: Sequence[tuple[str, float]]
    urgency: str
    due: dt.date | None
    decision: str
    state: str
    event: str | None
    event_size: int
    suggestion_id: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the queue; `before` and `after` are keys to page with, None at the ends."""

    lines: Sequence[Line]
    before: Key | None
    after: Key | None


def conditions(filters: Filters, today: dt.date, ids: Sequence[str] | None = None) -> list[ColumnElement[bool]]:
    """Return what the filters ask of a petition, its urgency left aside; `ids` stand for the beginning of an id."""
    found: list[ColumnElement[bool]] = [_p.state == (filters.state or OPEN)]
    if filters.unit:
        found.append(_p.unit.is_(None) if filters.unit == "-" else _p.unit == filters.unit)
    if filters.issue:
        found.append(_p.issue_top == filters.issue)
    if filters.decision:
        found.append(_p.decision == filters.decision)
    if filters.event:
        found.append(_p.event_group == filters.event)
    if filters.due:
        span = {
            "overdue": _p.due < today,
            "today": _p.due == today,
            "soon": and_(_p.due >= today, _p.due <= today + dt.timedelta(days=SOON)),
        }
        found.append(span[filters.due])
    if ids is not None:
        found.append(_p.petition_id.in_(ids))
    return found


def ranks(filters: Filters) -> Sequence[int]:
    """Return the urgencies that the filters let through, the most urgent first."""
    return [len(URGENCY_LEVELS) - 1 - URGENCY_LEVELS.index(filters.urgency)] if filters.urgency else RANKS


def listed(
    connection: Connection, filters: Filters, today: dt.date, ids: Sequence[str] | None = None, *,
    after: Key | None = None, before: Key | None = None,
) -> Listed:
    """Return the page of the queue that follows a key, or ends before one; `ids` as `beginning` gives them."""
    back = before is not None
    keys = _keys(connection, conditions(filters, today, ids), ranks(filters), before or after, PAGE + 1, back=back)
    more, keys = len(keys) > PAGE, keys[:PAGE]
    if back:
        keys.reverse()
        if not more and len(keys) < PAGE:  # the first page is whole, whichever way one came to it
            return listed(connection, filters, today, ids)
    first, last = (keys[0], keys[-1]) if keys else (None, None)
    return Listed(
        lines(connection, [key.petition_id for key in keys]),
        first if (more if back else after is not None) else None,
        last if (back or more) else None,
    )


def neighbour(connection: Connection, filters: Filters, today: dt.date, key: Key, *, back: bool = False) -> str | None:
    """Return the id of the petition beside one in the queue, None at its end."""
    wanted = conditions(filters, today, beginning(connection, filters))
    found = _keys(connection, wanted, ranks(filters), key, 1, back=back)
    return found[0].petition_id if found else None


def counts(connection: Connection, wanted: Sequence[Filters], today: dt.date, ids: Sequence[str] | None = None) -> list[int]:
    """Return how many petitions each of some filters lets through, at most `COUNTED` + 1 each; asked all at once.

    `ids` are those of the first (see `beginning`).
    """
    parts = []
    for place, filters in enumerate(wanted):
        asked = conditions(filters, today, ids if place == 0 else None)
        some = select(_p.petition_id).where(_p.urgency_rank.in_(ranks(filters)), *asked).limit(_number(COUNTED + 1))
        parts.append(select(func.count()).select_from(some.subquery()).scalar_subquery().label(f"n{place}"))
    return list(connection.execute(select(*parts)).one())


def beginning(connection: Connection, filters: Filters) -> list[str] | None:
    """Return the ids that begin as the filters say, at most `_IDS`; None if they say nothing of that."""
    text = filters.text
    if not text:
        return None
    query = select(_p.petition_id).where(_p.petition_id.startswith(text, autoescape=True)).limit(_IDS)
    # A pattern alone is compared with every id there is (unless PostgreSQL's order is C); a stretch of the index is not. Where the
    # database's order of texts puts the last character there is behind all others, what begins so is such a stretch.
    last = select(*(literal(text + character) < literal(text + _LAST) for character in _ANY))
    if all(connection.execute(last).one()):
        query = query.where(_p.petition_id >= text, _p.petition_id < text + _LAST)
    return list(connection.scalars(query))


def lines(connection: Connection, ids: Sequence[str]) -> list[Line]:
    """Return petitions as the queue shows them, in the order of their ids given."""
    names = ("petition_id", "title", "submitted_at", "urgency_rank", "due", "decision", "state", "event_group", "unit", "suggestion_id")
    query = (
        select(*(_p[name] for name in names), func.substr(_p.body, 1, 100).label("body"), suggestions.c.payload, events.c.size)
        .join_from(petitions, suggestions, and_(suggestions.c.petition_id == _p.petition_id, suggestions.c.revision == _p.revision))
        .outerjoin(events, events.c.event_group == _p.event_group)
        .where(_p.petition_id.in_(ids))
    )
    rows = {row.petition_id: row for row in connection.execute(query)} if ids else {}
    found = [rows[pid] for pid in ids if pid in rows]
    titles = headings([row.title for row in found], [row.body for row in found])
    return [_line(row, title) for row, title in zip(found, titles, strict=True)]


def _keys(
    connection: Connection, wanted: Sequence[ColumnElement[bool]], levels: Sequence[int], start: Key | None, limit: int, *, back: bool
) -> list[Key]:
    """Return the next keys of the queue: the first of each urgency that is left, of which the first of all are taken."""
    place = (_p.due, _p.petition_id)
    inner = [column.desc() for column in place] if back else list(place)
    parts: list[Select[Any]] = []
    for rank in levels:
        if start is not None and (rank > start.rank if back else rank < start.rank):
            continue
        part = select(_p.urgency_rank, *place).where(_p.urgency_rank == rank, *wanted).order_by(*inner).limit(_number(limit))
        if start is not None and rank == start.rank:
            here = tuple_(literal(start.due), literal(start.petition_id))
            part = part.where(tuple_(*place) < here if back else tuple_(*place) > here)
        parts.append(select(*part.subquery().c))
    if not parts:
        return []
    every = union_all(*parts).subquery()
    outer = [column.desc() if back else column for column in every.c]
    return [Key(*row) for row in connection.execute(select(every).order_by(*outer).limit(_number(limit)))]


def _number(value: int) -> BindParameter[int]:
    """Return a number that is written into the statement: a plan for any number of rows would be another one."""
    return bindparam(None, value, Integer, literal_execute=True)


def _line(row: Row[Any], heading: str) -> Line:
    said = orjson.loads(row.payload)
    return Line(
        key=Key(row.urgency_rank, row.due, row.petition_id),
        heading=heading,
        excerpt=" ".join(row.body.split()) if row.title.strip() else "",
        filed=row.submitted_at,
        issue=said["issue_type"]["name"],
        unit=row.unit,
        top=[(unit["name"], unit["probability"]) for unit in said["top_k"][:2]] if said["lead_unit"] else [],
        urgency=said["urgency"]["level"],
        due=None if row.due == NO_DEADLINE else row.due,
        decision=row.decision,
        state=row.state,
        event=row.event_group,
        event_size=row.size or 0,
        suggestion_id=row.suggestion_id,
    )
