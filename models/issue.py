"""Issue type: a hierarchical classifier over the issue tree, or the tree's own words where there are no labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpora.issue_tree import IssueTree
from corpora.units import UnitDirectory
from models.classifier import LARGE, Classifier, HeldOut, Scored, held_rows, take
from models.duty_index import DutyIndex, DutyText, relative
from models.ranker import Ranker
from models.stack import Stack
from pipeline.petitions.features import TextFeatures
from pipeline.petitions.route import Ranked, rank
from pipeline.petitions.segment import Segmenter

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
#: Weight of the tree's own words, for a city without labelled issue types (benchmarks/zero_history.py).
PRIOR = {"duty": 9.0}


@dataclass(frozen=True)
class IssueModel:
    """Probabilities over issue labels.

    Attributes:
        labels: issue codes, or the labels as filed where they are not of the tree.
        classifier: the learnt part, or None where nothing was labelled.
        words: the tree's own words and the duty items filed under its nodes, by BM25; None where the labels are too
            coarse for them to help.
        stack: a transformer on top, or None.
    """

    labels: tuple[str, ...]
    classifier: Classifier | None
    words: DutyIndex | None = None
    stack: Stack | None = None

    @classmethod
    def fit(
        cls,
        features: TextFeatures,
        labels: Sequence[str],
        order: F64 | None,
        tree: IssueTree,
        directory: UnitDirectory | None,
        segmenter: Segmenter,
    ) -> tuple[IssueModel, HeldOut]:
        """Learn from labelled rows; also return the held-out predictions made on the way.

        Args:
            features: n rows.
            labels: n issue codes (or labels not of the tree).
            order: n times, or None.
            tree: gives labels below the first level their words.
            directory: its duty items give them more.
            segmenter: cuts those words.

        Raises:
            ValueError: if the rows hold fewer than two labels.
        """
        names = classes_of(labels, tree)
        y = np.searchsorted(np.array(names), np.array(labels))
        words = label_words(names, tree, directory, segmenter)
        model = cls(names, None, words)
        looked_at = features if len(y) < LARGE else take(features, held_rows(len(y), order))
        classifier, held_out = Classifier.fit(features, y, len(names), order, model.given(looked_at))
        return cls(names, classifier, words), held_out

    @classmethod
    def without_history(cls, tree: IssueTree, directory: UnitDirectory | None, segmenter: Segmenter) -> IssueModel:
        """Return a model that knows the tree's words and the duty items filed under its nodes, and nothing else."""
        labels = tuple(sorted(node.code for node in tree.leaves()))
        return cls(labels, None, label_words(labels, tree, directory, segmenter))

    def probabilities(self, features: TextFeatures, texts: Sequence[str]) -> F64:
        """Return probabilities, float64 of shape (rows, labels), of masked texts and their features."""
        return self.score(features, texts).probabilities

    def score(self, features: TextFeatures, texts: Sequence[str]) -> Scored:
        """Return probabilities over `labels` of masked texts and their features, and what stands behind them."""
        given = self.given(features)
        if self.classifier is not None:
            scored = self.classifier.score(features, given)
            return scored if self.stack is None else self.stack.on_top_of(scored, texts)
        ranker, n = Ranker.prior(PRIOR, len(self.labels)), features.size
        return Scored(ranker.probabilities(given), np.full(n, -1), np.zeros(n, np.float32), given, ranker)

    def given(self, features: TextFeatures) -> dict[str, F32]:
        """Return the views that no label makes: the labels' own words, where they have some."""
        if self.words is None:
            return {}
        best, _ = self.words.by_owner(self.words.scores(features), len(self.labels))
        return {"duty": relative(best)}


def classes_of(labels: Sequence[str], tree: IssueTree) -> tuple[str, ...]:
    """Return the labels that may be given out: those seen, and all leaves where most rows are labelled with leaves.

    A leaf that no row bears yet is found by its words.
    """
    seen = set(labels)
    if sum(tree.resolve(label) == label and len(label) == 6 for label in labels) * 2 >= len(labels):
        seen |= {node.code for node in tree.leaves()}
    return tuple(sorted(seen))


def label_words(
    labels: Sequence[str], tree: IssueTree, directory: UnitDirectory | None, segmenter: Segmenter
) -> DutyIndex | None:
    """Return the index of the words that tree and duty items have for the labels; None for first-level labels."""
    at = {label: i for i, label in enumerate(labels)}
    if not any(len(label) > 2 and tree.resolve(label) == label for label in labels):
        return None
    texts = []
    for node in tree.leaves():
        owner = next((at[code] for code in (node.code, *tree.ancestors(node.code)) if code in at), None)
        if owner is not None:
            texts.append(DutyText(node.code, owner, tree.path_name(node.code).replace("/", " "), ()))
    for duty in directory.duties() if directory else ():
        for issue in duty.issues:
            owner = next((at[code] for code in (issue, *tree.ancestors(issue)) if code in at), None)
            if owner is not None:
                texts.append(DutyText(duty.id, owner, duty.text, duty.keywords))
    return DutyIndex(texts, segmenter)


@dataclass(frozen=True)
class Emitted:
    """What is given out for a batch: one node a row, and the likeliest labels.

    Attributes:
        codes, probability: the node and its mass, n each.
        top: the likeliest labels (indices and probabilities), best first.
    """

    codes: list[str]
    probability: F64
    top: Ranked


class Hierarchy:
    """Aggregates label probabilities up the tree: the parent is given where the mass is spread over siblings."""

    def __init__(self, labels: Sequence[str], tree: IssueTree) -> None:
        nodes: dict[str, int] = {}
        pairs = []
        for i, label in enumerate(labels):
            chain = [label]
            if tree.resolve(label) == label:
                chain += [str(code) for code in tree.ancestors(label)]
            pairs += [(i, nodes.setdefault(node, len(nodes))) for node in chain]
        self._nodes = list(nodes)
        self._level = np.array([len(n) // 2 if n.isdigit() and tree.resolve(n) == n else 1 for n in self._nodes])
        self._sum = np.zeros((len(labels), len(nodes)))
        for i, j in pairs:
            self._sum[i, j] = 1.0

    def emit(self, probabilities: F64, min_mass: float, top_k: int) -> Emitted:
        """Return the deepest node of each row that holds at least `min_mass`, else the best first-level type."""
        mass = probabilities @ self._sum
        rows = np.arange(len(mass))
        chosen = np.zeros(len(mass), np.int64)
        for level in (1, 2, 3):
            of_level = np.flatnonzero(self._level == level)
            if len(of_level) == 0:
                continue
            best = of_level[mass[:, of_level].argmax(1)]
            enough = mass[rows, best] >= min_mass if level > self._level.min() else np.ones(len(mass), bool)
            chosen = np.where(enough, best, chosen)
        return Emitted([self._nodes[i] for i in chosen.tolist()], mass[rows, chosen], rank(probabilities, top_k))
