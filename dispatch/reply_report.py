"""The page on the quality of replies: one HTML file that opens anywhere, runs no script and asks the network for nothing."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from corpora.records import Rejection
from corpora.reply_config import PARTS
from dispatch.labels import headings
from dispatch.reply_files import PART_NAMES, ReplyRow
from dispatch.report import template_text
from pipeline.replies.records import KINDS, STATES

#: Rows of the tables; all rows are in `replies.xlsx`.
WORST_ROWS = 60
UNIT_ROWS = 30
COPY_ROWS = 15
#: A unit with fewer replies is not compared.
LEAST_REPLIES = 5
#: Months shown; before them, years.
MONTHS = 24
_EXCERPT = 150
_BINS = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """What a set of replies amounts to: shares and medians, None where there is nothing to take them of."""

    name: str
    count: int
    answered: int
    total: float | None
    days: float | None
    on_time: float | None
    parts: Mapping[str, float | None]
    substantive: float | None


def summarise(name: str, rows: Sequence[ReplyRow]) -> Summary:
    """Return the figures of a set of replies; shares are of those for which the thing is known."""
    answered = [row for row in rows if row.score.kind != "unanswered"]
    states = Counter(row.score.timeliness.state for row in rows)
    judged = states["on_time"] + states["late"] + states["overdue"]
    days = [row.score.timeliness.working_days for row in answered if row.score.timeliness.working_days is not None]
    holding = sum(row.score.kind in ("holding", "echo") for row in answered)
    return Summary(
        name,
        len(rows),
        len(answered),
        _median(row.score.total for row in rows),
        _median(days),
        states["on_time"] / judged if judged else None,
        {part: _mean(row.part(part) for row in rows) for part in PARTS},
        1 - holding / len(answered) if answered else None,
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(statistics.median(known)) if known else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def render_reply_report(
    rows: Sequence[ReplyRow],
    rejections: Sequence[Rejection],
    mask: Callable[[str], str],
    method: Sequence[tuple[str, str]],
    *,
    started_at: datetime,
    on: date,
    version: str,
) -> str:
    """Return the page.

    Args:
        rows: what was scored; their texts are masked.
        rejections: what was not.
        mask: hides personal data in the reasons of rejections.
        method: headings and sentences that state the method.
        started_at: local time of the run.
        on: day as of which petitions without a reply were judged.
        version: version of the rules.
    """
    scored = [row for row in rows if row.score.total is not None]
    worst = sorted(scored, key=lambda row: (row.score.total or 0.0, row.source, row.row))[:WORST_ROWS]
    examples: dict[str, Rejection] = {}
    for item in rejections:
        examples.setdefault(item.code, item)
    times = [row.submitted_at for row in rows if row.submitted_at is not None]
    return (
        _environment()
        .from_string(template_text("reply_report.html.j2"))
        .render(
            style=Markup(template_text("report.css") + template_text("reply.css")),  # noqa: S704 - our own files
            started_at=started_at,
            on=on,
            version=version,
            first=min(times, default=None),
            last=max(times, default=None),
            whole=summarise("全部", rows),
            rejected=len(rejections),
            read=len(rows) + len(rejections),
            part_names=PART_NAMES,
            bins=_histogram(scored),
            spread={name: _spread(row.part(name) for row in rows) for name in PARTS},
            kinds=_counted((row.score.kind for row in rows), KINDS),
            states=_counted((row.score.timeliness.state for row in rows), STATES),
            unknown=_unknown(rows),
            later=sum("文末日期" in row.score.timeliness.note for row in rows),
            periods=_periods(rows),
            units=_units(rows),
            unit_count=len({row.score.unit for row in rows if row.score.unit}),
            without_unit=sum(not row.score.unit for row in rows),
            signed=sum(row.score.unit_from == "signature" for row in rows),
            least=LEAST_REPLIES,
            worst=[_entry(row) for row in worst],
            copies=_copies(rows),
            rejections=[
                (code, count, examples[code], mask(examples[code].reason))
                for code, count in Counter(item.code for item in rejections).most_common()
            ],
            method=method,
        )
    )


def _histogram(rows: Sequence[ReplyRow]) -> list[tuple[str, int, float]]:
    """Return the label, the count and the height (share of the highest) of each tenth of the total."""
    width = 100 // _BINS
    counts = Counter(min(int((row.score.total or 0.0) // width), _BINS - 1) for row in rows)
    most = max(counts.values(), default=1)
    return [(f"{place * width}–{(place + 1) * width}", counts[place], counts[place] / most) for place in range(_BINS)]


def _spread(values: Iterable[float | None]) -> tuple[int, list[float]]:
    """Return how many values are known, and their quartiles in points of 100."""
    known = [100 * value for value in values if value is not None]
    if len(known) < 2:
        return len(known), known * 3
    return len(known), statistics.quantiles(known, n=4, method="inclusive")


def _counted(found: Iterable[str], names: Mapping[str, str]) -> list[tuple[str, str, int, float]]:
    counts = Counter(found)
    most = max(counts.values(), default=1)
    return [(key, name, counts[key], counts[key] / most) for key, name in names.items() if counts[key]]


def _unknown(rows: Sequence[ReplyRow]) -> list[tuple[str, int]]:
    notes = Counter(row.score.timeliness.note.split("；文末")[0] for row in rows if row.score.timeliness.state == "unknown")
    return notes.most_common()


def _periods(rows: Sequence[ReplyRow]) -> list[Summary]:
    """Return the figures by month of the petition; of a longer time, the months before the last ones by year."""
    months: dict[str, list[ReplyRow]] = defaultdict(list)
    for row in rows:
        months[row.submitted_at.strftime("%Y-%m") if row.submitted_at else ""].append(row)
    undated = months.pop("", [])
    recent = sorted(months)[-MONTHS:]
    periods: dict[str, list[ReplyRow]] = defaultdict(list)
    for month in sorted(months):
        periods[month if month in recent else f"{month[:4]}年{'（部分）' if month[:4] == recent[0][:4] else ''}"] += months[month]
    found = [summarise(name, group) for name, group in reversed(periods.items())]
    return [*found, summarise("无来信时间", undated)] if undated else found


def _units(rows: Sequence[ReplyRow]) -> list[Summary]:
    """Return the figures of the units with enough replies, the most first."""
    units: dict[str, list[ReplyRow]] = defaultdict(list)
    for row in rows:
        if row.score.unit:
            units[row.score.unit].append(row)
    enough = [summarise(name, group) for name, group in units.items() if len(group) >= LEAST_REPLIES]
    return sorted(enough, key=lambda item: (-item.count, item.name))[:UNIT_ROWS]


def _entry(row: ReplyRow) -> dict[str, Any]:
    time = row.score.timeliness
    reply = " ".join(row.reply.split())
    return {
        "id": row.petition_id,
        "where": f"{row.source} 第{row.row}行",
        "title": headings([row.title], [""])[0] or "（无标题）",
        "unit": row.score.unit,
        "kind": KINDS[row.score.kind],
        "total": row.score.total or 0.0,
        "parts": [row.part(name) for name in PARTS],
        "days": time.working_days,
        "reasons": row.score.reasons,
        "reply": reply if len(reply) <= _EXCERPT else reply[:_EXCERPT] + "…",
    }


def _copies(rows: Sequence[ReplyRow]) -> list[dict[str, Any]]:
    groups: dict[int, list[ReplyRow]] = defaultdict(list)
    for row in rows:
        if row.score.copy_group is not None:
            groups[row.score.copy_group].append(row)
    shown = []
    for number in sorted(groups, key=lambda key: (-len(groups[key]), key))[:COPY_ROWS]:
        group = groups[number]
        shown.append({**_entry(group[0]), "count": len(group), "ids": [row.petition_id for row in group[:8]],
                      "units": Counter(row.score.unit for row in group if row.score.unit).most_common(3),
                      "kinds": [KINDS[kind] for kind, _ in Counter(row.score.kind for row in group).most_common(2)]})  # fmt: skip
    return shown


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["share"] = lambda value: "—" if value is None else f"{value:.0%}"
    environment.filters["points"] = lambda value: "—" if value is None else f"{100 * value:.0f}"
    environment.filters["median"] = lambda value: "—" if value is None else f"{value:g}" if value < 100 else f"{value:.0f}"
    environment.filters["total"] = lambda value: "—" if value is None else f"{value:.0f}"
    return environment
