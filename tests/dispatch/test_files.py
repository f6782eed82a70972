"""The files of a run: JSON lines, the spreadsheet, the quarantine and the run note."""

from __future__ import annotations

import csv
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.records import Rejection
from dispatch.files import (
    CSV_HEADER,
    RAW_LIMIT,
    AccountingError,
    SuggestionFiles,
    csv_rows,
    payloads,
    rejection_line,
    safe_cell,
    safe_id,
)
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA

TEXT_COLUMNS = ("title", "body", "address", "channel", "refused_units", "content_hash")


def mask(text: str) -> str:
    """Hide numbers of eleven digits."""
    return re.sub(r"\d{11}", "[电话]", text)


def expected(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a line must say, made the slow way."""

    def tidy(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: tidy(item) for name, item in value.items()}
        if isinstance(value, list):
            return [tidy(item) for item in value]
        if isinstance(value, float):
            return pytest.approx(value, abs=0.00005001)
        if isinstance(value, (date, datetime)):
            return value.isoformat()
        return value

    return {name: tidy(value) for name, value in row.items() if name not in TEXT_COLUMNS}


def as_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return the rows as a suggestion table."""
    return pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)


def test_lines_say_what_the_table_says() -> None:
    """Every column but the petition's text, null and list alike, in slices and chunks too."""
    rows = synthetic.rows(200)
    for table in (as_table(rows), pa.concat_tables([as_table(rows[:70]), as_table(rows[70:])])):
        assert [orjson.loads(line) for line in payloads(table)] == [expected(row) for row in rows]
    assert [orjson.loads(line) for line in payloads(as_table(rows).slice(67, 31))] == [expected(r) for r in rows[67:98]]
    assert payloads(as_table([])) == []


def test_numbers_have_four_decimals() -> None:
    """No probability carries more than four decimals."""
    for line in payloads(synthetic.table(50)):
        assert all(len(digits) <= 4 for digits in re.findall(rb'"probability":0\.(\d+)', line))


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_text_survives_in_json(texts: list[str]) -> None:
    """Quotes, line ends, backslashes and signs of all scripts come back."""
    rows = synthetic.rows(len(texts))
    for row, text in zip(rows, texts, strict=True):
        row |= {"decision_why": text, "source": text, "event_group": text}
        row["urgency"]["words"] = [text, text]
        for unit in row["top_k"]:
            unit["name"] = text
    assert [orjson.loads(line) for line in payloads(as_table(rows))] == [expected(row) for row in rows]
    for line in payloads(as_table(rows)):
        assert b"\n" not in line


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("", ""),
        ("路灯损坏", "路灯损坏"),
        ("=1+1", "'=1+1"),
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("+86", "'+86"),
        ("-3楼漏水", "'-3楼漏水"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("\x00=1", "'=1"),
        ("a=1", "a=1"),
    ],
)
def test_cells_run_nothing(text: str, cell: str) -> None:
    """A formula is shown, not run."""
    assert safe_cell(text) == cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("20240506000000012345", "'20240506000000012345"),
        ("00123", "'00123"),
        ("12E5", "'12E5"),
        ("2024-5-1", "'2024-5-1"),
        ("1/2", "'1/2"),
        ("Mar-01", "'Mar-01"),
        ("TRUE", "'TRUE"),
        ("-1", "'-1"),
        ("LG2024050612", "LG2024050612"),
        ("诉20240506", "诉20240506"),
        ("=x", "'=x"),
        ("", ""),
    ],
)
def test_ids_keep_their_digits(text: str, cell: str) -> None:
    """An id stays text."""
    assert safe_id(text) == cell


def test_spreadsheet(tmp_path: Path) -> None:
    """A byte-order mark, Chinese headers, one row a petition, no formula, readable again."""
    rows = synthetic.rows(80)
    rows[1]["title"] = '=cmd|"/c calc"!A0'
    rows[2]["title"] = '有"引号",逗号\n和换行'
    rows[3]["reasons"][0]["text"] = "@理由"
    table = as_table(rows)
    with SuggestionFiles(tmp_path, mask) as out:
        out.add(table, payloads(table))
        out.close({"read": 80})
    raw = (tmp_path / "suggestions.csv").read_bytes()
    assert raw.startswith("\ufeff编号".encode())
    with (tmp_path / "suggestions.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *cells = csv.reader(file)
    assert tuple(header) == CSV_HEADER
    assert len(cells) == 80
    assert [row[0] for row in cells] == [f"'{row['petition_id']}" for row in rows]
    assert cells[1][1] == "'" + rows[1]["title"]
    assert cells[2][1] == '有"引号",逗号 和换行'
    assert cells[70][3] == "（无依据指向任何单位）"
    assert cells[70][4] == ""
    assert cells[17][1].startswith("反映")  # no title: the masked text's beginning
    assert not [cell for row in cells for cell in row if cell[:1] in set("=+-@\t\r")]
    assert csv_rows(table) == [tuple(row) for row in cells]


def test_alternatives_leave_the_lead_out() -> None:
    """备选 names the other units with their share."""
    row = synthetic.rows(1)[0]
    row["top_k"] = [
        {"code": "A", "name": "甲局", "probability": 0.7},
        {"code": "B", "name": "乙局", "probability": 0.21},
        {"code": "C", "name": "丙局", "probability": 0.0612},
    ]
    row |= {"lead_unit": row["top_k"][0], "co_units": row["top_k"][1:]}
    row["urgency"] = {"level": "urgent", "rules": ["U-1"], "words": ["停水", "断电"]}
    (cells,) = csv_rows(as_table([row]))
    assert cells[3:7] == ("甲局", "70.0%", "乙局；丙局", "乙局 21.0%；丙局 6.1%")
    assert cells[8] == "紧急（停水、断电）"


def test_quarantine_is_masked_before_it_is_cut() -> None:
    """A number across the cut is masked whole; the full length is noted; broken text is mended."""
    raw = "甲" * (RAW_LIMIT - 5) + "13800138000" + "乙" * 50
    line = orjson.loads(rejection_line(Rejection("a.csv", 7, "missing_body", "电话13800138000那行没有正文", raw), mask))
    assert "1380" not in line["raw"] + line["reason"]
    assert len(line["raw"]) == RAW_LIMIT
    assert (line["raw_length"], line["raw_truncated"]) == (len(raw), True)
    assert (line["source"], line["row"], line["code"]) == ("a.csv", 7, "missing_body")
    line = orjson.loads(rejection_line(Rejection("a.csv", 8, "bad_bytes", "编码不通", "甲\udc80乙"), mask))
    assert line["raw"] == "甲?乙"
    assert "raw_truncated" not in line


def test_a_run_is_put_in_place_whole(tmp_path: Path) -> None:
    """Chunks follow one another; run.json carries the counts and what else is given; nothing temporary is left."""
    table = synthetic.table(30)
    lines = payloads(table)
    with SuggestionFiles(tmp_path / "out", mask) as out:
        for start in (0, 20):
            out.add(table.slice(start, 20), lines[start : start + 20])
        out.add(table.slice(0, 0), [])
        out.reject([Rejection("a.csv", 3, "missing_body", "没有正文", "x")])
        assert not (tmp_path / "out" / "suggestions.jsonl").exists()
        out.close({"read": 31, "model_version": "m"})
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"suggestions.jsonl", "suggestions.csv", "rejected.jsonl", "run.json"}
    assert (tmp_path / "out" / "suggestions.jsonl").read_bytes() == b"\n".join(lines) + b"\n"
    run = orjson.loads((tmp_path / "out" / "run.json").read_bytes())
    assert run == {"read": 31, "routed": 30, "rejected": 1, "model_version": "m"}
    text = (tmp_path / "out" / "suggestions.jsonl").read_text(encoding="utf-8")
    assert not [row for row in synthetic.rows(30) if row["body"] in text]


@pytest.mark.parametrize("run", [{"read": 5}, {}, {"read": 2, "routed": 1}, {"read": 2, "rejected": 1}])
def test_counts_that_disagree_put_nothing_in_place(tmp_path: Path, run: dict[str, int]) -> None:
    """What was read is routed or rejected, or there is no run."""
    table = synthetic.table(2)
    (tmp_path / "suggestions.jsonl").write_text("before")
    with pytest.raises(AccountingError), SuggestionFiles(tmp_path, mask) as out:
        out.add(table, payloads(table))
        out.close(run)
    assert [path.name for path in tmp_path.iterdir()] == ["suggestions.jsonl"]
    assert (tmp_path / "suggestions.jsonl").read_text() == "before"


def test_a_failing_run_leaves_the_last_one(tmp_path: Path) -> None:
    """An exception within the block removes what was begun; wrong use is said."""
    table = synthetic.table(2)
    with pytest.raises(AccountingError, match="2 suggestions with 1 payloads"), SuggestionFiles(tmp_path, mask) as out:
        out.add(table, payloads(table)[:1])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="outside"):
        SuggestionFiles(tmp_path, mask).add(table, payloads(table))
