"""The charts of a diagnosis, as plain plotly figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dispatch.charts import AUTO, INK, LINE, QUIET, REVIEW, URGENT, axis, layout, safe

_SHORT = 14
#: Below so many classes the numbers stand in the cells of the confusion.
_WRITTEN = 16
#: Classes in the chart of where more labels help.
WHERE_BARS = 20


def figures(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures by the id of their place in the page; `found` is what `diagnosis.json` says."""
    made = {
        "confusion": _confusion(found["confusion"], found["names"]),
        "coverage": _coverage(found["coverage_curve"]),
        "reliability": _reliability(found["reliability"]),
    }
    if found["curves"]:
        made["curve"] = _curve(found["curves"])
        made["where"] = _where(found["curves"]["classes"], found["names"])
    return {name: figure.to_plotly_json() for name, figure in made.items()}


def short(name: str) -> str:
    """Return a class's name as an axis has room for it: the last part of a path, cut in the middle."""
    last = name.rsplit("/", 1)[-1]
    return last if len(last) <= _SHORT else f"{last[:8]}…{last[-5:]}"


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "font": {"size": 13, "color": QUIET}}


def _confusion(found: Mapping[str, Any], names: Mapping[str, str]) -> go.Figure:
    labels, counts, others = found["labels"], found["counts"], found["others"]
    full = [safe(names[label]) for label in labels]
    # Two classes may be short for the same: the label keeps them apart on the axis, the text is what is shown.
    shown = [safe(short(names[label])) for label in labels]
    rows = [sum(row) + rest for row, rest in zip(counts, others, strict=True)]
    share = [[(count / max(total, 1)) for count in row] for row, total in zip(counts, rows, strict=True)]
    mistakes = [[value if i != j else None for j, value in enumerate(row)] for i, row in enumerate(share)]
    right = [[value if i == j else None for j, value in enumerate(row)] for i, row in enumerate(share)]
    size = len(labels)
    figure = go.Figure()
    at = list(range(size))
    top = max((value for row in mistakes for value in row if value is not None), default=0.0) or 1.0
    hover = [
        [
            f"原标注 {full[i]}<br>模型给出 {full[j]}<br>{counts[i][j]:,} 件，占原标注的 {share[i][j]:.1%}" for j in range(size)
        ]
        for i in range(size)
    ]  # fmt: skip
    for values, scale, most in (
        (mistakes, [[0, "#ffffff"], [0.15, "#f6e3d3"], [0.5, "#dd9a68"], [1, URGENT]], top),
        (right, [[0, "#eef3f6"], [1, "#7fa6ba"]], 1.0),
    ):
        figure.add_heatmap(
            z=values, x=at, y=at, colorscale=scale, zmin=0, zmax=most, showscale=False, xgap=1, ygap=1, customdata=hover,
            hovertemplate="%{customdata}<extra></extra>", hoverongaps=False,
        )  # fmt: skip
    if size <= _WRITTEN:
        for i in range(size):
            for j in range(size):
                if counts[i][j]:
                    dark = i != j and share[i][j] > 0.6 * top
                    figure.add_annotation(
                        x=j, y=i, text=f"{counts[i][j]:,}", showarrow=False, font={"size": 12, "color": "#fff" if dark else INK}
                    )
    side = 34 if size <= _WRITTEN else 20
    ticks = {"tickmode": "array", "tickvals": at, "showgrid": False, "tickfont": {"size": 12 if size <= _WRITTEN else 11}}
    return layout(
        figure,
        max(side * size, 160) + 190,
        xaxis=axis(side="top", tickangle=-50, ticktext=shown, title=_title("模型给出"), **ticks),
        yaxis=axis(autorange="reversed", ticktext=[f"{n}  {r:,}" for n, r in zip(shown, rows, strict=True)], **ticks),
    )


def _coverage(points: Sequence[Sequence[float]]) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        x=[p[0] for p in points], y=[p[1] for p in points], mode="lines", line={"color": AUTO, "width": 2.5}, customdata=[p[2] for p in points],
        hovertemplate="最有把握的 %{x:.0%}<br>其中 %{y:.1%} 正确<br>概率不低于 %{customdata:.2f}<extra></extra>",
    )  # fmt: skip
    lowest = min((p[1] for p in points), default=0.0)
    return layout(
        figure, 320, showlegend=False,
        xaxis=axis(range=[0, 1.01], tickformat=".0%", title=_title("直接采用的比例（最有把握的在前）")),
        yaxis=axis(range=[max(lowest - 0.05, 0), 1.005], tickformat=".0%", title=_title("其中正确")),
    )  # fmt: skip


def _reliability(bins: Sequence[Mapping[str, Any]]) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": LINE, "dash": "dash"}, hoverinfo="skip")
    figure.add_scatter(
        x=[b["confidence"] for b in bins], y=[b["accuracy"] for b in bins], mode="lines+markers",
        line={"color": AUTO, "width": 1.5}, marker={"size": 8},
        error_y={
            "type": "data", "symmetric": False, "color": QUIET, "thickness": 1, "width": 4,
            "array": [b["interval"][1] - b["accuracy"] for b in bins],
            "arrayminus": [b["accuracy"] - b["interval"][0] for b in bins],
        },
        customdata=[b["rows"] for b in bins],
        hovertemplate="模型说 %{x:.1%}<br>实际 %{y:.1%} 正确（%{customdata:,} 件）<extra></extra>",
    )  # fmt: skip
    return layout(
        figure, 320, showlegend=False,
        xaxis=axis(range=[0, 1.01], tickformat=".0%", title=_title("模型给出的概率")),
        yaxis=axis(range=[0, 1.01], tickformat=".0%", title=_title("实际正确")),
    )  # fmt: skip


def _curve(found: Mapping[str, Any]) -> go.Figure:
    law, sizes = found["law"], found["sizes"]
    accuracy = [1 - error for error in found["errors"]]
    low = [error_high - error for error, (_, error_high) in zip(found["errors"], found["intervals"], strict=True)]
    high = [error - error_low for error, (error_low, _) in zip(found["errors"], found["intervals"], strict=True)]
    end = found["rows"] + found["gains"][-1]["more"]

    def line(start: float, stop: float) -> tuple[list[float], list[float]]:
        x = [start * (stop / start) ** (i / 40) for i in range(41)]
        return x, [1 - law["a"] - law["b"] * n ** -law["c"] for n in x]

    figure = go.Figure()
    now = 1 - law["a"] - law["b"] * found["rows"] ** -law["c"]
    at = [found["rows"], *(found["rows"] + gain["more"] for gain in found["gains"])]
    ahead = [(now + g["low"] / 100, now + g["high"] / 100) for g in found["gains"]]
    figure.add_scatter(
        x=[*at, *reversed(at)], y=[now, *(top for _, top in ahead), *(foot for foot, _ in reversed(ahead)), now], fill="toself", mode="none",
        fillcolor="rgba(201,162,75,.22)", name="估计的 90% 区间", hoverinfo="skip",
    )  # fmt: skip
    for (x, y), dash, name, colour in (
        (line(sizes[0], found["rows"]), "solid", "拟合曲线", AUTO),
        (line(found["rows"], end), "dot", "外推（估计）", REVIEW),
    ):
        figure.add_scatter(x=x, y=y, mode="lines", line={"dash": dash, "color": colour, "width": 2}, name=name, hovertemplate="%{x:,.0f} 件标注<br>约 %{y:.1%}<extra></extra>")
    figure.add_scatter(
        x=sizes, y=accuracy, mode="markers", name="实测", marker={"size": 9, "color": AUTO},
        error_y={"type": "data", "symmetric": False, "array": high, "arrayminus": low, "color": QUIET, "thickness": 1, "width": 4},
        hovertemplate="%{x:,} 件标注<br>实测 %{y:.1%}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=found["rows"], line={"color": QUIET, "width": 1, "dash": "dash"}, annotation={"text": f"现有 {found['rows']:,} 件", "font": {"size": 12, "color": QUIET}, "xanchor": "right", "xshift": -4, "yanchor": "bottom", "y": 0})
    return layout(
        figure, 380,
        xaxis=axis(tickformat=",d", title=_title("标注件数"), rangemode="tozero"),
        yaxis=axis(tickformat=".0%", title=_title("首选正确率")),
    )  # fmt: skip


def _where(classes: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> go.Figure:
    shown = [entry for entry in classes if entry["points"] > 0][:WHERE_BARS]
    labels = [safe(f"{short(names[entry['label']])}（再标 {entry['more']:,} 件）") for entry in shown]
    figure = go.Figure()
    figure.add_bar(
        y=list(range(len(shown))), x=[entry["points"] for entry in shown], orientation="h", marker_color=AUTO,
        error_x={
            "type": "data", "symmetric": False, "color": QUIET, "thickness": 1, "width": 4,
            "array": [max(entry["high"] - entry["points"], 0) for entry in shown],
            "arrayminus": [max(entry["points"] - entry["low"], 0) for entry in shown],
        },
        customdata=[[safe(names[e["label"]]), e["rows"], e["recall"], e["recall_points"], e["more"]] for e in shown],
        hovertemplate="%{customdata[0]}<br>现有 %{customdata[1]:,} 件，召回 %{customdata[2]:.1%}<br>"
        "再标 %{customdata[4]:,} 件：自身召回约 +%{customdata[3]:.1f} 点，总体约 +%{x:.2f} 点<extra></extra>",
    )  # fmt: skip
    return layout(
        figure, 90 + 26 * len(shown), bargap=0.3, showlegend=False, hovermode="closest",
        xaxis=axis(rangemode="tozero", title=_title("总体正确率的估计增量（百分点）")),
        yaxis=axis(autorange="reversed", showgrid=False, tickmode="array", tickvals=list(range(len(shown))), ticktext=labels, ticksuffix="  "),
    )  # fmt: skip
