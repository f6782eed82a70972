"""Accuracy of both targets against character 1–3-gram TF-IDF + LinearSVC, on the same rows.

    python benchmarks/accuracy.py

Issue types: five folds by hash of the id. Unit functions and exact units: trained before 2023-09-15, tested after; and
four folds of the later rows by hash, each trained on everything else. `minqing train` and `minqing evaluate` do the work.
"""

from __future__ import annotations

import csv
import os
import statistics
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

from data import petitions_folder

Row = dict[str, str]
MEASURES = ("accuracy", "top3_accuracy", "macro_f1", "ece", "coverage_at_95_precision")


def main() -> None:
    folder = petitions_folder()
    issues, units = rows_of(folder / "issue_types.csv"), rows_of(folder / "responsible_units.csv")
    later = lambda row: row["submitted_at"] >= "2023-09-15"  # noqa: E731
    print("                                  top-1   top-3   macro-F1  ECE    at 95 % precision")
    report("issue type, 5 folds by hash", issues, "issue_type", [fold(k, 5) for k in range(5)])
    report("unit function, by time", units, "function", [later])
    splits = [lambda row, k=k: later(row) and fold(k, 4)(row) for k in range(4)]
    report("unit function, later rows by hash", units, "function", splits)
    report("exact unit, by time", units, "unit", [later])


def report(name: str, rows: list[Row], label: str, tests: list[Callable[[Row], bool]]) -> None:
    """Print the means over the splits, baseline first."""
    base, mine = [], []
    for test in tests:
        train, held = [r for r in rows if not test(r)], [r for r in rows if test(r)]
        base.append(baseline(train, held, label))
        mine.append(minqing(train, held, label))
    for title, results in ((name, base), ("", mine)):
        means = {m: statistics.mean(r[m] for r in results if r[m] is not None) if results[0][m] is not None else None for m in MEASURES}
        shown = "".join("      –" if means[m] is None else f"{means[m]:8.3f}" for m in MEASURES)
        print(f"{title:34s}{shown}   {'baseline' if title else 'minqing'}", flush=True)


def baseline(train: list[Row], held: list[Row], label: str) -> dict[str, float | None]:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import f1_score
    from sklearn.svm import LinearSVC

    text = lambda row: row["title"] + "\n" + row["body"]  # noqa: E731
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    model = LinearSVC().fit(vectoriser.fit_transform(map(text, train)), [r[label] for r in train])
    scores = model.decision_function(vectoriser.transform(map(text, held)))
    truth = np.array([r[label] for r in held])
    order = np.argsort(-scores, axis=1)[:, :3]
    best = model.classes_[order[:, 0]]
    return {
        "accuracy": float((best == truth).mean()),
        "top3_accuracy": float((model.classes_[order] == truth[:, None]).any(1).mean()),
        "macro_f1": float(f1_score(truth, best, average="macro")),
        "ece": None,
        "coverage_at_95_precision": None,
    }


def minqing(train: list[Row], held: list[Row], label: str) -> dict[str, float]:
    target = "issue_type" if label == "issue_type" else "unit"
    mapping = {} if label == target else {target: label}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MINQING_HOME"] = scratch
        from flows.learning import evaluate_files, train_files

        for name, rows in (("train", train), ("held", held)):
            with (Path(scratch) / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        train_files(target, [Path(scratch) / "train.csv"], mapping)
        return evaluate_files(target, [Path(scratch) / "held.csv"], mapping)


def fold(k: int, of: int) -> Callable[[Row], bool]:
    return lambda row: zlib.crc32(row["petition_id"].encode()) % of == k


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
