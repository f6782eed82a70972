"""`minqing keys`: who may use the service."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import click

from corpora.workspace import login
from flows.options import JSON, dumped

_BY = click.option("--by", default="", help="Who does it, for the audit trail; the login name by default.")
_SCOPES = ("suggestions:write", "suggestions:read", "petitions:read", "decisions:write", "open311:read", "metrics:read")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class _Span(click.ParamType):
    """A span of time: `90d`, `12h`, `30m`."""

    name = "90d"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.timedelta:  # noqa: ANN401 - click's value
        """Return the span."""
        if isinstance(value, dt.timedelta):
            return value
        match = re.fullmatch(r"(\d{1,5})([mhd])", value.strip())
        if match is None or (match[2] == "d" and int(match[1]) > 36_500):
            self.fail(f"{value!r} is no span of time; write 90d, 12h or 30m", param, ctx)
        return dt.timedelta(**{_UNITS[match[2]]: int(match[1])})


SPAN = _Span()


@click.group()
def keys() -> None:
    """API keys of the service: add, list, rotate, revoke."""


@keys.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(_SCOPES), help="What the key may do (may be repeated).")
@click.option("--expires", "lasts", type=SPAN, help="How long it lasts, like 90d; for ever by default.")
@_BY
@JSON
def add(name: str, scopes: tuple[str, ...], lasts: dt.timedelta | None, by: str, as_json: bool) -> None:
    """Make a key for the system NAME and print it. It is shown this once: only its hash is kept."""
    from dispatch.service import keys as found

    with _opened() as store, store.writing() as connection:
        key, text = found.add(connection, name, scopes, lasts=lasts, by=by or login())
    _told(key, text, as_json)


@keys.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List all keys, newest first, with what they may do and until when."""
    from dispatch.service import keys as found
    from dispatch.store.outbox import now

    with _opened() as store, store.reading() as connection:
        rows = [_plain(key, key.state(now())) for key in found.listed(connection)]
    click.echo(dumped(rows) if as_json else _table(rows))


@keys.command()
@click.argument("which", metavar="NAME|ID")
@click.option("--grace", type=SPAN, default="24h", show_default=True, help="How long the old key goes on; 0m ends it at once.")
@click.option("--expires", "lasts", type=SPAN, help="How long the new key lasts, like 90d; for ever by default.")
@_BY
@JSON
def rotate(which: str, grace: dt.timedelta, lasts: dt.timedelta | None, by: str, as_json: bool) -> None:
    """Make a new key with the name and scopes of an old one, which goes on for a while."""
    from dispatch.service import keys as found

    with _opened() as store, store.writing() as connection:
        key, text = found.rotate(connection, which, grace=grace, lasts=lasts, by=by or login())
    _told(key, text, as_json)


@keys.command()
@click.argument("which", metavar="NAME|ID")
@_BY
def revoke(which: str, by: str) -> None:
    """End a key; running services take it no more after a few seconds."""
    from dispatch.service import keys as found

    with _opened() as store, store.writing() as connection:
        ended = found.revoke(connection, which, by=by or login())
    click.echo("已吊销 revoked: " + ", ".join(f"{key.name} ({key.key_id})" for key in ended))


def _opened() -> Any:  # noqa: ANN401 - the store, imported late
    from corpora.workspace import store_address
    from dispatch.store import Store

    return Store.open(store_address())


def _plain(key: Any, state: str) -> dict[str, Any]:  # noqa: ANN401 - a key
    def told(at: dt.datetime | None) -> str | None:
        return None if at is None else at.isoformat(timespec="seconds") + "Z"

    return {
        "key_id": key.key_id, "name": key.name, "state": state, "scopes": sorted(key.scopes), "created_at": told(key.created_at),
        "expires_at": told(key.expires_at), "revoked_at": told(key.revoked_at),
    }  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "还没有密钥 no keys yet: minqing keys add NAME --scope SCOPE"
    states = {"active": "有效 active", "expired": "过期 expired", "revoked": "吊销 revoked"}
    lines = [
        f"{row['key_id']}  {states[row['state']]:<12} 至 until {row['expires_at'] or '–':<21} {row['name']}：{'、'.join(row['scopes'])}" for row in rows
    ]
    return "\n".join(lines)


def _told(key: Any, text: str, as_json: bool) -> None:  # noqa: ANN401 - a key
    plain = _plain(key, "active")
    if as_json:
        click.echo(dumped(plain | {"key": text}))
        return
    click.echo(text)
    until = f"有效至 until {plain['expires_at']}" if plain["expires_at"] else "长期有效 does not expire"
    click.echo(f"{key.name}（{'、'.join(plain['scopes'])}）{until}；只显示这一次 shown this once", err=True)
