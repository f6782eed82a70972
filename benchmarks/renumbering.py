"""Renumbered articles: is each article that the knowledge base says has moved really the one it moved to?

    MINQING_HOME=… python benchmarks/renumbering.py [--read]

Every pair of successive versions whose texts are both held. The map was made by the likeness of character pairs and order
(`corpora/statute_compare.py`); here each moved article is compared with all articles of the new version by another measure,
the cosine of TF-IDF over jieba words, order left aside. Where its best is the article claimed, the two agree; the others are
for a person to read (`--read`). The baseline takes the best by that cosine from .5 on, which is what a search engine gives.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise

import rjieba
from sklearn.feature_extraction.text import TfidfVectorizer

from corpora.statutes import Statutes
from corpora.workspace import statutes_path

LEAST = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--read", action="store_true", help="print the articles on which the two measures differ")
    options = parser.parse_args()
    statutes = Statutes.open(statutes_path())
    pairs = kept = moved = agreed = baseline = baseline_kept = 0
    for law in statutes.laws:
        held = [(v, a) for v in law.versions if (a := statutes.articles(v.version_id))]
        for (old, before), (new, after) in pairwise(held):
            places = {a.number: statutes.renumbered(law.law_id, a.number, old.version_id, new.version_id) for a in before}
            if not any(places.values()):
                continue
            pairs += 1
            words = TfidfVectorizer(analyzer=lambda article: rjieba.cut(article.text))
            likeness = (words.fit_transform(after) @ words.transform(before).T).toarray()
            numbers = [a.number for a in after]
            for column, article in enumerate(before):
                best = likeness[:, column].argmax()
                target = places[article.number]
                baseline += bool(likeness[best, column] >= LEAST and numbers[best] != article.number)
                if target is None:
                    continue
                if target == article.number:
                    kept += 1
                    continue
                moved += 1
                if numbers[best] == target:
                    agreed += 1
                    baseline_kept += likeness[best, column] >= LEAST
                elif options.read:
                    there = next(a for a in after if a.number == target)
                    print(f"\n{law.title} {old.adopted} → {new.adopted}: {article.number} → {target}, by words {numbers[best]}")
                    for text in (article.text, there.text, after[best].text):
                        print("   ", "".join(text.split())[:160])
    if not moved:
        sys.exit("no two versions of a law with texts: `minqing statutes build SOURCE…` first")
    print(f"{pairs} pairs of versions, {kept:,} articles keep their number, {moved:,} moved")
    print(f"  moved as the other measure says too: {agreed:,} ({agreed / moved:.4f}); {moved - agreed} to be read (--read)")
    print(f"  baseline (best by words, from {LEAST} on): {baseline:,} said to have moved, {baseline_kept:,} of them as here")


if __name__ == "__main__":
    main()
