"""Agreement and speed of the segmentation engines on real petitions, with the bundled city's lexicon.

    python benchmarks/segmentation.py
"""

from __future__ import annotations

import csv
import statistics
import time

from data import petitions_folder

from flows.demo import city_folder
from models.city import City
from pipeline.petitions.clean import clean_texts
from pipeline.petitions.segment import FastSegmenter, ReferenceSegmenter, Segmenter


def main() -> None:
    texts = []
    for name in ("issue_types.csv", "responsible_units.csv"):
        with (petitions_folder() / name).open(encoding="utf-8-sig", newline="") as file:
            texts += [row["title"] + "\n" + row["body"] for row in csv.DictReader(file)]
    texts = clean_texts(texts)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    words = City.load(city_folder() / "units.yaml").lexicon()
    print(f"{len(texts):,} petitions, {megabytes:.1f} MB, {len(words):,} words of the domain, median of 3")
    reference, fast = ReferenceSegmenter(words), FastSegmenter(words)
    slow, quick = timed(reference, texts), timed(fast, texts)
    same = sum(a == b for a, b in zip(reference.cut(texts), fast.cut(texts), strict=True))
    print(f"  jieba  without HMM  {megabytes / slow:6.2f} MB/s   baseline")
    print(f"  rjieba without HMM  {megabytes / quick:6.2f} MB/s   {slow / quick:.1f} × jieba")
    print(f"  texts with exactly the same tokens: {same / len(texts):.2%}")


def timed(engine: Segmenter, texts: list[str]) -> float:
    engine.cut(texts[:10])
    runs = []
    for _ in range(3):
        began = time.perf_counter()
        engine.cut(texts)
        runs.append(time.perf_counter() - began)
    return statistics.median(runs)


if __name__ == "__main__":
    main()
