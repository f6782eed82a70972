"""API keys: made, listed, revoked and rotated by an operator, checked at each request.

A key is `mq_<id>_<secret>`. The secret is 256 random bits, so its SHA-256 is all the store needs: there is nothing to guess
that a slow hash (as passwords need) would protect, and a slow hash would be paid by each request.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import re
import secrets
import string
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update
from starlette.concurrency import run_in_threadpool

from dispatch.store import Store
from dispatch.store.outbox import note, now
from dispatch.store.tables import api_keys

#: What a key may be allowed to do.
SCOPES = {
    "suggestions:write": "have petitions scored and stored",
    "suggestions:read": "read suggestions and their history",
    "petitions:read": "read the masked text of petitions",
    "decisions:write": "report decisions",
    "open311:read": "read the Open311 view",
    "metrics:read": "read the metrics from another machine",
}
_PATTERN = re.compile(r"mq_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_LETTERS = string.ascii_lowercase + string.digits
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,70}")
#: Compared with where there is no such key, so that the answer takes as long.
_NOBODY = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


class KeyManagementError(ValueError):
    """An operation on keys that makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as stored; times are UTC without zone."""

    key_id: str
    name: str
    scopes: frozenset[str]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None

    @property
    def actor(self) -> str:
        """The name under which decisions of this key are kept; it outlives a rotation."""
        return f"key:{self.name}"

    def state(self, at: dt.datetime) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "active"


def add(connection: Connection, name: str, scopes: Sequence[str], *, lasts: dt.timedelta | None = None, by: str) -> tuple[Key, str]:
    """Make a key; return it with its text, which is kept nowhere.

    Raises:
        KeyManagementError: if the name is in use or no name, or a scope is unknown or none is given.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        msg = "the name of a key has 1 to 70 characters, without control characters"
        raise KeyManagementError(msg)
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        msg = f"{'unknown scope ' + ', '.join(unknown) if unknown else 'give at least one scope'}; there are {', '.join(SCOPES)}"
        raise KeyManagementError(msg)
    if lasts is not None and lasts <= dt.timedelta(0):
        msg = "a key must last longer than nothing"
        raise KeyManagementError(msg)
    if any(key.name == name and key.state(now()) == "active" for key in listed(connection)):
        msg = f"there is an active key {name!r} already: rotate it, or choose another name"
        raise KeyManagementError(msg)
    return _made(connection, name, scopes, now() + lasts if lasts else None, "key.added", by)


def rotate(connection: Connection, which: str, *, grace: dt.timedelta, lasts: dt.timedelta | None = None, by: str) -> tuple[Key, str]:
    """Make a key with the name and scopes of another, which goes on for `grace`; return the new one with its text.

    Raises:
        KeyManagementError: if there is no such active key.
    """
    old = _active(connection, which)
    ends = now() + max(grace, dt.timedelta(0))
    if old.expires_at is None or old.expires_at > ends:
        connection.execute(update(api_keys).where(api_keys.c.key_id == old.key_id).values(expires_at=ends))
    return _made(connection, old.name, sorted(old.scopes), now() + lasts if lasts else None, "key.rotated", by, before=old.key_id)


def revoke(connection: Connection, which: str, *, by: str) -> list[Key]:
    """End the active keys of that id or name at once.

    Raises:
        KeyManagementError: if there is none.
    """
    found = [key for key in listed(connection) if which in (key.key_id, key.name) and key.state(now()) == "active"]
    if not found:
        msg = f"there is no active key {which[:80]!r}"
        raise KeyManagementError(msg)
    for key in found:
        connection.execute(update(api_keys).where(api_keys.c.key_id == key.key_id).values(revoked_at=now()))
        note(connection, by, "key.revoked", key.key_id, name=key.name)
    return found


def listed(connection: Connection) -> list[Key]:
    """Return all keys, newest first."""
    rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.key_id)).all()
    return [Key(row.key_id, row.name, frozenset(row.scopes.split()), row.created_at, row.expires_at, row.revoked_at) for row in rows]


def _active(connection: Connection, which: str) -> Key:
    found = [key for key in listed(connection) if which in (key.key_id, key.name) and key.state(now()) == "active"]
    if not found:
        msg = f"there is no active key {which[:80]!r}"
        raise KeyManagementError(msg)
    return found[0]


def _made(
    connection: Connection, name: str, scopes: Sequence[str], expires: dt.datetime | None, action: str, by: str, **detail: str
) -> tuple[Key, str]:
    key_id = "".join(secrets.choice(_LETTERS) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    key = Key(key_id, name, frozenset(scopes), now(), expires, None)
    text = " ".join(sorted(key.scopes))
    connection.execute(
        insert(api_keys).values(
            key_id=key_id, name=name, hash=_hash(secret), scopes=text, created_at=key.created_at, expires_at=expires, revoked_at=None
        )
    )
    note(connection, by, action, key_id, name=name, scopes=text, expires=expires.isoformat() if expires else None, **detail)
    return key, f"mq_{key_id}_{secret}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class KeyRing:
    """The keys as last read from the store; a city has tens of them, so all are held.

    Reading them all each time they are older than `seconds` makes a revocation count soon, and a guess cost no query.
    """

    def __init__(self, store: Store, seconds: float) -> None:
        self._store, self._seconds = store, seconds
        self._keys: dict[str, tuple[Key, str]] = {}
        self._read_at = -float("inf")
        self._lock = asyncio.Lock()

    async def find(self, text: str) -> Key | None:
        """Return the key that a text is, or None; the same work is done whatever is wrong with it."""
        if time.monotonic() - self._read_at > self._seconds:
            async with self._lock:
                if time.monotonic() - self._read_at > self._seconds:
                    began = time.monotonic()
                    self._keys = await run_in_threadpool(self._read)
                    self._read_at = began
        match = _PATTERN.fullmatch(text)
        key_id, secret = match.groups() if match else ("", "")
        key, digest = self._keys.get(key_id, (None, _NOBODY))
        same = hmac.compare_digest(_hash(secret), digest)
        return key if same and key is not None and key.state(now()) == "active" else None

    def _read(self) -> dict[str, tuple[Key, str]]:
        with self._store.reading() as connection:
            hashes = dict(connection.execute(select(api_keys.c.key_id, api_keys.c.hash)).tuples().all())
            return {key.key_id: (key, hashes[key.key_id]) for key in listed(connection) if key.key_id in hashes}
