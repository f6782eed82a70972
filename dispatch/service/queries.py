"""What the API reads of the store; the same on both databases. All blocking: call it in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, case, select

from dispatch.store import decisions as decided
from dispatch.store.outbox import MADE, REGROUPED
from dispatch.store.refusals import known_refusals
from dispatch.store.tables import counters, decisions, outbox, petitions, suggestions

#: Positions looked through in one request: a filter that lets little through must not make a request long.
WINDOW = 20_000


@dataclass(frozen=True, slots=True)
class Filters:
    """What suggestions a reader wants; None: all."""

    unit: str | None = None
    issue: str | None = None
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the outbox: rows in order, and up to which position it was looked through."""

    rows: list[Row[Any]]
    after: int
    head: int


def announced(connection: Connection, after: int, limit: int, filters: Filters) -> Found:
    """Return suggestions announced after a position, in order, from at the most `WINDOW` positions.

    Positions become visible in the order of commit (see `dispatch.store.tables.counters`), so nothing will ever appear below
    the head that is read first.
    """
    head = int(connection.execute(select(counters.c.value).where(counters.c.name == "outbox")).scalar_one_or_none() or 0)
    until = min(after + WINDOW, head)
    o, s = outbox.c, suggestions.c
    # The payload as it was announced; nothing is kept where it is still the suggestion's own.
    payload = case((o.payload.is_(None), s.payload), else_=o.payload).label("payload")
    query = (
        select(o.position, o.kind, o.at, o.revision, payload)
        .join(suggestions, s.suggestion_id == o.suggestion_id)
        .where(o.position > after, o.position <= until, o.kind.in_([MADE, REGROUPED]))
        .order_by(o.position)
        .limit(limit)
    )
    if filters.unit is not None:
        query = query.where(s.lead_unit == filters.unit)
    if filters.issue is not None:
        query = query.where(s.issue_code.startswith(filters.issue, autoescape=True))
    if filters.decision is not None:
        query = query.where(s.decision == filters.decision)
    rows = list(connection.execute(query))
    reached = rows[-1].position if len(rows) == limit else max(after, until)
    return Found(rows, reached, head)


def suggestion(connection: Connection, suggestion_id: str) -> dict[str, Any] | None:
    """Return a suggestion with its decisions, as `OneSuggestion` has it; the payload stays text under `payload`."""
    s, p = suggestions.c, petitions.c
    query = (
        select(s.revision, s.payload, p.revision.label("newest"), p.suggestion_id.label("current"))
        .join(petitions, p.petition_id == s.petition_id)
        .where(s.suggestion_id == suggestion_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    said = _decisions(connection, suggestions.c.suggestion_id, suggestion_id)
    return {
        "suggestion": orjson.Fragment(row.payload),
        "revision": row.revision,
        "newest": row.revision == row.newest,
        "current": row.current,
        "decisions": said,
    }


def history(connection: Connection, petition_id: str, *, text: bool) -> dict[str, Any] | None:
    """Return a petition with all that was suggested and decided, as `History` has it; its masked text if wanted."""
    names = ("title", "body", "address", "channel")
    row = connection.execute(select(petitions).where(petitions.c.petition_id == petition_id)).one_or_none()
    if row is None:
        return None
    s = suggestions.c
    versions = connection.execute(select(s.revision, s.payload).where(s.petition_id == petition_id).order_by(s.revision)).all()
    return {
        "petition_id": row.petition_id,
        "revision": row.revision,
        "state": row.state,
        "submitted_at": row.submitted_at.isoformat(timespec="seconds") if row.submitted_at else None,
        "event_group": row.event_group,
        "refused_units": sorted(known_refusals(connection, [petition_id]).get(petition_id, ())),
        "text": {name: getattr(row, name) for name in names} if text else None,
        "suggestions": [{"revision": item.revision, "suggestion": orjson.Fragment(item.payload)} for item in versions],
        "decisions": _decisions(connection, s.petition_id, petition_id),
    }


def _decisions(connection: Connection, column: Any, value: str) -> list[Any]:  # noqa: ANN401 - a column of text
    names = [name for name in decided.Decision.__slots__ if name != "revision"]
    query = (
        select(*(decisions.c[name] for name in names), suggestions.c.revision)
        .join(suggestions, suggestions.c.suggestion_id == decisions.c.suggestion_id)
        .where(column == value)
        .order_by(suggestions.c.revision, decisions.c.number)
    )
    return [orjson.Fragment(decided.payload(decided.Decision(**row._mapping))) for row in connection.execute(query)]
