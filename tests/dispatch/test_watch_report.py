"""The drift report: verdict first, every number there, nothing that runs or fetches."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dispatch import watch_charts
from dispatch.watch_report import render_watch

LIMITS = {
    "alpha": 0.01, "moderate": 0.1, "major": 0.25, "min_rows": 50, "refusal_limit": 0.1, "accuracy_drop": 0.05, "unknown_labels": 0.05,
    "retrain_on": ["predicted", "confidence"], "max_rows": 20_000, "trigger": False, "deployment": "retrain/retrain",
}  # fmt: skip
NASTY = "<script>alert(1)</script>局"


def dimension(name: str, title: str, status: str = "stable", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "title": title, "status": status, "rows": [330, 200], "why": "", "psi": 0.31, "chance": 0.02, "excess": 0.29,
        "jensen_shannon": 0.04, "p": 0.0001, "means": None, "worse": True, "bars": [], "movers": [],
    } | more  # fmt: skip


def unit(name: str, back: int, given: int, *, raised: bool = False) -> dict[str, Any]:
    return {
        "unit": name, "name": name, "back": back, "given": given, "rate": back / given if given else 0.0, "low": 0.1, "high": 0.5,
        "before": [1, 40] if raised else None, "p": 0.001, "raised": raised,
    }  # fmt: skip


def result(**more: Any) -> dict[str, Any]:
    bars = [{"name": NASTY, "before": 0.1, "now": 0.3}, {"name": "…", "before": 0.9, "now": 0.7}]
    bins = [{"name": name, "before": 0.5, "now": 0.5} for name in ("<0.041234", "≥0.041234")]
    one = {
        "target": "unit", "version": "unit-1f", "trained_at": "2026-11-01T00:00:00", "reference": "training", "reference_rows": 330,
        "rows": 200, "verdict": "retrain", "reasons": ["建议类别构成显著变化：" + NASTY],
        "dimensions": [
            dimension("predicted", "建议类别构成", "major", bars=bars, movers=[{"name": NASTY, "before": 0.1, "now": 0.3, "p": 0.0, "new": False}]),
            dimension("label", "标注类别构成", "unknown", why="not in the window", rows=[330, 0]),
            dimension("confidence", "置信度分布", means=[0.7, 0.6], bars=bins),
            dimension("length", "篇幅分布", means=[110.2, 99.5], bars=[{"name": "<16", "before": 1.0, "now": 1.0}]),
        ],
        "units": [unit(NASTY, 12, 40, raised=True), unit("教育局", 0, 30)], "overall": unit("…", 12, 70),
        "accuracy": {"before": [90, 100], "now": [40, 50], "p": 0.2, "fell": False},
        "strangers": {"predicted": {}, "label": {"新局": 2}, "refused": {}}, "zero_history": 1, "other_versions": 2,
        "per_day": [3.2, 9.1], "months": [{"2026-01": 330}, {"2026-11": 200}],
    }  # fmt: skip
    return {
        "verdict": "retrain", "at": "2026-11-20T05:30:00", "since": "2026-10-22", "until": "2026-11-20", "source": "store", "read": 203,
        "rejected": {"missing_body": 3}, "rejected_examples": {"missing_body": "a.csv 第 4 行：没有正文"}, "measured": 200,
        "targets": {"unit": one}, "limits": LIMITS, "retrain": [{"target": "unit", "triggered": False, "command": "minqing retrain", "why": "watch.trigger is false"}],
    } | more  # fmt: skip


def entry(until: str, excess: float, version: str = "unit-1f") -> dict[str, Any]:
    return {"since": until, "until": until, "source": "store", "verdict": "watch",
            "targets": {"unit": {"version": version, "excess": {"predicted": excess, "confidence": 0.01}}}}  # fmt: skip


def test_the_page() -> None:
    page = render_watch(result(), [entry("2026-11-19", 0.1), entry("2026-11-20", 0.29)])
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    for wanted in (
        "建议重新训练", "承办单位模型", "unit-1f", "显著变化", "本期没有此项", "10.0% → 30.0%", "110 字", "新局 2 件", "missing_body",
        "a.csv 第 4 行：没有正文", "minqing retrain", "2026-11 200", "&lt;script&gt;alert(1)&lt;/script&gt;局",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert text.index("建议重新训练") < text.index("逐项比较") < text.index("各单位退单率")
    assert "alert(1)</script>" not in page
    assert not re.search(r'(?:src|href)="https?:', text)
    assert "default-src &#39;none&#39;; script-src &#39;sha256-" in page


def test_figures_by_what_there_is() -> None:
    made = watch_charts.figures(result(), [entry("2026-11-19", 0.1), entry("2026-11-20", 0.29)])
    assert set(made) == {f"unit-{name}" for name in ("predicted", "confidence", "length", "refusals", "trend")}
    assert made["unit-predicted"]["data"][0]["y"][1] == "其余"
    assert made["unit-confidence"]["data"][0]["x"][0] == "&lt;4.1%"
    assert len(made["unit-refusals"]["data"][0]["y"]) == 1


@pytest.mark.parametrize("history", [[], [entry("2026-11-20", 0.3)], [entry("2026-11-19", 0.3, "unit-other"), entry("2026-11-20", 0.3)]])
def test_no_trend_of_one_point_or_of_other_versions(history: list[dict[str, Any]]) -> None:
    assert "unit-trend" not in watch_charts.figures(result(), history)


def test_nothing_to_compare() -> None:
    plain = result(verdict="undecided", retrain=[])
    one = plain["targets"]["unit"]
    one |= {
        "verdict": "undecided", "reasons": ["样本不足"], "reference": None, "reference_rows": 0, "rows": 0, "units": [], "accuracy": None,
        "overall": unit("…", 0, 0), "per_day": [None, None], "months": [{}, {}],
        "dimensions": [dimension("predicted", "建议类别构成", "unknown", why="fewer than 50 rows", rows=[0, 0])],
    }  # fmt: skip
    page = render_watch(plain, [])
    assert "样本不足，少于 50 件" in page
    assert "data-figure" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
