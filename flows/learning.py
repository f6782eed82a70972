"""Training and evaluation from files, as the command line runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpora.readers import read_petitions
from corpora.records import PETITION_SCHEMA
from corpora.workspace import models_dir
from flows.encoders import encoder as encoder_of
from models import registry
from models.city import City
from models.evaluation import evaluate
from models.issue import IssueModel
from models.saved import issue_model
from models.training import TrainingError, evaluate_model, train


def train_files(
    target: str,
    paths: Sequence[Path],
    mapping: Mapping[str, str],
    units: Path | None = None,
    places: Path | None = None,
    *,
    promote: bool = True,
    encoder: str | None = None,
) -> dict[str, Any]:
    """Learn a target from labelled files, save the version and put it in service.

    `encoder` is fine-tuned on top: `e5-small`, a folder or a hub name.

    Returns:
        Measures on held-out predictions, rows used, left out and rejected, the version.

    Raises:
        models.training.TrainingError: if the rows cannot be learnt from.
        corpora.readers.ReadError: if the files or the mapping are unusable.
    """
    petitions, rejected = read_labelled(paths, mapping)
    root = models_dir()
    city = City.load(units, places)
    done = train(
        target,
        petitions,
        city,
        root,
        issue=champion_issue(root) if target == "unit" else None,
        encoder=encoder_of(encoder) if encoder else None,
    )
    before = registry.champion(root, target)
    if promote:
        registry.promote(root, target, done.saved.version, why="trained by hand, no gate", kind="train")
    measures = done.evaluation.as_dict() if done.evaluation else dict.fromkeys(_MEASURES)
    return {
        "target": target,
        **measures,
        "rows": done.rows,
        "measured_rows": done.evaluation.rows if done.evaluation else 0,
        "classes": done.classes,
        "left_out": dict(done.skipped),
        "rejected": dict(rejected),
        "measured_on": "held-out folds of the training rows",
        "promoted": promote,
        "replaced": before if promote and before != done.saved.version else None,
        "model": done.saved.version,
        "folder": str(done.saved.folder),
    }


_MEASURES = ("accuracy", "macro_f1", "top3_accuracy", "ece", "coverage_at_95_precision", "coverage")


def evaluate_files(
    target: str, paths: Sequence[Path], mapping: Mapping[str, str], version: str | None = None
) -> dict[str, Any]:
    """Measure a version (the champion by default) on labelled files.

    Raises:
        models.training.TrainingError: if there is no such model or no labelled row.
    """
    root = models_dir()
    saved = registry.load(root, target, version)
    if saved is None:
        msg = f"no {target} model is in service: run `minqing train PATHS --target {target}` first"
        raise TrainingError(msg)
    petitions, rejected = read_labelled(paths, mapping)
    scores = evaluate_model(target, petitions, saved, champion_issue(root) if target == "unit" else None)
    measured = evaluate(scores.probabilities, scores.labels, scores.truth)
    return {
        "target": target,
        **measured.as_dict(),
        "left_out": dict(scores.skipped),
        "rejected": dict(rejected),
        "measured_on": "the rows given",
        "model": saved.version,
    }


def champion_issue(root: Path) -> IssueModel | None:
    """Return the issue model in service, if there is one."""
    saved = registry.load(root, "issue_type")
    return issue_model(saved) if saved else None


def read_labelled(paths: Sequence[Path], mapping: Mapping[str, str]) -> tuple[pa.Table, Counter[str]]:
    """Return the rows of labelled files, and code → number of rows that could not be read."""
    tables, rejected = [PETITION_SCHEMA.empty_table()], Counter[str]()
    for chunk in read_petitions(paths, mapping=mapping):
        tables.append(chunk.table)
        rejected.update(item.code for item in chunk.rejections)
    return pa.concat_tables(tables).combine_chunks(), rejected
