"""A unit that a reform made yesterday: suggested from its duty items alone, and from its first 10, 20, 50, 100 letters.

    python benchmarks/new_unit.py [--city] [--only 交通 …] [--counts 0 50]

Each unit function with at least 100 rows is the new unit in turn: none of its rows before 2023-09-15 is learnt from but its
earliest 0, 10, 20, 50, 100; the unit directory (`functions.yaml`) knows it throughout. Measured on all rows from that day on:
its own (top-1, top-3), and the others' (top-3, and how many of them are given to the new unit), beside what others have
when all is learnt and when the new unit has no duty items and no rows. Towns, sub-districts, 其他 and 管委会 answer by territory, not
by duties: they are reported apart. "served" is a model trained before the unit was in the directory and used with the
directory of today. Baseline: character 1–3-gram TF-IDF + LinearSVC on the same rows. `--city` does the same with the bundled
invented city, whose units have a few dozen rows at most. Code of another checkout is measured by PYTHONPATH.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import os
import statistics
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from data import petitions_folder

Row = dict[str, str]
CUT = "2023-09-15"
COUNTS = (0, 10, 20, 50, 100)
LEAST = 100
#: They answer by territory (or by nothing in common): duty items do not tell them apart.
APART = ("街道办事处", "镇人民政府", "其他", "管委会")
#: Rows a unit of the bundled city must have, before and after the cut.
LEAST_IN_CITY = 8


@dataclass(frozen=True)
class Task:
    """Rows to learn from and to measure on, oldest first, with the column of the unit and the directory."""

    train: list[Row]
    held: list[Row]
    label: str
    units: Path
    text: tuple[str, str]


@dataclass(frozen=True)
class Result:
    """Shares of rows: the new unit's in the top 1 and 3, the others' in the top 3, and those of others given to it."""

    own1: float
    own3: float
    others3: float
    flooded: float

    def __str__(self) -> str:
        return f"{self.own1:7.3f} {self.own3:7.3f} {self.others3:9.3f} {self.flooded:8.3f}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--city", action="store_true")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--counts", nargs="*", type=int, default=list(COUNTS))
    asked = parser.parse_args()
    task, counts = (city_task() if asked.city else functions_task()), Counter[str]()
    counts.update(row[task.label] for row in task.train + task.held)
    held = Counter(row[task.label] for row in task.held)
    least = 2 * LEAST_IN_CITY if asked.city else LEAST
    units = asked.only or [u for u, n in counts.most_common() if n >= least and held[u] >= LEAST_IN_CITY]
    print(f"{len(task.train)} rows to learn from, {len(task.held)} to measure on")
    print("new unit                held  rows      top-1   top-3  others' top-3  given to it")
    results: dict[tuple[str, str], list[Result]] = {}
    for unit in sorted(units, key=lambda unit: (unit in APART, -counts[unit])):
        for name, result in measured(task, unit, asked.counts):
            print(f"{unit:20s} {held[unit]:6d}  {name:18s}{result}", flush=True)
            if unit not in APART:
                results.setdefault((name, ""), []).append(result)
    print("means, those that answer by territory left out")
    for (name, _), found in results.items():
        mean = Result(*(statistics.mean(getattr(one, field) for one in found) for field in Result.__dataclass_fields__))
        print(f"{'':27s}  {name:18s}{mean}", flush=True)


def measured(task: Task, unit: str, counts: list[int]) -> list[tuple[str, Result]]:
    """Return what each number of rows gives, and each baseline."""
    others = [row for row in task.train if row[task.label] != unit]
    own = [row for row in task.train if row[task.label] == unit]
    out = []
    for count in counts:
        if count == 0 or count <= len(own):
            rows = sorted(others + own[:count], key=lambda row: row["submitted_at"])
            out.append((f"{count}", minqing(task, rows, unit)))
            if count in (0, 50):
                out.append((f"{count} baseline", baseline(task, rows, unit)))
    if 0 in counts:
        out.append(("0 served", served(task, others, unit)))
    out.append((f"all ({len(own)})", minqing(task, task.train, unit)))
    return out


def baseline(task: Task, rows: list[Row], unit: str) -> Result:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    text = lambda row: "\n".join(row[name] for name in task.text)  # noqa: E731
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    model = LinearSVC().fit(vectoriser.fit_transform(map(text, rows)), [row[task.label] for row in rows])
    scores = model.decision_function(vectoriser.transform(map(text, task.held)))
    return result(task, scores, list(model.classes_), unit)


def minqing(task: Task, rows: list[Row], unit: str) -> Result:
    from models.city import City
    from models.training import evaluate_model, train

    with tempfile.TemporaryDirectory() as scratch:
        saved = train("unit", table(task, rows, scratch), City.load(task.units), Path(scratch)).saved
        scores = evaluate_model("unit", table(task, task.held, scratch), saved, None)
    return result(task, scores.probabilities, [str(label) for label in scores.labels], unit)


def served(task: Task, rows: list[Row], unit: str) -> Result:
    """Train with a directory in which the unit is not yet, and route with the one in which it is."""
    from models import registry
    from models.city import City
    from models.serving import load_router
    from models.training import train

    with tempfile.TemporaryDirectory() as scratch:
        before = Path(scratch) / "before" / "units.yaml"
        before.parent.mkdir()
        before.write_text(without(task.units, unit), "utf-8")
        places = task.units.parent / "places.csv"
        saved = train("unit", table(task, rows, scratch), City.load(before, places if places.exists() else None), Path(scratch)).saved
        registry.promote(Path(scratch), "unit", saved.version)
        router = load_router(Path(scratch), None, saved.version, task.units, None, None, dt.date.today())
        ranked = router.route(table(task, task.held, scratch)).suggestions["top_k"].to_pylist()
    labels = [str(one.code) for one in router.directory.units]
    scores = np.zeros((len(ranked), len(labels)))
    for row, units in enumerate(ranked):
        for one in units:
            scores[row, labels.index(one["code"])] = one["probability"]
    return result(task, scores, labels, unit)


def without(path: Path, unit: str) -> str:
    """Return a unit directory as if a unit of it had never been."""
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    content["units"] = [item for item in content["units"] if item["code"] != unit]
    for item in content["units"]:
        successors = item.get("successor") or []
        if unit in ([successors] if isinstance(successors, str) else successors):
            item["successor"] = None
        for duty in item.get("duties") or []:
            duty["co_units"] = [code for code in duty.get("co_units") or () if code != unit]
    return yaml.safe_dump(content, allow_unicode=True)


def result(task: Task, scores: Any, labels: list[str], unit: str) -> Result:
    best = np.array(labels, dtype=object)[np.argsort(-scores, axis=1, kind="stable")[:, :3]]
    truth = np.array([row[task.label] for row in task.held], dtype=object)
    hits, own = (best == truth[:, None]).any(1), truth == unit
    led = best[:, 0] == unit
    return Result(float(led[own].mean()), float(hits[own].mean()), float(hits[~own].mean()), float(led[~own].mean()))


def table(task: Task, rows: list[Row], scratch: str) -> Any:
    from flows.learning import read_labelled

    path = Path(scratch) / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return read_labelled([path], {"unit": task.label})[0]


def functions_task() -> Task:
    with (petitions_folder() / "responsible_units.csv").open(encoding="utf-8-sig", newline="") as file:
        # The unit is named in its own column: no part of the petition, and a second column that reads as the label.
        rows = [{name: value for name, value in row.items() if name != "unit"} for row in csv.DictReader(file)]
    rows.sort(key=lambda row: row["submitted_at"])
    train, held = [r for r in rows if r["submitted_at"] < CUT], [r for r in rows if r["submitted_at"] >= CUT]
    return Task(train, held, "function", Path(__file__).parent / "functions.yaml", ("title", "body"))


def city_task() -> Task:
    """Return the bundled city: learn from history.csv, measure on the incoming petitions whose unit is known."""
    from corpora.units import UnitDirectory
    from flows.demo import DAY, city_folder
    from flows.learning import read_labelled

    city = city_folder()
    directory = UnitDirectory.load(city / "units.yaml")
    with (city / "incoming_truth.csv").open(encoding="utf-8-sig", newline="") as file:
        truth = {row["petition_id"]: row["unit"] for row in csv.DictReader(file)}

    def plain(paths: list[Path]) -> list[Row]:
        columns = ("petition_id", "title", "body", "address", "submitted_at", "unit")
        found = [{name: str(row[name] or "") for name in columns} for row in read_labelled(paths, {})[0].to_pylist()]
        return sorted(found, key=lambda row: row["submitted_at"])

    def today(label: str) -> str:
        code = directory.resolve(label)
        now = directory.successor_on(code, DAY) if code else ()
        return str(now[0]) if now else ""

    train = [row | {"unit": today(row["unit"])} for row in plain([city / "history.csv"])]
    held = [row | {"unit": truth[row["petition_id"]]} for row in plain([city / "incoming"]) if row["petition_id"] in truth]
    return Task([row for row in train if row["unit"]], held, "unit", city / "units.yaml", ("title", "body"))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
