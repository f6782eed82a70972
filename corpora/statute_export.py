"""From merged laws to lines of facts: versions, article numbers, and the renumberings between held versions."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import orjson

from corpora.legal import Law, Version
from corpora.statute_compare import compare_articles
from corpora.statute_facts import dump_law
from corpora.statute_merge import Merged
from corpora.statute_records import NumberSet
from corpora.statute_renumbering import encode_runs
from corpora.statute_versions import LawDraft

#: What the texts of a pair of versions are compared for; other pairs come from the hand table.
COMPARED = "texts"


def export(merged: Merged) -> Iterator[tuple[str, bytes]]:
    """Yield law id and line of facts of each law."""
    for draft in merged.laws:
        law, numbers = finished(draft)
        yield law.law_id, dump_law(law, numbers, moved(draft))


def head(merged: Merged, sources: list[str]) -> bytes:
    """Return the head of a file of facts: the latest day by rank, names of the sources, conflicts between them."""
    as_of: dict[str, str] = {}
    for law in merged.laws:
        for version in law.versions:
            day = version.event.adopted.isoformat()
            as_of[law.rank.value] = max(day, as_of.get(law.rank.value, day))
    conflicts: list[dict[str, Any]] = [
        {
            "title": item.title,
            "version": item.version,
            "sources": " / ".join(item.sources),
            "difference": item.difference,
        }
        for item in merged.conflicts
    ]
    return orjson.dumps({"as_of": dict(sorted(as_of.items())), "sources": sources, "conflicts": conflicts})


def finished(draft: LawDraft) -> tuple[Law, dict[str, NumberSet]]:
    """Return the law of a draft, and the article numbers of its versions by id."""
    versions: list[Version] = []
    numbers: dict[str, NumberSet] = {}
    for item in draft.versions:
        adopted = item.event.adopted
        version_id = f"{draft.law_id}@{adopted.isoformat()}"
        count = None
        if item.numbers is not None:
            numbers[version_id] = item.numbers
            count = len(item.numbers)
        versions.append(
            Version(version_id, adopted, item.effective, item.approximate, item.event.kind, count, item.complete)
        )
    law = Law(
        draft.law_id,
        draft.title,
        draft.aliases,
        draft.rank,
        draft.issuer,
        draft.territory,
        tuple(versions),
        draft.repealed,
        draft.repealed_by,
    )
    return law, numbers


def moved(draft: LawDraft) -> list[tuple[str, str, str, str]]:
    """Return (old day, new day, runs, source) for each pair of neighbouring versions with articles, and of the hand table."""
    held = [version for version in draft.versions if version.text and version.text.articles]
    found = []
    for old, new in itertools.pairwise(held):
        if old.text and new.text and (runs := encode_runs(compare_articles(old.text.articles, new.text.articles))):
            found.append((old.event.adopted.isoformat(), new.event.adopted.isoformat(), runs, COMPARED))
    days = {version.event.adopted.isoformat() for version in draft.versions}
    for title, old_day, new_day, runs, source in _hand_table():
        if title == draft.title and {old_day, new_day} <= days:
            found.append((old_day, new_day, runs, source))
    return found


@cache
def _hand_table() -> tuple[tuple[str, str, str, str, str], ...]:
    """Return `data/statutes/renumbered.csv`: pairs of which one text is in no source."""
    text = resources.files("corpora").joinpath("data/statutes/renumbered.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["title"], row["old"], row["new"], row["runs"], row["source"]) for row in rows)
