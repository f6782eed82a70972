"""What a source gives of one text of a statute, before sources and versions are brought together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from corpora.legal import ArticleNumber, Rank
from corpora.statute_events import Event


@dataclass(frozen=True, slots=True)
class SourceArticle:
    """An article as a source has it; `heading` is its 编/章/节 joined by " / ", `text` is without the number."""

    number: ArticleNumber
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceText:
    """One text of a statute from one source.

    Attributes:
        title: as the source has it; `part` is the part's name where a source splits a law (民法典's 编).
        dated: the date the source gives this very text, None without one.
        events: what its header lists; () where the source lists none.
        articles: in order, possibly none.
        body: the text outside articles (preamble, numbered points, annexes).
        ends_in_annex: whether the last chapter is 附则.
        source: name of the source; `place` is where in it.
    """

    title: str
    rank: Rank
    territory: str
    issuer: str
    dated: dt.date | None
    events: tuple[Event, ...]
    articles: tuple[SourceArticle, ...]
    body: str
    source: str
    place: str
    part: str = ""
    ends_in_annex: bool = False

    def last_articles(self, count: int = 5) -> list[str]:
        """Return the texts of the last articles; of the last lines where there are none."""
        if self.articles:
            return [article.text for article in self.articles[-count:]]
        return [line for line in self.body.split("\n") if line][-count:]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a source that could not be read, with the reason in words."""

    source: str
    reason: str


@dataclass
class NumberSet:
    """The article numbers of a text, written `1-17 17.1 18-126`: facts that stay when the text is not there."""

    spec: str

    @classmethod
    def of(cls, numbers: Iterable[ArticleNumber]) -> NumberSet:
        """Return the set of these numbers."""
        runs: list[str] = []
        first = last = 0
        for number in sorted(set(numbers)):
            if number.suffix:
                runs += [_run(first, last)] if first else []
                first = last = 0
                runs.append(f"{number.number}.{number.suffix}")
            elif first and number.number == last + 1:
                last = number.number
            else:
                runs += [_run(first, last)] if first else []
                first = last = number.number
        return cls(" ".join(runs + ([_run(first, last)] if first else [])))

    @cached_property
    def _parts(self) -> tuple[tuple[tuple[int, int], ...], frozenset[tuple[int, int]]]:
        spans: list[tuple[int, int]] = []
        suffixed: set[tuple[int, int]] = set()
        for part in self.spec.split():
            if "." in part:
                number, suffix = part.split(".")
                suffixed.add((int(number), int(suffix)))
            else:
                low, _, high = part.partition("-")
                spans.append((int(low), int(high or low)))
        return tuple(spans), frozenset(suffixed)

    def __contains__(self, number: ArticleNumber) -> bool:
        spans, suffixed = self._parts
        if number.suffix:
            return (number.number, number.suffix) in suffixed
        return any(low <= number.number <= high for low, high in spans)

    def __len__(self) -> int:
        spans, suffixed = self._parts
        return sum(high - low + 1 for low, high in spans) + len(suffixed)

    @property
    def highest(self) -> int:
        """The highest number without 之N, 0 for none."""
        return max((high for _, high in self._parts[0]), default=0)

    @property
    def whole(self) -> bool:
        """Whether the numbers run from 1 without a hole."""
        reached = 0
        for low, high in self._parts[0]:
            if low != reached + 1:
                return False
            reached = high
        return bool(reached)


def _run(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def numbers_of(articles: Sequence[SourceArticle]) -> NumberSet:
    """Return the article numbers of a text."""
    return NumberSet.of(article.number for article in articles)
