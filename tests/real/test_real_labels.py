"""The label round trip on real petitions; nothing of them is printed or kept."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpora.label_formats import read_filled
from corpora.label_import import Importer
from corpora.label_store import exports
from corpora.labelled import row_keys, split_of
from corpora.records import PETITION_SCHEMA
from corpora.workspace import labels_dir

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "petitions"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the evaluation data is not beside the checkout")


def test_unlabelled_letters_go_out_and_come_back(tmp_path: Path, city: Path) -> None:
    import datetime as dt

    from flows.label_export import export_files

    out = export_files(
        "unit", [FOLDER / "with_replies.xlsx"], 60, "xlsx", tmp_path / "a.xlsx", units=city / "units.yaml"
    )  # fmt: skip
    assert out["rows"] == 60
    (given_out,) = exports(labels_dir())
    (found,) = read_filled(tmp_path / "a.xlsx")
    assert (found.open, found.rejections, found.outcomes) == (60, [], ())  # the units' replies are nowhere
    assert Importer(labels_dir(), dt.date.today()).check(found).annotations == []
    assert given_out.table.schema.equals(PETITION_SCHEMA)


def test_wrong_labels_are_found() -> None:
    """Of 100 labels set wrong at random, most are among the first suspects."""
    from corpora.issue_tree import IssueTree
    from models.candidates import label_errors, predict

    with (FOLDER / "issue_types.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    tree = IssueTree.load()
    labels = [str(tree.resolve(row["issue_type"]) or row["issue_type"]) for row in rows]
    names = sorted(set(labels))
    rng = np.random.default_rng(0)
    wrong = rng.choice(len(rows), 100, replace=False)
    for row in wrong:
        labels[row] = names[(names.index(labels[row]) + int(rng.integers(1, len(names)))) % len(names)]
    table = pa.table(
        {
            **{name: [row[name] for row in rows] for name in ("petition_id", "title", "body")}, "submitted_at": [None] * len(rows),
            **{name: [""] * len(rows) for name in ("address", "channel", "unit", "source")}, "issue_type": labels,
            "refused_units": [[]] * len(rows), "row": list(range(len(rows))),
        },
        pa.schema([PETITION_SCHEMA.field(name) for name in (
            "petition_id", "title", "body", "submitted_at", "address", "channel", "unit", "source", "issue_type", "refused_units", "row",
        )]),
    ).select(PETITION_SCHEMA.names)  # fmt: skip
    suspects, _ = label_errors("issue_type", table, predict("issue_type", table.slice(0, 1), labels_dir(), None, None, None), labels)  # type: ignore[arg-type]
    assert len(set(suspects[:200].tolist()) & set(wrong.tolist())) >= 70


def test_no_letter_stands_on_two_sides() -> None:
    from flows.label_rows import read_rows

    table = read_rows([FOLDER / "responsible_units.csv"], {})[0]
    keys = row_keys(table)
    for by in ("hash", "time"):
        parts = split_of(table, by, 0.15, 0.1)
        assert not set(keys[parts == "train"].tolist()) & set(keys[parts == "test"].tolist())
        assert abs((parts == "test").mean() - 0.15) < 0.03
