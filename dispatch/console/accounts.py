"""Who may use the console: users with argon2 hashes, added and changed from the command line."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update

from dispatch.store import Store
from dispatch.store.outbox import note, now
from dispatch.store.tables import sessions, users

REVIEWER, SUPERVISOR = "reviewer", "supervisor"
ROLES = (REVIEWER, SUPERVISOR)
#: Wrong passwords in a row before an account rests, and for how long.
MAX_FAILURES = 5
LOCKED_FOR = dt.timedelta(minutes=15)
MIN_PASSWORD, MAX_PASSWORD = 10, 200
_NAME = re.compile(r"[\w.\-@]{1,40}")
#: Each hash takes 64 MB: a crowd at the door must not take the memory of the machine.
_hashing = BoundedSemaphore(2)


class UserError(ValueError):
    """A user that cannot be added or changed; the message says why."""


@dataclass(frozen=True, slots=True)
class User:
    """Who is logged in."""

    name: str
    role: str

    @property
    def supervisor(self) -> bool:
        """Whether they may look over and take over the work of others."""
        return self.role == SUPERVISOR


@dataclass(frozen=True, slots=True)
class Listed:
    """A user as `minqing users list` shows it; times are UTC without zone."""

    name: str
    role: str
    active: bool
    locked_until: dt.datetime | None
    created_at: dt.datetime


def add(connection: Connection, name: str, password: str, role: str, by: str) -> None:
    """Add a user.

    Raises:
        UserError: if the name is taken or no name, the role unknown, or the password too weak.
    """
    name = clean_name(name)
    if role not in ROLES:
        msg = f"role must be one of {', '.join(ROLES)}, not {role[:40]!r}"
        raise UserError(msg)
    if connection.execute(select(users.c.name).where(users.c.name == name)).first():
        msg = f"there is a user {name} already"
        raise UserError(msg)
    hashed = _hash(checked(name, password))
    connection.execute(insert(users).values(name=name, hash=hashed, role=role, active=1, failures=0, created_at=now()))
    note(connection, by, "user.added", name, role=role)


def set_password(connection: Connection, name: str, password: str, by: str) -> None:
    """Give a user another password, unlock them and end their sessions.

    Raises:
        UserError: if there is no such user or the password is too weak.
    """
    name = clean_name(name)
    values = {"hash": _hash(checked(name, password)), "failures": 0, "locked_until": None}
    _change(connection, name, values)
    note(connection, by, "user.password", name)


def set_active(connection: Connection, name: str, *, active: bool, by: str) -> None:
    """Shut a user out and end their sessions, or let them in again.

    Raises:
        UserError: if there is no such user.
    """
    name = clean_name(name)
    _change(connection, name, {"active": int(active), "failures": 0, "locked_until": None})
    note(connection, by, "user.enabled" if active else "user.disabled", name)


def listed(connection: Connection) -> Sequence[Listed]:
    """Return all users by name."""
    columns = (users.c.name, users.c.role, users.c.active, users.c.locked_until, users.c.created_at)
    rows = connection.execute(select(*columns).order_by(users.c.name))
    return [Listed(name, role, bool(active), locked, created) for name, role, active, locked, created in rows]


def clean_name(name: str) -> str:
    """Return a name as it is stored.

    Raises:
        UserError: if it is none.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not _NAME.fullmatch(name):
        msg = f"not a user name (1 to 40 letters, digits or . - _ @): {name[:60]!r}"
        raise UserError(msg)
    return name


def checked(name: str, password: str) -> str:
    """Return a password that may be used.

    Raises:
        UserError: if it is too short, too long, of few different characters, or holds the name.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        msg = f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters"
        raise UserError(msg)
    if len(set(password)) < 5 or (len(name) > 2 and name.casefold() in password.casefold()):
        msg = "a password has at least five different characters and does not hold the user's name"
        raise UserError(msg)
    return password


def check_password(store: Store, name: str, password: str) -> User | None:
    """Return the user if name and password are right and the account is open; None tells nothing more, in the same time.

    The attempt is counted before the password is looked at, so that guesses made at the same time all count; no
    transaction is open while it is looked at.
    """
    name, at = unicodedata.normalize("NFC", name.strip())[:80], now()
    with store.writing() as connection:
        row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
        open_ = row is not None and bool(row.active) and (row.locked_until is None or row.locked_until <= at)
        failures = 0
        if open_:
            counted = update(users).where(users.c.name == name).values(failures=users.c.failures + 1).returning(users.c.failures)
            failures = connection.execute(counted).scalar_one()
    right = _verify(row.hash if row is not None else _nobody(), password[:MAX_PASSWORD])
    if row is None or not open_:
        return None
    if right and failures <= MAX_FAILURES:
        values: dict[str, object] = {"failures": 0, "locked_until": None}
        if _hasher().check_needs_rehash(row.hash):
            values["hash"] = _hash(password)
        with store.writing() as connection:
            connection.execute(update(users).where(users.c.name == name).values(values))
            note(connection, name, "user.login", name)
        return User(name, row.role)
    if failures >= MAX_FAILURES:
        with store.writing() as connection:
            connection.execute(update(users).where(users.c.name == name).values(failures=0, locked_until=at + LOCKED_FOR))
            note(connection, name, "user.locked", name, minutes=int(LOCKED_FOR.total_seconds() // 60))
    return None


def _change(connection: Connection, name: str, values: dict[str, object]) -> None:
    if not connection.execute(update(users).where(users.c.name == name).values(values)).rowcount:
        msg = f"there is no user {name}"
        raise UserError(msg)
    connection.execute(delete(sessions).where(sessions.c.user == name))


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    """Return a hash that no password has, so that an unknown name costs the time of a known one."""
    return _hash("\x00")


def _hash(password: str) -> str:
    with _hashing:
        return _hasher().hash(password)


def _verify(hashed: str, password: str) -> bool:
    with _hashing:
        try:
            return _hasher().verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
