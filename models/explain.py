"""Which words of a petition speak for a unit, by the linear view's own coefficients."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.classifier import LearntViews
from pipeline.petitions.features import WordTable, buckets

I64 = npt.NDArray[np.int64]
#: Words that weigh less than this share of the row's weightiest are not looked at.
_LEAST_SHARE = 0.3


def telling_words(views: LearntViews, table: WordTable, classes: I64, count: int = 3) -> list[list[str]]:
    """Return the words of each petition that speak most for its class, best first.

    Args:
        views: the fitted views.
        table: the words of the n petitions.
        classes: class of each petition, shape (n,); -1 for none.
        count: words per petition at the most.
    """
    n, linear = len(classes), views.linear
    out: list[list[str]] = [[] for _ in range(n)]
    column_of = np.full(max(int(linear.seen.max(initial=-1)), int(classes.max(initial=-1))) + 2, -1, np.int64)
    column_of[linear.seen] = np.arange(len(linear.seen))
    feature = views.encoder.columns("word", buckets(table.hashes))
    column = column_of[classes[table.rows]]
    position = np.flatnonzero((feature >= 0) & (column >= 0))
    rows, feature, column = table.rows[position], feature[position], column[position]
    worth = linear.coefficients["word"][feature, column] * views.encoder.idf["word"][feature]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    best = np.zeros(n, np.float32)
    if len(starts):
        best[rows[starts]] = np.maximum.reduceat(worth, starts)
    high = np.flatnonzero((worth > 0) & (worth >= _LEAST_SHARE * best[rows]))
    order = high[np.lexsort((-worth[high], rows[high]))]
    for row, at in zip(rows[order].tolist(), position[order].tolist(), strict=True):
        found, word = out[row], table.words[at]
        if len(found) < count and len(word) > 1 and word.isalnum() and not any(word in w or w in word for w in found):
            found.append(word)
    return out
