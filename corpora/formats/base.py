"""What every file format gives: tables of raw cells in blocks of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from corpora.dates import Numbers
from corpora.headers import header_score
from corpora.records import Rejection

#: Characters of a rejected row that are kept; the rest of a runaway row helps nobody and would fill the memory.
RAW_LIMIT = 8_000

#: Characters after which a block is closed although it could hold more rows: keeps memory flat with long texts.
BLOCK_CHARACTERS = 16_000_000

#: Rows above the header (blank ones, a merged title, 制表单位 …) that are looked through for it.
HEADER_DEPTH = 20


class UnreadableError(Exception):
    """A file, or what is left of it, cannot be read; becomes a rejection with row 0 (`code`, `reason`, `raw`)."""

    def __init__(self, code: str, reason: str, raw: str = "") -> None:
        """Keep the parts of the rejection."""
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.raw = raw


class Block(Protocol):
    """Some rows of a table; `rows` are their numbers in the file, `rejections` what was lost between them."""

    @property
    def rows(self) -> Sequence[int]:
        """Row numbers, ascending."""

    @property
    def rejections(self) -> list[Rejection]:
        """Rows of this stretch that have no cells."""

    def column(self, index: int) -> Sequence[object]:
        """Return the cells of the column with this index into the header."""

    def raw(self, index: int) -> str:
        """Return the content of the row with this index into `rows`, cut at `RAW_LIMIT`."""


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as it stands in the file: `plain`: every cell is a str; `numbers`: what a number means as a time."""

    source: str
    header: tuple[str, ...]
    blocks: Iterator[Block]
    plain: bool = False
    numbers: Numbers = "epoch"


@dataclass(frozen=True, slots=True)
class CellBlock:
    """Rows as sequences of cells, each at least as wide as the header."""

    header: tuple[str, ...]
    rows: list[int]
    cells: list[Sequence[object]]
    rejections: list[Rejection] = field(default_factory=list)

    def column(self, index: int) -> list[object]:
        """Return the cells of one column."""
        return [cells[index] for cells in self.cells]

    def raw(self, index: int) -> str:
        """Return the row as a JSON object."""
        return raw_json(dict(zip(self.header, self.cells[index], strict=False)))


@dataclass(frozen=True, slots=True)
class RecordBlock:
    """Rows as mappings from header to value."""

    header: tuple[str, ...]
    rows: list[int]
    records: list[Mapping[str, object]]
    rejections: list[Rejection] = field(default_factory=list)

    def column(self, index: int) -> list[object]:
        """Return the values under one header, None where a record has none."""
        key = self.header[index]
        return [record.get(key) for record in self.records]

    def raw(self, index: int) -> str:
        """Return the row as a JSON object."""
        return raw_json(self.records[index])


def raw_json(record: Mapping[str, object]) -> str:
    """Write a row as a JSON object with its own text, cut at `RAW_LIMIT`."""
    # Cells are cut before they are written: a cell of a gigabyte should not be copied to be thrown away.
    cut = {key: value[:RAW_LIMIT] if isinstance(value, str) else value for key, value in record.items()}
    return clip(json.dumps(cut, ensure_ascii=False, default=str))


def clip(text: str) -> str:
    """Cut `text` at `RAW_LIMIT` and make it encodable: undecodable bytes that were smuggled through become �."""
    text = text[:RAW_LIMIT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8", "replace")


def find_header(rows: Sequence[Sequence[str]], mapping: Mapping[str, str]) -> int | None:
    """Return the index of the header row: the first that fills two fields, else one that fills one, else the first.

    `rows` are the first rows of the file; blank ones are passed over. None if all of them are blank.
    """
    best, best_score, first = None, 0, None
    for index, cells in enumerate(rows[:HEADER_DEPTH]):
        if not any(cell.strip() for cell in cells):
            continue
        first = index if first is None else first
        score = header_score(cells, mapping)
        if score >= 2:
            return index
        if score > best_score:
            best, best_score = index, score
    return first if best is None else best


def trim_header(cells: Sequence[str]) -> tuple[str, ...]:
    """Return header cells stripped, without the empty ones at the end."""
    header = [" ".join(clip(cell).replace("\ufeff", "").split()) for cell in cells]
    while header and not header[-1]:
        header.pop()
    return tuple(header)
