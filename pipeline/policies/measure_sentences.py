"""Sentences of a policy document, with what surrounds them: clause, lead sentence, and the text with quotations blanked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.policies.records import Clause

#: Clauses that say nothing themselves.
_SILENT = frozenset({"title", "signature"})
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]?")
_PART = re.compile(r"[^；;]+[；;]?")
#: What a title or a quotation says is not done by the sentence that names it; a word or name in marks (“专用编制”) is part of it.
_QUOTED = re.compile(
    r"《[^《》\n]{1,120}(?:《[^《》\n]{0,80}》[^《》\n]{0,80})?》|〈[^〈〉\n]{1,80}〉|(?<=“)(?:[^“”]{13,600}|[^“”]*[，。；！？：、][^“”]*)(?=”)|(?<=\")[^\"\n]{1,80}(?=\")"
)
_LEAD = re.compile(r"[:：]\s*$")
_EDGE = " \t\u3000\ue004\xa0\u2003\u200b"
_LEAD_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a part of one between semicolons.

    Attributes:
        start, end: of the part, without blanks at its edges.
        whole: start and end of the whole sentence.
        clause: index of the clause whose own text it is.
        text: as written.
        plain: as `text`, of the same length, with titles and quotations blanked by □.
        lead: the sentence of an ancestor that ends in a colon and shares its subject with this one; "" if there is none.
    """

    start: int
    end: int
    whole: tuple[int, int]
    clause: int
    text: str
    plain: str
    lead: str


def sentences(text: str, clauses: Sequence[Clause]) -> Iterator[Sentence]:
    """Yield the sentences of all clauses in the order of the text; titles and signatures are left out."""
    blanked = _QUOTED.sub(lambda match: "□" * len(match[0]), text)
    leads: dict[int, str] = {}
    found: list[Sentence] = []
    for index, regions in enumerate(own_text(text, clauses)):
        clause = clauses[index]
        if clause.kind in _SILENT:
            continue
        lead = leads.get(clause.parent, "")
        for start, end in regions:
            for sentence in _SENTENCE.finditer(blanked, start, end):
                if _LEAD.search(sentence[0]):
                    leads[index] = sentence[0].strip(_EDGE)[-_LEAD_LENGTH:]
                found.extend(_parts(text, blanked, sentence, index, lead))
        if index not in leads and lead and not any(start < end for start, end in regions):
            leads[index] = lead  # a bare label hands the subject on
    yield from sorted(found, key=lambda sentence: sentence.start)


def _parts(text: str, blanked: str, sentence: re.Match[str], clause: int, lead: str) -> Iterator[Sentence]:
    """Yield the parts of a sentence, without blanks and closing marks at their edges."""
    for part in _PART.finditer(blanked, sentence.start(), sentence.end()):
        start, end = part.span()
        while start < end and text[start] in _EDGE:
            start += 1
        while start < end and text[end - 1] in _EDGE + "\n":
            end -= 1
        if end - start > 3:
            yield Sentence(start, end, sentence.span(), clause, text[start:end], blanked[start:end], lead)


def own_text(text: str, clauses: Sequence[Clause]) -> list[list[tuple[int, int]]]:
    """Return for each clause the spans of its text that belong to no clause below it.

    A clause that consists of its heading alone says it in its heading.
    """
    children: list[list[Clause]] = [[] for _ in clauses]
    for clause in clauses:
        if clause.parent >= 0:
            children[clause.parent].append(clause)
    own: list[list[tuple[int, int]]] = []
    for index, clause in enumerate(clauses):
        at, regions = clause.body_start, []
        for child in sorted(children[index], key=lambda child: child.start):
            regions.append((at, child.start))
            at = max(at, child.end)
        regions.append((at, clause.end))
        regions = [(start, end) for start, end in regions if text[start:end].strip()]
        if not regions and not children[index] and clause.heading and clause.kind not in _SILENT:
            regions = [(clause.start + len(clause.label), clause.body_start)]
        own.append(regions)
    return own
