"""The outline of a policy document: chapters, articles, headings 一、（一）1.（1）①, attachments, signature."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from corpora.document_dates import Signature, signatures
from corpora.document_head import read_head
from corpora.document_names import kind_of
from pipeline.policies.clause_labels import Mark, Spans, labels
from pipeline.policies.records import Clause

_PARAGRAPH = 10
_NOTE = re.compile(r"\s{0,4}[（(](?:此件|本文|联系|信息公开)[^（()）]{0,40}[）)]")
_PRINTS = re.compile(r"印发|转发|公布|发布")
_TITLE_LINE = re.compile(r"[^\n。；：]{4,80}?(?=\n|\s|$)")
_WHITE = re.compile(r"\s*")
#: Where a run-together line is cut into paragraphs: the site's blank after the end of a sentence.
_BREAK = re.compile(r"\n+[\s]*|(?<=[。！？])[ \u3000\t]+")


@dataclass(slots=True)
class _Node:
    start: int
    end: int
    kind: str
    rank: int
    label: str = ""
    heading: str = ""
    body: int = 0
    parent: int = -1
    limit: int = 0
    children: list[int] = field(default_factory=list)


def outline(text: str) -> list[Clause]:
    """Return the clauses in the order of the text, parents before their children.

    Spans are exact: children stand within their parents and do not overlap, and every character that is no white space
    belongs to a clause.
    """
    if not text.strip():
        return []
    signed = _signatures(text)
    dated = Spans([(mark.start, mark.end) for mark in signed])
    marks = [mark for mark in _head(text) if not dated.hits(mark.start, mark.end)] + signed
    taken = Spans([(mark.start, mark.end) for mark in marks])
    marks += [mark for mark in labels(text, taken) if not taken.hits(mark.start, mark.end)]
    marks.sort(key=lambda mark: (mark.start, mark.rank))
    nodes = _tree(text, marks)
    _paragraphs(text, nodes)
    return _clauses(nodes)


def _head(text: str) -> list[Mark]:
    """Return the title, if it stands in the text."""
    head = read_head(text)
    start, end = head.title_start, head.title_end
    if start >= end:
        return []
    return [Mark(start, end, "title", 0, "", " ".join(text[start:end].split()), end)]


def _signatures(text: str) -> list[Mark]:
    """Return the signings (落款): a date with organs, or alone, that ends the document or the notice before its annex."""
    marks: list[Mark] = []
    for found in signatures(text):
        if marks and found.start < marks[-1].end:
            continue
        # A date in the head is that of the title's bracket or line, not a signing.
        if found.organs or (found.start > 60 and text[found.start - 1] not in "（("):
            marks.append(Mark(found.start, _with_note(text, found), "signature", 0, "", "", found.start))
    return marks


def _with_note(text: str, found: Signature) -> int:
    """Return where the signing ends: （此件公开发布） belongs to it."""
    note = _NOTE.match(text, found.end)
    return note.end() if note else found.end


def _tree(text: str, marks: list[Mark]) -> list[_Node]:
    """Nest the marks by rank; signings and titles stand at the top, attachments hold what follows them."""
    nodes: list[_Node] = []
    stack: list[int] = []

    def close(at: int, rank: int) -> None:
        while stack and (nodes[stack[-1]].rank >= rank or 0 < nodes[stack[-1]].limit <= at):
            node = nodes[stack.pop()]
            node.end = min(at, node.limit) if node.limit else at
            node.body = min(node.body, node.end)

    annex = False
    for index, mark in enumerate(marks):
        if mark.kind in ("title", "signature"):
            # A signing ends the attachments' list above it; one within an attachment's own text stays in it.
            inside = stack and nodes[stack[0]].kind == "attachment" and annex
            close(mark.start, 1 if inside else 0)
            annex = annex or mark.kind == "signature"
            _append(
                nodes, stack, _Node(mark.start, mark.end, mark.kind, _PARAGRAPH, mark.label, mark.heading, mark.body)
            )
            if mark.kind == "signature" and not inside:
                following = marks[index + 1] if index + 1 < len(marks) else None
                _annex_without_label(text, mark, following, nodes, stack)
            continue
        close(mark.start, mark.rank)
        node = _Node(mark.start, len(text), mark.kind, mark.rank, mark.label, mark.heading, mark.body, limit=mark.limit)
        _append(nodes, stack, node)
        stack.append(len(nodes) - 1)
    close(len(text), 0)
    return nodes


def _annex_without_label(text: str, mark: Mark, following: Mark | None, nodes: list[_Node], stack: list[int]) -> None:
    """Open an attachment for what follows the signing of a notice: the document that it prints (印发) begins there."""
    rest = _WHITE.match(text, mark.end)
    start = rest.end() if rest else mark.end
    if following and following.kind in ("attachment", "signature"):
        return
    if len(text) - start < 200 or not _PRINTS.search(text, max(0, mark.start - 3_000), mark.start):
        return
    line = _TITLE_LINE.match(text, start)
    heading = line[0].strip() if line and kind_of(line[0]) else ""
    body = line.end() if line and heading else start
    stack.clear()
    nodes.append(_Node(start, len(text), "attachment", 0, "", heading, body))
    stack.append(len(nodes) - 1)


def _append(nodes: list[_Node], stack: list[int], node: _Node) -> None:
    node.parent = stack[-1] if stack else -1
    if stack:
        nodes[stack[-1]].children.append(len(nodes))
    nodes.append(node)


def _paragraphs(text: str, nodes: list[_Node]) -> None:
    """Add paragraphs for the text that stands in no clause, and for clauses with several lines of their own."""
    tops = sorted(index for index, node in enumerate(nodes) if node.parent == -1)
    at = 0
    for index in [*tops, -1]:
        end = nodes[index].start if index >= 0 else len(text)
        _add_pieces(text, at, end, -1, nodes)
        at = max(at, nodes[index].end) if index >= 0 else at
    for index in range(len(nodes)):
        node = nodes[index]
        if node.kind in ("title", "signature", "paragraph"):
            continue
        gaps = []
        at = min(max(node.body, node.start), node.end)
        for child in sorted(node.children, key=lambda child: nodes[child].start):
            gaps.append((at, nodes[child].start))
            at = nodes[child].end
        gaps.append((at, node.end))
        pieces = [piece for gap in gaps for piece in _pieces(text, *gap)]
        # One line of its own is the clause itself; several are its paragraphs (款).
        if len(pieces) > 1 or (pieces and node.kind in ("attachment", "chapter", "section")):
            for start, end in pieces:
                nodes.append(_Node(start, end, "paragraph", _PARAGRAPH, body=start, parent=index))


def _add_pieces(text: str, start: int, end: int, parent: int, nodes: list[_Node]) -> None:
    for low, high in _pieces(text, start, end):
        nodes.append(_Node(low, high, "paragraph", _PARAGRAPH, body=low, parent=parent))


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the paragraphs between two places, without the white space around them."""
    at = start
    for match in _BREAK.finditer(text, start, end):
        yield from _trimmed(text, at, match.start())
        at = match.end()
    yield from _trimmed(text, at, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    words = text[start:end]
    if words.strip():
        yield start + len(words) - len(words.lstrip()), start + len(words.rstrip())


def _clauses(nodes: list[_Node]) -> list[Clause]:
    """Return the nodes in the order of the text, with their parents' new indices."""
    order = sorted(range(len(nodes)), key=lambda index: (nodes[index].start, -nodes[index].end, nodes[index].rank))
    place = {old: new for new, old in enumerate(order)}
    return [
        Clause(node.start, node.end, node.kind, node.label, node.heading, node.body, place.get(node.parent, -1))
        for node in (nodes[index] for index in order)
    ]
