"""The files of a mining run: JSON lines and the workbook, read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import legal_synthetic as made
import openpyxl
import orjson
import pytest

from corpora.legal import ArticleNumber
from dispatch import legal_sheets
from dispatch.legal_files import FindingFiles, Mined, write_findings
from dispatch.legal_labels import GAP_NAMES, SUGGESTION_NOTE, VERDICT_NAMES
from dispatch.legal_records import plain_text
from pipeline.policies.records import Verdict

KEYS = [
    "document", "start", "end", "text", "action", "power", "receiver", "frame", "verdict", "gap_codes", "citations",
    "rule", "evidence", "cure", "confidence", "not_checked", "candidates",
]  # fmt: skip


def rows(path: Path, sheet: str) -> list[dict[str, object]]:
    """Return the rows of a sheet under its headers."""
    header, *body = openpyxl.load_workbook(path / "findings.xlsx")[sheet].iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in body]


def test_lines_say_what_was_found(tmp_path: Path) -> None:
    """One object a measure, with exactly these keys, spans that hold, and citations as objects."""
    document = made.mined()
    tally = write_findings(tmp_path, [document, made.mined("b.txt")])
    lines = [orjson.loads(line) for line in (tmp_path / "findings.jsonl").read_bytes().splitlines()]
    assert len(lines) == 12 == tally.measures
    assert all(list(line) == KEYS for line in lines)
    assert all(document.document.text[line["start"] : line["end"]] == line["text"] for line in lines[:6])
    assert {line["verdict"] for line in lines} == set(VERDICT_NAMES)
    assert {code for line in lines for code in line["gap_codes"]} == set(GAP_NAMES)
    first, second = lines[0], lines[1]
    assert [(item["article"], item["paragraph"], item["item"]) for item in first["citations"]] == [
        (20, 1, 2),
        (21, None, None),
    ]
    assert first["citations"][0] | {"start": 0, "end": 0} == {
        "start": 0, "end": 0, "text": "《示例法》第二十条、第二十一条", "kind": "article", "law": "示例法",
        "version": "2021-01-22", "article": 20, "article_suffix": 0, "paragraph": 1, "item": 2, "status": "in_force",
        "other": "", "reason": "",
    }  # fmt: skip
    assert first["confidence"] == 0.8765
    assert second["citations"][0]["article_suffix"] == 1
    assert second["citations"][0]["status"] == "repealed"
    assert second["candidates"] == [
        {
            "law": "示例法",
            "version": "2021-01-22",
            "article": 4,
            "article_suffix": 0,
            "score": 3.25,
            "note": SUGGESTION_NOTE,
        }
    ]
    assert lines[4]["not_checked"] == ["文件没有日期"]
    vague = lines[4]["citations"][0]
    assert (vague["law"], vague["version"], vague["article"]) == (None, None, None)


def test_workbook_reads_back(tmp_path: Path) -> None:
    """Four sheets with filters, a fixed header and wrapped cells; codes, statuses and verdicts in words."""
    write_findings(tmp_path, [made.mined()], duties=made.duties(3), coverage=made.COVERAGE, rejections=made.REJECTIONS)
    book = openpyxl.load_workbook(tmp_path / "findings.xlsx")
    assert book.sheetnames == ["措施", "引用", "覆盖范围", "承接缺口"]
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert all(cell.alignment.wrap_text for row in sheet.iter_rows() for cell in row if cell.data_type == "s")
    measures = rows(tmp_path, "措施")
    assert [row["结论"] for row in measures] == [
        "部分有依据", "未找到依据", "有依据", "未找到依据", "未核查", "无需依据",
    ]  # fmt: skip
    assert str(measures[1]["缺口代码"]).split("\n") == list(GAP_NAMES)[9:18]
    assert measures[1][f"参考条文（{SUGGESTION_NOTE}）"] == "《示例法》第四条"
    assert measures[0]["相关引用"] == "《示例法》第二十条第1款第（2）项（有效）\n《示例法》第二十一条（条号已变）"
    assert len(rows(tmp_path, "引用")) == 8
    coverage = {str(row["项目"]): row["内容"] for row in rows(tmp_path, "覆盖范围")}
    assert coverage["结论：未核查"] == 1
    assert coverage["有事项未核查的措施（不等于通过）"] == 2
    assert coverage["未核查：文件没有日期"] == 1
    assert coverage["知识库：incomplete_texts"] == "甲条例、乙条例"
    assert coverage["未能读取：scan.pdf"] == "encrypted：文件有密码"
    duties = rows(tmp_path, "承接缺口")
    assert [row["缺口"] for row in duties] == [None, "CARRIER_MISSING", None]
    assert duties[1]["条"] == "第二条之一"


def test_cells_are_no_formulas(tmp_path: Path) -> None:
    """Whatever a document contains, no cell is a formula or an error, and no character breaks the file."""
    document = made.mined()
    hostile = [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2",
        "@SUM(A1)",
        "＝1",
        "#N/A",
        "\x00\x0b坏\ud800\ufffe",
        "\t=1",
        "x" * 40_000,
    ]
    findings = [
        replace(
            document.findings[0],
            document=text,
            measure=replace(document.findings[0].measure, text=text, actor=text, power=text),
            evidence=text,
            not_checked=(text,),
        )
        for text in hostile
    ]
    write_findings(tmp_path, [replace(document, findings=findings)])
    book = openpyxl.load_workbook(tmp_path / "findings.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not [cell.value for cell in cells if isinstance(cell.value, str) and cell.value[0] in "=+-@＝\t"]
    assert [str(row["原文"])[:4] for row in rows(tmp_path, "措施")][:2] == ["'=1+", "'+cm"]
    lines = [orjson.loads(line) for line in (tmp_path / "findings.jsonl").read_bytes().splitlines()]
    assert [line["text"] for line in lines][:6] == hostile[:6]
    assert len(lines[8]["text"]) == 40_000


def test_same_findings_same_bytes(tmp_path: Path) -> None:
    """The date of writing does not show in the files."""
    for name in ("a", "b"):
        write_findings(tmp_path / name, made.many(3), duties=made.duties(), coverage=made.COVERAGE)
    for name in ("findings.jsonl", "findings.xlsx"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_failed_run_leaves_the_files_before(tmp_path: Path) -> None:
    """Nothing is put in place, and nothing is left behind."""
    write_findings(tmp_path, [made.mined()])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def failing():
        yield made.mined("b.txt")
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        write_findings(tmp_path, failing())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with pytest.raises(RuntimeError):
        FindingFiles(tmp_path).add(made.mined())


def test_two_writers_share_a_pass(tmp_path: Path) -> None:
    """`through` passes every document on."""
    with FindingFiles(tmp_path) as files:
        assert [item.document.document_id for item in files.through(made.many(2))] == ["0000.txt", "0001.txt"]
        files.close()
    assert files.tally.verdicts[Verdict.NOT_CHECKED] == 2


def test_nothing_found(tmp_path: Path) -> None:
    """No documents, and a document without measures."""
    bare = made.mined()
    write_findings(tmp_path, [Mined(bare.document, (), None, (), ())])
    assert (tmp_path / "findings.jsonl").read_bytes() == b""
    assert rows(tmp_path, "措施") == []


def test_rows_beyond_a_sheet_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet has an end; what is left out is said."""
    monkeypatch.setattr(legal_sheets, "SHEET_ROWS", 4)
    write_findings(tmp_path, [made.mined()])
    assert len(rows(tmp_path, "措施")) == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "是"),
        (12, "12"),
        (date(2026, 8, 1), "2026-08-01"),
        (["甲", "乙"], "甲、乙"),
        ({"b", "a"}, "a、b"),
        ({"法律": 3, "规章": ["甲"]}, "法律：3；规章：甲"),
        (made.mined().document, "示例通知a.txt"),
        (ArticleNumber(120, 1), "第一百二十条之一"),
    ],
)
def test_plain_text(value: object, text: str) -> None:
    assert plain_text(value) == text
