"""The gate (上线检验): may a candidate replace the champion? Both on the same labelled rows that neither has learnt from.

A candidate passes when nothing is worse beyond noise: it need not be better, since new data and new units are a reason
of their own. Tests share out one chance of error, so that an equal candidate is refused at most as often as `alpha` says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from corpora.config import GateRules, load_config
from models.evaluation import Scores, rounded
from models.paired import Mask, Pair, Side, chance, holm, interval, mcnemar

#: Part of alpha that each test, or family of tests, may use up; together 1.
_SHARES = {
    "accuracy": 0.4, "top3_accuracy": 0.1, "macro_f1": 0.1, "ece": 0.1, "coverage": 0.1, "class": 0.1, "slice": 0.1,
}  # fmt: skip
NAMES = {
    "accuracy": "首选正确率 accuracy", "top3_accuracy": "前三命中 top-3", "macro_f1": "宏平均 macro-F1", "ece": "校准误差 ECE",
    "coverage": "直派比例 coverage", "class": "类别 class", "channel": "渠道 channel", "length": "字数 length", "month": "月份 month",
}  # fmt: skip
_LENGTHS = (50, 200, 500)


@dataclass(frozen=True, slots=True)
class GateRow:
    """One comparison.

    Attributes:
        scope: `overall`, `class`, or the name of the slices.
        name: the measure, the class, or the slice; classes and slices are compared by accuracy.
        rows: rows that it counts.
        candidate: value of the candidate, 0..1.
        champion: value of the champion, None where there is none.
        difference: candidate − champion.
        low: the true difference lies between `low` and `high` with 95 %; None for classes and slices.
        high: see `low`.
        p: two-sided p of no difference, before Holm's correction.
        verdict: `better`, `equal`, `worse`, or "" where nothing was tested.
    """

    scope: str
    name: str
    rows: int
    candidate: float
    champion: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    verdict: str = ""


@dataclass(frozen=True)
class GateResult:
    """Whether the candidate may serve, and why.

    Attributes:
        passed: it may.
        verdict: `better`, `equal` (not worse beyond noise), `first` (nothing was in service), `worse`, or `blocked`.
        reasons: one sentence each, Chinese with English.
        compared: labelled rows that both were asked.
        untested: classes of these rows with too few rows to be tested one by one.
        rows: the table: measures, classes and slices.
    """

    passed: bool
    verdict: str
    reasons: tuple[str, ...]
    compared: int
    untested: int
    rows: tuple[GateRow, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain values, rounded to four decimals."""
        return rounded(asdict(self))


def judge(
    candidate: Scores,
    champion: Scores | None,
    *,
    slices: Mapping[str, Sequence[str]] | None = None,
    invalid: Collection[str] = (),
    rules: GateRules | None = None,
) -> GateResult:
    """Compare a candidate with the champion and say whether it may serve.

    Args:
        candidate: its predictions for n labelled rows.
        champion: predictions for the same rows in the same order, None where nothing is in service. Labels and truth
            are each model's own: after a reform one may say the old name and the other the new one, and both be right.
        slices: kind of slice → the slice of each row, "" for none; see `slices_of`.
        invalid: labels that must not be given today, such as units without successor.
        rules: thresholds; those of the bundled configuration by default.

    Raises:
        ValueError: if champion, candidate and slices are not of the same rows, or there are none.
    """
    rules = rules or load_config().gate
    n = len(candidate.truth)
    slices = slices or {}
    others = [champion.truth] if champion else []
    if n == 0 or any(len(values) != n for values in [*others, *slices.values()]):
        msg = f"candidate, champion and slices must be of the same rows, at least one; the candidate has {n}"
        raise ValueError(msg)
    ours = Side.of(candidate)
    blocks = _absolute(candidate, ours, first=champion is None, invalid=invalid, rules=rules)
    if champion is None:
        rows = [GateRow("overall", name, n, value) for name, value in ours.measures(rules.precision).items()]
        reasons = blocks or ["没有现用模型，绝对检查通过 (nothing is in service; the absolute checks hold)"]
        return GateResult(not blocks, "blocked" if blocks else "first", tuple(reasons), n, 0, tuple(rows))
    theirs = Side.of(champion)
    rows = _overall(ours, theirs, rules)
    classes, untested = _groups("class", [("class", ours.truth.tolist())], ours.hit, theirs.hit, rules)
    sliced, _ = _groups("slice", slices.items(), ours.hit, theirs.hit, rules)
    rows += classes + sliced
    worse = [row for row in rows if row.verdict == "worse"]
    better = [row for row in rows if row.verdict == "better" and row.scope == "overall"]
    if blocks:
        verdict, reasons = "blocked", blocks + [_worse(row) for row in worse]
    elif worse:
        verdict, reasons = "worse", [_worse(row) for row in worse]
    elif better:
        verdict, reasons = "better", [_better(row) for row in better]
    else:
        verdict, reasons = "equal", [_equal(rows[0])]
    return GateResult(verdict in ("better", "equal"), verdict, tuple(reasons), n, untested, tuple(rows))


def slices_of(petitions: pa.Table) -> dict[str, list[str]]:
    """Return the slices of petitions: channel, length of title and body in characters, month; "" where unknown.

    Kinds in which all rows are alike are left out.
    """
    bounds = [0, *_LENGTHS]
    names = [f"{low}–{high - 1}字" for low, high in zip(bounds, _LENGTHS, strict=False)] + [f"{_LENGTHS[-1]}字以上"]
    texts = zip(petitions["title"].to_pylist(), petitions["body"].to_pylist(), strict=True)
    lengths = [len(title) + len(body) for title, body in texts]
    found = {
        "channel": petitions["channel"].to_pylist(),
        "length": [names[i] for i in np.searchsorted(_LENGTHS, lengths, side="right").tolist()],
        "month": [f"{at:%Y-%m}" if at else "" for at in petitions["submitted_at"].to_pylist()],
    }
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def _absolute(scores: Scores, side: Side, *, first: bool, invalid: Collection[str], rules: GateRules) -> list[str]:
    """Return why the candidate may not serve whatever the champion does."""
    n, reasons = len(side.hit), []
    gone = sorted(set(scores.labels) & set(invalid))
    if gone:
        reasons.append(
            f"能给出今天已不存在的单位 {len(gone)} 个：{_listed(gone)} (can give labels that are not valid today)"
        )
    if n < rules.min_rows:
        reasons.append(f"只有 {n} 行可比，至少要 {rules.min_rows} 行 (too few labelled rows to decide on)")
    if first:
        share = float(np.unique(side.truth, return_counts=True)[1].max()) / n
        accuracy = float(side.hit.mean())
        if accuracy <= share:
            reasons.append(
                f"首选正确率 {accuracy:.1%} 不高于总猜最常见的一类 {share:.1%} (no better than the most frequent class always)"
            )
    return reasons


def _overall(ours: Side, theirs: Side, rules: GateRules) -> list[GateRow]:
    both = Pair(ours, theirs, rules.precision)
    resampled, swapped = both.resampled(rules.draws), both.swapped(rules.draws)
    before = theirs.measures(rules.precision)
    rows = []
    for name, value in ours.measures(rules.precision).items():
        difference = value - before[name]
        low, high = interval(difference, resampled[name])
        p = chance(difference, swapped[name])
        pair = {"accuracy": (ours.hit, theirs.hit), "top3_accuracy": (ours.top3, theirs.top3)}.get(name)
        if pair:
            p = float(mcnemar((pair[0] & ~pair[1]).sum(), (~pair[0] & pair[1]).sum()))
        gain = -difference if name == "ece" else difference
        verdict = _verdict(gain, p <= _level(name, rules))
        if name == "ece" and verdict == "worse" and value <= rules.max_ece:
            verdict = "equal"
        rows.append(GateRow("overall", name, len(ours.hit), value, before[name], difference, low, high, p, verdict))
    return rows


def _groups(
    family: str, kinds: Iterable[tuple[str, Sequence[str]]], ours: Mask, theirs: Mask, rules: GateRules
) -> tuple[list[GateRow], int]:
    """Compare accuracy group by group, all groups of a family sharing one chance of error; return rows, groups too small."""
    found: list[tuple[str, str, int, float, float, float]] = []
    small = 0
    for kind, values in kinds:
        names, group, counts = np.unique(np.array(values, np.str_), return_inverse=True, return_counts=True)
        k = len(names)
        one, other = np.bincount(group, ours, k) / counts, np.bincount(group, theirs, k) / counts
        p = mcnemar(np.bincount(group, ours & ~theirs, k), np.bincount(group, ~ours & theirs, k))
        for i, name in enumerate(names.tolist()):
            if not name:
                continue
            if counts[i] < rules.min_support:
                small += 1
            else:
                found.append((kind, name, int(counts[i]), float(one[i]), float(other[i]), float(p[i])))
    stands = holm([item[-1] for item in found], _level(family, rules))
    rows = [
        GateRow(kind, name, count, a, b, a - b, p=p, verdict=_verdict(a - b, sure))
        for (kind, name, count, a, b, p), sure in zip(found, stands, strict=True)
    ]
    return rows, small


def _level(name: str, rules: GateRules) -> float:
    # Twice, since p is two-sided and refuses on one side alone.
    return 2 * rules.alpha * _SHARES[name]


def _verdict(gain: float, sure: bool) -> str:
    if not sure or gain == 0:
        return "equal"
    return "better" if gain > 0 else "worse"


def _told(row: GateRow) -> str:
    what = NAMES[row.name] if row.scope == "overall" else f"{NAMES.get(row.scope, row.scope)} {row.name}"
    return f"{what}: {row.champion:.3f} → {row.candidate:.3f}（{row.rows} 行 rows）"


def _worse(row: GateRow) -> str:
    return f"变差 worse: {_told(row)}"


def _better(row: GateRow) -> str:
    return f"变好 better: {_told(row)}"


def _equal(accuracy: GateRow) -> str:
    low = min(accuracy.low or 0.0, 0.0)
    return (
        f"与现用模型无显著差别，首选正确率至多差 {-low * 100:.1f} 个百分点 "
        "(no difference beyond noise; accuracy may be lower by so many points at the most, 95 %)"
    )


def _listed(labels: Sequence[str], most: int = 5) -> str:
    return "、".join(labels[:most]) + (" …" if len(labels) > most else "")
