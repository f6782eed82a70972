"""What every document format gives, and the limits that hold for all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from corpora.document_dates import DATE
from corpora.document_names import NUMBER
from corpora.formats import UnreadableError
from corpora.radicals import ideographs

#: A policy document of more characters is a mistake or an attack: the longest code of laws has some 150,000.
DOCUMENT_CHARACTERS = 10_000_000
#: Bytes of a single text or web page; files of many documents (JSON Lines, CSV) have no bound.
TEXT_BYTES = 20 << 20
#: Bytes of a Word, PDF or OFD file or a picture, which are held in memory.
FILE_BYTES = 200 << 20


@dataclass(frozen=True, slots=True)
class Extract:
    """A document as its format gives it.

    Attributes:
        text: lines ended by a line feed, one paragraph a line where the format has paragraphs.
        title: a title that the format marks (<h1>, style Title, # …); "" where it marks none.
        fields: what the source says besides, by its own names.
        problems: what could not be read, in words for the reader.
        row: row in a file of many, 0 for a file of one.
    """

    text: str
    title: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()
    row: int = 0


def check_size(size: int, limit: int, what: str) -> None:
    """Raise UnreadableError if a file is empty or has more than `limit` bytes."""
    if not size:
        raise UnreadableError("file_empty", "文件是空的")
    if size > limit:
        reason = f"文件有 {size / (1 << 20):.0f} MB，超过{what}的上限 {limit >> 20} MB；请拆分后再读"
        raise UnreadableError("file_too_large", reason)


def check_length(text: str) -> str:
    """Return the text; raise UnreadableError if it has more than `DOCUMENT_CHARACTERS` characters or none."""
    if len(text) > DOCUMENT_CHARACTERS:
        reason = f"全文有 {len(text):,} 字，超过单份文件的上限 {DOCUMENT_CHARACTERS:,} 字；请拆分后再读"
        raise UnreadableError("file_too_large", reason)
    if not text.strip():
        raise UnreadableError("no_text", "文件里没有文字")
    return text


_LABEL = re.compile(
    r"\s*(?:第[一二三四五六七八九十百零〇\d]{1,6}[编章节条款]|[一二三四五六七八九十]{1,3}[、．.]|[（(][一二三四五六七八九十\d]{1,3}[）)]|\d{1,3}[.．、](?!\d)"
    r"|[①-⑳]|附\s*件|附[:：]|——|（此件|抄送|关于|[—-]\s*\d)"
)
_PAGE_NUMBER = re.compile(
    r"\s*(?:[-—－–]\s*\d{1,4}\s*[-—－–]|第\s*\d{1,4}\s*页(?:\s*[,，/]?\s*共\s*\d{1,4}\s*页)?|\d{1,3})\s*"
)
#: Characters of the shortest line that counts as full; official pages have 28.
_LINE = 18
_CLOSED = ("。", "！", "？", "；", "：", ":", "…")


def join_lines(lines: Sequence[str]) -> str:
    """Join the printed lines of pages into paragraphs, one a line, and leave out page numbers.

    A line is taken to go on in the next if it is nearly as long as the page's lines are, or a sentence is open, and the
    next begins with no label. Characters that PDF files use for their look (⼀ for 一) become what they stand for.
    """
    kept = [line.rstrip() for line in map(ideographs, lines) if not _PAGE_NUMBER.fullmatch(line)]
    lengths = sorted(len(line.strip()) for line in kept if line.strip())
    full = lengths[int(len(lengths) * 0.8)] * 0.9 if lengths else 0
    out: list[str] = []
    open_ = False
    for line in kept:
        words = line.strip()
        if not words:
            open_ = False
            continue
        indented = line[:1] in "\u3000 \t" and len(line) - len(line.lstrip()) >= 2
        if open_ and out and not indented and not _begins(words):
            glue = " " if out[-1][-1].isascii() and out[-1][-1].isalnum() and words[0].isascii() else ""
            out[-1] += glue + words
        else:
            out.append(words)
        open_ = full >= _LINE and len(words) >= full and not words.endswith(_CLOSED)
    return "\n".join(out)


def _begins(words: str) -> bool:
    """Tell whether a line begins something of its own: a label, a document number, a date."""
    return bool(_LABEL.match(words) or NUMBER.fullmatch(words) or DATE.fullmatch(words))
