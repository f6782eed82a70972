"""Which characters of a text each hashed feature came from: weights of features spread over the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.petitions.features import character_ngram_buckets, join_text, word_buckets

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: Block name and buckets → the weight that one occurrence of each bucket has in this text.
Weights = Callable[[str, I64], F64]


def spread(title: str, body: str, words: Sequence[str], weights: Weights) -> F64:
    """Return the weight of each character of `join_text(title, body)`, float64 of shape (characters,).

    An n-gram's weight is shared equally by its characters and a word pair's by those of both words, so the weights of
    a text's characters add up to the weights of its features. The title's own n-grams fall on the title.

    Args:
        title: masked title.
        body: masked body.
        words: the words of the joined text, which together give it back.
        weights: weight of one occurrence of each bucket of a block.
    """
    text = join_text(title, body)
    out = np.zeros(len(text))
    for block, part in (("char", text), ("title", title[: len(text)])):
        for size, buckets in enumerate(character_ngram_buckets(part, block), 1):
            _share(out, np.arange(len(buckets)), np.full(len(buckets), size), weights(block, buckets))
    lengths = np.array([len(word) for word in words], np.int64)
    starts = np.cumsum(lengths) - lengths
    single, pairs = word_buckets(words)
    _share(out, starts, lengths, weights("word", single))
    _share(out, starts[:-1], lengths[:-1] + lengths[1:], weights("word", pairs))
    return out


def _share(out: F64, starts: I64, lengths: I64, values: F64) -> None:
    """Add each value to the `length` characters from `start` on, in equal parts."""
    steps = np.zeros(len(out) + 1)
    each = values / np.maximum(lengths, 1)
    np.add.at(steps, np.minimum(starts, len(out)), each)
    np.add.at(steps, np.minimum(starts + lengths, len(out)), -each)
    out += np.cumsum(steps[:-1])
