"""Confident learning, on distributions whose wrong labels are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.label_errors import find_label_errors


def noisy(n: int, k: int, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of a fair model, labels of which a share is wrong, and the true classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    logits = rng.normal(0, 1, (n, k))
    logits[np.arange(n), truth] += 4
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    y = truth.copy()
    wrong = rng.choice(n, int(share * n), replace=False)
    y[wrong] = (y[wrong] + 1 + rng.integers(0, k - 1, len(wrong))) % k
    return probabilities, y, truth


def test_wrong_labels_are_found_and_put_right() -> None:
    probabilities, y, truth = noisy(2000, 5, 0.1)
    found = find_label_errors(probabilities, y)
    wrong = set(np.flatnonzero(y != truth).tolist())
    hits = [row in wrong for row in found.rows.tolist()]
    assert sum(hits) > 0.8 * len(wrong)
    assert np.mean(hits) > 0.85
    assert np.mean(hits[:100]) > 0.99  # the most suspicious first
    assert np.mean(truth[found.rows[:100]] == found.suggested[:100]) > 0.99
    assert abs(found.noise - 0.1) < 0.03


def test_joint_by_hand() -> None:
    # Thresholds: class 0 (.9 + .8 + .1) / 3 = .6, class 1 (.7 + .9) / 2 = .8. Row 2 is filed 0 and surely 1; row 3 is sure of neither.
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.1, 0.9]])
    found = find_label_errors(probabilities, np.array([0, 0, 0, 1, 1]))
    assert found.rows.tolist() == [2]
    assert found.suggested.tolist() == [1]
    assert found.margin.tolist() == pytest.approx([0.1])
    assert found.joint == pytest.approx(np.array([[0.4, 0.2], [0.0, 0.4]]))
    assert found.noise == pytest.approx(0.2)


@given(st.integers(1, 60), st.integers(1, 6), st.integers(0, 1000))
def test_shapes_order_and_sum(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities, y = rng.dirichlet(np.ones(k), n), rng.integers(0, k, n)
    found = find_label_errors(probabilities, y)
    assert found.joint.shape == (k, k)
    assert found.joint.sum() == pytest.approx(1)
    assert found.joint.sum(1) == pytest.approx(np.bincount(y, minlength=k) / n)
    assert len(set(found.rows.tolist())) == len(found.rows) == len(found.suggested) == len(found.margin)
    assert (np.diff(found.margin) >= 0).all()
    assert ((found.margin >= 0) & (found.margin < 0.5)).all()
    assert (found.suggested != y[found.rows]).all()
    assert set(found.suggested.tolist()) <= set(y.tolist())  # a class that nobody filed is never suggested


def test_nothing_to_find() -> None:
    assert len(find_label_errors(np.zeros((0, 3)), np.zeros(0, np.int64)).rows) == 0
    assert len(find_label_errors(np.eye(3), np.arange(3)).rows) == 0
    assert len(find_label_errors(np.full((4, 2), 0.5), np.array([0, 1, 0, 1])).rows) == 0


@pytest.mark.parametrize(
    ("probabilities", "y", "told"),
    [
        (np.zeros((2, 2)), np.array([0]), "are needed"),
        (np.zeros((2, 2)), np.array([0, 2]), "must be 0 to 1"),
        (np.array([[np.nan, 1.0]]), np.array([0]), "must be numbers"),
    ],
)
def test_what_cannot_be_used(probabilities: np.ndarray, y: np.ndarray, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        find_label_errors(probabilities, y)
