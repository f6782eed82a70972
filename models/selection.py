"""Which petitions are worth a person's time: a budget spread over reasons, each row with the reasons that picked it.

Label errors come first (a wrong label teaches the wrong thing each night), then rows on which the model is undecided, on
which its views contradict each other, groups that resemble nothing learnt, and rows that stand for many others. Pure and
deterministic: the same rows and scores give the same picks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models.classifier import take
from models.encoder import Encoder
from pipeline.petitions.features import TextFeatures

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

#: Share of the budget that each reason may take; what one does not need goes to the others in this order.
SHARES = {"label_error": 0.25, "uncertain": 0.25, "disagreement": 0.2, "new": 0.15, "diverse": 0.15}
#: A margin between the two best labels from which on the model is not undecided.
SURE = 0.5
#: A row is far from what was learnt if its nearest learnt row is less similar than this (cosine of informative words).
FAR = 0.25
#: Two rows of this similarity (cosine in the reduced space) are of one group.
ALIKE = 0.5
#: Rows among which groups and representatives are looked for: all pairs are compared.
POOL = 3_000
_DIMENSIONS = 64


@dataclass(frozen=True)
class Signals:
    """What is known of n candidate rows; everything but their features may be absent.

    Attributes:
        features: of the n rows.
        probabilities: of the k labels, shape (n, k), or None without a model.
        views: name → best label of each row by that view alone, -1 for none, shape (n,).
        cosine: similarity to the nearest row that the model learnt, shape (n,), or None.
        errors: rows whose filed label is probably wrong, the most suspicious first, shape (m,).
    """

    features: TextFeatures
    probabilities: F64 | None = None
    views: Mapping[str, I64] = field(default_factory=dict)
    cosine: F32 | None = None
    errors: I64 = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class Pick:
    """A row that was picked, and every reason that asked for it, the one that it was picked for first.

    Attributes:
        row: position among the candidates.
        reasons: keys of SHARES.
        group: rows that it stands for (of a new group, or as a representative), itself included; 1 otherwise.
    """

    row: int
    reasons: tuple[str, ...]
    group: int = 1


def select(signals: Signals, count: int, shares: Mapping[str, float] = SHARES) -> list[Pick]:
    """Return up to `count` picks, by row.

    Args:
        signals: of the n candidates.
        count: the budget, at least 1.
        shares: of the budget for each reason; a reason left out asks for nothing.

    Raises:
        ValueError: if the budget is not positive or a reason is unknown.
    """
    unknown = sorted(set(shares) - set(SHARES))
    if count < 1 or unknown:
        msg = f"unknown reasons: {', '.join(unknown)}" if unknown else f"the budget must be at least 1, not {count}"
        raise ValueError(msg)
    groups: dict[int, int] = {}
    wanted = {name: _ranked(name, signals, count, groups) for name in SHARES if name in shares}
    chosen: dict[int, list[str]] = {}
    used = dict.fromkeys(wanted, 0)
    total = sum(shares.values()) or 1.0
    quota = {name: int(np.floor(count * shares[name] / total)) for name in wanted}
    for limit in (quota, dict.fromkeys(wanted, count)):  # first each its share, then whoever has more
        for name, rows in wanted.items():
            for row in rows:
                if len(chosen) >= count or used[name] >= limit[name]:
                    break
                if row not in chosen:
                    chosen[row] = [name]
                    used[name] += 1
    for name, rows in wanted.items():
        for row in rows[: max(quota[name], used[name])]:
            if row in chosen and name not in chosen[row]:
                chosen[row].append(name)
    return [Pick(row, tuple(names), groups.get(row, 1)) for row, names in sorted(chosen.items())]


def _ranked(name: str, signals: Signals, count: int, groups: dict[int, int]) -> list[int]:
    """Return the rows that a reason asks for, the most wanted first."""
    n = signals.features.size
    if name == "label_error":
        return [int(row) for row in signals.errors]
    if name == "uncertain":
        margin = margins(signals.probabilities) if signals.probabilities is not None else np.ones(n)
        order = np.argsort(margin, kind="stable")
        return [int(row) for row in order[: 2 * count] if margin[row] < SURE]
    if name == "disagreement":
        score = disagreement(signals.views, n)
        if signals.probabilities is not None:  # among rows with as many opinions, the one where more is at stake
            score = score + 0.5 * (1 - margins(signals.probabilities))
        order = np.argsort(-score, kind="stable")
        return [int(row) for row in order[: 2 * count] if score[row] >= 1]
    if name == "new":
        if signals.cosine is None:
            return []
        rows = _pool(np.flatnonzero(signals.cosine < FAR))
        found = _groups(vectors(take(signals.features, rows)), count)
        groups.update((int(rows[at]), size) for at, size in found)
        return [int(rows[at]) for at, _ in found]
    rows = _pool(np.arange(n))
    found = _representatives(vectors(take(signals.features, rows)), count)
    scale = n / max(len(rows), 1)
    for at, size in found:
        groups.setdefault(int(rows[at]), max(1, round(size * scale)))
    return [int(rows[at]) for at, _ in found]


def margins(probabilities: F64) -> F64:
    """Return the difference between the two best probabilities of each row, shape (n,); 1 with a single label."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities))
    best = np.partition(probabilities, -2, axis=1)[:, -2:]
    return best[:, 1] - best[:, 0]


def disagreement(views: Mapping[str, I64], n: int) -> F64:
    """Return how many labels beyond one the views name for each row, shape (n,); a view without opinion does not count."""
    if not views:
        return np.zeros(n)
    stacked = np.sort(np.stack(list(views.values())), axis=0)
    new = np.concatenate([np.ones((1, n), bool), stacked[1:] != stacked[:-1]]) & (stacked >= 0)
    return np.maximum(new.sum(0) - 1, 0).astype(np.float64)


def vectors(features: TextFeatures) -> F32:
    """Return the rows as dense unit vectors, shape (n, d), d up to 64: latent semantic analysis of their words.

    Rows that share many uncommon words are near each other; a row with no word that another row has is zero.
    """
    n = features.size
    encoder = Encoder.fit(features, 1, least=2)
    words: sp.csr_matrix = encoder.transform_block(features, "word")
    frequency = np.bincount(words.indices, minlength=words.shape[1])
    words = words[:, frequency <= max(20, n // 5)]  # what a fifth of all letters hold tells no two apart
    dimensions = min(_DIMENSIONS, n - 1, words.shape[1] - 1)
    if dimensions < 1 or words.nnz == 0:
        return np.zeros((n, 1), np.float32)
    from sklearn.decomposition import TruncatedSVD  # late: a second to import

    reduced = TruncatedSVD(dimensions, random_state=0).fit_transform(words.astype(np.float64))
    length = np.linalg.norm(reduced, axis=1, keepdims=True)
    return np.where(length > 1e-9, reduced / np.maximum(length, 1e-9), 0).astype(np.float32)


def _pool(rows: I64) -> I64:
    """Return at most POOL of the rows, evenly spread."""
    return rows if len(rows) <= POOL else rows[np.linspace(0, len(rows) - 1, POOL).astype(np.int64)]


def _groups(points: F32, count: int) -> list[tuple[int, int]]:
    """Return the middle of each group of at least two like rows and its size, the largest first."""
    near = points @ points.T >= ALIKE
    np.fill_diagonal(near, val=True)
    left = np.ones(len(points), bool)
    found: list[tuple[int, int]] = []
    while left.any() and len(found) < count:
        sizes = (near & left).sum(1) * left
        middle = int(sizes.argmax())
        if sizes[middle] < 2:
            break
        found.append((middle, int(sizes[middle])))
        left &= ~near[middle]
    return found


def _representatives(points: F32, count: int) -> list[tuple[int, int]]:
    """Return rows that together resemble all others best (greedy facility location), and how many each is nearest to."""
    n = len(points)
    similar = np.maximum(points @ points.T, 0)
    np.fill_diagonal(similar, 1)
    best = np.zeros(n, np.float32)
    nearest = np.full(n, -1)
    chosen: list[int] = []
    for _ in range(min(count, n)):
        gain = np.maximum(similar - best, 0).sum(1)
        gain[chosen] = -1
        row = int(gain.argmax())
        closer = similar[row] > best
        nearest[closer] = row
        best = np.maximum(best, similar[row])
        chosen.append(row)
    return [(row, int((nearest == row).sum())) for row in chosen]


def told(pick: Pick, details: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the reasons of a pick in words, for the person who is to label it."""
    words = {
        "label_error": "原标注可能有误", "uncertain": "系统拿不准", "disagreement": "系统内部判断不一",
        "new": f"与已学来信都不像，这批有 {pick.group} 件同类" if pick.group > 1 else "与已学来信都不像",
        "diverse": f"有代表性，约代表 {pick.group} 件" if pick.group > 1 else "与其他来信差别大",
    }  # fmt: skip
    return (*(words[name] for name in pick.reasons), *details)
