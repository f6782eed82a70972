"""Petitions from the files a city exports: CSV, Excel, JSON and Parquet, as they are, with every row accounted for.

    for chunk in read_petitions([Path("exports/")], mapping={"body": "信件内容"}):
        ...                      # chunk.table: PETITION_SCHEMA; chunk.rejections: what was not taken, and why

Rows of the tables and rejections add up to the rows of the files (blank rows do not count; a rejection with row 0
stands for a whole file). A file that cannot be read never stops the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from corpora.dates import last_year
from corpora.formats import SUFFIXES, RawTable, UnreadableError, open_tables
from corpora.headers import FIELDS, MappingError, check_mapping, describe, match_headers, missing_headers
from corpora.records import PETITION_SCHEMA, Rejection
from corpora.rows import Converter
from corpora.seen import SeenIds
from corpora.source_files import ReadError, SourceFile, expand

__all__ = ["Chunk", "ReadError", "read_petitions", "source_files"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A batch (`PETITION_SCHEMA`) of one file's petitions and the rows between them that are none."""

    table: pa.Table
    rejections: list[Rejection]


def read_petitions(
    paths: Sequence[Path],
    *,
    mapping: Mapping[str, str] | None = None,
    chunk_rows: int = 4096,
    required: Sequence[str] = ("body",),
) -> Iterator[Chunk]:
    """Read petitions from files and folders.

    Memory stays flat for CSV, JSON Lines and Parquet whatever their length (24 bytes a row for finding duplicates); an
    Excel workbook and a JSON array are held as a whole while they are read.

    Args:
        paths: files, or folders that are searched for files.
        mapping: field → header, for headers that are not recognised; wins over recognition. Levels of an issue type may
            be given as `一级+二级+三级`.
        chunk_rows: rows of a chunk at the most; chunks do not span files.
        required: fields whose column must exist and whose cells must not be empty.

    Returns:
        Chunks, in the order of the files and rows; none for a file with a header alone.

    Raises:
        ReadError: at once, if a path does not exist, the mapping is wrong or names a column that no file has,
            `required` names no field, or `chunk_rows` is not positive.
    """
    mapping = dict(mapping or {})
    if chunk_rows < 1:
        msg = f"chunk_rows must be at least 1, not {chunk_rows}"
        raise ReadError(msg)
    for field in required:
        if field not in FIELDS:
            msg = f"required: there is no field {field!r}; the fields are {', '.join(FIELDS)}"
            raise ReadError(msg)
    try:
        check_mapping(mapping)
    except MappingError as error:
        raise ReadError(str(error)) from error
    files, rejections = expand(paths, SUFFIXES)
    if mapping:
        _check_columns(files, mapping)
    return _chunks(files, rejections, mapping, chunk_rows, frozenset(required))


def source_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that `read_petitions` would read, folders expanded (sorted, hidden and lock files left out).

    Raises:
        ReadError: if a path does not exist, or none is given.
    """
    return [file.path for file in expand(paths, SUFFIXES)[0]]


def _check_columns(files: Sequence[SourceFile], mapping: Mapping[str, str]) -> None:
    """Raise ReadError if the mapping names a column that no readable file has."""
    absent = dict(mapping)
    seen: list[str] = []
    for file in files:
        try:
            for table in open_tables(file.path, file.source, mapping, 1):
                absent = missing_headers(table.header, absent)
                if not absent:
                    return
                seen.append(f"{table.source}: {describe(table.header)}")
        except (UnreadableError, OSError):
            # Reported as a rejection when its turn to be read comes.
            continue
    if absent and seen:
        wanted = ", ".join(f"{field}={header}" for field, header in absent.items())
        msg = f"mapping {wanted}: no file has such a column; the columns are {'; '.join(seen[:5])}"
        raise ReadError(msg)


def _chunks(
    files: Sequence[SourceFile],
    rejections: list[Rejection],
    mapping: Mapping[str, str],
    chunk_rows: int,
    required: frozenset[str],
) -> Iterator[Chunk]:
    if rejections:
        yield Chunk(PETITION_SCHEMA.empty_table(), rejections)
    seen = SeenIds()
    latest = last_year()
    names: list[str] = []
    for file in files:
        try:
            for table in open_tables(file.path, file.source, mapping, chunk_rows):
                plan = match_headers(table.header, mapping)
                names.append(table.source)
                rejection = _missing_column(table, mapping, required)
                if rejection is not None:
                    yield Chunk(PETITION_SCHEMA.empty_table(), [rejection])
                    continue
                converter = Converter(table, plan, required, latest, seen, len(names) - 1, names)
                for block in table.blocks:
                    yield Chunk(*converter.convert(block))
        except UnreadableError as error:
            yield _whole_file(file.source, error.code, error.reason, error.raw)
        except OSError as error:
            yield _whole_file(file.source, "unreadable", f"文件无法打开：{error.strerror or type(error).__name__}")


def _whole_file(source: str, code: str, reason: str, raw: str = "") -> Chunk:
    return Chunk(PETITION_SCHEMA.empty_table(), [Rejection(source, 0, code, reason, raw)])


def _missing_column(table: RawTable, mapping: Mapping[str, str], required: frozenset[str]) -> Rejection | None:
    """Return the rejection of a table without a column for a required field."""
    plan = match_headers(table.header, mapping)
    for field in FIELDS:
        if field in required and field not in plan:
            wanted = f"没有映射的列“{mapping[field]}”" if field in mapping else "没有认出这一列"
            reason = f"{wanted}（{field}）；表头为：{describe(table.header)}；请用 --map {field}=列名 指定"
            return Rejection(table.source, 0, f"no_{field}_column", reason, "")
    return None
