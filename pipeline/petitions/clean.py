"""Cleaning (清洗): what exports, web forms and PDF converters do to a text is undone, and nothing else.

NFKC is no use here: it turns Chinese punctuation and ①②③〔〕 into other characters and leaves most radical forms as they
are. So each character that changes is named: one-to-one replacements come from one table; the few steps that change the
length (markup, invisible characters, runs of spaces) leave edits for the offset map.

Rationale for simplification: a clause is converted by phrase (瞭解 → 了解) only where it holds a character that simplified
texts do not have, so that 乾隆, 著名 and 慰藉 in simplified texts stay what they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from html.entities import html5
from itertools import pairwise

import numpy as np
import opencc
from numpy.typing import NDArray

from corpora.radicals import RADICALS
from pipeline.petitions.offsets import Edit, OffsetMap, tracked_sub

#: Markup escaped more deeply than this is no accident of an export; what is left of it is made harmless.
_MAX_PASSES = 12
_OPENERS = str.maketrans("<&", "＜＆")

# Characters that carry nothing: controls other than line ends, zero-width and bidirectional marks, byte order mark, soft
# hyphen, variation selectors, interlinear marks, tags, noncharacters. Source: General_Category Cc, Cf and the property
# Default_Ignorable_Code_Point of the Unicode Character Database.
_DROPPED = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
)
_SPACES = "\t\x1f\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_LINE_ENDS = "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
#: Full-width signs made half-width. Left alone: ，。：；！？（）［］｛｝～￥, which are Chinese punctuation, and ＜＞＆, which
#: would become markup.
_WIDE_SIGNS = "＂＃＄％＇＊＋－．／＝＠＼＾＿｀｜"
_SMALL_SIGNS = {
    "﹐": "，",
    "﹑": "、",
    "﹔": "；",
    "﹕": "：",
    "﹖": "？",
    "﹗": "！",
    "﹙": "（",
    "﹚": "）",
    "﹝": "〔",
    "﹞": "〕",
}
#: Traditional characters that GB 2312 has too, though simplified texts write the other.
_ALSO_TRADITIONAL = "後於麽菸"


def _characters() -> dict[str, str]:
    """Return the one-to-one replacements that need no context."""
    table = dict.fromkeys(_SPACES, " ") | dict.fromkeys(_LINE_ENDS, "\n") | _SMALL_SIGNS | RADICALS
    wide = [*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B), *map(ord, _WIDE_SIGNS)]
    table |= {chr(code): chr(code - 0xFEE0) for code in wide}
    # CJK compatibility ideographs and half-width ideographic punctuation: their NFKC form is one character.
    for code in (*range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20), *range(0xFF61, 0xFF65)):
        form = unicodedata.normalize("NFKC", chr(code))
        if form != chr(code) and len(form) == 1:
            table[chr(code)] = form
    # A lone surrogate cannot be written as UTF-8.
    return table | {chr(code): "\ufffd" for code in range(0xD800, 0xE000)}


_T2S = opencc.OpenCC("t2s")


def _in_gb2312(character: str) -> bool:
    """Say whether the character set of simplified Chinese has a character."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _traditional() -> dict[str, str]:
    """Return the characters that only texts in traditional script have, each with its simplified form.

    Characters whose simplified form lies outside the Basic Multilingual Plane stay: fonts and dictionaries lack those.
    """
    han = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    simple = _T2S.convert("\n".join(han)).split("\n")
    table = {
        old: new
        for old, new in zip(han, simple, strict=True)
        if old != new and len(new) == 1 and new <= "\uffff" and (old in _ALSO_TRADITIONAL or not _in_gb2312(old))
    }
    return {old: table.get(new, new) for old, new in table.items()}


_CHARACTERS = _characters()
_TRADITIONAL = _traditional()


def _members(characters: Sequence[str]) -> str:
    """Return the inside of a character class."""
    return "".join(map(re.escape, characters))


# The astral compatibility ideographs and the surrogates are ranges here, which is what keeps the class fast.
_MAPPED_MEMBERS = _members([c for c in _CHARACTERS if c <= "\ud7ff" or "\uf900" <= c <= "\uffff"]) + (
    "\ud800-\udfff\U0002f800-\U0002fa1f"
)
_DROP = re.compile(f"[{_DROPPED}]+")
_TRADITIONAL_CHARACTER = re.compile(f"[{_members(list(_TRADITIONAL))}]")
_CLAUSE_SIGNS = "，。！？；：、,.!?;:\\n \ue000-\uf8ff"
_CLAUSE = re.compile(f"[^{_CLAUSE_SIGNS}]+")
#: What an ordinary text has none of: one pass over it decides that steps 2 to 5 have nothing to do.
_ODD = re.compile(f"[{_DROPPED}{_MAPPED_MEMBERS}{_members(list(_TRADITIONAL))}]")

_BLANK = re.compile(r"[ \n]{2,}")

#: Code points scanned in one go: their arrays stay in the processor's cache.
_CHUNK = 1 << 14
#: What a code point weighs: two neighbours that weigh more than 2 are work for the steps (markup or an odd character; two
#: blanks; a blank at an edge of the text), two edges around an empty text are not.
_EDGE, _BLANK_WEIGHT, _ODD_WEIGHT = 1, 2, 8
_WEIGHTS = np.zeros(0x10000, np.uint8)
_WEIGHTS[[*map(ord, re.findall(rf"{_ODD.pattern}|[<&]", "".join(map(chr, range(0x10000)))))]] = _ODD_WEIGHT
_WEIGHTS[[ord(" "), ord("\n")]] = _BLANK_WEIGHT

# Names of HTML elements. Those that are also words or letters count as tags only with nothing or real attributes after
# the name: a<b and x<i stay text.
_BLOCKS = "p|div|br|hr|li|ul|ol|dl|dt|dd|tr|table|tbody|thead|tfoot|h[1-6]|blockquote|pre|section|article|header|footer"
_INLINE = (
    "a|b|i|u|s|q|em|tt|big|sub|sup|del|ins|img|span|font|strong|small|strike|center|td|th|col|colgroup|caption|html|head"
    "|body|title|meta|link|base|form|input|select|option|button|label|textarea|iframe|object|embed|param|video|audio"
    "|source|script|style|noscript|o:p|st1:\\w+|v:\\w+|w:\\w+|marquee|main|nav|aside|figure|figcaption|code|cite|mark|map|area"
)
_ATTRIBUTES = r"""(?:\s+[\w:-]+(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s<>"'=]+)|(?=\s*/?>)))*\s*/?"""
# Neither may run over another opening of its kind: without that, many openings and no end would take quadratic time.
_SCRIPT = re.compile(r"<(script|style)\b[^<>]*>(?:(?!<(?:script|style)\b).)*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(
    rf"<!--(?:(?!<!--).)*?-->|<[!?][a-z\[][^<>]*>|</?(?:(?P<block>{_BLOCKS})|(?P<cell>t[dh])|{_INLINE})(?:{_ATTRIBUTES})>",
    re.IGNORECASE | re.DOTALL,
)
# `&amp;nbsp;` comes of escaping twice; `&nbsp` without its semicolon is common in old exports.
_AMPERSAND = re.compile(r"&(?:amp;|#0*38;|#[xX]0*26;)+")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,31};|nbsp(?![a-zA-Z0-9=]))")

_Substitute = Callable[[re.Pattern[str], str | Callable[[re.Match[str]], str], str], str]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text and where its characters stood in the original."""

    text: str
    offsets: OffsetMap

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest span of the original that holds the sources of `text[start:end]`; ValueError outside."""
        return self.offsets.to_original(start, end)

    def from_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of `text` that holds what is left of the original's [start, end); ValueError outside."""
        return self.offsets.from_original(start, end)


def clean(text: str) -> Cleaned:
    """Clean one text and keep its offset map; cleaning the result again changes nothing."""
    offsets = OffsetMap(len(text), len(text))

    def substitute(pattern: re.Pattern[str], replace: str | Callable[[re.Match[str]], str], text: str) -> str:
        nonlocal offsets
        text, edits = tracked_sub(pattern, replace, text)
        offsets = offsets.step(edits)
        return text

    def strip(text: str) -> str:
        nonlocal offsets
        start = len(text) - len(text.lstrip())
        bare = text.strip()
        cuts = (Edit(0, start, 0, 0), Edit(start + len(bare), len(text), len(bare), len(bare)))
        offsets = offsets.step([cut for cut in cuts if cut.start < cut.end])
        return bare

    return Cleaned(_run(text, substitute, strip), offsets)


def clean_texts(texts: Sequence[str]) -> list[str]:
    """Clean a column of texts; the same texts as `clean` gives, without the maps."""
    cleaned = list(texts)
    for first, codes, ends in code_points(texts):
        weights = _WEIGHTS.take(codes)
        weights[0] = weights[-1] = weights[ends] = _EDGE
        places = np.flatnonzero(weights[:-1] + weights[1:] > _EDGE + _EDGE) + 1
        for at in np.unique(np.searchsorted(ends, places)).tolist():
            cleaned[first + at] = _run(texts[first + at], _plain, str.strip)
    return cleaned


def code_points(texts: Sequence[str]) -> Iterator[tuple[int, NDArray[np.uint32], NDArray[np.int64]]]:
    """Yield the code points of a column piece by piece, for scans of many texts at once.

    Yields:
        The index of the piece's first text; its code points, those beyond the Basic Multilingual Plane as 0xFFFF, with a
        zero before the first text, one after each and one more at the end; and where the zeros after its texts stand.
    """
    sizes = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // _CHUNK)) + 1
    for first, last in pairwise([0, *cuts.tolist(), len(texts)]):
        joined = "\0".join(("", *texts[first:last], "", ""))
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        yield first, np.minimum(codes, 0xFFFF), np.cumsum(sizes[first:last])


def _plain(pattern: re.Pattern[str], replace: str | Callable[[re.Match[str]], str], text: str) -> str:
    """Substitute without keeping track."""
    return pattern.sub(replace, text)


def _run(text: str, substitute: _Substitute, strip: Callable[[str], str]) -> str:
    """Apply all steps until none has anything to do; every step shortens the text or maps it into characters that stay."""
    for _ in range(_MAX_PASSES):
        before = text
        text = _once(text, substitute, strip)
        if text == before or not _looks_odd(text):
            return text
    return _once(text.translate(_OPENERS), substitute, strip)


def _looks_odd(text: str) -> bool:
    """Say whether a stripped text may need another pass."""
    return "<" in text or "&" in text or _ODD.search(text) is not None or _BLANK.search(text) is not None


def _once(text: str, substitute: _Substitute, strip: Callable[[str], str]) -> str:
    """Apply each step once."""
    text = strip(text)
    if "&" in text:
        text = substitute(_AMPERSAND, "&", text)
        text = substitute(_ENTITY, _character, text)
    if "<" in text:
        if "</" in text:
            text = substitute(_SCRIPT, "", text)
        text = substitute(_TAG, _in_place_of_tag, text)
    if not text.isascii() or not text.isprintable():
        odd = set(_ODD.findall(text))
        if odd:
            if any(map(_DROP.match, odd)):
                text = substitute(_DROP, "", text)
            text = text.replace("\r\n", " \n")  # the space goes with the fold below; the length stays
            for character in odd & _CHARACTERS.keys():  # none of them is what another becomes
                text = text.replace(character, _CHARACTERS[character])
            if _TRADITIONAL_CHARACTER.search(text):
                text = _CLAUSE.sub(_simplify, text)
    if "  " in text or "\n\n" in text or " \n" in text or "\n " in text:
        text = substitute(_BLANK, _fold, text)
    return strip(text)


def _fold(match: re.Match[str]) -> str:
    """Return what stands for a run of blanks: at most one empty line, else a line end, else a space."""
    return ("\n" * min(2, match[0].count("\n"))) or " "


@lru_cache(maxsize=4096)
def _unescape(entity: str) -> str:
    """Return the characters of an entity, or the entity itself when it is none."""
    name = entity[1:].removesuffix(";") + ";"
    return unescape("&" + name) if name[0] == "#" or name in html5 else entity


def _character(match: re.Match[str]) -> str:
    """Return the characters that an entity stands for."""
    return _unescape(match[0])


def _in_place_of_tag(match: re.Match[str]) -> str:
    """Return what a tag leaves: a line end for a block, a space for a table cell, else nothing."""
    if match["block"]:
        return "\n"
    return " " if match["cell"] else ""


def _simplify(match: re.Match[str]) -> str:
    """Return a clause in simplified script, character for character, if it holds a traditional character."""
    clause = match[0]
    if _TRADITIONAL_CHARACTER.search(clause) is None:
        return clause
    simple = _T2S.convert(clause)
    if len(simple) != len(clause):
        simple = clause
    # By phrase first; characters that phrases leave (names) go by the table; new forms outside the plane are undone.
    pairs = zip(clause, simple, strict=True)
    simple = "".join(old if new > "\uffff" >= old else new for old, new in pairs)
    return _TRADITIONAL_CHARACTER.sub(lambda found: _TRADITIONAL[found[0]], simple)
