"""Offset maps: which characters of a text became which characters of another.

A step that changes a text's length leaves a list of edits; a map is a chain of such lists. What lies between edits is
moved, never changed in length, so a map costs memory by the edit and not by the character.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Edit:
    """`before[start:end]` of a step's input became `after[new_start:new_end]` of its output; offsets in characters."""

    start: int
    end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class _Side:
    """The edits of one step seen from one of its two texts: `here` spans lie in that text, `there` in the other."""

    starts: list[int]
    here: list[tuple[int, int]]
    there: list[tuple[int, int]]

    @classmethod
    def of(cls, pairs: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> _Side:
        """Build from (span here, span there) pairs in order of position."""
        return cls([h[0] for h, _ in pairs], [h for h, _ in pairs], [t for _, t in pairs])

    def char(self, index: int) -> tuple[int, int]:
        """Return the span over there of character `index` here; empty when it was removed."""
        at = bisect_right(self.starts, index) - 1
        if at < 0:
            return index, index + 1
        if index < self.here[at][1]:
            return self.there[at]
        shift = self.there[at][1] - self.here[at][1]
        return index + shift, index + shift + 1

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest span over there that holds what became of [start, end)."""
        if start < end:
            return self.char(start)[0], self.char(end - 1)[1]
        where = self.char(start - 1)[1] if start > 0 else 0
        return where, where


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """Maps spans between an original text and the text that a chain of steps made of it.

    `original_length` and `length` are in characters; offsets outside a text raise ValueError.
    """

    original_length: int
    length: int
    _steps: tuple[tuple[_Side, _Side], ...] = field(default=(), repr=False)

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest span of the original that holds the sources of [start, end) of the new text.

        Raises:
            ValueError: unless 0 <= start <= end <= length.
        """
        _check(start, end, self.length)
        for _, new in reversed(self._steps):
            start, end = new.span(start, end)
        return start, end

    def from_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest span of the new text that holds what is left of [start, end); empty when nothing is.

        Raises:
            ValueError: unless 0 <= start <= end <= original_length.
        """
        _check(start, end, self.original_length)
        for old, _ in self._steps:
            start, end = old.span(start, end)
        return start, end

    def step(self, edits: Sequence[Edit]) -> OffsetMap:
        """Return this map followed by a step with these edits, which are disjoint and in order."""
        if not edits:
            return self
        old = _Side.of([((e.start, e.end), (e.new_start, e.new_end)) for e in edits if e.start < e.end])
        new = _Side.of([((e.new_start, e.new_end), (e.start, e.end)) for e in edits])
        length = self.length + sum((e.new_end - e.new_start) - (e.end - e.start) for e in edits)
        return OffsetMap(self.original_length, length, (*self._steps, (old, new)))

    def then(self, other: OffsetMap) -> OffsetMap:
        """Return the map from this map's original to `other`'s new text, `other` having begun where this one ended.

        Raises:
            ValueError: when the lengths show that it did not.
        """
        if other.original_length != self.length:
            msg = f"maps do not join: {self.length} characters against {other.original_length}"
            raise ValueError(msg)
        return OffsetMap(self.original_length, other.length, (*self._steps, *other._steps))


def _check(start: int, end: int, length: int) -> None:
    """Raise ValueError unless [start, end) is a span of a text of `length` characters."""
    if not 0 <= start <= end <= length:
        msg = f"span ({start}, {end}) is not within a text of {length} characters"
        raise ValueError(msg)


def tracked_sub(
    pattern: re.Pattern[str], replace: str | Callable[[re.Match[str]], str], text: str
) -> tuple[str, list[Edit]]:
    """Do `pattern.sub(replace, text)` (no group references in `replace`) and return the edits too."""
    parts: list[str] = []
    edits: list[Edit] = []
    done = new = 0
    for match in pattern.finditer(text):
        start, end = match.span()
        put = replace if isinstance(replace, str) else replace(match)
        parts += text[done:start], put
        new += start - done
        if put != match.group():
            edits.append(Edit(start, end, new, new + len(put)))
        new += len(put)
        done = end
    parts.append(text[done:])
    return "".join(parts), edits
