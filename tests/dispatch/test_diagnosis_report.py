"""The page and the workbook of a diagnosis: whole, escaped, and safe to open."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import orjson
from openpyxl import load_workbook

from dispatch.diagnosis_files import write_label_errors
from dispatch.diagnosis_report import render_diagnosis

NAMES = {"A": "市容/路灯", "B": "<b>劳动</b>保障", "C": "教育"}


def doubt(**more: Any) -> dict[str, Any]:
    plain = {
        "petition_id": "0012", "source": "history.csv", "row": 3, "given": "A", "given_name": NAMES["A"], "given_probability": 0.02,
        "suggested": "B", "suggested_name": NAMES["B"], "suggested_probability": 0.95, "margin": 0.035, "words": ("工资", "拖欠"),
        "neighbours": ({"id": "T1", "label": "B", "name": NAMES["B"], "cosine": 0.97},), "twin": True,
        "snippet": "=拖欠工资三个月，电话〔手机号〕",
    }  # fmt: skip
    return plain | more


def found(*, curves: bool = True, drawn: bool = True) -> dict[str, Any]:
    measured = {"precision": 0.8, "recall": None, "f1": 0.5, "precision_interval": (0.7, 0.9), "recall_interval": None, "f1_interval": (0.4, 0.6)}
    gain = {"points": 1.5, "low": 0.5, "high": 2.5}
    return {
        "target": "issue_type", "created_at": "2026-11-20T08:00:00", "read": 12, "rejected": {"missing_body": 1}, "left_out": {"no label": 1},
        "rows": 10, "measured_rows": 10, "names": NAMES,
        "measures": {"accuracy": 0.9, "top3_accuracy": 1.0, "macro_f1": 0.8, "ece": 0.05, "coverage_at_95_precision": 0.4},
        "classes": [{"label": "A", "support": 6, "predicted": 5, **measured}, {"label": "B", "support": 1, "predicted": 0, **measured}],
        "confusion": {"labels": ["A", "B"], "counts": [[5, 1], [0, 3]], "others": [0, 1], "all_drawn": drawn},
        "pairs": [{"first": "A", "second": "B", "forth": 1, "back": 0, "of_first": 6, "of_second": 4, "examples": ["T9"]}],
        "pairs_left_out": 2,
        "coverage_curve": [(0.5, 1.0, 0.9), (1.0, 0.9, 0.4)],
        "reliability": [{"confidence": 0.8, "accuracy": 0.7, "rows": 10, "interval": (0.5, 0.9)}],
        "label_errors": {"count": 1, "estimated_share": 0.1},
        "curves": {
            "sizes": [2, 4, 8], "errors": [0.5, 0.4, 0.3], "intervals": [(0.3, 0.7)] * 3, "held_out": 2, "repeats": 2, "left_out": ["transformer"],
            "law": {"a": 0.1, "b": 0.5, "c": 0.4}, "backtest": (0.31, 0.3), "rows": 10, "gains": [{"more": 2, **gain}, {"more": 10, **gain}],
            "classes": [{"label": "B", "rows": 1, "more": 1, "recall": 0.0, "recall_points": 9.0, "curve": (), **gain}],
        } if curves else None,
    }  # fmt: skip


def test_the_page_tells_all_and_runs_nothing_else() -> None:
    page = render_diagnosis(found(), [doubt()])
    for said in ("可疑标注", "同文异标", "工资、拖欠", "再标 10 件", "易混对", "1 类只有一件", "语义模型"):
        assert said in page, said
    assert "&lt;b&gt;劳动&lt;/b&gt;保障" in page
    assert "<b>劳动</b>" not in page
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"<(link|img|iframe)\b|<script[^>]+src=", page.split("<script id")[0])
    assert "类别太多" in render_diagnosis(found(drawn=False), [])


def test_without_curves_and_without_doubts() -> None:
    page = render_diagnosis(found(curves=False), [])
    assert "没有发现可疑标注" in page
    assert 'id="curve"' not in page


def test_files_keep_ids_and_run_no_formula(tmp_path: Path) -> None:
    write_label_errors(tmp_path, [doubt(), doubt(petition_id="P2", words=(), neighbours=(), twin=False)])
    sheet = load_workbook(tmp_path / "label_errors.xlsx").active
    cells = [cell.value for cell in sheet[2]]
    assert cells[1] == "'0012"
    assert cells[12].startswith("'=")
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert sheet.max_row == 3
    lines = [orjson.loads(line) for line in (tmp_path / "label_errors.jsonl").read_bytes().splitlines()]
    assert [line["petition_id"] for line in lines] == ["0012", "P2"]
    write_label_errors(tmp_path, [])
    assert load_workbook(tmp_path / "label_errors.xlsx").active.max_row == 1
