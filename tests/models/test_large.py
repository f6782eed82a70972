"""With very many rows one set is held out instead of each fifth in turn; here "very many" is a hundred."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import toy
from toy_city import small_city

from models import classifier, given, issue, training, unit
from models.city import City
from models.classifier import Classifier, held_rows
from models.training import evaluate_model, train
from pipeline.petitions import prepare


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (classifier, issue, training, unit):
        monkeypatch.setattr(module, "LARGE", 100)
    monkeypatch.setattr(classifier, "HELD_ROWS", 40)
    for module in (prepare, given, training):
        monkeypatch.setattr(module, "PART_ROWS", 32)
    monkeypatch.setattr(prepare.prepare_in_parts, "__defaults__", (32,))


def test_held_rows_are_the_newest_or_evenly_from_all() -> None:
    times = np.arange(200.0)[::-1].copy()
    assert held_rows(200, times).tolist() == list(range(40))
    assert held_rows(200, None).tolist() == list(range(0, 200, 5))
    assert held_rows(99, None).tolist() == list(range(99))


def test_it_learns_and_holds_out() -> None:
    made, y = toy.learnable(150)
    model, held = Classifier.fit(made, y, 3, None)
    assert held.rows.tolist() == held_rows(150, None).tolist()
    assert held.probabilities.shape == (40, 3)
    assert (held.probabilities.argmax(1) == held.y).mean() > 0.9
    assert model.score(made).probabilities.sum(1) == pytest.approx(1.0)
    assert (model.score(made).probabilities.argmax(1) == y).mean() > 0.95


def test_held_out_predictions_have_not_seen_the_label() -> None:
    made, _ = toy.learnable(200)
    y = np.random.default_rng(0).integers(0, 2, 200)
    held = Classifier.fit(made, y, 2, None)[1]
    assert (held.probabilities.argmax(1) == held.y).mean() < 0.75


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("directory", [True, False])
def test_units_and_types_are_learnt(tmp_path: Path, timed: bool, directory: bool) -> None:
    rows, city = toy.labelled(130, timed=timed, issues=True), small_city(tmp_path) if directory else City()
    done = train("unit", rows, city, tmp_path)
    assert done.evaluation is not None
    assert done.evaluation.rows == 40
    scores = evaluate_model("unit", toy.labelled(60), done.saved, None)
    assert (np.array(scores.labels)[scores.probabilities.argmax(1)] == np.array(scores.truth)).mean() > 0.9
    assert done.saved.manifest["model"]["history_labels"] == ["0102", "0301", "1202"]
    assert train("issue_type", rows, city, tmp_path).evaluation is not None


def test_features_made_in_parts_are_the_same() -> None:
    table = toy.labelled(70)
    whole, parts = prepare.prepare(table, toy.SEGMENTER), prepare.prepare_in_parts(table, toy.SEGMENTER)
    assert parts.texts == whole.texts
    assert parts.masked == whole.masked
    for name, block in whole.features.blocks.items():
        other = parts.features.blocks[name]
        assert np.array_equal(block.rows, other.rows)
        assert np.array_equal(block.buckets, other.buckets)
        assert np.array_equal(block.counts, other.counts)
        again = whole.features.part(10, 20).blocks[name]
        assert np.array_equal(again.buckets, block.buckets[(block.rows >= 10) & (block.rows < 20)])
        assert again.rows.max(initial=0) < 10
