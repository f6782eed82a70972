"""What the models say of rows that may be given out: without a model, and of labels that were set wrong on purpose."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
from toy import UNITS, labelled

from models.candidates import label_errors, predict

DAY = dt.date(2026, 11, 1)


def test_without_model_and_directory_the_rows_are_prepared_alone(tmp_path: Path) -> None:
    found = predict("unit", labelled(6), tmp_path, None, None, DAY)
    assert (found.probabilities, found.codes, found.model, found.cosine) == (None, (), "", None)
    assert found.made.features.size == 6


def test_labels_set_wrong_are_found_by_models_that_did_not_learn_them(tmp_path: Path) -> None:
    rows = labelled(90)
    labels: list[str | None] = rows["unit"].to_pylist()
    right = {row: labels[row] for row in (3, 4, 62)}  # letters that stand in nearly the same words elsewhere
    for row, label in right.items():
        labels[row] = UNITS[(UNITS.index(str(label)) + 1) % len(UNITS)]
    labels[7] = None  # a row without a label is no suspect
    suspects, suggested = label_errors("unit", rows, predict("unit", rows, tmp_path, None, None, DAY), labels)
    told = dict(zip(suspects.tolist(), suggested, strict=True))
    assert right.items() <= told.items()
    assert 7 not in told
    assert set(suspects[:3].tolist()) == set(right)


def test_few_labels_and_rare_ones_are_not_accused(tmp_path: Path) -> None:
    rows = labelled(90)
    predicted = predict("unit", rows, tmp_path, None, None, DAY)
    few: list[str | None] = [*rows["unit"].to_pylist()[:40], *[None] * 50]
    assert label_errors("unit", rows, predicted, few)[1] == []
    rare: list[str | None] = rows["unit"].to_pylist()
    rare[10] = "市档案局"
    assert 10 not in np.asarray(label_errors("unit", rows, predicted, rare)[0])
