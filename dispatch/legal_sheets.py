"""The workbook of a mining run: measures, citations, coverage, orphaned duties; rows are streamed, never held."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from corpora.legal import PolicyDocument
from corpora.records import Rejection
from dispatch.files import safe_cell
from dispatch.legal_labels import (
    CITATION_KINDS,
    GAP_NAMES,
    RELATIONS,
    STATUS_NAMES,
    SUGGESTION_NOTE,
    VERDICT_NAMES,
    citation_label,
    version_date,
)
from dispatch.legal_records import DutyRow, Mined, Suggestion, duty_cells, plain_text
from dispatch.legal_tally import Tally
from pipeline.policies.records import Finding, Resolved

#: A sheet's rows end here, its header counted; what is left out is said in the coverage sheet.
SHEET_ROWS = 1_048_576
#: A cell holds 32,767 characters.
CELL_LENGTH = 32_000


_NONCHARACTERS = re.compile("[\ud800-\udfff\ufffe\uffff]")
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:\2>)")
#: The date that the workbook bears, so that the same findings give the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


_WRAP = Alignment(wrap_text=True, vertical="top")
_HEAD = Font(bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", fgColor="1F4E68")

_SHEETS: dict[str, tuple[tuple[str, int], ...]] = {
    "措施": (
        ("文件", 22), ("标题", 34), ("文号", 18), ("成文日期", 12), ("起", 7), ("止", 7), ("原文", 56), ("措施种类", 18),
        ("主体", 16), ("行为", 10), ("权力或事项", 22), ("承接主体", 18), ("改革维度", 10), ("结论", 12),
        ("缺口代码", 24), ("缺口与证据", 48), ("补正建议", 48), ("总体证据", 40), ("规则", 18), ("置信度", 9),
        ("相关引用", 40), (f"参考条文（{SUGGESTION_NOTE}）", 40), ("未核查事项", 40),
    ),
    "引用": (
        ("文件", 22), ("起", 7), ("止", 7), ("原文", 40), ("类型", 10), ("关系", 8), ("法律", 40), ("文本日期", 12),
        ("条", 14), ("款", 6), ("项", 6), ("状态", 16), ("其他文本或候选", 40), ("说明", 48),
    ),
    "覆盖范围": (("项目", 36), ("内容", 90)),
    "承接缺口": (
        ("法律", 40), ("条", 12), ("职责", 60), ("法定承担主体", 20), ("现承接单位", 28), ("依据文件", 32), ("缺口", 20),
        ("领域", 16), ("类别", 8), ("提示", 40),
    ),
}  # fmt: skip


class FindingBook:
    """The workbook while it is written: sheets 措施, 引用, 覆盖范围 and 承接缺口, each with filters and a fixed header."""

    def __init__(self) -> None:
        """Begin the sheets; openpyxl keeps their rows in temporary files."""
        self._book = Workbook(write_only=True)
        self._sheets: dict[str, Any] = {}
        self._cells: dict[str, Any] = {}
        self._rows: dict[str, int] = {}
        self._left_out: dict[str, int] = {}
        for name, columns in _SHEETS.items():
            sheet = self._sheets[name] = self._book.create_sheet(name)
            sheet.freeze_panes = "A2"
            for place, (_, width) in enumerate(columns, 1):
                sheet.column_dimensions[get_column_letter(place)].width = width
            sheet.append([header_cell(sheet, title) for title, _ in columns])
            self._cells[name] = text_cell(sheet)
            self._rows[name] = 1

    def add(self, mined: Mined) -> None:
        """Append a document's measures and citations."""
        for place, finding in enumerate(mined.findings):
            self._append("措施", _measure_cells(mined.document, finding, mined.candidates.get(place, ())))
        for found in mined.resolved:
            self._append("引用", _citation_cells(mined.document, found))

    def save(
        self,
        path: Path,
        tally: Tally,
        duties: Iterable[DutyRow],
        coverage: Mapping[str, Any],
        rejections: Iterable[Rejection],
    ) -> None:
        """Append duties and coverage and write the file; nothing can be added after that."""
        for duty in duties:
            self._append("承接缺口", duty_cells(duty))
        for name, value in _coverage_rows(tally, coverage, rejections, self._left_out):
            self._append("覆盖范围", (name, value))
        for name, columns in _SHEETS.items():
            self._sheets[name].auto_filter.ref = f"A1:{get_column_letter(len(columns))}{self._rows[name]}"
        raw = path.with_name(path.name + ".raw")
        try:
            self._book.save(raw)
            settle(raw, path)
        finally:
            raw.unlink(missing_ok=True)

    def discard(self) -> None:
        """Close the sheets of a workbook that will not be saved; openpyxl removes its temporary files at exit."""
        for sheet in self._sheets.values():
            sheet.close()

    def _append(self, name: str, cells: Sequence[str | int | float | None]) -> None:
        if self._rows[name] >= SHEET_ROWS:
            self._left_out[name] = self._left_out.get(name, 0) + 1
            return
        # A row is written cell by cell while it is read, so one cell serves all: setting its style is most of the cost.
        cell = self._cells[name]
        self._sheets[name].append(
            (fill(cell, value) if value else None) if isinstance(value, str) else value for value in cells
        )
        self._rows[name] += 1


def header_cell(sheet: Any, title: str) -> Any:  # noqa: ANN401 - openpyxl is untyped
    """Return a cell of a sheet's first row."""
    cell = WriteOnlyCell(sheet, value=title)
    cell.font, cell.fill, cell.alignment = _HEAD, _HEAD_FILL, _WRAP
    return cell


def text_cell(sheet: Any) -> Any:  # noqa: ANN401 - openpyxl is untyped
    """Return the cell that `fill` puts texts into, one after the other."""
    cell = WriteOnlyCell(sheet)
    cell.alignment = _WRAP
    return cell


def fill(cell: Any, text: str, whole: str = "findings.jsonl") -> Any:  # noqa: ANN401 - openpyxl is untyped
    """Put text into a cell such that no spreadsheet takes it for a formula; `whole` is the file that holds all of it."""
    if len(text) > CELL_LENGTH:
        text = text[:CELL_LENGTH] + f"…（已截断，全文见 {whole}）"
    cell.value = safe_cell(_NONCHARACTERS.sub("\ufffd", text))
    cell.data_type = "s"  # also what openpyxl would take for an error code (#N/A)
    return cell


def _measure_cells(
    document: PolicyDocument, finding: Finding, candidates: Sequence[Suggestion]
) -> list[str | int | float | None]:
    measure = finding.measure
    cures = dict.fromkeys(cure for cure in (*(gap.cure for gap in finding.gaps), finding.cure) if cure)
    return [
        finding.document, document.title, document.number,
        document.issued.isoformat() if document.issued else "（无日期）",
        measure.start, measure.end, measure.text, measure.kind, measure.actor, measure.action, measure.power,
        measure.receiver, measure.frame, VERDICT_NAMES[finding.verdict.value],
        "\n".join(gap.code for gap in finding.gaps),
        "\n".join(f"{GAP_NAMES.get(gap.code, gap.code)}：{gap.evidence}" for gap in finding.gaps),
        "\n".join(cures), finding.evidence, finding.rule, round(finding.confidence, 4),
        "\n".join(f"{citation_label(found)}（{STATUS_NAMES[found.status.value]}）" for found in finding.citations),
        "\n".join(f"《{item.law}》{item.article}" for item in candidates),
        "\n".join(finding.not_checked),
    ]  # fmt: skip


def _citation_cells(document: PolicyDocument, found: Resolved) -> list[str | int | float | None]:
    citation = found.citation
    return [
        document.document_id, citation.start, citation.end, citation.text,
        CITATION_KINDS.get(citation.kind, citation.kind), RELATIONS.get(citation.relation, citation.relation),
        found.title or citation.law, version_date(found.version_id),
        "" if citation.article is None else str(citation.article), citation.paragraph, citation.item,
        STATUS_NAMES[found.status.value], found.other, found.reason,
    ]  # fmt: skip


def _coverage_rows(
    tally: Tally, coverage: Mapping[str, Any], rejections: Iterable[Rejection], left_out: Mapping[str, int]
) -> Iterator[tuple[str, str | int]]:
    yield "文件数", tally.documents
    yield "其中无日期", tally.undated
    yield "措施数", tally.measures
    for verdict, name in VERDICT_NAMES.items():
        yield f"结论：{name}", tally.verdicts[verdict]
    yield "有事项未核查的措施（不等于通过）", tally.unchecked
    for code, count in tally.ranked_gaps():
        yield f"缺口：{GAP_NAMES.get(code, code)}（{code}）", count
    for status, name in STATUS_NAMES.items():
        yield f"引用：{name}", tally.statuses[status]
    yield "引用：文号（政策文件不在收录范围，未核查）", tally.numbers
    for reason, count in tally.ranked_reasons():
        yield f"未核查：{reason}", count
    for name, value in coverage.items():
        yield f"知识库：{name}", plain_text(value)
    for rejection in rejections:
        yield f"未能读取：{rejection.source}", f"{rejection.code}：{rejection.reason}"
    for name, count in left_out.items():
        yield f"工作表“{name}”未列出的行", count


def settle(source: Path, target: Path) -> None:
    """Copy a workbook with fixed dates in place of the time of writing."""
    stamp = datetime(*_EPOCH).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(source) as book, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in book.infolist():
            info = zipfile.ZipInfo(entry.filename, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            with book.open(entry) as old, out.open(info, "w", force_zip64=entry.file_size > 1 << 30) as new:
                if entry.filename == "docProps/core.xml":
                    new.write(_MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<3>", old.read()))
                else:
                    shutil.copyfileobj(old, new, 1 << 20)
