"""Responsible units: the history of issue types by hand, alignment of labels, a city without history."""

from __future__ import annotations

import numpy as np
import pytest
import toy

from models.given import GivenScores, GivenViews
from models.unit import HISTORY_SMOOTHING, IssueHistory, UnitModel

ISSUES = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
Y = np.array([0, 0, 1, 2])
HISTORY = IssueHistory.fit(("0102", "0301"), ISSUES, Y, 4)


def test_shares_are_those_of_a_count_by_hand() -> None:
    overall = (np.array([2, 1, 1, 0]) + 0.5) / (4 + 0.5 * 4)
    counts = np.array([[2, 0.5, 0, 0], [0, 0.5, 1, 0]])
    expected = (counts + HISTORY_SMOOTHING * overall) / (counts.sum(1, keepdims=True) + HISTORY_SMOOTHING)
    assert HISTORY.shares == pytest.approx(expected)
    assert HISTORY.shares.sum(1) == pytest.approx(1.0)


def test_the_view_is_the_log_of_expected_shares() -> None:
    view = HISTORY.view(np.array([[0.25, 0.75]]))
    assert view == pytest.approx(np.log(np.array([[0.25, 0.75]]) @ HISTORY.shares + 1e-4), abs=1e-5)
    assert view.dtype == np.float32


#: (labels of the issue model, probabilities, probabilities over 0102 and 0301)
ALIGNED = [
    (("0102", "0301"), [0.3, 0.7], [0.3, 0.7]),
    (("0301", "0102"), [0.3, 0.7], [0.7, 0.3]),
    (("0301", "0102", "05"), [0.2, 0.6, 0.2], [0.7, 0.3]),  # what no label holds is spread evenly
    (("05",), [1.0], [0.5, 0.5]),
    ((), [], [0.5, 0.5]),
    (("010201", "010202", "030101"), [0.2, 0.5, 0.3], [0.7, 0.3]),  # leaves count for the type above them
]


@pytest.mark.parametrize(("labels", "given", "expected"), ALIGNED)
def test_issue_types_of_another_model(labels: tuple[str, ...], given: list[float], expected: list[float]) -> None:
    found = HISTORY.aligned(labels, np.array([given]).reshape(1, len(labels)))
    assert found[0] == pytest.approx(expected)


def given(texts: list[str]) -> GivenScores:
    """Return the given views of texts."""
    return GivenViews(toy.directory(), None, toy.SEGMENTER).scores(toy.features([""] * len(texts), texts), texts)


def test_a_city_without_history_goes_by_names_and_duties() -> None:
    texts = ["市教育局不回复", "没有任何线索"]
    model = UnitModel(toy.UNITS, None)
    scored = model.score(given(texts), (), np.zeros((2, 0)), texts)
    assert toy.UNITS[int(scored.probabilities[0].argmax())] == "市教育局"
    assert scored.probabilities[1] == pytest.approx(1 / 3)
    assert scored.nearest.tolist() == [-1, -1]
    assert not scored.cosine.any()


def test_a_refusing_unit_gets_nothing_with_or_without_history() -> None:
    texts = ["市教育局不回复", "市教育局不回复"]
    excluded = np.zeros((2, 3), bool)
    excluded[0, toy.UNITS.index("市教育局")] = True
    made, y = toy.learnable(60)
    learnt, _ = UnitModel.fit(toy.given(made, {}), toy.UNITS, y, None)
    for model in (UnitModel(toy.UNITS, None), learnt):
        found = model.score(given(texts), (), np.zeros((2, 0)), texts, excluded).probabilities
        assert found[0, toy.UNITS.index("市教育局")] == 0.0
        assert found[1, toy.UNITS.index("市教育局")] > 0
        assert found.sum(1) == pytest.approx(1.0)


def test_history_helps_where_the_text_says_nothing() -> None:
    _, y = toy.learnable(60)
    made = toy.features([""] * 60, ["请尽快处理。"] * 60)
    issues = np.full((60, 3), 0.05)
    issues[np.arange(60), y] = 0.9
    labels = ("0102", "0301", "1202")
    nothing = {"name": np.zeros((60, 3), np.float32)}
    model, held = UnitModel.fit(toy.given(made, nothing), toy.UNITS, y, np.arange(60.0), labels, issues)
    assert (held.probabilities.argmax(1) == y).mean() > 0.95
    found = model.score(given(["请尽快处理。"] * 60), labels, issues, [""] * 60).probabilities
    assert (found.argmax(1) == y).mean() > 0.95
