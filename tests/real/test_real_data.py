"""Real petitions, read from the evaluation data beside the checkout; nothing of them is printed or kept."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from corpora.readers import read_petitions

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "petitions"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the evaluation data is not beside the checkout")


@pytest.mark.parametrize(
    ("name", "rows"),
    [("issue_types.csv", 3245), ("responsible_units.csv", 3567), ("unlabelled_with_votes.xlsx", 4326), ("with_replies.xlsx", 2816)],
)
def test_every_row_is_read(name: str, rows: int) -> None:
    chunks = list(read_petitions([FOLDER / name]))
    assert sum(chunk.table.num_rows for chunk in chunks) == rows
    assert not [item.code for chunk in chunks for item in chunk.rejections]


def split(tmp_path: Path, name: str, later: Any) -> tuple[Path, Path]:
    with (FOLDER / name).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    paths = tmp_path / "train.csv", tmp_path / "held.csv"
    for path, part in zip(paths, ([r for r in rows if not later(r)], [r for r in rows if later(r)]), strict=True):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(part)
    return paths


def test_unit_functions_by_time(tmp_path: Path) -> None:
    from flows.learning import evaluate_files, train_files

    train, held = split(tmp_path, "responsible_units.csv", lambda row: row["submitted_at"] >= "2023-09-15")
    train_files("unit", [train], {"unit": "function"})
    found = evaluate_files("unit", [held], {"unit": "function"})
    assert found["rows"] == 1310
    assert found["accuracy"] > 0.53
    assert found["top3_accuracy"] > 0.82
    assert found["macro_f1"] > 0.43
    assert found["ece"] < 0.08


def test_issue_types(tmp_path: Path) -> None:
    from flows.learning import evaluate_files, train_files

    train, held = split(tmp_path, "issue_types.csv", lambda row: int(row["petition_id"][1:]) % 4 == 0)
    train_files("issue_type", [train], {})
    found = evaluate_files("issue_type", [held], {})
    assert found["accuracy"] > 0.87
    assert found["macro_f1"] > 0.86
    assert found["ece"] < 0.05


@pytest.mark.usefixtures("prefect_server")
def test_campaigns_are_found(tmp_path: Path, city: Path) -> None:
    from flows.route import route

    run = route([str(FOLDER / "unlabelled_with_votes.xlsx")], str(tmp_path), units=str(city / "units.yaml"), workers=1)
    assert (run["read"], run["routed"]) == (4326, 4326)
    with (tmp_path / "suggestions.jsonl").open(encoding="utf-8") as lines:
        groups = Counter(json.loads(line)["event_group"] for line in lines)
    groups.pop(None)
    sizes = [size for _, size in groups.most_common(3)]
    assert sizes[0] >= 40, "two campaigns of some fifty letters are known to be in there"
    assert sizes[1] >= 30
    assert sizes[0] <= 120, "a topic is not an event"


@pytest.mark.usefixtures("prefect_server", "home")
def test_a_retraining_on_more_rows(tmp_path: Path) -> None:
    from flows.retrain import retrain

    few, _ = split(tmp_path, "issue_types.csv", lambda row: int(row["petition_id"][1:]) >= 900)
    first = retrain("issue_type", [str(few)], out=str(tmp_path / "first"))
    second = retrain("issue_type", [str(FOLDER / "issue_types.csv")], out=str(tmp_path / "second"))
    assert (first["decision"], second["decision"]) == ("promoted", "promoted")
    assert second["rows"]["read"] == 3245
    assert second["compared"] > 400
    assert second["measures"]["candidate"]["accuracy"] > second["measures"]["champion"]["accuracy"]
    # A person's mistakes, and letters filed twice under two types, are known to be in there.
    assert 0 <= second["rows"]["left_out"].get("same text, different labels", 0) < 100
