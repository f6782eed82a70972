"""Labels that are probably wrong, each with the evidence a person needs to decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.attribution import linear_part, word_spans
from models.classifier import take
from models.diagnosis import same_text_other_label, snippet
from models.explanation import Neighbour
from models.label_errors import LabelErrors
from models.training import Fitted
from pipeline.petitions.features import join_text

#: Similar petitions and words that are told for each.
_NEIGHBOURS, _WORDS = 3, 5


@dataclass(frozen=True)
class Doubt:
    """One label that is probably wrong.

    Attributes:
        petition_id, source, row: where it stands.
        given, given_name, given_probability: the label as filed, and what a model that had not seen the row thinks of it.
        suggested, suggested_name, suggested_probability: what that model is confident of.
        margin: normalised margin (0 to .5, the lower the more suspicious).
        words: words that speak for the suggested label rather than the filed one.
        neighbours: the most similar other petitions.
        twin: whether a nearly equal petition bears another label.
        snippet: a piece of the masked text around the first of the words.
    """

    petition_id: str
    source: str
    row: int
    given: str
    given_name: str
    given_probability: float
    suggested: str
    suggested_name: str
    suggested_probability: float
    margin: float
    words: tuple[str, ...]
    neighbours: tuple[Neighbour, ...]
    twin: bool
    snippet: str


def doubts(fitted: Fitted, errors: LabelErrors, names: list[str]) -> list[Doubt]:
    """Return the evidence for each label that `find_label_errors` doubts on the held-out predictions, in its order.

    Args:
        fitted: the labelled rows and the model learnt from them.
        errors: what was found; its rows are positions in `fitted.held_out`.
        names: what the labels are called, in the model's order.
    """
    held, labels, classifier = fitted.held_out, fitted.labels, fitted.model.classifier
    if not len(errors.rows) or classifier is None:
        return []
    rows = held.rows[errors.rows]
    ascending = np.sort(rows)
    part = take(fitted.features, ascending)
    place = {int(row): i for i, row in enumerate(ascending)}
    view = classifier.views.neighbours
    first = len(fitted.y) - len(view.labels)  # the index holds the newest rows only
    similar = view.similar(classifier.views.encoder.transform_block(part, "word"), _NEIGHBOURS + 1)
    columns = {name: fitted.petitions[name].to_pylist() for name in ("petition_id", "source", "row")}
    table = fitted.made.words
    found = []
    for row, at, cls, margin in zip(
        rows.tolist(), errors.rows.tolist(), errors.suggested.tolist(), errors.margin.tolist(), strict=True
    ):
        given = int(fitted.y[row])
        near = [(i + first, cosine) for i, cosine in similar[place[row]] if i + first != row][:_NEIGHBOURS]
        title, body = fitted.made.titles[row], fitted.made.bodies[row]
        words = table.words[table.ends[row - 1] if row else 0 : table.ends[row]]
        one = take(part, np.array([place[row]]))
        linear = linear_part(classifier.views, one, title, body, words, cls, given)
        text = join_text(title, body)
        spoken, _ = word_spans(text, words, linear.characters, _WORDS)
        found.append(
            Doubt(
                petition_id=columns["petition_id"][row],
                source=columns["source"][row],
                row=columns["row"][row],
                given=labels[given],
                given_name=names[given],
                given_probability=float(held.probabilities[at, given]),
                suggested=labels[cls],
                suggested_name=names[cls],
                suggested_probability=float(held.probabilities[at, cls]),
                margin=margin,
                words=tuple(span.text for span in spoken),
                neighbours=tuple(
                    Neighbour(columns["petition_id"][i], labels[int(fitted.y[i])], names[int(fitted.y[i])], cosine)
                    for i, cosine in near
                ),
                twin=same_text_other_label([(cosine, int(fitted.y[i])) for i, cosine in near], given),
                snippet=snippet(text, spoken[0].start if spoken else 0),
            )
        )
    return found
