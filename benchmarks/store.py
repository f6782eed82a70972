"""How fast the store writes, saves and forgets: invented suggestions in chunks of 5,000, on SQLite or PostgreSQL.

    python benchmarks/store.py [--rows 100000] [--database sqlite|postgres]

Processor time is this process's own; wall time says little while others use the machine.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "dispatch")]
import postgres  # noqa: E402
import synthetic  # noqa: E402

from dispatch.files import payloads  # noqa: E402
from dispatch.store import Store  # noqa: E402
from dispatch.store.backup import backup  # noqa: E402
from dispatch.store.purge import compact, purge  # noqa: E402

CHUNK = 5_000
WHEN = dt.datetime(2024, 5, 7, 2)


@contextmanager
def timed(name: str, rows: int) -> Iterator[None]:
    """Print how long something took, and how many rows a second that is."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{name:<28} {wall:8.1f} s   {rows / wall:10,.0f} rows/s   processor {processor:7.1f} s   {1e6 * processor / rows:7.1f} µs a row")


def numbered(base: pa.Table, chunk: int, model: str = "") -> pa.Table:
    """Return the same suggestions for other petitions, or for the same ones by another model."""
    for name, text in (("petition_id", f"-{chunk}"), ("suggestion_id", f"-{chunk}{model}")):
        at = base.schema.get_field_index(name)
        base = base.set_column(at, base.schema.field(at), pa.array([value + text for value in base[name].to_pylist()]))
    return base


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    given = parser.parse_args()
    chunks = max(given.rows // CHUNK, 1)
    rows = chunks * CHUNK
    base = synthetic.table(CHUNK)
    lines, sketches = payloads(base), [b"x" * 64] * CHUNK
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        on_server = given.database == "postgres"
        url = postgres.new_database(stack.enter_context(postgres.server())) if on_server else str(folder / "store.sqlite3")
        store = stack.enter_context(Store.open(url))
        store.begin_run("r", inputs_digest="d", model_version="m", config_version="c", started_at=WHEN)
        for name, model in (("new petitions", ""), ("next revisions", "-2")):
            tables = [numbered(base, chunk, model) for chunk in range(chunks)]
            gc.disable()
            with timed(name, rows):
                for table in tables:
                    assert store.write_chunk("r", table, lines, sketches, events_later=True).new_suggestions == CHUNK
            gc.enable()
        with timed("the same again", rows):
            for table in tables:
                assert store.write_chunk("r", table, lines, sketches, events_later=True).unchanged == CHUNK
        with timed("backup", rows):
            size = backup(url, folder / "backup")
        with timed("purge", rows):
            assert purge(store, dt.datetime(2100, 1, 1), actor="bench", also_open=True).removed["petitions"] == rows
        with timed("compact", rows):
            assert compact(store) is None
        print(f"{rows:,} petitions, {2 * rows:,} suggestions; backup {size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
