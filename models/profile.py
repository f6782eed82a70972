"""A period in numbers: what petitions and predictions were like, small enough to keep in a model's manifest.

The training rows of a version and any later window give the same profile, so that one can be held against the other.
Nothing of a text is in it: counts, shares, labels and channel names alone.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.drift_stats import OTHER

F64 = npt.NDArray[np.float64]
FORMAT = 1
#: Measured dimensions; the bins of all but the length are quantiles of the reference.
MEASURED = ("confidence", "unknown", "length")
_DECILES = tuple(tenth / 10 for tenth in range(1, 10))
#: Few texts in another script or a wrong encoding lie far above all others: within the last decile they would hardly show.
_CUTS = {"confidence": _DECILES, "unknown": (*_DECILES, 0.95, 0.99)}
#: Characters of a text: bins that double.
LENGTHS = (16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0)
#: Channels kept by name; an export with a thousand of them has put something else there.
_CHANNELS = 30


@dataclass(frozen=True)
class Observations:
    """What is known of n petitions, for one target.

    Attributes:
        predicted: likeliest label of each, None where there is no prediction by the model in question.
        confidence: its probability, NaN where there is none.
        unknown: share of each text's n-grams that the model has never seen, 0 to 1; NaN for a text without any.
        length: characters of each text.
        channel: channel of each, "" if unknown.
        days: day of filing of each, or None.
        labels: true label of each, None where nobody gave one.
        refused: units that sent each petition back (退单).
        holders: unit that has each petition now, None if unknown.
    """

    predicted: Sequence[str | None]
    confidence: F64
    unknown: F64
    length: F64
    channel: Sequence[str]
    days: Sequence[dt.date | None]
    labels: Sequence[str | None] = ()
    refused: Sequence[Sequence[str]] = ()
    holders: Sequence[str | None] = ()


@dataclass(frozen=True)
class Histogram:
    """Counts over bins: bin i holds values from `edges[i - 1]` up to, not including, `edges[i]`; the ends are open."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    mean: float

    @classmethod
    def of(cls, values: F64, edges: Sequence[float]) -> Histogram:
        """Count values; NaN are left out."""
        values = values[~np.isnan(values)]
        counts = np.bincount(np.searchsorted(np.array(edges), values, side="right"), minlength=len(edges) + 1)
        return cls(tuple(edges), tuple(counts.tolist()), round(float(values.mean()), 4) if len(values) else 0.0)


@dataclass(frozen=True)
class Profile:
    """Counts of a period.

    Attributes:
        rows: petitions.
        measured: `confidence`, `unknown` (share of n-grams never seen) and `length` as histograms.
        counted: `predicted`, `label` and `channel`: name → petitions.
        refusals: unit → (petitions it sent back, petitions it was given).
        months: month (2026-11) → petitions.
        days: days from the first to the last petition, 0 where none has a date.
        right: petitions whose prediction was their label.
        judged: petitions with both.
    """

    rows: int
    measured: dict[str, Histogram]
    counted: dict[str, dict[str, int]]
    refusals: dict[str, tuple[int, int]] = field(default_factory=dict)
    months: dict[str, int] = field(default_factory=dict)
    days: int = 0
    right: int = 0
    judged: int = 0

    @classmethod
    def of(cls, seen: Observations, like: Profile | None = None) -> Profile:
        """Count observations, in the bins of the profile `like` or in bins of their own."""
        measured = {}
        for name in MEASURED:
            values = np.asarray(getattr(seen, name), np.float64)
            known = like.measured.get(name) if like else None
            edges = known.edges if known else _edges(values, _CUTS[name]) if name in _CUTS else LENGTHS
            measured[name] = Histogram.of(values, edges)
        channels = Counter(channel for channel in seen.channel if channel)
        top = dict(channels.most_common(_CHANNELS))
        if rest := channels.total() - sum(top.values()):
            top[OTHER] = rest
        pairs = [(p, t) for p, t in zip(seen.predicted, seen.labels, strict=False) if p is not None and t is not None]
        dated = sorted(day for day in seen.days if day is not None)
        return cls(
            rows=len(seen.predicted),
            measured=measured,
            counted={
                "predicted": dict(sorted(Counter(label for label in seen.predicted if label is not None).items())),
                "label": dict(sorted(Counter(label for label in seen.labels if label is not None).items())),
                "channel": dict(sorted(top.items())),
            },
            refusals=_refusals(seen.refused, seen.holders),
            months=dict(sorted(Counter(f"{day:%Y-%m}" for day in dated).items())),
            days=(dated[-1] - dated[0]).days + 1 if dated else 0,
            right=sum(p == t for p, t in pairs),
            judged=len(pairs),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the profile as plain JSON values."""
        return {
            "format": FORMAT,
            "rows": self.rows,
            "measured": {
                name: {"edges": list(h.edges), "counts": list(h.counts), "mean": h.mean} for name, h in self.measured.items()
            },
            "counted": self.counted,
            "refusals": {unit: list(pair) for unit, pair in self.refusals.items()},
            "months": self.months,
            "days": self.days,
            "right": self.right,
            "judged": self.judged,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any] | None) -> Profile | None:
        """Return what `as_dict` gave; None for nothing, and for a format that this minqing does not know."""
        if not plain or plain.get("format") != FORMAT:
            return None
        return cls(
            rows=plain["rows"],
            measured={
                name: Histogram(tuple(h["edges"]), tuple(h["counts"]), h["mean"]) for name, h in plain["measured"].items()
            },
            counted={name: dict(counts) for name, counts in plain["counted"].items()},
            refusals={unit: (refused, given) for unit, (refused, given) in plain["refusals"].items()},
            months=dict(plain["months"]),
            days=plain["days"],
            right=plain["right"],
            judged=plain["judged"],
        )


def _edges(values: F64, cuts: Sequence[float]) -> tuple[float, ...]:
    """Return inner edges at these quantiles, without doubles: many rows may share a value, such as 0."""
    values = values[~np.isnan(values)]
    if not len(values):
        return ()
    return tuple(round(cut, 6) for cut in np.unique(np.quantile(values, cuts)).tolist() if cut > values.min())


def _refusals(refused: Sequence[Sequence[str]], holders: Sequence[str | None]) -> dict[str, tuple[int, int]]:
    back = Counter(unit for units in refused for unit in dict.fromkeys(units))
    held = Counter(unit for unit in holders if unit is not None)
    return {unit: (back[unit], back[unit] + held[unit]) for unit in sorted(back.keys() | held.keys())}
