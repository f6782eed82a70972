"""The ranker: a conditional logit over views, whose probabilities are calibrated on predictions of later rows.

score(petition, class) = Σ weight_view × view(petition, class) + bias_class; softmax over classes. Few parameters, so a
few hundred labelled rows suffice, and a class without history still gets a score from the views that know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from models.newcomer import Newcomer

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Views = Mapping[str, F32]

#: Name of the classes' own biases among the parts of a score.
BIAS = "bias"
_WEIGHT_RIDGE = 1e-3
_BIAS_RIDGE = 1e-2


@dataclass(frozen=True)
class Calibration:
    """Scores to probabilities: a mixture of two softmaxes, a sharp and a flat one.

    One temperature cannot be right for the sure and the unsure rows at once where labels are noisy: the sure ones are
    less often right than it says. A mixture keeps the order of the classes.

    Attributes:
        sharp, flat: temperatures.
        share: of the sharp one, 0 to 1.
    """

    sharp: float = 1.0
    flat: float = 1.0
    share: float = 1.0

    @classmethod
    def fit(cls, scores: F64, y: npt.NDArray[np.int64]) -> Calibration:
        """Fit the likelihood of "the first class is right" on scores (rows, classes) of rows not trained on."""
        from scipy.optimize import minimize

        hit = scores.argmax(1) == y

        def loss(parameters: F64) -> float:
            confidence = cls._of(parameters).apply(scores).max(1).clip(1e-6, 1 - 1e-6)
            pull = 0.01 * float(parameters[2] ** 2 + parameters[0] ** 2 + parameters[1] ** 2)
            return pull - float(np.where(hit, np.log(confidence), np.log1p(-confidence)).mean())

        found = minimize(loss, np.array([0.0, 1.0, 1.0]), method="Nelder-Mead", options={"maxiter": 200})
        return cls._of(found.x)

    @classmethod
    def _of(cls, parameters: F64) -> Calibration:
        sharp, flat, share = (float(value) for value in parameters.clip(-3, 3))
        return cls(float(np.exp(sharp)), float(np.exp(flat)), float(1 / (1 + np.exp(-share))))

    def apply(self, scores: F64) -> F64:
        """Return probabilities for scores (rows, classes); -inf becomes 0."""
        out = softmax(scores / self.sharp, 1)
        if self.share < 1:
            out = self.share * out + (1 - self.share) * softmax(scores / self.flat, 1)
        return np.asarray(out)


@dataclass(frozen=True)
class Ranker:
    """Weights of views, bias of classes, and a calibration.

    Attributes:
        views: names of the views, in the order of `weights`.
        weights: float64, shape (views,): per unit of each view as it stands.
        bias: float64, shape (classes,).
        calibration: how scores become probabilities.
        newcomer: what the given views are worth to classes with few rows or none; None: as much as to others.
        rows: training rows of each class, int64 of shape (classes,), or None where there is no `newcomer`.
        settled: the same, 0 for classes whose rows are of a few weeks; or None.
    """

    views: tuple[str, ...]
    weights: F64
    bias: F64
    calibration: Calibration
    newcomer: Newcomer | None = None
    rows: npt.NDArray[np.int64] | None = None
    settled: npt.NDArray[np.int64] | None = None

    @classmethod
    def fit(
        cls,
        views: Views,
        y: npt.NDArray[np.int64],
        folds: npt.NDArray[np.int64],
        *,
        bias: bool = True,
        aside: bool = False,
    ) -> Ranker:
        """Fit on predictions that were made for rows not trained on.

        Args:
            views: name → float32 scores, shape (rows, classes).
            y: class index of each row.
            folds: the fold in which each row was predicted; calibration looks at each with weights from the others.
            bias: whether each class has one.
            aside: leave classes aside that no row bears: fitted along, they learn that they never occur.
        """
        names = tuple(views)
        classes = views[names[0]].shape[1]
        borne = np.unique(y) if aside else np.arange(classes)
        if len(borne) < classes:
            views, y = {name: view[:, borne] for name, view in views.items()}, np.searchsorted(borne, y)
        weights, biases = _conditional_logit(views, names, y, bias)
        held_scores, held_y = [], []
        for fold in np.unique(folds):
            rest, held = folds != fold, folds == fold
            if not rest.any():
                rest = held
            w, b = _conditional_logit({k: v[rest] for k, v in views.items()}, names, y[rest], bias)
            held_scores.append(_combine({k: v[held] for k, v in views.items()}, names, w, b))
            held_y.append(y[held])
        full = np.full(classes, float(np.median(biases)))
        full[borne] = biases
        return cls(names, weights, full, Calibration.fit(np.vstack(held_scores), np.concatenate(held_y)))

    def parts(self, views: Views, row: int, cls: int, other: int = -1) -> dict[str, float]:
        """Return what each view, and BIAS, gives to the score of class `cls` less that of `other` (-1 for none)."""
        found = _shares(self, views, row, cls)
        if other < 0:
            return found
        against = _shares(self, views, row, other)
        return {name: value - against[name] for name, value in found.items()}

    @classmethod
    def prior(cls, weights: Mapping[str, float], classes: int) -> Ranker:
        """Return a ranker with stated weights, for a city that has no labelled history."""
        return cls(tuple(weights), np.array(list(weights.values()), float), np.zeros(classes), Calibration())

    def scores(self, views: Views) -> F64:
        """Return scores, float64 of shape (rows, classes)."""
        total = _combine(views, self.views, self.weights, self.bias)
        if self.newcomer is None or self.rows is None or self.settled is None:
            return total
        return self.newcomer.blend(total, views, self.rows, self.settled)

    def probabilities(self, views: Views, excluded: npt.NDArray[np.bool_] | None = None) -> F64:
        """Return calibrated probabilities, float64 of shape (rows, classes); excluded cells get exactly 0."""
        scores = self.scores(views)
        if excluded is None:
            return self.calibration.apply(scores)
        empty = np.asarray(excluded.all(1))
        scores = np.where(excluded & ~empty[:, None], -np.inf, scores)
        out = self.calibration.apply(scores)
        out[np.flatnonzero(empty)] = 0.0
        return out


def _shares(ranker: Ranker, views: Views, row: int, cls: int) -> dict[str, float]:
    """Return what each view, and BIAS, gives to the score of one class in one row; they add up to the score."""
    found = {name: float(weight * views[name][row, cls]) for name, weight in zip(ranker.views, ranker.weights, strict=True)}
    found[BIAS] = float(ranker.bias[cls])
    new, rows, settled = ranker.newcomer, ranker.rows, ranker.settled
    if new is None or rows is None or settled is None:
        return found
    # A class with few rows is scored by a mixture: each side's parts count by how much that side says here.
    other = {name: float(weight * views[name][row, cls]) for name, weight in zip(new.views, new.weights, strict=True)}
    here = {name: view[row : row + 1] for name, view in views.items()}
    learnt, given = (float(part[0, cls]) for part in new.sides(_combine(here, ranker.views, ranker.weights, ranker.bias), here, rows, settled))
    score = float(np.logaddexp(learnt, given))
    side = float(np.exp(learnt - score))
    mixed = {name: side * value for name, value in found.items()}
    for name, value in other.items():
        mixed[name] = mixed.get(name, 0.0) + (1 - side) * value
    mixed[BIAS] += score - sum(mixed.values())
    return mixed


def _combine(views: Views, names: Sequence[str], weights: F64, bias: F64) -> F64:
    total = np.broadcast_to(bias, views[names[0]].shape).astype(np.float64)
    for name, weight in zip(names, weights, strict=True):
        total += weight * views[name]
    return total


def _conditional_logit(
    views: Views, names: Sequence[str], y: npt.NDArray[np.int64], biased: bool = True
) -> tuple[F64, F64]:
    from scipy.optimize import minimize

    scales = np.array([max(float(views[name].std()), 1e-6) for name in names])
    scaled = [views[name] / scale for name, scale in zip(names, scales, strict=True)]
    n, classes = scaled[0].shape
    rows = np.arange(n)

    def loss(parameters: F64) -> tuple[float, F64]:
        weights, bias = parameters[: len(names)], parameters[len(names) :]
        scores = np.tile(bias, (n, 1))
        for view, weight in zip(scaled, weights, strict=True):
            scores += weight * view
        log_p = log_softmax(scores, 1)
        slope = np.exp(log_p)
        slope[rows, y] -= 1
        slope /= n
        gradient = np.concatenate(
            [[float((slope * view).sum()) for view in scaled] + 2 * _WEIGHT_RIDGE * weights, slope.sum(0)]
        )
        gradient[len(names) :] += 2 * _BIAS_RIDGE * bias
        value = -log_p[rows, y].mean() + _WEIGHT_RIDGE * weights @ weights + _BIAS_RIDGE * bias @ bias
        return float(value), gradient

    start = np.concatenate([np.full(len(names), 0.5), np.zeros(classes)])
    # A view is evidence for a class, never against it: without the bound, collinear views cancel each other.
    bounds = [(0, None)] * len(names) + [(None, None) if biased else (0, 0)] * classes
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200})
    return found.x[: len(names)] / scales, found.x[len(names) :]
