"""The report of a diagnosis: one HTML page that opens anywhere and asks the network for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dispatch import charts, diagnosis_charts
from dispatch.report import digest, embedded, environment, plotly_script, template_text

TARGETS = {"unit": "承办单位", "issue_type": "问题类型"}
REASONS = {
    "no label": "没有标注", "label outside the directory": "标注不在单位目录内", "unit abolished without successor": "单位已撤销且无承接",
}  # fmt: skip
VIEWS = {"transformer": "语义模型", "history": "历史分办", "neighbours": "相似来件", "linear": "用语"}
#: Rows of the tables; the files beside the report hold all.
CLASS_ROWS, DOUBT_ROWS, WHERE_ROWS = 200, 300, 60


def render_diagnosis(found: Mapping[str, Any], doubts: Sequence[Mapping[str, Any]]) -> str:
    """Return the report as one HTML page.

    Args:
        found: what `diagnosis.json` says.
        doubts: doubtful labels with their evidence, the worst first; texts in them are masked.
    """
    figures = diagnosis_charts.figures(found)
    scripts = {"plotly": plotly_script(), "page": template_text("report.js")}
    hashes = " ".join(f"'sha256-{digest(text)}'" for text in scripts.values())
    classes = found["classes"]
    return environment().from_string(template_text("diagnosis.html.j2")).render(
        found=found,
        names=found["names"],
        target=TARGETS[found["target"]],
        policy=f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; font-src data:",
        style=Markup(template_text("report.css") + template_text("diagnosis.css")),  # noqa: S704 - our own files
        plotly=Markup(scripts["plotly"]),  # noqa: S704 - the library's own file
        script=Markup(scripts["page"]),  # noqa: S704 - our own file
        figures=Markup(embedded(figures)),  # noqa: S704 - escaped by embedded
        heights=charts.heights(figures),
        classes=classes[:CLASS_ROWS],
        more_classes=max(len(classes) - CLASS_ROWS, 0),
        scarce=sum(entry["support"] == 1 for entry in classes),
        doubts=doubts[:DOUBT_ROWS],
        where=found["curves"]["classes"][:WHERE_ROWS] if found["curves"] else [],
        reasons=REASONS,
        views=VIEWS,
    )
