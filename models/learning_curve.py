"""Learning curves: how the error falls with labels, how much more labels would bring, and where.

The learnt views are fitted anew on growing parts of the rows and measured on rows that none of them saw. Weights of the
views are those of the whole fit (a handful of numbers), so a point costs one fit and not six. The errors are fitted by
err(n) = a + b × n^-c (Hestness et al., 2017, arXiv:1712.00409); what lies beyond the data is an estimate, never a promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.classifier import MANY_ROWS, LearntViews, take
from models.ranker import Ranker
from models.unit import IssueHistory
from pipeline.petitions.features import TextFeatures

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
B = npt.NDArray[np.bool_]
FRACTIONS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
REPEATS = 2
HELD_SHARE = 0.2
#: Labels to come, as shares of those there are: beyond twice as many a curve of six points says nothing.
MORE = (0.25, 0.5, 1.0)
#: Views that can be made for a part of the rows without looking at the others; a view learnt on all rows is left out.
_FREE = ("duty", "place", "name")
_RESAMPLES = 100
#: Exponents that were found for text classifiers lie between; the bounds keep six points from saying more than they can.
_EXPONENTS = (0.05, 1.5)
#: Pull of a class's own slope towards the one of all rows, in held-out rows.
_PULL = 30.0
#: Labels more of one class that the table of classes asks about (never more than it has).
CLASS_MORE = 100


@dataclass(frozen=True)
class PowerLaw:
    """err(n) = a + b × n^-c."""

    a: float
    b: float
    c: float

    def at(self, n: float | F64) -> F64:
        """Return the error at n rows."""
        return np.asarray(self.a + self.b * np.power(np.asarray(n, np.float64), -self.c))

    @classmethod
    def fit(cls, n: F64, errors: F64) -> PowerLaw:
        """Fit errors (0 to 1) at n rows, by least squares; at least three points.

        Raises:
            ValueError: with fewer points.
        """
        from scipy.optimize import least_squares

        if len(n) < 3:
            msg = f"a learning curve needs three sizes at least, not {len(n)}"
            raise ValueError(msg)
        top, x = float(n.max()), n / n.max()
        last = float(errors[n.argmax()])
        highest = max(float(errors.min()), 1e-6)

        def off(p: F64) -> F64:
            return p[0] + p[1] * x ** -p[2] - errors

        best = None
        for share, slope in ((0.0, 0.3), (0.5, 0.5), (0.9, 1.0)):
            start = [share * highest, max(last - share * highest, 1e-6), slope]
            found = least_squares(off, start, bounds=([0, 0, _EXPONENTS[0]], [highest, 2, _EXPONENTS[1]]), x_scale=[0.1, 0.1, 0.3])
            if best is None or found.cost < best.cost - 1e-12:
                best = found
        assert best is not None  # noqa: S101 - three starts were tried
        a, b, c = (float(v) for v in best.x)
        return cls(a, b * top**c, c)


@dataclass(frozen=True)
class Points:
    """What was measured.

    Attributes:
        sizes: rows learnt from at each point, ascending, shape (p,).
        counts: rows of each class among them, mean of the repeats, shape (p, k).
        wrong: share of the repeats in which a held-out row was wrong, shape (p, h).
        y: class of each held-out row, shape (h,).
        left_out: views of the model that were left out of the curve.
    """

    sizes: I64
    counts: F64
    wrong: F64
    y: I64
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gain:
    """What `more` labels would bring: percentage points of accuracy, and the 90 % interval of the estimate."""

    more: int
    points: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassGain:
    """What `more` labels of one class would bring.

    Attributes:
        label: class index.
        rows: labels there are.
        recall: now, on held-out rows.
        recall_points: percentage points of its own recall.
        points, low, high: percentage points of the accuracy over all petitions, with the 90 % interval.
        curve: (rows of the class, error) of the points; empty where it has too few held-out rows.
    """

    label: int
    rows: int
    more: int
    recall: float
    recall_points: float
    points: float
    low: float
    high: float
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LearningCurve:
    """The curve over all rows and by class; `gains` and `classes` are estimates.

    Attributes:
        backtest: error at the largest size as the smaller ones foretell it, and as measured.
    """

    points: Points
    law: PowerLaw
    rows: int
    gains: list[Gain]
    classes: list[ClassGain]
    backtest: tuple[float, float]

    @property
    def errors(self) -> F64:
        """Error of each point, shape (p,)."""
        return np.asarray(self.points.wrong.mean(1))


def measure(
    features: TextFeatures,
    y: I64,
    classes: int,
    ranker: Ranker,
    given: Mapping[str, F32],
    issues: F64 | None = None,
    *,
    fractions: Sequence[float] = FRACTIONS,
    repeats: int = REPEATS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Points:
    """Measure on the same held-out rows what growing parts of the others teach.

    Args:
        features: n labelled rows.
        y: class index of each.
        classes: number of classes k.
        ranker: of the whole fit, before folding (`HeldOut.ranker`).
        given: views that no label made, name → (n, k).
        issues: issue probabilities of each row that did not see its label, for the history; or None.
        fractions: parts of the rows that are not held out; each holds those before it.
        repeats: of the drawing; the held-out rows stay the same.
        seed: of the drawing.
        progress: told (done, total).

    Raises:
        ValueError: if fewer than three sizes can be learnt from.
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(y))
    held = np.sort(shuffled[: max(round(HELD_SHARE * len(y)), 1)])
    rest = shuffled[len(held) :]
    sizes = np.unique([max(round(f * len(rest)), 2) for f in fractions])
    free = {name: view for name, view in given.items() if name in _FREE}
    test, done = take(features, held), 0
    wrong: dict[int, list[F64]] = {}
    counts: dict[int, list[F64]] = {}
    skipped: set[str] = set()
    for repeat in range(repeats):
        for size in sizes.tolist():
            if repeat and size == len(rest):
                continue  # all rows are the same rows each time
            train = np.sort(rest[:size])
            if len(np.unique(y[train])) >= 2:
                views, _ = LearntViews.fit(take(features, train), y[train], classes, 2 if size >= MANY_ROWS else 1).scores(test, classes)
                views |= {name: view[held] for name, view in free.items()}
                if issues is not None and "history" in ranker.views:
                    labels = [str(i) for i in range(issues.shape[1])]
                    views["history"] = IssueHistory.fit(labels, issues[train], y[train], classes).view(issues[held])
                skipped |= set(ranker.views) - set(views) - {"balanced", "bayes"}
                for name in ranker.views:
                    views.setdefault(name, np.zeros((len(held), classes), np.float32))
                predicted = ranker.probabilities(views).argmax(1)
                wrong.setdefault(size, []).append((predicted != y[held]).astype(np.float64))
                counts.setdefault(size, []).append(np.bincount(y[train], minlength=classes).astype(np.float64))
            done += 1
            if progress is not None:
                progress(done, repeats * (len(sizes) - 1) + 1)
        rest = rng.permutation(rest)
    if len(wrong) < 3:
        msg = f"too few labelled rows for a learning curve: {len(y)}"
        raise ValueError(msg)
    kept = sorted(wrong)
    return Points(
        np.array(kept, np.int64),
        np.array([np.mean(counts[size], axis=0) for size in kept]),
        np.array([np.mean(wrong[size], axis=0) for size in kept]),
        y[held],
        tuple(sorted(skipped)),
    )


def estimate(points: Points, support: I64, recall: F64, seed: int = 0) -> LearningCurve:
    """Fit the curve and say what more labels would bring, overall and by class.

    Args:
        points: as measured.
        support: rows of each class among all labelled rows, shape (k,).
        recall: recall of each class on predictions for rows not learnt from, shape (k,); 0 for classes without rows.
        seed: of the resampling of held-out rows that the intervals come from.
    """
    sizes, rows, k = points.sizes.astype(np.float64), int(support.sum()), len(support)
    law = PowerLaw.fit(sizes, points.wrong.mean(1))
    more = [max(round(rows * share), 1) for share in MORE]
    held, rng = len(points.y), np.random.default_rng(seed)
    gains = np.zeros((_RESAMPLES, len(more)))
    slopes = np.zeros((_RESAMPLES, k))
    for i in range(_RESAMPLES):
        weights = np.bincount(rng.integers(0, held, held), minlength=held).astype(np.float64)
        drawn = PowerLaw.fit(sizes, points.wrong @ weights / held)
        gains[i] = [_gain(drawn, rows, m) for m in more]
        slopes[i] = _slopes(points, weights, drawn)
    backtest, missed = _backtest(sizes, points.wrong.mean(1))
    overall = []
    for j, m in enumerate(more):
        gain = _gain(law, rows, m)
        low, high = (float(q) for q in np.quantile(gains[:, j], [0.05, 0.95]))
        # What the curve missed when it was asked for a size that is known, it may miss by again: per doubling.
        miss = missed * float(np.log2(1 + m / rows))
        overall.append(Gain(m, gain, gain - float(np.hypot(max(gain - low, 0), miss)), gain + float(np.hypot(max(high - gain, 0), miss))))
    slope = _slopes(points, np.ones(held), law)
    found = []
    for label in np.flatnonzero(support).tolist():
        n = int(support[label])
        extra = min(CLASS_MORE, n)
        # Half a row is added: a class whose few rows are all right may still be wrong on the next.
        error = (n * (1 - recall[label]) + 0.5) / (n + 1)
        falls = 1 - np.power((n + extra) / n, -np.append(slopes[:, label], slope[label]))
        gained = 100 * error * falls * n / rows
        low, high = (float(q) for q in np.quantile(gained[:-1], [0.05, 0.95]))
        found.append(
            ClassGain(label, n, extra, float(recall[label]), float(100 * error * falls[-1]), float(gained[-1]), low, high, _curve(points, label))
        )
    found.sort(key=lambda gain: (-gain.points / gain.more, gain.label))
    return LearningCurve(points, law, rows, overall, found, backtest)


def _backtest(sizes: F64, errors: F64) -> tuple[tuple[float, float], float]:
    """Return the error at the largest size, foretold by those up to about half of it, and measured; and percentage points missed per doubling."""
    known = max(int((sizes <= 0.65 * sizes[-1]).sum()), min(3, len(sizes) - 1))
    if known < 3:
        return (float(errors[-1]), float(errors[-1])), 0.0
    told = float(PowerLaw.fit(sizes[:known], errors[:known]).at(sizes[-1]))
    missed = 100 * abs(told - float(errors[-1])) / float(np.log2(sizes[-1] / sizes[known - 1]))
    return (told, float(errors[-1])), missed


def _gain(law: PowerLaw, rows: int, more: int) -> float:
    return 100 * float(law.at(rows) - law.at(rows + more))


def _slopes(points: Points, weights: F64, law: PowerLaw) -> F64:
    """Return how steeply each class's error falls with its own rows (exponents), drawn towards the curve of all rows."""
    k, top = points.counts.shape[1], float(points.sizes[-1])
    of_all = max(law.c * float(law.b * top**-law.c) / max(float(law.at(top)), 1e-6), 0.0)
    rows = np.bincount(points.y, weights, k)
    errors = np.array([np.bincount(points.y, weights * wrong, k) for wrong in points.wrong])
    x = np.log(np.maximum(points.counts, 0.5))
    z = np.log((errors + 0.5) / (rows + 1))
    x, z = x - x.mean(0), z - z.mean(0)
    spread = (x**2).sum(0)
    # A point of a class counts as often as it has held-out rows.
    own = rows * -(x * z).sum(0)
    return np.clip((own + _PULL * of_all * spread.mean()) / (rows * spread + _PULL * spread.mean() + 1e-9), 0.0, _EXPONENTS[1])


def _curve(points: Points, label: int) -> tuple[tuple[float, float], ...]:
    mine = points.y == label
    if mine.sum() < 10:
        return ()
    return tuple(
        (float(count), float(wrong)) for count, wrong in zip(points.counts[:, label], points.wrong[:, mine].mean(1), strict=True)
    )
