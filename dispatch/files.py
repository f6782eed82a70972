"""The files a run leaves: `suggestions.jsonl`, `suggestions.csv`, `rejected.jsonl` and `run.json`.

All four are written beside their names and moved there at the end, `run.json` last: a folder with `run.json` is whole.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TextIO

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from corpora.records import Rejection
from dispatch.columns import (
    deadlines_json,
    field,
    iso,
    joined,
    percents,
    plain,
    quoted,
    reasons_json,
    scored_json,
    scored_lists_json,
    split,
    urgencies_json,
    whole,
)
from dispatch.labels import DECISION_NAMES, NO_UNIT, URGENCY_NAMES, headings

CSV_HEADER = (
    "编号",
    "标题",
    "问题类型",
    "主办单位",
    "置信度",
    "协办单位",
    "备选",
    "决定",
    "紧急程度",
    "期限",
    "事件",
    "理由",
)

#: Characters of a rejected row's raw content that are kept.
RAW_LIMIT = 2_000

#: Rows converted at a time: few enough for the processor's cache, enough to spread the cost of an Arrow call.
_BLOCK = 2_000

_FILES = ("suggestions.jsonl", "suggestions.csv", "rejected.jsonl")

#: A cell that begins so is a formula to a spreadsheet; East Asian versions take the full-width signs as well.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
#: What a spreadsheet would turn into a number, a date or a truth value.
_NUMBERLIKE = re.compile(
    r"[0-9.,:/%eE+\-]*[0-9][0-9.,:/%eE+\-]*|(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*-?\d+"
    r"|\d+-?(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*|true|false",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class AccountingError(ValueError):
    """The counts of a run do not agree with what was written."""


def payloads(table: pa.Table) -> list[bytes]:
    """Return the JSON object of each suggestion, without line end and without petition text.

    Args:
        table: rows with `SUGGESTION_SCHEMA`.
    """
    return [line for start in range(0, table.num_rows, _BLOCK) for line in _lines(table.slice(start, _BLOCK))]


def _lines(table: pa.Table) -> list[bytes]:
    columns: dict[str, list[str]] = {
        "suggestion_id": quoted(table["suggestion_id"]),
        "petition_id": quoted(table["petition_id"]),
        "source": quoted(table["source"]),
        "row": [str(row) for row in plain(table["row"])],
        "submitted_at": quoted(iso(table["submitted_at"])),
        "issue_type": scored_json(table["issue_type"]),
        "issue_top_k": scored_lists_json(table["issue_top_k"]),
        "lead_unit": scored_json(table["lead_unit"]),
        "co_units": scored_lists_json(table["co_units"]),
        "top_k": scored_lists_json(table["top_k"]),
        "decision": quoted(table["decision"]),
        "decision_why": quoted(table["decision_why"]),
        "reasons": reasons_json(table["reasons"]),
        "urgency": urgencies_json(table["urgency"]),
        "deadline": deadlines_json(table["deadline"]),
        "event_group": quoted(table["event_group"]),
        "model_version": quoted(table["model_version"]),
        "config_version": quoted(table["config_version"]),
    }
    pattern = "{{" + ",".join(f'"{name}":{{}}' for name in columns) + "}}"
    return [pattern.format(*row).encode() for row in zip(*columns.values(), strict=True)]


def safe_cell(text: str) -> str:
    """Return the text such that a spreadsheet shows it and does not run it: a leading ' where it begins a formula."""
    if not text:
        return text
    if not text.isprintable():
        text = _CONTROL.sub("", text)
    return "'" + text if text[:1] in _FORMULA else text


def safe_id(text: str) -> str:
    """Return an id such that a spreadsheet keeps its digits: a leading ' where it would be read as number or date."""
    return "'" + text if _NUMBERLIKE.fullmatch(text) else safe_cell(text)


def csv_rows(table: pa.Table) -> list[tuple[str, ...]]:
    """Return the cells of each suggestion under `CSV_HEADER`, safe for a spreadsheet."""
    return [row for start in range(0, table.num_rows, _BLOCK) for row in _cells(table.slice(start, _BLOCK))]


def csv_text(table: pa.Table) -> str:
    """Return the suggestions as lines of CSV, without header."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(csv_rows(table))
    return out.getvalue()


def _cells(table: pa.Table) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    units = pc.list_flatten(whole(table["top_k"]))
    shares = list(zip(*(plain(field(units, name)) for name in ("code", "name")),
                      percents(field(units, "probability")), strict=True))  # fmt: skip
    words = field(table["urgency"], "words")
    for (
        petition,
        title,
        issue,
        first,
        lead,
        chance,
        co_units,
        units,
        decision,
        why,
        causes,
        level,
        matched,
        day,
        note,
        group,
    ) in zip(
        plain(table["petition_id"]),
        headings(plain(table["title"]), plain(table["body"])),
        plain(field(table["issue_type"], "name")),
        plain(field(table["lead_unit"], "code")),
        plain(field(table["lead_unit"], "name")),
        percents(field(table["lead_unit"], "probability")),
        joined(table["co_units"], plain(field(pc.list_flatten(whole(table["co_units"])), "name")), "；"),
        split(table["top_k"], shares),
        plain(table["decision"]),
        plain(table["decision_why"]),
        joined(table["reasons"], plain(field(pc.list_flatten(whole(table["reasons"])), "text")), "；"),
        plain(field(table["urgency"], "level")),
        joined(words, plain(pc.list_flatten(words)), "、"),
        plain(pc.cast(field(table["deadline"], "date"), pa.string())),
        plain(field(table["deadline"], "note")),
        plain(table["event_group"]),
        strict=True,
    ):
        urgency = URGENCY_NAMES.get(level, level)
        others = [f"{name} {share}" for code, name, share in units if code != first]
        rows.append(
            (
                safe_id(petition),
                safe_cell(title),
                safe_cell(issue or ""),
                safe_cell(NO_UNIT if lead is None else lead),
                chance,
                safe_cell(co_units),
                safe_cell("；".join(others)),
                DECISION_NAMES.get(decision, decision),
                safe_cell(f"{urgency}（{matched}）" if matched else urgency),
                safe_cell(day or note or ""),
                safe_id(group or ""),
                safe_cell(f"{why}；{causes}" if why and causes else why or causes),
            )
        )
    return rows


def rejection_line(item: Rejection, mask: Callable[[str], str]) -> bytes:
    """Return the JSON object of a rejected row, masked first and cut then: a cut number would escape the mask."""
    raw = _utf8(mask(item.raw))
    line: dict[str, Any] = {
        "source": _utf8(item.source),
        "row": item.row,
        "code": item.code,
        "reason": _utf8(mask(item.reason)),
        "raw": raw[:RAW_LIMIT],
        "raw_length": len(item.raw),
    }
    if len(raw) > RAW_LIMIT:
        line["raw_truncated"] = True
    return orjson.dumps(line)


def _utf8(text: str) -> str:
    """Replace lone surrogates, which a wrongly decoded row may hold and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


class SuggestionFiles:
    """Writer of a run's files; use it with `with`, and leave with `close` to put them in place.

    A run that fails or is killed leaves the files of the run before it as they were.
    """

    __slots__ = ("_csv", "_jsonl", "_mask", "_rejected_file", "out_dir", "rejected", "routed")

    def __init__(self, out_dir: str | Path, mask: Callable[[str], str]) -> None:
        """Prepare to write into `out_dir`, which is created if need be.

        Args:
            out_dir: the folder.
            mask: hides personal data in the raw content of rejected rows.
        """
        self.out_dir = Path(out_dir)
        self._mask = mask
        self.routed = 0
        self.rejected = 0
        self._jsonl: BinaryIO | None = None
        self._csv: TextIO | None = None
        self._rejected_file: BinaryIO | None = None

    def _part(self, name: str) -> Path:
        return self.out_dir / f".{name}.part"

    def __enter__(self) -> Self:
        """Open the temporary files; leftovers of a killed run are overwritten."""
        self.out_dir.mkdir(parents=True, exist_ok=True)
        self._jsonl = self._part("suggestions.jsonl").open("wb")
        # "utf-8-sig" writes the mark by which Excel recognises UTF-8.
        self._csv = self._part("suggestions.csv").open("w", encoding="utf-8-sig", errors="replace", newline="")
        self._rejected_file = self._part("rejected.jsonl").open("wb")
        csv.writer(self._csv).writerow(CSV_HEADER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what `close` did not put in place."""
        self._shut()
        for name in (*_FILES, "run.json"):
            self._part(name).unlink(missing_ok=True)

    def _shut(self) -> None:
        for file in (self._jsonl, self._csv, self._rejected_file):
            if file is not None and not file.closed:
                file.flush()
                os.fsync(file.fileno())
                file.close()

    def add(
        self, table: pa.Table, lines: Sequence[bytes], sheet: str | None = None
    ) -> None:
        """Append a chunk of suggestions.

        Args:
            table: rows with `SUGGESTION_SCHEMA`.
            lines: the JSON object of each row, as `payloads` gives it.
            sheet: the rows as `csv_text` gives them, where they were made elsewhere.
        """
        if self._jsonl is None or self._csv is None:
            msg = "SuggestionFiles is used outside its `with` block"
            raise RuntimeError(msg)
        if len(lines) != table.num_rows:
            msg = f"{table.num_rows} suggestions with {len(lines)} payloads"
            raise AccountingError(msg)
        if lines:
            self._jsonl.write(b"\n".join(lines) + b"\n")
            self._csv.write(csv_text(table) if sheet is None else sheet)
            self.routed += len(lines)

    def reject(self, rejections: Sequence[Rejection]) -> None:
        """Append rejected rows to the quarantine file, masked."""
        if self._rejected_file is None:
            msg = "SuggestionFiles is used outside its `with` block"
            raise RuntimeError(msg)
        self._rejected_file.writelines(rejection_line(item, self._mask) + b"\n" for item in rejections)
        self.rejected += len(rejections)

    def close(self, run: Mapping[str, Any]) -> None:
        """Put the files in place and write `run.json`.

        Args:
            run: what `run.json` shall say. `read` must be given; `routed` and `rejected` are filled in or checked.

        Raises:
            AccountingError: if the counts do not agree with what was added, or do not add up to `read`. Nothing is put
                in place then.
        """
        wanted = {"read": self.routed + self.rejected, "routed": self.routed, "rejected": self.rejected}
        for name, count in wanted.items():
            if run.get(name, None if name == "read" else count) != count:
                msg = f"{self.out_dir}: run says {name} = {run.get(name)}, the files hold {count}"
                raise AccountingError(msg)
        self._shut()
        note = self._part("run.json")
        note.write_bytes(orjson.dumps({**wanted, **run}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        # Without run.json the folder is known to be in between.
        (self.out_dir / "run.json").unlink(missing_ok=True)
        for name in (*_FILES, "run.json"):
            self._part(name).replace(self.out_dir / name)
