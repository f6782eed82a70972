"""Candidate and champion on the same rows that neither has learnt from, judged by the gate."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpora.config import GateRules
from corpora.workspace import models_dir
from flows.learning import champion_issue
from flows.model_versions import units_today
from models import gate
from models.registry import SavedModel
from models.split import Keys, unseen
from models.training import Scores, evaluate_model
from pipeline.petitions.prepare import PART_ROWS


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes:
        result: the gate's; None where no row was left to ask.
        scores: predictions of candidate and champion, the latter only where there is one.
        seen: rows left out because one of them had learnt from them.
        rows: rows asked.
        notes: what could not be made sure.
    """

    result: gate.GateResult | None
    scores: tuple[Scores, ...]
    seen: int
    rows: int
    notes: list[str] = field(default_factory=list)


def compared(
    target: str,
    rows: pa.Table,
    keys: Keys,
    models: Sequence[SavedModel],
    units: Path | None,
    on: dt.date,
    rules: GateRules,
) -> Comparison:
    """Ask the candidate, and the champion if it comes second, and let the gate judge.

    Args:
        target: `issue_type` or `unit`.
        rows: n labelled petitions (`PETITION_SCHEMA`).
        keys: of each row (`corpora.labelled.row_keys` of the masked text), shape (n,).
        models: candidate and, if there is one, champion.
        units: the city's directory as of now; the candidate's own by default.
        on: the day on which its units must be there.
        rules: the gate's.
    """
    asked, notes = np.ones(rows.num_rows, bool), []
    for model in models:
        learnt = model.arrays.get("training.rows")
        if learnt is None:
            notes.append(f"{model.version} does not say which rows it has learnt from: some of these may be among them")
        asked &= unseen(keys, learnt)
    seen, rows = int((~asked).sum()), rows.filter(pa.array(asked))
    if not rows.num_rows:
        return Comparison(None, (), seen, 0, notes)
    scores = tuple(_scores(target, rows, model) for model in models)
    today = units_today(models[0], units, on) if target == "unit" else None
    if target == "unit" and today is None:
        notes.append("no unit directory: whether each unit is there today was not checked (--units)")
    notes += [f"{model.version}: {note}" for model in models for note in model.notes]
    champion = scores[1] if len(scores) > 1 else None
    result = gate.judge(scores[0], champion, slices=gate.slices_of(rows), invalid=today[1] if today else (), rules=rules)
    return Comparison(result, scores, seen, rows.num_rows, notes)


def _scores(target: str, rows: pa.Table, saved: SavedModel) -> Scores:
    """Return the predictions for all rows, made in parts so that their number does not matter."""
    issue = champion_issue(models_dir()) if target == "unit" else None
    parts = [
        evaluate_model(target, rows.slice(start, PART_ROWS), saved, issue) for start in range(0, rows.num_rows, PART_ROWS)
    ]
    skipped: Counter[str] = sum((part.skipped for part in parts), Counter())
    truth = [label for part in parts for label in part.truth]
    return Scores(np.vstack([part.probabilities for part in parts]), parts[0].labels, truth, skipped)
