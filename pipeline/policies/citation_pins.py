"""Pins: the articles, paragraphs and items (条款项) that a reference such as 第三条第一款、第五条至第七条 writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from corpora.legal import ArticleNumber, parse_number
from pipeline.policies.citation_patterns import DIGIT, RANGE, ROUND, ROUND_VALUES, G

_TOKEN = re.compile(
    rf"(?P<number>{DIGIT}(?:{G}{DIGIT})*|[{ROUND}])|(?P<unit>[条條款项])|(?P<suffix>之)|(?P<range>[{RANGE}]+)|(?P<list>[、，,和与及或并/])|(?P<begin>第)"
)
_BLANK = re.compile(r"\s")
#: A range of more articles than this is taken for its two ends: no statute is cited so.
LONGEST_RANGE = 400


@dataclass(slots=True)
class Pin:
    """One target: `[start, end)` is where it is written; pins of a range or an elided list share it."""

    start: int
    end: int
    number: ArticleNumber | None
    paragraph: int | None = None
    item: int | None = None


@lru_cache(maxsize=8192)
def value(text: str) -> int | None:
    """Return the value of a written number, None if it is none (第一一〇条 is, 第百十十条 is not)."""
    if text in ROUND_VALUES:
        return ROUND_VALUES[text]
    try:
        return parse_number(_BLANK.sub("", text).replace("Ｏ", "〇"))
    except ValueError:
        return None


@lru_cache(maxsize=8192)
def article(number: int, suffix: int = 0) -> ArticleNumber | None:
    """Return the article's number, None outside what statutes have."""
    try:
        return ArticleNumber(number, suffix)
    except ValueError:
        return None


def _spread(first: int, last: int) -> list[int]:
    """Return what a range adds to its first number."""
    return list(range(first + 1, last + 1)) if 0 < last - first <= LONGEST_RANGE else [last]


@dataclass(slots=True)
class _Number:
    value: int
    link: str  # how it follows the number before: "" list range
    start: int


class _Reader:
    """Reads the tokens of one reference from left to right."""

    def __init__(self, number: ArticleNumber | None, paragraph: int | None) -> None:
        self.pins: list[Pin] = []
        self.number, self.paragraph, self.item = number, paragraph, 0
        self.refines = number is not None  # whether a 款 or 项 that follows with no join belongs to the last pin
        self.level = ""
        self.ranged = False  # whether the last article ends a range

    def close(self, unit: str, numbers: list[_Number], end: int) -> None:
        """Take the numbers before a unit."""
        first, start = numbers[0], numbers[0].start
        before = {"条": self.number.number if self.number else 0, "款": self.paragraph or 0, "项": self.item}[unit]
        values = (
            _spread(before, first.value) if first.link == "range" and self.level == unit and before else [first.value]
        )
        shared = first.link == "range" and self.level == unit and bool(self.pins)
        for previous, number in pairwise(numbers):
            values += _spread(previous.value, number.value) if number.link == "range" else [number.value]
        if shared:
            start = self.pins[-1].start
            self.pins[-1].end = end
        elif unit != "条" and not first.link and self.pins and self.refines:
            start = self.pins.pop().start
        for found in values:
            if unit == "条":
                self.number, self.paragraph, self.item = article(found), None, 0
                if self.number is None:
                    continue
            elif unit == "款":
                self.paragraph, self.item = found, 0
            else:
                self.item = found
            self.pins.append(Pin(start, end, self.number, self.paragraph, self.item or None))
        self.level, self.refines = unit, unit != "项"
        self.ranged = unit == "条" and (shared or numbers[-1].link == "range")

    def suffix(self, found: int, link: str, end: int) -> None:
        """Take a number after 之: 第一百二十条之一, and 、之二 after it."""
        if self.number is None or not self.pins:
            return
        last = self.pins[-1]
        if not link and self.ranged:  # 第一百三十四条至第一百三十九条之一: 139 is in the range
            values = list(range(1, found + 1))
            for pin in self.pins:
                pin.end = end if pin.start == last.start else pin.end
        elif not link:
            self.pins.pop()
            values = [found]
        else:
            values = _spread(self.number.suffix, found) if link == "range" else [found]
            if link == "range":
                last.end = end
        for each in values:
            self.number = article(self.number.number, each) or self.number
            self.pins.append(Pin(last.start, end, self.number))


def read_pins(
    text: str, start: int, end: int, number: ArticleNumber | None = None, paragraph: int | None = None
) -> list[Pin]:
    """Return the pins of the reference in `text[start:end]`; `number` and `paragraph` are those that it goes on from."""
    reader = _Reader(number, paragraph)
    numbers: list[_Number] = []
    link, begun, after_suffix = "", -1, False
    for token in _TOKEN.finditer(text, start, end):
        kind = token.lastgroup
        if kind == "number":
            found = value(token[0])
            if found is None:
                continue
            if after_suffix:
                follows = text[token.end() : token.end() + 1]
                if follows not in "条條款项" or not follows:
                    reader.suffix(found, link, token.end())
                    link = ""
                    continue
                after_suffix = False
            if (
                token[0] in ROUND[30:]
                and text[token.start() - 1] in "条條"
                and text[token.end() : token.end() + 1] != "项"
            ):
                reader.close("款", [_Number(found, "", token.start())], token.end())
                continue
            numbers.append(_Number(found, link, begun if begun >= 0 else token.start()))
            link, begun = "", -1
        elif kind == "unit":
            if numbers:
                reader.close("条" if token[0] == "條" else token[0], numbers, token.end())
            numbers, after_suffix = [], False
        elif kind == "suffix":
            after_suffix = True
        elif kind == "begin":
            begun, after_suffix = token.start(), False
        else:
            link = str(kind) if kind == "range" or link != "range" else link
    if numbers and text[end - 1] in "）)":  # 第九条第二款（三）所称: the word 项 is left out
        reader.close("项", numbers, end)
    return _with_brackets(text, reader.pins)


def _with_brackets(text: str, pins: list[Pin]) -> list[Pin]:
    """A pin that begins with a bracketed number (（四）项) begins at the bracket."""
    for pin in pins:
        if pin.start and text[pin.start - 1] in "（(" and text[pin.start] != "第":
            pin.start -= 1
    return pins
