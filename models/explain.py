"""Which words of a petition speak for a unit, by the linear view's own coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models.classifier import LearntViews
from pipeline.petitions.features import BUCKET_BITS, word_buckets

I64 = npt.NDArray[np.int64]


def telling_words(
    views: LearntViews, word_block: sp.csr_matrix, words: Sequence[Sequence[str]], classes: I64, count: int = 3
) -> list[list[str]]:
    """Return the words of each petition that speak most for its class, best first.

    Args:
        views: the fitted views.
        word_block: the encoded word block of the petitions, shape (n, kept buckets).
        words: the words of the n petitions.
        classes: class of each petition; -1 for none.
        count: words per petition at the most.
    """
    n = word_block.shape[0]
    linear = views.linear
    column_of = np.full(max(int(linear.seen.max(initial=-1)), int(classes.max(initial=-1))) + 2, -1, np.int64)
    column_of[linear.seen] = np.arange(len(linear.seen))
    column = column_of[classes]
    rows = np.repeat(np.arange(n), np.diff(word_block.indptr))
    usable = column[rows] >= 0
    rows, features, values = rows[usable], word_block.indices[usable], word_block.data[usable]
    worth = values * linear.coefficients["word"][features, column[rows]]
    positive = worth > 0
    rows, features, worth = rows[positive], features[positive], worth[positive]
    order = np.lexsort((-worth, rows))
    rows, features = rows[order], features[order]
    # Some of the best may be single characters, which tell a person nothing: look at three times as many.
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows) if len(rows) else np.zeros(0, np.int64)
    few = rank < 3 * count
    rows, buckets = rows[few], views.encoder.buckets["word"][features[few]].astype(np.int64)
    single_rows, single, pair_at, pair = word_buckets(words)
    keys = np.concatenate(
        [
            single_rows.astype(np.int64) << BUCKET_BITS | single,
            single_rows[pair_at].astype(np.int64) << BUCKET_BITS | pair,
        ]
    )
    sorter = np.argsort(keys, kind="stable")
    where = np.minimum(np.searchsorted(keys[sorter], rows << BUCKET_BITS | buckets), max(len(keys) - 1, 0))
    flat = list(chain.from_iterable(words))
    out: list[list[str]] = [[] for _ in range(n)]
    for row, position in zip(rows.tolist(), sorter[where].tolist() if len(keys) else [], strict=True):
        found = out[row]
        if len(found) >= count:
            continue
        if position < len(flat):
            word = flat[position]
        else:
            first = int(pair_at[position - len(flat)])
            word = flat[first] + flat[first + 1]
        if len(word) > 1 and word.isalnum() and not any(word in other or other in word for other in found):
            found.append(word)
    return out
