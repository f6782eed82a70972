"""Messages of the outbox as CloudEvents 1.0 in structured JSON."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import orjson

from dispatch.messages import schema_of, type_of

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way to one subscriber.

    Attributes:
        attempts: how often it was tried in vain.
        payload: JSON, as the outbox or the suggestion has it; it never changes for one `message_id`.
    """

    position: int
    message_id: str
    kind: str
    petition_id: str
    revision: int
    at: dt.datetime
    attempts: int
    payload: str


def data_of(letter: Letter) -> dict[str, Any]:
    """Return what the message says: the payload, with revision and position."""
    data: dict[str, Any] = orjson.loads(letter.payload)
    return data | {"revision": letter.revision, "position": letter.position}


def event(letter: Letter, source: str) -> bytes:
    """Return the message as a CloudEvent, the same bytes each time."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": letter.message_id,
            "source": source,
            "type": type_of(letter.kind),
            "subject": letter.petition_id,
            "time": letter.at.isoformat(timespec="milliseconds") + "Z",
            "datacontenttype": "application/json",
            "dataschema": schema_of(letter.kind),
            "data": data_of(letter),
        }
    )


def ping(source: str, message_id: str, at: dt.datetime) -> bytes:
    """Return a message that says nothing, by which an operator tries a receiver."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": message_id,
            "source": source,
            "type": type_of("ping"),
            "time": at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": {},
        }
    )
