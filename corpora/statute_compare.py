"""Comparing two texts of a law: which article of the old one stands where in the new one.

First the articles whose words are the same, then by likeness of character pairs, best first, keeping the order of the old
text; last what moved out of order. Only a likeness that is high, and out of order clear of the second best, counts: it is
better to say nothing than to send a reader to the wrong article.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from corpora.legal import ArticleNumber
from corpora.statute_records import SourceArticle

#: Likeness (Dice over character pairs) from which two articles in order are the same article, changed.
ALIKE = 0.6
#: Out of order it takes more.
ALIKE_ELSEWHERE = 0.7
#: An article that was only added to: so much of the shorter stands in the longer, at a likeness of at least the second (in
#: order) or third (out of order) value.
CONTAINED, ALIKE_CONTAINED, ALIKE_CONTAINED_ELSEWHERE = 0.85, 0.5, 0.55
#: Below these, an article counts only in the one place between two neighbours that stayed neighbours.
_BETWEEN = 0.4
#: By how much the best must be ahead of the second best, out of order or between neighbours.
_CLEAR = 0.1
#: In order, another place may be more alike by no more than this.
_BEHIND = 0.15
_WORDS = re.compile(r"[^\u4e00-\u9fff0-9A-Za-z]+")
#: References to other articles change with every renumbering and say nothing of the article's own matter.
_REFERENCE = re.compile(r"第[一二三四五六七八九十百千零〇\d]+条(?:之[一二三四五六七八九十]+)?")


def compare_articles(old: Sequence[SourceArticle], new: Sequence[SourceArticle]) -> dict[ArticleNumber, ArticleNumber]:
    """Return old number → new number of the articles that stand in both texts, moved or not."""
    olds, news = [_plain(article.text) for article in old], [_plain(article.text) for article in new]
    pairing = _Pairing(_same(olds, news))
    scores = _scores(olds, news, pairing)
    ranked = sorted(scores, key=lambda pair: (-scores[pair][0], pair))
    rivals = _Rivals(scores)
    for pair in ranked:
        if pairing.free(*pair) and _fits(pair, scores[pair], rivals.lead(pair, pairing), pairing):
            pairing.add(*pair, in_order=True)
    for pair in ranked:
        if pairing.free(*pair) and _moved(scores[pair], rivals.lead(pair, pairing)):
            pairing.add(*pair, in_order=False)
    return {old[i].number: new[j].number for i, j in sorted(pairing.places.items())}


@dataclass(slots=True)
class _Pairing:
    """What is paired so far; `backbone` are the pairs that keep the order, by old place."""

    places: dict[int, int]
    taken: set[int] = field(default_factory=set)
    backbone: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.taken = set(self.places.values())
        self.backbone = _longest_in_order(sorted(self.places.items()))

    def free(self, i: int, j: int) -> bool:
        return i not in self.places and j not in self.taken

    def add(self, i: int, j: int, *, in_order: bool) -> None:
        self.places[i] = j
        self.taken.add(j)
        if in_order:
            self.backbone.insert(bisect_left(self.backbone, (i, j)), (i, j))

    def in_order(self, i: int, j: int) -> bool:
        at = bisect_left(self.backbone, (i, -1))
        return (at == 0 or self.backbone[at - 1][1] < j) and (at == len(self.backbone) or j < self.backbone[at][1])

    def between(self, i: int, j: int) -> bool:
        """Whether both neighbours are paired and this place is the only one between them."""
        return self.places.get(i - 1) == j - 1 and self.places.get(i + 1) == j + 1


class _Rivals:
    """The other places an article could have, and the other articles a place could have."""

    def __init__(self, scores: dict[tuple[int, int], tuple[float, float]]) -> None:
        self._rows: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        self._columns: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        self._scores = scores
        for (i, j), (score, _) in scores.items():
            self._rows[i].append((score, j))
            self._columns[j].append((score, i))

    def lead(self, pair: tuple[int, int], pairing: _Pairing) -> float:
        """Return by how much the pair is ahead of the best rival that is still free."""
        i, j = pair
        others = [score for score, place in self._rows[i] if place != j and place not in pairing.taken]
        others += [score for score, article in self._columns[j] if article != i and article not in pairing.places]
        return self._scores[pair][0] - max(others, default=0.0)


def _fits(pair: tuple[int, int], score: tuple[float, float], lead: float, pairing: _Pairing) -> bool:
    likeness, contained = score
    if not pairing.in_order(*pair) or lead < -_BEHIND:
        return False
    if likeness >= ALIKE or (likeness >= ALIKE_CONTAINED and contained >= CONTAINED):
        return True
    return lead >= _CLEAR and pairing.between(*pair)


def _moved(score: tuple[float, float], lead: float) -> bool:
    likeness, contained = score
    alike = likeness >= ALIKE_ELSEWHERE or (likeness >= ALIKE_CONTAINED_ELSEWHERE and contained >= CONTAINED)
    return alike and lead >= _CLEAR


def _plain(text: str) -> str:
    return _WORDS.sub("", _REFERENCE.sub("条", text))


def _same(olds: Sequence[str], news: Sequence[str]) -> dict[int, int]:
    """Pair the articles with the same words, where these words stand once in each text."""
    places: dict[str, list[int]] = {}
    for j, text in enumerate(news):
        places.setdefault(text, []).append(j)
    once = Counter(olds)
    return {i: places[text][0] for i, text in enumerate(olds) if once[text] == 1 and len(places.get(text, ())) == 1}


def _longest_in_order(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of pairs, sorted by old place, whose new places rise."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [j]
        ends[at : at + 1] = [index]
    found: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _scores(olds: Sequence[str], news: Sequence[str], pairing: _Pairing) -> dict[tuple[int, int], tuple[float, float]]:
    """Return likeness and containment of what is left, where the likeness is worth looking at."""
    right = [
        (j, grams, grams.total()) for j, text in enumerate(news) if j not in pairing.taken and (grams := _grams(text))
    ]
    scores: dict[tuple[int, int], tuple[float, float]] = {}
    for i, text in enumerate(olds):
        if i in pairing.places:
            continue
        mine = _grams(text)
        size = mine.total()
        for j, other, other_size in right:
            smaller = min(size, other_size)
            if 2 * smaller < _BETWEEN * (size + other_size):
                continue
            shared = (mine & other).total() if size else 0
            likeness = 2 * shared / (size + other_size)
            if likeness >= _BETWEEN:
                scores[i, j] = likeness, shared / smaller
    return scores


def _grams(text: str) -> Counter[str]:
    return Counter(text[k : k + 2] for k in range(len(text) - 1))
