"""Copied replies (雷同答复): the same words under petitions about different matters.

Replies are compared by their five-character pieces after names, dates and figures are taken out; candidates come from
minhashes in bands, so the work grows with the number of replies and not with its square. A reply copied under copies of
one petition is in order and makes no group: it is one answer to one matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from corpora.reply_config import CopyRules
from pipeline.replies.terms import Matrix
from pipeline.replies.wording import squeezed

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

_VARYING = re.compile(r"[“\"'‘][^”\"'’]{0,60}[”\"'’]|UU?[0-9A-Za-z]{4,}|\d+|〔[^〕]{1,6}〕")
_PIECE = 5
_HASHES, _BAND = 24, 3
_SEED = 7
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Copies:
    """Groups of copied replies.

    Attributes:
        group: number of each reply's group, -1 for none, shape (n,).
        size: replies in its group, 1 for none.
        matters: different matters that the group answers, 1 for none.
    """

    group: I64
    size: I64
    matters: I64


def copies(replies: Sequence[str], petitions: Matrix, same_matter: float, rules: CopyRules) -> Copies:
    """Group n replies that are copies of one another.

    Args:
        replies: the replies, "" where there is none.
        petitions: their petitions as rows of `pipeline.replies.terms.weighted`.
        same_matter: cosine of petitions from which on they are about one matter.
        rules: limits.
    """
    n = len(replies)
    bare = [squeezed(_VARYING.sub("", reply)) for reply in replies]
    pieces = [_pieces(text) for text in bare]
    left, right = _candidates(pieces)
    alike = np.array([_jaccard(pieces[i], pieces[j]) >= rules.similarity for i, j in zip(left, right, strict=True)], np.bool_)
    left, right = left[alike], right[alike]
    joined = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    label = connected_components(joined, directed=False)[1].astype(np.int64) if n else np.zeros(0, np.int64)
    group, size, matters = np.full(n, -1, np.int64), np.ones(n, np.int64), np.ones(n, np.int64)
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if n else []
    parts = [part for part in parts if len(part) >= rules.least]
    parts.sort(key=lambda part: (-len(part), int(part[0])))
    number = 0
    for part in parts:
        different = _matters(petitions[part], same_matter)
        if different < 2:
            continue
        group[part], size[part], matters[part] = number, len(part), different
        number += 1
    return Copies(group, size, matters)


def _pieces(text: str) -> U64:
    """Return the hashes of the five-character pieces of a text, ascending; of a shorter text, the one of the whole."""
    if not text:
        return np.zeros(0, np.uint64)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    width = min(_PIECE, len(codes))
    value = np.zeros(len(codes) - width + 1, np.uint64)
    for place in range(width):
        value = (value ^ codes[place : len(codes) - width + 1 + place]) * _MIX
        value ^= value >> np.uint64(29)
    return np.unique(value)


def _candidates(pieces: Sequence[U64]) -> tuple[I64, I64]:
    """Return pairs of replies that share a band of minhashes: each with the one before it in the same band."""
    rows = np.array([row for row, found in enumerate(pieces) if len(found)], np.int64)
    if not len(rows):
        return rows, rows
    salts = np.random.default_rng(_SEED).integers(1, 2**63, _HASHES, dtype=np.uint64) | np.uint64(1)
    joined = np.concatenate([pieces[row] for row in rows])
    starts = np.cumsum([0, *(len(pieces[row]) for row in rows)])[:-1]
    pairs = []
    for band in range(0, _HASHES, _BAND):
        key = np.zeros(len(rows), np.uint64)
        for salt in salts[band : band + _BAND]:
            mixed = (joined ^ salt) * _MIX
            mixed ^= mixed >> np.uint64(31)
            key = (key ^ np.minimum.reduceat(mixed * salt, starts)) * _MIX
        order = np.argsort(key, kind="stable")
        same = np.flatnonzero(key[order][1:] == key[order][:-1])
        pairs.append(np.stack([rows[order[same]], rows[order[same + 1]]]))
    left, right = np.unique(np.concatenate(pairs, axis=1), axis=1)
    return left, right


def _jaccard(first: U64, second: U64) -> float:
    both = len(np.intersect1d(first, second, assume_unique=True))
    return both / (len(first) + len(second) - both)


def _matters(petitions: Matrix, same_matter: float) -> int:
    """Count the matters that petitions are about; of a large group the first 500 are looked at."""
    part = petitions[:500]
    near = (part @ part.T).tocoo()
    keep = near.data >= same_matter
    joined = coo_matrix((np.ones(int(keep.sum()), np.int8), (near.row[keep], near.col[keep])), shape=near.shape)
    return int(connected_components(joined, directed=False)[0])
