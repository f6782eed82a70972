"""Sessions: a random token in a cookie, its hash in the store, an end and an end of idleness."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from dispatch.console.accounts import User
from dispatch.store.outbox import now
from dispatch.store.tables import sessions, users

#: A session ends after so long, whatever happens, or when nothing was asked of it for so long.
LASTS = dt.timedelta(hours=12)
IDLE = dt.timedelta(minutes=45)
#: The end of idleness is written at most so often: a page is no write.
_RENEWED_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A session in use; `csrf` goes with every form."""

    user: User
    csrf: str
    token_hash: str


def begin(connection: Connection, user: User) -> str:
    """Begin a session and return its token, which is stored nowhere; sessions that are over are removed."""
    token, at = secrets.token_urlsafe(32), now()
    connection.execute(delete(sessions).where(sessions.c.expires_at <= at))
    row = {"token_hash": _hash(token), "user": user.name, "csrf": secrets.token_urlsafe(32), "created_at": at}
    connection.execute(insert(sessions).values(**row, expires_at=at + IDLE))
    return token


def find(connection: Connection, token: str) -> tuple[Session | None, bool]:
    """Return the session of a token, and whether `renew` is due; None if it is over or its user was shut out."""
    key, at = _hash(token), now()
    columns = (sessions.c.csrf, sessions.c.created_at, sessions.c.expires_at, users.c.name, users.c.role)
    query = (
        select(*columns)
        .join_from(sessions, users, sessions.c.user == users.c.name)
        .where(sessions.c.token_hash == key, sessions.c.expires_at > at, users.c.active == 1)
    )
    row = connection.execute(query).one_or_none()
    if row is None or row.created_at + LASTS <= at:
        return None, False
    due = min(at + IDLE, row.created_at + LASTS) - row.expires_at > _RENEWED_EVERY
    return Session(User(row.name, row.role), row.csrf, key), due


def renew(connection: Connection, session: Session) -> None:
    """Put off the end of idleness, never beyond the end of the session."""
    query = select(sessions.c.created_at).where(sessions.c.token_hash == session.token_hash)
    created = connection.execute(query).scalar_one_or_none()
    if created is not None:
        end = min(now() + IDLE, created + LASTS)
        connection.execute(update(sessions).where(sessions.c.token_hash == session.token_hash).values(expires_at=end))


def end(connection: Connection, session: Session) -> None:
    """End a session."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == session.token_hash))


def _hash(token: str) -> str:
    # The token is 256 random bits: nothing to guess, so a fast hash is enough.
    return hashlib.sha256(token.encode()).hexdigest()
