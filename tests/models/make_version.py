"""Makes the committed versions of today's format: run it once when a format is new, never to overwrite an old one.

    python tests/models/make_version.py

The rows are invented (`toy.py`). `test_old_versions.py` loads every folder under `versions/` and scores rows with it: a change
that breaks models in service shows there first.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import toy  # noqa: E402 - found by the line above

from models import registry  # noqa: E402
from models.city import City  # noqa: E402
from models.saved import issue_model  # noqa: E402
from models.training import evaluate_model, train  # noqa: E402

ROWS = 30


def probabilities(target: str, root: Path, version: str, issue: str) -> dict[str, Any]:
    """Return labels and probabilities that a saved version gives for the rows after those it was trained on."""
    saved = registry.load(root, target, version)
    assert saved is not None
    known = registry.load(root, "issue_type", issue)
    assert known is not None
    rows = toy.labelled(ROWS + 3, issues=True).slice(ROWS)
    scores = evaluate_model(target, rows, saved, issue_model(known) if target == "unit" else None)
    return {"labels": list(scores.labels), "probabilities": scores.probabilities.round(8).tolist()}


def main() -> None:
    """Train, save and write down what the versions say."""
    folder = HERE / "versions" / registry.FORMAT.rpartition("/")[2]
    if folder.exists():
        sys.exit(f"{folder} is there: versions of a format are made once")
    with TemporaryDirectory() as temporary:
        root, rows = Path(temporary), toy.labelled(ROWS, issues=True)
        issue = train("issue_type", rows, City(), root)
        unit = train("unit", rows, City(), root, issue=issue_model(issue.saved))
        names = {"issue_type": issue.saved.version, "unit": unit.saved.version}
        expected = {
            target: {"version": name, **probabilities(target, root, name, names["issue_type"])} for target, name in names.items()
        }
        shutil.copytree(root, folder, ignore=shutil.ignore_patterns(".*"))
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main()
