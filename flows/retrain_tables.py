"""A retraining as a small table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dispatch.learning_report import DECISIONS, MEASURES, REASONS, TARGETS
from flows.tables import width

_VERDICTS = {"better": "更好 better", "equal": "无显著差别 equal", "worse": "更差 worse", "": ""}


def retrain_table(run: Mapping[str, Any]) -> str:
    """Return what became of the rows, how the candidate compares and what was decided."""
    rows = run["rows"]
    lines = [
        "",
        f"{TARGETS[run['target']]} {run['target']}   候选 candidate {run['candidate']}   现用 champion {run['champion'] or '–'}",
        f"  读入 read {rows['read']}   学习 train {rows['train']}   检验 test {rows['test']}（可比 compared {run['compared']}）   "
        f"类 classes {rows['classes']}",
    ]
    if told := rows["decisions"]["used"]:
        lines.append(f"  办理决定 from decisions {rows['from_decisions']}: " + ", ".join(f"{name} {count}" for name, count in told.items()))
    for key, title in (("left_out", "未用 left out"), ("rejected", "未读成 rejected")):
        lines += [f"  {title}: {count}  {reason} {REASONS.get(reason, '')}".rstrip() for reason, count in rows[key].items()]
    if rows["contradictory"]:
        lines.append(f"  同文不同标注 contradictory: {', '.join(rows['contradictory'][:5])} …")
    if rows["small_classes"]:
        lines.append(f"  只有一件的类别 classes with one row: {', '.join(rows['small_classes'][:5])} …")
    overall = [row for row in run["gate"]["rows"] if row["scope"] == "overall"]
    if overall:
        lines += ["", "  " + _padded("指标 measure", 26) + "  候选   现用     相差 (95 %)            "]
    for row in overall:
        name = _padded(f"{MEASURES.get(row['name'], '')} {row['name']}", 26)
        cells = f"{row['candidate']:6.3f} {_number(row['champion'])}"
        if row["difference"] is not None:
            cells += f"   {row['difference']:+.3f} ({row['low']:+.3f} … {row['high']:+.3f})   {_VERDICTS[row['verdict']]}"
        lines.append(f"  {name}{cells}")
    worse = [row for row in run["gate"]["rows"] if row["scope"] != "overall" and row["verdict"] == "worse"]
    lines += [f"  变差 worse: {row['scope']} {row['name']} {row['champion']:.3f} → {row['candidate']:.3f}" for row in worse]
    lines += ["", *(f"  {reason}" for reason in (*run["gate"]["reasons"], *run["notes"]))]
    lines += ["", f"{DECISIONS[run['decision']]} {run['decision']}" + (f"   {run['by']}" if run["by"] else "")]
    if run["decision"] in ("waiting", "refused"):
        lines.append(f"  上线 to put it in service: minqing models promote {run['candidate']} --by NAME --why …")
    return "\n".join([*lines, f"报告 report: {Path(run['out']) / 'report.html'}"])


def _padded(text: str, columns: int) -> str:
    return text + " " * max(columns - width(text), 1)


def _number(value: float | None) -> str:
    return f"{'–' if value is None else f'{value:.3f}':>6}"
