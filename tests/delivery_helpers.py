"""Stores with messages, and subscribers that wait for them."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

sys.path.append(str(Path(__file__).parent / "dispatch"))  # where pytest has not been yet, if tests of flows run alone

import synthetic

from dispatch.delivery import subscribers
from dispatch.files import payloads
from dispatch.store import Store
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA, suggestion_id

QUICK = {
    "connect_seconds": 1, "read_seconds": 0.3, "total_seconds": 0.5, "base_seconds": 0.02, "cap_seconds": 0.1, "max_attempts": 50,
    "refused_attempts": 50, "gather_seconds": 0,
}  # fmt: skip


def fill(store: Store, count: int, revision: int = 1, **change: Any) -> list[str]:
    """Write suggestions for the first petitions; another revision number gives another text. Return their ids."""
    rows = synthetic.rows(count)
    for row in rows:
        row |= {"body": f"第{revision}次", "content_hash": f"{revision:08d}" + row["content_hash"][8:], **change}
        row["suggestion_id"] = suggestion_id(row["petition_id"], row["content_hash"], row["model_version"], row["config_version"])
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    store.begin_run(f"r{revision}", inputs_digest="d", model_version="m", config_version="c", started_at=dt.datetime(2026, 11, 26))
    store.write_chunk(f"r{revision}", table, payloads(table))
    return [row["suggestion_id"] for row in rows]


def subscribe(store: Store, name: str = "s", address: str = "http://127.0.0.1:1/x", **options: Any) -> str:
    """Add a subscriber that hears everything; return its secret."""
    settings = QUICK | options.pop("settings", {})
    with store.writing() as connection:
        _, secret = subscribers.add(connection, "tester", name, address, settings=settings, **{"from_start": True, **options})
    return secret or ""
