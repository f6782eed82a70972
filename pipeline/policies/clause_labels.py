"""Labels of a policy document's clauses: 第三条, 一、, （一）, 1., ①, 附件; which of the many numbers in a text are labels.

Labels are recognised at the beginnings of lines, and within a line after the end of a sentence, because sites run
documents together into one line. Within a line a label counts only where its number goes on from the one before on its
level; so 第十条 of 违反第十条的 and （二） of 第一款第（二）项 are no labels.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from corpora.legal import parse_number

_CN = "一二三四五六七八九十百零〇○"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
#: A label with what must or may stand before it; `line` labels begin a line, others follow the end of a sentence.
_MARK = re.compile(
    rf"第\s?(?P<number>[{_CN}0-9０-９]{{1,7}})\s?(?P<unit>[编章节条])(?:之(?P<suffix>[{_CN}]{{1,3}}))?"
    rf"|(?P<heading>[{_CN}]{{1,4}})\s?[、．](?!\d)"
    rf"|[（(]\s?(?P<subheading>[{_CN}]{{1,4}})\s?[）)]"
    rf"|(?<![0-9０-９.．A-Za-z])(?P<point>[0-9０-９]{{1,3}})\s?[.．、](?![0-9０-９])"
    rf"|[（(]\s?(?P<item>[0-9０-９]{{1,3}})\s?[）)]"
    rf"|(?P<circled>[{_CIRCLED}])"
    rf"|附[ \u3000]?件[ \u3000]?(?P<attachment>[0-9０-９{_CN}]{{0,3}})[ \u3000]?[:：.．、]?(?=\s|$|[^的中])"
)
_RANKS = {"编": 1, "章": 2, "节": 3, "条": 4, "heading": 5, "subheading": 6, "point": 7, "item": 8, "circled": 9}
_KINDS = {
    "编": "chapter", "章": "chapter", "节": "section", "条": "article", "heading": "heading", "subheading": "subheading",
    "point": "point", "item": "item", "circled": "item",
}  # fmt: skip
#: What may stand before a label within a line.
_BOUNDARY = "。；;：:！？!?”」》）)…\n\t \u3000"
#: After 第十条 these words make it a citation, not the article itself.
_CITED = re.compile(r"规定|所列|所称|第|款|、|和|或|至第|到第|中[的，]|的|及|以及|与|，|,|）|》|”|修改为|删去")
_QUOTED = re.compile(r"“[^“”]{0,3000}”")
_CONTENTS = re.compile(r"^[\s\u3000]*目[\s\u3000]*[录次](?=[\s\u3000]|第)", re.MULTILINE)
_WHITE = re.compile(r"\s*")
_PUNCTUATION = re.compile(r"[，。；：、！？,;:\d]")
_SENTENCE_END = re.compile(r"[。；！？]")
_HEADING_LENGTH = 42


@dataclass(frozen=True, slots=True)
class Mark:
    """A label, title or signing; `rank` is its level from 0 (the document) down, `body` where the words after it begin."""

    start: int
    end: int
    kind: str
    rank: int
    label: str
    heading: str = ""
    body: int = 0
    limit: int = 0  # where it ends at the latest, 0 for no limit


class Spans:
    """Spans that do not overlap, for the question whether another touches them."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        spans.sort()
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def hits(self, start: int, end: int) -> bool:
        """Tell whether [start, end) shares a character with one of the spans."""
        at = bisect_right(self._starts, max(start, end - 1)) - 1
        return at >= 0 and self._ends[at] > start

    def next_start(self, at: int, limit: int) -> int:
        """Return the start of the first span at or after `at`, at the most `limit`."""
        index = bisect_left(self._starts, at)
        return min(self._starts[index], limit) if index < len(self._starts) else limit


def labels(text: str, taken: Spans) -> Iterator[Mark]:
    """Yield the labels that are labels of this document, with their headings."""
    quoted = Spans([match.span() for match in _QUOTED.finditer(text) if match.end() - match.start() > 12])
    contents = _contents(text)
    counts: dict[int, int] = {}
    inside_chapter = 0
    found: list[tuple[re.Match[str], str, int]] = []
    for match in _MARK.finditer(text):
        start = match.start()
        if contents[0] <= start < contents[1] or quoted.hits(start, start + 1):
            continue
        group = match["unit"] or str(match.lastgroup)
        if group == "attachment":
            if _attaches(text, match):
                counts.clear()
                found.append((match, group, 0))
            continue
        at_line = _begins_line(text, start)
        rank = _RANKS[group]
        number, suffix = _number(match, group)
        if number == 0:
            continue
        if group in "编章节条" and not _is_label(text, match, group):
            continue
        previous = counts.get(rank, 0)
        follows = number == previous + 1 or number == 1 or (suffix > 0 and number == previous)
        chapter_before = group in "节条" and start - inside_chapter < 40
        if group in ("subheading", "point") and found and found[-1][2] < rank and "、" not in match[0]:
            # A heading without a sentence end: 二、工作目标（一）….
            between = text[found[-1][0].end() : start]
            chapter_before = (
                found[-1][1] in ("heading", "subheading")
                and 2 <= len(between) <= 30
                and not _PUNCTUATION.search(between)
            )
        if at_line:
            # On a line of its own a number may jump (an extract, a slip), but 2020. of a broken line is none.
            accepted = follows or (number > previous and (group in "编章节条" or number <= previous + 3))
        else:
            accepted = follows and (
                chapter_before or (text[start - 1] in _BOUNDARY and _opens(text, match, group, previous))
            )
        if not accepted:
            continue
        # Counts of deeper levels are kept: some documents number （一） on through 一、二、三、.
        counts[rank] = number
        if group in "编章节":
            inside_chapter = match.end()
        found.append((match, group, rank))
    opens: dict[int, bool] = {}
    for index, (match, group, rank) in enumerate(found):
        following = found[index + 1][0].start() if index + 1 < len(found) else len(text)
        following = taken.next_start(match.end(), following)
        if group == "attachment":
            yield _attachment(text, match, following)
            continue
        if group in _LISTS:
            opens[rank] = (
                _opens_list(text, match, following) if _number(match, group)[0] == 1 else opens.get(rank, False)
            )
        if group in _LISTS and opens[rank]:
            last = index + 1 == len(found) or found[index + 1][2] < rank or _number(*found[index + 1][:2])[0] == 1
            limit = _item_end(text, match.end(), following, last=last)
            kind = "item" if group == "subheading" else _KINDS[group]
            body = _WHITE.match(text, match.end()).end()  # type: ignore[union-attr]  # it matches everywhere
            yield Mark(match.start(), match.end(), kind, rank, match[0].strip(), "", min(body, following), limit)
            continue
        heading, body = _heading(text, match.end(), following, group)
        kind = "item" if group == "subheading" and _in_article(found, index) else _KINDS[group]
        yield Mark(match.start(), match.end(), kind, rank, match[0].strip(), heading, body)


def _begins_line(text: str, start: int) -> bool:
    """Tell whether only white space (or an opening bracket) stands before `start` on its line."""
    # A window: on a line of a million characters a search for its beginning would cost too much.
    before = text[max(0, start - 60) : start].rstrip(" \t\u3000\u00a0【[")
    return before.endswith("\n") or (not before and start < 60)


def _number(match: re.Match[str], group: str) -> tuple[int, int]:
    """Return the number of a label and that after 之; 0 where it is no number."""
    if group == "circled":
        return _CIRCLED.index(match["circled"]) + 1, 0
    written = match["number"] if group in "编章节条" else match[group]
    try:
        number = parse_number(written.replace("○", "〇"))
        return (number, parse_number(match["suffix"])) if match["suffix"] else (number, 0)
    except ValueError:
        return 0, 0


def _is_label(text: str, match: re.Match[str], group: str) -> bool:
    """Tell 第三条 at the head of an article from 第三条 that is cited."""
    if group == "条":
        return _CITED.match(text, match.end()) is None
    return text[match.end() : match.end() + 1] not in "的、，和至第中"


def _opens(text: str, match: re.Match[str], group: str, previous: int) -> bool:
    """Tell whether a label within a line may open a clause there."""
    before = text[match.start() - 1]
    if group == "heading":
        # 一、 after a comma or within a list of words (十一、十二月) is none.
        return before in "。；：:！？”）)\n\t \u3000" and previous < 60
    if group == "point" and "、" in match[0]:
        # 1、 after a blank is an enumeration of words more often than a label.
        return text[max(0, match.start() - 8) : match.start()].rstrip()[-1:] in ("。", "；", "：", ":", ";")
    if before in "）)”》" and group in ("subheading", "item", "circled"):
        return previous > 0
    return True


_LISTS = frozenset({"subheading", "point", "item", "circled"})


def _opens_list(text: str, match: re.Match[str], following: int) -> bool:
    """Tell whether a first label opens a list within a sentence (有下列情形之一的：（一）…；（二）…。)."""
    before = text[max(0, match.start() - 12) : match.start()].rstrip()
    if not before.endswith(("：", ":")):
        return False
    return text[match.end() : following].rstrip().endswith(("；", ";", "，", "、")) or not before.endswith(
        ("如下：", "如下:")
    )


def _item_end(text: str, start: int, following: int, *, last: bool) -> int:
    """Return where a list's item ends: with its line, or, the last of a run-together list, with its sentence."""
    line = text.find("\n", start, following)
    end = following if line < 0 else line
    stop = text.find("。", start, end) + 1 if last else 0
    if not stop and text[start:end].rstrip().endswith(("：", ":")):
        return 0  # it holds a list of its own
    return stop or end


def _in_article(found: list[tuple[re.Match[str], str, int]], index: int) -> bool:
    """Tell whether the nearest clause above a （一） is an article: then it is an item (项)."""
    for _, group, rank in reversed(found[:index]):
        if rank < _RANKS["subheading"]:
            return group == "条"
    return False


def _contents(text: str) -> tuple[int, int]:
    """Return the span of a table of contents (目录): to the second 第一章, 一、 or 第一条; (0, 0) where there is none."""
    match = _CONTENTS.search(text, 0, 6_000)
    if match is None:
        return (0, 0)
    first = re.compile(r"第\s?一\s?[编章节]|一、").search(text, match.end(), match.end() + 60)
    if first is None:
        return (0, 0)
    again = text.find(first[0], first.end(), first.end() + 6_000)
    return (match.start(), again) if again > 0 else (0, 0)


def _attaches(text: str, match: re.Match[str]) -> bool:
    """Tell whether 附件 heads an attachment or a list of them: at a line's beginning, or after a sentence or signing."""
    start = match.start()
    if _begins_line(text, start):
        return True
    return text[start - 1] in "。 \u3000）)" and (bool(match["attachment"]) or match[0].rstrip().endswith((":", "：")))


def _attachment(text: str, match: re.Match[str], limit: int) -> Mark:
    """Return the mark of an attachment or of a list of attachments."""
    start = match.end()
    line = text.find("\n", start, limit)
    if line >= 0 and not text[start:line].strip(" \u3000:：】]）"):
        # 附件1 stands on a line of its own: its heading is the next.
        start = line + 1
        line = text.find("\n", start, limit)
    rest = text[start : limit if line < 0 else line].strip(" \u3000:：】]")
    if rest.count("）") > rest.count("（"):
        rest = rest.removesuffix("）")  # （附件：清单）
    heading = rest if 0 < len(rest) <= 60 and not _SENTENCE_END.search(rest) else ""
    body = text.index(heading, start) + len(heading) if heading else match.end()
    return Mark(match.start(), match.end(), "attachment", 0, match[0].strip(" \u3000:：.、"), heading, body)


def _heading(text: str, start: int, limit: int, group: str) -> tuple[str, int]:
    """Return the heading after a label that ends at `start`, and where the words after it begin."""
    body = start
    while body < len(text) and text[body] in " \u3000\t":
        body += 1
    if group == "条":
        # Articles have no headings, except in brackets: 第三条（适用范围）.
        match = re.compile(r"[【（(〔]([^】）)〕\n]{2,20})[】）)〕]\s*").match(text, body)
        return (match[1], match.end()) if match else ("", body)
    if group in ("circled", "item"):
        return "", body
    line = text.find("\n", body)
    stop = min(limit, len(text) if line < 0 else line)
    words = text[body:stop]
    if (
        len(words.strip()) <= _HEADING_LENGTH
        and not _SENTENCE_END.search(words.rstrip("。；"))
        and (group in "编章节" or "，" not in words)
    ):
        # The whole line, or all up to the next label; a short sentence by itself is an item's text, not a heading.
        if (
            words.strip()
            and not words.rstrip().endswith(("；", ";"))
            and (group != "point" or not words.rstrip().endswith("。"))
        ):
            return words.strip(" \u3000\t。：:"), stop
        return "", body
    if group in "编章节":
        match = re.compile(r"[^\s。；，]{1,20}(?=\s)").match(words)
        return (match[0], body + match.end()) if match else ("", body)
    match = re.compile(rf"([^。；！？\n]{{2,{_HEADING_LENGTH}}}?)(?:。|(?<=[\u4e00-\u9fff）”])[ \u3000]+(?=\S))").match(
        words
    )
    if match and "，" not in match[1] and "：" not in match[1]:
        return match[1].strip(), body + match.end()
    return "", body
