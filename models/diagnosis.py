"""What a model gets wrong on labelled rows that it had not seen: by class, by pair of classes, by confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
B = npt.NDArray[np.bool_]
#: Normal quantile of the 95 % intervals.
Z = 1.96
_RESAMPLES = 200
#: Labelled rows from which held-out predictions are made (`models.classifier.MIN_RANKER_ROWS`).
LEAST_ROWS = 10


@dataclass(frozen=True, slots=True)
class ClassMeasures:
    """Measures of one class; those that cannot be said (never predicted, no row) are None, intervals are of 95 %.

    Attributes:
        label: class index.
        support: rows filed under it.
        predicted: rows given to it.
        precision, recall, f1: 0 to 1.
        precision_interval, recall_interval: by Wilson's score.
        f1_interval: by resampling the rows.
    """

    label: int
    support: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    precision_interval: tuple[float, float] | None
    recall_interval: tuple[float, float] | None
    f1_interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Two classes that are taken for each other.

    Attributes:
        first, second: class indices; `first` is the one whose rows are lost to the other more often.
        forth: rows of `first` given to `second`.
        back: rows of `second` given to `first`.
        rows: their positions, those of `forth` first, the most confident first.
    """

    first: int
    second: int
    forth: int
    back: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Rows of about the same confidence: their mean confidence, the share that was right and its 95 % interval."""

    confidence: float
    accuracy: float
    rows: int
    interval: tuple[float, float]


def wilson(hits: float, of: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share; (0, 1) of nothing."""
    if of <= 0:
        return 0.0, 1.0
    share, spread = hits / of, Z * Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z * float(np.sqrt(share * (1 - share) / of + spread / of / 4)) / (1 + spread)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def by_class(probabilities: F64, y: I64, seed: int = 0) -> list[ClassMeasures]:
    """Return the measures of each class that has a row or a prediction, most rows first.

    Args:
        probabilities: of rows not learnt from, shape (n, k).
        y: class index of each row as filed.
        seed: of the resampling.
    """
    k, predicted = probabilities.shape[1], probabilities.argmax(1)
    support, given = np.bincount(y, minlength=k), np.bincount(predicted, minlength=k)
    right = np.bincount(y[predicted == y], minlength=k)
    rng, f1s = np.random.default_rng(seed), np.empty((_RESAMPLES, k))
    for i in range(_RESAMPLES):
        weights = np.bincount(rng.integers(0, len(y), len(y)), minlength=len(y))
        total = np.bincount(y, weights, k) + np.bincount(predicted, weights, k)
        hits = np.bincount(y[predicted == y], weights[predicted == y], k)
        f1s[i] = np.divide(2 * hits, total, out=np.full(k, np.nan), where=total > 0)
    found = []
    for label in np.flatnonzero(support + given).tolist():
        n, m, correct = int(support[label]), int(given[label]), int(right[label])
        drawn = f1s[:, label][np.isfinite(f1s[:, label])]
        low, high = (float(q) for q in np.quantile(drawn, [0.025, 0.975])) if len(drawn) else (0.0, 1.0)
        found.append(
            ClassMeasures(
                label, n, m,
                correct / m if m else None,
                correct / n if n else None,
                2 * correct / (n + m),
                wilson(correct, m) if m else None,
                wilson(correct, n) if n else None,
                (low, high),
            )
        )  # fmt: skip
    return sorted(found, key=lambda item: (-item.support, item.label))


def confusion(y: I64, predicted: I64, classes: int) -> I64:
    """Return how many rows of each class (rows) were given to each class (columns), shape (k, k)."""
    return np.bincount(y * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def confused_pairs(probabilities: F64, y: I64, count: int) -> list[ConfusedPair]:
    """Return the `count` pairs of classes that are taken for each other most often."""
    predicted = probabilities.argmax(1)
    wrong = np.flatnonzero(predicted != y)
    rows: dict[tuple[int, int], list[int]] = {}
    for row in wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")].tolist():
        rows.setdefault((int(y[row]), int(predicted[row])), []).append(row)
    pairs = []
    for low, high in sorted({(min(pair), max(pair)) for pair in rows}):
        one, other = rows.get((low, high), []), rows.get((high, low), [])
        first, second = (low, high) if len(one) >= len(other) else (high, low)
        forth, back = (one, other) if len(one) >= len(other) else (other, one)
        pairs.append(ConfusedPair(first, second, len(forth), len(back), (*forth, *back)))
    return sorted(pairs, key=lambda pair: (-(pair.forth + pair.back), pair.first, pair.second))[:count]


def confusion_order(matrix: I64, most: int) -> list[int]:
    """Return the classes to draw, those taken for each other side by side; of more than `most`, the most confused.

    Classes are joined by average linkage on how often they are mixed up, relative to their rows.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    mistakes = matrix - np.diag(np.diag(matrix))
    mixed = mistakes + mistakes.T
    there = np.flatnonzero(matrix.sum(1) + matrix.sum(0))
    if len(there) > most:
        there = np.sort(there[np.argsort(-mixed[there].sum(1), kind="stable")[:most]])
    if len(there) < 3:
        return [int(i) for i in there]
    size = np.maximum(matrix.sum(1)[there], 1)
    rate = mixed[np.ix_(there, there)] / np.sqrt(size[:, None] * size[None, :])
    distance = squareform(1 / (1 + 10 * rate) * (1 - np.eye(len(there))), checks=False)
    tree = optimal_leaf_ordering(linkage(distance, "average"), distance)
    return [int(there[i]) for i in leaves_list(tree)]


def coverage_curve(confidence: F64, hit: B, points: int = 100) -> list[tuple[float, float, float]]:
    """Return (share of rows, their precision, lowest confidence), most confident rows first, at `points` steps at the most."""
    order = np.argsort(-confidence, kind="stable")
    n = len(order)
    precision = np.cumsum(hit[order]) / np.arange(1, n + 1)
    ends = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))  # equal confidences go together
    ends = ends[ends >= min(20, n) - 1]  # of fewer rows a precision says nothing
    if len(ends) > points:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, points).round().astype(int))]
    return [((int(at) + 1) / n, float(precision[at]), float(confidence[order[at]])) for at in ends]


def reliability(confidence: F64, hit: B, bins: int = 10) -> list[ReliabilityBin]:
    """Return bins of equal numbers of rows by confidence, ascending."""
    order = np.argsort(confidence, kind="stable")
    found = []
    for part in np.array_split(order, min(bins, len(order))):
        hits = int(hit[part].sum())
        found.append(ReliabilityBin(float(confidence[part].mean()), hits / len(part), len(part), wilson(hits, len(part))))
    return found


def snippet(text: str, at: int, length: int = 60) -> str:
    """Return about `length` characters of a masked text around a place, in one line."""
    start = max(min(at - length // 3, len(text) - length), 0)
    cut = " ".join(text[start : start + length].split())
    return ("…" if start else "") + cut + ("…" if start + length < len(text) else "")


def same_text_other_label(
    neighbours: Sequence[tuple[float, int]], given: int, least: float = 0.95
) -> bool:
    """Whether a nearly equal petition (cosine, class) bears another label: one of the two is wrong, or the text says too little."""
    return any(cosine >= least and label != given for cosine, label in neighbours)
