"""The list of doubtful labels as `label_errors.xlsx` and `label_errors.jsonl`, for a person to go through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from dispatch.files import safe_cell, safe_id

_COLUMNS = (
    ("序号", 6), ("编号", 20), ("来源", 24), ("行", 8), ("原标注", 30), ("建议标注", 30), ("原标注概率", 11), ("建议概率", 11),
    ("可疑度", 9), ("支持建议的词", 32), ("相似来件（相似度 编号 标注）", 56), ("同文异标", 9), ("脱敏摘录", 60), ("核定结论", 14), ("核定标注", 30),
)  # fmt: skip
#: What a person may decide; the list is offered in the cells.
VERDICTS = ("原标注有误", "原标注正确", "两可")


def write_label_errors(out: Path, doubts: Sequence[Mapping[str, Any]]) -> None:
    """Write both files to the folder; `doubts` are plain values as `models.doubts.Doubt` holds them, the worst first."""
    (out / "label_errors.jsonl").write_bytes(b"".join(orjson.dumps(item) + b"\n" for item in doubts))
    book = Workbook()
    sheet = book.active
    sheet.title = "可疑标注"
    sheet.append([name for name, _ in _COLUMNS])
    for number, item in enumerate(doubts, 1):
        sheet.append(_row(number, item))
    wrap = Alignment(wrap_text=True, vertical="top")
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = wrap
        for cell in row[6:9]:
            cell.number_format = "0.0%"
    for place, (_, width) in enumerate(_COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
        head = sheet.cell(1, place)
        head.font, head.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F4E68")
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = sheet.dimensions
    if doubts:
        choice = DataValidation("list", formula1='"' + ",".join(VERDICTS) + '"', allow_blank=True)
        sheet.add_data_validation(choice)
        choice.add(f"{get_column_letter(len(_COLUMNS) - 1)}2:{get_column_letter(len(_COLUMNS) - 1)}{len(doubts) + 1}")
    book.save(out / "label_errors.xlsx")


def _row(number: int, item: Mapping[str, Any]) -> list[Any]:
    near = "\n".join(f"{n['cosine']:.2f} {n['id']} {n['name']}" for n in item["neighbours"])
    return [
        number,
        safe_id(item["petition_id"]),
        safe_cell(item["source"]),
        item["row"],
        safe_cell(item["given_name"]),
        safe_cell(item["suggested_name"]),
        item["given_probability"],
        item["suggested_probability"],
        1 - 2 * item["margin"],
        safe_cell("、".join(item["words"])),
        safe_cell(near),
        "是" if item["twin"] else "",
        safe_cell(item["snippet"]),
        "",
        "",
    ]
