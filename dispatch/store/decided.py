"""Petitions on whose unit a person decided: what may be learnt from.

The last decision on a petition counts. Accepted and reassigned name the unit; refused says only which one it is not. What the
machine sent straight through and nobody looked at has no decision, and is no label.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from dispatch.store.tables import decisions, petitions, suggestions


def last_decisions(since: dt.datetime | None = None) -> Select[Any]:
    """Return the query for the last decision on each petition, with the petition as stored; `since` is UTC."""
    latest = select(
        decisions.c.petition_id, decisions.c.suggestion_id, decisions.c.verdict, decisions.c.unit, decisions.c.actor, decisions.c.source,
        decisions.c.at, suggestions.c.content_hash, suggestions.c.decision,
        func.row_number()
        .over(partition_by=decisions.c.petition_id, order_by=(suggestions.c.revision.desc(), decisions.c.number.desc()))
        .label("place"),
    ).join(suggestions, suggestions.c.suggestion_id == decisions.c.suggestion_id).subquery()  # fmt: skip
    names = ("title", "body", "address", "channel", "submitted_at", "source", "row")
    query = (
        select(
            latest.c.petition_id, latest.c.verdict, latest.c.unit, latest.c.actor, latest.c.source.label("told_by"), latest.c.at,
            latest.c.decision, (latest.c.content_hash == petitions.c.content_hash).label("same_text"),
            *(petitions.c[name] for name in names),
        )
        .join(petitions, petitions.c.petition_id == latest.c.petition_id)
        .where(latest.c.place == 1)
        .order_by(latest.c.petition_id)
    )  # fmt: skip
    return query.where(latest.c.at >= since) if since else query


def verdicts_by_unit(connection: Connection, since: dt.datetime | None = None) -> list[Row[Any]]:
    """Return per suggested unit how often it was accepted, given to another one, and sent back: lead_unit, verdict, count."""
    last = and_(decisions.c.suggestion_id == suggestions.c.suggestion_id, *([decisions.c.at >= since] if since else []))
    newest = select(decisions.c.suggestion_id, func.max(decisions.c.number).label("number")).group_by(decisions.c.suggestion_id).subquery()
    query = (
        select(suggestions.c.lead_unit, decisions.c.verdict, func.count().label("count"))
        .join(decisions, last)
        .join(newest, and_(newest.c.suggestion_id == decisions.c.suggestion_id, newest.c.number == decisions.c.number))
        .group_by(suggestions.c.lead_unit, decisions.c.verdict)
        .order_by(suggestions.c.lead_unit, decisions.c.verdict)
    )
    return list(connection.execute(query))
