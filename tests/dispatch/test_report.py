"""The report: what it counts, what it shows, and that nothing in a petition can act in it."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import date, datetime
from html.parser import HTMLParser
from typing import Any

import orjson
import pyarrow as pa
import synthetic

from corpora.records import Rejection
from dispatch.report import QUEUE_ROWS, CoverageRow, ReportData, render_report
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA

ATTACK = '<script>alert("x")</script><img src=x onerror=alert(1)>'


class Page(HTMLParser):
    """The elements of a page and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def data(**options: Any) -> ReportData:
    """Return an empty summary."""
    return ReportData(
        city="澜港市",
        started_at=datetime(2024, 5, 7, 2, 15),
        today=date(2024, 5, 7),
        model_version="m-20240501",
        config_version="c1",
        **options,
    )


def without_library(page: str) -> str:
    """Return the page less the inlined plotly."""
    return re.sub(r"<script>/\*\*\n\* plotly\.js.*?</script>", "", page, flags=re.DOTALL)


def test_chunks_add_up_to_the_whole() -> None:
    """However the run is cut, the report is the same."""
    table = synthetic.table(900)
    whole, cut = data(auto_threshold=0.8), data(auto_threshold=0.8)
    whole.add(table)
    for start in range(0, 900, 130):
        cut.add(table.slice(start, 130))
    assert without_library(render_report(whole)) == without_library(render_report(cut))
    assert whole.routed == 900
    assert int(whole.confidence.sum()) == 900
    assert sum(whole.ageing.values()) == 900


def test_the_queue_holds_urgent_and_uncertain_rows() -> None:
    """At most 200 rows; urgent ones first, then from the least certain on."""
    rows = synthetic.rows(1200)
    summary = data()
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    for start in range(0, 1200, 100):
        summary.add(table.slice(start, 100))
    review = [row for row in rows if row["decision"] == "review"]
    rank = {"critical": -3.0, "urgent": -2.0}

    def key(row: dict[str, Any]) -> tuple[float, str]:
        chance = row["lead_unit"]["probability"] if row["lead_unit"] else 0.0
        return rank.get(row["urgency"]["level"], chance), row["petition_id"]

    shown = [entry["id"] for _, entry in summary.queue]
    assert shown == [row["petition_id"] for row in sorted(review, key=key)[:QUEUE_ROWS]]


def test_ageing_and_events() -> None:
    """Spans of days are closed on both sides; an event knows its first petition."""
    rows = synthetic.rows(8)
    days = [date(2024, 5, 6), date(2024, 5, 7), date(2024, 5, 8), date(2024, 5, 9), date(2024, 5, 10)]
    days += [date(2024, 5, 17), date(2024, 5, 18)]
    for number, row in enumerate(rows):
        row["deadline"]["date"] = days[number] if number < 7 else None
        row["urgency"] = {"level": "normal", "rules": [], "words": []}
        row |= {"event_group": "ev_a" if number in {2, 5} else None, "submitted_at": datetime(2024, 5, 6, 20 - number)}
    summary = data()
    summary.add(pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA))
    assert {span: count for (span, _), count in summary.ageing.items()} == {
        "已逾期": 1, "今日到期": 1, "1–2 天": 2, "3–5 天": 1, "6–10 天": 1, "10 天以上": 1, "无期限": 1,
    }  # fmt: skip
    event = summary.events["ev_a"]
    assert (event.size, event.first_id, event.title) == (2, rows[5]["petition_id"], rows[5]["title"])
    assert (event.first_at, event.last_at) == (datetime(2024, 5, 6, 15), datetime(2024, 5, 6, 18))


def test_nothing_in_a_petition_acts() -> None:
    """Markup in every text field stays text; only our own scripts may run and nothing may be fetched."""
    rows = synthetic.rows(40)
    for row in rows:
        row |= {"title": ATTACK, "decision_why": ATTACK, "event_group": ATTACK, "decision": "review"}
        row["issue_type"]["name"] = ATTACK
        row["urgency"] = {"level": "urgent", "rules": [], "words": [ATTACK]}
        for unit in row["top_k"]:
            unit["name"] = ATTACK
        for reason in row["reasons"]:
            reason["text"] = ATTACK
    summary = data(auto_threshold=0.8, notes=[ATTACK], coverage=[CoverageRow(0.95, 0.8, 0.43, 0.953)])
    summary.add(pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA))
    summary.add_rejections([Rejection(ATTACK, 1, ATTACK, ATTACK, ATTACK)])
    text = render_report(summary)
    page = Page(text)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 3
    assert "img" not in tags
    assert "alert(" not in "".join(page.scripts[1:])
    assert "\\u003cscript" in page.scripts[0] or "lt;script" in page.scripts[0]
    for _, attributes in page.elements:
        assert not {"src", "onerror", "onclick", "onload"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
    (policy,) = (str(attributes["content"]) for tag, attributes in page.elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    for script in page.scripts[1:]:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy


def test_the_head_says_what_it_rests_on() -> None:
    """Zero history is said, counts are there, the library is inside once, the charts' data can be read."""
    summary = data(zero_history=True, auto_threshold=0.8, issue_names={"01": "城乡建设"})
    summary.add(synthetic.table(100))
    summary.add_rejections([Rejection("a.csv", row, "missing_body", "没有正文", "13800138000") for row in range(4)])
    text = render_report(summary)
    assert "无历史标注，仅凭职责与地名" in text
    assert "读入 104 = 已给建议 100 + 未受理 4" in text
    assert "13800138000" not in text
    assert text.count("* plotly.js v") == 1
    figures = orjson.loads(Page(text).scripts[0])
    assert set(figures) == {"units", "issues", "confidence", "ageing"}
    treemap = figures["issues"]["data"][0]
    assert "城乡建设" in treemap["labels"]
    assert {parent for parent in treemap["parents"] if parent} <= set(treemap["ids"])
    assert "无历史标注" not in render_report(data())


def test_an_empty_run_is_a_report_too() -> None:
    """Nothing read, or nothing routed."""
    summary = data()
    summary.add(synthetic.table(0))
    summary.add_rejections([Rejection("a.csv", 0, "unreadable", "打不开", "")])
    assert "没有待复核的诉求" in render_report(summary)
