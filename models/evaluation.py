"""Measures of a classifier: accuracy, macro-F1, top-3, calibration, and what may go straight through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
ECE_BINS = 10
PRECISIONS = (0.99, 0.97, 0.95, 0.9, 0.85, 0.8)


@dataclass(frozen=True)
class Scores:
    """Predictions for labelled rows: probabilities (n, k), the k labels, the n true labels, rows left out."""

    probabilities: F64
    labels: tuple[str, ...]
    truth: list[str]
    skipped: Counter[str]


@dataclass(frozen=True)
class Coverage:
    """At confidence ≥ `threshold`, `share` of the rows go straight through, at `precision` (all in 0..1).

    `threshold` is None and `share` 0 where no threshold reaches `wanted`.
    """

    wanted: float
    threshold: float | None
    share: float
    precision: float | None


@dataclass(frozen=True)
class Evaluation:
    """Measures over all labelled rows; a label that the model does not know counts as wrong."""

    rows: int
    classes: int
    accuracy: float
    macro_f1: float
    top3_accuracy: float
    ece: float
    coverage_at_95_precision: float
    unseen_label_rows: int
    coverage: tuple[Coverage, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the measures as plain values, rounded to four decimals."""
        return rounded(asdict(self))


def evaluate(probabilities: F64, labels: Sequence[str], truth: Sequence[str]) -> Evaluation:
    """Measure predictions.

    Args:
        probabilities: shape (n, k).
        labels: the k labels.
        truth: the n true labels.

    Raises:
        ValueError: if there are no rows.
    """
    from sklearn.metrics import f1_score

    if len(truth) == 0:
        msg = "no labelled rows to evaluate on"
        raise ValueError(msg)
    names, actual = np.array(labels, dtype=object), np.array(truth, dtype=object)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    predicted = names[order[:, 0]]
    hit = predicted == actual
    confidence = probabilities[np.arange(len(actual)), order[:, 0]]
    coverage = tuple(coverage_at(confidence, hit, wanted) for wanted in PRECISIONS)
    return Evaluation(
        rows=len(actual),
        classes=len(labels),
        accuracy=float(hit.mean()),
        macro_f1=float(f1_score(actual.astype(str), predicted.astype(str), average="macro", zero_division=0)),
        top3_accuracy=float((names[order[:, :3]] == actual[:, None]).any(1).mean()),
        ece=expected_calibration_error(confidence, hit),
        coverage_at_95_precision=next(c.share for c in coverage if c.wanted == 0.95),
        unseen_label_rows=int((~np.isin(actual, names)).sum()),
        coverage=coverage,
    )


def expected_calibration_error(confidence: F64, hit: npt.NDArray[np.bool_]) -> float:
    """Return the mean distance of confidence and accuracy over ECE_BINS bins of equal width, weighted by rows."""
    bins = confidence_bins(confidence)
    count = np.bincount(bins, minlength=ECE_BINS)
    gap = np.abs(np.bincount(bins, confidence, ECE_BINS) - np.bincount(bins, hit, ECE_BINS))
    return float(gap[count > 0].sum() / len(confidence))


def confidence_bins(confidence: F64) -> npt.NDArray[np.int64]:
    """Return the bin of each confidence, 0 to ECE_BINS - 1; a bin holds its upper end."""
    return np.clip(np.ceil(confidence * ECE_BINS).astype(np.int64) - 1, 0, ECE_BINS - 1)


def coverage_at(confidence: F64, hit: npt.NDArray[np.bool_], wanted: float) -> Coverage:
    """Return the largest share of rows, most confident first, whose precision is at least `wanted`."""
    order = np.argsort(-confidence, kind="stable")
    precision = np.cumsum(hit[order]) / np.arange(1, len(hit) + 1)
    # A threshold admits all rows of equal confidence or none of them.
    ends = np.append(np.diff(confidence[order]) != 0, True)
    good = np.flatnonzero((precision >= wanted) & ends)
    if len(good) == 0:
        return Coverage(wanted, None, 0.0, None)
    last = int(good[-1])
    return Coverage(wanted, float(confidence[order[last]]), (last + 1) / len(hit), float(precision[last]))


def rounded(value: Any) -> Any:  # noqa: ANN401 - any plain JSON value
    """Return plain values with every number rounded to four decimals."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return value
