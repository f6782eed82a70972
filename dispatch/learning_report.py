"""The report of a retraining: one HTML page that opens anywhere and asks the network for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from dispatch import charts, learning_charts
from dispatch.report import digest, embedded, environment, plotly_script, template_text

TARGETS = {"unit": "承办单位", "issue_type": "问题类型"}
DECISIONS = {
    "promoted": "候选模型已上线", "overridden": "经人决定上线", "refused": "未通过检验，未上线", "declined": "经人审批，不上线",
    "waiting": "通过检验，待审批", "unchanged": "与现用模型相同", "failed": "未能上线",
}  # fmt: skip
VERDICTS = {
    "better": "更好", "equal": "无显著差别", "worse": "更差", "blocked": "不予比较", "first": "首个模型", "": "",
}  # fmt: skip
MEASURES = {
    "accuracy": "首选正确率", "top3_accuracy": "前三命中", "macro_f1": "宏平均 F1", "ece": "校准误差 ECE", "coverage": "直派比例",
}  # fmt: skip
SCOPES = {"overall": "总体", "class": "类别", "channel": "渠道", "length": "字数", "month": "月份"}
REASONS = {
    "no label": "没有标注", "label outside the directory": "标注不在单位目录内", "unit abolished without successor": "单位已撤销且无承接",
    "same text, same label": "同文同标注，只留一件", "same text, different labels": "同文不同标注，全部搁置",
    "corrected by a person": "人工更正前的旧标注", "text holds a reply": "正文含单位答复",
}  # fmt: skip
#: Rows of the table of classes and slices.
_ROWS = 60


def render_retrain(run: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return the report of a retraining as one HTML page.

    Args:
        run: what `retrain.json` says.
        names: label → what to call it (unit names, issue types).
    """
    rows = run["gate"]["rows"]
    groups = [row for row in rows if row["scope"] != "overall"]
    groups.sort(key=lambda row: (row["verdict"] == "equal", -abs(row["difference"] or 0.0), row["name"]))
    figures = learning_charts.figures(run, names, MEASURES)
    scripts = {"plotly": plotly_script(), "page": template_text("report.js")}
    hashes = " ".join(f"'sha256-{digest(text)}'" for text in scripts.values())
    return environment().from_string(template_text("retrain.html.j2")).render(
        run=run,
        policy=f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; font-src data:",
        style=Markup(template_text("report.css") + template_text("retrain.css")),  # noqa: S704 - our own files
        plotly=Markup(scripts["plotly"]),  # noqa: S704 - the library's own file
        script=Markup(scripts["page"]),  # noqa: S704 - our own file
        figures=Markup(embedded(figures)),  # noqa: S704 - escaped by embedded
        heights=charts.heights(figures),
        overall=[row for row in rows if row["scope"] == "overall"],
        groups=groups[:_ROWS],
        more=max(len(groups) - _ROWS, 0),
        target=TARGETS[run["target"]],
        decision=DECISIONS[run["decision"]],
        verdicts=VERDICTS,
        measures=MEASURES,
        scopes=SCOPES,
        reasons=REASONS,
        names=names,
    )
