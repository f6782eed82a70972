"""The charts of a retraining's report, as plain plotly figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dispatch.charts import AUTO, INK, LINE, QUIET, REVIEW, URGENT, axis, layout, safe

CLASS_BARS = 24
SIDES = (("champion", "现用模型", QUIET), ("candidate", "候选模型", AUTO))
_VERDICTS = {"better": "#3d7a55", "worse": URGENT, "equal": "#9db4c3", "": "#9db4c3"}


def figures(run: Mapping[str, Any], names: Mapping[str, str], measures: Mapping[str, str]) -> dict[str, Any]:
    """Return the figures by the id of their place in the page; those without data are left out.

    Args:
        run: what `retrain.json` says.
        names: label → what to call it.
        measures: measure → what to call it.
    """
    rows = run["gate"]["rows"]
    made: dict[str, go.Figure] = {"funnel": _funnel(run["rows"])}
    overall = [row for row in rows if row["scope"] == "overall" and row["difference"] is not None]
    if overall:
        made["differences"] = _differences(overall, measures)
    classes = [row for row in rows if row["scope"] == "class" and row["difference"]]
    if classes:
        made["classes"] = _classes(classes, names)
    if run["curves"]:
        made["coverage"] = _coverage(run["curves"])
        made["reliability"] = _reliability(run["curves"])
    return {name: figure.to_plotly_json() for name, figure in made.items()}


def _funnel(rows: Mapping[str, Any]) -> go.Figure:
    steps = [
        ("读入", rows["read"]),
        ("读成", rows["read"] - sum(rows["rejected"].values())),
        ("可用", rows["train"] + rows["test"]),
        ("学习", rows["train"]),
        ("检验", rows["test"]),
    ]
    figure = go.Figure()
    figure.add_bar(
        y=[name for name, _ in steps], x=[count for _, count in steps], orientation="h",
        marker_color=["#9db4c3", "#9db4c3", "#9db4c3", AUTO, REVIEW], text=[f"{count:,}" for _, count in steps],
        textposition="outside", cliponaxis=False, hovertemplate="%{y} %{x:,} 行<extra></extra>",
    )  # fmt: skip
    most = max(rows["read"], 1)
    return layout(
        figure, 220, bargap=0.3, showlegend=False, xaxis=axis(range=[0, most * 1.12], tickformat=",d"),
        yaxis=axis(autorange="reversed", showgrid=False, ticksuffix="  "),
    )  # fmt: skip


def _differences(rows: Sequence[Mapping[str, Any]], measures: Mapping[str, str]) -> go.Figure:
    figure = go.Figure()
    labels = [measures.get(row["name"], row["name"]) for row in rows]
    values = [row["difference"] * 100 for row in rows]
    above = [max((row["high"] if row["high"] is not None else row["difference"]) - row["difference"], 0) * 100 for row in rows]
    below = [max(row["difference"] - (row["low"] if row["low"] is not None else row["difference"]), 0) * 100 for row in rows]
    figure.add_scatter(
        y=labels, x=values, mode="markers", marker={"size": 11, "color": [_VERDICTS[row["verdict"]] for row in rows]},
        error_x={"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": INK, "thickness": 1.4, "width": 5},
        hovertemplate="%{y}<br>相差 %{x:+.1f} 个百分点<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": QUIET, "width": 1})
    return layout(
        figure, 80 + 38 * len(rows), showlegend=False, xaxis=axis(title="候选 − 现用（百分点，横线为 95% 区间）", tickformat="+.1f"),
        yaxis=axis(autorange="reversed", ticksuffix="  "),
    )  # fmt: skip


def _classes(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> go.Figure:
    shown = sorted(rows, key=lambda row: -abs(row["difference"]))[:CLASS_BARS]
    shown.sort(key=lambda row: row["difference"])
    figure = go.Figure()
    labels = [f"{safe(names.get(row['name'], row['name']))}（{row['rows']}）" for row in shown]
    for row, label in zip(shown, labels, strict=True):
        figure.add_scatter(
            x=[row["champion"], row["candidate"]], y=[label, label], mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": _VERDICTS[row["verdict"]], "width": 3},
        )  # fmt: skip
    for key, name, colour in SIDES:
        figure.add_scatter(
            x=[row[key] for row in shown], y=labels, mode="markers", name=name, marker={"color": colour, "size": 9},
            hovertemplate=f"%{{y}}<br>{name} %{{x:.1%}}<extra></extra>",
        )  # fmt: skip
    return layout(
        figure, 90 + 24 * len(shown), xaxis=axis(range=[-0.02, 1.02], tickformat=".0%"), yaxis=axis(ticksuffix="  "),
    )  # fmt: skip


def _coverage(curves: Mapping[str, Any]) -> go.Figure:
    figure = go.Figure()
    lowest = 1.0
    for key, name, colour in SIDES:
        if key in curves:
            points = curves[key]["coverage"]
            lowest = min(lowest, *(precision for _, precision, _ in points))
            figure.add_scatter(
                x=[share for share, _, _ in points], y=[precision for _, precision, _ in points], mode="lines", name=name,
                line={"color": colour, "width": 2.2}, customdata=[threshold for _, _, threshold in points],
                hovertemplate=f"{name}<br>直派 %{{x:.0%}}，正确 %{{y:.1%}}<br>门槛 %{{customdata:.2f}}<extra></extra>",
            )  # fmt: skip
    figure.add_hline(y=0.95, line={"color": REVIEW, "width": 1, "dash": "dash"})
    return layout(
        figure, 330, xaxis=axis(title="直派比例", range=[0, 1.01], tickformat=".0%"),
        yaxis=axis(title="其中正确", range=[max(min(lowest, 0.9) - 0.03, 0), 1.01], tickformat=".0%"),
    )  # fmt: skip


def _reliability(curves: Mapping[str, Any]) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": LINE, "width": 2}, showlegend=False, hoverinfo="skip"
    )
    for key, name, colour in SIDES:
        if key in curves:
            points = curves[key]["reliability"]
            most = max(rows for _, _, rows in points)
            figure.add_scatter(
                x=[mean for mean, _, _ in points], y=[right for _, right, _ in points], mode="lines+markers", name=name,
                line={"color": colour, "width": 1.6}, customdata=[rows for _, _, rows in points],
                marker={"color": colour, "size": [6 + 12 * (rows / most) ** 0.5 for _, _, rows in points]},
                hovertemplate=f"{name}<br>说 %{{x:.1%}}，对 %{{y:.1%}}<br>%{{customdata:,}} 行<extra></extra>",
            )  # fmt: skip
    return layout(
        figure, 330, xaxis=axis(title="模型所说的把握", range=[0, 1.02], tickformat=".0%"),
        yaxis=axis(title="实际正确", range=[0, 1.03], tickformat=".0%"),
    )  # fmt: skip
