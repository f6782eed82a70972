"""What the router knows without any labelled row: the bundled invented city, by duties and places alone.

    python benchmarks/zero_history.py

Baseline: always the unit with the most duty items. The bundled petitions and their labels are invented by the authors of
the duty items, so the figures are a check against regressions, not evidence about a real city.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections import Counter
from pathlib import Path

from flows.demo import DAY, city_folder


def main() -> None:
    city = city_folder()
    with (city / "incoming_truth.csv").open(encoding="utf-8-sig", newline="") as file:
        truth = {row["petition_id"]: row for row in csv.DictReader(file)}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MINQING_HOME"] = scratch
        os.environ.setdefault("PREFECT_HOME", f"{scratch}/prefect")
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
        from corpora.units import UnitDirectory
        from flows.learning import train_files
        from flows.route import route

        units = city / "units.yaml"
        largest = max(UnitDirectory.load(units).on(DAY).units, key=lambda unit: len(unit.duties)).code
        usual = sum(row["unit"] == largest for row in truth.values()) / len(truth)
        print(f"{len(truth)} invented petitions            unit top-1  top-3   issue (leaf) top-1  top-3")
        print(f"  baseline: the largest unit          {usual:.3f}")
        for name in ("no labelled history", "330 labelled rows"):
            if name != "no labelled history":
                for target in ("issue_type", "unit"):
                    train_files(target, [city / "history.csv"], {}, units)
            out = Path(scratch) / name
            route([str(city / "incoming")], str(out), units=str(units), on=DAY)
            with (out / "suggestions.jsonl").open(encoding="utf-8") as lines:
                print(f"  {name:34s}  {measures([json.loads(line) for line in lines], truth)}")


def measures(suggestions: list[dict[str, object]], truth: dict[str, dict[str, str]]) -> str:
    hits: Counter[str] = Counter()
    for one in suggestions:
        wanted = truth[str(one["petition_id"])]
        units = [unit["code"] for unit in one["top_k"]]  # type: ignore[index]
        issues = [issue["code"] for issue in one["issue_top_k"]]  # type: ignore[index]
        hits["u1"] += units[:1] == [wanted["unit"]]
        hits["u3"] += wanted["unit"] in units[:3]
        hits["i1"] += issues[:1] == [wanted["issue_type"]]
        hits["i3"] += wanted["issue_type"] in issues[:3]
    n = len(suggestions)
    return f"{hits['u1'] / n:.3f}      {hits['u3'] / n:.3f}   {hits['i1'] / n:.3f}              {hits['i3'] / n:.3f}"


if __name__ == "__main__":
    main()
