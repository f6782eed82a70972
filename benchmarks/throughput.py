"""Throughput of `minqing route`, CSV to store, against a naive peer that only classifies, on the same file.

    python benchmarks/throughput.py [--rows 20000] [--repeat 3] [--memory]

Peer: pandas, `jieba.lcut`, TfidfVectorizer and LinearSVC in one process, one target, no reasons, nothing stored.
minqing: masking, both targets, ranker, urgency, deadlines, events, reasons, store, files and report, on all cores.
Both are trained on the same labelled rows; training and start-up of the interpreter are not counted, reading is.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from data import petitions_folder

PEER = """
import sys, time, jieba, pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
jieba.setLogLevel(60); jieba.initialize()
train = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False)
words = lambda frame: [" ".join(jieba.lcut(t + "\\n" + b)) for t, b in zip(frame.title, frame.body)]
vectoriser = TfidfVectorizer(token_pattern=r"(?u)\\S+")
model = LinearSVC().fit(vectoriser.fit_transform(words(train)), train.issue_type)
began = time.perf_counter()
frame = pd.read_csv(sys.argv[2], dtype=str, keep_default_na=False)
frame["issue"] = model.predict(vectoriser.transform(words(frame)))
frame[["petition_id", "issue"]].to_csv(sys.argv[3])
print(time.perf_counter() - began)
"""
MINQING = """
import sys, time, os
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
if __name__ == "__main__":  # worker processes read this file too, and need none of it
    from flows.route import route
    warm, rows, out = sys.argv[1:4]
    route([warm], out + "-warm")  # Prefect's own server starts once a night, not once a file
    began = time.perf_counter()
    route([rows], out)
    print(time.perf_counter() - began)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="also compare peak memory at 10,000 and 300,000 rows")
    options = parser.parse_args()
    folder = petitions_folder()
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        os.environ["MINQING_HOME"] = str(base / "home")
        os.environ["PREFECT_HOME"] = str(base / "prefect")
        train(folder)
        (base / "minqing.py").write_text(MINQING)
        (base / "peer.py").write_text(PEER)
        make(folder / "issue_types.csv", base / "warm.csv", 50)
        length = make(folder / "issue_types.csv", base / "rows.csv", options.rows)
        peers, ours = [], []
        for turn in range(options.repeat):
            peers.append(timed(base / "peer.py", folder / "issue_types.csv", base / "rows.csv", base / "peer.csv"))
            clear(base)
            ours.append(timed(base / "minqing.py", base / "warm.csv", base / "rows.csv", base / f"out{turn}"))
            print(f"turn {turn + 1}: peer {options.rows / peers[-1]:,.0f}/s, minqing {options.rows / ours[-1]:,.0f}/s", flush=True)
        peer, mine = statistics.median(peers), statistics.median(ours)
        print(f"{options.rows:,} petitions of {length:.0f} characters on average, {os.cpu_count()} cores, median of {options.repeat}")
        print(f"  peer (classifies only)        {options.rows / peer:8,.0f} petitions/s   baseline")
        print(f"  minqing route (CSV to store)  {options.rows / mine:8,.0f} petitions/s   {peer / mine:.2f} × the peer")
        if options.memory:
            memory(folder, base)


def memory(folder: Path, base: Path) -> None:
    for rows in (10_000, 300_000):
        make(folder / "issue_types.csv", base / "many.csv", rows)
        clear(base)
        command = [sys.executable, str(base / "minqing.py"), str(base / "warm.csv"), str(base / "many.csv"), str(base / f"many{rows}")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            peaks: dict[int, int] = {}
            while process.poll() is None:
                peaks.update(resident(process.pid))
                time.sleep(0.2)
            seconds = float(process.stdout.read().split()[-1])
        largest = sorted(peaks.values(), reverse=True)[:3]
        shown = ", ".join(f"{peak / 1024:,.0f}" for peak in largest)
        print(f"  {rows:,} rows: largest processes {shown} MB, {rows / seconds:,.0f} petitions/s", flush=True)


def resident(root: int) -> dict[int, int]:
    """Return the peak resident memory so far, in KB, of a process and all below it (Linux)."""
    parents, peaks = {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            if "VmHWM" in fields:
                pid = int(fields["Pid"])
                parents[pid] = int(fields["PPid"])
                peaks[pid] = int(fields["VmHWM"].split()[0])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {pid: peaks[pid] for pid in family & peaks.keys()}


def train(folder: Path) -> None:
    from flows.learning import train_files

    train_files("issue_type", [folder / "issue_types.csv"], {})
    train_files("unit", [folder / "responsible_units.csv"], {"unit": "function"})


def clear(base: Path) -> None:
    for path in (base / "home").glob("store.sqlite3*"):
        path.unlink()


def timed(script: Path, *args: Path) -> float:
    return run(script, *args)[-1]


def run(script: Path, *args: Path) -> list[float]:
    done = subprocess.run([sys.executable, str(script), *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return [float(line) for line in done.stdout.split() if line.replace(".", "", 1).isdigit()]


def make(source: Path, target: Path, rows: int) -> float:
    """Write `rows` petitions by repetition with edits; return their mean length in characters."""
    chance = random.Random(0)
    with source.open(encoding="utf-8-sig", newline="") as file:
        real = list(csv.DictReader(file))
    total = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["petition_id", "title", "body", "submitted_at"])
        for i in range(rows):
            row = real[i % len(real)]
            body = row["body"]
            if i >= len(real):
                at = chance.randrange(len(body) + 1)
                body = f"{body[:at]}第{chance.randrange(10_000)}次{body[at:]}"
            total += len(row["title"]) + len(body)
            writer.writerow([f"P{i:07d}", row["title"], body, row["submitted_at"]])
    return total / rows


if __name__ == "__main__":
    main()
