"""File formats petitions come in: each module turns one file into tables of raw cells, in blocks, with row numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from corpora.formats.base import Block, RawTable, UnreadableError
from corpora.formats.delimited import delimited_tables
from corpora.formats.jsonfiles import json_tables
from corpora.formats.parquet import parquet_tables
from corpora.formats.workbooks import workbook_tables

__all__ = ["SUFFIXES", "Block", "RawTable", "UnreadableError", "open_tables"]

_Opener = Callable[[Path, str, Mapping[str, str], int], Iterator[RawTable]]

_OPENERS: dict[str, _Opener] = {
    ".csv": delimited_tables,
    ".tsv": delimited_tables,
    ".tab": delimited_tables,
    ".txt": delimited_tables,
    ".xlsx": workbook_tables,
    ".xlsm": workbook_tables,
    ".xls": workbook_tables,
    ".json": json_tables,
    ".jsonl": json_tables,
    ".ndjson": json_tables,
    ".parquet": parquet_tables,
}

#: Suffixes (lower case) of the files that can be read.
SUFFIXES = frozenset(_OPENERS)


def open_tables(path: Path, source: str, mapping: Mapping[str, str], block_rows: int) -> Iterator[RawTable]:
    """Open the tables of a file: one, or one for each sheet of a workbook.

    Args:
        path: a file with one of `SUFFIXES`.
        source: name under which its rows are reported.
        mapping: field → header as the user gave it; helps to find the header row and the delimiter.
        block_rows: rows of a block at the most.

    Raises:
        UnreadableError: while iterating, if the file cannot be read (any further).
    """
    return _OPENERS[path.suffix.lower()](path, source, mapping, block_rows)
