"""Which labels are probably wrong: confident learning (Northcutt, Jiang & Chuang, 2021, arXiv:1911.00068).

A model that has not seen a row's label is, on the rows filed under class j, on average as sure of j as the class's threshold t_j.
A row filed under i of which it is surer than t_j to be j is counted as "filed i, truly j". These counts estimate how
often each class is mistaken for each other; the rows counted off the diagonal are the suspects. Nothing is relabelled here: a
person decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelErrors:
    """Rows whose label is probably wrong, the most suspicious first.

    Attributes:
        rows: positions of the m suspects in the n rows given, shape (m,).
        suggested: class index that the model is confident of instead, shape (m,).
        margin: normalised margin of each suspect, (p of the filed class - p of the suggested one + 1) / 2, 0 to 0.5,
            ascending, shape (m,).
        joint: estimated share of all rows that are filed under class i and truly of class j; shape (k, k), sums to 1.
    """

    rows: I64
    suggested: I64
    margin: F64
    joint: F64

    @property
    def noise(self) -> float:
        """Estimated share of wrong labels, 0 to 1."""
        return float(1 - np.trace(self.joint))


def find_label_errors(probabilities: F64, y: I64) -> LabelErrors:
    """Find the rows whose label the model contradicts with confidence.

    Args:
        probabilities: of each class for each row, by a model that had not seen the row (`HeldOut.probabilities`); from a model that
            learnt the row, hardly any error shows. Shape (n, k); the columns of classes without a row are never suggested.
        y: class index of each row as filed, shape (n,).

    Raises:
        ValueError: if the shapes do not fit, a class index is outside 0..k-1, or a probability is not a number.
    """
    probabilities = np.asarray(probabilities, np.float64)
    y = np.asarray(y, np.int64)
    if probabilities.ndim != 2 or y.shape != (len(probabilities),):
        msg = f"probabilities (n, k) and labels (n,) are needed, not {probabilities.shape} and {y.shape}"
        raise ValueError(msg)
    n, k = probabilities.shape
    if n and not (y.min() >= 0 and y.max() < k):
        msg = f"class indices must be 0 to {k - 1}, not {y.min()} to {y.max()}"
        raise ValueError(msg)
    if not np.isfinite(probabilities).all():
        msg = "probabilities must be numbers"
        raise ValueError(msg)
    if n == 0:
        return LabelErrors(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros((k, k)))
    filed = np.bincount(y, minlength=k)
    own = probabilities[np.arange(n), y]
    # A class with no row has no threshold: nobody filed it, so nothing is known of how sure to be of it.
    threshold = np.where(filed > 0, np.bincount(y, own, k) / np.maximum(filed, 1), np.inf)
    # A hair below, or a class whose rows all have the same probability would fail its own mean by rounding.
    sure = probabilities >= threshold - 1e-12
    counted = sure.any(1)
    truly = np.where(sure, probabilities, -1.0).argmax(1)
    counts = np.zeros((k, k))
    np.add.at(counts, (y[counted], truly[counted]), 1.0)
    empty = counts.sum(1) == 0
    counts[empty, empty] = filed[empty]
    rates = counts / np.maximum(counts.sum(1, keepdims=True), 1.0)
    joint = rates * (filed / n)[:, None]

    # The threshold of a rare class is low: a row counts as a suspect only where the model also prefers that class.
    margin = (own - probabilities[np.arange(n), truly] + 1) / 2
    suspects = np.flatnonzero(counted & (truly != y) & (margin < 0.5))
    rows = suspects[np.argsort(margin[suspects], kind="stable")]
    return LabelErrors(rows, truly[rows], margin[rows], joint)
