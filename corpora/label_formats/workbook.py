"""An Excel workbook with drop-down lists that a person fills in, and the way back.

Three sheets are seen: 标注 (the petitions), 填写说明 (how to fill it in, and how much is done); the labels on offer and the
export's id stand in hidden ones, because a list of a drop-down may not be longer than 255 characters in the cell itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora.document_formats.archives import XmlArchive
from corpora.formats.base import UnreadableError, trim_header
from corpora.formats.workbooks import guard, open_workbook
from corpora.headers import is_outcome
from corpora.label_formats.base import changed, is_marked, same_header, utc
from corpora.label_records import Filled, FilledFile, Job, LabelError, Task

SHEET, GUIDE, CHOICES, ABOUT = "标注", "填写说明", "可选标签", "关于本表"
ID, TITLE, BODY, LABEL = "编号", "标题", "内容", "正确的"
ACCEPT, CANNOT, NOTE, WHO, DECIDES = "同意建议", "无法判断", "备注", "标注人", "仲裁"
#: Column → width in characters; the ones to be filled in are set off by colour.
_WIDTHS = {
    "序号": 6, ID: 18, "时间": 17, TITLE: 24, BODY: 68, "地址": 18, "原标注": 20, "系统建议": 24, "把握": 7, "其他可能": 28,
    "入选原因": 30, ACCEPT: 9, LABEL: 30, CANNOT: 9, NOTE: 24, WHO: 11,
}  # fmt: skip
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
#: What XML cannot hold.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CELL_LENGTH = 32_000
#: A sheet that was given out has some thousand rows; one of a million was formatted by mistake.
_CELLS = 20_000_000
_LINE, _TALLEST = 16, 320


def write(job: Job, path: Path) -> list[Path]:
    """Write the workbook to `path` and return the files written."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    columns = _columns(job)
    thin = Side(style="thin", color="D9D9D9")
    wrap = Alignment(wrap_text=True, vertical="top")
    head, fill, open_ = (PatternFill("solid", fgColor=c) for c in ("1F4E78", "FFF8DC", "BF8F00"))
    for at, name in enumerate(columns, 1):
        cell = sheet.cell(1, at, name)
        mine = _to_fill(name)
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), open_ if mine else head
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        sheet.column_dimensions[cell.column_letter].width = _WIDTHS[LABEL if name.startswith(LABEL) else name]
    sheet.row_dimensions[1].height = 32
    for row, task in enumerate(job.tasks, 2):
        for at, (name, value) in enumerate(zip(columns, _cells(columns, row - 1, task), strict=True), 1):
            cell = sheet.cell(row, at)
            if isinstance(value, str):
                _put(cell, value)
            else:
                cell.value = value
            cell.alignment, cell.border = wrap, Border(thin, thin, thin, thin)
            if name == ID or _to_fill(name):
                cell.number_format = "@"  # text: an id keeps its leading zeros when it is touched
            if name == "把握":
                cell.number_format = "0%"
            if _to_fill(name):
                cell.fill = fill
        sheet.row_dimensions[row].height = _height(task)
    _finish(book, sheet, columns, job)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return [path]


def _columns(job: Job) -> list[str]:
    """Return the headers; columns that would be empty throughout are left out."""
    tasks = job.tasks
    wanted = {
        "时间": any(t.submitted_at for t in tasks), TITLE: any(t.title for t in tasks), "地址": any(t.address for t in tasks),
        "原标注": any(t.filed for t in tasks), "其他可能": any(t.alternatives for t in tasks),
        **dict.fromkeys(("系统建议", "把握", ACCEPT), any(t.suggestion for t in tasks)),
    }  # fmt: skip
    return [f"{LABEL}{job.target_name}" if name == LABEL else name for name in _WIDTHS if wanted.get(name, True)]


def _cells(columns: Sequence[str], number: int, task: Task) -> list[str | int | float | None]:
    values: dict[str, str | int | float | None] = {
        "序号": number, ID: task.petition_id, "时间": task.submitted_at, TITLE: task.title, BODY: task.body, "地址": task.address,
        "原标注": task.filed, "系统建议": task.suggestion, "把握": round(task.probability, 4) if task.suggestion else None,
        "其他可能": "\n".join(f"{name} {chance:.0%}" for name, chance in task.alternatives), "入选原因": "\n".join(task.why),
    }  # fmt: skip
    return [values.get(name) for name in columns]


def _to_fill(name: str) -> bool:
    return name in (ACCEPT, CANNOT, NOTE, WHO) or name.startswith(LABEL)


def _put(cell: Any, text: str) -> None:  # noqa: ANN401 - openpyxl is untyped
    """Put text into a cell such that no spreadsheet takes it for a formula, a number or an error."""
    text = _UNFIT.sub("\ufffd", text)
    if len(text) > _CELL_LENGTH:
        text = text[:_CELL_LENGTH] + "…（过长，已截断）"
    cell.value = "'" + text if text[:1] in _FORMULA and text else text
    cell.data_type = "s"


def _height(task: Task) -> int:
    """Return a height that shows the cells in full where that is no page: nobody computes it before Excel has the file open."""
    others = [f"{name} 00%" for name, _ in task.alternatives]
    cells = (([*task.body.split("\n")], 31), ([task.title], 11), (task.why, 13), (others, 12), ([task.suggestion], 11))
    lines = max(sum(1 + len(part) // width for part in parts) for parts, width in cells)
    return min(_LINE * max(lines, 2) + 6, _TALLEST)


def _finish(book: Any, sheet: Any, columns: Sequence[str], job: Job) -> None:  # noqa: ANN401 - openpyxl is untyped
    from openpyxl.formatting.rule import FormulaRule
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    last = len(job.tasks) + 1
    letters = {name: get_column_letter(at) for at, name in enumerate(columns, 1)}
    label = next(name for name in columns if name.startswith(LABEL))
    hidden = book.create_sheet(CHOICES)
    for row, name in enumerate(job.choices, 1):
        _put(hidden.cell(row, 1), name)
    hidden.sheet_state = "hidden"
    lists = [(letters[label], f"'{CHOICES}'!$A$1:$A${max(len(job.choices), 1)}", "warning")]
    lists += [(letters[name], '"是"', "stop") for name in (ACCEPT, CANNOT) if name in letters]
    for letter, formula, style in lists:
        rule = DataValidation(type="list", formula1=formula, allow_blank=True, errorStyle=style, showErrorMessage=True)
        rule.errorTitle = "不在列表中"
        rule.error = "请从下拉列表中选择。" if style == "stop" else "列表中没有这一项。仍要填写的话，导入时会再核对一次。"
        sheet.add_data_validation(rule)
        rule.add(f"{letter}2:{letter}{last}")
    said = [letters[name] for name in (ACCEPT, label, CANNOT) if name in letters]
    done = "+".join(f'(TRIM(${letter}2)<>"")' for letter in said)
    area = f"A2:{letters[WHO]}{last}"
    sheet.conditional_formatting.add(area, FormulaRule(formula=[f"({done})>1"], fill=PatternFill(bgColor="F8CBAD"), stopIfTrue=True))
    sheet.conditional_formatting.add(area, FormulaRule(formula=[f"({done})=1"], fill=PatternFill(bgColor="E2EFDA")))
    sheet.freeze_panes = f"{get_column_letter(columns.index(ID) + 2)}2"
    sheet.auto_filter.ref = f"A1:{letters[WHO]}{last}"
    sheet.sheet_view.zoomScale = 90
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"

    guide = book.create_sheet(GUIDE)
    guide.column_dimensions["A"].width, guide.column_dimensions["B"].width = 18, 92
    counted = "+".join(f"(TRIM('{SHEET}'!{letter}2:{letter}{last})<>\"\")" for letter in said)
    rows = _guide(job, ACCEPT in letters, "原标注" in letters)
    rows.insert(1, ("完成情况", f'="已填 "&SUMPRODUCT(--(({counted})>0))&" / 共 {len(job.tasks)} 件"'))
    for row, (name, text) in enumerate(rows, 1):
        guide.cell(row, 1, name).font = Font(bold=True, size=14 if row == 1 else 11)
        guide.cell(row, 2, text)
        for at in (1, 2):
            guide.cell(row, at).alignment = Alignment(wrap_text=True, vertical="top")
    about = book.create_sheet(ABOUT)
    for row, (name, text) in enumerate((("export", job.export), ("target", job.target), ("model", job.model)), 1):
        about.cell(row, 1, name)
        _put(about.cell(row, 2), text)
    about.sheet_state = "veryHidden"
    book.properties.title = f"民情 {job.target_name}标注 {job.export}"
    book.properties.creator = "minqing"


def _guide(job: Job, suggests: bool, filed: bool) -> list[tuple[str, str]]:
    rows = [
        (f"{job.target_name}标注", f"共 {len(job.tasks)} 件来信，请逐件判断{job.target_name}。只填黄色的列，其余各列仅供阅读，改动不会被采用。"),
        (f"{LABEL}{job.target_name}", "从下拉列表中选择（可输入几个字查找）；也可以填写名称的其他叫法或代码，导入时会核对。"),
    ]
    if suggests:
        rows.append((ACCEPT, "系统建议正确时，在这一列选“是”即可，不必再选标签。没有填写的来信，系统建议不会被当作标签。"))
    if filed:
        rows.append(("原标注", "来信原有的标签，可能有误；请按自己的判断填写。"))
    return [
        *rows,
        (CANNOT, "看不出、信息不够或不属于任何一类时选“是”。"),
        (NOTE, "可写理由或疑问，不要写个人信息。"),
        (WHO, "写自己的姓名或工号；整张表由一人填写时可以留空，导入时用 --annotator 指定。"),
        ("颜色", "绿色：已填好；橙色：同一件填了不止一项，请只留一项。"),
        ("判断依据", "只看来信本身，不看办理结果和答复：系统派件时看不到这些。"),
        ("填好以后", "保存为 .xlsx，交给数据管理人员：minqing labels import 本文件。可以只填一部分，以后再交；重复导入不会重复计数。"),
        ("内容中的〔…〕", "电话、证件号码等个人信息已遮盖。"),
    ]


def read(path: Path, source: str) -> FilledFile:
    """Read a workbook that was filled in.

    Raises:
        LabelError: if it is no such workbook: damaged, without the sheet, or without the columns that are needed.
    """
    try:
        book = open_workbook(path)
        sheet = guard(book.get_sheet_by_name, _sheet_of(book.sheet_names))
        if sheet.end is not None and (sheet.end[0] + 1) * (sheet.end[1] + 1) > _CELLS:
            raise LabelError(f"{source}: 工作表的范围过大（{sheet.end[0] + 1} 行 × {sheet.end[1] + 1} 列）")
        rows = guard(sheet.to_python, False) if sheet.end is not None else []
    except UnreadableError as error:
        raise LabelError(f"{source}: {error.reason}") from error
    if not any(any(str(cell).strip() for cell in cells) for cells in rows):
        raise LabelError(f"{source}: 表中没有内容")
    at = next(i for i, cells in enumerate(rows) if any(str(cell).strip() for cell in cells))
    header = trim_header([str(cell) for cell in rows[at]])
    columns = {name: i for name in (ID, TITLE, BODY, ACCEPT, CANNOT, NOTE, WHO) for i, h in enumerate(header) if same_header(h, name)}
    labels = [i for i, name in enumerate(header) if name.startswith(LABEL)]
    found = FilledFile(source, outcomes=tuple(name for name in header if is_outcome(name)))
    if ID not in columns:
        raise LabelError(f"{source}: 缺少“{ID}”列，无法对应到来信；请不要删除这一列")
    if len(labels) != 1:
        told = f"列“{'、'.join(found.outcomes)}”是受理以后才写的，不能当作标签；" if found.outcomes else ""
        raise LabelError(f"{source}: {'没有' if not labels else '不止一个'}以“{LABEL}”开头的标签列；{told}请使用导出的表格")
    about = _about(book)
    found.target = about.get("target", "") or {"承办单位": "unit", "问题类型": "issue_type"}.get(header[labels[0]].removeprefix(LABEL), "")
    moment = _saved(path)
    for number, cells in enumerate(rows[at + 1 :], at + 2):
        texts = {name: _text(cells[i]) if i < len(cells) else "" for name, i in columns.items()}
        texts[LABEL] = _text(cells[labels[0]]) if labels[0] < len(cells) else ""
        if any(texts.values()):
            _row(found, number, texts, about.get("export", ""), moment, columns)
    return found


def _row(found: FilledFile, number: int, texts: dict[str, str], export: str, moment: str, columns: dict[str, int]) -> None:
    accepts, cannot = is_marked(texts.get(ACCEPT, "")), is_marked(texts.get(CANNOT, ""))
    if accepts is None or cannot is None:
        found.reject(number, "bad_mark", f"“{ACCEPT if accepts is None else CANNOT}”列只能填“是”或留空")
    elif not texts[ID]:
        found.reject(number, "no_id", f"“{ID}”为空，无法对应到来信")
    elif (accepts or texts[LABEL]) and cannot:
        found.reject(number, "contradictory", f"既填了标签又选了“{CANNOT}”")
    elif not (accepts or cannot or texts[LABEL]):
        found.open += 1
    else:
        text = texts.get(TITLE, "") + texts[BODY] if BODY in columns else None
        found.filled.append(
            Filled(
                export, texts[ID], texts[LABEL], "skipped" if cannot else "labelled", texts.get(WHO, ""), moment, number,
                texts.get(NOTE, ""), accepts, text,
            )
        )  # fmt: skip


def _sheet_of(names: Sequence[str]) -> str:
    return SHEET if SHEET in names else names[0]


def _about(book: Any) -> dict[str, str]:  # noqa: ANN401 - calamine
    if ABOUT not in book.sheet_names:
        return {}
    rows = guard(book.get_sheet_by_name, ABOUT).to_python()
    return {str(cells[0]): _text(cells[1]) for cells in rows if len(cells) > 1}


def _text(cell: object) -> str:
    """Return a cell as text; a number that is whole without its `.0`."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip().removeprefix("'")


def _saved(path: Path) -> str:
    """Return when the workbook was last saved, by its own properties, else by the file's time."""
    try:
        archive = XmlArchive(path, "xlsx")
        if "docProps/core.xml" in archive:
            stamp = archive.xml("docProps/core.xml").findtext("{http://purl.org/dc/terms/}modified")
            return utc(stamp, changed(path))
    except UnreadableError:
        pass
    return changed(path)
