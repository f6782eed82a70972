"""Subscribers: who hears of suggestions, where, of which ones, and with which patience."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from dispatch.delivery.signing import new_secret
from dispatch.store.outbox import note, now
from dispatch.store.tables import counters, deliveries, outbox, subscribers

WEBHOOK, FOLDER = "webhook", "folder"
LEVELS = ("normal", "elevated", "urgent", "critical")
#: Hours that a replaced secret still signs beside the new one.
OVERLAP_HOURS = 48
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
T = TypeVar("T", bound=BaseModel)

Word = Annotated[str, Field(min_length=1, max_length=80)]


class SubscriberError(ValueError):
    """A subscriber that cannot be; the message says which field and why. Nothing was changed."""


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Filters(_Checked):
    """Which messages a subscriber hears; an empty list means all.

    Whoever has heard of a petition hears all that follows of it, whatever the filters say: a suggestion that now names
    another unit is how the former unit learns that the petition is not its own any more. `kinds` alone is absolute.
    """

    kinds: tuple[Literal["suggestion.made", "suggestion.regrouped", "decision.made"], ...] = ()
    units: tuple[Word, ...] = ()  # codes: the suggestion's lead, or the unit of a decision
    issues: tuple[Word, ...] = ()  # issue codes begin with one of these
    decisions: tuple[Literal["auto", "review"], ...] = ()
    urgency: Literal["normal", "elevated", "urgent", "critical"] = "normal"  # at least

    def wants(self, kind: str) -> bool:
        """Return whether messages of this kind are heard at all."""
        return not self.kinds or kind in self.kinds

    def matches(self, *, units: set[str | None], issue: str | None, decision: str, level: str) -> bool:
        """Return whether a message about such a suggestion is heard."""
        return (
            (not self.units or bool(units & set(self.units)))
            and (not self.issues or (issue or "").startswith(self.issues))
            and (not self.decisions or decision in self.decisions)
            and LEVELS.index(level) >= LEVELS.index(self.urgency)
        )


class Settings(_Checked):
    """How a subscriber is served. Times in seconds where the name says nothing else."""

    source: str = Field("/minqing", min_length=1, max_length=200, pattern=r"^[!-~]+$")
    format: Literal["jsonl", "csv"] = "jsonl"
    rows_per_file: int = Field(1_000, ge=1, le=100_000)
    gather_seconds: float = Field(5.0, ge=0, le=86_400)
    concurrency: int = Field(8, ge=1, le=256)
    connect_seconds: float = Field(5.0, gt=0, le=60)
    read_seconds: float = Field(10.0, gt=0, le=300)
    total_seconds: float = Field(30.0, gt=0, le=600)
    max_attempts: int = Field(20, ge=1, le=1_000)
    refused_attempts: int = Field(5, ge=1, le=1_000)
    base_seconds: float = Field(2.0, gt=0, le=3_600)
    cap_seconds: float = Field(21_600.0, gt=0, le=86_400)
    max_age_hours: float = Field(72.0, gt=0, le=8_760)


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret; one that was replaced signs until `until` (UTC without zone)."""

    text: str
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscriber as stored. `position`: the outbox up to there has been looked through for it."""

    name: str
    kind: str
    address: str
    secrets: tuple[Secret, ...]
    filters: Filters
    settings: Settings
    active: bool
    position: int
    created_at: dt.datetime

    def signing(self, at: dt.datetime) -> list[str]:
        """Return the secrets that sign at a time (UTC without zone), newest first."""
        return [secret.text for secret in self.secrets if secret.until is None or at < secret.until]

    @property
    def shown(self) -> str:
        """The address without its query, which may hold a token."""
        address, question, _ = self.address.partition("?")
        return address + ("?…" if question else "")


def add(
    connection: Connection,
    actor: str,
    name: str,
    address: str,
    *,
    filters: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    from_start: bool = False,
) -> tuple[Subscriber, str | None]:
    """Add a subscriber; return it and its signing secret, which is not shown again (None for a folder).

    Args:
        connection: of a transaction that writes.
        actor: who does it, for the audit trail.
        name: letters, digits, `.`, `_`, `-`.
        address: `http://…`, `https://…`, or the path of a folder.
        filters: see `Filters`.
        settings: see `Settings`.
        from_start: send everything the outbox has; otherwise what comes from now on.

    Raises:
        SubscriberError: if the name is taken or something cannot be.
    """
    if not _NAME.fullmatch(name):
        msg = f"name: 1 to 64 letters, digits, dots, underscores or hyphens, not {name[:80]!r}"
        raise SubscriberError(msg)
    if connection.execute(select(subscribers.c.name).where(subscribers.c.name == name)).first():
        msg = f"name: there is a subscriber {name} already"
        raise SubscriberError(msg)
    kind, place = checked_address(address)
    if kind == FOLDER and (other := connection.scalar(select(subscribers.c.name).where(subscribers.c.address == place))):
        msg = f"address: {place} is {other}'s already, and file names would clash"
        raise SubscriberError(msg)
    wanted, how = checked(Filters, filters or {}, "filter"), checked(Settings, settings or {}, "setting")
    secret = new_secret() if kind == WEBHOOK else None
    # With the counter's row held, no message can become true between here and the subscriber's first.
    latest = connection.execute(select(counters.c.value).where(counters.c.name == "outbox").with_for_update()).scalar_one()
    row = {
        "name": name, "kind": kind, "address": place, "secrets": secret or "", "filters": wanted.model_dump_json(exclude_defaults=True),
        "settings": how.model_dump_json(exclude_defaults=True), "active": 1, "position": 0 if from_start else latest, "created_at": now(),
    }  # fmt: skip
    connection.execute(insert(subscribers).values(**row))
    note(connection, actor, "subscriber.add", name, kind=kind, address=shown_address(place), position=row["position"])
    return get(connection, name), secret


def get(connection: Connection, name: str) -> Subscriber:
    """Return a subscriber.

    Raises:
        SubscriberError: if there is none of that name.
    """
    row = connection.execute(select(subscribers).where(subscribers.c.name == name)).one_or_none()
    if row is None:
        msg = f"there is no subscriber {name[:80]!r}"
        raise SubscriberError(msg)
    return from_row(row)


def everyone(connection: Connection, *, active: bool = False) -> list[Subscriber]:
    """Return all subscribers by name, or the active ones."""
    query = select(subscribers).order_by(subscribers.c.name)
    return [from_row(row) for row in connection.execute(query.where(subscribers.c.active == 1) if active else query)]


def set_active(connection: Connection, actor: str, name: str, active: bool, why: str = "") -> bool:
    """Pause a subscriber or go on with it; what comes meanwhile waits. Return whether that changed anything."""
    before = get(connection, name)
    if before.active == active:
        return False
    connection.execute(update(subscribers).where(subscribers.c.name == name).values(active=int(active)))
    note(connection, actor, "subscriber.resume" if active else "subscriber.pause", name, **({"why": why} if why else {}))
    return True


def change(connection: Connection, actor: str, name: str, settings: Mapping[str, Any]) -> Subscriber:
    """Change settings of a subscriber; those not named stay."""
    before = get(connection, name).settings
    after = checked(Settings, before.model_dump() | dict(settings), "setting")
    connection.execute(
        update(subscribers).where(subscribers.c.name == name).values(settings=after.model_dump_json(exclude_defaults=True))
    )
    note(connection, actor, "subscriber.change", name, **{key: getattr(after, key) for key in settings})
    return get(connection, name)


def rotate(connection: Connection, actor: str, name: str, hours: float = OVERLAP_HOURS) -> str:
    """Give a subscriber a new signing secret and return it; the one before signs beside it for some hours."""
    before = get(connection, name)
    if before.kind != WEBHOOK:
        msg = f"{name} is a folder: its files are not signed"
        raise SubscriberError(msg)
    at, secret = now(), new_secret()
    until = at + dt.timedelta(hours=hours)
    kept = [Secret(old.text, min(old.until or until, until)) for old in before.secrets if old.until is None or old.until > at]
    text = " ".join([secret, *(f"{old.text}|{old.until:%Y-%m-%dT%H:%M:%S}" for old in kept if hours > 0)])
    connection.execute(update(subscribers).where(subscribers.c.name == name).values(secrets=text))
    note(connection, actor, "subscriber.rotate", name, hours=hours)
    return secret


def remove(connection: Connection, actor: str, name: str, *, force: bool = False) -> int:
    """Remove a subscriber with its deliveries; return how many messages it will never get.

    Raises:
        SubscriberError: if there are such messages and not `force`.
    """
    before = get(connection, name)
    left = undelivered(connection, before)
    if left and not force:
        msg = f"{name} has {left} messages it did not get; --force removes it all the same"
        raise SubscriberError(msg)
    connection.execute(delete(deliveries).where(deliveries.c.subscriber == name))
    connection.execute(delete(subscribers).where(subscribers.c.name == name))
    note(connection, actor, "subscriber.remove", name, undelivered=left)
    return left


def undelivered(connection: Connection, subscriber: Subscriber) -> int:
    """Return how many messages wait: deliveries that are not done, and what was not looked through yet."""
    waiting = select(func.count()).where(
        deliveries.c.subscriber == subscriber.name, deliveries.c.status.in_(("pending", "sending", "dead"))
    )
    ahead = select(func.count()).select_from(outbox).where(outbox.c.position > subscriber.position)
    return int(connection.execute(waiting).scalar_one()) + int(connection.execute(ahead).scalar_one())


def from_row(row: Row[Any]) -> Subscriber:
    """Return a row of the table as a subscriber."""
    parts = (text.partition("|") for text in row.secrets.split())
    known = tuple(Secret(secret, dt.datetime.fromisoformat(until) if until else None) for secret, _, until in parts)
    return Subscriber(
        row.name, row.kind, row.address, known, Filters.model_validate_json(row.filters), Settings.model_validate_json(row.settings),
        bool(row.active), row.position, row.created_at,
    )  # fmt: skip


def checked_address(address: str) -> tuple[str, str]:
    """Return kind and address.

    Raises:
        SubscriberError: if it is neither a web address without credentials nor a folder that can be written to.
    """
    if "://" not in address:
        folder = Path(address).expanduser().absolute()
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            msg = f"address: {folder} is not a folder that can be written to"
            raise SubscriberError(msg)
        return FOLDER, str(folder)
    try:
        parts = urlsplit(address)
        bad = not parts.hostname or parts.port == 0
    except ValueError:
        msg = "address: not a web address"
        raise SubscriberError(msg) from None
    # Whatever is wrong, the address is not repeated: it may hold a password.
    if parts.scheme not in ("http", "https") or bad or not address.isprintable() or " " in address or len(address) > 2_000:
        msg = "address: http://HOST… or https://HOST…, or the path of a folder"
        raise SubscriberError(msg)
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        msg = "address: no name and password in it; messages are signed instead"
        raise SubscriberError(msg)
    if parts.fragment:
        msg = "address: what follows # is never sent; leave it out"
        raise SubscriberError(msg)
    return WEBHOOK, address


def is_plain(address: str) -> bool:
    """Return whether messages to a web address could be read on their way."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def shown_address(address: str) -> str:
    """Return an address without its query, which may hold a token."""
    return address.partition("?")[0]


def checked(kind: type[T], values: Mapping[str, Any], what: str) -> T:
    """Return filters or settings.

    Raises:
        SubscriberError: naming the field and the reason.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in found["loc"])
        known = f" (known: {', '.join(kind.model_fields)})" if found["type"] == "extra_forbidden" else ""
        msg = f"{what} {place}: {found['msg']}{known}"
        raise SubscriberError(msg) from None


def pairs(values: Sequence[str], option: str) -> dict[str, Any]:
    """Return `NAME=VALUE` texts as a mapping; values are numbers where they read so.

    Raises:
        SubscriberError: if one has no `=`.
    """
    found: dict[str, Any] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key:
            msg = f"{option} takes NAME=VALUE, not {value[:80]!r}"
            raise SubscriberError(msg)
        try:
            found[key] = orjson.loads(text)
        except orjson.JSONDecodeError:
            found[key] = text
    return found
