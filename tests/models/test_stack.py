"""The second stage: weights of both stages, when the first is enough, units that came later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from models import stack as module
from models.classifier import HeldOut, Scored
from models.fine_tuning import Epoch
from models.ranker import Calibration, Ranker
from models.stack import Stack, StackError
from models.transformer import FineTuning

CLASSES = 4
RANDOM = np.random.default_rng(5)


class Oracle:
    """A transformer that reads the class from the text, now and then wrongly."""

    def __init__(self, outputs: int) -> None:
        self.outputs, self.asked = outputs, 0

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += len(texts)
        out = np.full((len(texts), self.outputs), -4.0, np.float32)
        for row, text in enumerate(texts):
            out[row, (int(text[0]) + (text.endswith("39"))) % self.outputs] = -0.1
        return out


def rows(count: int, sure: float) -> tuple[list[str], np.ndarray, HeldOut]:
    """Return texts, classes, and a first stage that is right where it is sure and guesses elsewhere."""
    y = np.arange(count) % CLASSES
    p = np.full((count, CLASSES), 1 / CLASSES)
    for row in np.flatnonzero(RANDOM.random(count) < sure):
        p[row] = 0.01
        p[row, y[row]] = 0.97
    return [f"{kind} 件{i}" for i, kind in enumerate(y.tolist())], y, HeldOut(np.arange(count), y, p)


def refined(stack: Stack, first: np.ndarray, texts: Sequence[str], excluded: np.ndarray | None = None) -> Scored:
    n = len(first)
    return stack.on_top_of(Scored(first, np.full(n, -1), np.zeros(n, np.float32)), texts, excluded)


def fitted(monkeypatch: pytest.MonkeyPatch, count: int = 400, sure: float = 0.5) -> tuple[Stack, HeldOut, list[int]]:
    tuned: list[int] = []

    def fine_tune(texts, y, classes, encoder, settings, held_out=None, heard=lambda _: None) -> Oracle:
        tuned.append(settings.epochs)
        for number, accuracy in ((1, 0.5), (2, 0.9), (3, 0.8)):
            if held_out is not None:
                heard(Epoch(number, 0.1, accuracy, 1.0))
        return Oracle(classes)

    monkeypatch.setattr(module, "fine_tune", fine_tune)
    texts, y, first = rows(count, sure)
    stack, held = Stack.fit(texts, y, first, "encoder", FineTuning(epochs=4))
    return stack, held, tuned


def test_both_together_know_more_and_the_sure_rows_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    stack, held, tuned = fitted(monkeypatch)
    assert tuned == [4, 2]  # the last one learns from all rows for as long as was best
    assert len(held.rows) == 80
    assert (held.probabilities.argmax(1) == held.y).mean() > 0.85
    assert stack.certain <= 0.97
    texts, y, first = rows(200, 0.5)
    stack.transformer.asked = 0
    scored = refined(stack, first.probabilities, texts)
    out = scored.probabilities
    assert stack.transformer.asked == int((first.probabilities.max(1) < stack.certain).sum()) < 150
    assert (out.argmax(1) == y).mean() > (first.probabilities.argmax(1) == y).mean() + 0.2
    assert out.sum(1) == pytest.approx(np.ones(200))
    assert scored.second is not None
    assert int((~np.isnan(scored.second.scores).all(1)).sum()) == stack.transformer.asked
    assert refined(stack, np.zeros((0, CLASSES)), []).probabilities.shape == (0, CLASSES)


def test_a_unit_that_sent_it_back_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stack, _, _ = fitted(monkeypatch)
    excluded = np.zeros((1, CLASSES), bool)
    excluded[0, 2] = True
    first = np.array([[0.4, 0.3, 0.0, 0.3]])
    assert refined(stack, first, ["2 件"], excluded).probabilities[0, 2] == 0


def test_few_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StackError, match="50 labelled rows are too few"):
        fitted(monkeypatch, 50)


def test_after_a_reform_outputs_speak_for_successors() -> None:
    ranker = Ranker(("first", "transformer"), np.array([1.0, 1.0]), np.zeros(1), Calibration())
    stack = Stack(Oracle(3), ranker, np.array([0, 1, 2]), 1.01)
    # Of three units the first two are merged into unit 1, the third is gone; units 0 and 2 are new.
    after = stack.moved(np.array([1, 1, -1]))
    assert after.target.tolist() == [1, 1, -1]
    flat = np.full((2, 3), 1 / 3)
    assert refined(after, flat, ["0 件", "1 件"]).probabilities.argmax(1).tolist() == [1, 1]
    gone = refined(after, flat[:1], ["2 件"]).probabilities[0]
    assert gone[0] == pytest.approx(gone[2])  # units that it has not seen share alike
