"""From the texts of a title to laws with dated versions: grouping, dates in force, completeness.

Rules, in the order of trust:
- A version is one event of a header. The same event in two sources is one version if its days differ by no more than
  `NEAR_DAYS` (vote and promulgation).
- In force: the 施行 clause of a text that was adopted or revised as a whole; the header's 施行 line; the clause of the
  amending decision where its text is held; the hand table; else the day of promulgation, marked approximate.
- A text is complete if its numbers have no hole and its end is an end: a 施行 clause (or, in interpretations, the clause on
  older ones) among the last articles, a last chapter 附则, or another source with the same numbers for the same version.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from corpora.legal import ArticleNumber, Rank
from corpora.statute_events import Event, in_force_clause
from corpora.statute_records import NumberSet, SourceText, numbers_of

NEAR_DAYS = 60
#: A file's date so much later than the last event that its header names tells of an amendment that the header leaves out.
SILENT_AMENDMENT_DAYS = 150
#: No 施行 clause lies further ahead of the vote than this.
_LONGEST_WAIT = dt.timedelta(days=3 * 365)
_LAST_WORD = re.compile(r"不一致的?[，,]?(?:均?以本|不再适用|按照?本|适用本)|(?:与|同)本\S{2,6}(?:相)?抵触的")
_SENTENCE_END = "。！？；：”』」）)》"
_FAR = ArticleNumber(9_999)


@dataclass(slots=True)
class VersionDraft:
    """A version in the making: its event, and the texts that sources have of it."""

    event: Event
    texts: list[SourceText] = field(default_factory=list)
    effective: dt.date | None = None
    approximate: bool = True
    numbers: NumberSet | None = None
    complete: bool | None = None

    @property
    def text(self) -> SourceText | None:
        """The best text: whole numbering first, then the most articles, then as the sources were given."""
        return max(self.texts, key=_quality) if self.texts else None


@dataclass(slots=True)
class LawDraft:
    """A law in the making; `law_id` is set where an earlier build gave one."""

    title: str
    rank: Rank
    territory: str
    issuer: str
    versions: list[VersionDraft]
    law_id: str = ""
    aliases: tuple[str, ...] = ()
    repealed: dt.date | None = None
    repealed_by: str = ""


def _quality(text: SourceText) -> tuple[bool, bool, int, bool]:
    numbers = numbers_of(text.articles)
    return bool(text.articles), numbers.whole, len(text.articles), any(article.heading for article in text.articles)


def join_parts(texts: Sequence[SourceText]) -> list[SourceText]:
    """Join the parts into which a source splits one law (民法典's 编) in the order of their articles."""
    whole = [text for text in texts if not text.part]
    parted: dict[tuple[str, str], list[SourceText]] = {}
    for text in texts:
        if text.part:
            parted.setdefault((text.title, text.source), []).append(text)
    for group in parted.values():
        group.sort(key=lambda text: text.articles[0].number if text.articles else _FAR)
        articles = tuple(
            replace(article, heading=" / ".join(name for name in (text.part, article.heading) if name))
            for text in group
            for article in text.articles
        )
        body = "\n".join(text.body for text in group if text.body)
        first = group[0]
        whole.append(
            replace(
                first,
                part="",
                articles=articles,
                body=body,
                place=f"{first.place} +{len(group) - 1}",
                ends_in_annex=True,
            )
        )
    return whole


def complete_events(text: SourceText) -> tuple[Event, ...]:
    """Return the text's events with those that the header leaves out, marked inferred; the last one is the text's own.

    Raises:
        ValueError: if nothing dates the text.
    """
    clause, _, _ = in_force_clause(text.last_articles())
    events = list(text.events)
    if not events:
        dated = text.dated or clause
        if dated is None:
            msg = "no date: none in the header, the name or a 施行 clause"
            raise ValueError(msg)
        if clause and clause < dated - dt.timedelta(days=1):  # in force before this text: an amended one
            return Event(clause, "制定", inferred=True), Event(dated, "修正", inferred=True)
        return (Event(dated, "制定", inferred=True),)
    last = events[-1]
    if text.dated and (text.dated - last.last_day).days > SILENT_AMENDMENT_DAYS and text.dated != last.in_force:
        # Judicial interpretations are published long after the vote.
        if last.in_force and last.in_force >= text.dated:
            events[-1] = replace(last, promulgated=text.dated)
        else:
            events.append(Event(text.dated, "修订" if clause and clause >= text.dated else "修正", inferred=True))
    return tuple(events)


def fit_history(law: LawDraft, text: SourceText, events: Sequence[Event]) -> tuple[Event, ...]:
    """Return the events of a text without a header for a law whose history is known: its own event alone.

    It is a revision (修订) if its 施行 clause is not older than itself, else an amendment that left the clause as it was.
    """
    own = events[-1]
    clause, _, _ = in_force_clause(text.last_articles())
    kind = "修订" if clause and clause >= own.adopted else "修正"
    return (replace(own, kind=kind),) if law.versions[0].event.adopted < own.adopted else tuple(events)


def add_text(law: LawDraft, text: SourceText, events: Sequence[Event]) -> None:
    """Put the text's events among the law's versions, and the text with its own (the last)."""
    taken: set[int] = set()
    for event in events:
        draft = _nearest(law.versions, event, taken)
        if draft is None:
            draft = VersionDraft(event)
            law.versions.append(draft)
        else:
            draft.event = _joined(draft.event, event)
        taken.add(id(draft))
        own = draft
    own.texts.append(text)
    law.versions.sort(key=lambda version: version.event.adopted)
    law.issuer = law.issuer or text.issuer


def _nearest(versions: Iterable[VersionDraft], event: Event, taken: set[int]) -> VersionDraft | None:
    def distance(version: VersionDraft) -> int:
        days = (version.event.adopted, version.event.last_day)
        return min(abs((one - other).days) for one in days for other in (event.adopted, event.last_day))

    near = [version for version in versions if id(version) not in taken and distance(version) <= NEAR_DAYS]
    return min(near, key=distance) if near else None


def _joined(one: Event, other: Event) -> Event:
    """Return one event out of two reports of it: what a header says goes before what was inferred."""
    first, second = (other, one) if one.inferred and not other.inferred else (one, other)
    promulgated = first.promulgated or (
        second.adopted if second.inferred and second.adopted > first.adopted else second.promulgated
    )
    return replace(
        first, promulgated=promulgated, in_force=first.in_force or second.in_force, body=first.body or second.body
    )


def is_whole_act(event: Event) -> bool:
    """Whether the event gave the law a new text (制定, 修订) and not a decision's changes (修正)."""
    return event.kind != "修正"


def settle_dates(law: LawDraft) -> None:
    """Set each version's date in force; see the rules above. Decisions and the hand table come after (`set_effective`)."""
    for version in law.versions:
        event = version.event
        version.effective, version.approximate = event.last_day, True
        if event.in_force and event.in_force >= event.adopted:
            version.effective, version.approximate = event.in_force, False
    for index, version in enumerate(law.versions):
        text = version.text
        if text is None:
            continue
        day, wait, _ = in_force_clause(text.last_articles())
        if day:
            target = _clause_version(law.versions[: index + 1], day)
            if target is not None:
                target.effective, target.approximate = day, False
        elif wait is not None:
            target = version if is_whole_act(version.event) else _first_whole(law.versions[: index + 1])
            if target is not None and target.approximate:
                target.effective = target.event.last_day + dt.timedelta(days=wait)
                target.approximate = target.event.inferred


def _clause_version(versions: Sequence[VersionDraft], day: dt.date) -> VersionDraft | None:
    """Return the version that a 施行 clause with that day belongs to: the last whole act voted before it."""
    before = [version for version in versions if version.event.adopted <= day <= version.event.adopted + _LONGEST_WAIT]
    whole = [version for version in before if is_whole_act(version.event)]
    if whole:
        return whole[-1]
    # An amendment whose text has a clause later than itself: the amended clause.
    return before[-1] if before and before[-1] is versions[-1] else None


def _first_whole(versions: Sequence[VersionDraft]) -> VersionDraft | None:
    return next((version for version in reversed(versions) if is_whole_act(version.event)), None)


def set_effective(law: LawDraft, adopted: dt.date, effective: dt.date, *, approximate: bool) -> bool:
    """Set the date in force of the version adopted on that day (within a week), unless a text said it; return whether it was."""
    for version in law.versions:
        if abs((version.event.adopted - adopted).days) <= 7 and version.approximate:
            version.effective, version.approximate = max(effective, version.event.adopted), approximate
            return True
    return False


def settle_completeness(version: VersionDraft) -> None:
    """Set numbers and completeness of the version from its texts; see the rule above."""
    text = version.text
    if text is None:
        return
    version.numbers = numbers_of(text.articles)
    if not text.articles:
        version.complete = None
        return
    highest = [numbers_of(other.articles).highest for other in version.texts]
    specs = {numbers_of(other.articles).spec for other in version.texts}
    agreed = len({other.source for other in version.texts}) > 1 and len(set(highest)) == 1
    # Sources that end on the same number agree on the end; on a hole only if both have it (an article taken out).
    version.complete = (version.numbers.whole and (ends(text) or agreed)) or (agreed and len(specs) == 1)


def ends(text: SourceText) -> bool:
    """Whether a text ends as statutes end, and not in the middle."""
    last = text.articles[-1].text.rstrip()
    if not last:
        return False
    tail = [article.text for article in text.articles[-3:]]
    clause = in_force_clause(tail)
    if clause[2] or _LAST_WORD.search(tail[-1]):
        return True
    return text.ends_in_annex and last[-1] in _SENTENCE_END
