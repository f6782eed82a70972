"""Why a petition gets its labels: contributions of the views, words, duty, place, neighbours, history, refusals.

The score of a class is Σ weight × view + bias (`models.ranker`), so the difference of two classes is a sum of one
contribution a view, exactly. What stands behind each view is told beside it, and the words' worth for the model as a
whole by leaving them out (`models.attribution`), which holds for any view there may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.attribution import Occlusion, Span, linear_part, occlude, word_spans
from models.classifier import Classifier, Scored
from models.stack import LEAST_PROBABILITY
from pipeline.petitions.features import TextFeatures
from pipeline.petitions.prepare import Prepared

F64 = npt.NDArray[np.float64]
#: Words for and against of each kind, and similar petitions, that are told.
WORDS = 8
NEIGHBOURS = 5
_NOTHING = 1e-9
#: Name of the second stage among the contributions.
TRANSFORMER = "transformer"


@dataclass(frozen=True)
class Duty:
    """A duty item (权责事项) that matches: its id and text, and the words of it that stand in the petition."""

    id: str
    text: str
    hits: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What stands behind the given views for one class; absent is None or empty.

    Attributes:
        duty: the best matching item.
        place: the place named in the text that is in its territory.
        name: its name as it stands in the text.
        history: share of the petitions of `issue` that it handled, 0 to 1.
        issue: name of the issue type.
    """

    duty: Duty | None = None
    place: str = ""
    name: str = ""
    history: float | None = None
    issue: str = ""


@dataclass(frozen=True)
class Look:
    """A model's view of a batch: scores, the features the classifier took, and the facts of row 0 by class."""

    scored: Scored
    features: TextFeatures
    facts: Sequence[Facts]


class Subject(Protocol):
    """A model that can be asked why.

    Attributes:
        labels, names: its k classes, and what they are called.
        classifier: the learnt part; None where nothing was learnt.
        references: petition ids of its neighbour index, "" where unknown.
    """

    labels: Sequence[str]
    names: Sequence[str]
    classifier: Classifier | None
    references: Sequence[str]

    def prepare(self, titles: Sequence[str], bodies: Sequence[str], addresses: Sequence[str]) -> Prepared:
        """Segment and featurise masked texts as the model takes them."""
        ...

    def look(self, made: Prepared, *, facts: bool = False) -> Look:
        """Score petitions; with `facts`, tell what stands behind row 0."""
        ...

    @property
    def refused(self) -> Sequence[str]:
        """Labels that are ruled out for the petition (退单)."""
        ...


@dataclass(frozen=True)
class Neighbour:
    """A similar petition that was learnt from: id ("" where unknown), its label and name, cosine."""

    id: str
    label: str
    name: str
    cosine: float


@dataclass(frozen=True)
class Candidate:
    """One of the likeliest classes, and why.

    Attributes:
        label, name, probability: the class.
        score: before calibration.
        against: the label it is set against: the runner-up for the first, the first for the others; "" if alone.
        difference: its score minus that of `against`.
        contributions: view (and `bias`) → its part of the difference; they add up to it.
        words, words_against: by the linear view's share of the difference, in score.
        left_out, left_out_against, sentences: by leaving them out, in log-odds of this class.
        facts: what stands behind the given views.
    """

    label: str
    name: str
    probability: float
    score: float
    against: str
    difference: float
    contributions: dict[str, float]
    words: list[Span]
    words_against: list[Span]
    left_out: list[Span]
    left_out_against: list[Span]
    sentences: list[Span]
    facts: Facts


@dataclass(frozen=True)
class Explanation:
    """Why one petition gets its labels.

    Attributes:
        text: the masked text that all offsets point into: title, line break, body.
        candidates: the likeliest classes, best first.
        neighbours: the most similar petitions learnt from, nearest first.
        refused: labels ruled out because they sent the petition back.
        looked_at: share of the text's words that were left out in turn.
        learnt: whether anything was learnt from labelled rows.
    """

    text: str
    candidates: list[Candidate]
    neighbours: list[Neighbour] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    looked_at: float = 1.0
    learnt: bool = True


def explain(subject: Subject, title: str, body: str, address: str = "", top: int = 3) -> Explanation:
    """Explain the `top` likeliest labels of one masked petition; classes that are ruled out are not among them.

    Raises:
        ValueError: if `top` is below 1.
    """
    if top < 1:
        msg = f"top must be at least 1, not {top}"
        raise ValueError(msg)
    title = " ".join(title.splitlines())  # the first line break of the joined text ends the title
    made = subject.prepare([title], [body], [address])
    text = made.texts[0]
    title, body = text[: len(title)], text[len(title) + 1 :]  # as it was classified: cut where it is very long
    look = subject.look(made, facts=True)
    scored = look.scored
    order = [int(i) for i in np.argsort(-scored.probabilities[0], kind="stable") if scored.probabilities[0, i] > 0]
    if not order:
        return Explanation(text, [], refused=list(subject.refused), learnt=subject.classifier is not None)

    def ask(variants: Sequence[str]) -> F64:
        # The first line is the title, as `join_text` put it; it may be empty.
        parts = [variant.partition("\n") for variant in variants]
        heads, rest = [head for head, _, _ in parts], [tail for _, _, tail in parts]
        return subject.look(subject.prepare(heads, rest, [address] * len(parts))).scored.probabilities

    occlusion = occlude(text, made.words.words, ask)
    candidates = [
        _candidate(subject, look, made, (title, body), occlusion, i, order[1 if place == 0 else 0] if len(order) > 1 else -1)
        for place, i in enumerate(order[:top])
    ]
    return Explanation(
        text,
        candidates,
        neighbours(subject, look.features)[0] if subject.classifier is not None else [],
        list(subject.refused),
        occlusion.looked_at,
        subject.classifier is not None,
    )


def contributions(scored: Scored, row: int, cls: int, other: int) -> dict[str, float]:
    """Return each view's part (and that of the bias) of the score of `cls` minus that of `other`; -1 for no other class.

    They add up to the difference of the scores before calibration. Where a second stage was asked, the parts of the first
    one are scaled to what its logarithm of probability is worth there.
    """
    ranker = scored.ranker
    if ranker is None:
        return {}
    found = ranker.parts(scored.views, row, cls, other)
    second = scored.second
    if second is None or np.isnan(second.scores[row, cls]):
        return found
    worth = np.log(np.maximum(second.first[row], LEAST_PROBABILITY))
    first = second.weights[0] * (float(worth[cls]) - (float(worth[other]) if other >= 0 else 0.0))
    before = sum(found.values())
    scale = first / before if abs(before) > _NOTHING else 0.0
    told = second.scores[row]
    return {name: value * scale for name, value in found.items()} | {
        TRANSFORMER: second.weights[1] * (float(told[cls]) - (float(told[other]) if other >= 0 else 0.0))
    }


def neighbours(subject: Subject, features: TextFeatures, count: int = NEIGHBOURS) -> list[list[Neighbour]]:
    """Return the most similar petitions that were learnt from, for each row of a batch."""
    classifier = subject.classifier
    if classifier is None:
        return [[] for _ in range(features.size)]
    view = classifier.views.neighbours
    found = view.similar(classifier.views.encoder.transform_block(features, "word"), count)
    labels = view.labels.tolist()

    def told(at: int, cosine: float) -> Neighbour:
        known = labels[at] < len(subject.labels)  # a unit that is gone without successor has no label any more
        reference = subject.references[at] if at < len(subject.references) else ""
        return Neighbour(
            reference, subject.labels[labels[at]] if known else "", subject.names[labels[at]] if known else "", cosine
        )

    return [[told(at, cosine) for at, cosine in row] for row in found]


def _candidate(
    subject: Subject,
    look: Look,
    made: Prepared,
    text: tuple[str, str],
    occlusion: Occlusion,
    cls: int,
    other: int,
) -> Candidate:
    scored, words = look.scored, made.words.words
    joined = made.texts[0]
    parts = contributions(scored, 0, cls, other)
    spoken: tuple[list[Span], list[Span]] = ([], [])
    if subject.classifier is not None and other >= 0:
        linear = linear_part(subject.classifier.views, look.features, *text, words, cls, other)
        spoken = word_spans(joined, words, linear.characters, WORDS)
    left, left_against, told = occlusion.of(joined, cls, WORDS)
    alone = contributions(scored, 0, cls, -1)
    return Candidate(
        label=subject.labels[cls],
        name=subject.names[cls],
        probability=float(scored.probabilities[0, cls]),
        score=sum(alone.values()),
        against=subject.labels[other] if other >= 0 else "",
        difference=sum(parts.values()),
        contributions=parts,
        words=spoken[0],
        words_against=spoken[1],
        left_out=left,
        left_out_against=left_against,
        sentences=told,
        facts=look.facts[cls] if look.facts else Facts(),
    )
