"""What the legal report shows of one document: its annotated text and the cards that explain the marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from corpora.legal import ArticleNumber
from dispatch.legal_labels import (
    ADVISORY,
    CITATION_KINDS,
    GAP_NAMES,
    RELATIONS,
    STATUS_NAMES,
    VERDICT_NAMES,
    VERDICTS,
    citation_label,
    gravest,
    measure_outline,
    verdict_sentence,
    version_date,
)
from dispatch.legal_records import Mined, Suggestion
from dispatch.legal_text import Mark, annotate
from pipeline.policies.records import Finding, Resolved, Status

#: Characters of a document's text that are shown, and of an article's.
TEXT_LENGTH = 300_000
ARTICLE_LENGTH = 3_000
EXCERPT_LENGTH = 220

ArticleText = Callable[[str, ArticleNumber], str | None]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as the templates show it; `prefix` begins every id, so that many fit in one page."""

    number: int
    prefix: str
    mined: Mined
    title: str
    body: Markup
    cards: Sequence[dict[str, Any]]
    counts: Sequence[tuple[str, str, int]]
    gaps: int
    cut: bool


def document_view(mined: Mined, number: int, as_of: str, article_text: ArticleText) -> DocumentView:
    """Return what is shown of a document.

    Args:
        mined: the document and its findings.
        number: its place in the run, from 1.
        as_of: date of the knowledge base, "" where unknown.
        article_text: the text of an article of a version, None where it is not held.
    """
    prefix, document = f"d{number}-", mined.document
    marks, cards = _measures(mined, prefix, as_of)
    more_marks, more_cards = _citations(mined.resolved, prefix, article_text)
    text = document.text[:TEXT_LENGTH]
    verdicts = [finding.verdict.value for finding in mined.findings]
    return DocumentView(
        number=number,
        prefix=prefix,
        mined=mined,
        title=document_title(mined),
        # A measure encloses the citations in it, also where both begin and end at the same places.
        body=annotate(text, mined.clauses, [*marks, *more_marks]),
        cards=[*cards, *more_cards],
        counts=[(name, VERDICT_NAMES[name], verdicts.count(name)) for name in VERDICTS],
        gaps=sum(len(finding.gaps) for finding in mined.findings),
        cut=len(text) < len(document.text),
    )


def document_title(mined: Mined) -> str:
    """Return one line to call a document by."""
    return " ".join(mined.document.title.split()) or mined.document.document_id


def measure_row(finding: Finding, href: str, document: int) -> dict[str, Any]:
    """Return a measure as the gap table has it: short names, because there are many."""
    text = " ".join(finding.measure.text.split())
    return {
        "d": document,
        "h": href,
        "t": text[:EXCERPT_LENGTH] + ("…" if len(text) > EXCERPT_LENGTH else ""),
        "k": finding.measure.kind,
        "f": finding.measure.frame,
        "v": finding.verdict.value,
        "g": [[gap.code, gap.evidence, gap.cure] for gap in finding.gaps],
        "e": "" if finding.gaps else finding.evidence,
        "n": list(finding.not_checked),
    }


def _measures(mined: Mined, prefix: str, as_of: str) -> tuple[list[Mark], list[dict[str, Any]]]:
    marks, cards = [], []
    for place, finding in enumerate(mined.findings):
        card, verdict = f"{prefix}m{place + 1}", finding.verdict.value
        names = [GAP_NAMES.get(gap.code, gap.code) for gap in finding.gaps]
        marks.append(
            Mark(
                finding.measure.start,
                finding.measure.end,
                f"m v-{verdict}" + (" open" if finding.not_checked else ""),
                card,
                f"{prefix}at-m{place + 1}",
                "：".join(filter(None, (VERDICT_NAMES[verdict], "、".join(names)))),
            )
        )
        cards.append(
            {
                "id": card,
                "type": "measure",
                "finding": finding,
                "verdict": verdict,
                "verdict_name": VERDICT_NAMES[verdict],
                "sentence": verdict_sentence(verdict, as_of, mined.document.issued),
                "outline": measure_outline(finding.measure),
                "gaps": [
                    {"code": gap.code, "name": name, "advisory": gap.code in ADVISORY, "gap": gap}
                    for gap, name in zip(finding.gaps, names, strict=True)
                ],
                "citations": _cited(finding.citations),
                "candidates": [_suggestion(item) for item in mined.candidates.get(place, ())],
            }
        )
    return marks, cards


def _cited(citations: Sequence[Resolved]) -> list[tuple[str, str, str]]:
    """Return label, status and the status's name of each citation, once each."""
    return list(
        dict.fromkeys((citation_label(item), item.status.value, STATUS_NAMES[item.status.value]) for item in citations)
    )


def _suggestion(item: Suggestion) -> dict[str, str]:
    return {
        "label": f"《{item.law}》{item.article}",
        "version": version_date(item.version_id),
        "text": _short(item.text),
    }


def _citations(
    resolved: Sequence[Resolved], prefix: str, article_text: ArticleText
) -> tuple[list[Mark], list[dict[str, Any]]]:
    """Return a mark for each span that cites, and a card for each set of things cited, which several spans may share."""
    spans: dict[tuple[int, int], list[Resolved]] = {}
    for found in resolved:
        spans.setdefault((found.citation.start, found.citation.end), []).append(found)
    marks: list[Mark] = []
    cards: dict[object, dict[str, Any]] = {}
    texts: dict[tuple[str, ArticleNumber], str] = {}
    for (start, end), group in spans.items():
        # The same things cited elsewhere, but for the place, share a card.
        key = tuple(replace(found, citation=replace(found.citation, start=0, end=0)) for found in group)
        status = gravest([found.status.value for found in group])
        if key not in cards:
            cards[key] = {
                "id": f"{prefix}c{len(cards) + 1}",
                "type": "citation",
                "text": group[0].citation.text,
                "entries": [_entry(found, article_text, texts) for found in group],
            }
        marks.append(Mark(start, end, f"c s-{status}{_manner(group[0])}", cards[key]["id"], label=STATUS_NAMES[status]))
    return marks, list(cards.values())


def _manner(found: Resolved) -> str:
    """Return the class of what looks different from a statute that could not be checked.

    Vague citations, and quietly document numbers (文号) and titles that are only mentioned and not of a statute we hold.
    """
    citation = found.citation
    if citation.kind == "vague":
        return " vague"
    mentioned = citation.kind == "title" and citation.relation == "mention" and found.status is Status.NOT_CHECKED
    return " quiet" if citation.kind == "number" or mentioned else ""


def _entry(
    found: Resolved, article_text: ArticleText, texts: dict[tuple[str, ArticleNumber], str]
) -> dict[str, str | bool]:
    citation, text = found.citation, ""
    if found.version_id and citation.article is not None:
        place = (found.version_id, citation.article)
        if place not in texts:
            texts[place] = _short(article_text(*place) or "")
        text = texts[place]
    return {
        "label": citation_label(found),
        "kind": CITATION_KINDS.get(citation.kind, citation.kind),
        "relation": RELATIONS.get(citation.relation, citation.relation),
        "version": version_date(found.version_id),
        "status": found.status.value,
        "status_name": STATUS_NAMES[found.status.value],
        "other": found.other,
        "reason": found.reason,
        "definition": citation.definition,
        "article": citation.article is not None,
        "text": text,
    }


def _short(text: str) -> str:
    return text[:ARTICLE_LENGTH] + "…" if len(text) > ARTICLE_LENGTH else text
