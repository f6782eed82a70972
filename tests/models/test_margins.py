"""The solver for very many rows solves what LinearSVC solves."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.svm import LinearSVC

from models import margins
from models.margins import one_against_rest

RNG = np.random.default_rng(0)


def problem(classes: int, rows: int = 300, width: int = 60) -> tuple[sp.csr_matrix, np.ndarray]:
    y = np.arange(rows) % classes
    dense = RNG.random((rows, width)) * (RNG.random((rows, width)) < 0.2)
    dense[np.arange(rows), y] += 0.6
    dense[3] = 0  # a row without features
    return sp.csr_matrix(dense, dtype=np.float32), y.astype(np.int64)


@pytest.mark.parametrize("classes", [2, 3, 16, 19])
@pytest.mark.parametrize(("cost", "balanced"), [(1.0, False), (0.3, True)])
def test_same_margins_as_linear_svc(classes: int, cost: float, balanced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(margins, "TOLERANCE", 1e-4)
    monkeypatch.setattr(margins, "_PASSES", 2_000)
    x, y = problem(classes)
    rows = np.flatnonzero(np.arange(len(y)) % 5 != 0)
    found, bias = one_against_rest(x, y, rows, np.unique(y), cost, balanced=balanced)
    assert found.shape == (60, classes)
    for k in range(classes):  # one class against the rest, each by itself
        weight = None
        if balanced:  # over the classes, as LinearSVC does with several
            share = len(rows) / (classes * np.bincount(y[rows]))
            weight = share[y[rows]]
        model = LinearSVC(C=cost, random_state=0, tol=1e-6, max_iter=20_000).fit(
            x[rows].astype(np.float64), y[rows] == k, sample_weight=weight
        )
        assert x @ found[:, k] + bias[k] == pytest.approx(model.decision_function(x), abs=0.01)


def test_rows_left_out_do_not_matter() -> None:
    x, y = problem(3)
    rows = np.arange(0, 150)
    wrong = y.copy()
    wrong[150:] = (wrong[150:] + 1) % 3
    one, other = (one_against_rest(x, labels, rows, np.arange(3), 1.0) for labels in (y, wrong))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


def test_the_same_twice_whatever_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = problem(40, rows=400)
    many = one_against_rest(x, y, np.arange(400), np.arange(40), 1.0)[0]
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0})
    assert np.array_equal(many, one_against_rest(x, y, np.arange(400), np.arange(40), 1.0)[0])
