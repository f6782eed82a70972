"""Chunks in the spool: Arrow files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

#: Column of a scored chunk with the sketch of each petition, by which events are found.
SKETCH = "sketch"


def save(table: pa.Table, path: Path) -> None:
    """Write a chunk; it is there whole or not at all."""
    draft = path.with_suffix(".part")
    with pa.OSFile(str(draft), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    draft.replace(path)


def load(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Return a chunk, or some columns of it."""
    with pa.memory_map(str(path)) as file:
        table = pa.ipc.open_file(file).read_all()
    return table.select(columns) if columns else table


def rows(path: Path) -> int:
    """Return how many rows a chunk has."""
    with pa.memory_map(str(path)) as file:
        reader = pa.ipc.open_file(file)
        return sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))


def replace(path: Path, text: str) -> None:
    """Write a text file; it is there whole or not at all."""
    draft = path.with_suffix(path.suffix + ".part")
    with draft.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        file.write(text)
    draft.replace(path)
