"""Events (同一事件): near-duplicates and letters of many people about one thing, found over sketches of their words.

A sketch is the petition's SKETCH most telling words (hash and weight, unit length): two copies of a letter have nearly
the same sketch, two letters about one event share its names. Candidates share at least two telling words; pairs above
the similarity join. The work is done on whole arrays and costs 128 bytes a petition, whatever its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

#: Words kept per petition.
SKETCH = 16
#: Words from whose pairs the candidate keys are made.
_KEY_WORDS = 7
#: Candidates compared with the leader of a block only, so that a block costs its length, not its square.
_DAY = 86_400

U32 = npt.NDArray[np.uint32]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sketches:
    """Sketches of n petitions.

    Attributes:
        words: uint32 hashes, shape (n, SKETCH), most telling first; 0 where there are fewer words.
        weights: float32, shape (n, SKETCH), unit length per row; 0 where there are fewer words.
    """

    words: U32
    weights: F32

    def __len__(self) -> int:
        return len(self.words)

    def to_bytes(self) -> list[bytes]:
        """Return one fixed-length value a petition (SKETCH × (4 + 4) bytes), little-endian."""
        packed = np.concatenate(
            [self.words.astype("<u4").view(np.uint8), self.weights.astype("<f4").view(np.uint8)], axis=1
        )
        return [row.tobytes() for row in packed]

    @classmethod
    def from_bytes(cls, values: Sequence[bytes]) -> Sketches:
        """Return the sketches that `to_bytes` packed."""
        packed = np.frombuffer(b"".join(values), np.uint8).reshape(len(values), SKETCH * 8)
        return cls(
            np.ascontiguousarray(packed[:, : SKETCH * 4]).view("<u4"),
            np.ascontiguousarray(packed[:, SKETCH * 4 :]).view("<f4"),
        )

    @classmethod
    def join(cls, parts: Sequence[Sketches]) -> Sketches:
        """Return the sketches of several batches as one."""
        if not parts:
            return cls(np.zeros((0, SKETCH), np.uint32), np.zeros((0, SKETCH), np.float32))
        return cls(np.concatenate([p.words for p in parts]), np.concatenate([p.weights for p in parts]))


def sketch(rows: npt.NDArray[np.int32], words: I64, weights: F32, size: int) -> Sketches:
    """Return the sketches of a batch.

    Args:
        rows: petition of each entry, ascending.
        words: word hash of each entry (non-negative, unique within a petition).
        weights: how telling the word is (TF-IDF), positive.
        size: number of petitions.
    """
    order = np.lexsort((words, -weights, rows))
    rows, words, weights = rows[order], words[order], weights[order]
    starts = np.searchsorted(rows, np.arange(size))
    rank = np.arange(len(rows)) - starts[rows] if len(rows) else np.zeros(0, np.int64)
    keep = rank < SKETCH
    hashes = np.zeros((size, SKETCH), np.uint32)
    values = np.zeros((size, SKETCH), np.float32)
    hashes[rows[keep], rank[keep]] = (words[keep] + 1).astype(np.uint32)
    values[rows[keep], rank[keep]] = weights[keep]
    length = np.sqrt((values**2).sum(1, keepdims=True))
    return Sketches(hashes, values / np.maximum(length, 1e-9))


def similarity(sketches: Sketches, left: I64, right: I64) -> F32:
    """Return the cosine of pairs of sketches, float32 of shape (pairs,)."""
    out = np.zeros(len(left), np.float32)
    for start in range(0, len(left), 65_536):
        a, b = left[start : start + 65_536], right[start : start + 65_536]
        same = (sketches.words[a][:, :, None] == sketches.words[b][:, None, :]) & (sketches.words[a] > 0)[:, :, None]
        product = sketches.weights[a][:, :, None] * sketches.weights[b][:, None, :]
        out[start : start + 65_536] = (same * product).sum((1, 2))
    return out


def group(
    sketches: Sketches,
    days: npt.NDArray[np.float64],
    *,
    min_similarity: float,
    window_days: float,
    max_block: int,
    min_size: int = 2,
) -> I64:
    """Return the group of each petition: the index of its first member, or -1 for one that stands alone.

    Args:
        sketches: n sketches, in the order in which the petitions are to lead their groups.
        days: time of each petition in days, nan where unknown (an unknown time is near every other).
        min_similarity: cosine from which two petitions are about one event.
        window_days: petitions further apart than this are not joined directly.
        max_block: a word pair shared by more petitions than this is too common to mean one event.
        min_size: smaller groups are dissolved.
    """
    n = len(sketches)
    left, right = _candidates(sketches, max_block)
    if len(left):
        apart = np.abs(days[left] - days[right])
        near = ~(apart > window_days)
        left, right = left[near], right[near]
        close = similarity(sketches, left, right) >= min_similarity
        left, right = left[close], right[close]
    joined = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    _, component = connected_components(joined, directed=False)
    first = np.full(n, n, np.int64)
    np.minimum.at(first, component, np.arange(n))
    size = np.bincount(component, minlength=n)
    return np.where(size[component] >= min_size, first[component], -1)


def _candidates(sketches: Sketches, max_block: int) -> tuple[I64, I64]:
    """Return pairs of petitions that share two telling words: each with the two before it in the same block."""
    n = len(sketches)
    keys, owners = [], []
    words = np.sort(sketches.words[:, :_KEY_WORDS].astype(np.uint64), axis=1)
    index = np.arange(n)
    for i in range(_KEY_WORDS):
        for j in range(i + 1, _KEY_WORDS):
            both = words[:, i] > 0
            keys.append(words[both, i] << np.uint64(32) | words[both, j])
            owners.append(index[both])
    if not keys or n == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    key, owner = np.concatenate(keys), np.concatenate(owners)
    order = np.lexsort((owner, key))
    key, owner = key[order], owner[order]
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    size = np.diff(start, append=len(key))
    block = np.repeat(np.arange(len(start)), size)
    usable = (size[block] > 1) & (size[block] <= max_block)
    place = np.arange(len(key)) - start[block]
    pairs = [(owner[start[block]], owner, usable & (place > 0))]  # with the leader of the block
    for back in (1, 2):
        previous = np.roll(owner, back)
        pairs.append((previous, owner, usable & (place > back)))
    left = np.concatenate([a[m] for a, _, m in pairs])
    right = np.concatenate([b[m] for _, b, m in pairs])
    pair = np.unique(left * n + right)
    return pair // n, pair % n
