"""The classifiers' inner loops, compiled; see `pipeline.petitions.compiled`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.petitions.compiled import kernel

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]


@kernel
def _column(bucket: int, ranks: U64) -> np.int64:
    """Return the column of a bucket, -1 for one that is left out; see `models.encoder.Encoder`."""
    at = (bucket >> 6) * 2
    bits, bit = ranks[at], np.uint64(1) << np.uint64(bucket & 63)
    if not bits & bit:
        return np.int64(-1)
    bits &= bit - np.uint64(1)
    bits -= (bits >> np.uint64(1)) & np.uint64(0x5555555555555555)
    bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64(ranks[at + 1] + ((bits * np.uint64(0x0101010101010101)) >> np.uint64(56)))


@kernel
def columns_of(buckets: I64, ranks: U64) -> I32:
    """Return the column of each bucket, -1 for buckets that are left out."""
    out = np.empty(len(buckets), np.int32)
    for i in range(len(buckets)):
        out[i] = _column(buckets[i], ranks)
    return out


@kernel
def weigh(
    rows: I32, buckets: I32, counts: F32, size: int, ranks: U64, idf: F32, share: np.float32, damped: bool
) -> tuple[F32, I32, I32]:
    """Return a block's TF-IDF weights as the data, indices and indptr of a CSR matrix with `size` rows.

    Args:
        rows, buckets, counts: the block, as in `pipeline.petitions.features.Block`.
        size: number of texts.
        ranks: tells the column of each bucket.
        idf: weight of each column.
        share: length of each row.
        damped: whether a count weighs 1 + ln(count).
    """
    data = np.empty(len(rows), np.float32)
    indices = np.empty(len(rows), np.int32)
    indptr = np.zeros(size + 1, np.int32)
    entry = filled = 0
    for row in range(size):
        start = filled
        squares = 0.0
        while entry < len(rows) and rows[entry] == row:
            column = _column(buckets[entry], ranks)
            if column >= 0:
                count = counts[entry]
                value = idf[column] * (np.float32(1 + np.log(count)) if damped and count > 1 else count)
                data[filled] = value
                indices[filled] = column
                squares += value * value
                filled += 1
            entry += 1
        scale = np.float32(share / max(np.sqrt(squares), 1e-12))
        for place in range(start, filled):
            data[place] *= scale
        indptr[row + 1] = filled
    return data[:filled].copy(), indices[:filled].copy(), indptr


@kernel
def votes(
    indptr: I32, indices: I32, data: F32, keep: F32,
    index_indptr: I32, index_indices: I32, index_data: F32, labels: I64, classes: int,
) -> tuple[F32, I64, F32]:  # fmt: skip
    """Return what similar indexed petitions vote for: cosine³ each, for the class of theirs.

    Args:
        indptr, indices, data: CSR of the word weights of n petitions.
        keep: above 0 for the columns that count, shape (columns,).
        index_indptr, index_indices, index_data: CSR (columns, indexed petitions) of unit-length weights.
        labels: class of each indexed petition; those of `classes` and above do not vote.
        classes: number of classes.

    Returns:
        Votes (n, classes), the nearest indexed petition (-1 for none) and its cosine, both of shape (n,).
    """
    n = len(indptr) - 1
    total = np.zeros((n, classes), np.float32)
    nearest = np.full(n, -1, np.int64)
    cosine = np.zeros(n, np.float32)
    similar = np.zeros(len(labels), np.float32)
    for row in range(n):
        squares = 0.0
        for entry in range(indptr[row], indptr[row + 1]):
            if keep[indices[entry]] > 0:
                squares += data[entry] * data[entry]
        scale = np.float32(1 / max(np.sqrt(squares), 1e-12))
        for entry in range(indptr[row], indptr[row + 1]):
            column = indices[entry]
            if keep[column] > 0:
                weight = data[entry] * scale
                for place in range(index_indptr[column], index_indptr[column + 1]):
                    similar[index_indices[place]] += weight * index_data[place]
        # Most indexed petitions share some word: looking at all is quicker than noting which were met.
        best = np.float32(0)
        for other in range(len(labels)):
            value = similar[other]
            similar[other] = 0
            if value > best:  # of equals, the first in the index
                best = value
                nearest[row] = other
            if value > 0 and labels[other] < classes:
                total[row, labels[other]] += value * value * value
        cosine[row] = best
    return total, nearest, cosine


@kernel
def weightiest(
    ends: I64, columns: I32, idf: F32, coefficients: F32, outputs: I64, most: int, least_share: float
) -> tuple[I64, F32]:
    """Return the words of each text that weigh most for its class, heaviest first.

    Args:
        ends: end of each of n texts in `columns`.
        columns: feature of each word, -1 for none.
        idf: weight of each feature.
        coefficients: shape (features, outputs).
        outputs: column of `coefficients` for each text, -1 for none.
        most: words per text.
        least_share: words below this share of the heaviest are left out.

    Returns:
        Position of each word, shape (n, most), -1 where there are fewer; and their weights.
    """
    found = np.full((len(ends), most), -1, np.int64)
    worth = np.zeros((len(ends), most), np.float32)
    at = 0
    for row in range(len(ends)):
        count = 0
        while at < ends[row]:
            column = columns[at]
            if column >= 0 and outputs[row] >= 0:
                value = coefficients[column, outputs[row]] * idf[column]
                if value > 0 and (count < most or value > worth[row, count - 1]):
                    known = False
                    for place in range(count):
                        known |= columns[found[row, place]] == column
                    if not known:
                        place = min(count, most - 1)
                        while place > 0 and worth[row, place - 1] < value:
                            worth[row, place] = worth[row, place - 1]
                            found[row, place] = found[row, place - 1]
                            place -= 1
                        worth[row, place] = value
                        found[row, place] = at
                        count = min(count + 1, most)
            at += 1
        for place in range(count):
            if worth[row, place] < least_share * worth[row, 0]:
                found[row, place] = -1
    return found, worth


#: Classes that `fit_margins` learns at once: their coefficients for one column fill a line of the cache.
MARGINS_AT_ONCE = 16


@kernel
def fit_margins(
    data: F32,
    indices: I32,
    indptr: I32,
    rows: I64,
    labels: I64,
    first: int,
    costs: F32,
    squares: F32,
    width: int,
    tolerance: float,
    passes: int,
) -> F32:
    """Return coefficients of the classes first … first + MARGINS_AT_ONCE - 1, each against the rest; see `models.margins`.

    The last row of the result, of shape (width + 1, MARGINS_AT_ONCE), holds the intercepts.

    Args:
        data, indices, indptr: all rows, CSR.
        rows: the m rows to learn from.
        labels: class of each of them.
        first: the first class.
        costs: what an error costs for each row.
        squares: squared length of each with the intercept's 1.
        width: columns.
        tolerance: largest violation at which to stop.
        passes: at the most.
    """
    weights = np.zeros((width + 1, MARGINS_AT_ONCE), np.float32)
    alphas = np.zeros((len(rows), MARGINS_AT_ONCE), np.float32)
    scores = np.empty(MARGINS_AT_ONCE, np.float32)
    steps = np.empty(MARGINS_AT_ONCE, np.float32)
    highest, lowest = np.empty(MARGINS_AT_ONCE, np.float32), np.empty(MARGINS_AT_ONCE, np.float32)
    order = np.arange(len(rows))
    state = np.uint64(1)
    for _ in range(passes):
        highest[:], lowest[:] = -np.inf, np.inf
        for i in range(len(order)):  # another order in each pass
            state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
            j = i + int((state >> np.uint64(33)) % np.uint64(len(order) - i))
            order[i], order[j] = order[j], order[i]
        for at in order:
            row, pull = rows[at], np.float32(0.5) / costs[at]
            for k in range(MARGINS_AT_ONCE):
                scores[k] = weights[width, k]
            for entry in range(indptr[row], indptr[row + 1]):
                column, value = indices[entry], data[entry]
                for k in range(MARGINS_AT_ONCE):
                    scores[k] += weights[column, k] * value
            moved = False
            for k in range(MARGINS_AT_ONCE):
                sign = np.float32(1) if labels[at] == first + k else np.float32(-1)
                alpha = alphas[at, k]
                slope = sign * scores[k] - np.float32(1) + alpha * pull
                violation = slope if alpha > 0 else min(slope, np.float32(0))
                highest[k], lowest[k] = max(highest[k], violation), min(lowest[k], violation)
                after = max(alpha - slope / (squares[at] + pull), np.float32(0))
                alphas[at, k] = after
                steps[k] = (after - alpha) * sign
                moved |= steps[k] != 0
            if moved:
                for entry in range(indptr[row], indptr[row + 1]):
                    column, value = indices[entry], data[entry]
                    for k in range(MARGINS_AT_ONCE):
                        weights[column, k] += steps[k] * value
                for k in range(MARGINS_AT_ONCE):
                    weights[width, k] += steps[k]
        if (highest - lowest).max() <= tolerance:
            break
    return weights
