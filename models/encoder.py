"""Weighting of hashed text features: TF-IDF per block, on the buckets that the training rows held."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models.compiled import columns_of, weigh
from pipeline.petitions.features import BUCKET_BITS, TextFeatures

#: Share of each block in the whole vector, and whether its counts are damped (1 + ln count).
BLOCKS = {"char": (1.0, False), "word": (0.7, True), "title": (0.7, True), "place": (0.7, True)}
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
    _ranks: dict[str, npt.NDArray[np.uint64]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def fit(cls, features: TextFeatures, outputs: int, least: int = 1) -> Encoder:
        """Learn the kept buckets and their weights from the training rows.

        Args:
            features: the rows.
            outputs: columns of the linear views that will stand on this encoder; bounds the number of buckets.
            least: rows that must hold a bucket.
        """
        buckets, idf = {}, {}
        frequency = {
            name: np.bincount(block.buckets, minlength=1 << BUCKET_BITS) for name, block in features.blocks.items()
        }
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
        return columns_of(buckets, self._rank(name))

    def _rank(self, name: str) -> npt.NDArray[np.uint64]:
        """Return per 64 buckets a bit for each kept one and the column of the first: a megabyte, for the nearest cache.

        A table of one column a bucket takes sixteen, and looking up there waits for memory.
        """
        ranks = self._ranks.get(name)
        if ranks is None:
            kept = np.zeros(1 << BUCKET_BITS, bool)
            kept[self.buckets[name]] = True
            bits = np.packbits(kept, bitorder="little").view("<u8")
            before = np.concatenate([[0], np.cumsum(kept.reshape(-1, 64).sum(1))[:-1]])
            ranks = np.stack([bits, before.astype(np.uint64)], axis=1).ravel()
            self._ranks[name] = ranks
        return ranks

    def transform_block(self, features: TextFeatures, name: str) -> sp.csr_matrix:
        """Return one block's matrix, float32 CSR of shape (rows, kept buckets)."""
        block = features.blocks[name]
        share, damped = BLOCKS[name]
        arrays = weigh(
            block.rows, block.buckets, block.counts, features.size, self._rank(name), self.idf[name], np.float32(share), damped
        )
        return sp.csr_matrix(arrays, shape=(features.size, len(self.buckets[name])))
