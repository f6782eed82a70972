"""Time and memory of `minqing retrain` on very many rows: real petitions repeated with edits.

    python benchmarks/retrain.py [--rows 100000] [--target unit|function|issue_type]

Rows are made from the real ones by inserting, deleting and swapping characters and changing numbers, so that no two are the
same text; accuracy on them says nothing, since a row's siblings are learnt from. `function` is the target unit with the 20
functions for labels. Reading, masking, both fits, calibration, evaluation, gate, report and promotion are counted.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from data import petitions_folder

RUN = """
import json, resource, sys, time
if __name__ == "__main__":
    from flows.retrain import retrain
    began = time.perf_counter()
    run = retrain(sys.argv[1], [sys.argv[2]], out=sys.argv[3], wait=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    used = time.process_time()
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu": used, "peak": peak, "decision": run["decision"],
                      "rows": run["rows"], "measures": run["measures"]["candidate"]}))
"""
_SOURCES = {
    "issue_type": ("issue_types.csv", "issue_type"), "unit": ("responsible_units.csv", "unit"),
    "function": ("responsible_units.csv", "function"),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--target", choices=[*_SOURCES], action="append")
    options = parser.parse_args()
    folder = petitions_folder()
    for name in options.target or [*_SOURCES]:
        file, column = _SOURCES[name]
        target = "issue_type" if name == "issue_type" else "unit"
        with tempfile.TemporaryDirectory() as scratch:
            base = Path(scratch)
            make(folder / file, base / "rows.csv", options.rows, column, target)
            (base / "run.py").write_text(RUN)
            environment = os.environ | {
                "MINQING_HOME": str(base / "home"), "PREFECT_HOME": str(base / "prefect"), "PREFECT_LOGGING_LEVEL": "CRITICAL",
                "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
            }  # fmt: skip
            command = [sys.executable, str(base / "run.py"), target, str(base / "rows.csv"), str(base / "out")]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            if done.returncode:
                sys.exit(done.stderr)
            found = json.loads(done.stdout.splitlines()[-1])
        rows = found["rows"]
        print(
            f"{name}: {rows['read']:,} rows, {rows['classes']} classes, learnt from {rows['train']:,}: {found['seconds']:,.0f} s "
            f"({found['cpu']:,.0f} s of processor time), peak {found['peak']:,.0f} MB, {found['decision']}",
            flush=True,
        )


def make(source: Path, target: Path, rows: int, column: str, label: str) -> None:
    """Write `rows` labelled petitions by repetition with edits."""
    chance = random.Random(0)
    with source.open(encoding="utf-8-sig", newline="") as file:
        real = list(csv.DictReader(file))
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["petition_id", "title", "body", "submitted_at", label])
        for i in range(rows):
            row = real[i % len(real)]
            body = row["body"] if i < len(real) else edited(row["body"], chance)
            writer.writerow([f"P{i:07d}", row["title"], body, row["submitted_at"], row[column]])


def edited(text: str, chance: random.Random) -> str:
    """Return a text with a few characters inserted, left out or swapped in every fifty, and other numbers."""
    letters = [str(chance.randrange(10)) if char.isascii() and char.isdigit() else char for char in text]
    for _ in range(max(2, len(letters) // 25)):
        at = chance.randrange(max(len(letters) - 1, 1))
        kind = chance.randrange(3)
        if kind == 0:
            letters.insert(at, letters[chance.randrange(len(letters))])
        elif kind == 1 and len(letters) > 10:
            del letters[at]
        elif len(letters) > 1:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


if __name__ == "__main__":
    main()
