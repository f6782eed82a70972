"""Responsible unit (承办单位): the ranker over text, duties, places, names and the history of issue types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.classifier import FOLDS, LARGE, Classifier, HeldOut, Scored, held_rows, make_folds
from models.given import GivenScores
from models.ranker import Ranker
from models.stack import Stack

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: Weights of the given views for a city without labelled history (benchmarks/zero_history.py measures them).
PRIOR = {"duty": 9.0, "place": 1.5, "name": 2.0}
#: Pseudo-counts with which a unit's overall share smooths its share of one issue type.
HISTORY_SMOOTHING = 5.0


@dataclass(frozen=True)
class IssueHistory:
    """P(unit | issue type) from labelled rows, smoothed towards the unit's overall share.

    Attributes:
        labels: issue labels, k of them.
        shares: float64, shape (k, units).
    """

    labels: tuple[str, ...]
    shares: F64

    @classmethod
    def fit(cls, labels: Sequence[str], issues: F64, y: I64, units: int) -> IssueHistory:
        """Count soft issue types (rows, k) against units `y`."""
        counts = np.zeros((issues.shape[1], units))
        np.add.at(counts.T, y, issues)
        overall = (np.bincount(y, minlength=units) + 0.5) / (len(y) + 0.5 * units)
        shares = (counts + HISTORY_SMOOTHING * overall) / (counts.sum(1, keepdims=True) + HISTORY_SMOOTHING)
        return cls(tuple(labels), shares)

    def view(self, issues: F64) -> F32:
        """Return log shares, float32 of shape (rows, units), for issue probabilities (rows, k)."""
        return np.log(issues @ self.shares + 1e-4).astype(np.float32)

    def aligned(self, labels: Sequence[str], issues: F64) -> F64:
        """Return issue probabilities over this history's labels, from those over a model's `labels`."""
        if tuple(labels) == self.labels:
            return issues
        at = {label: i for i, label in enumerate(self.labels)}
        out = np.zeros((len(issues), len(self.labels)))
        for i, label in enumerate(labels):
            # History is counted on coarser types than a model may give out: 010213 counts as 0102.
            known = next((label[:end] for end in range(len(label), 0, -1) if label[:end] in at), None)
            if known is not None:
                out[:, at[known]] += issues[:, i]
        missing = np.maximum(1 - out.sum(1, keepdims=True), 0)
        return out + missing / len(self.labels)


@dataclass(frozen=True)
class UnitModel:
    """Probabilities over units.

    Attributes:
        units: unit codes, the classes.
        classifier: learnt part, or None for a city without labelled history.
        history: issue type → unit, or None where no issue types were known.
        stack: a transformer on top, or None.
    """

    units: tuple[str, ...]
    classifier: Classifier | None
    history: IssueHistory | None = None
    stack: Stack | None = None

    @classmethod
    def fit(
        cls,
        given: GivenScores,
        units: Sequence[str],
        y: I64,
        order: F64 | None,
        issue_labels: Sequence[str] = (),
        issues: F64 | None = None,
    ) -> tuple[UnitModel, HeldOut]:
        """Learn from labelled rows.

        Args:
            given: features of n rows, and the views that need no labels of those rows that `held_rows` names.
            units: all units that may be suggested, seen or not.
            y: index into `units` of each row.
            order: time of each row, or None.
            issue_labels: the k issue labels of `issues`.
            issues: issue probabilities of each row, made without its label; shape (n, k).
        """
        views = dict(given.views)
        history = None
        if issues is not None:
            views["history"] = _held_out_history(issue_labels, issues, y, len(units), order)
            history = IssueHistory.fit(issue_labels, issues, y, len(units))
        # Without duty items a new unit has little to be known by.
        newcomers = tuple(given.views) if "duty" in given.views else ()
        classifier, held_out = Classifier.fit(given.features, y, len(units), order, views, newcomers=newcomers)
        return cls(tuple(units), classifier, history), held_out

    def score(
        self,
        given: GivenScores,
        issue_labels: Sequence[str],
        issues: F64,
        texts: Sequence[str],
        excluded: npt.NDArray[np.bool_] | None = None,
    ) -> Scored:
        """Return calibrated probabilities over `units`; `excluded` marks units that sent a petition back."""
        views = dict(given.views)
        if self.classifier is None:
            weights = {name: weight for name, weight in PRIOR.items() if name in views}
            ranker, n = Ranker.prior(weights, len(self.units)), given.features.size
            nobody = np.full(n, -1, np.int64)
            return Scored(ranker.probabilities(views, excluded), nobody, np.zeros(n, np.float32), views, ranker)
        if self.history is not None:
            views["history"] = self.history.view(self.history.aligned(issue_labels, issues))
        scored = self.classifier.score(given.features, views, excluded)
        return scored if self.stack is None else self.stack.on_top_of(scored, texts, excluded)


def _held_out_history(labels: Sequence[str], issues: F64, y: I64, units: int, order: F64 | None) -> F32:
    if len(y) >= LARGE:
        held = held_rows(len(y), order)
        rest = np.setdiff1d(np.arange(len(y)), held)
        return IssueHistory.fit(labels, issues[rest], y[rest], units).view(issues[held])
    folds = make_folds(len(y), order, y)
    view = np.zeros((len(y), units), np.float32)
    for fold in range(FOLDS):
        rest, held = folds != fold, folds == fold
        if held.any():
            view[held] = IssueHistory.fit(labels, issues[rest], y[rest], units).view(issues[held])
    return view
