"""Learnt views: they agree with scikit-learn's own answers, and neighbours with a search by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import toy
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from models import views as module
from models.encoder import Encoder
from models.views import UNSEEN_MARGIN, LinearViews, NeighbourView, linear_outputs

MADE, Y = toy.learnable(60)
ENCODER = Encoder.fit(MADE, 9)
BLOCKS = ENCODER.transform(MADE)
LATER, LATER_Y = toy.learnable(90)
LATER_BLOCKS = ENCODER.transform(LATER)


def test_linear_view_is_the_support_vector_machine() -> None:
    x = ENCODER.join(BLOCKS).astype(np.float64)
    expected = LinearSVC(C=1.0, random_state=0).fit(x, Y).decision_function(ENCODER.join(LATER_BLOCKS))
    assert LinearViews.fit(ENCODER, BLOCKS, Y, 3).scores(LATER_BLOCKS, 3)["linear"] == pytest.approx(expected, abs=1e-4)


def test_bayes_view_ranks_as_complement_naive_bayes() -> None:
    expected = ComplementNB(alpha=0.1).fit(BLOCKS["word"], Y).predict_joint_log_proba(LATER_BLOCKS["word"])
    found = LinearViews.fit(ENCODER, BLOCKS, Y, 3).scores(LATER_BLOCKS, 3)["bayes"]
    assert found - found.max(1, keepdims=True) == pytest.approx(expected - expected.max(1, keepdims=True), abs=1e-3)


def test_two_classes() -> None:
    made, y = toy.learnable(30, toy.UNITS[:2])
    encoder = Encoder.fit(made, 6)
    found = LinearViews.fit(encoder, encoder.transform(made), y, 2).scores(encoder.transform(made), 2)
    assert found["linear"][:, 0] == pytest.approx(-found["linear"][:, 1], abs=1e-5)
    for view in ("linear", "balanced", "bayes"):
        assert (found[view].argmax(1) == y).all()


def test_one_class_cannot_be_learnt() -> None:
    with pytest.raises(ValueError, match="one class only"):
        LinearViews.fit(ENCODER, BLOCKS, np.zeros(60, np.int64), 3)


def test_classes_that_were_never_seen_are_unlikely() -> None:
    linear = LinearViews.fit(ENCODER, BLOCKS, Y * 2 + 1, 7)  # classes 1, 3, 5 of 7
    found = linear.scores(BLOCKS, 7)
    for unseen in (0, 2, 4, 6):
        assert (found["linear"][:, unseen] == np.float32(UNSEEN_MARGIN)).all()
    assert (found["linear"].argmax(1) == Y * 2 + 1).all()
    assert (found["bayes"][:, [0, 2, 4, 6]] == 0).all()  # the mean of the others


@pytest.mark.parametrize("weights", [{"linear": 1.0}, {"linear": 2.0, "balanced": 0.5, "bayes": 0.1}, {"bayes": 3.0}])
def test_folded_views_score_as_the_views_weighed_one_by_one(weights: dict[str, float]) -> None:
    linear = LinearViews.fit(ENCODER, BLOCKS, Y, 3)
    one_by_one = linear.scores(LATER_BLOCKS, 3)
    expected = sum(weight * one_by_one[name] for name, weight in weights.items())
    folded = linear.fold(weights)
    assert folded.scores(LATER_BLOCKS, 3)["linear"] == pytest.approx(expected, abs=1e-3)
    assert folded.coefficients["word"].shape[1] == 3


def test_many_classes_have_the_plain_view_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (linear_outputs(64), linear_outputs(65)) == (192, 65)
    monkeypatch.setattr(module, "FULL_VIEWS_UP_TO", 2)
    assert set(LinearViews.fit(ENCODER, BLOCKS, Y, 3).scores(BLOCKS, 3)) == {"linear"}


def test_an_empty_batch() -> None:
    none = ENCODER.transform(toy.features([], []))
    assert LinearViews.fit(ENCODER, BLOCKS, Y, 3).scores(none, 3)["linear"].shape == (0, 3)
    neighbours = NeighbourView.fit(BLOCKS["word"], Y)
    votes, nearest = neighbours.scores(none["word"], 3)
    assert votes.shape == (0, 3)
    assert (len(nearest.row), len(nearest.cosine)) == (0, 0)


def by_hand(view: NeighbourView, words: np.ndarray) -> np.ndarray:
    """Return the cosines of rows to the 60 letters over the words that the view keeps."""

    def unit(matrix: np.ndarray) -> np.ndarray:
        kept = matrix * view.keep
        return kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-12)

    return unit(words) @ unit(BLOCKS["word"].toarray()).T


def test_neighbours_are_those_of_a_search_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INDEX_WORDS", 10_000)
    view = NeighbourView.fit(BLOCKS["word"], Y)
    expected = by_hand(view, LATER_BLOCKS["word"].toarray())
    votes, nearest = view.scores(LATER_BLOCKS["word"], 3)
    assert nearest.cosine == pytest.approx(expected.max(1), abs=1e-5)
    assert expected[np.arange(len(expected)), nearest.row] == pytest.approx(nearest.cosine, abs=1e-5)
    # A vote is worth the cube of the cosine.
    weight = np.stack([(expected**3)[:, view.labels == label].sum(1) for label in range(3)], axis=1)
    assert votes == pytest.approx(np.log(weight / weight.sum(1, keepdims=True) + module._VOTE_FLOOR), abs=1e-3)


def test_an_index_of_the_heaviest_words_never_overstates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INDEX_WORDS", 4)
    view = NeighbourView.fit(BLOCKS["word"], Y)
    assert np.diff(view.transposed.T.tocsr().indptr).max() == 4
    expected = by_hand(view, LATER_BLOCKS["word"].toarray())
    found = view.scores(LATER_BLOCKS["word"], 3)[1].cosine
    assert (found <= expected.max(1) + 1e-5).all()
    assert (found > 0).mean() > 0.9


def test_a_search_leaves_its_question_as_it_was() -> None:
    # A word that all rows share is none that informs: it is masked out of the query.
    view = NeighbourView.fit(BLOCKS["word"], Y)
    question = LATER_BLOCKS["word"].copy()
    before = question.toarray()
    view.scores(question, 3)
    assert np.array_equal(question.toarray(), before)


def test_a_text_that_shares_no_word_has_no_neighbour() -> None:
    view = NeighbourView.fit(BLOCKS["word"], Y)
    votes, nearest = view.scores(ENCODER.transform(toy.features([""], ["qwerty"]))["word"], 3)
    assert (nearest.row.tolist(), nearest.cosine.tolist()) == ([-1], [0.0])
    assert (votes == votes[0, 0]).all()


def test_of_equal_neighbours_the_first_is_named() -> None:
    twice = sp.vstack([BLOCKS["word"], BLOCKS["word"]]).tocsr()
    view = NeighbourView.fit(twice, np.concatenate([Y, Y]))
    nearest = view.scores(BLOCKS["word"], 3)[1]
    assert (nearest.row < len(Y)).all()


def test_rows_of_a_class_that_is_gone_do_not_vote() -> None:
    view = NeighbourView.fit(BLOCKS["word"], Y)
    votes, nearest = view.scores(BLOCKS["word"], 2)
    assert votes.shape == (len(Y), 2)
    assert (nearest.row[Y == 2] >= 0).all()


def test_the_index_keeps_the_latest_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEIGHBOUR_INDEX_ROWS", 10)
    view = NeighbourView.fit(BLOCKS["word"], Y)
    assert view.transposed.shape[1] == 10
    assert view.labels.tolist() == Y[-10:].tolist()


def test_units_that_are_one_today_speak_with_the_better_voice() -> None:
    import dataclasses

    linear = LinearViews.fit(ENCODER, BLOCKS, Y, 3)
    merged = dataclasses.replace(linear, seen=np.array([0, 0, 1]))
    before, after = linear.scores(BLOCKS, 3)["linear"], merged.scores(BLOCKS, 2)["linear"]
    assert after[:, 0].tolist() == before[:, :2].max(1).tolist()
    assert after[:, 1].tolist() == before[:, 2].tolist()
