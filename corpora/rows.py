"""From raw cells to petitions: a block of a table becomes a batch and the rejections of the rows that are no petition.

Checks run a column at a time; only rows that fail one are looked at alone. A row keeps the first reason found.
"""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import xxhash

from corpora.dates import parse_times
from corpora.formats import Block, RawTable
from corpora.formats.textfiles import is_escaped, recover
from corpora.headers import Plan
from corpora.records import PETITION_SCHEMA, Rejection
from corpora.seen import SeenIds

#: Characters of a body or of any other cell at the most; the longest real letters have some 10,000.
MAX_TEXT = 100_000
MAX_ID = 80
#: A title of at least this many characters stands in for an empty body: many one-line messages are filed so.
TITLE_AS_BODY = 10
#: A cell with control characters beyond this share is no text.
_BINARY_SHARE = 20

#: Whole numbers beyond this are not exact as the 64-bit floats that Excel (and JSON beyond 64 bits) keeps them in.
_EXACT = 2**53

_ID = re.compile(r"[^\s\x00-\x1f\x7f]{1,80}")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_SEPARATORS = re.compile(r"[;；、,，|\n]")
_TEXT_FIELDS = ("title", "body", "address", "channel", "issue_type", "unit")
_NAMES = {
    "petition_id": "编号",
    "title": "标题",
    "body": "正文",
    "submitted_at": "时间",
    "address": "地址",
    "channel": "渠道",
    "issue_type": "问题类型",
    "unit": "单位",
    "refused_units": "退单单位",
}

_Reasons = dict[int, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Converter:
    """Turns the blocks of one table into batches.

    `names` are the sources of the call by file index, to name the first of two duplicates.
    """

    table: RawTable
    plan: Plan
    required: frozenset[str]
    latest_year: int
    seen: SeenIds
    file: int
    names: Sequence[str]

    def convert(self, block: Block) -> tuple[pa.Table, list[Rejection]]:
        """Return the petitions of a block and every row of it that is none, in row order."""
        bad: _Reasons = {}
        n = len(block.rows)
        texts = {field: self._texts(block, field, bad) for field in _TEXT_FIELDS}
        body, title = texts["body"], texts["title"]
        if "" in body:
            body = texts["body"] = [
                text or (head if len(head) >= TITLE_AS_BODY else "") for text, head in zip(body, title, strict=True)
            ]
        times = self._times(block, bad)
        ids = self._ids(block, texts, times, bad)
        for field in _TEXT_FIELDS:
            if field in self.required and "" in texts[field]:
                for index, text in enumerate(texts[field]):
                    if not text:
                        bad.setdefault(index, (f"missing_{field}", f"{_NAMES[field]}为空"))
        refused = self._refused(block, bad)
        columns: dict[str, pa.Array] = {
            "petition_id": pa.array(ids, pa.string()),
            "submitted_at": times,
            "refused_units": pa.array(refused, pa.list_(pa.string())),
            "source": pa.repeat(pa.scalar(self.table.source), n),
            "row": pa.array(block.rows, pa.int64()),
        }
        for field in _TEXT_FIELDS:
            present = field in self.plan
            columns[field] = pa.array(texts[field], pa.string()) if present else pa.repeat(pa.scalar(""), n)
        for field in _TEXT_FIELDS:
            if field in self.plan and _has_control(columns[field]):
                for index, text in enumerate(texts[field]):
                    if is_binary(text):
                        bad.setdefault(index, ("nul_byte", f"{_NAMES[field]}里有 NUL 或其他控制字符，不是文字"))
        self._duplicates(block, ids, texts, columns["submitted_at"], bad)
        table = pa.table([columns[name] for name in PETITION_SCHEMA.names], schema=PETITION_SCHEMA)
        if not bad:
            return table, list(block.rejections)
        keep = np.ones(n, dtype=np.bool_)
        keep[list(bad)] = False
        rejections = [
            Rejection(self.table.source, block.rows[index], code, reason, raw_content(block, index))
            for index, (code, reason) in bad.items()
        ]
        rejections += block.rejections
        return table.filter(pa.array(keep)), sorted(rejections, key=lambda rejection: rejection.row)

    def _texts(self, block: Block, field: str, bad: _Reasons) -> list[str]:
        """Return one field's text, stripped; "" where there is none and where it had to be refused."""
        indices = self.plan.columns.get(field, ())
        if not indices:
            return [""] * len(block.rows)
        columns = [self._column(block, index, field, bad) for index in indices]
        texts = columns[0]
        if len(columns) > 1:
            texts = ["/".join(filter(None, parts)) for parts in zip(*columns, strict=True)]
        if max(map(len, texts), default=0) > MAX_TEXT:
            for index, text in enumerate(texts):
                if len(text) > MAX_TEXT:
                    code = "body_too_long" if field == "body" else "text_too_long"
                    reason = f"{_NAMES[field]}有{len(text):,}个字符，超过上限{MAX_TEXT:,}"
                    bad.setdefault(index, (code, reason))
                    texts[index] = ""
        return texts

    def _column(self, block: Block, index: int, field: str, bad: _Reasons) -> list[str]:
        cells = block.column(index)
        if self.table.plain:
            return [cell.strip() for cell in cells]  # type: ignore[attr-defined]
        texts = []
        for at, cell in enumerate(cells):
            text = as_text(cell, field)
            if text is None:
                bad.setdefault(at, ("wrong_type", f"{_NAMES[field]}应当是文字，这里是{type(cell).__name__}"))
                text = ""
            elif is_escaped(text):
                bad.setdefault(at, ("undecodable", f"{_NAMES[field]}里有无法解码的字符"))
                text = ""
            texts.append(text)
        return texts

    def _times(self, block: Block, bad: _Reasons) -> pa.Array:
        """Return the column of times; a time that cannot be read is a reason, an empty one is null."""
        if "submitted_at" not in self.plan:
            return pa.nulls(len(block.rows), pa.timestamp("s"))
        cells = block.column(self.plan.columns["submitted_at"][0])
        cells = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
        times = parse_times(cells, numbers=self.table.numbers, latest=self.latest_year)
        for index in times.bad:
            bad.setdefault(index, ("bad_date", "时间无法识别，或不是可能的日期"))
        if "submitted_at" in self.required:
            for index in np.flatnonzero(~times.present).tolist():
                bad.setdefault(index, ("missing_submitted_at", "时间为空"))
        return pa.array(times.seconds, pa.int64(), mask=~times.present).cast(pa.timestamp("s"))

    def _ids(self, block: Block, texts: dict[str, list[str]], times: pa.Array, bad: _Reasons) -> list[str]:
        """Return the identifiers; without such a column, `h` and 16 hex digits of a hash of title, body and time."""
        if "petition_id" not in self.plan:
            seconds = times.cast(pa.int64()).to_pylist()
            parts = zip(texts["title"], texts["body"], seconds, strict=True)
            contents = [f"{title}\x1f{body}\x1f{time}" for title, body, time in parts]
            return ["h" + xxhash.xxh3_64_hexdigest(content.encode()) for content in contents]
        cells = block.column(self.plan.columns["petition_id"][0])
        if not self.table.plain:
            cells = [self._id_text(index, cell, bad) for index, cell in enumerate(cells)]
        ids = [str(cell).strip() for cell in cells]
        if not all(map(str.isascii, ids)):
            # Full-width digits: the same number typed with another keyboard.
            ids = [text if text.isascii() else _clean_id(text) for text in ids]
        if all(map(_ID.fullmatch, ids)) and not any(text[0] in "='" or "+" in text for text in ids):
            return ids
        # ="00123" and '00123 keep Excel from turning a number into something else.
        ids = [text.lstrip("='").strip('"') if text[:1] in ("=", "'") else text for text in ids]
        for index, text in enumerate(ids):
            if index in bad and not text:
                continue
            if not text:
                bad.setdefault(index, ("missing_id", "编号为空"))
            elif len(text) > MAX_ID:
                bad.setdefault(index, ("bad_id", f"编号有{len(text)}个字符，超过{MAX_ID}"))
            elif not _ID.fullmatch(text):
                bad.setdefault(index, ("bad_id", "编号里有空格或控制字符"))
            elif _SCIENTIFIC.fullmatch(text):
                bad.setdefault(index, ("bad_id", "编号被改成了科学计数法，位数已丢失；请把该列设为文本后重新导出"))
            else:
                continue
            ids[index] = ""
        return ids

    def _id_text(self, index: int, cell: object, bad: _Reasons) -> str:
        if isinstance(cell, float) and abs(cell) >= _EXACT:
            bad.setdefault(index, ("bad_id", "编号是过长的数字，末几位已丢失；请把编号保存为文本"))
            return ""
        text = as_text(cell, "petition_id")
        if text is None:
            bad.setdefault(index, ("wrong_type", f"编号应当是文字或整数，这里是{type(cell).__name__}"))
            return ""
        if is_escaped(text):
            bad.setdefault(index, ("undecodable", "编号里有无法解码的字符"))
            return ""
        return text

    def _refused(self, block: Block, bad: _Reasons) -> list[list[str]]:
        """Return the units that sent each petition back: a list in JSON and Parquet, separated text elsewhere."""
        if "refused_units" not in self.plan:
            return [[]] * len(block.rows)
        units: list[list[str]] = []
        for index, cell in enumerate(block.column(self.plan.columns["refused_units"][0])):
            parts = cell if isinstance(cell, list) else [cell]
            names = [as_text(part, "refused_units") for part in parts]
            if any(name is None or is_escaped(name) for name in names):
                bad.setdefault(index, ("wrong_type", "退单单位应当是文字或文字的列表"))
                names = []
            found = (part.strip() for name in names if name for part in _SEPARATORS.split(name))
            units.append(list(dict.fromkeys(filter(None, found))))
        return units

    def _duplicates(
        self, block: Block, ids: list[str], texts: dict[str, list[str]], times: pa.Array, bad: _Reasons
    ) -> None:
        """Record the rows that are good so far and give those seen before as duplicates."""
        good = [index for index in range(len(ids)) if index not in bad] if bad else range(len(ids))
        title, body, address = texts["title"], texts["body"], texts["address"]
        seconds = times.cast(pa.int64()).to_pylist()
        contents = [f"{title[i]}\x1f{body[i]}\x1f{address[i]}\x1f{seconds[i]}" for i in good]
        rows = [block.rows[i] for i in good]
        for duplicate in self.seen.add([ids[i] for i in good], contents, self.file, rows):
            where = f"{self.names[duplicate.file]} 第{duplicate.row}行"
            if duplicate.same_text:
                reason = ("duplicate_row", f"与 {where} 重复（编号和内容都相同）")
            else:
                reason = ("duplicate_id", f"编号与 {where} 相同，内容不同")
            bad[good[duplicate.index]] = reason


def as_text(cell: object, field: str) -> str | None:
    """Return a cell as stripped text, "" for an empty one, None if its type cannot stand for this field."""
    if isinstance(cell, str):
        text = cell.strip()
        # Excel's escape for a carriage return, which some exports leave in the text.
        return text.replace("_x000D_", "") if "_x000D_" in text else text
    if cell is None:
        return ""
    if isinstance(cell, bytes):
        try:
            return cell.decode("utf-8").strip()
        except UnicodeDecodeError:
            return None
    if field == "body" or isinstance(cell, bool):
        return None
    if isinstance(cell, int):
        # Python refuses to write integers beyond some thousands of digits.
        return str(cell) if abs(cell) < 10**MAX_ID else None
    if isinstance(cell, float):
        if math.isnan(cell):
            return ""
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else str(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return None


def _clean_id(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().strip("\ufeff\u200b")


def _has_control(column: pa.Array) -> bool:
    """Tell whether any cell holds a control character that is no white space."""
    data = column.buffers()[2]
    if data is None:
        return False
    codes = np.frombuffer(data, np.uint8)
    return bool(((codes < 9) | ((codes > 13) & (codes < 32))).any())


def is_binary(text: str) -> bool:
    """Tell whether a cell holds NUL, or control characters in numbers that no text has."""
    return "\x00" in text or len(_CONTROL.findall(text)) * _BINARY_SHARE > len(text)


def raw_content(block: Block, index: int) -> str:
    """Return a row's content for its rejection, with what could not be decoded recovered as far as it can be."""
    raw = block.raw(index)
    return recover(raw) if is_escaped(raw) else raw
