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
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from pipeline.petitions.compiled import sketch_similarity

#: Words kept per petition.
SKETCH = 16
#: Bit of a word's hash that says the word is a name: the dictionary does not know it.
NAME = np.uint32(1)
#: Worth of a similarity without a shared name.
TOPIC_ONLY = 0.5
#: Words from whose pairs the candidate keys are made.
_KEY_WORDS = 9
#: Two petitions are linked from this share of the events' mean similarity on; average linkage then decides.
LINK = 0.8
#: Linked petitions that are looked at pair by pair; more are first linked more strictly.
_LARGEST = 2_000
#: Candidate keys looked at in one pass.
_PASS = 2_000_000
#: Similarity from which a text is a copy of another with small edits.
NEAR_DUPLICATE = 0.6
_ALL_PAIRS = tuple((i, j) for i in range(_KEY_WORDS) for j in range(i + 1, _KEY_WORDS))
#: Copies share nearly all words: keys of neighbouring words find them.
_NEIGHBOURING = tuple((i, i + 1) for i in range(_KEY_WORDS - 1))

U32 = npt.NDArray[np.uint32]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Days = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sketches:
    """Sketches of n petitions.

    Attributes:
        words: uint32 hashes (see NAME), shape (n, SKETCH), most telling first; 0 where there are fewer words.
        weights: float32, shape (n, SKETCH), unit length per row; 0 where there are fewer words.
    """

    words: U32
    weights: F32

    @classmethod
    def of(cls, words: U32, weights: F32) -> Sketches:
        """Return the sketches of words and their weights (how telling they are, of any length)."""
        length = np.sqrt((weights**2).sum(1, keepdims=True))
        return cls(words, weights / np.maximum(length, np.float32(1e-9)))

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


def similarity(sketches: Sketches, left: I64, right: I64) -> F32:
    """Return the similarity of pairs of sketches, float32 of shape (pairs,), 0 to 1.

    It is the cosine, times TOPIC_ONLY where the two share no name: letters about mahjong parlours in two estates have a
    topic in common, not an event.
    """
    return sketch_similarity(
        sketches.words, sketches.weights, left.astype(np.int64), right.astype(np.int64), NAME, np.float32(TOPIC_ONLY)
    )


def group(
    sketches: Sketches,
    days: Days,
    *,
    min_similarity: float,
    window_days: float,
    max_block: int,
    min_size: int = 2,
) -> I64:
    """Return the group of each petition: the index of its first member, or -1 for one that stands alone.

    Petitions that are linked are split again by average linkage, so that a chain of letters in which each resembles the
    next does not become one event.

    Args:
        sketches: n sketches, in the order in which the petitions are to lead their groups.
        days: time of each petition in days, nan where unknown (an unknown time is near every other).
        min_similarity: mean cosine that the members of an event have to each other; see `LINK`.
        window_days: petitions further apart than this are not joined directly.
        max_block: a word pair shared by more petitions than this is too common to mean one event.
        min_size: smaller groups are dissolved.
    """
    n = len(sketches)
    # Copies of one letter first: what is left is one sketch a text, however often it was pasted.
    exact = _copies(sketches, days, window_days)
    heads, texts = np.unique(exact, return_index=True)
    kept, span = _take(sketches, texts), _spans(exact, days)
    left, right, _ = _links(kept, span, _NEIGHBOURING, NEAR_DUPLICATE, window_days, n)
    copies = _components(len(texts), left, right)[np.searchsorted(heads, exact)]
    heads, texts = np.unique(copies, return_index=True)
    event = _related(_take(sketches, texts), _spans(copies, days), min_similarity, window_days, max_block)
    event = event[np.searchsorted(heads, copies)]
    leader = np.full(len(heads), n, np.int64)
    np.minimum.at(leader, event, np.arange(n))
    size = np.bincount(event, minlength=len(heads))
    return np.where(size[event] >= min_size, leader[event], -1)


def _copies(sketches: Sketches, days: Days, window_days: float) -> I64:
    """Return for each petition the first of those with the same telling words, none further apart than the window."""
    n = len(sketches)
    if n == 0:
        return np.zeros(0, np.int64)
    words = np.sort(sketches.words[:, :_KEY_WORDS].astype(np.uint64), axis=1)
    key = np.zeros(n, np.uint64)
    for column in range(words.shape[1]):
        key = (key ^ words[:, column]) * np.uint64(0x9E3779B97F4A7C15)
    few = words[:, 0] == 0  # with fewer words than keys, equal words are no proof
    key[few] = np.arange(n, dtype=np.uint64)[few]
    when = np.nan_to_num(days, nan=1e9)  # after every real day
    order = np.lexsort((np.arange(n), when, key))
    apart = np.diff(when[order], prepend=np.nan)
    new = (np.diff(key[order], prepend=~key[order[0]]) != 0) | (apart > window_days)
    new[0] = True
    run = np.cumsum(new) - 1
    first = np.full(run[-1] + 1, n, np.int64)
    np.minimum.at(first, run, order)
    out = np.empty(n, np.int64)
    out[order] = first[run]
    return out


def _take(sketches: Sketches, rows: I64) -> Sketches:
    return Sketches(sketches.words[rows], sketches.weights[rows])


def _spans(group: I64, days: Days) -> tuple[Days, Days]:
    """Return the first and the last day of each group, in the order of their numbers; nan where no day is known."""
    numbers, at = np.unique(group, return_inverse=True)
    first, last = np.full(len(numbers), np.nan), np.full(len(numbers), np.nan)
    np.fmin.at(first, at, days)
    np.fmax.at(last, at, days)
    return first, last


def _related(
    sketches: Sketches, span: tuple[Days, Days], min_similarity: float, window_days: float, max_block: int
) -> I64:
    """Return the event number of each of n different texts, filed between the days of `span`."""
    n = len(sketches)
    left, right, value = _links(sketches, span, _ALL_PAIRS, min_similarity * LINK, window_days, max_block)
    component = _components(n, left, right)
    for _ in range(8):  # what is too large to be looked at pair by pair is not one event: link it more strictly
        size = np.bincount(component, minlength=n)
        large = size[component] > _LARGEST
        if not large.any():
            break
        floor = np.where(large[left], np.quantile(value[large[left]], 0.3), 0.0)
        keep = value > floor
        left, right, value = left[keep], right[keep], value[keep]
        component = _components(n, left, right)
    order = np.argsort(component, kind="stable")
    starts = np.flatnonzero(np.diff(component[order], prepend=-1))
    event = np.zeros(n, np.int64)
    number = 0
    for members in np.split(order, starts[1:]) if n else ():
        parts = _split(sketches, members, min_similarity) if len(members) > 1 else np.zeros(1, np.int64)
        event[members] = number + parts
        number += int(parts.max()) + 1
    return event


def _links(
    sketches: Sketches,
    span: tuple[Days, Days],
    keys: Sequence[tuple[int, int]],
    least: float,
    window_days: float,
    max_block: int,
) -> tuple[I64, I64, F32]:
    """Return pairs of petitions near in time and at least `least` similar, and their similarity."""
    left, right = _candidates(sketches, keys, max_block)
    first, last = span
    near = ~(np.maximum(first[left] - last[right], first[right] - last[left]) > window_days)
    left, right = left[near], right[near]
    value = similarity(sketches, left, right)
    close = value >= least
    return left[close], right[close], value[close]


def _components(n: int, left: I64, right: I64) -> I64:
    joined = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    return connected_components(joined, directed=False)[1].astype(np.int64)


def _split(sketches: Sketches, members: I64, min_similarity: float) -> I64:
    """Return the part of each member: average linkage, cut where parts are less similar than `min_similarity`."""
    count = len(members)
    if count > _LARGEST:
        return np.arange(count)
    i, j = np.triu_indices(count, 1)
    distance = np.maximum(1.0 - similarity(sketches, members[i], members[j]).astype(np.float64), 0.0)
    return fcluster(linkage(distance, "average"), 1.0 - min_similarity, "distance").astype(np.int64) - 1


def _candidates(sketches: Sketches, keys: Sequence[tuple[int, int]], max_block: int) -> tuple[I64, I64]:
    """Return pairs of petitions that share two telling words: each with the two before it in the same block."""
    n = len(sketches)
    words = np.sort(sketches.words[:, :_KEY_WORDS].astype(np.uint64), axis=1)
    passes = n * len(keys) // _PASS + 1  # a share of the keys at a time, so that memory does not grow with all of them
    found = [_block_pairs(words, keys, part, passes, max_block) for part in range(passes)] if n else []
    pair = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
    return pair // max(n, 1), pair % max(n, 1)


def _block_pairs(
    words: npt.NDArray[np.uint64], keys: Sequence[tuple[int, int]], part: int, passes: int, max_block: int
) -> I64:
    """Return the pairs, as left × n + right, of the blocks whose key falls in this part."""
    n = len(words)
    index = np.arange(n)
    codes, owners = [], []
    for i, j in keys:
        code = (words[:, i] << np.uint64(32) | words[:, j]) * np.uint64(0x9E3779B97F4A7C15)
        mine = words[:, i] > 0
        if passes > 1:
            mine &= (code >> np.uint64(40)) % np.uint64(passes) == part
        codes.append(code[mine])
        owners.append(index[mine])
    key, owner = np.concatenate(codes), np.concatenate(owners)
    order = np.argsort(key, kind="stable")  # owners of one key stay in order only within one (i, j): sort them too
    key, owner = key[order], owner[order]
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, np.int64)
    size = np.diff(start, append=len(key))
    block = np.repeat(np.arange(len(start)), size)
    usable = (size[block] > 1) & (size[block] <= max_block)
    block, owner, place = block[usable], owner[usable], (np.arange(len(key)) - start[block])[usable]
    order = np.lexsort((owner, block))
    owner = owner[order]
    pairs = []
    for back in (1, 2):
        behind = np.flatnonzero(place >= back)
        pairs.append(owner[behind - back] * n + owner[behind])
    leader = np.flatnonzero(place > 2)
    pairs.append(owner[leader - place[leader]] * n + owner[leader])
    return np.concatenate(pairs)
