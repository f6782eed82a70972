"""Which petitions were read before, in 24 bytes a row: finds duplicates across millions of rows and many files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

_ROW_BITS = 40

_Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row seen before: its `index` in the column given, where it was first, and whether the text is the same."""

    index: int
    file: int
    row: int
    same_text: bool


class SeenIds:
    """Identifiers seen, as sorted runs of 64-bit hashes; run lengths at least double, so there are few to search.

    With 64 bits the chance of any false duplicate among 10 million rows is 3 in a million (birthday bound).
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._runs: list[tuple[_Words, _Words, _Words]] = []

    def __len__(self) -> int:
        """Count the identifiers seen."""
        return sum(len(run[0]) for run in self._runs)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(part.nbytes for run in self._runs for part in run)

    def add(self, ids: Sequence[str], texts: Sequence[str], file: int, rows: Sequence[int]) -> list[Duplicate]:
        """Record n petitions and return those whose identifier was there before, in this call or an earlier one.

        Args:
            ids: n identifiers.
            texts: n texts; two petitions with one identifier are the same if these are.
            file: index of the file (up to 2 ** 24).
            rows: n row numbers (up to 2 ** 40).
        """
        if not ids:
            return []
        digest = xxhash.xxh3_64_intdigest
        keys = np.fromiter(map(digest, map(str.encode, ids)), np.uint64, len(ids))
        contents = np.fromiter(map(digest, map(str.encode, texts)), np.uint64, len(ids))
        places = np.asarray(rows, np.uint64) | np.uint64(file << _ROW_BITS)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        # first[i]: position (in order) of the first of the run of equal keys that i belongs to.
        starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        first = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
        first_contents, first_places = contents[order][first], places[order][first]
        repeated = ~starts
        for run_keys, run_contents, run_places in self._runs:
            at = np.minimum(np.searchsorted(run_keys, ordered), len(run_keys) - 1)
            known = run_keys[at] == ordered
            if known.any():
                first_contents = np.where(known, run_contents[at], first_contents)
                first_places = np.where(known, run_places[at], first_places)
                repeated |= known
        fresh = order[~repeated]
        if len(fresh):
            self._push((keys[fresh], contents[fresh], places[fresh]))
        if not repeated.any():
            return []
        same = contents[order] == first_contents
        mask = (1 << _ROW_BITS) - 1
        found = [
            Duplicate(int(order[i]), int(first_places[i]) >> _ROW_BITS, int(first_places[i]) & mask, bool(same[i]))
            for i in np.flatnonzero(repeated)
        ]
        return sorted(found, key=lambda duplicate: duplicate.index)

    def _push(self, run: tuple[_Words, _Words, _Words]) -> None:
        """Add a sorted run, merging it with those before it that are not at least twice as long."""
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            upper, lower = self._runs.pop(), self._runs.pop()
            keys = np.concatenate((lower[0], upper[0]))
            # A stable sort of two sorted runs is a merge.
            order = np.argsort(keys, kind="stable")
            self._runs.append(
                (
                    keys[order],
                    np.concatenate((lower[1], upper[1]))[order],
                    np.concatenate((lower[2], upper[2]))[order],
                )
            )
