"""The learnt views of a text classifier: linear, balanced linear, naive Bayes, neighbours.

The first three are linear in the features, so once the ranker has weighed them they are folded into one.

Each view gives every class a score; `models.ranker` learns how much each is worth. All views of a batch come from
sparse products, so a batch costs little more than its features.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models.compiled import votes
from models.encoder import Encoder
from models.margins import one_against_rest

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
#: Above this number of classes only the plain linear view is kept: the others cost as much again and add little.
FULL_VIEWS_UP_TO = 64
#: Margin of a class that the linear views have not seen: about that of a class the text clearly is not.
UNSEEN_MARGIN = -1.1
NEIGHBOUR_INDEX_ROWS = 20_000
#: Words by which an indexed petition is found.
INDEX_WORDS = 160
_VOTE_FLOOR = 0.01


def linear_outputs(classes: int) -> int:
    """Return how many coefficient columns the linear views of so many classes take."""
    return classes if classes > FULL_VIEWS_UP_TO else 3 * classes


@dataclass(frozen=True)
class LinearViews:
    """One-against-rest linear scores of `names` views, as one coefficient matrix per block.

    Attributes:
        names: views, in the order of their columns.
        seen: class index of each column of one view, shape (k,).
        coefficients: block → float32, C order, shape (kept buckets, len(names) * k).
        intercept: float32, shape (len(names) * k,).
        unseen: score of a class that the rows did not hold; that of naive Bayes is 0, its mean over those that they held.
    """

    names: tuple[str, ...]
    seen: npt.NDArray[np.int64]
    coefficients: dict[str, F32]
    intercept: F32
    unseen: float = UNSEEN_MARGIN

    @classmethod
    def fit(
        cls, encoder: Encoder, blocks: dict[str, sp.csr_matrix], y: npt.NDArray[np.int64], classes: int
    ) -> LinearViews:
        """Fit on rows with class indices `y` below `classes`; at least two classes must occur.

        Naive Bayes is taken against its mean over the classes, which is then its score of a class without rows.

        Raises:
            ValueError: if the rows hold fewer than two classes.
        """
        from sklearn.svm import LinearSVC  # late: a second to import, and not needed to score

        seen = np.unique(y)
        if len(seen) < 2:
            msg = "cannot learn from one class only: the labelled rows need at least two"
            raise ValueError(msg)
        x = encoder.join(blocks).astype(np.float64)
        names, weights, biases = ["linear"], [], []
        coefficient, bias = _svc(LinearSVC(C=1.0, random_state=0), x, y)
        weights.append(coefficient)
        biases.append(bias)
        if len(seen) <= FULL_VIEWS_UP_TO:
            coefficient, bias = _svc(LinearSVC(C=0.3, class_weight="balanced", random_state=0), x, y)
            names.append("balanced")
            weights.append(coefficient)
            biases.append(bias)
        if classes <= FULL_VIEWS_UP_TO:
            coefficient = np.zeros_like(weights[0])
            start = encoder.offset("word")
            coefficient[:, start : start + blocks["word"].shape[1]] = _bayes(blocks["word"], y)
            names.append("bayes")
            weights.append(coefficient)
            biases.append(np.zeros(len(seen)))
        # ComplementNB with two classes still gives two rows; LinearSVC gives one, doubled in _svc.
        stacked = np.vstack(weights).T.astype(np.float32)
        return cls(tuple(names), seen, _by_block(encoder, stacked), np.concatenate(biases).astype(np.float32))

    @classmethod
    def fit_many(cls, encoder: Encoder, x: sp.csr_matrix, words: sp.csr_matrix, y: I64, rows: I64, classes: int) -> LinearViews:
        """Fit the same views on very many rows; see `models.margins`.

        Args:
            encoder: made `x` and `words`.
            x: the joined blocks of n rows.
            words: their word block.
            y: class of each.
            rows: those of them to learn from.
            classes: number of classes, seen or not.
        """
        seen = np.unique(y[rows])
        fits = [one_against_rest(x, y, rows, seen, 1.0)]
        names = ["linear"]
        if len(seen) <= FULL_VIEWS_UP_TO:
            fits.append(one_against_rest(x, y, rows, seen, 0.3, balanced=True))
            names.append("balanced")
        if classes <= FULL_VIEWS_UP_TO:
            coefficient = np.zeros_like(fits[0][0])
            start = encoder.offset("word")
            coefficient[start : start + words.shape[1]] = _bayes(words[rows], y[rows]).T
            fits.append((coefficient, np.zeros(len(seen), np.float32)))
            names.append("bayes")
        stacked = fits[0][0] if len(fits) == 1 else np.hstack([found for found, _ in fits])
        return cls(tuple(names), seen, _by_block(encoder, stacked), np.concatenate([bias for _, bias in fits]))

    def scores(self, blocks: dict[str, sp.csr_matrix], classes: int) -> dict[str, F32]:
        """Return view → float32 scores, shape (rows, classes)."""
        total = self.intercept + sum(blocks[name] @ weights for name, weights in self.coefficients.items())
        k = len(self.seen)
        out = {}
        for i, name in enumerate(self.names):
            part = total[:, i * k : (i + 1) * k]
            # One column more than classes: units that are gone without successor point there (models.serving.rebase).
            full = np.empty((len(total), classes + 1), np.float32)
            full[:] = 0.0 if name == "bayes" else self.unseen
            if len(np.unique(self.seen)) == k:
                full[:, self.seen] = part
            else:  # several former units are one today: the best of them speaks
                for column, target in enumerate(self.seen.tolist()):
                    np.maximum(full[:, target], part[:, column], out=full[:, target])
            out[name] = full[:, :classes]
        return out

    def fold(self, weights: dict[str, float]) -> LinearViews:
        """Return one view `linear` that scores Σ weight × view."""
        k = len(self.seen)
        by_view = [weights.get(name, 0.0) for name in self.names]
        coefficients = {
            block: np.ascontiguousarray(
                sum(w * matrix[:, i * k : (i + 1) * k] for i, w in enumerate(by_view)), dtype=np.float32
            )
            for block, matrix in self.coefficients.items()
        }
        intercept = sum(w * self.intercept[i * k : (i + 1) * k] for i, w in enumerate(by_view))
        unseen = self.unseen * sum(w for name, w in zip(self.names, by_view, strict=True) if name != "bayes")
        return LinearViews(("linear",), self.seen, coefficients, np.asarray(intercept, np.float32), unseen)


def _by_block(encoder: Encoder, stacked: F32) -> dict[str, F32]:
    """Return the coefficients, shape (width, ·), of each block."""
    coefficients = {}
    for name, kept in encoder.buckets.items():
        start = encoder.offset(name)
        coefficients[name] = np.ascontiguousarray(stacked[start : start + len(kept)])
    return coefficients


def _bayes(words: sp.csr_matrix, y: I64) -> npt.NDArray[np.float64]:
    """Return complement naive Bayes against its mean over the classes, shape (classes with rows, columns)."""
    from sklearn.naive_bayes import ComplementNB

    found = ComplementNB(alpha=0.1).fit(words, y).feature_log_prob_
    return np.asarray(found - found.mean(0))


def _svc(
    model: Any, x: sp.csr_matrix, y: npt.NDArray[np.int64]  # noqa: ANN401 - LinearSVC, imported late
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    with warnings.catch_warnings():
        # Hundreds of units with few rows each are what a city has, not a regression problem.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        model.fit(x, y)
    if len(model.classes_) == 2:
        return np.vstack([-model.coef_, model.coef_]), np.concatenate([-model.intercept_, model.intercept_])
    return model.coef_, model.intercept_


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest indexed row of each row (-1 for none) and its cosine, both of shape (rows,)."""

    row: npt.NDArray[np.int64]
    cosine: F32


@dataclass(frozen=True)
class NeighbourView:
    """Votes of the most similar training petitions, by their informative words.

    Attributes:
        transposed: float32 CSC-like index (kept buckets, rows) of unit-length word vectors.
        labels: class index of each indexed row.
        keep: mask over the word block's columns: words that not too many petitions share.
    """

    transposed: sp.csr_matrix
    labels: npt.NDArray[np.int64]
    keep: npt.NDArray[np.float32]

    @classmethod
    def fit(cls, words: sp.csr_matrix, y: npt.NDArray[np.int64]) -> NeighbourView:
        """Index the rows (the last NEIGHBOUR_INDEX_ROWS of them)."""
        words, y = words[-NEIGHBOUR_INDEX_ROWS:], y[-NEIGHBOUR_INDEX_ROWS:]
        df = np.bincount(words.indices, minlength=words.shape[1])
        keep = (df <= max(20, 0.03 * words.shape[0])).astype(np.float32)
        return cls(_pruned(_informative(words, keep)).T.tocsr(), y, keep)

    def scores(self, words: sp.csr_matrix, classes: int) -> tuple[F32, Nearest]:
        """Return log vote shares, float32 of shape (rows, classes), and the nearest indexed row of each row."""
        # A vote is worth cosine³: near rows outweigh the many that share a word, with no sorting.
        index = self.transposed
        total, row, cosine = votes(
            words.indptr, words.indices, words.data, self.keep, index.indptr, index.indices, index.data, self.labels, classes
        )
        share = total / np.maximum(total.sum(1, keepdims=True), 1e-9)
        return np.log(share + _VOTE_FLOOR), Nearest(row, cosine)

    def similar(self, words: sp.csr_matrix, count: int) -> list[list[tuple[int, float]]]:
        """Return the `count` most similar indexed rows of each row with their cosines, nearest first; none at cosine 0."""
        cosines = (_informative(words, self.keep) @ self.transposed).tocsr()
        cosines.sort_indices()
        found = []
        for row in range(words.shape[0]):
            part = slice(cosines.indptr[row], cosines.indptr[row + 1])
            data, rows = cosines.data[part], cosines.indices[part]
            best = np.argsort(-data, kind="stable")[:count]
            found.append([(int(rows[at]), float(data[at])) for at in best if data[at] > 0])
        return found


def _pruned(words: sp.csr_matrix) -> sp.csr_matrix:
    """Return the rows with their INDEX_WORDS heaviest words only: the light ones cost most and tell least."""
    rows = np.repeat(np.arange(words.shape[0]), np.diff(words.indptr))
    order = np.lexsort((-words.data, rows))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - words.indptr[rows[order]]
    keep = rank < INDEX_WORDS
    return sp.csr_matrix((words.data[keep], (rows[keep], words.indices[keep])), shape=words.shape)


def _informative(words: sp.csr_matrix, keep: npt.NDArray[np.float32]) -> sp.csr_matrix:
    use = keep[words.indices] > 0
    values = words.data[use]
    before = np.concatenate([[0], np.cumsum(use)])
    indptr = before[words.indptr]
    squares = np.concatenate([[0.0], np.cumsum(np.square(values, dtype=np.float64))])
    length = np.sqrt(np.diff(squares[indptr]))
    values /= np.repeat(np.maximum(length, 1e-12), np.diff(indptr)).astype(np.float32)
    return sp.csr_matrix((values, words.indices[use], indptr), shape=words.shape)
