"""How telling a word is, from its frequency in general Chinese: rare words and names mark an event, common ones do not.

The weights come from the segmentation dictionary, not from a trained model, so events are the same whichever model
routes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from pipeline.petitions.events import Sketches, sketch
from pipeline.petitions.features import row_numbers, word_hashes

_TABLE_BITS = 22
_SHIFT = np.uint64(64 - _TABLE_BITS)
#: A word that the dictionary lacks counts as seen this often.
_UNSEEN = 2.0
#: Words more frequent than this share of all words never mark an event.
_COMMON = 2e-4


class WordWeights:
    """Information content of words, in nats, by a hashed table of 2^22 entries."""

    def __init__(self, words: Sequence[str], frequencies: npt.NDArray[np.float64]) -> None:
        total = frequencies.sum()
        bucket = (word_hashes(words) >> _SHIFT).astype(np.int64)
        self._table = np.full(1 << _TABLE_BITS, np.log(total / _UNSEEN), np.float32)
        weights = np.where(frequencies > _COMMON * total, 0.0, np.log(total / np.maximum(frequencies, _UNSEEN)))
        self._table[bucket] = weights

    def sketch(self, words: Sequence[Sequence[str]]) -> Sketches:
        """Return the sketches of segmented texts.

        Words of one character count only in pairs: unknown names fall apart into single characters.
        """
        flat = list(chain.from_iterable(words))
        rows = row_numbers(words)
        hashes = word_hashes(flat)
        weights = self._table[(hashes >> _SHIFT).astype(np.int64)]
        lengths = np.fromiter(map(len, flat), np.int64, len(flat))
        # Numbers, punctuation and Latin remains are as frequent as they are empty of meaning.
        first = np.frombuffer("".join(w[:1] or " " for w in flat).encode("utf-32-le", "surrogatepass"), np.uint32)
        chinese = (first >= 0x4E00) & (first <= 0x9FFF)
        alone = (lengths == 1) & chinese & (weights > 0)
        pair = alone[:-1] & alone[1:] & (rows[:-1] == rows[1:])
        whole = (lengths > 1) & chinese & (weights > 0)
        owner = np.concatenate([rows[whole], rows[:-1][pair]])
        code = np.concatenate([hashes[whole], hashes[:-1][pair] * np.uint64(31) + hashes[1:][pair]])
        value = np.concatenate([weights[whole], np.minimum(weights[:-1], weights[1:])[pair] * np.float32(1.2)])
        return _unique(owner, code, value, len(words))


def _unique(
    rows: npt.NDArray[np.int32], hashes: npt.NDArray[np.uint64], weights: npt.NDArray[np.float32], size: int
) -> Sketches:
    short = (hashes >> np.uint64(33)).astype(np.int64)  # 31 bits, so that the stored word fits 32
    order = np.lexsort((short, rows))
    rows, short, weights = rows[order], short[order], weights[order]
    first = np.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]) | (short[1:] != short[:-1])
    at = np.flatnonzero(first)
    counts = np.diff(at, append=len(rows))
    return sketch(rows[at], short[at], (weights[at] * (1 + np.log(counts))).astype(np.float32), size)
