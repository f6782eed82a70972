"""Repeals as dated events: 废止 sentences of all texts, and a hand table for what no text says.

A title is not a law: a title used again after its repeal (国家安全法 1993–2014 and 2015–) is two laws. A repealed title of
which no text is held becomes a law without versions, so that citing it can still be answered.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from corpora.legal import Rank
from corpora.statute_events import in_force_clause, read_repeals
from corpora.statute_records import SourceText
from corpora.statute_titles import normalise_title
from corpora.statute_versions import LawDraft, VersionDraft, is_whole_act

_NATIONAL = frozenset(
    {Rank.CONSTITUTION, Rank.LAW, Rank.DECISION, Rank.ADMINISTRATIVE_REGULATION, Rank.SUPERVISORY_REGULATION}
)
#: Higher number: higher rank. A statute cannot repeal one of a higher rank.
_HEIGHT = {
    Rank.CONSTITUTION: 5,
    Rank.LAW: 4,
    Rank.DECISION: 4,
    Rank.ADMINISTRATIVE_REGULATION: 3,
    Rank.SUPERVISORY_REGULATION: 3,
    Rank.JUDICIAL_INTERPRETATION: 3,
    Rank.LOCAL_REGULATION: 2,
    Rank.DEPARTMENT_RULE: 2,
    Rank.LOCAL_RULE: 1,
}


@dataclass(frozen=True, slots=True)
class Repeal:
    """`title` (normalised) is no longer in force from `date`; `by` is the title of what says so.

    Attributes:
        rank, territory: of the statute that repeals.
        years: years the sentence gives for the old statute; () for none.
        words: the sentence's words before the title: who issued the old statute.
    """

    title: str
    date: dt.date
    by: str
    rank: Rank
    territory: str
    years: tuple[int, ...] = ()
    words: str = ""


def hand_repeals() -> list[Repeal]:
    """Return the hand table (`data/statutes/repeals.csv`), each row with its source there.

    `[mem]` marks a row that no source at hand confirms: known to whoever wrote it, and to be checked.
    """
    text = resources.files("corpora").joinpath("data/statutes/repeals.csv").read_text("utf-8")
    return [
        Repeal(
            normalise_title(row["title"]),
            dt.date.fromisoformat(row["date"]),
            row["by"],
            Rank(row["rank"]),
            "",
            tuple(int(year) for year in row["years"].split()),
        )
        for row in csv.DictReader(text.splitlines())
    ]


def repeals_of(law: LawDraft) -> list[Repeal]:
    """Return what the texts of a law repeal, each title once at its earliest date."""
    found: dict[str, Repeal] = {}
    for version in law.versions:
        for text in version.texts:
            for title, said, words in read_repeals(_end(text)):
                years = tuple(int(year) for year in re.findall(r"(\d{4})年", words))
                date = said or _date_of(law, version, text)
                if date is None or (title == normalise_title(law.title) and len(law.versions) > 1 and not years):
                    continue
                earlier = found.get(title)
                if earlier is None or date < earlier.date:
                    found[title] = Repeal(title, date, law.title, law.rank, law.territory, years, words)
    return list(found.values())


def _end(text: SourceText) -> list[str]:
    return [article.text for article in text.articles[-6:]] + text.body.split("\n")


def _date_of(law: LawDraft, version: VersionDraft, text: SourceText) -> dt.date | None:
    """Return the day on which the text's 废止 clause took effect: with the last whole act, not with an amendment."""
    day, _, _ = in_force_clause(text.last_articles())
    if day:
        return day
    until = law.versions[: law.versions.index(version) + 1]
    whole = [draft for draft in until if is_whole_act(draft.event)]
    return whole[-1].effective if whole else version.effective


def apply_repeals(laws: list[LawDraft], repeals: Iterable[Repeal], index: Mapping[str, Sequence[LawDraft]]) -> None:
    """Mark what is repealed, and add titles of which nothing else is known as laws without versions.

    Args:
        laws: extended in place.
        repeals: events, in any order.
        index: normalised title or unambiguous alias → the laws that bear it.
    """
    unknown: dict[tuple[str, dt.date], Repeal] = {}
    for repeal in sorted(repeals, key=lambda event: (event.date, event.title, event.by)):
        candidates = index.get(repeal.title, ())
        target = _target(candidates, repeal)
        if target is not None:
            if target.repealed is None or repeal.date < target.repealed:
                target.repealed, target.repealed_by = repeal.date, repeal.by
        elif not any(_still_there(law, repeal) for law in candidates):
            unknown.setdefault((repeal.title, repeal.date), repeal)
    done: dict[str, Repeal] = {}
    for (title, _), repeal in sorted(unknown.items(), key=lambda item: item[0]):
        if title in done:  # repealed twice: the earliest event stands
            continue
        done[title] = repeal
        rank, territory = _guess(repeal)
        laws.append(LawDraft(title, rank, territory, "", [], repealed=repeal.date, repealed_by=repeal.by))


def _target(candidates: Sequence[LawDraft], repeal: Repeal) -> LawDraft | None:
    """Return the law that the event ends: adopted before it, not changed after it, of no higher rank, of that territory."""
    fitting = [
        law
        for law in candidates
        if law.versions
        and law.title != repeal.by
        and law.versions[0].event.adopted < repeal.date
        and law.versions[-1].event.adopted < repeal.date
        and _HEIGHT[law.rank] <= _HEIGHT[repeal.rank]
        and (repeal.rank in _NATIONAL or law.territory.startswith(repeal.territory) or repeal.territory == "")
    ]
    return fitting[-1] if fitting else None


def _still_there(law: LawDraft, repeal: Repeal) -> bool:
    """Whether the candidate is the very law, changed since: then the sentence cannot have meant its end."""
    if not law.versions or law.title == repeal.by:
        return True
    begun = law.versions[0].event.adopted
    return begun < repeal.date and (not repeal.years or any(abs(year - begun.year) <= 1 for year in repeal.years))


def _guess(repeal: Repeal) -> tuple[Rank, str]:
    """Return rank and territory of a repealed title by its form and by what repealed it."""
    title = repeal.title
    if title.startswith("全国人民代表大会"):
        return Rank.DECISION, ""
    if repeal.rank in (Rank.LOCAL_REGULATION, Rank.LOCAL_RULE):
        if re.search(r"人民代表大会|人大", repeal.words) or (title.endswith("条例") and "政府" not in repeal.words):
            return Rank.LOCAL_REGULATION, repeal.territory
        return Rank.LOCAL_RULE, repeal.territory
    if (
        title.endswith(("法", "法典", "通则", "法（试行）", "总则"))
        and _HEIGHT[repeal.rank] >= 4
        and "办法" not in title[-6:]
    ):
        return Rank.LAW, ""
    return (Rank.ADMINISTRATIVE_REGULATION if repeal.rank in (Rank.LAW, Rank.DECISION) else repeal.rank), ""
