"""The report of a run: one HTML file that opens anywhere and asks the network for nothing.

`ReportData` is filled chunk by chunk and keeps counts and the few rows it will show, so a run of any size needs the
same memory.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from corpora.records import Rejection
from dispatch import charts
from dispatch import columns as cols
from dispatch.labels import DECISION_NAMES, NO_UNIT, URGENCY_LEVELS, URGENCY_NAMES, headings, urgency_rank

#: Rows shown of the review queue, of urgent petitions and of events.
QUEUE_ROWS = 200
URGENT_ROWS = 100
EVENT_ROWS = 20

#: Event groups and matched words kept while counting; beyond twice as many the smallest are let go.
_KEPT = 20_000

BINS = 40

#: Days left until the deadline: label, first and last day of the span.
AGEING = (
    ("已逾期", -100_000, -1),
    ("今日到期", 0, 0),
    ("1–2 天", 1, 2),
    ("3–5 天", 3, 5),
    ("6–10 天", 6, 10),
    ("10 天以上", 11, 100_000),
)
NO_DEADLINE = "无期限"


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """At this threshold so many go straight through, and so many of those are right (held-out data)."""

    target: float
    threshold: float
    coverage: float
    precision: float


@dataclass(slots=True)
class Event:
    """A group of petitions about one matter, as far as this run saw it."""

    size: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    title: str = ""
    first_id: str = ""
    units: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class ReportData:
    """What the report says. Set the head, then `add` every chunk and `add_rejections`.

    Attributes:
        city: name of the city.
        started_at: local time of the run.
        today: the day from which deadlines are counted.
        model_version: the model that made the suggestions.
        config_version: the configuration in force.
        zero_history: whether no labelled history was learnt from.
        auto_threshold: probability from which a suggestion goes out unseen; None if all are reviewed.
        issue_names: names of issue types by code, for the parents that no petition names itself.
        coverage: the table from which the threshold was set, if there is one.
        notes: further sentences for the method section.
    """

    city: str
    started_at: datetime
    today: date
    model_version: str
    config_version: str
    zero_history: bool = False
    auto_threshold: float | None = None
    issue_names: Mapping[str, str] = field(default_factory=dict)
    coverage: Sequence[CoverageRow] = ()
    notes: Sequence[str] = ()

    routed: int = field(default=0, init=False)
    rejected: int = field(default=0, init=False)
    first_at: datetime | None = field(default=None, init=False)
    last_at: datetime | None = field(default=None, init=False)
    decisions: Counter[str] = field(default_factory=Counter, init=False)
    levels: Counter[str] = field(default_factory=Counter, init=False)
    words: Counter[str] = field(default_factory=Counter, init=False)
    units: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)  # (unit name, decision)
    issues: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)  # (code, name)
    confidence: Any = field(default_factory=lambda: np.zeros((2, BINS), np.int64), init=False)  # auto, review
    ageing: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)  # (span, level)
    events: dict[str, Event] = field(default_factory=dict, init=False)
    rejection_codes: Counter[str] = field(default_factory=Counter, init=False)
    rejection_examples: dict[str, Rejection] = field(default_factory=dict, init=False)
    queue: list[tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=list, init=False)
    urgent: list[tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=list, init=False)

    @property
    def read(self) -> int:
        """Rows read: routed and rejected ones."""
        return self.routed + self.rejected

    def add(self, table: pa.Table) -> None:
        """Count a chunk of suggestions (`SUGGESTION_SCHEMA`)."""
        if not table.num_rows:
            return
        table = table.combine_chunks()
        self.routed += table.num_rows
        decisions = cols.plain(table["decision"])
        levels = cols.plain(cols.field(table["urgency"], "level"))
        units = [NO_UNIT if name is None else name for name in cols.plain(cols.field(table["lead_unit"], "name"))]
        self.decisions.update(decisions)
        self.levels.update(levels)
        self.units.update(zip(units, decisions, strict=True))
        codes, names = (cols.plain(cols.field(table["issue_type"], name)) for name in ("code", "name"))
        self.issues.update(zip(codes, names, strict=True))
        grave = np.array([urgency_rank(level) for level in levels]) >= URGENCY_LEVELS.index("urgent")
        words = cols.field(table["urgency"], "words").filter(pa.array(grave))
        self.words.update(cols.plain(pc.list_flatten(words)))
        if len(self.words) > 2 * _KEPT:
            self.words = Counter(dict(self.words.most_common(_KEPT)))
        chances = cols.field(table["lead_unit"], "probability").to_numpy(zero_copy_only=False)
        chances = np.nan_to_num(chances, nan=0.0)
        auto = np.array([decision == "auto" for decision in decisions])
        bins = np.clip((chances * BINS).astype(np.int64), 0, BINS - 1)
        for row, chosen in enumerate((auto, ~auto)):
            self.confidence[row] += np.bincount(bins[chosen], minlength=BINS)
        self._span(table)
        self._age(table, levels)
        self._group(table, units)
        self._keep(table, chances, auto, np.array([urgency_rank(level) for level in levels]))

    def add_rejections(self, rejections: Sequence[Rejection]) -> None:
        """Count rejected rows; the first of each code is kept as the example, without its raw content."""
        self.rejected += len(rejections)
        for item in rejections:
            self.rejection_codes[item.code] += 1
            if item.code not in self.rejection_examples:
                self.rejection_examples[item.code] = Rejection(item.source, item.row, item.code, item.reason, "")

    def _span(self, table: pa.Table) -> None:
        span = pc.min_max(table["submitted_at"]).as_py()
        if span["min"] is not None:
            self.first_at = min(self.first_at or span["min"], span["min"])
            self.last_at = max(self.last_at or span["max"], span["max"])

    def _age(self, table: pa.Table, levels: list[str]) -> None:
        days = cols.field(table["deadline"], "date").cast(pa.int32()).to_numpy(zero_copy_only=False).astype(float)
        left = days - (self.today - date(1970, 1, 1)).days
        names = np.full(len(left), NO_DEADLINE, dtype=object)
        for name, first, last in AGEING:
            names[(left >= first) & (left <= last)] = name
        self.ageing.update(zip(names.tolist(), levels, strict=True))

    def _group(self, table: pa.Table, units: list[str]) -> None:
        rows = np.flatnonzero(table["event_group"].is_valid().to_numpy()).tolist()
        if not rows:
            return
        part = table.select(["event_group", "submitted_at", "petition_id", "title", "body"]).take(rows)
        titles = headings(cols.plain(part["title"]), cols.plain(part["body"]))
        groups, ids, times = cols.plain(part["event_group"]), cols.plain(part["petition_id"]), part["submitted_at"]
        for name, moment, title, key, row in zip(groups, times.to_pylist(), titles, ids, rows, strict=True):
            event = self.events.setdefault(name, Event())
            event.size += 1
            event.units[units[row]] += 1
            order = (moment or datetime.max, key)
            if not event.first_id or order < (event.first_at or datetime.max, event.first_id):
                event.first_id, event.title = key, title
            if moment is not None:
                event.first_at = min(event.first_at or moment, moment)
                event.last_at = max(event.last_at or moment, moment)
        if len(self.events) > 2 * _KEPT:
            largest = sorted(self.events.items(), key=lambda item: (-item[1].size, item[0]))[:_KEPT]
            self.events = dict(largest)

    def _keep(self, table: pa.Table, chances: Any, auto: Any, ranks: Any) -> None:  # noqa: ANN401 - numpy arrays
        """Keep the rows of this chunk that may come to be shown."""
        grave = ranks >= URGENCY_LEVELS.index("urgent")
        # The queue: urgent ones first, then the least certain; among the urgent the gravest first.
        ids = cols.plain(table["petition_id"])
        score = np.where(grave, -ranks.astype(float), chances)
        self.queue = _best(self.queue, table, ids, score, np.flatnonzero(~auto), limit=QUEUE_ROWS)
        self.urgent = _best(self.urgent, table, ids, chances - 2.0 * ranks, np.flatnonzero(grave), limit=URGENT_ROWS)


def _best(
    kept: list[tuple[tuple[Any, ...], dict[str, Any]]],
    table: pa.Table,
    ids: list[str],
    score: Any,  # noqa: ANN401 - numpy array
    rows: Any,  # noqa: ANN401 - numpy array
    *,
    limit: int,
) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return the `limit` entries of the lowest (score, id) among those kept and the given rows of the table."""
    if len(kept) == limit:
        rows = rows[score[rows] <= kept[-1][0][0]]
    if len(rows) > limit:
        rows = rows[score[rows] <= np.partition(score[rows], limit - 1)[limit - 1]]
    keys = sorted((float(score[row]), ids[row], row) for row in rows.tolist())[:limit]
    entries = _entries(table.take(pa.array([row for _, _, row in keys], pa.int64())))
    new = [(key[:2], entry) for key, entry in zip(keys, entries, strict=True)]
    return sorted([*kept, *new], key=lambda item: item[0])[:limit]


def _entries(table: pa.Table) -> list[dict[str, Any]]:
    """Return the (few) rows as the template shows them."""
    titles = headings(cols.plain(table["title"]), cols.plain(table["body"]))
    entries = []
    for row, title in zip(table.drop_columns(["title", "body", "address"]).to_pylist(), titles, strict=True):
        lead, level = row["lead_unit"], row["urgency"]["level"]
        entries.append(
            {
                "id": row["petition_id"],
                "title": title,
                "issue": row["issue_type"]["name"] or "",
                "units": row["top_k"][:3] or ([lead] if lead else []),
                "confidence": lead["probability"] if lead else 0.0,
                "decision": DECISION_NAMES.get(row["decision"], row["decision"]),
                "why": row["decision_why"],
                "reasons": [reason["text"] for reason in row["reasons"][:3]],
                "level": level,
                "level_name": URGENCY_NAMES.get(level, level),
                "rank": urgency_rank(level),
                "words": row["urgency"]["words"],
                "deadline": "" if row["deadline"]["date"] is None else row["deadline"]["date"].isoformat(),
            }
        )
    return entries


def render_report(summary: ReportData) -> str:
    """Return the report as one HTML page with scripts, styles and data inside."""
    figures = charts.figures(summary, AGEING, NO_DEADLINE)
    scripts = {"plotly": plotly_script(), "page": template_text("report.js")}
    hashes = " ".join(f"'sha256-{digest(text)}'" for text in scripts.values())
    events = sorted(summary.events.items(), key=lambda item: (-item[1].size, item[0]))[:EVENT_ROWS]
    return environment().from_string(template_text("report.html.j2")).render(
        data=summary,
        # Only these scripts run, and nothing is fetched, whatever a petition contains.
        policy=f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; font-src data:",
        style=Markup(template_text("report.css")),  # noqa: S704 - our own file
        plotly=Markup(scripts["plotly"]),  # noqa: S704 - the library's own file
        script=Markup(scripts["page"]),  # noqa: S704 - our own file
        figures=Markup(embedded(figures)),  # noqa: S704 - escaped by embedded
        shown=set(figures),
        queue=[entry for _, entry in summary.queue],
        urgent=[entry for _, entry in summary.urgent],
        urgent_count=sum(summary.levels[level] for level in ("urgent", "critical")),
        queue_count=summary.routed - summary.decisions["auto"],
        events=events,
        event_count=len(summary.events),
        words=summary.words.most_common(12),
        level_names=URGENCY_NAMES,
        rejections=[
            (code, count, summary.rejection_examples[code]) for code, count in summary.rejection_codes.most_common()
        ],
        heights=charts.heights(figures),
    )  # fmt: skip


def embedded(value: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def digest(text: str) -> str:
    """Return the SHA-256 of a script or style as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def plotly_script() -> str:
    """Return plotly's script as it stands in a page."""
    # The parser hands line ends to the hash as \n only.
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n").replace("</script", "<\\/script")


@cache
def template_text(name: str) -> str:
    r"""Return a template, script or style of the package with lines ended by \n."""
    return (files("dispatch") / "templates" / name).read_text(encoding="utf-8").replace("\r\n", "\n")


@cache
def environment() -> Environment:
    """Return what renders the pages."""
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["number"] = lambda value: f"{value:,}"
    made.filters["percent"] = lambda value, digits=1: f"{value:.{digits}%}"
    made.filters["moment"] = lambda value: "" if value is None else value.strftime("%m-%d %H:%M")
    return made
