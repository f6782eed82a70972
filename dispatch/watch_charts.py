"""The charts of the drift report, as plain plotly figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dispatch.charts import AUTO, QUIET, REVIEW, URGENT, axis, layout, safe

#: Before and now; the lighter one is the past.
BEFORE, NOW = "#b9c7d1", AUTO
LINES = (AUTO, REVIEW, "#5d7959", "#856b97", "#a26457", "#68728e")
#: Bars of a chart; a city has hundreds of units, and few of them move.
MIX_BARS = 18
UNIT_BARS = 15
NAME_LENGTH = 22


def figures(result: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures by the id of their place in the page; those without data are left out.

    Args:
        result: what `watch.json` says.
        history: earlier runs, oldest first, this one included.
    """
    made: dict[str, go.Figure | None] = {}
    for target, one in result["targets"].items():
        compared = {item["name"]: item for item in one["dimensions"] if item["bars"]}
        for name in ("predicted", "label", "channel"):
            if name in compared:
                made[f"{target}-{name}"] = _mix(compared[name])
        for name in ("confidence", "unknown", "length"):
            if name in compared:
                made[f"{target}-{name}"] = _histogram(compared[name])
        if any(unit["back"] for unit in one["units"]):
            made[f"{target}-refusals"] = _refusals(one, result["limits"]["refusal_limit"])
        made[f"{target}-trend"] = _trend(one, target, history, result["limits"])
    return {name: figure.to_plotly_json() for name, figure in made.items() if figure is not None}


def _mix(item: Mapping[str, Any]) -> go.Figure:
    """Shares before and now, the largest changes first."""
    bars = sorted(item["bars"], key=lambda bar: (bar["name"] == "…", -abs(bar["now"] - bar["before"])))[:MIX_BARS]
    names = _unique(["其余" if bar["name"] == "…" else _short(bar["name"]) for bar in bars])
    figure = go.Figure()
    for label, key, colour in (("训练时", "before", BEFORE), ("本期", "now", NOW)):
        figure.add_bar(
            y=names, x=[bar[key] for bar in bars], name=label, orientation="h", marker_color=colour,
            customdata=[safe(bar["name"]) for bar in bars],
            hovertemplate=f"%{{customdata}}<br>{label} %{{x:.1%}}<extra></extra>",
        )  # fmt: skip
    return layout(
        figure, 74 + 32 * len(names), barmode="group", bargap=0.3, bargroupgap=0.05,
        xaxis=axis(tickformat=".0%", rangemode="tozero"),
        yaxis=axis(autorange="reversed", showgrid=False, ticksuffix="  "),
    )  # fmt: skip


def _histogram(item: Mapping[str, Any]) -> go.Figure:
    bins = _unique([_bin(item["name"], bar["name"]) for bar in item["bars"]])
    figure = go.Figure()
    for label, key, colour in (("训练时", "before", BEFORE), ("本期", "now", NOW)):
        figure.add_bar(
            x=bins, y=[bar[key] for bar in item["bars"]], name=label, marker_color=colour,
            hovertemplate=f"%{{x}}<br>{label} %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    return layout(
        figure, 280, barmode="group", bargap=0.22, bargroupgap=0.04,
        xaxis=axis(type="category", showgrid=False, tickangle=0, tickfont={"size": 11}), yaxis=axis(tickformat=".0%", rangemode="tozero"),
    )  # fmt: skip


def _bin(dimension: str, name: str) -> str:
    """Return a bin's bounds as a person reads them: shares as per cent, `36–45%`."""
    if dimension == "length":
        return safe(name)
    sign = name[0] if name[:1] in "<≥" else ""
    parts = [float(part) * 100 for part in name.removeprefix(sign).split("–") if part]
    digits = 0 if all(part >= 10 for part in parts) else 1
    return safe(sign + "–".join(f"{part:.{digits}f}" for part in parts) + ("%" if parts else ""))


def _refusals(one: Mapping[str, Any], limit: float) -> go.Figure:
    units = [unit for unit in one["units"] if unit["back"]]
    units = sorted(units, key=lambda unit: (-unit["raised"], -unit["low"], unit["name"]))[:UNIT_BARS]
    names = _unique([_short(unit["name"]) for unit in units])
    rates = [unit["rate"] for unit in units]
    figure = go.Figure()
    figure.add_scatter(
        y=names, x=rates, mode="markers", name="本期退单率（95% 区间）",
        marker={"size": 9, "color": [URGENT if unit["raised"] else NOW for unit in units]},
        error_x={
            "type": "data", "symmetric": False, "color": QUIET, "thickness": 1.4, "width": 4,
            "array": [unit["high"] - unit["rate"] for unit in units], "arrayminus": [unit["rate"] - unit["low"] for unit in units],
        },
        customdata=[[safe(unit["name"]), unit["back"], unit["given"]] for unit in units],
        hovertemplate="%{customdata[0]}<br>退单 %{customdata[1]} / 交办 %{customdata[2]}，%{x:.1%}<extra></extra>",
    )  # fmt: skip
    earlier = [(name, unit["before"][0] / unit["before"][1]) for name, unit in zip(names, units, strict=True)
               if unit["before"] and unit["before"][1]]  # fmt: skip
    if earlier:
        figure.add_scatter(
            y=[name for name, _ in earlier], x=[rate for _, rate in earlier], mode="markers", name="此前",
            marker={"size": 11, "symbol": "line-ns", "line": {"width": 2.5, "color": REVIEW}},
            hovertemplate="%{y}<br>此前 %{x:.1%}<extra></extra>",
        )  # fmt: skip
    figure.add_vline(
        x=limit, line={"color": URGENT, "width": 1.2, "dash": "dash"},
        annotation={"text": f"容许 {limit:.0%}", "font": {"color": URGENT, "size": 12}, "xanchor": "left", "yanchor": "bottom", "y": 0.0},
    )  # fmt: skip
    return layout(
        figure, 90 + 26 * len(names),
        xaxis=axis(tickformat=".0%", range=[0, min(1.0, max(unit["high"] for unit in units) * 1.05)]),
        yaxis=axis(autorange="reversed", showgrid=False, ticksuffix="  "),
    )  # fmt: skip


def _trend(one: Mapping[str, Any], target: str, history: Sequence[Mapping[str, Any]], limits: Mapping[str, Any]) -> go.Figure | None:
    """PSI beyond chance of each dimension over the runs that watched this version; None before the second."""
    points: dict[str, dict[str, Any]] = {}
    for entry in history:
        past = entry.get("targets", {}).get(target)
        if past and past["version"] == one["version"] and past["excess"]:
            points[f"{entry['since']}/{entry['until']}/{entry['source']}"] = {"day": entry["until"], **past["excess"]}
    runs = sorted(points.values(), key=lambda point: str(point["day"]))
    if len(runs) < 2:
        return None
    days = [dt.date.fromisoformat(str(run["day"])) for run in runs]
    step = max((days[-1] - days[0]).days // 12, 1) * 86_400_000  # in milliseconds, plotly's unit
    figure = go.Figure()
    titles = {item["name"]: item["title"] for item in one["dimensions"]}
    shown = [name for name in titles if any(name in run for run in runs)]
    for name, colour in zip(shown, LINES, strict=False):
        figure.add_scatter(
            x=[run["day"] for run in runs], y=[run.get(name) for run in runs], name=titles[name], mode="lines+markers",
            line={"color": colour, "width": 2}, hovertemplate=f"%{{x}}<br>{titles[name]} %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    for name, text in (("moderate", "留意"), ("major", "显著")):
        figure.add_hline(
            y=limits[name], line={"color": URGENT if name == "major" else REVIEW, "width": 1.2, "dash": "dash"},
            annotation={"text": f"{text} {limits[name]:g}", "font": {"size": 12, "color": QUIET}, "xanchor": "right"},
        )  # fmt: skip
    return layout(figure, 320, xaxis=axis(type="date", showgrid=False, tickformat="%m-%d", dtick=step), yaxis=axis(rangemode="tozero"))


def _short(name: str) -> str:
    last = name if len(name) <= NAME_LENGTH else "…" + name[-NAME_LENGTH + 1 :]
    return safe(last)


def _unique(names: Sequence[str]) -> list[str]:
    """Return the names such that no two are the same: plotly puts bars of one name on one another."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name + "\u200b" * (seen[name] - 1))
    return out
