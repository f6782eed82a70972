"""Text ↔ duty items (权责事项) by BM25: a unit is found by what it is there for, with or without a history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.petitions.features import BUCKET_BITS, Block, TextFeatures, WordTable, featurise
from pipeline.petitions.segment import Segmenter

F32 = npt.NDArray[np.float32]
_K1, _B = 1.2, 0.6
#: Keywords are residents' own words and stand for the item: they count this often.
_KEYWORD_REPEAT = 2


@dataclass(frozen=True)
class DutyText:
    """A duty item as the index reads it: id, the class (unit or issue) it speaks for, text and keywords."""

    id: str
    owner: int
    text: str
    keywords: tuple[str, ...]


class DutyIndex:
    """BM25 over character 1–3-grams and word 1–2-grams of duty items, scored for a whole batch by one sparse product."""

    def __init__(self, duties: Sequence[DutyText], segmenter: Segmenter) -> None:
        self.duties = list(duties)
        self.owners = np.array([duty.owner for duty in duties], np.int64)
        documents = ["\n".join([duty.text, *(" ".join(duty.keywords),) * _KEYWORD_REPEAT]) for duty in duties]
        features = featurise([""] * len(documents), documents, WordTable.of(segmenter.cut(documents)))
        self._weights = sp.vstack([_bm25(features.blocks[name], len(documents)) for name in ("char", "word")]).tocsr()

    def __len__(self) -> int:
        return len(self.duties)

    def scores(self, features: TextFeatures) -> F32:
        """Return BM25 scores, float32 of shape (texts, duties)."""
        # Binary queries: that a long letter repeats a word does not make its duty likelier.
        size = 1 << BUCKET_BITS
        rows, columns = [], []
        for i, name in enumerate(("char", "word")):
            block = features.blocks[name]
            rows.append(block.rows)
            columns.append(block.buckets.astype(np.int64) + i * size)
        row, column = np.concatenate(rows), np.concatenate(columns)
        used = np.diff(self._weights.indptr) > 0
        keep = used[column]
        query = sp.csr_matrix(
            (np.ones(int(keep.sum()), np.float32), (row[keep], column[keep])), shape=(features.size, 2 * size)
        )
        return (query @ self._weights).toarray()

    def by_owner(self, scores: F32, owners: int) -> tuple[F32, npt.NDArray[np.int64]]:
        """Return the best score and the best duty of each owner, both of shape (texts, owners); duty -1 for none."""
        best = np.zeros((len(scores), owners), np.float32)
        which = np.full((len(scores), owners), -1, np.int64)
        for owner in np.unique(self.owners):
            mine = np.flatnonzero(self.owners == owner)
            top = scores[:, mine].argmax(1)
            best[:, owner] = scores[np.arange(len(scores)), mine[top]]
            which[:, owner] = np.where(best[:, owner] > 0, mine[top], -1)
        return best, which


def relative(scores: F32) -> F32:
    """Return scores as shares of the row's best, so that long and short letters weigh alike; shape unchanged."""
    return (scores / np.maximum(scores.max(1, keepdims=True, initial=0.0), 4.0)).astype(np.float32)


def _bm25(block: Block, documents: int) -> sp.csr_matrix:
    """Return the BM25 weight of each bucket in each document, shape (buckets, documents)."""
    length = np.bincount(block.rows, block.counts, documents)
    df = np.bincount(block.buckets, minlength=1 << BUCKET_BITS)
    idf = np.log(1 + (documents - df + 0.5) / (df + 0.5))
    norm = _K1 * (1 - _B + _B * length / max(length.mean(), 1e-9))
    weight = idf[block.buckets] * block.counts * (_K1 + 1) / (block.counts + norm[block.rows])
    return sp.csr_matrix((weight.astype(np.float32), (block.buckets, block.rows)), shape=(1 << BUCKET_BITS, documents))
