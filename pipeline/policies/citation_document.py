"""What a citation's surroundings say: the document's own articles, its paragraphs, the verb that governs a citation."""

from __future__ import annotations

import re
from bisect import bisect_left

from corpora.legal import ArticleNumber
from pipeline.policies import citation_patterns as p
from pipeline.policies.citation_pins import article, value

_BLANK_LINE = re.compile(r"\n[ \t\u3000\r]*\n|\f|\n[-=—_*]{5,}")
_HEADING = rf"第{p.G}({p.NUM}){p.G}[条條](?:之({p.NUM}))?(?=\s)"
_HEAD = re.compile(_HEADING)
_HEADINGS = re.compile("\n" + _HEADING)
_SEVERAL = re.compile(rf"[{p.RANGE}、，,和与及或款项]")
_CLAUSE_END = re.compile(r"[。；;\n！？，,]")
_CHAPTER_BEFORE = re.compile(rf"第{p.NUM}[编章节][^。；\n]{{0,20}}$")
_STRUCTURED = re.compile(
    r"(?:法|法典|条例|办法|规定|细则|规则|决定|解释|章程|规程|准则|通则)(?:[（(][^（）()]{1,24}[）)])*$"
)
_FIRST_NUMBER = re.compile(rf"^第{p.G}({p.NUM}).*$", re.DOTALL)
_FIRST_WORDS = re.compile(r"\s*(?:为|根据|依据|依照|按照|本|凡|在我|在本)")
_PARAGRAPHS_BACK = 3_000  # no paragraph of a law is longer; bounds the search for a blank line


class Document:
    """One text with the headings of its own articles.

    Args:
        text: the whole text.
        own: its title, "" where it is not known.
    """

    def __init__(self, text: str, own: str) -> None:
        self.text, self.own = text, own
        self.heading = 0  # number of the last heading met in running text
        self._heads: list[int] | None = None
        self._structured: bool | None = None
        self._highest: int | None = None

    @property
    def heads(self) -> list[int]:
        """Where the headings of the document's own articles begin, those at the beginning of lines."""
        if self._heads is None:
            self._heads = [match.start() + 1 for match in _HEADINGS.finditer(self.text)]
            if _HEAD.match(self.text):
                self._heads.insert(0, 0)
        return self._heads

    @property
    def structured(self) -> bool:
        """Whether the document has articles of its own, so that a bare 第五条 is one of them."""
        if self._structured is None:
            self._structured = len(self.heads) > 1 or _STRUCTURED.search(self.own) is not None
        return self._structured

    def beyond(self, chain: re.Match[str]) -> bool:
        """Return whether a reference has a higher number than any article of the document itself."""
        if len(self.heads) < 2:
            return False
        if self._highest is None:
            self._highest = max((n.number for n in map(self._number, range(len(self.heads))) if n), default=0)
        return (value(_FIRST_NUMBER.sub(r"\1", chain[0])) or 0) > self._highest

    def same_paragraph(self, end: int, start: int) -> bool:
        """Return whether no blank line stands between two places."""
        return start - end <= _PARAGRAPHS_BACK and not _BLANK_LINE.search(self.text, end, start)

    def here(self, start: int) -> ArticleNumber | None:
        """Return the document's own article in which a place stands, None where the text has no headings before it."""
        at = bisect_left(self.heads, start) - 1
        return self._number(at) if at >= 0 else None

    def standing(self, word: str, start: int) -> tuple[ArticleNumber | None, int | None]:
        """Return article and paragraph that 前款, 前条, 本条, 本款 mean by where they stand; None where that is not known."""
        at = bisect_left(self.heads, start) - 1
        if at < 0:
            return None, None
        count = value(word[1:-1]) if len(word) > 2 else 1
        if word.endswith("条"):
            if word[0] == "前":
                return (self._number(at - 1) if at and count == 1 else None), None
            return self._number(at), None
        *above, line = [line.strip() for line in self.text[self.heads[at] : start].split("\n")]
        here = sum(1 for line in [*above, line or "此"] if line and line[0] not in "（(" and not line[0].isdigit())
        if word.startswith("本"):
            return self._number(at), max(here, 1)
        return self._number(at), (here - 1 if here > 1 and count == 1 and word.endswith("款") else None)

    def _number(self, at: int) -> ArticleNumber | None:
        head = _HEAD.match(self.text, self.heads[at])
        number = value(head[1]) if head else None
        return article(number, (value(head[2]) or 0) if head[2] else 0) if head and number else None

    def begins(self, chain: re.Match[str]) -> bool:
        """Return whether a bare title and 第一条 begin the document's own text, and note that it has articles."""
        if value(chain[0].strip("第条條 \u3000")) != 1 or not _FIRST_WORDS.match(self.text, chain.end()):
            return False
        self.heading, self._structured = 1, True
        return True

    def is_heading(self, chain: re.Match[str], raw: str) -> bool:
        """Return whether 第N条 heads an article, also in text that lost its line breaks.

        Args:
            chain: the reference.
            raw: the text before it.
        """
        text, end = self.text, chain.end()
        if chain[0][-1] not in "条條" or _SEVERAL.search(chain[0]):
            return False
        stripped = raw.rstrip(" \t\u3000\xa0")
        # blanks inside a reference: OCR puts them everywhere, the one behind it tells nothing
        blank_after = chain[0].isalnum() and (end >= len(text) or text[end] in " \t\u3000\xa0\n")
        last = stripped[-1:]
        number = value(chain[0].strip("第条條 \u3000")) or 0
        next_one = number == self.heading + 1
        surely = p.CITED_SURELY.match(text, end) is not None
        if last in ("", "\n"):
            found = blank_after or not surely
        elif last in "。！？；：:;”）)》.“":
            weakly = surely or p.CITED.match(text, end) is not None
            found = not surely and (next_one or (not weakly and (blank_after or last in "。！？；”")))
            found = found or (blank_after and next_one and last in "。！？；")
        else:
            found = not surely and next_one and _CHAPTER_BEFORE.search(stripped) is not None
        if found:
            self.heading, self._structured = number, True
        return found

    def relation(self, start: int, end: int) -> str:
        """Return how the text relates to what it cites in a span, by the verb that governs it in its clause."""
        text = self.text
        before = text[max(0, start - 60) : start]
        found = p.RELATION.match(before)
        relation = "mention"
        if found and not _CLAUSE_END.search(before, found.end()):
            relation = p.RELATIONS.get(found[1], "basis")
        elif p.BASIS_IS.search(before) or (p.TAKEN_BEFORE.search(before) and p.TAKEN_AFTER.match(text, end)):
            relation = "basis"
        if relation in ("mention", "repeals", "amends") or "废止" in text[end : end + 44]:
            if p.REPEALED_AFTER.match(text, end):
                return "repeals"
            if p.AMENDED_AFTER.match(text, end):
                return "amends"
        return relation
