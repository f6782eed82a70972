"""Two models on the same rows: how far apart they are, and which differences are more than noise.

Rows are drawn, or swapped, for both models together, so that what is hard for both is no difference between them. Every
measure is a function of sums over rows; many resamples at once are one product of a sparse matrix and their weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models.evaluation import ECE_BINS, F64, Scores, confidence_bins, coverage_at, expected_calibration_error

F32 = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]
_SEED = 20260101
#: Resamples at a time times rows: their weights stay within the processor's cache.
_CELLS = 1_000_000
#: Thresholds at which the coverage of a resample is looked up.
_GRID = 400


@dataclass(frozen=True)
class Side:
    """What one model does on n rows.

    Attributes:
        hit: its first answer is right, shape (n,).
        top3: the right answer is among its first three, shape (n,).
        confidence: probability of its first answer, shape (n,).
        predicted: its first answers, shape (n,).
        truth: the right answers in its own terms, shape (n,).
    """

    hit: Mask
    top3: Mask
    confidence: F64
    predicted: Texts
    truth: Texts

    @classmethod
    def of(cls, scores: Scores) -> Side:
        """Take the first answers out of probabilities."""
        names, truth = np.array(scores.labels, np.str_), np.array(scores.truth, np.str_)
        order = np.argsort(-scores.probabilities, axis=1, kind="stable")[:, :3]
        predicted = names[order[:, 0]]
        confidence = scores.probabilities[np.arange(len(truth)), order[:, 0]]
        return cls(predicted == truth, (names[order] == truth[:, None]).any(1), confidence, predicted, truth)

    def measures(self, precision: float) -> dict[str, float]:
        """Return the measures as `models.evaluation.evaluate` defines them, coverage at `precision`."""
        from sklearn.metrics import f1_score

        return {
            "accuracy": float(self.hit.mean()),
            "top3_accuracy": float(self.top3.mean()),
            "macro_f1": float(f1_score(self.truth, self.predicted, average="macro", zero_division=0)),
            "ece": expected_calibration_error(self.confidence, self.hit),
            "coverage": coverage_at(self.confidence, self.hit, precision).share,
        }


class Pair:
    """Two models on the same n rows, made ready to be measured on many resamples."""

    def __init__(self, one: Side, other: Side, precision: float) -> None:
        self.n = len(one.hit)
        self.precision = precision
        texts = np.concatenate([one.truth, other.truth, one.predicted, other.predicted])
        names, codes = np.unique(texts, return_inverse=True)
        self.classes = len(names)
        truth, predicted = codes.reshape(2, 2, self.n)
        confidences = np.concatenate([one.confidence, other.confidence])
        # Groups of equal or neighbouring confidence, the highest first.
        cuts = np.unique(np.quantile(confidences, np.linspace(0, 1, _GRID + 1)[1:-1], method="lower"))
        self.groups = len(cuts) + 1
        places = np.searchsorted(-cuts[::-1], -confidences, side="left").reshape(2, self.n)
        sides = zip((one, other), truth, predicted, places, strict=True)
        self.sums = [self._sums(side, *rest) for side, *rest in sides]

    def _sums(self, side: Side, *codes: npt.NDArray[np.int64]) -> sp.csr_matrix:
        """Return what each row adds to the sums that the measures are made of, shape (sums, n)."""
        truth, predicted, place = codes
        k, g = self.classes, self.groups
        first = np.cumsum([0, 1, 1, ECE_BINS, k, k, k, g])
        hit = side.hit.astype(np.float32)
        ones = np.ones(self.n, np.float32)
        gap = (side.confidence - side.hit).astype(np.float32)
        zeros = np.zeros(self.n, np.int64)
        bins = confidence_bins(side.confidence)
        parts = [
            (zeros, hit), (zeros, side.top3.astype(np.float32)), (bins, gap), (truth, hit), (truth, ones),
            (predicted, ones), (place, ones), (place, hit),
        ]  # fmt: skip
        index = np.concatenate([where + at for (where, _), at in zip(parts, first, strict=True)])
        values = np.concatenate([value for _, value in parts])
        columns = np.tile(np.arange(self.n), len(parts))
        found = sp.csr_matrix((values, (index, columns)), shape=(2 + ECE_BINS + 3 * k + 2 * g, self.n))
        found.eliminate_zeros()
        return found

    def _measures(self, sums: F32, rows: int) -> dict[str, F64]:
        """Return the measures of sums (sums, draws), shapes (draws,)."""
        k, g = self.classes, self.groups
        sizes = np.cumsum([1, 1, ECE_BINS, k, k, k, g])
        right, top3, gaps, hits, true, answered, admitted, correct = np.split(sums.astype(np.float64), sizes)
        both = true + answered
        f1 = 2 * hits / np.maximum(both, 1)
        admitted, correct = admitted.cumsum(0), correct.cumsum(0)
        good = np.where(correct >= self.precision * admitted, admitted, 0.0)
        return {
            "accuracy": right[0] / rows,
            "top3_accuracy": top3[0] / rows,
            "macro_f1": f1.sum(0) / np.maximum((both > 0).sum(0), 1),
            "ece": np.abs(gaps).sum(0) / rows,
            "coverage": good.max(0) / rows,
        }

    def _differences(self, one: F32, other: F32) -> dict[str, F64]:
        ours, theirs = self._measures(one, self.n), self._measures(other, self.n)
        return {name: ours[name] - theirs[name] for name in ours}

    def resampled(self, draws: int) -> dict[str, F64]:
        """Return the differences of each measure in `draws` resamples with replacement, shape (draws,); the same in every run."""
        random = np.random.default_rng(_SEED)
        parts = []
        for count in self._steps(draws):
            picked = random.integers(0, self.n, (self.n, count)) * count + np.arange(count)
            weights = np.bincount(picked.ravel(), minlength=self.n * count).reshape(self.n, count).astype(np.float32)
            parts.append(self._differences(self.sums[0] @ weights, self.sums[1] @ weights))
        return _joined(parts)

    def swapped(self, draws: int) -> dict[str, F64]:
        """Return the differences when each row's two answers change sides by the toss of a coin, shape (draws,).

        This is what differences look like between models that are alike (approximate randomisation); rare classes, which
        a bootstrap takes for surer than they are, do not mislead it.
        """
        random = np.random.default_rng(_SEED)
        ones = np.ones((self.n, 1), np.float32)
        apart = (self.sums[1] - self.sums[0]).tocsr()
        apart.eliminate_zeros()
        one, other = (side @ ones for side in self.sums)
        parts = []
        for count in self._steps(draws):
            coins = random.integers(0, 2, (self.n, count), np.int8).astype(np.float32)
            moved = apart @ coins
            parts.append(self._differences(one + moved, other - moved))
        return _joined(parts)

    def _steps(self, draws: int) -> list[int]:
        step = max(1, min(draws, _CELLS // self.n))
        return [min(step, draws - start) for start in range(0, draws, step)]


def _joined(parts: Sequence[dict[str, F64]]) -> dict[str, F64]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def mcnemar(gained: npt.ArrayLike, lost: npt.ArrayLike) -> F64:
    """Return the exact two-sided p of McNemar's test for rows that only the one, and only the other, got right.

    Args:
        gained: rows that the candidate alone got right, any shape.
        lost: rows that the champion alone got right, same shape.
    """
    from scipy.stats import binom

    ours, theirs = np.asarray(gained), np.asarray(lost)
    tail = binom.cdf(np.minimum(ours, theirs), ours + theirs, 0.5)
    return np.minimum(2 * tail, 1.0)


def holm(p: Sequence[float], level: float) -> list[bool]:
    """Return which of several tests stand when together they may err at `level` (Holm's step-down procedure)."""
    order = np.argsort(p, kind="stable")
    stands = [False] * len(p)
    for rank, index in enumerate(order.tolist()):
        if p[index] > level / (len(p) - rank):
            break
        stands[index] = True
    return stands


def interval(observed: float, resampled: F64, share: float = 0.95) -> tuple[float, float]:
    """Return low and high between which the true difference lies with probability `share` (basic bootstrap).

    The resamples scatter around the observed difference as it does around the true one.
    """
    tail = 100 * (1 - share) / 2
    low, high = np.percentile(resampled, [tail, 100 - tail])
    return 2 * observed - float(high), 2 * observed - float(low)


def chance(observed: float, swapped: F64) -> float:
    """Return the two-sided p: how often models that are alike are as far apart as observed."""
    beyond = int((np.abs(swapped) >= abs(observed) - 1e-9).sum())
    return (beyond + 1) / (len(swapped) + 1)
