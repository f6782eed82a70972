"""Drift (漂移): how far a window lies from what a model was trained with, beyond what a sample of its size shows anyway.

Each dimension gets the population stability index (PSI), PSI = Σ (w - r) ln(w / r) over the shares r of the reference and
w of the window. Two samples of one population have PSI > 0 too: about (bins - 1)(1/n + 1/m) for n and m rows (Yurdakul
& Naranjo 2020). That is taken off before the usual thresholds are asked, and a chi-square test, corrected by Holm
over all dimensions, must agree that the difference is there at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from corpora.config import DIMENSIONS, WatchConfig
from models.drift_stats import OTHER, chance_psi, chi_square, holm, jensen_shannon, merged_neighbours, merged_rare, psi
from models.profile import Profile

#: Dimensions where one direction only is bad: +1 where growth is.
_WORSE = {"confidence": -1, "unknown": 1}


@dataclass(frozen=True)
class Mover:
    """A class or channel whose share changed; `new` where the reference does not have it at all."""

    name: str
    before: float
    now: float
    p: float
    new: bool


@dataclass(frozen=True)
class Dimension:
    """One dimension compared.

    Attributes:
        name: see `corpora.config.DIMENSIONS`.
        status: `stable`, `moderate`, `major`, or `unknown` where nothing can be compared (`why` says why).
        rows: rows of reference and window.
        bars: (bin, share before, share now), in order.
        psi: as computed.
        chance: what two samples of this size from one population show on average.
        excess: `psi` less `chance`, at least 0.
        jensen_shannon: divergence in bits, 0 to 1.
        p: of the chi-square test, corrected by Holm over the dimensions.
        means: mean before and now, for measured dimensions.
        worse: whether it moved in the direction that hurts (less confidence, more unknown n-grams); True where both do.
        movers: names whose share changed for sure, largest change first.
    """

    name: str
    status: str
    rows: tuple[int, int]
    why: str = ""
    bars: tuple[tuple[str, float, float], ...] = ()
    psi: float = 0.0
    chance: float = 0.0
    excess: float = 0.0
    jensen_shannon: float = 0.0
    p: float = 1.0
    means: tuple[float, float] | None = None
    worse: bool = True
    movers: tuple[Mover, ...] = ()


@dataclass(frozen=True)
class Refusals:
    """A unit's refusals (退单) in the window: `back` of `given`, rate with its 95 % interval; before, where known.

    `p` is the chance of so many if the rate were the tolerated one, or what it was before; corrected by Holm over units.
    """

    unit: str
    back: int
    given: int
    low: float
    high: float
    before: tuple[int, int] | None
    p: float
    raised: bool

    @property
    def rate(self) -> float:
        """Share of the petitions it was given that it sent back."""
        return self.back / self.given if self.given else 0.0


@dataclass(frozen=True)
class Accuracy:
    """First suggestions that were right, of labelled petitions: before (held out) and now; `fell` where for sure."""

    before: tuple[int, int]
    now: tuple[int, int]
    p: float
    fell: bool


@dataclass(frozen=True)
class Drift:
    """A window against a reference; `units` are all with refusals or many petitions, `overall` is all of them together."""

    dimensions: tuple[Dimension, ...]
    units: tuple[Refusals, ...]
    overall: Refusals
    accuracy: Accuracy | None


def compare(reference: Profile | None, window: Profile, limits: WatchConfig) -> Drift:
    """Hold a window against a reference.

    Args:
        reference: profile of the training rows and their held-out predictions; None where the version has none.
        window: profile of the window, in the reference's bins.
        limits: from when on a difference counts.
    """
    raw = [_dimension(name, reference, window) for name in DIMENSIONS]
    known = [item for item in raw if item.status != "unknown"]
    accuracy = _accuracy(reference, window)
    corrected = holm([item.p for item in known] + ([accuracy.p] if accuracy else []))
    by_name = dict(zip((item.name for item in known), corrected, strict=False))
    if accuracy:
        accuracy = replace(accuracy, p=corrected[-1], fell=corrected[-1] < limits.alpha)
    dimensions = tuple(_judged(item, by_name.get(item.name, 1.0), limits) for item in raw)
    return Drift(dimensions, *_refusals(reference, window, limits), accuracy)


def _dimension(name: str, reference: Profile | None, window: Profile) -> Dimension:
    """Return the dimension measured but not judged; `p` is of its own test alone."""
    if name in window.measured:
        now = list(window.measured[name].counts)
        known = reference.measured.get(name) if reference else None
        before = list(known.counts) if known else [0] * len(now)
    else:
        counts_now = window.counted[name]
        counts_before = reference.counted.get(name, {}) if reference else {}
        names = sorted(counts_now.keys() | counts_before.keys())
        now, before = [counts_now.get(key, 0) for key in names], [counts_before.get(key, 0) for key in names]
    rows = sum(before), sum(now)
    if not all(rows):
        why = "no reference" if reference is None else "not in the reference" if not rows[0] else "not in the window"
        return Dimension(name, "unknown", rows, why=why)
    means = None
    worse = True
    movers: tuple[Mover, ...] = ()
    if known := (reference.measured.get(name) if reference else None):
        means = known.mean, window.measured[name].mean
        worse = name not in _WORSE or (means[1] - means[0]) * _WORSE[name] > 0
        labels, before, now = merged_neighbours(known.edges, before, now)
    else:
        labels, before, now = merged_rare(names, before, now)
        movers = _changes(labels, before, now)
    chance = chance_psi(len(now), *rows)
    value = psi(before, now)
    return Dimension(
        name, "stable", rows,
        bars=tuple((label, b / rows[0], n / rows[1]) for label, b, n in zip(labels, before, now, strict=True)),
        psi=value, chance=chance, excess=max(value - chance, 0.0), jensen_shannon=jensen_shannon(before, now),
        p=chi_square(before, now), means=means, worse=worse, movers=movers,
    )  # fmt: skip


def _judged(item: Dimension, p: float, limits: WatchConfig) -> Dimension:
    if item.status == "unknown":
        return item
    if min(item.rows) < limits.min_rows:
        return Dimension(item.name, "unknown", item.rows, why=f"fewer than {limits.min_rows} rows")
    movers = tuple(
        mover
        for mover in item.movers
        if mover.p < limits.alpha
        and abs(mover.now - mover.before) >= limits.share_change
        and max(mover.now, mover.before) >= limits.share_factor * min(mover.now, mover.before)
    )
    steps = 0
    if p < limits.alpha:
        # A change for the better counts a step less. Held-out predictions are made by models that had fewer rows, so a
        # window looks a little surer than they do even where nothing has changed.
        steps = (item.excess >= limits.moderate) + (item.excess >= limits.major) - (not item.worse)
    if movers:  # one class that doubled is lost in the sum over all
        steps = max(steps, 1)
    status = ("stable", "moderate", "major")[max(steps, 0)]
    return replace(item, status=status, p=p, movers=movers)


def _changes(names: Sequence[str], before: Sequence[int], now: Sequence[int]) -> tuple[Mover, ...]:
    """Return every name with the p-value of its share having changed (Fisher), largest change first."""
    from scipy.stats import fisher_exact  # late: takes half a second to import

    n, m = sum(before), sum(now)
    p = holm([float(fisher_exact([[b, n - b], [w, m - w]]).pvalue) for b, w in zip(before, now, strict=True)])
    found = [
        Mover(name, b / n, w / m, value, b == 0)
        for name, b, w, value in zip(names, before, now, p, strict=True)
        if name != OTHER
    ]
    return tuple(sorted(found, key=lambda mover: -abs(mover.now - mover.before)))


def _accuracy(reference: Profile | None, window: Profile) -> Accuracy | None:
    from scipy.stats import fisher_exact

    if reference is None or not reference.judged or not window.judged:
        return None
    before, now = (reference.right, reference.judged), (window.right, window.judged)
    table = [[now[0], now[1] - now[0]], [before[0], before[1] - before[0]]]
    return Accuracy(before, now, float(fisher_exact(table, alternative="less").pvalue), False)


def _refusals(reference: Profile | None, window: Profile, limits: WatchConfig) -> tuple[tuple[Refusals, ...], Refusals]:
    before = reference.refusals if reference else {}
    # Rows whose source had no such column look as if nobody ever sent anything back.
    recorded: Mapping[str, tuple[int, int]] = before if any(back for back, _ in before.values()) else {}
    names = sorted(window.refusals, key=lambda unit: (-window.refusals[unit][0], -window.refusals[unit][1], unit))
    p = [_raised(window.refusals[unit], recorded.get(unit), limits.refusal_limit) for unit in names]
    units = tuple(
        _interval(unit, window.refusals[unit], recorded.get(unit), value, limits.alpha)
        for unit, value in zip(names, holm(p), strict=True)
    )
    total = _sum(window.refusals)
    earlier = _sum(recorded) if recorded else None
    return units, _interval(OTHER, total, earlier, _raised(total, earlier, limits.refusal_limit), limits.alpha)


def _sum(refusals: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    return sum(back for back, _ in refusals.values()), sum(given for _, given in refusals.values())


def _raised(now: tuple[int, int], before: tuple[int, int] | None, limit: float) -> float:
    """Return the p-value of a rate above the limit and above what it was: the larger of the two."""
    from scipy.stats import binomtest, fisher_exact

    back, given = now
    if not back:
        return 1.0
    p = float(binomtest(back, given, limit, alternative="greater").pvalue) if 0 < limit < 1 else float(limit >= 1)
    if before is not None and before[1]:
        table = [[back, given - back], [before[0], before[1] - before[0]]]
        p = max(p, float(fisher_exact(table, alternative="greater").pvalue))
    return p


def _interval(unit: str, now: tuple[int, int], before: tuple[int, int] | None, p: float, alpha: float) -> Refusals:
    """Return the refusals with their Wilson interval."""
    from scipy.stats import binomtest

    back, given = now
    low, high = 0.0, 1.0
    if given:
        found = binomtest(back, given).proportion_ci(0.95, method="wilson")
        low, high = float(found.low), float(found.high)
    return Refusals(unit, back, given, low, high, before, p, p < alpha)
