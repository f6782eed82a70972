"""A text classifier: encoder, learnt views, optional given views, ranker; fitted with out-of-fold scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from models.encoder import Encoder
from models.newcomer import LeftOut, Newcomer, groups
from models.ranker import Ranker
from models.views import NEIGHBOUR_INDEX_ROWS, LinearViews, Nearest, NeighbourView, linear_outputs
from pipeline.petitions.features import Block, TextFeatures

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
FOLDS = 5
#: With so many rows a bucket must be held by two: what one letter alone says then teaches nothing (benchmarks/accuracy.py
#: gains by leaving it out), and is two thirds of the buckets.
MANY_ROWS = 1_000
#: From so many rows on, one set of HELD_ROWS is held out instead of each fifth in turn: the ranker's few weights need no
#: more, and six fits become two. Both are for time and memory; with fewer rows nothing changes.
LARGE = 20_000
HELD_ROWS = 10_000
#: Rows to learn from, of very many, for what a class without rows is worth.
NEWCOMER_ROWS = 5_000
#: With fewer held-out rows the ranker's weights would be noise: the linear view alone is used.
MIN_RANKER_ROWS = 10


@dataclass(frozen=True)
class Scored:
    """Result for a batch: probabilities (rows, classes), and the nearest training row of each with its cosine (rows,)."""

    probabilities: F64
    nearest: I64
    cosine: F32


@dataclass(frozen=True)
class HeldOut:
    """Predictions for labelled rows by models that had not seen them.

    Attributes:
        rows: positions in the training rows, ascending.
        y: class index of each.
        probabilities: float64, shape (rows, classes).
    """

    rows: I64
    y: I64
    probabilities: F64


@dataclass(frozen=True)
class LearntViews:
    """The views that are refitted on each set of training rows."""

    encoder: Encoder
    linear: LinearViews
    neighbours: NeighbourView

    @classmethod
    def fit(cls, features: TextFeatures, y: I64, classes: int, least: int = 1) -> LearntViews:
        """Fit all learnt views on rows with class indices `y` below `classes`; `least` rows must hold a bucket."""
        encoder = Encoder.fit(features, linear_outputs(len(np.unique(y))), least)
        blocks = encoder.transform(features)
        return cls(encoder, LinearViews.fit(encoder, blocks, y, classes), NeighbourView.fit(blocks["word"], y))

    def scores(self, features: TextFeatures, classes: int) -> tuple[dict[str, F32], Nearest]:
        """Return view → scores of shape (rows, classes), and the nearest indexed row of each row."""
        blocks = self.encoder.transform(features)
        views = self.linear.scores(blocks, classes)
        views["neighbours"], nearest = self.neighbours.scores(blocks["word"], classes)
        return views, nearest


@dataclass(frozen=True)
class Classifier:
    """Learnt views and the ranker over them and over the views given with a batch."""

    views: LearntViews
    ranker: Ranker
    classes: int

    @classmethod
    def fit(
        cls,
        features: TextFeatures,
        y: I64,
        classes: int,
        order: F64 | None,
        given: Mapping[str, F32] | None = None,
        *,
        newcomers: Sequence[str] = (),
    ) -> tuple[Classifier, HeldOut]:
        """Fit on labelled rows; also return the held-out predictions that the ranker was fitted on.

        Args:
            features: the rows.
            y: class index of each row, below `classes`.
            classes: number of classes, seen or not.
            order: time of each row for folds by time, or None for folds by position.
            given: views that need no fitting (duties, places), name → scores of the rows that `held_rows` names, shape
                (those rows, classes).
            newcomers: given views that know classes without rows: what these views are worth to such a class is learnt by
                leaving classes out. Empty where such classes are rare ones rather than new ones.
        """
        given = given or {}
        if len(y) >= LARGE:
            return cls._fit_large(features, y, classes, order, given, newcomers)
        folds = make_folds(len(y), order, y)
        least = 2 if len(y) >= MANY_ROWS else 1  # once for all fits: the ranker must see the scores that it will weigh
        held: dict[str, F32] = {}
        kept = np.zeros(len(y), bool)
        for fold in range(FOLDS):
            train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            if len(test) == 0 or len(np.unique(y[train])) < 2:
                continue
            views = LearntViews.fit(take(features, train), y[train], classes, least)
            for name, scores in views.scores(take(features, test), classes)[0].items():
                held.setdefault(name, np.zeros((len(y), classes), np.float32))[test] = scores
            kept[test] = True
        full = LearntViews.fit(features, y, classes, least)
        common = set(full.scores(take(features, np.arange(1)), classes)[0]) & set(held) | set(given)
        stacked = {name: scores[kept] for name, scores in (held | dict(given)).items() if name in common}
        rows = np.flatnonzero(kept)
        if len(rows) < MIN_RANKER_ROWS:
            stacked = {"linear": full.scores(features, classes)[0]["linear"]}
            ranker = Ranker.fit(stacked, y, folds)
            return cls(*_folded(full, ranker), classes), HeldOut(rows[:0], y[:0], np.zeros((0, classes)))
        ranker = Ranker.fit(stacked, y[rows], folds[rows], aside=bool(newcomers))
        if newcomers:
            left_out = []
            for i, group in enumerate(groups(y, _speaks(given, newcomers), FOLDS)):
                train = np.flatnonzero((folds != i) & ~np.isin(y, group))
                test = np.flatnonzero((folds == i) | np.isin(y, group))
                if len(np.unique(y[train])) > 1:
                    views = LearntViews.fit(take(features, train), y[train], classes, least)
                    found = views.scores(take(features, test), classes)[0] | {name: view[test] for name, view in given.items()}
                    left_out += _left_out(ranker, found, y[test], np.setdiff1d(y, group), group, newcomers)
            ranker = _with_newcomer(ranker, left_out, y, order)
        return cls(*_folded(full, ranker), classes), HeldOut(rows, y[rows], ranker.probabilities(stacked))

    @classmethod
    def _fit_large(
        cls, features: TextFeatures, y: I64, classes: int, order: F64 | None, given: Mapping[str, F32], newcomers: Sequence[str]
    ) -> tuple[Classifier, HeldOut]:
        held = held_rows(len(y), order)
        # One encoder for both fits: document frequencies of so many rows hardly depend on the held ones, and the matrix
        # is there once. Its rows are picked by number, never copied.
        encoder = Encoder.fit(features, linear_outputs(len(np.unique(y))), 2)
        blocks = encoder.transform(features)
        words, x = blocks["word"], encoder.join(blocks)
        del blocks

        def fit(rows: I64) -> LearntViews:
            newest = rows[-NEIGHBOUR_INDEX_ROWS:]
            linear = LinearViews.fit_many(encoder, x, words, y, rows, classes)
            return LearntViews(encoder, linear, NeighbourView.fit(words[newest], y[newest]))

        rest = np.setdiff1d(np.arange(len(y)), held)
        part = fit(rest)
        scores = part.scores(take(features, held), classes)[0]
        del part
        full = fit(np.arange(len(y)))
        stacked = {name: found for name, found in scores.items() if name in (*full.linear.names, "neighbours")} | dict(given)
        ranker = Ranker.fit(stacked, y[held], np.arange(len(held)) % 2, aside=bool(newcomers))
        if newcomers:
            left_out = []
            for group in groups(y[held], _speaks(given, newcomers), FOLDS):
                # A sample will do: the weights are few, and the known classes' scores hardly grow with more rows.
                kept = rest[~np.isin(y[rest], group)]
                part = fit(kept[:: -(-len(kept) // NEWCOMER_ROWS)])
                scores = part.scores(take(features, held), classes)[0]
                left_out += _left_out(ranker, scores | dict(given), y[held], np.setdiff1d(y, group), group, newcomers)
            ranker = _with_newcomer(ranker, left_out, y, order)
        return cls(*_folded(full, ranker), classes), HeldOut(held, y[held], ranker.probabilities(stacked))

    def score(
        self,
        features: TextFeatures,
        given: Mapping[str, F32] | None = None,
        excluded: npt.NDArray[np.bool_] | None = None,
    ) -> Scored:
        """Return calibrated probabilities of a batch; `excluded` marks cells that must get none."""
        views, nearest = self.views.scores(features, self.classes)
        views.update(given or {})
        for name in self.ranker.views:
            if name not in views:  # a view that the city of today cannot give says nothing for any class
                views[name] = np.zeros((features.size, self.classes), np.float32)
        return Scored(self.ranker.probabilities(views, excluded), nearest.row, nearest.cosine)


def _speaks(given: Mapping[str, F32], newcomers: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return whether any of the views tells something of each class: one of which none does is no example of a new unit."""
    return np.any([given[name].any(0) for name in newcomers], axis=0)


def _left_out(
    ranker: Ranker, views: Mapping[str, F32], y: I64, known: I64, group: I64, newcomers: Sequence[str]
) -> list[LeftOut]:
    """Return each class of a group as a newcomer, by the views of rows `y` of a model that had no row of the group."""
    scores = logsumexp(ranker.scores(views)[:, known], axis=1)
    out = []
    for left in group.tolist():
        rows = np.flatnonzero((y == left) | ~np.isin(y, group))
        spoken = {name: views[name][rows, left] for name in newcomers}
        out.append(LeftOut(scores[rows], spoken, y[rows] == left, len(known)))
    return out


def _with_newcomer(ranker: Ranker, left_out: Sequence[LeftOut], y: I64, order: F64 | None) -> Ranker:
    """Return the ranker with what is learnt of classes left out; without it where that is nothing."""
    rows = np.bincount(y, minlength=len(ranker.bias))
    newcomer = Newcomer.fit(left_out, int((rows > 0).sum()), dict(zip(ranker.views, ranker.weights.tolist(), strict=True)))
    if newcomer is None:
        return ranker
    settled = np.where(_of_a_few_weeks(y, time_blocks(len(y), order), len(rows)), 0, rows)
    return dataclasses.replace(ranker, newcomer=newcomer, rows=rows, settled=settled)


def _folded(views: LearntViews, ranker: Ranker) -> tuple[LearntViews, Ranker]:
    """Return the same classifier with its linear views folded into one: a third of the coefficients, the same scores."""
    weights = dict(zip(ranker.views, ranker.weights.tolist(), strict=True))
    linear = {name: weights.pop(name) for name in views.linear.names if name in weights}
    return (
        dataclasses.replace(views, linear=views.linear.fold(linear)),
        dataclasses.replace(ranker, views=("linear", *weights), weights=np.array([1.0, *weights.values()])),
    )


def make_folds(rows: int, order: F64 | None, y: I64 | None = None) -> I64:
    """Return the fold of each row: blocks of consecutive time, or turns where there is no time.

    A class most of whose rows `y` would be in one fold (a new unit, with a few weeks of letters) is dealt over all folds in
    blocks of its own time: else the ranker sees it only where the views had next to nothing to learn it from.
    """
    folds = time_blocks(rows, order)
    if order is None or y is None:
        return folds
    by_time = np.argsort(order, kind="stable")
    for new in np.flatnonzero(_of_a_few_weeks(y, folds, int(y.max(initial=0)) + 1)).tolist():
        mine = by_time[y[by_time] == new]
        if len(mine) >= FOLDS:
            folds[mine] = np.arange(len(mine)) * FOLDS // len(mine)
    return folds


def time_blocks(rows: int, order: F64 | None) -> I64:
    """Return the fifth of the time that each row is of; where there is no time, rows take turns."""
    if order is None:
        return np.arange(rows) % FOLDS
    blocks = np.empty(rows, np.int64)
    blocks[np.argsort(order, kind="stable")] = np.arange(rows) * FOLDS // max(rows, 1)
    return blocks


def _of_a_few_weeks(y: I64, blocks: I64, classes: int) -> npt.NDArray[np.bool_]:
    """Return for each class whether most of its rows are of one block of time."""
    spread = np.zeros((classes, FOLDS), np.int64)
    np.add.at(spread, (y, blocks), 1)
    return np.asarray(2 * spread.max(1) > spread.sum(1))


def held_rows(rows: int, order: F64 | None) -> I64:
    """Return the rows, ascending, whose held-out scores the ranker is fitted on.

    All of them, or from LARGE rows on the newest HELD_ROWS, and where there is no time HELD_ROWS evenly from all.
    """
    if rows < LARGE:
        return np.arange(rows)
    if order is None:
        return np.arange(HELD_ROWS) * rows // HELD_ROWS
    return np.sort(np.argsort(order, kind="stable")[-HELD_ROWS:])


def take(features: TextFeatures, rows: Sequence[int] | I64) -> TextFeatures:
    """Return the features of some rows, renumbered from 0."""
    rows = np.asarray(rows, np.int64)
    number = np.full(features.size, -1, np.int32)
    number[rows] = np.arange(len(rows), dtype=np.int32)
    blocks = {}
    for name, block in features.blocks.items():
        mine = number[block.rows]
        keep = mine >= 0
        if len(rows) > 1 and np.any(np.diff(rows) < 0):
            msg = "rows must ascend"
            raise ValueError(msg)
        blocks[name] = Block(mine[keep], block.buckets[keep], block.counts[keep])
    return TextFeatures(len(rows), blocks)
