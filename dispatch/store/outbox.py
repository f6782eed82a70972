"""The outbox: what receivers must hear, in the order in which it became true."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, bindparam, insert, update

from dispatch.store.bulk import insert_columns
from dispatch.store.tables import audit, counters, outbox

MADE, REGROUPED, DECIDED = "suggestion.made", "suggestion.regrouped", "decision.made"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to all receivers.

    Attributes:
        message_id: the same however often it is sent; "" for one made of suggestion and position.
        kind: `MADE`, `REGROUPED` or `DECIDED`.
        payload: JSON, or None for the payload of the suggestion.
    """

    message_id: str
    kind: str
    petition_id: str
    suggestion_id: str
    revision: int
    payload: str | None = None


#: Made once: a single petition is stored in a few milliseconds, and making a statement takes a part of one.
_TAKE = (
    update(counters)
    .where(counters.c.name == bindparam("of"))
    .values(value=counters.c.value + bindparam("more", type_=BigInteger))
    .returning(counters.c.value)
)


def now() -> dt.datetime:
    """Return the time as the tables hold it: UTC without zone."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def take_numbers(connection: Connection, name: str, count: int) -> int:
    """Return the first of `count` numbers in a row; none is given to anyone else until this transaction ends.

    Who writes suggestions or decisions takes numbers first, even none: it keeps writers apart on every database.
    """
    return int(connection.execute(_TAKE, {"of": name, "more": count}).scalar_one()) - count + 1


def announce(connection: Connection, messages: Sequence[Message]) -> None:
    """Write messages to the outbox, in the transaction that makes them true."""
    if not messages:
        return
    first, at = take_numbers(connection, "outbox", len(messages)), now()
    names = ("kind", "petition_id", "suggestion_id", "revision", "payload")
    columns: dict[str, Sequence[Any]] = {name: [getattr(item, name) for item in messages] for name in names}
    columns["position"] = list(range(first, first + len(messages)))
    columns["message_id"] = [
        item.message_id or f"{item.suggestion_id}.{position}" for item, position in zip(messages, columns["position"], strict=True)
    ]
    insert_columns(connection, outbox, {**columns, "at": [at] * len(messages)})


def note(connection: Connection, actor: str, action: str, what: str, **detail: Any) -> None:  # noqa: ANN401 - plain JSON
    """Add a line to the audit trail. `detail` must not hold personal data."""
    number = take_numbers(connection, "audit", 1)
    row = {"number": number, "at": now(), "actor": actor, "action": action, "object": what}
    connection.execute(insert(audit).values(**row, detail=orjson.dumps(detail, default=str).decode()))
