"""Two rows of counts compared: PSI and what chance alone makes of it, divergence, tests, and bins large enough for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
#: Rows that a bin must be expected to hold in the smaller sample; rarer ones are put together (Cochran's rule).
LEAST_EXPECTED = 5.0
#: Added to each bin before shares are taken, so that an empty one has a logarithm.
SMOOTHING = 0.5
OTHER = "…"


def psi(before: Sequence[float] | F64, now: Sequence[float] | F64) -> float:
    """Return the population stability index of two rows of counts; each bin gets half a row more."""
    r, w = _shares(before), _shares(now)
    return float(((w - r) * np.log(w / r)).sum())


def chance_psi(bins: int, n: float, m: float) -> float:
    """Return the mean PSI of two samples of n and m rows of one population."""
    return max(bins - 1, 0) * (1 / n + 1 / m) if n and m else 0.0


def jensen_shannon(before: Sequence[float] | F64, now: Sequence[float] | F64) -> float:
    """Return the Jensen-Shannon divergence of two rows of counts, in bits."""
    r, w = _shares(before), _shares(now)
    middle = (r + w) / 2
    return float((r * np.log2(r / middle) + w * np.log2(w / middle)).sum() / 2)


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979), in the order given."""
    order = np.argsort(p, kind="stable")
    scaled = np.asarray(p, np.float64)[order] * np.arange(len(p), 0, -1)
    out = np.empty(len(p))
    out[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if len(p) else scaled
    return [float(value) for value in out]


def chi_square(before: Sequence[int], now: Sequence[int]) -> float:
    """Return the p-value of Pearson's test that both rows are samples of one population."""
    from scipy.stats import chi2_contingency

    table = np.array([before, now])
    table = table[:, table.sum(0) > 0]
    return float(chi2_contingency(table, correction=False).pvalue) if table.shape[1] > 1 else 1.0


def merged_rare(names: Sequence[str], before: Sequence[int], now: Sequence[int]) -> tuple[list[str], list[int], list[int]]:
    """Put names too rare to be compared together as OTHER; what is rare is judged on both sides together."""
    n, m = sum(before), sum(now)
    expected = {name: (b + w) * min(n, m) / (n + m) for name, b, w in zip(names, before, now, strict=True)}
    kept = sorted((name for name in names if expected[name] >= LEAST_EXPECTED and name != OTHER), key=lambda k: -expected[k])
    rest = sum(expected[name] for name in expected.keys() - set(kept))
    while 0 < rest < LEAST_EXPECTED and len(kept) > 1:
        rest += expected[kept.pop()]
    at = {name: i for i, name in enumerate(kept)}
    size = len(kept) + (rest > 0)
    sums = np.zeros((2, size), np.int64)
    for name, b, w in zip(names, before, now, strict=True):
        sums[:, at.get(name, size - 1)] += b, w
    return [*kept, *[OTHER] * (size - len(kept))], sums[0].tolist(), sums[1].tolist()


def merged_neighbours(
    edges: Sequence[float], before: Sequence[int], now: Sequence[int]
) -> tuple[list[str], list[int], list[int]]:
    """Put neighbouring bins together until each can be compared; bins are named by their bounds."""
    share = min(sum(before), sum(now)) / (sum(before) + sum(now))
    bounds = [*edges, None]
    out: list[tuple[float | None, float | None, int, int]] = []
    low: float | None = None
    b = w = 0
    for upper, one, other in zip(bounds, before, now, strict=True):
        b, w = b + one, w + other
        if (b + w) * share >= LEAST_EXPECTED:
            out.append((low, upper, b, w))
            low, b, w = upper, 0, 0
    if b + w or (out and out[-1][1] is not None):
        first = out.pop() if out else (None, None, 0, 0)
        out.append((first[0], None, first[2] + b, first[3] + w))
    return [_bound(lo, up) for lo, up, _, _ in out], [item[2] for item in out], [item[3] for item in out]


def _bound(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "–"
    return f"<{high:g}" if low is None else f"≥{low:g}" if high is None else f"{low:g}–{high:g}"


def _shares(counts: Sequence[float] | F64) -> F64:
    smoothed = np.asarray(counts, np.float64) + SMOOTHING
    return smoothed / smoothed.sum()
