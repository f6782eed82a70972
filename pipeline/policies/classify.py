"""What kind of document it is: 文种, theme on the petitions' issue tree, and the shares of the reform's frames."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import ahocorasick_rs as ac

from corpora.document_names import kind_of
from corpora.issue_tree import IssueTree
from corpora.legal import PolicyDocument
from pipeline.policies.frames import frame_of, frame_shares
from pipeline.policies.records import Clause
from pipeline.policies.theme_words import NO_THEME, THEME_WORDS, VAGUE

__all__ = ["DocumentClass", "classify", "frame_of", "theme_of"]

#: A word in the title counts as this many in the text, one in a heading as that many.
_TITLE, _HEADING = 20.0, 3.0
_BODY = 20_000
#: Share of a first-level theme's score that a node below must have to be named instead of it.
_DEEPER = 0.5
_DEPARTMENT = ("部门", "主管部门", "行政部门", "行政主管部门", "机关", "厅", "局", "委员会")
_PARTS = re.compile(r"[和与及、（）()/]")


@dataclass(frozen=True, slots=True)
class DocumentClass:
    """Class of a document.

    Attributes:
        kind: 文种, "" where the title ends in none.
        theme_code: node of the issue tree, of the first or second level; "" where no word points anywhere.
        theme_name: its path (教育文体/教育行政管理).
        frame: shares of 理念, 结构, 机制, 手段 among the sentences that have a frame.
    """

    kind: str
    theme_code: str
    theme_name: str
    frame: Mapping[str, float]


@dataclass(frozen=True)
class _Words:
    matcher: ac.AhoCorasick
    codes: list[list[tuple[str, float]]]  # of each word: nodes and weights


def classify(document: PolicyDocument, clauses: Sequence[Clause], tree: IssueTree | None = None) -> DocumentClass:
    """Return the class of a document; `tree` is the bundled issue tree unless another is given."""
    tree = tree or IssueTree.load()
    headings = "\n".join(clause.heading for clause in clauses if clause.heading and clause.kind != "title")
    code = theme_of(document.title, headings, document.text, tree)
    return DocumentClass(
        document.kind or kind_of(document.title),
        code,
        tree.path_name(code) if code else "",
        frame_shares(document.text),
    )


def theme_of(title: str, headings: str, text: str, tree: IssueTree) -> str:
    """Return the code of the theme: the first-level node whose words weigh most, or one below it that has half of that."""
    words = _words(tree)
    scores: dict[str, float] = defaultdict(float)
    for part, weight in ((title, _TITLE), (headings, _HEADING), (text[:_BODY], 1.0)):
        counts: dict[int, int] = defaultdict(int)
        for index, _, _ in words.matcher.find_matches_as_indexes(part):
            counts[index] += 1
        for index, count in counts.items():
            for code, value in words.codes[index]:
                # A word that is repeated tells less each time.
                scores[code] += weight * value * (1 + math.log(count))
    if not scores:
        return ""
    tops: dict[str, float] = defaultdict(float)
    for code, score in scores.items():
        tops[code[:2]] += score
    top = max(sorted(tops), key=lambda code: tops[code])
    below = {code: score for code, score in scores.items() if code[:2] == top and len(code) > 2}
    best = max(sorted(below), key=lambda code: below[code], default="")
    return best if best and below[best] >= _DEEPER * tops[top] else top


@lru_cache(maxsize=4)
def _words(tree: IssueTree) -> _Words:
    """Collect the words of the tree's names and of the lexicon; a word of several themes weighs less for each."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for node in tree.nodes:
        code = str(node.code)[:4]
        for part in {node.name, *_PARTS.split(node.name)}:
            if len(part) >= (3 if node.level == 3 else 2) and part not in VAGUE:
                # Names of petitions' third level are narrow; policy themes are told by the upper two.
                found[part][code] = max(found[part].get(code, 0.0), {1: 1.0, 2: 1.0, 3: 0.5}[node.level])
    for code, listed in THEME_WORDS.items():
        if code not in tree:
            continue
        for word in listed.split():
            found[word][code] = 1.5
    entries: dict[str, list[tuple[str, float]]] = {name: [] for name in NO_THEME}
    for word, weights in found.items():
        tops = {code[:2] for code in weights}
        entries[word] = [(code, weight / len(tops)) for code, weight in sorted(weights.items())]
        for end in _DEPARTMENT:
            # Who is named (财政部门, 教育厅) tells less than what is spoken of.
            entries.setdefault(word + end, [(code, weight * 0.2) for code, weight in entries[word]])
    words = sorted(entries)
    codes = [entries[word] for word in words]
    return _Words(ac.AhoCorasick(words, matchkind=ac.MatchKind.LeftmostLongest), codes)
