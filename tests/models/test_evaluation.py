"""Measures, against scikit-learn and against what one counts by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, top_k_accuracy_score

from models.evaluation import coverage_at, evaluate, expected_calibration_error

LABELS = ("甲", "乙", "丙", "丁", "戊")
RNG = np.random.default_rng(0)
PROBABILITIES = RNG.dirichlet(np.full(5, 0.4), 200)
TRUTH = [LABELS[(row.argmax() + (i % 3 == 0)) % 5] for i, row in enumerate(PROBABILITIES)]


def test_measures_agree_with_scikit_learn() -> None:
    found = evaluate(PROBABILITIES, LABELS, TRUTH)
    predicted = [LABELS[i] for i in PROBABILITIES.argmax(1)]
    assert found.accuracy == pytest.approx(accuracy_score(TRUTH, predicted))
    assert found.macro_f1 == pytest.approx(f1_score(TRUTH, predicted, average="macro", zero_division=0))
    numbers = [LABELS.index(label) for label in TRUTH]
    assert found.top3_accuracy == pytest.approx(top_k_accuracy_score(numbers, PROBABILITIES, k=3, labels=range(5)))
    assert (found.rows, found.classes, found.unseen_label_rows) == (200, 5, 0)


def test_a_label_that_the_model_does_not_know_is_wrong() -> None:
    found = evaluate(np.array([[0.9, 0.1], [0.2, 0.8]]), ["甲", "乙"], ["甲", "未知"])
    assert (found.accuracy, found.top3_accuracy, found.unseen_label_rows) == (0.5, 0.5, 1)


def test_fewer_than_three_labels() -> None:
    assert evaluate(np.array([[0.4, 0.6]]), ["甲", "乙"], ["甲"]).top3_accuracy == 1.0


def test_nothing_to_measure() -> None:
    with pytest.raises(ValueError, match="no labelled rows"):
        evaluate(np.zeros((0, 2)), ["甲", "乙"], [])


def test_plain_values_are_json() -> None:
    plain = evaluate(PROBABILITIES, LABELS, TRUTH).as_dict()
    assert json.loads(json.dumps(plain)) == plain | {"coverage": list(plain["coverage"])}
    assert plain["coverage_at_95_precision"] == next(c["share"] for c in plain["coverage"] if c["wanted"] == 0.95)


#: (confidence, hit, error)
ERRORS = [
    ([1.0, 1.0], [1, 1], 0.0),
    ([0.0, 0.0], [0, 0], 0.0),
    ([0.95, 0.95], [1, 0], 0.45),
    ([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0], 0.0),
    ([0.95, 0.15], [1, 0], 0.1),  # 0.05 and 0.15, half of the rows each
    ([0.9, 0.85], [1, 1], 0.125),  # 0.9 closes the bin that 0.85 is in
    ([0.9, 0.91], [1, 0], (0.1 + 0.91) / 2),
]


@pytest.mark.parametrize(("confidence", "hit", "error"), ERRORS)
def test_calibration_error(confidence: list[float], hit: list[int], error: float) -> None:
    assert expected_calibration_error(np.array(confidence), np.array(hit, bool)) == pytest.approx(error)


#: (confidence, hit, wanted, threshold, share, precision)
COVERAGE = [
    ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1], 1.0, 0.8, 0.5, 1.0),
    ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1], 0.75, 0.6, 1.0, 0.75),
    ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1], 0.8, 0.8, 0.5, 1.0),
    ([0.6, 0.9, 0.7, 0.8], [1, 1, 0, 1], 1.0, 0.8, 0.5, 1.0),  # the order of rows is no matter
    ([0.9, 0.9, 0.9], [1, 1, 0], 0.9, None, 0.0, None),  # equal confidence: all or none
    ([0.9, 0.9, 0.5], [1, 1, 0], 0.9, 0.9, 2 / 3, 1.0),
    ([0.9, 0.8], [0, 1], 0.9, None, 0.0, None),
    ([0.9, 0.8, 0.7, 0.6, 0.5], [0, 1, 1, 1, 1], 0.8, 0.5, 1.0, 0.8),  # precision may recover
    ([0.9], [1], 0.99, 0.9, 1.0, 1.0),
]


@pytest.mark.parametrize(("confidence", "hit", "wanted", "threshold", "share", "precision"), COVERAGE)
def test_coverage(
    confidence: list[float], hit: list[int], wanted: float, threshold: float | None, share: float, precision: float | None
) -> None:
    found = coverage_at(np.array(confidence), np.array(hit, bool), wanted)
    assert (found.wanted, found.threshold, found.precision) == (wanted, threshold, precision)
    assert found.share == pytest.approx(share)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=30))
def test_coverage_is_the_largest_that_a_threshold_reaches(rows: list[tuple[float, bool]]) -> None:
    confidence, hit = np.array([c for c, _ in rows]), np.array([h for _, h in rows])
    for wanted in (0.95, 0.8, 0.5):
        shares = [
            (confidence >= t).mean() for t in set(confidence.tolist()) if hit[confidence >= t].mean() >= wanted
        ]
        found = coverage_at(confidence, hit, wanted)
        assert found.share == pytest.approx(max(shares, default=0.0))
        if found.threshold is not None:
            assert hit[confidence >= found.threshold].mean() == pytest.approx(found.precision)
