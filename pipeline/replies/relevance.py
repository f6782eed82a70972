"""Relevance (相关性): whether a reply speaks of this petition rather than of any.

A reply that fits every petition says nothing of this one, so closeness is not taken as it is but against the closeness of
the same reply to other petitions of the batch: 1 times the 95th percentile of them counts 0, `full_ratio` times counts 1,
on a logarithmic scale. Half of the score comes from the whole reply, which may do no more than repeat the title, and half
from what it says beyond that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpora.reply_config import RelevanceRules
from pipeline.replies.records import Part
from pipeline.replies.terms import F64, Matrix, row_products, weighted
from pipeline.replies.wording import squeezed

#: Characters of a phrase that a reply shares with its petition to be shown; shorter ones are chance.
_PHRASE = 4
_SHOWN = 3
#: Rows compared at a time: bounds the memory of a large batch.
_BLOCK = 4_096
_SEED = 20_200


def relevance(petitions: Sequence[str], replies: Sequence[str], contents: Sequence[str], rules: RelevanceRules) -> list[Part]:
    """Return the relevance of n replies to their petitions.

    Args:
        petitions: title and body, masked.
        replies: the whole replies, masked.
        contents: what each reply says beyond forms and restatements (`ReplyText.content`).
        rules: limits.
    """
    if not petitions:
        return []
    asked, whole, said = weighted((petitions, replies, contents), 2)
    scores, ratios = [], []
    for part in (whole, said):
        own = row_products(part, asked)
        other = _others(part, asked, rules)
        alone = np.isnan(other)
        ratio = own / np.maximum(np.where(alone, 1.0, other), 1e-3)
        compared = np.log(np.maximum(ratio, 1.0)) / np.log(rules.full_ratio)
        scores.append(np.clip(np.where(alone, own / rules.full_cosine, compared), 0.0, 1.0))
        ratios.append(np.where(alone, np.nan, ratio))
    score = (1 - rules.content_share) * scores[0] + rules.content_share * scores[1]
    return [
        _part(float(score[row]), float(ratios[0][row]), float(ratios[1][row]), shared_phrases(petitions[row], contents[row]))
        for row in range(len(petitions))
    ]


def _others(replies: Matrix, petitions: Matrix, rules: RelevanceRules) -> F64:
    """Return how close each reply is to 95 % of the petitions on other matters; nan where there are too few of them."""
    n = petitions.shape[0]
    chosen = np.arange(n)
    if n > rules.sample:
        chosen = np.sort(np.random.default_rng(_SEED).choice(n, rules.sample, replace=False))
    columns = petitions[chosen].T.tocsc()
    out = np.full(n, np.nan)
    for start in range(0, n, _BLOCK):
        rows = slice(start, min(start + _BLOCK, n))
        same = (petitions[rows] @ columns).toarray() >= rules.same_matter  # the petition itself, and its copies
        near = np.where(same, np.nan, (replies[rows] @ columns).toarray())
        enough = np.flatnonzero((~same).sum(1) >= rules.least_others)
        if len(enough):
            out[start + enough] = _quantile(near[enough])
    return out


def _quantile(values: F64) -> F64:
    """Return the 95th percentile of each row, leaving nan out; numpy's own is a hundred times slower."""
    ordered = np.sort(values, axis=1)  # nan goes to the end
    count = (~np.isnan(values)).sum(1)
    at = np.minimum(np.ceil(0.95 * count).astype(np.int64), count) - 1
    return ordered[np.arange(len(values)), at]


def _part(score: float, whole: float, said: float, phrases: tuple[str, ...]) -> Part:
    found: list[str] = [f"与来信共有：{'、'.join(f'“{phrase}”' for phrase in phrases)}"] if phrases else []
    missing = []
    for name, ratio in (("全文", whole), ("实质内容", said)):
        if np.isnan(ratio):
            continue
        if ratio > 1:
            found.append(f"{name}与本信的相近度是与其他来信的{min(ratio, 99.9):.1f}倍")
        else:
            missing.append(f"{name}与本信不比与其他来信更相近")
    if np.isnan(whole):
        found.append("可对照的其他来信太少，按相近度本身计分")
    return Part(score, tuple(found), tuple(missing))


def shared_phrases(petition: str, reply: str) -> tuple[str, ...]:
    """Return the longest phrases that a reply shares with its petition, the longest first."""
    asked = squeezed(petition)
    known = {asked[i : i + _PHRASE] for i in range(len(asked) - _PHRASE + 1)}
    runs: set[str] = set()
    for line in reply.split("\n"):
        text = squeezed(line)
        at = 0
        while at + _PHRASE <= len(text):
            end = at + _PHRASE
            if text[at:end] not in known:
                at += 1
                continue
            while end < len(text) and text[at : end + 1] in asked:
                end += 1
            runs.add(text[at:end])
            at = end
    return tuple(sorted(runs, key=lambda run: (-len(run), run))[:_SHOWN])
