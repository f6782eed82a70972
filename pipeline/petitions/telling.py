"""How telling a word is, from its frequency in general Chinese: rare words and names mark an event, common ones do not.

The weights come from the segmentation dictionary, not from a trained model, so events are the same whichever model
routes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.petitions.events import Sketches, sketch
from pipeline.petitions.features import WordTable, word_hashes

_TABLE_BITS = 22
_SHIFT = np.uint64(64 - _TABLE_BITS)
#: A word that the dictionary lacks counts as seen this often.
_UNSEEN = 2.0
#: A domain term counts as seen this often.
_TERM = 300.0
#: Words more frequent than this share of all words never mark an event.
_COMMON = 2e-4


class WordWeights:
    """Information content of words, in nats, by a hashed table of 2^22 entries.

    Args:
        words: the general dictionary.
        frequencies: how often each of them was counted, float64.
        terms: words of the domain that the dictionary lacks, which are no names; they count as seen 300 times.
    """

    def __init__(
        self, words: Sequence[str], frequencies: npt.NDArray[np.float64], terms: Sequence[str] = ()
    ) -> None:
        total = frequencies.sum()
        self._unseen = float(np.log(total / _UNSEEN))
        self._table = np.full(1 << _TABLE_BITS, self._unseen, np.float32)
        for group, counts in ((terms, np.full(len(terms), _TERM)), (words, frequencies)):
            weights = np.where(counts > _COMMON * total, 0.0, np.log(total / np.maximum(counts, _UNSEEN * 1.5)))
            self._table[(word_hashes(group) >> _SHIFT).astype(np.int64)] = weights

    def sketch(self, table: WordTable, size: int) -> Sketches:
        """Return the sketches of `size` segmented texts.

        Words of one character count only in pairs: unknown names fall apart into single characters.
        """
        flat, rows, hashes = table.words, table.rows, table.hashes
        weights = self._table[(hashes >> _SHIFT).astype(np.int64)]
        lengths = np.fromiter(map(len, flat), np.int64, len(flat))
        codes = np.frombuffer("".join(flat).encode("utf-32-le", "surrogatepass"), np.uint32)
        first = codes[np.minimum(np.cumsum(lengths) - lengths, max(len(codes) - 1, 0))] if len(codes) else codes
        # Numbers, punctuation and Latin remains are as frequent as they are empty of meaning.
        usable = (first >= 0x4E00) & (first <= 0x9FFF) & (weights > 0)
        whole = (lengths > 1) & usable
        alone = (lengths == 1) & usable
        pair = alone[:-1] & alone[1:] & (rows[:-1] == rows[1:])
        owner = np.concatenate([rows[whole], rows[:-1][pair]])
        code = np.concatenate([hashes[whole], hashes[:-1][pair] * np.uint64(31) + hashes[1:][pair]])
        value = np.concatenate([weights[whole], np.minimum(weights[:-1], weights[1:])[pair] * np.float32(1.2)])
        name = np.concatenate([weights[whole] >= self._unseen, np.ones(int(pair.sum()), bool)])
        return _unique(owner, code, value, name, size)


def _unique(
    rows: npt.NDArray[np.int32],
    hashes: npt.NDArray[np.uint64],
    weights: npt.NDArray[np.float32],
    names: npt.NDArray[np.bool_],
    size: int,
) -> Sketches:
    """Fold repeated words of a petition into one entry each: 32 bits of hash, the last of them NAME."""
    word = (hashes >> np.uint64(33)).astype(np.int64) << 1 | names | 2
    key = rows.astype(np.int64) << 32 | word
    order = np.argsort(key, kind="stable")
    key, weights = key[order], weights[order]
    at = np.flatnonzero(np.diff(key, prepend=-1))
    counts = np.diff(at, append=len(key))
    telling = (weights[at] * (1 + np.log(counts))).astype(np.float32)
    return sketch((key[at] >> 32).astype(np.int32), key[at] & 0xFFFFFFFF, telling, size)
