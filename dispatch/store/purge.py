"""Retention: petitions that are over and old go, with everything said of them; counts stay."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from dispatch.store import events as event_groups
from dispatch.store.outbox import note, now, take_numbers
from dispatch.store.store import Store
from dispatch.store.tables import (
    OPEN,
    aggregates,
    decisions,
    deliveries,
    events,
    outbox,
    petitions,
    refusals,
    rejections,
    runs,
    sessions,
    subscribers,
    suggestions,
)

#: Petitions in one transaction: other writers wait no longer than it takes.
_BATCH = 1_000
#: States of a delivery that needs nothing more.
_OVER = ("delivered", "skipped")
_KEYS = ("month", "lead_unit", "issue_code", "urgency_level", "decision", "verdict")


@dataclass(frozen=True, slots=True)
class Purged:
    """What was removed, or would be.

    Attributes:
        removed: rows by table.
        kept_open: petitions that are old enough and wait for a decision.
        kept_undelivered: petitions that are old enough with messages a subscriber has not had.
        waiting: the same by subscriber.
    """

    before: dt.datetime
    removed: Counter[str] = field(default_factory=Counter)
    kept_open: int = 0
    kept_undelivered: int = 0
    waiting: Counter[str] = field(default_factory=Counter)


def purge(
    store: Store, before: dt.datetime, *, actor: str, also_open: bool = False, also_undelivered: bool = False, dry_run: bool = False
) -> Purged:
    """Remove petitions filed before a moment, with their suggestions, decisions, refusals, messages and deliveries.

    Those that wait for a decision are kept, and those with messages that a subscriber has not had yet. What is counted of the
    others (see `tables.aggregates`) is counted in the transaction that removes them. Rows that were not routed and runs out
    sessions go too. A purge that is killed leaves what it has not come to, and goes on when it is started again.

    Args:
        store: where the petitions are.
        before: local time, as petitions have it; petitions without one count from the run that brought them.
        actor: who purges, for the audit trail.
        also_open: remove those that wait for a decision too.
        also_undelivered: remove those whose messages have not been delivered too.
        dry_run: count, and change nothing.
    """
    result = Purged(before)
    kept_open = kept_undelivered = 0
    for ids in _old(store, before):
        with store.reading() if dry_run else store.writing() as connection:
            if not dry_run:
                take_numbers(connection, "outbox", 0)  # nobody decides on them meanwhile
            over = ids if also_open else _settled(connection, ids)
            kept_open += len(ids) - len(over)
            if not also_undelivered:
                waiting = _waiting(connection, over)
                result.waiting.update({name: len(found) for name, found in waiting.items() if found})
                late = set().union(*waiting.values())
                kept_undelivered += len(late)
                over = [pid for pid in over if pid not in late]
            if not over:
                continue
            if dry_run:
                result.removed.update(_counted(connection, over))
            else:
                _aggregate(connection, over)
                result.removed.update(_remove(connection, over))
    done = Purged(before, result.removed, kept_open, kept_undelivered, result.waiting)
    _leftovers(store, done, actor, dry_run=dry_run)
    return done


def compact(store: Store) -> str | None:
    """Let nothing of what was removed remain in the files of the database, as far as it can be told to; None, or why not.

    SQLite rewrites its file and empties its log. PostgreSQL gives the space free for what comes next; its own log and backups
    are the administrator's.
    """
    try:
        with store.alone() as connection:
            if connection.dialect.name != "sqlite":
                connection.exec_driver_sql("VACUUM (ANALYZE)")
                return None
            connection.exec_driver_sql("VACUUM")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    except DBAPIError as error:
        return " ".join(str(error.orig).split())
    return "another process is reading the store, so its log still holds what was removed" if busy else None


def _old(store: Store, before: dt.datetime) -> Iterator[list[str]]:
    """Yield the ids of petitions filed before a moment, a batch at a time."""
    early = select(runs.c.run_id).where(runs.c.started_at < before)
    filed = or_(petitions.c.submitted_at < before, and_(petitions.c.submitted_at.is_(None), petitions.c.first_run_id.in_(early)))
    last = ""
    while True:
        page = select(petitions.c.petition_id).where(filed, petitions.c.petition_id > last).order_by(petitions.c.petition_id).limit(_BATCH)
        with store.reading() as connection:
            ids = list(connection.scalars(page))
        if not ids:
            return
        yield ids
        last = ids[-1]


def _settled(connection: Connection, ids: Sequence[str]) -> list[str]:
    return list(connection.scalars(select(petitions.c.petition_id).where(petitions.c.petition_id.in_(ids), petitions.c.state != OPEN)))


def _waiting(connection: Connection, ids: Sequence[str]) -> dict[str, set[str]]:
    """Return by subscriber the petitions with messages that it has not had."""
    found: dict[str, set[str]] = {}
    for name, position in connection.execute(select(subscribers.c.name, subscribers.c.position)).all():
        unfinished = and_(deliveries.c.subscriber == name, deliveries.c.status.not_in(_OVER))
        late = select(deliveries.c.petition_id).where(deliveries.c.petition_id.in_(ids), unfinished)
        ahead = select(outbox.c.petition_id).where(outbox.c.petition_id.in_(ids), outbox.c.position > position)
        found[name] = set(connection.scalars(late)) | set(connection.scalars(ahead))
    return found


def _belonging(connection: Connection, ids: Sequence[str]) -> list[tuple[str, ColumnElement[bool]]]:
    """Return what belongs to petitions, as a condition on each table, in an order in which it can be removed."""
    names = list(connection.scalars(select(subscribers.c.name)))
    return [
        ("refusals", refusals.c.petition_id.in_(ids)),
        ("decisions", decisions.c.petition_id.in_(ids)),
        ("deliveries", and_(deliveries.c.subscriber.in_(names), deliveries.c.petition_id.in_(ids))),
        ("outbox", outbox.c.petition_id.in_(ids)),
        ("suggestions", suggestions.c.petition_id.in_(ids)),
        ("petitions", petitions.c.petition_id.in_(ids)),
    ]


def _counted(connection: Connection, ids: Sequence[str]) -> Counter[str]:
    tables = petitions.metadata.tables
    return Counter(
        {
            name: connection.execute(select(func.count()).select_from(tables[name]).where(which)).scalar_one()
            for name, which in _belonging(connection, ids)
        }
    )


def _remove(connection: Connection, ids: Sequence[str]) -> Counter[str]:
    tables = petitions.metadata.tables
    grouped = select(petitions.c.event_group).where(petitions.c.petition_id.in_(ids), petitions.c.event_group.is_not(None)).distinct()
    groups = set(connection.scalars(grouped))
    firsts = or_(events.c.event_group.in_(sorted(groups)), events.c.first_petition_id.in_(ids))
    connection.execute(delete(events).where(firsts))
    removed: Counter[str] = Counter()
    for name, which in _belonging(connection, ids):
        removed[name] = connection.execute(delete(tables[name]).where(which)).rowcount
    event_groups.refresh(connection, set(groups))
    return removed


def _aggregate(connection: Connection, ids: Sequence[str]) -> None:
    """Add petitions that are about to go to the counts."""
    verdict = case((petitions.c.state == OPEN, ""), else_=petitions.c.state).label("verdict")
    columns = (
        petitions.c.submitted_at, suggestions.c.lead_unit, suggestions.c.issue_code, suggestions.c.urgency_level,
        suggestions.c.decision, verdict,
    )  # fmt: skip
    newest = petitions.join(suggestions, suggestions.c.suggestion_id == petitions.c.suggestion_id)
    counts = Counter(
        (f"{at:%Y-%m}" if at else "", unit or "", issue or "", *rest)
        for at, unit, issue, *rest in connection.execute(
            select(*columns).select_from(newest).where(petitions.c.petition_id.in_(ids))
        ).all()
    )
    for key, count in sorted(counts.items()):
        values = dict(zip(_KEYS, key, strict=True))
        same = and_(*(aggregates.c[name] == value for name, value in values.items()))
        added = update(aggregates).where(same).values(petitions=aggregates.c.petitions + count)
        if not connection.execute(added).rowcount:
            connection.execute(insert(aggregates).values(**values, petitions=count))


def _leftovers(store: Store, done: Purged, actor: str, *, dry_run: bool) -> None:
    """Remove what old runs rejected and sessions that ran out, and write the purge to the audit trail."""
    early = select(runs.c.run_id).where(runs.c.started_at < done.before)
    stale = (("rejections", rejections, rejections.c.run_id.in_(early)), ("sessions", sessions, sessions.c.expires_at < now()))
    with store.reading() if dry_run else store.writing() as connection:
        for name, table, which in stale:
            if dry_run:
                done.removed[name] = connection.execute(select(func.count()).select_from(table).where(which)).scalar_one()
            else:
                done.removed[name] = connection.execute(delete(table).where(which)).rowcount
        if not dry_run:
            note(
                connection, actor, "purge", f"before {done.before:%Y-%m-%d %H:%M}", removed=dict(sorted(done.removed.items())),
                kept_open=done.kept_open, kept_undelivered=done.kept_undelivered,
            )  # fmt: skip
