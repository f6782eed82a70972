"""Which words of a petition speak for a unit, by the linear view's own coefficients."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.classifier import LearntViews
from models.compiled import weightiest
from pipeline.petitions.features import WordTable, buckets

I64 = npt.NDArray[np.int64]
#: Words that weigh less than this share of the row's weightiest are not looked at.
_LEAST_SHARE = 0.3
#: Words of a petition that are looked at: some of the weightiest are punctuation or part of one another.
_LOOKED_AT = 24


def telling_words(views: LearntViews, table: WordTable, classes: I64, count: int = 3) -> list[list[str]]:
    """Return the words of each petition that speak most for its class, best first.

    Args:
        views: the fitted views.
        table: the words of the n petitions.
        classes: class of each petition, shape (n,); -1 for none.
        count: words per petition at the most.
    """
    linear = views.linear
    output_of = np.full(max(int(linear.seen.max(initial=-1)), int(classes.max(initial=-1))) + 2, -1, np.int64)
    output_of[linear.seen] = np.arange(len(linear.seen))
    found, _ = weightiest(
        table.ends,
        views.encoder.columns("word", buckets(table.hashes)),
        views.encoder.idf["word"],
        linear.coefficients["word"],
        output_of[classes],
        _LOOKED_AT,
        _LEAST_SHARE,
    )
    return [_different([table.words[at] for at in row if at >= 0], count) for row in found.tolist()]


def _different(words: list[str], count: int) -> list[str]:
    """Return the first `count` words that are no part of each other, punctuation and single characters left out."""
    found: list[str] = []
    for word in words:
        if len(word) > 1 and word.isalnum() and not any(word in w or w in word for w in found):
            found.append(word)
            if len(found) == count:
                break
    return found
