"""The drift report: one HTML page that opens anywhere and asks the network for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dispatch import charts, watch_charts
from dispatch.report import digest, embedded, environment, plotly_script, template_text

VERDICTS = {"stable": "平稳", "undecided": "不作判断", "watch": "留意", "retrain": "建议重新训练"}
STATUSES = {"stable": "平稳", "moderate": "有变化", "major": "显著变化", "unknown": "无从比较"}
TARGETS = {"unit": "承办单位", "issue_type": "问题类型"}
_WHY = {"no reference": "该模型没有训练时的参照", "not in the reference": "训练数据没有此项", "not in the window": "本期没有此项"}


def render_watch(result: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> str:
    """Return the report of a watch as one HTML page.

    Args:
        result: what `watch.json` says.
        history: earlier watches, oldest first, this one included; the trend is drawn from them.
    """
    figures = watch_charts.figures(result, history)
    scripts = {"plotly": plotly_script(), "page": template_text("report.js")}
    hashes = " ".join(f"'sha256-{digest(text)}'" for text in scripts.values())
    return environment().from_string(template_text("watch.html.j2")).render(
        data=result,
        policy=f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; font-src data:",
        style=Markup(template_text("report.css") + template_text("watch.css")),  # noqa: S704 - our own files
        plotly=Markup(scripts["plotly"]),  # noqa: S704 - the library's own file
        script=Markup(scripts["page"]),  # noqa: S704 - our own file
        figures=Markup(embedded(figures)),  # noqa: S704 - escaped by embedded
        heights=charts.heights(figures),
        verdicts=VERDICTS,
        statuses=STATUSES,
        names=TARGETS,
        why=lambda text: _WHY.get(text, f"样本不足，少于 {result['limits']['min_rows']} 件" if text.startswith("fewer") else text),
        mean=lambda name, value: f"{value:.0f} 字" if name == "length" else f"{value:.1%}",
    )  # fmt: skip
