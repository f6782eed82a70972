"""`minqing diagnose`: held-out predictions of a labelled set, taken apart into a report and a list of doubtful labels."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpora.issue_tree import IssueTree
from corpora.workspace import models_dir
from dispatch.diagnosis_files import write_label_errors
from dispatch.diagnosis_report import render_diagnosis
from flows.learning import champion_issue, read_labelled
from flows.plan import Progress
from models import diagnosis, learning_curve
from models.city import City
from models.doubts import doubts
from models.evaluation import evaluate
from models.label_errors import find_label_errors
from models.training import Fitted, TrainingError, fit

#: Classes in the drawn confusion, and confused pairs in the list with examples' ids of each.
DRAWN, PAIRS, EXAMPLES = 40, 60, 5


def diagnose_files(
    target: str,
    paths: Sequence[Path],
    mapping: Mapping[str, str],
    out: Path,
    units: Path | None = None,
    places: Path | None = None,
    *,
    curves: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Examine labelled files and write `report.html`, `label_errors.xlsx`, `label_errors.jsonl`, `diagnosis.json` to `out`.

    Returns:
        What `diagnosis.json` says, and the folder.

    Raises:
        models.training.TrainingError: if the rows cannot be learnt from.
        corpora.readers.ReadError: if the files or the mapping are unusable.
    """
    petitions, rejected = read_labelled(paths, mapping)
    city = City.load(units, places)
    fitted = fit(target, petitions, city, issue=champion_issue(models_dir()) if target == "unit" else None)
    held = fitted.held_out
    if not len(held.rows):
        msg = f"{len(fitted.y)} labelled rows are too few to hold some out: at least {diagnosis.LEAST_ROWS} are needed"
        raise TrainingError(msg)
    names = _names(target, fitted)
    ids = fitted.petitions["petition_id"].to_pylist()
    found: dict[str, Any] = {
        "target": target,
        "created_at": dt.datetime.now().isoformat(timespec="seconds"),
        "read": petitions.num_rows + sum(rejected.values()),
        "rejected": dict(rejected),
        "left_out": dict(fitted.skipped),
        "rows": len(fitted.y),
        "measured_rows": len(held.rows),
        "names": dict(zip(fitted.labels, names, strict=True)),
        **_measures(fitted, ids),
    }
    errors = find_label_errors(held.probabilities, held.y)
    listed = doubts(fitted, errors, names)
    found["label_errors"] = {"count": len(listed), "estimated_share": errors.noise}
    found["curves"], found["no_curves"] = _curves(fitted, progress or Progress()) if curves else (None, "")
    out.mkdir(parents=True, exist_ok=True)
    plain = [dataclasses.asdict(item) for item in listed]
    write_label_errors(out, plain)
    _write(out / "diagnosis.json", found)
    (out / "report.html").write_text(render_diagnosis(found, plain), "utf-8")
    return {**found, "out": str(out)}


def _names(target: str, fitted: Fitted) -> list[str]:
    if target == "unit":
        return list(fitted.names)
    tree = IssueTree.load()
    return [tree.path_name(label) if tree.resolve(label) == label else label for label in fitted.labels]


def _measures(fitted: Fitted, ids: Sequence[str]) -> dict[str, Any]:
    held, labels = fitted.held_out, fitted.labels
    p, y = held.probabilities, held.y
    predicted = p.argmax(1)
    confidence, hit = p[np.arange(len(y)), predicted], predicted == y
    matrix = diagnosis.confusion(y, predicted, len(labels))
    order = diagnosis.confusion_order(matrix, DRAWN)
    pairs = diagnosis.confused_pairs(p, y, PAIRS)
    return {
        "measures": evaluate(p, labels, [labels[i] for i in y.tolist()]).as_dict(),
        "classes": [
            {**dataclasses.asdict(entry), "label": labels[entry.label]} for entry in diagnosis.by_class(p, y)
        ],
        "confusion": {
            "labels": [labels[i] for i in order],
            "counts": matrix[np.ix_(order, order)].tolist(),
            "others": (matrix[order].sum(1) - matrix[np.ix_(order, order)].sum(1)).tolist(),
            "all_drawn": len(order) == int(((matrix.sum(0) + matrix.sum(1)) > 0).sum()),
        },
        "pairs": [
            {
                "first": labels[pair.first], "second": labels[pair.second], "forth": pair.forth, "back": pair.back,
                "of_first": int(matrix[pair.first].sum()), "of_second": int(matrix[pair.second].sum()),
                "examples": [ids[held.rows[row]] for row in pair.rows[:EXAMPLES]],
            }
            for pair in pairs
        ],
        "pairs_left_out": int(_pairs(matrix)) - len(pairs),
        "coverage_curve": diagnosis.coverage_curve(confidence, hit),
        "reliability": [dataclasses.asdict(entry) for entry in diagnosis.reliability(confidence, hit)],
    }  # fmt: skip


def _pairs(matrix: diagnosis.I64) -> int:
    mixed = np.triu(matrix + matrix.T, 1)
    return int((mixed > 0).sum())


def _curves(fitted: Fitted, progress: Progress) -> tuple[dict[str, Any] | None, str]:
    """Return the learning curves as plain values, or None and why there are none."""
    held, labels, n = fitted.held_out, fitted.labels, len(fitted.y)
    if held.ranker is None:
        return None, "the model keeps no weights of its views"
    given = {name: view for name, view in fitted.given.items() if len(view) == n}
    try:
        points = learning_curve.measure(
            fitted.features, fitted.y, len(labels), held.ranker, given, fitted.issues, progress=progress
        )
    except ValueError as error:
        return None, str(error)
    support = np.bincount(fitted.y, minlength=len(labels))
    right = np.bincount(held.y[held.probabilities.argmax(1) == held.y], minlength=len(labels))
    recall = right / np.maximum(np.bincount(held.y, minlength=len(labels)), 1)
    found = learning_curve.estimate(points, support, recall)
    told = {
        "sizes": points.sizes.tolist(),
        "errors": found.errors.tolist(),
        "intervals": [diagnosis.wilson(error * len(points.y), len(points.y)) for error in found.errors.tolist()],
        "held_out": len(points.y),
        "repeats": learning_curve.REPEATS,
        "left_out": list(points.left_out),
        "law": dataclasses.asdict(found.law),
        "backtest": found.backtest,
        "rows": found.rows,
        "gains": [dataclasses.asdict(gain) for gain in found.gains],
        "classes": [{**dataclasses.asdict(gain), "label": labels[gain.label]} for gain in found.classes],
    }
    return told, ""


def _write(path: Path, value: dict[str, Any]) -> None:
    from flows.options import dumped

    path.write_text(dumped(value), "utf-8")
