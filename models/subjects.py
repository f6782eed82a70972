"""The models that can be asked why: the unit model inside its router, and the issue model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpora.issue_tree import IssueTree
from models.classifier import Classifier
from models.duty_index import DutyText
from models.explanation import Duty, Facts, Look
from models.issue import IssueModel
from models.router import Router, UnitScores
from pipeline.petitions.features import MAX_CHARACTERS
from pipeline.petitions.prepare import Prepared, masked_texts
from pipeline.petitions.segment import segmenter


class UnitSubject:
    """The responsible unit, as a router suggests it for one petition.

    Args:
        router: the router.
        refused_units: names of the units that sent the petition back.
    """

    def __init__(self, router: Router, refused_units: Sequence[str] = ()) -> None:
        self._router = router
        self._refused_units = list(refused_units)
        self.labels: Sequence[str] = [str(unit.code) for unit in router.directory.units]
        self.names: Sequence[str] = [unit.name for unit in router.directory.units]
        self.classifier: Classifier | None = router.unit.classifier
        self.references = router.references

    def prepare(self, titles: Sequence[str], bodies: Sequence[str], addresses: Sequence[str]) -> Prepared:
        """Segment and featurise masked texts with the unit model's lexicon."""
        return masked_texts(titles, bodies, addresses, self._router.segmenter)

    def look(self, made: Prepared, *, facts: bool = False) -> Look:
        """Score petitions as the router does."""
        found = self._router.score(made, [self._refused_units] * len(made.titles))
        return Look(found.scored, found.given.features, self._facts(made, found) if facts else ())

    @property
    def refused(self) -> list[str]:
        """Codes of the units that are ruled out."""
        return [self.labels[unit] for unit in self._router.refusing(self._refused_units)]

    def _facts(self, made: Prepared, found: UnitScores) -> list[Facts]:
        router, text = self._router, f"{made.titles[0]}\n{made.bodies[0]}"[:MAX_CHARACTERS]
        history, shares = router.unit.history, None
        label, issue = router.issue.labels, found.issues[0]
        if history is not None:
            shares = (history.aligned(label, found.issues) @ history.shares)[0]
        name = router.issue_name(label[int(issue.argmax())]) if len(issue) else ""
        out = []
        for unit in range(len(self.labels)):
            at = int(found.given.duty[0, unit]) if found.given.duty.shape[1] else -1
            duty = None
            if at >= 0:
                item = router.given.duties[at][1]
                duty = Duty(item.id, item.text, _hits(item.text, item.keywords, text, made))
            out.append(
                Facts(
                    duty,
                    found.given.place_of[0].get(unit, ""),
                    found.given.names[0].get(unit, ""),
                    float(shares[unit]) if shares is not None else None,
                    name,
                )
            )
        return out


class IssueSubject:
    """The issue type (问题类型).

    Args:
        model: the issue model.
        lexicon: the words it was trained with.
        tree: gives the labels their names.
        references: petition ids of its neighbour index.
    """

    refused: Sequence[str] = ()

    def __init__(
        self, model: IssueModel, lexicon: tuple[str, ...], tree: IssueTree, references: Sequence[str] = ()
    ) -> None:
        self._model = model
        self._segmenter = segmenter(lexicon)
        self.labels: Sequence[str] = model.labels
        self.names: Sequence[str] = [tree.path_name(label) if tree.resolve(label) == label else label for label in model.labels]
        self.classifier: Classifier | None = model.classifier
        self.references = references

    def prepare(self, titles: Sequence[str], bodies: Sequence[str], addresses: Sequence[str]) -> Prepared:
        """Segment and featurise masked texts with the issue model's lexicon."""
        return masked_texts(titles, bodies, addresses, self._segmenter)

    def look(self, made: Prepared, *, facts: bool = False) -> Look:
        """Score petitions."""
        told: list[Facts] = []
        if facts:
            which = np.full(len(self.labels), -1)
            items: Sequence[DutyText] = ()
            if self._model.words is not None:
                items = self._model.words.duties
                which = self._model.words.by_owner(self._model.words.scores(made.features), len(self.labels))[1][0]
            told = [Facts(_item(items[at], made) if at >= 0 else None) for at in which.tolist()]
        return Look(self._model.score(made.features, made.texts), made.features, told)


def _item(item: DutyText, made: Prepared) -> Duty:
    return Duty(item.id, item.text, _hits(item.text, item.keywords, made.texts[0], made))


def _hits(duty: str, keywords: Sequence[str], text: str, made: Prepared) -> tuple[str, ...]:
    """Return the keywords that stand in the petition, then the petition's words that stand in the duty's text."""
    words = [word for word in made.words.words if len(word) > 1 and word.isalnum() and word in duty]
    return tuple(dict.fromkeys([*(word for word in keywords if word in text), *words]))[:8]
