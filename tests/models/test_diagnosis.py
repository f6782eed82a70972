"""Measures by class, confusion, curves of coverage and reliability."""

from __future__ import annotations

import numpy as np
import pytest

from models import diagnosis


def sure(predicted: list[int], k: int = 3, p: float = 0.9) -> np.ndarray:
    out = np.full((len(predicted), k), (1 - p) / (k - 1))
    out[np.arange(len(predicted)), predicted] = p
    return out


def test_measures_by_class() -> None:
    y = np.array([0, 0, 0, 0, 1, 1, 2])
    found = {item.label: item for item in diagnosis.by_class(sure([0, 0, 0, 1, 1, 1, 0]), y)}
    assert (found[0].precision, found[0].recall, found[0].f1) == (0.75, 0.75, 0.75)
    assert (found[1].precision, found[1].recall) == (2 / 3, 1.0)
    assert (found[2].support, found[2].precision, found[2].recall, found[2].f1) == (1, None, 0.0, 0.0)
    for item in found.values():
        for value, interval in ((item.recall, item.recall_interval), (item.f1, item.f1_interval)):
            assert value is None or interval is None or interval[0] - 1e-9 <= value <= interval[1] + 1e-9


def test_wilson_of_nothing_and_of_little() -> None:
    assert diagnosis.wilson(0, 0) == (0.0, 1.0)
    low, high = diagnosis.wilson(1, 1)
    assert low == pytest.approx(0.2065, abs=1e-3)
    assert high == pytest.approx(1.0)


def test_pairs_hold_both_ways_and_the_surest_examples_first() -> None:
    y = np.array([0, 0, 0, 1, 2, 2])
    p = sure([1, 1, 0, 0, 2, 0])
    p[1, 1] = 0.95
    pairs = diagnosis.confused_pairs(p, y, 10)
    assert (pairs[0].first, pairs[0].second, pairs[0].forth, pairs[0].back, pairs[0].rows) == (0, 1, 2, 1, (1, 0, 3))
    assert (pairs[1].first, pairs[1].second) == (2, 0)
    assert len(diagnosis.confused_pairs(p, y, 1)) == 1


def test_confused_classes_stand_side_by_side() -> None:
    matrix = np.diag([50] * 6)
    for a, b in ((0, 5), (1, 4)):
        matrix[a, b] = matrix[b, a] = 20
    order = diagnosis.confusion_order(matrix, 10)
    assert sorted(order) == list(range(6))
    assert abs(order.index(0) - order.index(5)) == 1
    assert abs(order.index(1) - order.index(4)) == 1
    assert sorted(diagnosis.confusion_order(matrix, 4)) == [0, 1, 4, 5], "of too many, the most confused are drawn"
    assert diagnosis.confusion_order(np.zeros((3, 3), int), 4) == []


def test_coverage_takes_equal_confidences_together() -> None:
    confidence = np.repeat([0.9, 0.6], 30)
    curve = diagnosis.coverage_curve(confidence, np.repeat([True, False], 30))
    assert curve == [(0.5, 1.0, 0.9), (1.0, 0.5, 0.6)]


def test_reliability_bins_hold_all_rows() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(203)
    bins = diagnosis.reliability(confidence, rng.random(203) < confidence)
    assert sum(item.rows for item in bins) == 203
    assert all(item.interval[0] - 1e-9 <= item.accuracy <= item.interval[1] + 1e-9 for item in bins)
    assert len(diagnosis.reliability(confidence[:3], confidence[:3] > 0)) == 3


def test_a_snippet_is_one_line_around_its_place() -> None:
    text = "题\n" + "一" * 100 + "关键" + "二" * 100
    cut = diagnosis.snippet(text, text.index("关键"))
    assert "关键" in cut
    assert "\n" not in cut
    assert cut.startswith("…")
    assert cut.endswith("…")
    assert diagnosis.snippet("短文", 0) == "短文"
