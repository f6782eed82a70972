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

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Views = Mapping[str, F32]

_WEIGHT_RIDGE = 1e-3
_BIAS_RIDGE = 1e-2


@dataclass(frozen=True)
class Ranker:
    """Weights of views, bias of classes, and a temperature.

    Attributes:
        views: names of the views, in the order of `weights`.
        weights: float64, shape (views,): per unit of each view as it stands.
        bias: float64, shape (classes,).
        temperature: divides the scores; 1 where it was not learnt.
    """

    views: tuple[str, ...]
    weights: F64
    bias: F64
    temperature: float

    @classmethod
    def fit(cls, views: Views, y: npt.NDArray[np.int64], folds: npt.NDArray[np.int64], *, ordered: bool) -> Ranker:
        """Fit on predictions that were made for rows not trained on.

        The temperature is set so that confidence equals accuracy on rows whose own predictions did not shape the
        weights: the last fold where folds follow time (tomorrow's batch looks like the latest rows), else every fold.

        Args:
            views: name → float32 scores, shape (rows, classes).
            y: class index of each row.
            folds: the fold in which each row was predicted.
            ordered: whether a higher fold is a later time.
        """
        names = tuple(views)
        weights, bias = _conditional_logit(views, names, y)
        numbers = np.unique(folds)
        held_scores, held_y = [], []
        for fold in numbers[-1:] if ordered else numbers:
            rest, held = folds != fold, folds == fold
            w, b = _conditional_logit({k: v[rest] for k, v in views.items()}, names, y[rest])
            held_scores.append(_combine({k: v[held] for k, v in views.items()}, names, w, b))
            held_y.append(y[held])
        temperature = _temperature(np.vstack(held_scores), np.concatenate(held_y))
        return cls(names, weights, bias, temperature)

    @classmethod
    def prior(cls, weights: Mapping[str, float], classes: int) -> Ranker:
        """Return a ranker with stated weights, for a city that has no labelled history."""
        return cls(tuple(weights), np.array(list(weights.values()), float), np.zeros(classes), 1.0)

    def probabilities(self, views: Views, excluded: npt.NDArray[np.bool_] | None = None) -> F64:
        """Return calibrated probabilities, float64 of shape (rows, classes); excluded cells get exactly 0."""
        scores = _combine(views, self.views, self.weights, self.bias) / self.temperature
        if excluded is not None:
            scores = np.where(excluded, -np.inf, scores)
            empty = excluded.all(1)
            scores[empty] = 0.0
            out = softmax(scores, 1)
            out[empty] = 0.0
            return out
        return softmax(scores, 1)


def _combine(views: Views, names: Sequence[str], weights: F64, bias: F64) -> F64:
    total = np.tile(bias, (len(views[names[0]]), 1))
    for name, weight in zip(names, weights, strict=True):
        total += weight * views[name]
    return total


def _conditional_logit(views: Views, names: Sequence[str], y: npt.NDArray[np.int64]) -> tuple[F64, F64]:
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
    bounds = [(0, None)] * len(names) + [(None, None)] * classes
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200})
    return found.x[: len(names)] / scales, found.x[len(names) :]


def _temperature(scores: F64, y: npt.NDArray[np.int64]) -> float:
    """Return the temperature at which mean confidence equals accuracy, within [0.3, 5]."""
    from scipy.optimize import brentq

    accuracy = float((scores.argmax(1) == y).mean())

    def gap(log_t: float) -> float:
        return float(softmax(scores / np.exp(log_t), 1).max(1).mean()) - accuracy

    low, high = np.log(0.3), np.log(5.0)
    if gap(low) < 0:
        return float(np.exp(low))
    if gap(high) > 0:
        return float(np.exp(high))
    return float(np.exp(brentq(gap, low, high, xtol=1e-3)))
