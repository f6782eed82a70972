"""CSV and its kin (comma, tab, semicolon, bar), streamed."""

from __future__ import annotations

import csv
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from corpora.formats.base import (
    BLOCK_CHARACTERS,
    HEADER_DEPTH,
    RAW_LIMIT,
    CellBlock,
    RawTable,
    UnreadableError,
    clip,
    find_header,
    trim_header,
)
from corpora.formats.textfiles import TextFile, is_escaped, recover
from corpora.headers import header_score
from corpora.records import Rejection

_DELIMITERS = (",", "\t", ";", "|")

#: A record longer than this was opened by a stray quotation mark: its first line is rejected, reading goes on after it.
_RECORD_CHARACTERS = 4_000_000
#: The csv module's own limit is 131,072 and the same for the whole process; above this a record has been cut already.
_FIELD_CHARACTERS = 64_000_000


class _UnclosedQuoteError(Exception):
    """The record in hand does not end."""


class _Feed:
    """Lines for a csv reader; remembers those of the record in hand so that they can be read again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.pending: list[str] = []
        self.characters = 0
        self._mark = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        pending = self.pending
        if not pending:
            self._mark = self.characters
        elif self.characters - self._mark > _RECORD_CHARACTERS:
            raise _UnclosedQuoteError
        if self._again:
            line = self._again.popleft()
        else:
            try:
                line = next(self._lines)
            except StopIteration:
                if pending:
                    raise _UnclosedQuoteError from None
                raise
        pending.append(line)
        self.characters += len(line)
        return line

    def rewind(self) -> str:
        """Take back the record in hand but for its first line, which is returned."""
        first, *rest = self.pending
        self._again.extendleft(reversed(rest))
        self.pending.clear()
        return first


def delimited_tables(path: Path, source: str, mapping: Mapping[str, str], block_rows: int) -> Iterator[RawTable]:
    """Open a delimited text file; see `corpora.formats.open_tables`."""
    csv.field_size_limit(max(csv.field_size_limit(), _FIELD_CHARACTERS))
    file = TextFile(path)
    lines = file.lines()
    sample = list(itertools.islice(lines, HEADER_DEPTH * 3))
    delimiter = _sniff_delimiter(sample, mapping, prefer="\t" if path.suffix.lower() in (".tsv", ".tab") else ",")
    feed = _Feed(itertools.chain(sample, lines))
    records = _records(feed, delimiter)
    head: list[list[str] | str] = list(itertools.islice(records, HEADER_DEPTH))
    index = find_header([cells if isinstance(cells, list) else [] for cells in head], mapping)
    if index is None:
        if not any(isinstance(cells, str) for cells in head) and not any(True for cells in records if any(cells)):
            raise UnreadableError("file_empty", "文件没有内容")
        raise UnreadableError("no_header", f"前{HEADER_DEPTH}行没有表头")
    cells = head[index]
    header = trim_header(cells if isinstance(cells, list) else [])
    numbered = enumerate(itertools.chain(head[index + 1 :], records), start=index + 2)
    yield RawTable(source, header, _blocks(numbered, feed, file, source, header, block_rows), plain=True)


def _records(feed: _Feed, delimiter: str) -> Iterator[list[str] | str]:
    """Yield records as lists of cells, and as bare text a line that opens a quotation nobody closes."""
    pending = feed.pending
    while True:
        # Strict, because a leniently read stray quotation mark can weld two petitions into one regular row.
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        try:
            for record in reader:
                yield record
                pending.clear()
            return
        except _UnclosedQuoteError:
            yield feed.rewind()
        except csv.Error:
            first = feed.rewind()
            yield _lenient(first, delimiter) or first


def _lenient(line: str, delimiter: str) -> list[str] | None:
    """Read a line with quotation marks that were not doubled ("他说"好""); None if it does not end on the line."""
    ended = True

    def one() -> Iterator[str]:
        nonlocal ended
        yield line
        ended = False

    try:
        record = next(csv.reader(one(), delimiter=delimiter))
    except csv.Error:
        return None
    return record if ended else None


def _blocks(
    numbered: Iterator[tuple[int, list[str] | str]],
    feed: _Feed,
    file: TextFile,
    source: str,
    header: tuple[str, ...],
    block_rows: int,
) -> Iterator[CellBlock]:
    width = len(header)
    block = CellBlock(header, [], [])
    start, room = feed.characters, block_rows
    for row, record in numbered:
        room -= 1
        if type(record) is list and len(record) == width and not file.escaped and record[0].strip():
            block.rows.append(row)
            block.cells.append(record)
        else:
            rejection = _check(row, record, file, source, width)
            if rejection is not None:
                block.rejections.append(rejection)
            elif any(map(str.strip, record)):
                block.rows.append(row)
                block.cells.append(record)
        # Blank rows take room as well; the block may then be a little short, or empty and not worth giving.
        if room <= 0 or feed.characters - start > BLOCK_CHARACTERS:
            if block.rows or block.rejections:
                yield block
            block = CellBlock(header, [], [])
            start, room = feed.characters, block_rows
    if block.rows or block.rejections:
        yield block


def _check(row: int, record: Sequence[str], file: TextFile, source: str, width: int) -> Rejection | None:
    """Return why a record is no row of the table, or None if it is one or is blank."""
    if isinstance(record, str):
        raw = recover(record) if is_escaped(record) else clip(record)
        reason = "引号没有配对，此行无法拆分；已从下一行继续读取"
        return Rejection(source, row, "unclosed_quote", reason, raw.rstrip("\r\n"))
    if file.escaped and any(map(is_escaped, record)):
        wanted = {"utf-8": "UTF-8", "gb18030": "GB18030"}.get(file.encoding, "UTF-16")
        reason = f"此行不是本文件的编码（{wanted}），一个文件里混有两种编码或字节已损坏"
        return Rejection(source, row, "undecodable", reason, recover(",".join(record)))
    used = len(record)
    while used and not record[used - 1].strip():
        used -= 1
    if used and (len(record) < width or used > width):
        reason = f"列数与表头不符：表头{width}列，此行{len(record)}列"
        return Rejection(source, row, "ragged_row", reason, clip(_write(record)))
    return None


def _write(record: Iterable[str]) -> str:
    return ",".join(
        '"' + cell.replace('"', '""') + '"' if set(cell) & {",", '"', "\n", "\r"} else cell
        for cell in (cell[:RAW_LIMIT] for cell in record)
    )


def _sniff_delimiter(sample: Sequence[str], mapping: Mapping[str, str], prefer: str) -> str:
    """Choose the delimiter whose header row fills most fields; then the one with most rows of the header's width."""

    def merit(delimiter: str) -> tuple[int, int, bool, int]:
        try:
            records = list(csv.reader(sample, delimiter=delimiter))[:HEADER_DEPTH]
        except csv.Error:
            return (0, 0, False, 0)
        index = find_header(records, mapping)
        if index is None:
            return (0, 0, False, 0)
        width = len(records[index])
        regular = sum(len(record) == width for record in records) if width > 1 else 0
        return (header_score(records[index], mapping), regular, delimiter == prefer, width)

    return max(_DELIMITERS, key=merit)
