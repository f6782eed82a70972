"""Models of an invented world whose probabilities are right, one as good as one wishes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from models.evaluation import Scores


def scores(seed: int, rows: int, classes: int, skill: Sequence[float], shared: float = 0.6) -> list[Scores]:
    """Return the predictions of one model for each value of `skill`, on the same rows.

    A model sees a number for each class, normal around 0, around its skill for the true one; `shared` is the part of that
    noise that all models see. Classes are of uneven size; the world's classes are the same for every seed.
    """
    prior = np.random.default_rng(7).dirichlet(np.full(classes, 1.5))
    random = np.random.default_rng(seed)
    y = random.choice(classes, rows, p=prior)
    common = random.normal(size=(rows, classes))
    names = tuple(f"c{i}" for i in range(classes))
    found = []
    for strength in skill:
        seen = np.sqrt(shared) * common + np.sqrt(1 - shared) * random.normal(size=(rows, classes))
        seen[np.arange(rows), y] += strength
        likely = prior * np.exp(strength * seen)
        found.append(Scores(likely / likely.sum(1, keepdims=True), names, [names[i] for i in y], Counter()))
    return found
