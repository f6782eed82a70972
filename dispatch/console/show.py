"""Small tools of the templates: numbers, days and marked words as people read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from dispatch.labels import URGENCY_NAMES


@dataclass(frozen=True, slots=True)
class Age:
    """How a deadline stands: `kind` is overdue, today, soon, later or none; `days` are those left, or those past."""

    kind: str
    days: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `numbers` are those of the reasons whose words it holds, `urgent` whether it made it urgent.

    `ends` are the numbers of words that end with it: a word that is cut in two is numbered once.
    """

    text: str
    numbers: tuple[int, ...] = ()
    urgent: bool = False
    ends: tuple[int, ...] = ()

    @property
    def marked(self) -> bool:
        """Whether it is highlighted."""
        return self.urgent or bool(self.numbers)


#: A deadline in so many days is soon.
SOON = 3


def age(deadline: dt.date | None, today: dt.date) -> Age:
    """Return how a deadline stands on a day."""
    if deadline is None:
        return Age("none", 0)
    left = (deadline - today).days
    if left < 0:
        return Age("overdue", -left)
    return Age("today" if left == 0 else "soon" if left <= SOON else "later", left)


def percent(share: float | None) -> str:
    """Return a probability as people read it; one that is not 0 or 1 is never shown as such."""
    if share is None:
        return "—"
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{share:.0%}"


def width(share: float | None) -> float:
    """Return the width of a bar of 100."""
    return round(100 * min(max(share or 0.0, 0.0), 1.0), 1)


def local_time(moment: dt.datetime | None) -> str:
    """Return a time of the store (UTC without zone) on this machine's clock."""
    return moment.replace(tzinfo=dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""


def filed(moment: dt.datetime | None) -> str:
    """Return when a petition was filed, which is local already."""
    return moment.strftime("%m-%d %H:%M") if moment else ""


def last_part(name: str) -> str:
    """Return the last part of an issue type's name: 城乡建设/供水 → 供水."""
    return name.rsplit("/", 1)[-1]


def level_class(level: str) -> str:
    """Return a class for an urgency; a word that is not known looks urgent."""
    return level if level in URGENCY_NAMES else "urgent"


def path(*parts: str) -> str:
    """Return a path of the console, whatever an id holds."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def pieces(text: str, words: Sequence[tuple[int, Sequence[str]]], urgent: Sequence[str]) -> list[Piece]:
    """Cut a text where words of reasons begin and end.

    Args:
        text: as people read it.
        words: number of a reason, and its words.
        urgent: words that made it urgent.
    """
    numbers: dict[str, list[int]] = {}
    for number, found in words:
        for word in found:
            numbers.setdefault(word, []).append(number)
    grave = set(urgent)
    marks = sorted({word for word in (*numbers, *grave) if word}, key=len, reverse=True)
    at: list[list[Any]] = [[set(), False] for _ in text]
    for word in marks:
        start = text.find(word)
        while start >= 0:
            for place in range(start, start + len(word)):
                at[place][0].update(numbers.get(word, ()))
                at[place][1] |= word in grave
            start = text.find(word, start + len(word))
    out: list[Piece] = []
    begin = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or at[place] != at[begin]:
            out.append(Piece(text[begin:place], tuple(sorted(at[begin][0])), at[begin][1]))
            begin = place
    after = [*out[1:], Piece("")]
    return [replace(piece, ends=tuple(n for n in piece.numbers if n not in then.numbers)) for piece, then in zip(out, after, strict=True)] if out else []


TOOLS: dict[str, Callable[..., Any]] = {
    "age": age, "percent": percent, "width": width, "local_time": local_time, "filed": filed, "last_part": last_part,
    "level_class": level_class, "path_of": path,
}  # fmt: skip
