"""Parquet, streamed by batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.formats.base import RawTable, UnreadableError, raw_json
from corpora.records import Rejection


@dataclass(frozen=True, slots=True)
class _BatchBlock:
    """A record batch; cells are made into Python objects only for the columns asked for."""

    batch: pa.RecordBatch
    rows: Sequence[int]
    rejections: list[Rejection] = field(default_factory=list)

    def column(self, index: int) -> list[object]:
        """Return the cells of one column."""
        cells: list[object] = _to_python(self.batch.column(index))
        return cells

    def raw(self, index: int) -> str:
        """Return the row as a JSON object."""
        names = self.batch.schema.names
        return raw_json({names[i]: _to_python(self.batch.column(i).slice(index, 1))[0] for i in range(len(names))})


def _to_python(column: pa.Array) -> list[object]:
    if pa.types.is_timestamp(column.type):
        # Nanoseconds have no Python type without pandas, and nobody files by the microsecond.
        column = column.cast(pa.timestamp("s", tz=column.type.tz), safe=False)
    try:
        cells: list[object] = column.to_pylist()
    except (UnicodeDecodeError, ValueError, OverflowError):
        cells = []
        for scalar in column:
            try:
                cells.append(scalar.as_py())
            except (UnicodeDecodeError, ValueError, OverflowError):
                cells.append(b"\xff")
    return cells


def parquet_tables(path: Path, source: str, mapping: Mapping[str, str], block_rows: int) -> Iterator[RawTable]:
    """Open a Parquet file; see `corpora.formats.open_tables`. Rows count from 1."""
    del mapping
    if path.stat().st_size == 0:
        raise UnreadableError("file_empty", "文件是空的")
    try:
        with pq.ParquetFile(path) as file:
            yield RawTable(source, tuple(file.schema_arrow.names), _blocks(file, block_rows))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableError("not_parquet", "文件不是完好的 Parquet 文件") from error


def _blocks(file: pq.ParquetFile, block_rows: int) -> Iterator[_BatchBlock]:
    row = 1
    try:
        for batch in file.iter_batches(batch_size=block_rows, use_threads=False):
            yield _BatchBlock(batch, range(row, row + batch.num_rows))
            row += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError("not_parquet", f"Parquet 文件在第{row}行之后损坏") from error
