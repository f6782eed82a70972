"""A class with no or little history (新设单位): what duties, place and name are worth to a unit of which few rows are known.

The ranker's weights suit classes whose text views have seen rows; where they have seen none, those views are silent and the
others must say more. How much more is learnt by leaving classes out in turn: a model that has no row of a class scores
its rows and others', and a logistic regression of "it is the class left out" on the given views, against what the known
classes score together, has the weights. Every class left out counts as if it had the share of an average one, so a
newcomer takes about that share and no more.

From the first rows on, both speak: the score is that of a mixture in which the given views count as ROWS_WORTH rows. A unit
of a few weeks is expected to go on as an average one, any other to have the share that its rows had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: Classes with fewer rows are not left out: what they would teach is noise.
MIN_ROWS = 5
#: Fewer classes left out teach nothing that holds for the next.
MIN_CLASSES = 3
#: All newcomers together expect at most this share: many classes of few rows or none are rare ones, not new ones.
MAX_SHARE = 0.25
#: What the given views say of a class counts as much as what so many rows of it have taught.
ROWS_WORTH = 10
_RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A class as a newcomer: rows scored by a model that had none of its rows.

    Attributes:
        known: log-sum-exp of the scores of the known classes, float64 of shape (rows,).
        given: view → its score for the class left out, float32 of shape (rows,).
        mine: whether a row is the class's own, shape (rows,).
        classes: number of known classes.
    """

    known: F64
    given: dict[str, F32]
    mine: npt.NDArray[np.bool_]
    classes: int


@dataclass(frozen=True)
class Newcomer:
    """How a class without rows is scored, on the ranker's scale.

    Attributes:
        views: names of the given views.
        weights: float64, shape (views,), not negative.
        bias: score of a newcomer that no view speaks for.
        classes: number of classes with rows; an average one of them has the share that one newcomer expects.
    """

    views: tuple[str, ...]
    weights: F64
    bias: float
    classes: int

    @classmethod
    def fit(cls, left_out: Sequence[LeftOut], classes: int, usual: Mapping[str, float]) -> Newcomer | None:
        """Learn from classes left out; None where they are too few, or no view tells their rows from others'.

        Args:
            left_out: classes as newcomers.
            classes: number of classes with rows.
            usual: the ranker's weight of each view. A view that says nothing of any class left out keeps it: places, where
                all that have rows are departments.
        """
        from scipy.optimize import minimize
        from scipy.special import expit

        if len(left_out) < MIN_CLASSES:
            return None
        names = tuple(name for name in left_out[0].given if any(np.ptp(one.given[name]) > 0 for one in left_out))
        silent = tuple(name for name in left_out[0].given if name not in names)
        if not names:
            return None
        x = np.concatenate([np.stack([one.given[name] for name in names], 1) for one in left_out]).astype(np.float64)
        known, mine = (np.concatenate([getattr(one, field) for one in left_out]) for field in ("known", "mine"))
        weight = np.concatenate([_weights(one) for one in left_out])
        weight /= weight.sum()
        scales = x.std(0)
        x /= scales

        def loss(parameters: F64) -> tuple[float, F64]:
            worth, bias = parameters[:-1], parameters[-1]
            z = x @ worth + bias - known
            slope = weight * (expit(z) - mine)
            value = float(weight @ (np.logaddexp(0, z) - mine * z)) + _RIDGE * float(worth @ worth)
            return value, np.append(slope @ x + 2 * _RIDGE * worth, slope.sum())

        start = np.append(np.full(len(names), 0.5), float(np.median(known)))
        bounds = [(0, None)] * len(names) + [(None, None)]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200}).x
        if not found[:-1].any():
            return None
        weights = np.append(found[:-1] / scales, [usual.get(name, 0.0) for name in silent])
        return cls((*names, *silent), weights, float(found[-1]), classes)

    def blend(self, scores: F64, views: Mapping[str, F32], rows: I64, settled: I64) -> F64:
        """Return the scores of all classes with what the given views say of those with few rows or none.

        Args:
            scores: the ranker's, shape (n, classes).
            views: name → scores, shape (n, classes).
            rows: training rows of each class, shape (classes,).
            settled: the same, 0 for classes that are new.
        """
        average = max(rows.sum(), 1) / self.classes
        new = settled == 0
        # Under a bound for all together, a newcomer is expected to have as many rows as an average class.
        bound = average * min(1.0, MAX_SHARE * self.classes / max(int(new.sum()), 1))
        expected = np.where(new, np.maximum(rows, bound), settled)
        learnt = rows / (rows + ROWS_WORTH)
        given = np.minimum(np.log(expected / average), 0) + self.bias + np.log1p(-learnt)
        total = np.tile(given, (len(scores), 1))
        for name, weight in zip(self.views, self.weights, strict=True):
            total += weight * views[name]
        with np.errstate(divide="ignore"):  # the logarithm of no share is -inf, as it should be
            return np.logaddexp(scores + np.log(learnt) + np.log(expected / np.maximum(rows, 1)), total)


def groups(y: I64, speaks: npt.NDArray[np.bool_], count: int) -> list[I64]:
    """Return up to `count` groups of classes to leave out together, with about as many rows each.

    Args:
        y: class of each row.
        speaks: whether any given view tells something of a class, shape (classes,).
        count: most groups.
    """
    rows = np.bincount(y, minlength=len(speaks))
    classes = np.flatnonzero((rows >= MIN_ROWS) & speaks)
    if len(classes) < MIN_CLASSES:
        return []
    classes = classes[np.argsort(-rows[classes], kind="stable")]
    return [classes[i::count] for i in range(min(count, len(classes)))]


def _weights(one: LeftOut) -> F64:
    """Return the weight of each row: the class's own together as many as an average class has."""
    own = int(one.mine.sum())
    others = len(one.mine) - own
    return np.where(one.mine, others / one.classes / max(own, 1), 1.0)
