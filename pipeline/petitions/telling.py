"""How telling a word is, from its frequency in general Chinese: rare words and names mark an event, common ones do not.

The weights come from the segmentation dictionary, not from a trained model, so events are the same whichever model
routes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.petitions.compiled import sketch_words
from pipeline.petitions.events import SKETCH, Sketches
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

    def sketch(self, table: WordTable) -> Sketches:
        """Return the sketches of segmented texts.

        Words of one character count only in pairs: unknown names fall apart into single characters. Numbers,
        punctuation and Latin remains do not count: they are as frequent as they are empty of meaning.
        """
        return Sketches.of(
            *sketch_words(
                table.codes, table.bounds, table.hashes, table.ends, self._table, np.float32(self._unseen), _SHIFT, SKETCH
            )
        )
