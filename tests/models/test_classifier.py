"""The classifier: learns, holds out what it measures itself on, and copes with few rows and unseen classes."""

from __future__ import annotations

import numpy as np
import pytest
import toy
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier import FOLDS, Classifier, make_folds, take

MADE, Y = toy.learnable(60)
LATER, LATER_Y = toy.learnable(90)


@pytest.fixture(scope="module")
def fitted() -> Classifier:
    """Fit on 60 letters."""
    return Classifier.fit(MADE, Y, 3, None)[0]


def test_it_learns(fitted: Classifier) -> None:
    scored = fitted.score(LATER)
    assert scored.probabilities.sum(1) == pytest.approx(1.0)
    assert (scored.probabilities.argmax(1) == LATER_Y).mean() > 0.95
    assert len(scored.nearest) == len(scored.cosine) == 90


def test_held_out_rows_are_all_rows_where_each_fold_can_be_learnt_from() -> None:
    held = Classifier.fit(MADE, Y, 3, np.arange(60.0))[1]
    assert held.rows.tolist() == list(range(60))
    assert held.y.tolist() == Y.tolist()
    assert held.probabilities.shape == (60, 3)
    assert (held.probabilities.argmax(1) == Y).mean() > 0.9


def test_held_out_predictions_have_not_seen_the_label() -> None:
    # Labels at random cannot be predicted by a model that did not see them, and can by one that did.
    y = np.random.default_rng(0).integers(0, 2, 60)
    model, held = Classifier.fit(MADE, y, 2, None)
    assert (held.probabilities.argmax(1) == held.y).mean() < 0.75
    assert (model.views.scores(MADE, 2)[0]["linear"].argmax(1) == y).mean() > 0.95


@pytest.mark.parametrize("rows", [2, 3, 4, 6, 9, 12])
def test_few_rows(rows: int) -> None:
    made, y = toy.learnable(rows)
    model, held = Classifier.fit(made, y, 3, None)
    assert len(held.rows) == len(held.y) == len(held.probabilities)
    found = model.score(LATER).probabilities
    assert found.shape == (90, 3)
    assert found.sum(1) == pytest.approx(1.0)


def test_one_class_cannot_be_learnt() -> None:
    with pytest.raises(ValueError, match="one class only"):
        Classifier.fit(MADE, np.zeros(60, np.int64), 3, None)


def test_an_excluded_class_gets_nothing(fitted: Classifier) -> None:
    excluded = np.zeros((90, 3), bool)
    excluded[np.arange(90), LATER_Y] = True
    found = fitted.score(LATER, None, excluded).probabilities
    assert not found[excluded].any()
    assert found.sum(1) == pytest.approx(1.0)


def test_a_view_given_finds_a_class_without_rows() -> None:
    # Class 3 has no row, but a view that knows it: the ranker has learnt to trust that view.
    sign = np.full((60, 4), 0.0, np.float32)
    sign[np.arange(60), Y] = 1.0
    model, _ = Classifier.fit(MADE, Y, 4, None, {"duty": sign})
    text = toy.features(["反映渔船停靠问题"], ["渔船没地方停"])
    there = np.array([[0, 0, 0, 3.0]], np.float32)
    before = model.score(text, {"duty": np.zeros((1, 4), np.float32)}).probabilities[0, 3]
    assert model.score(text, {"duty": there}).probabilities[0, 3] > before


def test_rows_do_not_depend_on_the_batch(fitted: Classifier) -> None:
    whole = fitted.score(LATER).probabilities
    for row in (0, 41, 89):
        assert fitted.score(take(LATER, [row])).probabilities[0] == pytest.approx(whole[row], abs=1e-6)


def test_training_twice_gives_the_same(fitted: Classifier) -> None:
    again = Classifier.fit(MADE, Y, 3, None)[0]
    assert again.score(LATER).probabilities.tolist() == fitted.score(LATER).probabilities.tolist()


@given(st.lists(st.floats(0, 1e6), max_size=40))
def test_folds_follow_time(order: list[float]) -> None:
    folds = make_folds(len(order), np.array(order))
    assert (np.diff(folds[np.argsort(order, kind="stable")]) >= 0).all()
    sizes = np.bincount(folds, minlength=FOLDS)
    assert sizes.max(initial=0) - sizes.min(initial=len(order)) <= 1


def test_folds_without_time_take_turns() -> None:
    assert make_folds(7, None).tolist() == [0, 1, 2, 3, 4, 0, 1]


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 59), max_size=12))
def test_taken_rows_are_the_features_of_those_texts(rows: set[int]) -> None:
    titles, bodies, _ = toy.letters(60)
    chosen = sorted(rows)
    found, expected = take(MADE, chosen), toy.features([titles[i] for i in chosen], [bodies[i] for i in chosen])
    assert found.size == expected.size == len(chosen)
    for name, block in expected.blocks.items():
        assert found.blocks[name].rows.tolist() == block.rows.tolist()
        assert found.blocks[name].buckets.tolist() == block.buckets.tolist()
        assert found.blocks[name].counts.tolist() == block.counts.tolist()


def test_taken_rows_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend"):
        take(MADE, [3, 1])
