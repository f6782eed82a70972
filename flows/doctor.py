"""`minqing doctor`: everything that operation depends on, looked at once; each line says how it is and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from corpora.config import Config, load_config
from corpora.workspace import store_address
from dispatch.store import Store, StoreError, schema
from dispatch.store.engine import step

OK, WARN, FAIL = "ok", "warn", "fail"
_LEVELS = (OK, WARN, FAIL)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: how it is, and what to do where it is not well."""

    level: str
    detail: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A finding under the name of its check."""

    check: str
    title: str
    level: str
    detail: str
    advice: str


@dataclass
class Surroundings:
    """What the checks look at; what several of them need is opened once.

    Attributes:
        service: address of the running service, or "".
    """

    units: Path | None = None
    places: Path | None = None
    config: Path | None = None
    service: str = ""
    now: dt.datetime = field(default_factory=dt.datetime.now)

    @cached_property
    def settings(self) -> Config:
        """Return the configuration.

        Raises:
            corpora.config.ConfigError: if it is wrong.
        """
        return load_config(self.config)

    @cached_property
    def store(self) -> Store | None:
        """Return the store, if it can be opened and has the shape that this program needs; nothing is made or changed."""
        with suppress(StoreError):  # its own check tells why
            if step(store_address()) == schema.HEAD:
                return Store.open(store_address())
        return None


Check = Callable[[Surroundings], "Finding | list[Finding]"]


def checks() -> Iterator[tuple[str, str, Check]]:
    """Yield every check with its name and title, in the order in which they are told."""
    from flows import health, health_outside, health_store

    for module in (health, health_store, health_outside):
        yield from module.CHECKS


def examine(around: Surroundings, chosen: Iterable[tuple[str, str, Check]] | None = None) -> list[Line]:
    """Run all checks; one that breaks is a line that fails, and the others go on."""
    lines = []
    for name, title, check in chosen or checks():
        try:
            found = check(around)
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            found = Finding(FAIL, said, "按所述原因处理 put right what it says")
        for item in found if isinstance(found, list) else [found]:
            lines.append(Line(name, title, item.level, item.detail, item.advice))
    if around.store is not None:
        around.store.close()
    return lines


def worst(lines: list[Line]) -> str:
    """Return the gravest level."""
    return max((line.level for line in lines), key=_LEVELS.index, default=OK)
