"""What an operator sees of deliveries, and does with those that failed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select, update

from dispatch.delivery.addresses import SubscriberError
from dispatch.delivery.queue import DEAD, DELIVERED, PENDING, SENDING, SKIPPED, UNFINISHED
from dispatch.delivery.subscribers import Subscriber, everyone, get
from dispatch.store.outbox import note, now
from dispatch.store.tables import counters, deliveries, outbox, subscribers


class DeliveryError(SubscriberError):
    """A replay or skip that would break the order, or concerns nothing; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as listed; `behind`: messages of the same petition that it holds back."""

    subscriber: str
    position: int
    message_id: str
    kind: str
    petition_id: str
    status: str
    attempts: int
    next_at: dt.datetime
    answer: int | None
    error: str | None
    behind: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far a subscriber is.

    Attributes:
        unseen: messages of the outbox that have not been looked through for it.
        waiting: deliveries that are pending or on their way.
        dead: dead letters.
        held: deliveries that wait behind a dead letter.
        delivered: how many it got.
        oldest: when the oldest of those it did not get was written, UTC without zone.
        waiting_since: the same without dead letters.
    """

    subscriber: Subscriber
    unseen: int
    waiting: int
    dead: int
    held: int
    delivered: int
    oldest: dt.datetime | None
    waiting_since: dt.datetime | None


def listed(
    connection: Connection, name: str | None = None, statuses: Sequence[str] = UNFINISHED, *, after: int = 0, limit: int = 50
) -> list[Delivery]:
    """Return deliveries by subscriber and position."""
    d, later = deliveries.c, deliveries.alias("later")
    behind = (
        select(func.count())
        .where(later.c.subscriber == d.subscriber, later.c.petition_id == d.petition_id, later.c.position > d.position, later.c.status == PENDING)
        .scalar_subquery()
    )  # fmt: skip
    columns = (d.subscriber, d.position, outbox.c.message_id, outbox.c.kind, d.petition_id, d.status, d.attempts, d.next_at, d.answer, d.error)
    query = select(*columns, behind).join(outbox, outbox.c.position == d.position).where(d.status.in_(statuses), d.position > after)
    if name is not None:
        query = query.where(d.subscriber == get(connection, name).name)
    return [Delivery(*row) for row in connection.execute(query.order_by(d.subscriber, d.position).limit(limit))]


def backlog(connection: Connection, name: str | None = None) -> list[Backlog]:
    """Return how far each subscriber is; cheap enough for a metric."""
    d, dead = deliveries.c, deliveries.alias("dead_one")
    blocked = exists().where(
        dead.c.subscriber == d.subscriber, dead.c.petition_id == d.petition_id, dead.c.status == DEAD, dead.c.position < d.position
    )
    latest = connection.execute(select(counters.c.value).where(counters.c.name == "outbox")).scalar_one()
    found = []
    for item in everyone(connection) if name is None else [get(connection, name)]:
        counts = {
            status: (count, first)
            for status, count, first in connection.execute(
                select(d.status, func.count(), func.min(d.position)).where(d.subscriber == item.name).group_by(d.status)
            )
        }
        held = 0
        if DEAD in counts:
            query = select(func.count()).select_from(deliveries).where(d.subscriber == item.name, d.status == PENDING, blocked)
            held = connection.execute(query).scalar_one()
        # Positions are in the order of time.
        ahead = [item.position + 1] if latest > item.position else []
        waiting = [counts[status][1] for status in (PENDING, SENDING) if status in counts] + ahead
        lost = [counts[DEAD][1]] if DEAD in counts else []
        number = {status: count for status, (count, _) in counts.items()}
        found.append(
            Backlog(
                item, int(latest - item.position), number.get(PENDING, 0) + number.get(SENDING, 0), number.get(DEAD, 0), held,
                number.get(DELIVERED, 0), _written_at(connection, waiting + lost), _written_at(connection, waiting),
            )
        )  # fmt: skip
    return found


def _written_at(connection: Connection, positions: Sequence[int]) -> dt.datetime | None:
    """Return when the first message from the lowest of these positions on was written."""
    if not positions:
        return None
    query = select(outbox.c.at).where(outbox.c.position >= min(positions)).order_by(outbox.c.position).limit(1)
    return connection.execute(query).scalar_one_or_none()


def replay(
    connection: Connection, actor: str, name: str, *, positions: Sequence[int] = (), from_position: int | None = None
) -> int:
    """Send messages again; return how many.

    Args:
        connection: of a transaction that writes.
        actor: who does it, for the audit trail.
        name: the subscriber.
        positions: dead letters; all of the subscriber if none are named.
        from_position: everything from this position on instead, delivered or not: for a receiver that lost what it had.
            The messages keep their ids, so one that remembers them does nothing twice.

    Raises:
        DeliveryError: if a named position is no dead letter. Nothing is replayed then.
    """
    _alone(connection, name)
    d = deliveries.c
    mine: ColumnElement[bool] = d.subscriber == name
    if from_position is not None:
        # All that follows goes again as well, what is on its way too, or a petition's messages would come out of order.
        which = and_(mine, d.position >= from_position)
    elif positions:
        _must_be(connection, name, positions, (DEAD,), "replayed")
        which = and_(mine, d.position.in_(positions))
    else:
        which = and_(mine, d.status == DEAD)
    change = {"status": PENDING, "attempts": 0, "next_at": now(), "done_at": None, "worker": None, "lease_until": None}
    count = connection.execute(update(deliveries).where(which).values(change)).rowcount
    note(connection, actor, "delivery.replay", name, count=count, positions=list(positions)[:100], from_position=from_position)
    return int(count)


def skip(connection: Connection, actor: str, name: str, positions: Sequence[int], why: str) -> int:
    """Give up messages, so that what follows of their petitions can go out; return how many.

    Raises:
        DeliveryError: if a position is neither a dead letter nor waiting. Nothing is skipped then.
    """
    _alone(connection, name)
    _must_be(connection, name, positions, (DEAD, PENDING), "skipped")
    which = and_(deliveries.c.subscriber == name, deliveries.c.position.in_(positions))
    count = connection.execute(update(deliveries).where(which).values(status=SKIPPED, done_at=now())).rowcount
    note(connection, actor, "delivery.skip", name, positions=list(positions)[:100], why=why)
    return int(count)


def _alone(connection: Connection, name: str) -> None:
    """Keep workers from claiming until this transaction ends."""
    get(connection, name)
    connection.execute(select(subscribers.c.name).where(subscribers.c.name == name).with_for_update())


def _must_be(connection: Connection, name: str, positions: Sequence[int], statuses: tuple[str, ...], what: str) -> None:
    d = deliveries.c
    query = select(d.position, d.status).where(d.subscriber == name, d.position.in_(positions))
    found = dict(connection.execute(query).tuples().all())
    for position in positions:
        status = found.get(position)
        if status not in statuses:
            msg = f"{name} has no message {position}" if status is None else f"message {position} of {name} is {status}: it cannot be {what}"
            raise DeliveryError(msg)


