"""Search of statutes on residents' questions (STARD): baseline, what each part adds, and questions per second.

    python benchmarks/statute_search.py [--statutes FILE]

FILE is what `minqing statutes build` wrote; without it the texts beside the checkout are built into a temporary folder.
All current articles of the knowledge base are searched; an answer that it does not hold counts as missed. Recall is the
share of a question's articles among the first 10 or 100, MRR looks at the first 100; both are means over questions.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import models.statute_search as search
from corpora.legal import Article, ArticleNumber, Law, Version
from corpora.statutes import Statutes
from models.statute_search import StatuteIndex
from models.statute_terms import weigh, word_terms
from pipeline.petitions.segment import segmenter

Texts = list[tuple[Law, Version, Sequence[Article]]]
Answer = tuple[str, ArticleNumber]
_ARTICLE = re.compile(r"(.+?)(第[零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?)")


@dataclass(frozen=True)
class Questions:
    texts: list[str]
    answers: list[set[Answer]]
    asked_for: list[int]

    def half(self, keys: Sequence[str]) -> np.ndarray:
        return np.array([hashlib.blake2b(key.encode(), digest_size=1).digest()[0] % 2 == 0 for key in keys])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--statutes", type=Path)
    chosen = parser.parse_args().statutes
    folder = data_folder()
    with tempfile.TemporaryDirectory() as place:
        statutes = Statutes.open(chosen or built(folder, Path(place)))
        texts = list(statutes.texts())
        questions = read(folder / "layperson_queries.jsonl", statutes, texts)
        report(texts, questions, Path(place))


def data_folder() -> Path:
    root = Path(os.environ.get("MINQING_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not (root / "statutes").is_dir():
        sys.exit(f"{root / 'statutes'}: the evaluation data is not here; set MINQING_DATA to its folder")
    return root / "statutes"


def built(folder: Path, place: Path) -> Path:
    from corpora.statute_sources import build

    build([folder / "lawrefbook"], place / "statutes.sqlite3")
    return place / "statutes.sqlite3"


def read(path: Path, statutes: Statutes, texts: Texts) -> Questions:
    held = {(law.title, article.number) for law, _, articles in texts for article in articles}
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    answers = []
    for line in lines:
        found = set()
        for name in line["articles"]:
            if match := _ARTICLE.fullmatch(name):
                for law in statutes.find(match[1]):
                    found.add((law.title, ArticleNumber.parse(match[2])))
        answers.append(found & held)
    asked_for = [max(len(set(line["articles"])), len(found)) for line, found in zip(lines, answers, strict=True)]
    return Questions([line["query"] for line in lines], answers, asked_for)


def report(texts: Texts, questions: Questions, place: Path) -> None:
    articles = sum(len(each) for *_, each in texts)
    missing = sum(questions.asked_for) - sum(map(len, questions.answers))
    print(f"{len(texts):,} laws, {articles:,} articles; {len(questions.texts):,} questions, "
          f"{sum(questions.asked_for):,} answers, {missing} of them ({missing / sum(questions.asked_for):.1%}) not held")
    print(f"{'':<44} R@10  R@100 MRR   questions/s (k=100, k=10)")
    row("BM25 over jieba words (baseline)", questions, *timed(baseline(texts), questions))
    prior, share, heading = search._PRIOR, search._LAW_SHARE, search._HEADING
    search._PRIOR, search._SIZE, search._LAW_SHARE, search._HEADING = {}, 0.0, np.float32(0), (1.2, 0.6, 0.0)
    row("words + bigrams of title, headings, text", questions, *timed(StatuteIndex.of(texts), questions))
    search._HEADING = heading
    row("+ bigrams of headings again", questions, *timed(StatuteIndex.of(texts), questions))
    search._LAW_SHARE = share
    row("+ share of the law's best article", questions, *timed(StatuteIndex.of(texts), questions))
    search._PRIOR, search._SIZE = prior, 0.2
    began = time.perf_counter()
    index = StatuteIndex.of(texts)
    took = time.perf_counter() - began
    measured = timed(index, questions)
    row("+ prior of rank and size (minqing)", questions, *measured)
    index.save(place / "index")
    began = time.perf_counter()
    StatuteIndex.load(place / "index").search(["试"], 1)
    size = sum(file.stat().st_size for file in (place / "index").iterdir()) / 1e6
    print(f"built in {took:.1f} s, loaded with the first answer in {time.perf_counter() - began:.2f} s, {size:.0f} MB")
    print("words learnt from one half of the questions, tested on the other:")
    least = [str(min(answers, default=("", ArticleNumber(1)))) for answers in questions.answers]
    laws = [min((title for title, _ in answers), default="") for answers in questions.answers]
    for name, keys in (("by hash of the question", questions.texts), ("no article in both", least), ("no law in both", laws)):
        here = questions.half(keys)
        of = np.flatnonzero(here)
        learnt = index.learn([questions.texts[i] for i in of], [questions.answers[i] for i in of])
        row(f"  {name}: without", questions, measured[0], *measured[1:], only=~here)
        row(f"  {name}: with", questions, *timed(learnt, questions), only=~here)


def baseline(texts: Texts) -> StatuteIndex:
    """BM25 (k1 1.5, b .75) over jieba words of title and text, each article for itself."""
    documents = [f"{law.title}\n{article.text}" for law, _, articles in texts for article in articles]
    keys, starts, postings, weights = weigh(*word_terms(documents, segmenter()), len(documents), 1.5, 0.75, 1.0)
    laws = np.concatenate([[0], np.cumsum([len(articles) for *_, articles in texts])]).astype(np.int64)
    numbers = [(a.number.number, a.number.suffix) for *_, articles in texts for a in articles]
    arrays = {
        "keys": keys, "starts": starts, "documents": postings, "weights": weights, "laws": laws,
        "numbers": np.array(numbers, np.int32), "from": np.zeros(0, np.uint64), "learnt_starts": np.zeros(1, np.int64),
        "learnt": np.zeros(0, np.int32), "learnt_weights": np.zeros(0, np.float32),
    }  # fmt: skip
    groups = [{"title": law.title, "version_id": version.version_id} for law, version, _ in texts]
    index = StatuteIndex(arrays, groups)
    index._prior[:] = 1

    class Alone(StatuteIndex):
        def search(self, queries, k, territory=None):
            before = search._LAW_SHARE
            search._LAW_SHARE = np.float32(0)
            try:
                return super().search(queries, k, territory)
            finally:
                search._LAW_SHARE = before

    index.__class__ = Alone
    return index


def timed(index: StatuteIndex, questions: Questions) -> tuple[np.ndarray, float, float]:
    """Return R@10, R@100 and reciprocal rank of each question, and questions per second for k = 100 and 10."""
    index.search(questions.texts[:5], 10)
    speed = []
    for k in (100, 10):
        runs = []
        for _ in range(3):
            began = time.process_time()
            hits = index.search(questions.texts, k)
            runs.append(time.process_time() - began)
        if k == 100:
            found = hits
        speed.append(len(questions.texts) / min(runs))
    scores = []
    for ranked, answers, wanted in zip(found, questions.answers, questions.asked_for, strict=True):
        places = [place for place, hit in enumerate(ranked) if (hit.title, hit.number) in answers]
        near = sum(place < 10 for place in places)
        scores.append((near / wanted, len(places) / wanted, 1 / (places[0] + 1) if places else 0.0))
    return np.array(scores), speed[0], speed[1]


def row(name: str, questions: Questions, scores: np.ndarray, deep: float, quick: float, only: np.ndarray | None = None) -> None:
    means = (scores if only is None else scores[only]).mean(0)
    print(f"{name:<44} {means[0]:.3f} {means[1]:.3f} {means[2]:.3f} {deep:,.0f}, {quick:,.0f}", flush=True)


if __name__ == "__main__":
    main()
