"""Weighting of hashed text features: TF-IDF per block, on the buckets that the training rows held."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from pipeline.petitions.features import BUCKET_BITS, TextFeatures

#: Share of each block in the whole vector, and whether its counts are damped (1 + ln count).
BLOCKS = {"char": (1.0, False), "word": (0.7, True), "title": (0.7, True)}
#: Coefficients one linear view may hold (float32, 4 bytes each): rare buckets are dropped until it fits.
MAX_COEFFICIENTS = 48_000_000


@dataclass(frozen=True)
class Encoder:
    """Turns `TextFeatures` into one sparse matrix with unit-length blocks.

    Attributes:
        buckets: the kept buckets of each block, ascending, int32.
        idf: inverse document frequency of each kept bucket, float32 (ln((1 + n) / (1 + df)) + 1).
    """

    buckets: dict[str, npt.NDArray[np.int32]]
    idf: dict[str, npt.NDArray[np.float32]]
    _tables: dict[str, npt.NDArray[np.int32]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def fit(cls, features: TextFeatures, outputs: int) -> Encoder:
        """Learn the kept buckets and their weights from the training rows.

        Args:
            features: the rows.
            outputs: columns of the linear views that will stand on this encoder; bounds the number of buckets.
        """
        buckets, idf = {}, {}
        frequency = {
            name: np.bincount(block.buckets, minlength=1 << BUCKET_BITS) for name, block in features.blocks.items()
        }
        least = 1
        while sum(int((df >= least).sum()) for df in frequency.values()) * max(outputs, 1) > MAX_COEFFICIENTS:
            least += 1
        for name, df in frequency.items():
            kept = np.flatnonzero(df >= least).astype(np.int32)
            buckets[name] = kept
            idf[name] = (np.log((1 + features.size) / (1 + df[kept])) + 1).astype(np.float32)
        return cls(buckets, idf)

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        return sum(len(kept) for kept in self.buckets.values())

    def offset(self, name: str) -> int:
        """First column of a block."""
        names = list(self.buckets)
        return sum(len(self.buckets[before]) for before in names[: names.index(name)])

    def transform(self, features: TextFeatures) -> dict[str, sp.csr_matrix]:
        """Return a float32 CSR matrix of shape (rows, kept buckets) for each block."""
        return {name: self.transform_block(features, name) for name in self.buckets}

    def join(self, blocks: dict[str, sp.csr_matrix]) -> sp.csr_matrix:
        """Return the blocks side by side, shape (rows, width)."""
        return sp.hstack([blocks[name] for name in self.buckets], format="csr")

    def columns(self, name: str, buckets: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the column of each bucket within a block, -1 for buckets that the training rows did not hold."""
        return self._table(name)[buckets]

    def _table(self, name: str) -> npt.NDArray[np.int32]:
        table = self._tables.get(name)
        if table is None:
            table = np.full(1 << BUCKET_BITS, -1, np.int32)
            table[self.buckets[name]] = np.arange(len(self.buckets[name]), dtype=np.int32)
            self._tables[name] = table
        return table

    def transform_block(self, features: TextFeatures, name: str) -> sp.csr_matrix:
        """Return one block's matrix, float32 CSR of shape (rows, kept buckets)."""
        block = features.blocks[name]
        share, damped = BLOCKS[name]
        columns = self._table(name)[block.buckets]
        known = columns >= 0
        columns, rows, counts = columns[known], block.rows[known], block.counts[known]
        values = self.idf[name][columns]
        values *= 1 + np.log(counts) if damped else counts
        indptr = np.searchsorted(rows, np.arange(features.size + 1, dtype=rows.dtype))
        squares = np.zeros(len(values) + 1)
        np.cumsum(np.square(values), out=squares[1:])
        length = np.sqrt(np.diff(squares[indptr]))
        values *= np.repeat((share / np.maximum(length, 1e-12)).astype(np.float32), np.diff(indptr))
        return sp.csr_matrix((values, columns, indptr.astype(np.int32)), shape=(features.size, len(self.buckets[name])))
