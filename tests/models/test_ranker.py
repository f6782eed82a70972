"""The ranker: probabilities that are probabilities, exclusions that hold, confidence that equals accuracy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.evaluation import expected_calibration_error
from models.ranker import Calibration, Ranker

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 6))


def scores(shape: tuple[int, int]) -> st.SearchStrategy[np.ndarray]:
    """Return views of a shape."""
    return arrays.arrays(np.float32, shape, elements=st.floats(-20, 20, width=32))


@settings(max_examples=80, deadline=None)
@given(SHAPES.flatmap(lambda s: st.tuples(scores(s), scores(s), arrays.arrays(np.bool_, s))), st.floats(0.3, 5))
def test_probabilities(views: tuple[np.ndarray, np.ndarray, np.ndarray], temperature: float) -> None:
    one, two, excluded = views
    ranker = Ranker(("one", "two"), np.array([1.0, 0.5]), np.zeros(one.shape[1]), Calibration(temperature, 2 * temperature, 0.7))
    given_views = {"two": two, "one": one}
    plain = ranker.probabilities(given_views)
    assert plain.sum(1) == pytest.approx(1.0)
    found = ranker.probabilities(given_views, excluded)
    assert (found[excluded] == 0).all()
    assert np.isfinite(found).all()
    left = ~excluded.all(1)
    assert found[left].sum(1) == pytest.approx(1.0)
    assert not found[~left].any()
    # What is left keeps its order.
    kept = np.where(excluded, -1.0, plain)
    for row in np.flatnonzero(left):
        order = np.argsort(-kept[row], kind="stable")
        assert (np.diff(found[row][order]) <= 1e-9).all()


def test_nothing_excluded_changes_nothing() -> None:
    ranker = Ranker(("a",), np.array([1.0]), np.zeros(3), Calibration())
    view = {"a": np.array([[1, 2, 3]], np.float32)}
    assert ranker.probabilities(view, np.zeros((1, 3), bool)).tolist() == ranker.probabilities(view).tolist()


def test_stated_weights() -> None:
    ranker = Ranker.prior({"duty": 2.0, "place": 1.0}, 2)
    found = ranker.probabilities({"duty": np.array([[1, 0]], np.float32), "place": np.array([[0, 1]], np.float32)})
    assert found[0, 0] == pytest.approx(1 / (1 + np.exp(-1)))


def synthetic(rows: int, seed: int, sharpness: float = 1.0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return a useful and a useless view, and classes drawn from softmax(useful × sharpness)."""
    rng = np.random.default_rng(seed)
    useful = rng.normal(0, 2, (rows, 5)).astype(np.float32)
    p = np.exp(useful * sharpness)
    p /= p.sum(1, keepdims=True)
    y = (p.cumsum(1) > rng.random((rows, 1))).argmax(1)
    return {"useful": useful, "noise": rng.normal(0, 2, (rows, 5)).astype(np.float32)}, y.astype(np.int64)


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 2.0])
def test_confidence_equals_accuracy_on_new_rows(sharpness: float) -> None:
    views, y = synthetic(2_000, 1, sharpness)
    ranker = Ranker.fit(views, y, np.arange(2_000) * 5 // 2_000)
    weights = dict(zip(ranker.views, ranker.weights, strict=True))
    assert weights["useful"] == pytest.approx(sharpness, rel=0.2)
    assert weights["noise"] < 0.1 * weights["useful"]
    later, truth = synthetic(4_000, 2, sharpness)
    found = ranker.probabilities(later)
    hit = found.argmax(1) == truth
    assert abs(found.max(1).mean() - hit.mean()) < 0.05
    assert expected_calibration_error(found.max(1), hit) < 0.06


def test_noisy_labels_bound_the_confidence() -> None:
    def noisy(rows: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        views, y = synthetic(rows, seed, 3.0)
        rng = np.random.default_rng(seed)
        return views, np.where(rng.random(rows) < 0.3, rng.integers(0, 5, rows), y)

    views, y = noisy(1_000, 3)
    found = Ranker.fit(views, y, np.arange(1_000) * 5 // 1_000)
    later, truth = noisy(4_000, 4)
    probabilities = found.probabilities(later)
    hit = probabilities.argmax(1) == truth
    sure = probabilities.max(1) > np.median(probabilities.max(1))
    assert abs(probabilities.max(1)[sure].mean() - hit[sure].mean()) < 0.06
    assert (np.argsort(probabilities, 1) == np.argsort(_scores(found, later), 1)).all()


def _scores(ranker: Ranker, views: dict[str, np.ndarray]) -> np.ndarray:
    return ranker.bias + sum(w * views[name] for name, w in zip(ranker.views, ranker.weights, strict=True))


def test_a_view_is_never_evidence_against_a_class() -> None:
    views, y = synthetic(500, 5)
    found = Ranker.fit({"useful": views["useful"], "against": -views["useful"]}, y, np.arange(500) % 5)
    assert (found.weights >= 0).all()


def test_classes_without_rows_have_a_chance_from_the_views() -> None:
    views, y = synthetic(500, 6)
    keep = y < 4
    ranker = Ranker.fit({k: v[keep] for k, v in views.items()}, y[keep], np.arange(keep.sum()) % 5)
    strong = np.full((1, 5), -4, np.float32)
    strong[0, 4] = 8
    assert ranker.probabilities({"useful": strong, "noise": np.zeros((1, 5), np.float32)})[0].argmax() == 4


def test_the_same_rows_give_the_same_ranker() -> None:
    views, y = synthetic(300, 7)
    one, other = (Ranker.fit(views, y, np.arange(300) % 5) for _ in range(2))
    assert one.weights.tolist() == other.weights.tolist()
    assert (one.bias.tolist(), one.calibration) == (other.bias.tolist(), other.calibration)
