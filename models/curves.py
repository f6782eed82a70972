"""Curves of a classifier on labelled rows, as points to draw: reliability and coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
_BINS = 10
_POINTS = 80


def curves_of(probabilities: F64, labels: Sequence[str], truth: Sequence[str]) -> dict[str, Any]:
    """Return the curves of n rows with probabilities (n, k) over k labels, all values in 0..1.

    Returns:
        `reliability`: one [mean confidence, accuracy, rows] for each of ten bins of equal width that holds rows;
        `coverage`: [share of rows most confident first, their precision, least confidence], a few dozen points.
    """
    first = probabilities.argmax(1)
    confidence = probabilities[np.arange(len(first)), first]
    hit = np.array(labels, object)[first] == np.array(truth, object)
    bins = np.clip(np.ceil(confidence * _BINS).astype(np.int64) - 1, 0, _BINS - 1)
    count = np.bincount(bins, minlength=_BINS)
    mean, right = np.bincount(bins, confidence, _BINS), np.bincount(bins, hit, _BINS)
    order = np.argsort(-confidence, kind="stable")
    precision = np.cumsum(hit[order]) / np.arange(1, len(hit) + 1)
    # A threshold admits all rows of equal confidence or none of them.
    ends = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))
    ends = ends[np.unique(np.linspace(0, len(ends) - 1, min(_POINTS, len(ends))).astype(np.int64))]
    return {
        "reliability": [
            [round(float(mean[i] / count[i]), 4), round(float(right[i] / count[i]), 4), int(count[i])]
            for i in np.flatnonzero(count).tolist()
        ],
        "coverage": [
            [round((i + 1) / len(hit), 4), round(float(precision[i]), 4), round(float(confidence[order[i]]), 4)]
            for i in ends.tolist()
        ],
    }
