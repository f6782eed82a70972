"""What the words of a petition are worth: exactly for the linear view, and by leaving them out for any model.

The linear view is a sum over n-grams, so its difference between two classes can be shared out among the characters of
the text to the last bit. Leaving words out (occlusion) asks the whole model instead, whatever it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models.classifier import LearntViews
from pipeline.petitions.features import TextFeatures
from pipeline.petitions.spread import spread

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: Left-out words and sentences of one petition at the most, so that a slow model answers in seconds.
MOST_WORDS = 240
MOST_SENTENCES = 60
_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]*")
#: Probabilities are kept this far from 0 and 1 before log-odds are taken.
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the masked text and what it is worth for a class: above 0 speaks for it, below 0 against.

    Attributes:
        text: the part as it stands.
        start, end: its characters in the explained text (title, line break, body).
        value: difference in score (linear view) or in log-odds (left out).
    """

    text: str
    start: int
    end: int
    value: float


@dataclass(frozen=True)
class LinearPart:
    """The linear view's difference between two classes, taken apart.

    Attributes:
        characters: share of each character of the text, float64, shape (characters,).
        places: share of the places named (known from the gazetteer, at no one character).
        constant: difference of the intercepts.
    """

    characters: F64
    places: float
    constant: float

    @property
    def total(self) -> float:
        """The difference of the linear view's scores."""
        return float(self.characters.sum()) + self.places + self.constant


def linear_part(
    views: LearntViews, features: TextFeatures, title: str, body: str, words: Sequence[str], cls: int, other: int
) -> LinearPart:
    """Share out the folded linear view's score of class `cls` minus that of `other` among the characters of one text.

    Args:
        views: the fitted views.
        features: one row, as the classifier took it.
        title: its masked title.
        body: its masked body.
        words: its words.
        cls: class index; a class that the linear view has not seen has a constant score.
        other: index of the class it is set against.
    """
    blocks = views.encoder.transform(features)
    sides = [_output(views, blocks, index) for index in (cls, other)]
    linear = views.linear
    constant = sum(
        sign * float(linear.unseen if side is None else linear.intercept[side])
        for sign, side in zip((1, -1), sides, strict=True)
    )
    worth: dict[str, tuple[I64, F64]] = {}
    places = 0.0
    for name, block in features.blocks.items():
        if name not in blocks:
            continue
        columns, values = blocks[name].indices, blocks[name].data.astype(np.float64)
        matrix = linear.coefficients[name]
        difference = np.zeros(len(columns))
        for sign, side in zip((1, -1), sides, strict=True):
            if side is not None:
                difference += sign * matrix[columns, side]
        if name == "place":
            places = float(difference @ values)
            continue
        buckets = views.encoder.buckets[name][columns].astype(np.int64)
        order = np.argsort(buckets)
        counted = np.argsort(block.buckets)
        counts = block.counts[counted][np.searchsorted(block.buckets[counted], buckets[order])]
        worth[name] = buckets[order], (difference * values)[order] / counts

    def weights(name: str, buckets: I64) -> F64:
        known, value = worth.get(name, (np.zeros(0, np.int64), np.zeros(0)))
        if len(known) == 0:
            return np.zeros(len(buckets))
        at = np.minimum(np.searchsorted(known, buckets), len(known) - 1)
        return np.where(known[at] == buckets, value[at], 0.0)

    return LinearPart(spread(title, body, words, weights), places, constant)


def _output(views: LearntViews, blocks: Mapping[str, sp.csr_matrix], cls: int) -> int | None:
    """Return the column of the linear view that speaks for a class: of several former units, the best."""
    linear = views.linear
    columns = np.flatnonzero(linear.seen == cls)
    if len(columns) == 0:
        return None
    scores = linear.intercept[columns].astype(np.float64)
    if len(columns) > 1:
        scores = scores + sum((blocks[name] @ matrix[:, columns]).ravel() for name, matrix in linear.coefficients.items())
    return int(columns[scores.argmax()])


def word_spans(text: str, words: Sequence[str], characters: F64, count: int) -> tuple[list[Span], list[Span]]:
    """Return the words that are worth most for and against a class by their characters' shares, weightiest first.

    A word that comes several times is given once, at its first place, with the sum. Single characters and punctuation
    are left out of the lists (not of the sums). No list is longer than `count`.
    """
    places = occurrences(words)
    ends = np.concatenate([[0.0], np.cumsum(characters)])
    found = []
    for word, spans in places.items():
        value = sum(float(ends[end] - ends[start]) for start, end in spans)
        start, end = spans[0]
        found.append(Span(text[start:end] or word, start, end, value))
    found.sort(key=lambda span: (-span.value, span.start))
    return [s for s in found if s.value > 0][:count], [s for s in reversed(found) if s.value < 0][:count]


def occurrences(words: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Return the spans of each word of two letters and more, in order of first place; what stands for masked data is none."""
    found: dict[str, list[tuple[int, int]]] = {}
    at, masked = 0, False
    for word in words:
        end = at + len(word)
        masked = word.endswith("〔") or (masked and "〕" not in word)
        if len(word) > 1 and word.isalnum() and not masked:
            found.setdefault(word, []).append((at, end))
        at = end
    return found


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences of a text that hold a letter; a title is one of them."""
    return [m.span() for m in _SENTENCE.finditer(text) if any(char.isalnum() for char in m.group())]


#: (texts) → probabilities (texts, classes): the whole model, asked for variants of one petition.
Ask = Callable[[Sequence[str]], F64]


@dataclass(frozen=True)
class Occlusion:
    """What each sentence and word is worth by leaving it out.

    Attributes:
        sentences, words: their spans in order of the text; a word at its first place, all its places left out.
        sentence_effects, word_effects: log-odds with it minus without it, shape (spans, classes).
        looked_at: share of the words that were left out in turn (1 unless the text is long).
    """

    sentences: list[tuple[int, int]]
    words: list[tuple[int, int]]
    sentence_effects: F64
    word_effects: F64
    looked_at: float

    def of(self, text: str, cls: int, count: int) -> tuple[list[Span], list[Span], list[Span]]:
        """Return words for, words against and sentences (all, by worth) of a class; at most `count` words each."""
        words = [Span(text[s:e], s, e, float(v)) for (s, e), v in zip(self.words, self.word_effects[:, cls], strict=True)]
        words.sort(key=lambda span: (-span.value, span.start))
        told = [
            Span(text[s:e].strip(), s, e, float(v))
            for (s, e), v in zip(self.sentences, self.sentence_effects[:, cls], strict=True)
        ]
        told.sort(key=lambda span: (-span.value, span.start))
        return [s for s in words if s.value > 0][:count], [s for s in reversed(words) if s.value < 0][:count], told


def occlude(text: str, words: Sequence[str], ask: Ask) -> Occlusion:
    """Leave out each sentence, then each word, and see how the log-odds of every class change.

    The model is asked twice, each time with all variants as one batch: for sentences, and for words beginning with
    those of the sentences that matter most. What is left out becomes a space, so that its neighbours do not grow together.

    Args:
        text: title, line break, body, as it was segmented.
        words: its words.
        ask: the model.
    """
    parts = sentences(text)[:MOST_SENTENCES]
    answered = _log_odds(ask([text, *(_without(text, [span]) for span in parts)]))
    whole, effects = answered[0], answered[0] - answered[1:]
    best = int(whole.argmax())
    places = occurrences(words)
    reach = {
        word: max((abs(effects[i, best]) for i, (s, e) in enumerate(parts) for at, _ in spans if s <= at < e), default=0.0)
        for word, spans in places.items()
    }
    chosen = sorted(places, key=lambda word: (-reach[word], places[word][0]))[:MOST_WORDS]
    chosen.sort(key=lambda word: places[word][0])
    if not chosen:
        return Occlusion(parts, [], effects, np.zeros((0, len(whole))), 1.0)
    without = _log_odds(ask([_without(text, places[word]) for word in chosen]))
    return Occlusion(parts, [places[word][0] for word in chosen], effects, whole - without, len(chosen) / len(places))


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in reversed(spans):
        # The line break between title and body stays: it says which is which.
        kept = "\n" if "\n" in text[start:end] else " "
        text = text[:start] + kept + text[end:]
    return text


def _log_odds(probabilities: F64) -> F64:
    clipped = np.clip(probabilities, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
