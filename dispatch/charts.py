"""The charts of the report, as plain plotly figures."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from dispatch.labels import URGENCY_LEVELS, URGENCY_NAMES

if TYPE_CHECKING:
    from dispatch.report import ReportData

UNIT_BARS = 25

FONT = '"Noto Sans SC","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif'
INK, QUIET, LINE = "#22303c", "#5b6b79", "#dde3e8"
AUTO, REVIEW, URGENT = "#2f6f8f", "#c9a24b", "#b3372f"
LEVEL_COLOURS = {"normal": "#9db4c3", "elevated": "#d9b866", "urgent": "#cf7a45", "critical": URGENT}
#: Branches of the issue tree; white letters on each have a contrast of at least 4.5 to 1.
BRANCHES = (
    "#3f7892", "#5d7959", "#8b6d30", "#856b97", "#a26457", "#467d79", "#68728e",
    "#817153", "#597795", "#6e7946", "#916879", "#5a7681", "#846d5f", "#68765b", "#7d6f8f",
)  # fmt: skip


def figures(data: ReportData, spans: Sequence[tuple[str, int, int]], no_deadline: str) -> dict[str, Any]:
    """Return the figures by the id of their place in the page; those without data are left out."""
    if not data.routed:
        return {}
    made = {
        "units": _units(data),
        "issues": _issues(data),
        "confidence": _confidence(data),
        "ageing": _ageing(data, [*(name for name, _, _ in spans), no_deadline]),
    }
    return {name: figure.to_plotly_json() for name, figure in made.items()}


def heights(made: dict[str, Any]) -> dict[str, int]:
    """Return the height of each figure in pixels, so that the page does not jump while they are drawn."""
    return {name: int(figure["layout"]["height"]) for name, figure in made.items()}


def safe(text: str) -> str:
    """Escape what plotly would take for markup."""
    return html.escape(text, quote=False)


def layout(figure: go.Figure, height: int, **more: Any) -> go.Figure:  # noqa: ANN401 - plotly's options
    """Give a figure the look of all; return it."""
    figure.update_layout(
        template=None,
        height=height,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left", "traceorder": "normal"},
        hoverlabel={"font": {"family": FONT, "size": 13}},
        **more,
    )
    return figure


def axis(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - plotly's options
    """Return the options of an axis, with the look of all."""
    return {"gridcolor": LINE, "linecolor": LINE, "zeroline": False, "automargin": True, "fixedrange": True} | more


def _units(data: ReportData) -> go.Figure:
    totals: Counter[str] = Counter()
    for (name, _), count in data.units.items():
        totals[name] += count
    names = [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:UNIT_BARS]]
    auto = [data.units[name, "auto"] for name in names]
    rest = [totals[name] - count for name, count in zip(names, auto, strict=True)]
    labels = [safe(name) for name in names]
    figure = go.Figure()
    for label, values, colour in (("自动转派", auto, AUTO), ("人工复核", rest, REVIEW)):
        figure.add_bar(
            y=labels, x=values, name=label, orientation="h", marker_color=colour,
            hovertemplate=f"%{{y}}<br>{label} %{{x:,}} 件<extra></extra>",
        )  # fmt: skip
    for label, name in zip(labels, names, strict=True):
        figure.add_annotation(
            y=label, x=totals[name], text=f"{totals[name]:,}", showarrow=False, xanchor="left", xshift=4,
            font={"size": 12, "color": QUIET},
        )  # fmt: skip
    return layout(
        figure,
        70 + 22 * len(names),
        barmode="stack",
        bargap=0.28,
        xaxis=axis(side="bottom", tickformat=",d", title=None, range=[0, max(totals.values()) * 1.08]),
        yaxis=axis(autorange="reversed", ticks="", showgrid=False, ticksuffix="  "),
    )


def _issues(data: ReportData) -> go.Figure:
    names = dict(data.issue_names)
    totals: Counter[str] = Counter()
    for (code, name), count in data.issues.items():
        names.setdefault(code, name)
        # Codes that are not of the tree (labels of a city without codes) stand at the top by themselves.
        steps = range(2, len(code) + 1, 2) if code.isdigit() and len(code) in {2, 4, 6} else (len(code),)
        for end in steps:
            totals[code[:end]] += count
    codes = sorted(totals)
    roots = sorted({code[:2] if code.isdigit() else code for code in codes}, key=lambda code: (-totals[code], code))
    colours = {code: BRANCHES[place % len(BRANCHES)] for place, code in enumerate(roots)}
    figure = go.Figure(
        go.Treemap(
            ids=codes,
            labels=[safe(names.get(code, code)) for code in codes],
            parents=[code[:-2] if code.isdigit() and len(code) in {4, 6} else "" for code in codes],
            values=[totals[code] for code in codes],
            branchvalues="total",
            marker={
                "colors": [colours[code[:2] if code.isdigit() else code] for code in codes],
                "line": {"width": 1, "color": "#ffffff"},
                "pad": {"t": 26, "l": 3, "r": 3, "b": 3},
            },
            tiling={"pad": 1},
            textfont={"family": FONT, "size": 13, "color": "#ffffff"},
            texttemplate="%{label}  %{value:,}",
            hovertemplate="%{label}<br>%{value:,} 件，占 %{percentRoot:.1%}<extra></extra>",
            pathbar={"visible": True, "thickness": 22},
            maxdepth=2,  # the third level opens on a click
            sort=True,
        )
    )
    return layout(figure, 460)


def _confidence(data: ReportData) -> go.Figure:
    bins = data.confidence.shape[1]
    centres = [(place + 0.5) / bins for place in range(bins)]
    figure = go.Figure()
    for label, values, colour in (("自动转派", data.confidence[0], AUTO), ("人工复核", data.confidence[1], REVIEW)):
        figure.add_bar(
            x=centres, y=values.tolist(), width=1 / bins, name=label, marker_color=colour, marker_line_width=0,
            hovertemplate=f"置信度约 %{{x:.0%}}<br>{label} %{{y:,}} 件<extra></extra>",
        )  # fmt: skip
    if data.auto_threshold is not None:
        figure.add_vline(
            x=data.auto_threshold, line={"color": URGENT, "width": 1.5, "dash": "dash"},
            annotation={"text": f"自动门槛 {data.auto_threshold:.0%}", "font": {"color": URGENT, "size": 12},
                        "xanchor": "right", "xshift": -4},
        )  # fmt: skip
    return layout(
        figure,
        320,
        barmode="stack",
        bargap=0.06,
        xaxis=axis(range=[0, 1.002], tickformat=".0%", dtick=0.1, showgrid=False),
        yaxis=axis(tickformat=",d", rangemode="tozero"),
    )


def _ageing(data: ReportData, spans: list[str]) -> go.Figure:
    figure = go.Figure()
    known = [*URGENCY_LEVELS, *sorted({level for _, level in data.ageing} - set(URGENCY_LEVELS))]
    for level in known:
        label = URGENCY_NAMES.get(level, level)
        figure.add_bar(
            x=spans, y=[data.ageing[span, level] for span in spans], name=safe(label),
            marker_color=LEVEL_COLOURS.get(level, QUIET),
            hovertemplate=f"%{{x}}<br>{safe(label)} %{{y:,}} 件<extra></extra>",
        )  # fmt: skip
    return layout(
        figure,
        320,
        barmode="stack",
        bargap=0.35,
        xaxis=axis(type="category", showgrid=False),
        yaxis=axis(tickformat=",d", rangemode="tozero"),
    )
