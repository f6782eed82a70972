"""Files of many documents, one a row: JSON Lines, JSON arrays, CSV."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from corpora.document_formats.base import DOCUMENT_CHARACTERS, Extract
from corpora.document_formats.web import has_markup, html_text
from corpora.formats import RawTable, UnreadableError
from corpora.formats.base import Block
from corpora.formats.delimited import delimited_tables
from corpora.formats.jsonfiles import json_tables
from corpora.formats.textfiles import is_escaped, recover
from corpora.headers import describe
from corpora.records import Rejection

#: Names of the column with the text, in the order of preference.
BODY = (
    "body",
    "content",
    "text",
    "正文",
    "内容",
    "全文",
    "文件内容",
    "正文内容",
    "政策内容",
    "政策正文",
    "fulltext",
    "full_text",
    "content_text",
    "html",
)
_BLOCK_ROWS = 64


def read_jsonl(path: Path, source: str) -> Iterator[Extract | Rejection]:
    """Read a JSON Lines file or a JSON array of objects."""
    return _read(json_tables(path, source, {}, _BLOCK_ROWS))


def read_csv(path: Path, source: str) -> Iterator[Extract | Rejection]:
    """Read a CSV or TSV file."""
    return _read(delimited_tables(path, source, {}, _BLOCK_ROWS))


def header_key(header: str) -> str:
    """Return a header in the form in which names are compared."""
    return "".join(unicodedata.normalize("NFKC", header).split()).casefold().strip("*:\ufeff")


def _read(tables: Iterator[RawTable]) -> Iterator[Extract | Rejection]:
    for table in tables:
        names = {header_key(header): index for index, header in reversed(list(enumerate(table.header)))}
        body = next((names[name] for name in BODY if name in names), None)
        if body is None:
            reason = f"没有认出正文列（body、content、text 或 正文）；表头为：{describe(table.header)}"
            yield Rejection(table.source, 0, "no_body_column", reason, "")
            continue
        for block in table.blocks:
            yield from _block(table, block, body)


def _block(table: RawTable, block: Block, body: int) -> Iterator[Extract | Rejection]:
    columns = [block.column(index) for index in range(len(table.header))]
    out: list[tuple[int, Extract | Rejection]] = [(rejection.row, rejection) for rejection in block.rejections]
    for index, row in enumerate(block.rows):
        cells = {name: column[index] for name, column in zip(table.header, columns, strict=True)}
        problem = _problem(cells, columns[body][index])
        if problem:
            raw = block.raw(index)
            out.append((row, Rejection(table.source, row, *problem, recover(raw) if is_escaped(raw) else raw)))
            continue
        out.append((row, _extract(table, cells, body, row)))
    for _, item in sorted(out, key=lambda pair: pair[0]):
        yield item


def _problem(cells: Mapping[str, object], body: object) -> tuple[str, str] | None:
    """Return code and reason if a row is no document."""
    if body is None or (isinstance(body, str) and not body.strip()):
        return "missing_body", "正文是空的"
    if not isinstance(body, str):
        return "wrong_type", f"正文不是文字，而是 {type(body).__name__}"
    if len(body) > DOCUMENT_CHARACTERS:
        return "file_too_large", f"正文有 {len(body):,} 字，超过单份文件的上限 {DOCUMENT_CHARACTERS:,} 字"
    if any(isinstance(cell, str) and is_escaped(cell) for cell in cells.values()):
        return "undecodable", "此行不是本文件的编码，一个文件里混有两种编码或字节已损坏"
    if has_markup(body):
        try:
            empty = not html_text(body).strip()
        except UnreadableError:
            empty = True
        if empty:
            return "missing_body", "正文只有网页标记，没有文字"
    return None


def _extract(table: RawTable, cells: Mapping[str, object], body: int, row: int) -> Extract:
    text = str(cells[table.header[body]]).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    fields = {name: _word(value) for index, (name, value) in enumerate(cells.items()) if index != body}
    return Extract(
        html_text(text) if has_markup(text) else text, fields={k: v for k, v in fields.items() if v.strip()}, row=row
    )


def _word(value: object) -> str:
    """Return a cell as text; leading spaces are kept, because a cut date is recognised by them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    return str(value)
