"""Quality of replies: petitions with their replies in, scores, a workbook and a page out."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpora.config import DeadlineRule, load_config
from corpora.lexicon import petition_terms
from corpora.records import Rejection
from corpora.replies import REPLY_SCHEMA, read_replies
from corpora.reply_config import PARTS, load_reply_config
from corpora.statutes import Statutes
from dispatch.reply_files import ReplyRow, method_notes, write_files
from dispatch.reply_report import render_reply_report, summarise
from flows.output import mask
from pipeline.petitions.deadline import DeadlineRules
from pipeline.petitions.segment import segmenter
from pipeline.policies.citations import Finder
from pipeline.replies.score import score_replies


def judge_replies(
    paths: Sequence[Path],
    out: Path,
    mapping: Mapping[str, str] | None = None,
    *,
    config: Path | None = None,
    rules: Path | None = None,
    on: dt.date | None = None,
) -> dict[str, Any]:
    """Score the replies in files and folders and write what was found to `out`.

    Args:
        paths: files or folders with petitions and their replies.
        out: folder for `replies.jsonl`, `replies.xlsx`, `replies.html` and `rejected.jsonl`; made if need be.
        mapping: field → header, for headers that are not recognised.
        config: the city's own configuration; its deadline rules count.
        rules: the city's own weights, limits and words for replies.
        on: day as of which petitions without a reply are judged; today by default.

    Returns:
        Counts and medians; `read == scored + rejected`.

    Raises:
        corpora.source_files.ReadError: if the files or the mapping are unusable.
        corpora.typed_yaml.ConfigError: if a configuration is.
    """
    started = dt.datetime.now().replace(microsecond=0)
    judged, deadlines = load_reply_config(rules), load_config(config).deadlines
    day = on or started.date()
    table, rejections = _read(paths, mapping or {})
    # The titles that ship with minqing are enough to see a citation; whether it holds is not judged here.
    finder = Finder(Statutes.open().titles())
    found = score_replies(table, judged, DeadlineRules.compile(deadlines), segmenter(petition_terms()), finder, day)
    rows = [
        ReplyRow(*facts)
        for facts in zip(
            *(table[name].to_pylist() for name in ("petition_id", "submitted_at", "replied_at")),
            found.titles,
            found.replies,
            *(table[name].to_pylist() for name in ("source", "row")),
            found.scores,
            strict=True,
        )
    ]
    method = method_notes(judged, [f"{rule.name}（{rule.basis}）" for rule in _limits(deadlines.rules)])
    out.mkdir(parents=True, exist_ok=True)
    page = render_reply_report(rows, rejections, mask, method, started_at=started, on=day, version=judged.version)
    write_files(out, rows, rejections, mask, method)
    part = out / ".replies.html.part"
    part.write_text(page, "utf-8")
    part.replace(out / "replies.html")
    return _summary(rows, rejections, found.masked, out, judged.version, day)


def _limits(rules: Sequence[DeadlineRule]) -> list[DeadlineRule]:
    """Return the deadline rules that may set a limit to a reply: those that a petition of urgency `normal` can meet."""
    return [rule for rule in rules if not rule.when.levels or "normal" in rule.when.levels]


def _read(paths: Sequence[Path], mapping: Mapping[str, str]) -> tuple[pa.Table, list[Rejection]]:
    tables, rejections = [REPLY_SCHEMA.empty_table()], []
    for chunk in read_replies(paths, mapping=mapping):
        tables.append(chunk.table)
        rejections += chunk.rejections
    return pa.concat_tables(tables).combine_chunks(), rejections


def _summary(
    rows: Sequence[ReplyRow], rejections: Sequence[Rejection], masked: Counter[str], out: Path, version: str, on: dt.date
) -> dict[str, Any]:
    whole = summarise("", rows)
    return {
        "read": len(rows) + len(rejections),
        "scored": len(rows),
        "rejected": len(rejections),
        "answered": whole.answered,
        "unanswered": whole.count - whole.answered,
        "kinds": dict(Counter(row.score.kind for row in rows).most_common()),
        "timeliness": dict(Counter(row.score.timeliness.state for row in rows).most_common()),
        "median_working_days": whole.days,
        "on_time": _rounded(whole.on_time),
        "median_total": _rounded(whole.total, 1),
        "means": {name: _rounded(whole.parts[name]) for name in PARTS},
        "copied": sum(row.score.copy_group is not None for row in rows),
        "copy_groups": len({row.score.copy_group for row in rows} - {None}),
        "rejected_by": dict(sorted(Counter(item.code for item in rejections).items())),
        "masked": dict(sorted(masked.items())),
        "on": on.isoformat(),
        "rules_version": version,
        "out": str(out),
    }


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
