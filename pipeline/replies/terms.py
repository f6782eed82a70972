"""Texts as weighted bigrams of characters: how near replies and petitions are to one another.

Bigrams, because what tells one petition from another are names (小区, 路, 栋) that no dictionary knows; on real replies they
find the right petition more often than words do (benchmarks/replies.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.replies.wording import squeezed

Matrix: TypeAlias = Any  # scipy.sparse.csr_matrix, which is untyped
F64 = npt.NDArray[np.float64]


def weighted(groups: Sequence[Sequence[str]], counted: int) -> list[Matrix]:
    """Return the texts of each group as rows of unit length (tf-idf with 1 + log tf), over one space of bigrams.

    Args:
        groups: groups of texts.
        counted: how many of the groups, from the first, the document frequencies are counted over.
    """
    texts = [squeezed(text).lower() for group in groups for text in group]
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    owners = np.repeat(np.arange(len(texts)), lengths)
    inside = owners[:-1] == owners[1:]
    keys = (codes[:-1] << np.uint64(32) | codes[1:])[inside]
    vocabulary, columns = np.unique(keys, return_inverse=True)
    shape = (len(texts), max(len(vocabulary), 1))
    counts = sp.csr_matrix((np.ones(len(columns)), (owners[:-1][inside], columns)), shape=shape)
    counts.sum_duplicates()
    ends = np.cumsum([0, *map(len, groups)])
    seen = counts[: ends[counted]]
    frequency = np.bincount(seen.indices, minlength=shape[1])
    idf = np.log((ends[counted] + 1) / (frequency + 0.5))
    counts.data = (1 + np.log(counts.data)) * np.maximum(idf, 0.0)[counts.indices]
    norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts.data /= np.repeat(np.maximum(norms, 1e-12), np.diff(counts.indptr))
    return [counts[start:end] for start, end in pairwise(ends)]


def row_products(left: Matrix, right: Matrix) -> F64:
    """Return the cosine of each row of `left` with the same row of `right`, shape (n,)."""
    return np.asarray(left.multiply(right).sum(axis=1)).ravel()
