"""The second stage: what a fine-tuned encoder adds to the first one, what it takes to train, and how fast both serve.

    python benchmarks/transformer.py [--task issue|unit] [--encoder e5-small|FOLDER]

Issue types: trained on four of five folds by hash of the id, tested on the fifth. Unit functions: trained before
2023-09-15, tested after. Baseline, first stage and stack on the same rows; `minqing train` and `minqing evaluate` do the
work. About forty minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from pathlib import Path

from accuracy import MEASURES, Row, baseline, fold, rows_of
from data import petitions_folder

TASKS = {
    "issue": ("issue_types.csv", "issue_type", fold(0, 5)),
    "unit": ("responsible_units.csv", "function", lambda row: row["submitted_at"] >= "2023-09-15"),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=TASKS, action="append")
    parser.add_argument("--encoder", default="e5-small")
    chosen = parser.parse_args()
    print("                                     top-1   top-3   macro-F1  ECE    at 95 % precision")
    for task in chosen.task or TASKS:
        file, label, test = TASKS[task]
        rows = rows_of(petitions_folder() / file)
        train, held = [r for r in rows if not test(r)], [r for r in rows if test(r)]
        show(f"{task}: baseline", baseline(train, held, label))
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["MINQING_HOME"] = scratch
            stages(task, label, train, held, chosen.encoder, Path(scratch))


def stages(task: str, label: str, train: list[Row], held: list[Row], encoder: str, scratch: Path) -> None:
    from flows.learning import evaluate_files, train_files

    target = "issue_type" if task == "issue" else "unit"
    mapping = {} if label == target else {target: label}
    files = []
    for name, rows in (("train", train), ("held", held)):
        files.append(scratch / f"{name}.csv")
        with files[-1].open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    for name, on_top in (("first stage", None), ("with the encoder", encoder)):
        started = time.perf_counter()
        done = train_files(target, files[:1], mapping, encoder=on_top)
        took = time.perf_counter() - started
        show(f"{task}: {name}", evaluate_files(target, files[1:], mapping))
        print(f"    trained on {len(train)} rows in {took / 60:.1f} minutes; {rate(target, files[1], mapping, done)}", flush=True)


def rate(target: str, held: Path, mapping: dict[str, str], done: dict) -> str:
    """Return how fast one core scores held-out petitions, features included, and how many the second stage reads."""
    import numpy as np
    import pyarrow as pa
    from threadpoolctl import threadpool_limits

    from corpora.readers import read_petitions
    from corpora.workspace import models_dir
    from models import registry
    from models.training import evaluate_model

    saved = registry.load(models_dir(), target, done["model"])
    petitions = pa.concat_tables([c.table for c in read_petitions([held], mapping=mapping)])
    with threadpool_limits(1):
        evaluate_model(target, petitions.slice(0, 50), saved, None)
        started = time.process_time()
        scores = evaluate_model(target, petitions, saved, None)
        took = time.process_time() - started
    stack = saved.manifest["model"].get("stack")
    told = f"{petitions.num_rows / took:.0f} petitions per second of processor time"
    if stack:
        told += f"; asked where the first stage is below {stack['certain']}, weights {stack['weights']}"
        told += f", {np.mean(scores.probabilities.max(1)):.2f} mean confidence"
    return told


def show(name: str, result: dict) -> None:
    print(f"{name:36s}" + "".join("      –" if result[m] is None else f"{result[m]:8.3f}" for m in MEASURES), flush=True)


if __name__ == "__main__":
    main()
