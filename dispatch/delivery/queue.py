"""Deliveries: fanned out from the outbox, claimed by workers under a lease, settled.

A message may be claimed only if no earlier one of the same subscriber and petition is unfinished: so order per petition is
kept, and a dead letter holds back what follows of its petition until it is replayed or skipped. Workers keep out of each
other's way by `SKIP LOCKED`; on SQLite a transaction that writes is alone anyway.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, exists, func, insert, or_, select, update

from dispatch.delivery.envelope import Letter
from dispatch.delivery.identity import is_gone
from dispatch.delivery.subscribers import Filters, Subscriber
from dispatch.store.engine import batches
from dispatch.store.tables import decisions, deliveries, outbox, subscribers, suggestions

PENDING, SENDING, DELIVERED, DEAD, SKIPPED = "pending", "sending", "delivered", "dead", "skipped"
UNFINISHED = (PENDING, SENDING, DEAD)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a claimed message.

    Attributes:
        status: `delivered`, `pending` (again at `next_at`) or `dead`.
        attempts: of all workers so far.
        answer: HTTP status, if there was one.
        error: without anything that the receiver wrote; None if it was delivered.
    """

    position: int
    status: str
    attempts: int
    next_at: dt.datetime
    answer: int | None = None
    error: str | None = None


def fan_out(connection: Connection, name: str, at: dt.datetime, limit: int) -> int:
    """Make deliveries of what the outbox has beyond a subscriber's position; return how many messages were looked through.

    Nothing happens while another worker is at it, or if the subscriber is paused.
    """
    query = select(subscribers.c.position, subscribers.c.filters).where(subscribers.c.name == name, subscribers.c.active == 1)
    row = connection.execute(query.with_for_update(key_share=True, skip_locked=True)).one_or_none()
    if row is None:
        return 0
    filters = Filters.model_validate_json(row.filters)
    # Positions become visible in order of commit (see dispatch.store.tables.counters): none below can turn up later.
    names = (outbox.c.position, outbox.c.kind, outbox.c.petition_id)
    about = (suggestions.c.lead_unit, suggestions.c.issue_code, suggestions.c.decision, suggestions.c.urgency_level, decisions.c.unit)
    found = connection.execute(
        select(*names, *about)
        .outerjoin(suggestions, suggestions.c.suggestion_id == outbox.c.suggestion_id)
        .outerjoin(decisions, decisions.c.decision_id == outbox.c.message_id)
        .where(outbox.c.position > row.position)
        .order_by(outbox.c.position)
        .limit(limit)
    ).all()
    if not found:
        return 0
    heard: set[str] = set()
    if filters != Filters(kinds=filters.kinds):
        heard = _heard(connection, name, {item.petition_id for item in found})
    new = []
    for item in found:
        if item.decision is None:  # its suggestion is not in the store any more
            continue
        fits = filters.matches(units={item.lead_unit, item.unit}, issue=item.issue_code, decision=item.decision, level=item.urgency_level)
        if filters.wants(item.kind) and (fits or item.petition_id in heard):
            heard.add(item.petition_id)
            new.append({"position": item.position, "petition_id": item.petition_id})
    if new:
        same = {"subscriber": name, "status": PENDING, "attempts": 0, "next_at": at}
        connection.execute(insert(deliveries), [{**same, **item} for item in new])
    connection.execute(update(subscribers).where(subscribers.c.name == name).values(position=found[-1].position))
    return len(found)


def _heard(connection: Connection, name: str, petitions: set[str]) -> set[str]:
    query = select(deliveries.c.petition_id).distinct().where(deliveries.c.subscriber == name)
    found: set[str] = set()
    for batch in batches(petitions):
        found.update(connection.scalars(query.where(deliveries.c.petition_id.in_(batch))))
    return found


def claim(connection: Connection, name: str, worker: str, at: dt.datetime, seconds: float, count: int) -> list[Letter]:
    """Take up to `count` messages that are due, for so many seconds; the order is that of their positions."""
    if count <= 0 or not _allowed(connection, name):
        return []
    due = _due(name, at).order_by(deliveries.c.next_at, deliveries.c.position).limit(count)
    taken = list(connection.scalars(due.with_for_update(skip_locked=True, of=deliveries)))
    _take(connection, name, worker, at, seconds, taken)
    found = letters(connection, name, taken)
    if lost := set(taken) - {letter.position for letter in found}:
        dead = [Result(position, DEAD, 0, at, error="the message is not in the store any more") for position in sorted(lost)]
        settle(connection, name, worker, at, dead)
    return found


def claim_batch(connection: Connection, subscriber: Subscriber, worker: str, at: dt.datetime, seconds: float, now: bool) -> list[Letter]:
    """Take the next messages of a folder, all that go into one file.

    What one worker had begun another takes up as it was, so that the same file is written again and not another one with a
    part of it. One batch at a time, in order of positions.

    Args:
        connection: of a transaction that writes.
        subscriber: the folder.
        worker: who takes them.
        at: now, UTC without zone.
        seconds: of the lease.
        now: take what there is; otherwise wait until the file is full or `gather_seconds` have passed.
    """
    name, d = subscriber.name, deliveries.c
    alone = select(subscribers.c.name).where(subscribers.c.name == name, subscribers.c.active == 1)
    if connection.execute(alone.with_for_update(key_share=True, skip_locked=True)).first() is None:
        return []
    begun = connection.execute(
        select(d.position, d.lease_until, d.worker).where(d.subscriber == name, d.status == SENDING).order_by(d.position)
    ).all()
    if begun:
        if any(row.lease_until > at and not is_gone(row.worker) for row in begun):
            return []
        taken = [row.position for row in begun]
    else:
        waiting = select(d.position, d.next_at).where(d.subscriber == name, d.status == PENDING)
        rows = connection.execute(waiting.order_by(d.position).limit(subscriber.settings.rows_per_file)).all()
        gathered = dt.timedelta(seconds=subscriber.settings.gather_seconds)
        if not rows or not (now or len(rows) == subscriber.settings.rows_per_file or at - min(row.next_at for row in rows) >= gathered):
            return []
        taken = [row.position for row in rows]
    _take(connection, name, worker, at, seconds, taken)
    return letters(connection, name, taken)


def _allowed(connection: Connection, name: str) -> bool:
    """Return whether a subscriber is active; until the transaction ends nobody can replay its messages from under the claim."""
    query = select(subscribers.c.active).where(subscribers.c.name == name).with_for_update(read=True, key_share=True)
    return connection.execute(query).scalar_one_or_none() == 1


def _due(name: str, at: dt.datetime) -> Select[tuple[int]]:
    d, earlier = deliveries.c, deliveries.alias("earlier")
    before = exists().where(
        earlier.c.subscriber == d.subscriber, earlier.c.petition_id == d.petition_id, earlier.c.position < d.position,
        earlier.c.status.in_(UNFINISHED),
    )  # fmt: skip
    return select(d.position).where(d.subscriber == name, d.status == PENDING, d.next_at <= at, ~before)


def _take(connection: Connection, name: str, worker: str, at: dt.datetime, seconds: float, positions: Sequence[int]) -> None:
    change = {"status": SENDING, "worker": worker, "lease_until": at + dt.timedelta(seconds=seconds)}
    for start in range(0, len(positions), 5_000):
        some = positions[start : start + 5_000]
        connection.execute(update(deliveries).where(deliveries.c.subscriber == name, deliveries.c.position.in_(some)).values(change))


def letters(connection: Connection, name: str, positions: Sequence[int]) -> list[Letter]:
    """Return messages of a subscriber with what they say, by position."""
    payload = func.coalesce(outbox.c.payload, suggestions.c.payload).label("payload")
    texts = (outbox.c.position, outbox.c.message_id, outbox.c.kind, outbox.c.petition_id, outbox.c.revision, outbox.c.at)
    query = (
        select(*texts, deliveries.c.attempts, payload)
        .join(suggestions, suggestions.c.suggestion_id == outbox.c.suggestion_id)
        .join(deliveries, and_(deliveries.c.position == outbox.c.position, deliveries.c.subscriber == name))
        .order_by(outbox.c.position)
    )
    found: list[Letter] = []
    for start in range(0, len(positions), 5_000):
        found += [Letter(*row) for row in connection.execute(query.where(outbox.c.position.in_(positions[start : start + 5_000])))]
    return found


def settle(connection: Connection, name: str, worker: str, at: dt.datetime, results: Sequence[Result]) -> None:
    """Record what became of claimed messages. What this worker has lost to another one meanwhile is left to that one."""
    if not results:
        return
    d = deliveries.c
    change = update(deliveries).where(
        d.subscriber == name, d.position == bindparam("b_position"), d.worker == worker, d.status == SENDING
    )
    names = ("status", "attempts", "next_at", "answer", "error", "done_at")
    values: dict[str, Any] = {item: bindparam(f"b_{item}") for item in names}
    rows: list[dict[str, Any]] = [
        {
            "b_position": item.position, "b_status": item.status, "b_attempts": item.attempts, "b_next_at": item.next_at,
            "b_answer": item.answer, "b_error": item.error, "b_done_at": at if item.status == DELIVERED else None,
        }
        for item in results
    ]  # fmt: skip
    connection.execute(change.values({**values, "worker": None, "lease_until": None}), rows)


def hand_back(connection: Connection, name: str, worker: str, at: dt.datetime, positions: Sequence[int]) -> None:
    """Free messages that this worker claimed and did not try."""
    d = deliveries.c
    if positions:
        mine = update(deliveries).where(d.subscriber == name, d.worker == worker, d.status == SENDING, d.position.in_(positions))
        connection.execute(mine.values(status=PENDING, next_at=at, worker=None, lease_until=None))


def settle_batch(connection: Connection, name: str, worker: str, at: dt.datetime, error: str | None, again: dt.datetime | None) -> None:
    """Record that the file of this worker's batch is in place, or why it is not and when it is tried again."""
    d = deliveries.c
    mine = update(deliveries).where(d.subscriber == name, d.worker == worker, d.status == SENDING)
    if error is None:
        connection.execute(mine.values(status=DELIVERED, done_at=at, worker=None, lease_until=None, error=None))
    else:  # it stays one batch
        connection.execute(mine.values(attempts=d.attempts + 1, error=error, worker=None, lease_until=again))


def release(connection: Connection, name: str, at: dt.datetime, gone: Callable[[str | None], bool] = is_gone) -> int:
    """Free the messages of workers that are gone or did not come back in time; return how many."""
    d = deliveries.c
    query = select(d.worker).distinct().where(d.subscriber == name, d.status == SENDING)
    ended = [worker for worker in connection.scalars(query) if worker is not None and gone(worker)]
    late = or_(d.lease_until <= at, d.worker.in_(ended)) if ended else d.lease_until <= at
    free = update(deliveries).where(d.subscriber == name, d.status == SENDING, late)
    return int(connection.execute(free.values(status=PENDING, worker=None, lease_until=None, next_at=at)).rowcount)


def has_work(connection: Connection, name: str, at: dt.datetime) -> bool:
    """Return whether there is something to fan out, to claim or to free. It only reads."""
    ahead = select(outbox.c.position).where(
        outbox.c.position > select(subscribers.c.position).where(subscribers.c.name == name, subscribers.c.active == 1).scalar_subquery()
    )
    if connection.execute(ahead.limit(1)).first() or connection.execute(_due(name, at).limit(1)).first():
        return True
    d = deliveries.c
    taken = select(d.worker, d.lease_until).distinct().where(d.subscriber == name, d.status == SENDING)
    return any(row.lease_until <= at or is_gone(row.worker) for row in connection.execute(taken))


def next_due(connection: Connection, name: str) -> dt.datetime | None:
    """Return when the next message is tried again, None if none is: what waits behind a dead letter does not count."""
    d = deliveries.c
    query = _due(name, dt.datetime.max).with_only_columns(func.min(d.next_at))
    return connection.execute(query).scalar_one_or_none()
