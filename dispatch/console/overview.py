"""How things stand: models in service, the last watch, runs, and what has not reached its receivers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from corpora.workspace import models_dir
from dispatch.console.files import Report, newest
from dispatch.delivery.letters import backlog
from dispatch.service.context import Service
from dispatch.store.outbox import now
from dispatch.store.tables import runs

_RUNS = 6
#: Bytes of a log that are read from its end.
_TAIL = 1 << 20


@dataclass(frozen=True, slots=True)
class Model:
    """A model in service; `since` is when it was promoted, "" where unknown."""

    target: str
    version: str
    since: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """A subscriber: messages it has not got, the oldest's age in minutes, and dead letters."""

    name: str
    active: bool
    waiting: int
    minutes: int
    dead: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it; `error` says why nothing newer serves, `watch` is the last line of the watch's history, None where it never ran."""

    at: dt.datetime
    models: Sequence[Model]
    config: str
    error: str
    watch: Mapping[str, Any] | None
    runs: Sequence[Row[Any]]
    receivers: Sequence[Receiver]
    reports: Sequence[Report]


def overview(service: Service, today: dt.date) -> Overview:
    """Return how things stand on a day."""
    with service.store.reading() as connection:
        last = connection.execute(select(runs).order_by(runs.c.started_at.desc()).limit(_RUNS)).all()
        receivers = _receivers(connection)
    return Overview(
        dt.datetime.now(), _models(service.scorer.model_version), service.scorer.config_version, _error(service),
        _last_line(service.watch_history) if service.watch_history else None, last, receivers, newest(service.settings.reports),
    )  # fmt: skip


def _error(service: Service) -> str:
    status = getattr(service.scorer, "status", None)  # what changes its models while it runs has one
    return str(getattr(status(), "error", "")) if status else ""


def _models(version: str) -> list[Model]:
    found = []
    for target, name in zip(("issue_type", "unit"), version.split("+"), strict=False):
        plain = name.partition("@")[0]
        line = _last_line(models_dir() / target / "history.jsonl", plain)
        found.append(Model(target, plain, str(line.get("at", ""))[:16].replace("T", " ") if line else ""))
    return found


def _last_line(path: Path, version: str = "") -> Mapping[str, Any] | None:
    """Return the last whole line of a log, of a version where one is given; None where there is none that can be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return None
    for line in reversed(lines):
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(found, dict) and (not version or found.get("version") == version):
            return found
    return None


def _receivers(connection: Connection) -> list[Receiver]:
    found = []
    for item in backlog(connection):
        minutes = int((now() - item.waiting_since).total_seconds() // 60) if item.waiting_since else 0
        found.append(Receiver(item.subscriber.name, item.subscriber.active, item.unseen + item.waiting, minutes, item.dead))
    return found
