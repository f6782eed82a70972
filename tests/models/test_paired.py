"""Measures on resamples, against scikit-learn on the rows drawn; tests against scipy and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
import world
from scipy.stats import binomtest

from models.evaluation import evaluate
from models.paired import Pair, Side, chance, holm, interval, mcnemar

ONE, OTHER = world.scores(0, 300, 6, (1.8, 1.5))


def test_measures_are_those_of_an_evaluation() -> None:
    found, measured = Side.of(ONE).measures(0.95), evaluate(ONE.probabilities, ONE.labels, ONE.truth)
    assert found["coverage"] == measured.coverage_at_95_precision
    for name in ("accuracy", "top3_accuracy", "macro_f1", "ece"):
        assert found[name] == pytest.approx(getattr(measured, name))


def test_measures_of_weighted_rows_are_those_of_the_rows_repeated() -> None:
    pair = Pair(Side.of(ONE), Side.of(OTHER), 0.9)
    weights = np.random.default_rng(1).integers(0, 3, 300)
    weights[0] += 300 - weights.sum()
    weights = np.abs(weights)
    rows = np.repeat(np.arange(300), weights)
    found = pair._measures(pair.sums[0] @ weights.astype(np.float32)[:, None], len(rows))
    repeated = evaluate(ONE.probabilities[rows], ONE.labels, [ONE.truth[i] for i in rows])
    for name in ("accuracy", "top3_accuracy", "macro_f1", "ece"):
        assert found[name][0] == pytest.approx(getattr(repeated, name), abs=1e-5)
    # Looked up on a grid of thresholds: never more than there is, and close to it.
    exact = next(c.share for c in repeated.coverage if c.wanted == 0.9)
    assert exact - 0.02 <= found["coverage"][0] <= exact + 1e-6


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (0, 6), (10, 25), (300, 240)])
def test_mcnemar_is_the_exact_binomial_test(gained: int, lost: int) -> None:
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert float(mcnemar(gained, lost)) == pytest.approx(expected)


@pytest.mark.parametrize(("p", "stands"), [
    ([], []),
    ([0.04], [True]),
    ([0.04, 0.04], [False, False]),
    ([0.04, 0.001], [True, True]),
    ([0.001, 0.03, 0.02], [True, True, True]),
    ([0.001, 0.06, 0.02], [True, True, False]),
    ([0.001, 0.03, 0.02, 0.9], [True, False, False, False]),
])  # fmt: skip
def test_holm(p: list[float], stands: list[bool]) -> None:
    assert holm(p, 0.05) == stands


def test_the_interval_holds_the_true_difference_about_as_often_as_it_says() -> None:
    """The truth is known from many more rows than the interval is made of."""
    whole, whole_other = world.scores(99, 60_000, 6, (1.8, 1.5))
    a, b = (Side.of(side).measures(0.95) for side in (whole, whole_other))
    inside: dict[str, int] = dict.fromkeys(a, 0)
    for seed in range(60):
        sides = [Side.of(side) for side in world.scores(seed, 500, 6, (1.8, 1.5))]
        drawn = Pair(*sides, 0.95).resampled(300)
        here = [side.measures(0.95) for side in sides]
        for name in a:
            low, high = interval(here[0][name] - here[1][name], drawn[name])
            inside[name] += low <= a[name] - b[name] <= high
    assert min(inside[name] for name in ("accuracy", "top3_accuracy", "macro_f1")) >= 51, inside  # 60 × .95, less 3 deviations
    assert inside["coverage"] >= 46, inside  # a share that jumps from one threshold to another: rougher


def test_models_that_are_the_same_are_never_apart() -> None:
    side = Side.of(ONE)
    pair = Pair(side, side, 0.95)
    assert all(not values.any() for values in pair.swapped(50).values())
    assert chance(0.0, pair.swapped(50)["macro_f1"]) == 1.0
    assert not pair.resampled(50)["coverage"].any()
