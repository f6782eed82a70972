"""A document's text with marks on it, as nested HTML: marks that cross are cut so that every element closes properly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from pipeline.policies.records import Clause

#: Clauses that begin a block of their own even where the text runs on (web pages give whole documents in one line).
_BREAKS = frozenset(
    {"chapter", "section", "article", "heading", "subheading", "point", "attachment", "signature", "title"}
)
_CLASSES = {
    "title": "t-title",
    "chapter": "t-title",
    "section": "t-title",
    "heading": "t-heading",
    "subheading": "t-sub",
    "attachment": "t-attachment",
    "signature": "t-signature",
}


#: A block longer than this, or one that is a sentence, is no heading, whatever its clause begins with.
_HEADING_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Mark:
    """A span of the text to be marked.

    Attributes:
        start, end: [start, end) in the text.
        classes: CSS classes.
        card: id of the element that explains it.
        anchor: id of the mark's first piece, "" for none.
        label: shown beside the pointer.
    """

    start: int
    end: int
    classes: str
    card: str
    anchor: str = ""
    label: str = ""


def blocks(text: str, clauses: Sequence[Clause]) -> list[tuple[int, int, str]]:
    """Return the text's blocks as (start, end, CSS class), without line feeds; empty lines give none.

    A block is a line, or the part of one from one heading, article or point to the next.
    """
    classes: dict[int, str] = {}
    for clause in clauses:
        if clause.kind in _BREAKS and 0 <= clause.start < len(text):
            classes.setdefault(clause.start, _CLASSES.get(clause.kind, ""))
    found: list[tuple[int, int, str]] = []
    cuts = sorted(classes)
    at = start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        while at < len(cuts) and cuts[at] <= start:
            at += 1
        first = start
        while at < len(cuts) and cuts[at] < end:
            found.append((first, cuts[at], classes.get(first, "")))
            first = cuts[at]
            at += 1
        found.append((first, end, classes.get(first, "")))
        start = end + 1
    return [block for block in found if text[block[0] : block[1]].strip()]


def annotate(text: str, clauses: Sequence[Clause], marks: Iterable[Mark]) -> Markup:
    """Return the text as paragraphs with the marks as nested `span` elements; all text is escaped.

    Longer marks enclose shorter ones that begin at the same place. Marks that cross each other, a line end or the
    beginning of a clause are given in pieces; the first piece has the anchor and takes the focus.
    """
    waiting = sorted(
        (mark for mark in marks if max(mark.start, 0) < min(mark.end, len(text))),
        key=lambda mark: (mark.start, -mark.end),
    )
    out: list[str] = []
    seen: set[Mark] = set()
    active: list[Mark] = []
    at = 0
    for start, end, name in blocks(text, clauses):
        active = [mark for mark in active if mark.end > start]
        while at < len(waiting) and waiting[at].start < end:
            if waiting[at].end > start:
                active.append(waiting[at])
            at += 1
        heads = end - start <= _HEADING_LENGTH and not text[start:end].rstrip().endswith(("。", "；"))
        out.append(f'<p class="{name}">' if name and heads else "<p>")
        _block(text, start, end, active, seen, out)
        out.append("</p>\n")
    return Markup("".join(out))  # noqa: S704 - built from escaped pieces


def _block(text: str, start: int, end: int, marks: Sequence[Mark], seen: set[Mark], out: list[str]) -> None:
    """Append the block's text with its marks; `marks` are those that touch it, by (start, -end)."""
    cuts = {start, end}
    for mark in marks:
        cuts.update((max(mark.start, start), min(mark.end, end)))
    edges = sorted(cuts)
    stack: list[Mark] = []
    for left, right in pairwise(edges):
        wanted = [mark for mark in marks if mark.start <= left and mark.end >= right]
        keep = 0
        while keep < len(stack) and stack[keep].end > left:
            keep += 1
        out.append("</span>" * (len(stack) - keep))
        del stack[keep:]
        held = set(stack)
        # Those that end last enclose the others, so that fewest are cut.
        fresh = sorted((mark for mark in wanted if mark not in held), key=lambda mark: (-mark.end, mark.start))
        for mark in fresh:
            out.append(_open(mark, seen))
            stack.append(mark)
        out.append(str(escape(text[left:right])))
    out.append("</span>" * len(stack))


def _open(mark: Mark, seen: set[Mark]) -> str:
    card, classes = escape(mark.card), escape(mark.classes)
    if mark in seen:
        return f'<span class="{classes} more" data-card="{card}">'
    seen.add(mark)
    anchor = f' id="{escape(mark.anchor)}"' if mark.anchor else ""
    label = f' title="{escape(mark.label)}"' if mark.label else ""
    return f'<span class="{classes}" data-card="{card}"{anchor} tabindex="0" role="button"{label}>'
