"""What a retraining leaves: `retrain.json`, `report.html`, and a summary for Prefect."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.issue_tree import IssueTree
from corpora.workspace import models_dir
from dispatch.learning_report import DECISIONS, MEASURES, REASONS, TARGETS, VERDICTS, render_retrain
from flows.options import dumped
from models import registry
from models.saved import city_of, directory_of


def write(run: Mapping[str, Any], folder: Path) -> None:
    """Write record and report into a folder; each file appears whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in (("retrain.json", dumped(run) + "\n"), ("report.html", render_retrain(run, _names(run)))):
        draft = folder / f".{name}.part"
        draft.write_text(text, "utf-8")
        draft.replace(folder / name)


def _names(run: Mapping[str, Any]) -> dict[str, str]:
    """Return label → what to call it."""
    saved = registry.load(models_dir(), run["target"], run["candidate"], arrays=False)
    if run["target"] == "issue_type" or saved is None:
        return {node.code: node.name for node in IssueTree.load().nodes}
    return {str(unit.code): unit.name for unit in directory_of(saved, city_of(saved)).units}


def summary(run: Mapping[str, Any]) -> str:
    """Return a retraining in Markdown: what was learnt from, how it compares, what was decided."""
    rows, gate = run["rows"], run["gate"]
    lines = [
        f"## {TARGETS[run['target']]}模型再训练：{DECISIONS.get(run['decision'], '比较完毕')}",
        "",
        f"候选 `{run['candidate']}`，现用 `{run['champion'] or '无'}`；检验 {VERDICTS[gate['verdict']]}",
        "",
        *(f"- {reason}" for reason in (*gate["reasons"], *run["notes"])),
        "",
        "| 数据 | 行 |",
        "|---|---|",
        f"| 读入 | {rows['read']} |",
        *(f"| {REASONS.get(reason, reason)} | {count} |" for reason, count in rows["left_out"].items()),
        *(f"| 未读成：{reason} | {count} |" for reason, count in rows["rejected"].items()),
        f"| 学习 | {rows['train']} |",
        f"| 检验（可比） | {run['compared']} |",
        "",
        "| 指标 | 候选 | 现用 | 判断 |",
        "|---|---|---|---|",
        *(
            f"| {MEASURES.get(row['name'], row['name'])} | {row['candidate']:.3f} | {_number(row['champion'])} | {VERDICTS[row['verdict']]} |"
            for row in gate["rows"]
            if row["scope"] == "overall"
        ),
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
