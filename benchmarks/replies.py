"""How far the scores of replies can be trusted: there are no gold scores, so each part is measured by what must hold.

    python benchmarks/replies.py

1. Relevance: a reply against replies to other petitions, at random and to one of the 20 nearest petitions; baseline: plain
   TF-IDF cosine over words, in the same run.
2. Completeness and explanation: a reply against what is left of it when only its first sentences stay, or its middle goes.
3. Holding replies (known by a phrase list of this file alone) against the others.
4. Timeliness: the states, unknown ones counted.
5. Marks 0 to 2 that one reader gave to 60 replies, blind to the scores (`reply_marks.csv`): rank correlation.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
from data import petitions_folder
from scipy.stats import rankdata, spearmanr
from sklearn.feature_extraction.text import TfidfVectorizer

from corpora.config import load_config
from corpora.lexicon import petition_terms
from corpora.replies import read_replies
from corpora.reply_config import load_reply_config
from corpora.statutes import Statutes
from pipeline.petitions.deadline import DeadlineRules
from pipeline.petitions.segment import segmenter
from pipeline.policies.citations import Finder
from pipeline.replies.relevance import relevance
from pipeline.replies.score import ScoredReplies, score_replies
from pipeline.replies.wording import Wording

PARTS = ("relevance", "completeness", "explanation")
SENTENCE = re.compile(r"[^。！!？?；;]+[。！!？?；;]*")
#: Replies that say nothing but "received" or "passed on", told without the scorer: short, and by these words.
HOLDING = re.compile(r"收悉|已转|转交|交办|转至")
CONTENT_AFTER = re.compile(r"经查|经核|经调查|答复如下|回复如下|属实|因|根据")
CANDIDATES, SUBSET = 50, 400


def main() -> None:
    table = pa.concat_tables([c.table for c in read_replies([petitions_folder() / "with_replies.xlsx"])]).combine_chunks()
    config, rules, cut = load_reply_config(), DeadlineRules.compile(load_config().deadlines), segmenter(petition_terms())
    finder = Finder(Statutes.open().titles())

    def score(replies: pa.Array | None = None) -> ScoredReplies:
        at = table.schema.get_field_index("reply")
        given = table if replies is None else table.set_column(at, table.schema.field("reply"), replies)
        return score_replies(given, config, rules, cut, finder, dt.date(2026, 11, 25))

    started, spent = time.perf_counter(), time.process_time()
    whole = score()
    print(f"{table.num_rows} replies scored in {time.perf_counter() - started:.1f} s ({time.process_time() - spent:.1f} s of processor)")
    measure_relevance(whole, config, cut)
    measure_cuts(whole, score)
    measure_holding(whole)
    states = Counter(item.timeliness.state for item in whole.scores)
    print("timeliness: " + ", ".join(f"{state} {count}" for state, count in states.most_common()) + f", unknown {states['unknown']}")
    kinds = Counter(item.kind for item in whole.scores)
    print("kinds: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    measure_marks(whole, table["petition_id"].to_pylist())


def auc(right: np.ndarray, wrong: np.ndarray) -> float:
    ranks = rankdata(np.concatenate([right, wrong]))
    return float((ranks[: len(right)].sum() - len(right) * (len(right) + 1) / 2) / len(right) / len(wrong))


def measure_relevance(whole: ScoredReplies, config, cut) -> None:
    n = len(whole.scores)
    draw = np.random.default_rng(0)
    petitions = [f"{title}\n{body}" for title, body in zip(whole.titles, whole.bodies, strict=True)]
    words = [[" ".join(found) for found in cut.cut(texts)] for texts in (petitions, whole.replies)]
    vectors = TfidfVectorizer(token_pattern=r"(?u)\S+", sublinear_tf=True).fit(words[0] + words[1])
    asked, said = (vectors.transform(group) for group in words)
    plain = (asked @ said.T).toarray()  # petition × reply
    near = (asked @ asked.T).toarray()
    np.fill_diagonal(near, -1)
    nearest = np.argpartition(near, -20, axis=1)[:, -20:]
    wording = Wording(config)

    def ours(partner: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Score the petition of rows[i] against the reply of petition partner[i], in a batch of these rows."""
        letters, replies = [petitions[i] for i in rows], [whole.replies[j] for j in partner]
        contents = [wording.read(reply, petition).content for reply, petition in zip(replies, letters, strict=True)]
        return np.array([part.score for part in relevance(letters, replies, contents, config.relevance)])

    own = np.arange(n)
    true = ours(own, own)
    for name, partner in (
        ("another petition's reply, at random", (own + 1 + draw.integers(n - 1, size=n)) % n),
        ("the reply to one of the 20 nearest petitions", nearest[own, draw.integers(20, size=n)]),
    ):
        print(
            f"relevance, AUC against {name}: TF-IDF cosine {auc(plain[own, own], plain[own, partner]):.3f}"
            f" → {auc(true, ours(partner, own)):.3f}"
        )
    rows = np.sort(draw.choice(n, min(n, SUBSET), replace=False))
    true, best = ours(rows, rows), np.full((2, len(rows)), -1.0)
    for _ in range(CANDIDATES - 1):
        partner = (rows + 1 + draw.integers(n - 1, size=len(rows))) % n
        best[0] = np.maximum(best[0], plain[rows, partner])
        best[1] = np.maximum(best[1], ours(partner, rows))
    first = (plain[rows, rows] > best[0]).mean(), (true > best[1]).mean()
    print(f"relevance, recall@1 among {CANDIDATES} replies of {len(rows)} petitions (ties are misses): {first[0]:.3f} → {first[1]:.3f}")


def measure_cuts(whole: ScoredReplies, score) -> None:
    pieces = [SENTENCE.findall(reply) for reply in whole.replies]
    long = [row for row, found in enumerate(pieces) if len(found) >= 5 and whole.scores[row].kind not in ("holding", "echo")]
    for name, keep in (
        ("first third of the sentences", lambda found: found[: max(1, len(found) // 3)]),
        ("middle half removed", lambda found: found[: len(found) // 4 + 1] + found[-(len(found) // 4) :]),
    ):
        cut = ["".join(keep(found)) if len(found) >= 5 else reply for found, reply in zip(pieces, whole.replies, strict=True)]
        less = score(pa.array(cut, pa.string()))
        for part in ("completeness", "explanation"):
            pairs = [(getattr(whole.scores[row], part).score, getattr(less.scores[row], part).score) for row in long]
            right = sum(a > b + 1e-9 for a, b in pairs) / len(pairs)
            equal = sum(abs(a - b) <= 1e-9 for a, b in pairs) / len(pairs)
            print(f"{part}: whole above cut ({name}), {len(long)} replies of 5 sentences and more: {right:.3f}, equal {equal:.3f}")


def measure_holding(whole: ScoredReplies) -> None:
    short = np.array(
        [len(reply) < 70 and bool(HOLDING.search(reply)) and not CONTENT_AFTER.search(reply) for reply in whole.replies]
    )
    for part in (*PARTS, "total"):
        value = np.array([item.total if part == "total" else getattr(item, part).score for item in whole.scores], float)
        print(f"{part}: others above {int(short.sum())} holding replies, AUC {auc(value[~short], value[short]):.3f}")


def measure_marks(whole: ScoredReplies, ids: list[str]) -> None:
    place = {name: row for row, name in enumerate(ids)}
    with Path(__file__).with_name("reply_marks.csv").open(encoding="utf-8", newline="") as file:
        marks = [row for row in csv.DictReader(file) if row["petition_id"] in place]
    sums = [sum(int(row[part]) for part in PARTS) for row in marks]
    found = [whole.scores[place[row["petition_id"]]] for row in marks]
    for part in PARTS:
        given = [int(row[part]) for row in marks]
        ours = [getattr(item, part).score for item in found]
        length = [len(whole.replies[place[row["petition_id"]]]) for row in marks]
        print(f"{part}: Spearman with one reader's {len(marks)} marks {spearmanr(given, ours)[0]:.2f} (length alone {spearmanr(given, length)[0]:.2f})")
    print(f"total: Spearman with the sum of the marks {spearmanr(sums, [item.total for item in found])[0]:.2f}")
    inside = [sum(w * getattr(item, p).score for w, p in zip((25, 30, 25), PARTS, strict=True)) for item in found]
    print(f"total without timeliness: {spearmanr(sums, inside)[0]:.2f}")


if __name__ == "__main__":
    main()
