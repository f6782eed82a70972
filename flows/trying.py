"""One message to one subscriber, to see whether it gets there."""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
import time
from typing import Any
from uuid import uuid4

from dispatch.delivery.envelope import ping
from dispatch.delivery.http import Attempt, attempt, client
from dispatch.delivery.subscribers import WEBHOOK, Subscriber, get
from dispatch.store import Store
from dispatch.store.outbox import now


def tried(store: Store, name: str) -> dict[str, Any]:
    """Return whether a ping arrived, the HTTP status, what went wrong, and how long it took; nothing is recorded."""
    with store.reading() as connection:
        subscriber = get(connection, name)
    begun = time.monotonic()
    done = asyncio.run(_post(subscriber)) if subscriber.kind == WEBHOOK else _write(subscriber)
    return {"name": name, "ok": done.ok, "answer": done.answer, "error": done.error, "milliseconds": round((time.monotonic() - begun) * 1000)}


async def _post(subscriber: Subscriber) -> Attempt:
    message_id = f"ping_{uuid4().hex}"
    body = ping(subscriber.settings.source, message_id, dt.datetime.now(dt.UTC))
    async with client(subscriber.settings) as http:
        return await attempt(http, subscriber.address, body, message_id, subscriber.signing(now()), subscriber.settings)


def _write(subscriber: Subscriber) -> Attempt:
    try:
        with tempfile.NamedTemporaryFile(dir=subscriber.address, prefix=".minqing-test-"):
            return Attempt(True)
    except OSError as error:
        return Attempt(False, error=f"cannot write: {error.strerror or type(error).__name__}")
