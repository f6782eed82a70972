"""Citations that name no statute: document numbers (文号) and vague bases (有关法律法规)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

from pipeline.policies import citation_patterns as p
from pipeline.policies.records import Citation

_BLANK = re.compile(r"\s+")
#: The noun before makes the basis a named one: 《A法》的有关规定, 本条例有关规定, 第三条的有关规定.
_NAMED = re.compile(rf"(?:[》〉]|本(?:{p.KIND})|[该同](?:{p.KIND})|第{p.NUM}[条款项章节]|前款|[》〉]等)(?:中|里)?的?$")
_REFERENCE = re.compile(r".*(参照|违反|违背|依照|依据|根据|按照|遵照|符合|执行|适用|按)", re.DOTALL)


_HEAD = 1_000  # characters in which a document gives its own number
_NO_RULES = frozenset(a + b for a in ("有关", "相关") for b in ("规范", "标准", "制度", "文件", "政策", "办法", "条例"))


class Spans:
    """The places that citations take."""

    def __init__(self, citations: Iterable[Citation]) -> None:
        spans = sorted({(c.start, c.end) for c in citations})
        self.all_ends = {end for _, end in spans}
        self._starts = [start for start, _ in spans]
        self._ends = list(accumulate((end for _, end in spans), max))

    def overlap(self, start: int, end: int) -> bool:
        """Return whether a citation covers part of the span."""
        at = bisect_left(self._starts, end) - 1
        return at >= 0 and self._ends[at] > start


def relation_before(text: str, start: int) -> str:
    """Return the relation that the verb in front gives, within the clause."""
    before = text[max(0, start - 30) : start]
    found = _REFERENCE.match(before)
    if not found or re.search("[。；;\n，,！？]", before[found.end() :]):
        return "mention"
    return p.RELATIONS.get(found[1], "basis")


def numbers(text: str, spans: Spans) -> list[Citation]:
    """Return the document numbers outside other citations: 国办发〔2018〕37号, 国务院令第423号.

    The document's own number, alone on a line of its head, is no citation.
    """
    out: list[Citation] = []
    for match in p.NUMBER_YEAR.finditer(text):
        if spans.overlap(match.start(), match.end()):
            continue
        code = p.NUMBER_CODE.search(text[max(0, match.start() - 16) : match.start()])
        if not code:
            continue
        name = code[0]
        stop = p.NUMBER_STOP.match(name)
        name = name[stop.end() :] if stop else name
        if name.strip():
            start = match.start() - len(name)
            if not _is_own_number(text, start, match.end()):
                out.append(_number(text, start, match.end()))
    for match in p.ORDER.finditer(text) if "令" in text else ():
        issuer = p.ORDER_ISSUER.search(text[max(0, match.start() - 22) : match.start()])
        if issuer and not spans.overlap(match.start(), match.end()):
            out.append(_number(text, match.start() - len(issuer[0]), match.end()))
    return out


def _number(text: str, start: int, end: int) -> Citation:
    written = text[start:end]
    return Citation(start, end, written, "number", _BLANK.sub("", written), relation=relation_before(text, start))


def _is_own_number(text: str, start: int, end: int) -> bool:
    """Whether a number stands on a line of its own in the document's head: it is the document's."""
    if start > _HEAD:
        return False
    after = text.find("\n", end)
    line = text[text.rfind("\n", 0, start) + 1 : after if after >= 0 else len(text)]
    return line.strip() == text[start:end] and (after >= 0 or start > 0)


def vague(text: str, spans: Spans, ends: set[int]) -> list[Citation]:
    """Return the vague bases; what belongs to a named statute (《A法》的有关规定) is none.

    Args:
        text: the document.
        spans: the citations found so far.
        ends: where titles end.
    """
    out: list[Citation] = []
    taken = spans.all_ends
    done = -1
    for start, end in sorted(match.span() for pattern in p.VAGUE for match in pattern.finditer(text)):
        if start < done:
            continue
        done = end
        whose = p.VAGUE_WHOSE.search(text[max(0, start - 12) : start])
        if whose:
            start -= len(whose[0])
        before = text[start - 1] if start else ""
        if before in "》〉的例法条款项定则中里等":
            if start in taken or start in ends or start - 1 in taken or start - 1 in ends:
                continue
            if _NAMED.search(text[max(0, start - 14) : start]):
                continue
        if text[start:end] in _NO_RULES or spans.overlap(start, end):
            continue
        out.append(Citation(start, end, text[start:end], "vague", relation=relation_before(text, start)))
    return out
