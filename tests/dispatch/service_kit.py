"""A service for tests: the small trained models behind it or a stand-in, a client with a key, a server on a real socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import func, select
from starlette.testclient import TestClient

from dispatch.scoring import ScoredBatch, Scorer, UnitChoice
from dispatch.service import Service, ServiceSettings, create_app, keys
from dispatch.service.server import Address, bound, configured
from dispatch.store import Store
from dispatch.store.tables import metadata

CITY = Path(__file__).parents[2] / "corpora" / "data" / "cities" / "langang"
ALL = tuple(keys.SCOPES)
PETITION = {"petition_id": "A1", "title": "烧烤摊油烟", "body": "小区楼下烧烤摊油烟扰民，夜里睡不着", "submitted_at": "2026-11-16T20:30:00"}


class Nobody:
    """A scorer that knows no unit, for tests that never score."""

    model_version, config_version = "m", "c"

    def score(self, petitions: Any, hashes: Sequence[str] | None = None) -> ScoredBatch:
        raise RuntimeError("电话13800138000 must not be logged")

    def units(self) -> Sequence[UnitChoice]:
        return []

    def resolve(self, name: str) -> str | None:
        return None

    def issue_name(self, code: str) -> str:
        return code


@cache
def trained(models: Path) -> Scorer:
    """Return a scorer over the small trained models, loaded once."""
    from flows.scoring import LiveScorer

    return LiveScorer(CITY / "units.yaml", models=models)


def new_key(store: Store, *scopes: str, name: str = "dispatch", **more: Any) -> str:
    with store.writing() as connection:
        return keys.add(connection, name, scopes or ALL, by="test", **more)[1]


@contextmanager
def client(
    url: str, scorer: Any = None, *, scopes: Sequence[str] = ALL, host: str = "203.0.113.5", store: Store | None = None, **settings: Any
) -> Iterator[TestClient]:
    """Give a client of a running application, with a key; `.service` is its service and `.text` its key."""
    with store or Store.open(url) as opened:
        service = Service(opened, scorer or Nobody(), ServiceSettings(**settings))
        text = new_key(opened, *scopes)
        app = create_app(service)
        with TestClient(app, headers={"Authorization": f"Bearer {text}"}, client=(host, 50_000)) as found:
            found.service, found.text = service, text  # type: ignore[attr-defined]
            yield found


@contextmanager
def listening(service: Service, address: Address | None = None) -> Iterator[tuple[str, int]]:
    """Serve on a real socket; give host and port."""
    address = address or Address(port=0)
    sock = bound(address)
    server = uvicorn.Server(configured(service, address))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield sock.getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join(30)


def rows(store: Store) -> dict[str, int]:
    """Return the number of rows of each table but the keys' and the audit trail's."""
    with store.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if table.name not in ("api_keys", "audit", "counters")
        }
