"""Linear classifiers for very many rows: one support vector machine a class, on rows that are never copied.

The same problem as scikit-learn's LinearSVC (squared hinge, intercept regularised like a coefficient), solved by the same
dual coordinate descent. LinearSVC makes a float64 copy of the rows and another in 16 bytes an entry, and does one class
after the other: with 100,000 petitions and hundreds of units that is more memory and time than a city's server has. This
one reads the float32 rows where they lie, for any subset of them, and learns several classes at once.

Hsieh, Chang, Lin, Keerthi, Sundararajan (2008), A dual coordinate descent method for large-scale linear SVM, algorithm 3.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models.compiled import MARGINS_AT_ONCE, fit_margins

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
#: Stopping tolerance, liblinear's own default for this solver; LinearSVC's 1e-4 takes several times as long, and
#: the labels of very many rows are never as exact.
TOLERANCE = 0.1
#: Passes at the most: each visits every row once, and what the later ones change no first answer shows.
_PASSES = 20


def one_against_rest(
    x: sp.csr_matrix, y: I64, rows: I64, seen: I64, cost: float, *, balanced: bool = False
) -> tuple[F32, F32]:
    """Fit one classifier a class.

    Args:
        x: float32, shape (n, width).
        y: class of each row, shape (n,).
        rows: the rows to learn from, m of them.
        seen: the k classes to learn; each must occur in `rows`.
        cost: C, the cost of an error.
        balanced: whether rows of a class together cost the same as those of any other.

    Returns:
        Coefficients, float32 of shape (width, k) in C order, and intercepts, float32 of shape (k,).
    """
    labels = np.searchsorted(seen, y[rows])
    squares = np.add.reduceat(np.append(np.square(x.data), np.float32(0)), x.indptr[:-1]) * (np.diff(x.indptr) > 0)
    squares = (squares[rows] + 1).astype(np.float32)
    costs = np.full(len(rows), cost, np.float32)
    if balanced:
        costs *= (len(rows) / (len(seen) * np.bincount(labels)))[labels].astype(np.float32)
    coefficients = np.zeros((x.shape[1], len(seen)), np.float32)
    intercepts = np.zeros(len(seen), np.float32)

    def learn(first: int) -> None:
        found = fit_margins(
            x.data, x.indices, x.indptr, rows, labels, first, costs, squares, x.shape[1], TOLERANCE, _PASSES
        )
        some = slice(first, min(first + MARGINS_AT_ONCE, len(seen)))
        coefficients[:, some] = found[:-1, : some.stop - first]
        intercepts[some] = found[-1, : some.stop - first]

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(learn, range(0, len(seen), MARGINS_AT_ONCE)))
    return coefficients, intercepts
