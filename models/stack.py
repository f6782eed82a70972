"""The second stage: a fine-tuned transformer beside what the first stage says, weighed on rows that neither has seen.

score(petition, class) = w₁ · ln p_first + w₂ · ln p_transformer, calibrated. Two weights, so a few hundred held-out rows are
enough. A petition that the first stage is sure of is not read by the transformer: reading costs a hundred times as much.
"""

from __future__ import annotations

import dataclasses
import math
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.classifier import HeldOut, Scored, SecondStage
from models.fine_tuning import Epoch, fine_tune
from models.ranker import Calibration, Ranker
from models.transformer import FineTuning, Transformer

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: Share of the rows, and their number at the most, that the weights are fitted on.
HELD_SHARE = 0.2
MOST_HELD = 2_000
#: With fewer held-out rows the weights would be noise.
LEAST_HELD = 60
#: Rows that are learnt from at the most; the newest where there are more. A pass over them takes minutes.
MOST_ROWS = 8_000
#: First-stage confidences from which the transformer may be left out, least first.
_CERTAIN = (0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
#: Accuracy that leaving it out may cost on the held-out rows.
_MAY_COST = 0.001
#: Below it a probability of the first stage counts as this.
LEAST_PROBABILITY = 1e-6


class StackError(ValueError):
    """The rows are too few for a second stage; the message says how many there must be."""


@dataclass(frozen=True)
class Stack:
    """A transformer, the weights of both stages, and when the first one is enough.

    Attributes:
        transformer: its outputs are the classes seen in training.
        ranker: over the views `first` and `transformer`; no bias, so that it holds for units that come later.
        target: class of each output, shape (outputs,); several outputs may be one class after a reform.
        certain: first-stage probability from which the transformer is not asked; above 1 it always is.
    """

    transformer: Transformer
    ranker: Ranker
    target: I64
    certain: float

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        y: I64,
        first: HeldOut,
        encoder: str | Path,
        settings: FineTuning = FineTuning(),  # noqa: B008 - frozen
        heard: Callable[[Epoch], None] = lambda _: None,
        order: F64 | None = None,
    ) -> tuple[Stack, HeldOut]:
        """Fine-tune, weigh on rows held out from both stages, and fine-tune again on all rows with the epochs found best.

        Args:
            texts: n masked texts.
            y: class index of each.
            first: what the first stage says of rows that it had not seen.
            encoder: folder or hub name of a pretrained encoder.
            settings: of the fine-tuning.
            heard: told after each epoch.
            order: time of each row, or None. Weights and calibration are for what comes later, so the newest rows are held
                out where there is time: an encoder gains most on letters of the same weeks.

        Returns:
            The stack, and its predictions for the held-out rows.

        Raises:
            StackError: if too few rows were held out.
            models.transformer.TransformerError: if the encoder cannot be loaded.
        """
        seen, outputs = np.unique(y, return_inverse=True)
        held = _held(first.rows, order)
        if len(held) < LEAST_HELD:
            msg = f"{len(y)} labelled rows are too few for a transformer: it needs {math.ceil(LEAST_HELD / HELD_SHARE)}"
            raise StackError(msg)
        aside = np.zeros(len(y), bool)
        aside[held] = True
        learnt = _newest(np.flatnonzero(~aside), order, MOST_ROWS)
        rows = np.union1d(learnt, held)
        epochs: list[Epoch] = []

        def hear(epoch: Epoch) -> None:
            epochs.append(epoch)
            heard(epoch)

        probe = fine_tune([texts[i] for i in rows.tolist()], outputs[rows], len(seen), encoder, settings, aside[rows], hear)
        at = np.searchsorted(first.rows, held)
        probabilities = first.probabilities[at]
        scores = _spread(probe.scores([texts[i] for i in held.tolist()]), seen, probabilities.shape[1])
        views = {"first": _log(probabilities), "transformer": scores}
        fitted = Ranker.fit(views, y[held], np.arange(len(held)) % 5, bias=False)
        ranker = dataclasses.replace(fitted, bias=np.zeros(1))  # none, for however many units there will be
        together = ranker.probabilities(views)
        certain = _certain(probabilities, together, y[held])
        best = max(epochs, key=lambda epoch: epoch.accuracy or 0.0).number
        every = _newest(np.arange(len(y)), order, MOST_ROWS)
        final = fine_tune(
            [texts[i] for i in every.tolist()], outputs[every], len(seen), encoder, dataclasses.replace(settings, epochs=best), heard=heard
        )
        sure = probabilities.max(1) >= certain
        together[sure] = probabilities[sure]
        return cls(final, ranker, seen, certain), HeldOut(held, y[held], together)

    def on_top_of(
        self, scored: Scored, texts: Sequence[str], excluded: npt.NDArray[np.bool_] | None = None
    ) -> Scored:
        """Return what the first stage scored with the probabilities of both stages together.

        Args:
            scored: by the first stage, n rows.
            texts: n masked texts.
            excluded: cells that must get none.
        """
        first = scored.probabilities
        ask = np.flatnonzero(first.max(1, initial=0.0) < self.certain)
        out, scores = first.copy(), np.full(first.shape, np.nan, np.float32)
        if len(ask):
            scores[ask] = _spread(self.transformer.scores([texts[i] for i in ask.tolist()]), self.target, first.shape[1])
            views = {"first": _log(first[ask]), "transformer": scores[ask]}
            out[ask] = self.ranker.probabilities(views, None if excluded is None else excluded[ask])
        weights = dict(zip(self.ranker.views, self.ranker.weights.tolist(), strict=True))
        second = SecondStage(first, scores, (weights["first"], weights["transformer"]))
        return dataclasses.replace(scored, probabilities=out, second=second)

    def plain(self) -> dict[str, Any]:
        """Return all but the transformer as plain values."""
        return {
            "weights": dict(zip(self.ranker.views, self.ranker.weights.tolist(), strict=True)),
            "calibration": dataclasses.asdict(self.ranker.calibration),
            "target": self.target.tolist(),
            "certain": self.certain,
        }

    @classmethod
    def load(cls, plain: Mapping[str, Any], folder: Path) -> Stack:
        """Return the stack that `plain` described, with the transformer in `folder`."""
        target = np.array(plain["target"], np.int64)
        weights = plain["weights"]
        ranker = Ranker(tuple(weights), np.array(list(weights.values())), np.zeros(1), Calibration(**plain["calibration"]))
        # A worker among others has one core; alone, a process takes them all.
        transformer = Transformer.load(folder, threads=1 if multiprocessing.parent_process() else None)
        return cls(transformer, ranker, target, float(plain["certain"]))

    def moved(self, target: I64) -> Stack:
        """Return the stack over other classes: class i of before is class `target[i]` now, a negative one is gone."""
        return dataclasses.replace(self, target=np.where(self.target < 0, -1, target[self.target]))


def _held(rows: I64, order: F64 | None) -> I64:
    """Return the newest fifth of the rows, or every fifth where there is no time; ascending."""
    count = min(int(len(rows) * HELD_SHARE), MOST_HELD)
    if order is None or count == 0:
        step = max(round(1 / HELD_SHARE), math.ceil(len(rows) / MOST_HELD))
        return rows[step - 1 :: step]
    return _newest(rows, order, count)


def _newest(rows: I64, order: F64 | None, count: int) -> I64:
    """Return the newest `count` of the rows, the last ones where there is no time; ascending."""
    if order is None:
        return rows[-count:]
    return np.sort(rows[np.argsort(order[rows], kind="stable")[-count:]])


def _log(probabilities: F64) -> F32:
    return np.log(np.maximum(probabilities, LEAST_PROBABILITY)).astype(np.float32)


def _spread(scores: F32, target: I64, classes: int) -> F32:
    """Return the scores of all classes; one that the transformer has not seen gets what it gives on the average."""
    full = np.repeat(scores.mean(1, keepdims=True), classes + 1, axis=1)
    for output, at in enumerate(target.tolist()):
        if at >= 0:
            several = np.count_nonzero(target == at) > 1
            full[:, at] = np.maximum(full[:, at], scores[:, output]) if several else scores[:, output]
    return full[:, :classes]


def _certain(first: F64, together: F64, y: I64) -> float:
    """Return the least confidence of the first stage from which asking the transformer gains nothing."""
    confidence, alone, both = first.max(1), first.argmax(1) == y, together.argmax(1) == y
    for threshold in _CERTAIN:
        sure = confidence >= threshold
        if (both[sure].sum() - alone[sure].sum()) / len(y) <= _MAY_COST:
            return threshold
    return 1.01
