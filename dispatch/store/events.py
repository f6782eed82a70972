"""Events: petitions about one thing, counted from `petitions.event_group`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
from sqlalchemy import Connection, and_, bindparam, case, delete, func, insert, or_, select, update

from dispatch.labels import headings
from dispatch.store.engine import batches
from dispatch.store.outbox import MADE, REGROUPED, Message, announce, take_numbers
from dispatch.store.tables import events, outbox, petitions, suggestions


def members(connection: Connection, since: datetime) -> pa.Table:
    """Return the petitions filed at or after `since` that can join an event.

    Returns:
        A table with petition_id, event_group (null: alone so far), submitted_at and sketch (null if none was
        given), ordered by time and id. Petitions with neither sketch nor event group are left out.
    """
    shape = pa.schema(
        [
            pa.field("petition_id", pa.string(), nullable=False),
            pa.field("event_group", pa.string()),
            pa.field("submitted_at", pa.timestamp("s")),
            pa.field("sketch", pa.binary()),
        ]
    )
    query = (
        select(*(petitions.c[name] for name in shape.names))
        .where(petitions.c.submitted_at >= since)
        .where(or_(petitions.c.sketch.is_not(None), petitions.c.event_group.is_not(None)))
        .order_by(petitions.c.submitted_at, petitions.c.petition_id)
    )
    rows = connection.execute(query).all()
    columns = list(zip(*rows, strict=True)) or [()] * len(shape)
    return pa.table([pa.array(list(values), item.type) for values, item in zip(columns, shape, strict=True)], shape)


def regroup(connection: Connection, groups: Mapping[str, str | None]) -> int:
    """Set the event group of petitions (None: stands alone), in their newest suggestion and its payload too, and announce it.

    Petitions that are not stored are passed over. Returns the number of petitions whose group changed.
    """
    take_numbers(connection, "outbox", 0)  # nobody else may change the petitions meanwhile
    found: list[Any] = []
    newest = and_(suggestions.c.petition_id == petitions.c.petition_id, suggestions.c.revision == petitions.c.revision)
    columns = (petitions.c.petition_id, petitions.c.event_group, petitions.c.revision, suggestions.c.suggestion_id, suggestions.c.payload)
    query = select(*columns).join_from(petitions, suggestions, newest)
    for batch in batches(groups):
        found += connection.execute(query.where(petitions.c.petition_id.in_(batch))).all()
    changed = [row for row in found if groups[row.petition_id] != row.event_group]
    if not changed:
        return 0
    after = []
    for row in changed:
        group = groups[row.petition_id]
        text = orjson.dumps(orjson.loads(row.payload) | {"event_group": group}).decode()
        after.append({"b_petition": row.petition_id, "b_id": row.suggestion_id, "b_group": group, "b_payload": text, "b_before": row.payload})
    # What was announced stays as it was: a message that is sent again must not have changed.
    connection.execute(
        update(outbox)
        .where(outbox.c.message_id == bindparam("b_id"), outbox.c.kind == MADE, outbox.c.payload.is_(None))
        .values(payload=bindparam("b_before")),
        [{name: row[name] for name in ("b_id", "b_before")} for row in after],
    )
    connection.execute(
        update(petitions).where(petitions.c.petition_id == bindparam("b_petition")).values(event_group=bindparam("b_group")),
        [{name: row[name] for name in ("b_petition", "b_group")} for row in after],
    )
    connection.execute(
        update(suggestions)
        .where(suggestions.c.suggestion_id == bindparam("b_id"))
        .values(event_group=bindparam("b_group"), payload=bindparam("b_payload")),
        [{name: row[name] for name in ("b_id", "b_group", "b_payload")} for row in after],
    )
    announce(
        connection,
        [
            Message("", REGROUPED, row.petition_id, row.suggestion_id, row.revision, line["b_payload"])
            for row, line in zip(changed, after, strict=True)
        ],
    )
    refresh(connection, {groups[row.petition_id] for row in changed} | {row.event_group for row in changed})
    return len(changed)


def refresh(connection: Connection, groups: set[str | None]) -> None:
    """Recompute the rows of the named event groups from the petitions in them."""
    names = sorted(group for group in groups if group is not None)
    if not names:
        return
    p = petitions.c
    # SQLite sorts nulls first and PostgreSQL last, hence the explicit key: a petition without time is never the first.
    order = (case((p.submitted_at.is_(None), 1), else_=0), p.submitted_at, p.petition_id)
    ranked = select(
        p.event_group, p.petition_id,
        func.count().over(partition_by=p.event_group).label("size"),
        func.min(p.submitted_at).over(partition_by=p.event_group).label("first_at"),
        func.max(p.submitted_at).over(partition_by=p.event_group).label("last_at"),
        func.row_number().over(partition_by=p.event_group, order_by=order).label("place"),
    )  # fmt: skip
    for batch in batches(names):
        connection.execute(delete(events).where(events.c.event_group.in_(batch)))
        inner = ranked.where(p.event_group.in_(batch)).subquery()
        first = inner.join(petitions, p.petition_id == inner.c.petition_id)
        texts = (p.title, func.substr(p.body, 1, 120).label("body"))
        query = select(inner, *texts).select_from(first).where(inner.c.place == 1).order_by(inner.c.event_group)
        rows = connection.execute(query).all()
        if rows:
            titles = headings([row.title for row in rows], [row.body for row in rows])
            connection.execute(
                insert(events),
                [
                    {
                        "event_group": row.event_group,
                        "first_petition_id": row.petition_id,
                        "size": row.size,
                        "first_at": row.first_at,
                        "last_at": row.last_at,
                        "title": title,
                    }
                    for row, title in zip(rows, titles, strict=True)
                ],
            )
