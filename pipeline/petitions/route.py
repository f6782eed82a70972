"""From probabilities to suggestions: lead and co-handling units, decision, and the columns of the suggestion batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.petitions.deadline import Deadline
from pipeline.petitions.suggestion import (
    DEADLINE,
    REASON,
    SCORED_ISSUE,
    SCORED_UNIT,
    SUGGESTION_SCHEMA,
    URGENCY,
    suggestion_id,
)
from pipeline.petitions.urgency import Urgency

T = TypeVar("T")
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: A unit below this probability is not worth a person's glance: it is not listed.
_LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a unit is suggested, in words (see `suggestion.REASON`)."""

    kind: str
    unit: str
    text: str
    words: tuple[str, ...] = ()
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """Thresholds of the decision, from the configuration."""

    auto_min_probability: float
    auto_min_margin: float
    review_urgent: bool

    def decide(self, top: Sequence[float], level: str, *, calibrated: bool, nobody_left: bool = False) -> tuple[str, str]:
        """Return `auto` or `review`, and why, for the unit probabilities of one petition, best first.

        `nobody_left`: all units sent the petition back.
        """
        if nobody_left:
            return "review", "所有单位均已退单，须人工协调"
        if not top:
            return "review", "没有依据指向任何单位"
        first, second = top[0], top[1] if len(top) > 1 else 0.0
        if self.review_urgent and level in ("urgent", "critical"):
            return "review", "紧急诉求须人工复核"
        if not calibrated:
            return "review", "无历史标注，概率未经校准"
        if first < self.auto_min_probability:
            return "review", f"置信度 {first:.0%} 低于直派门槛 {self.auto_min_probability:.0%}"
        if first - second < self.auto_min_margin:
            return "review", f"与次选单位相差不足 {self.auto_min_margin:.0%}"
        return "auto", f"置信度 {first:.0%} 达到直派门槛 {self.auto_min_probability:.0%}"


@dataclass(frozen=True)
class Ranked:
    """The best units or issue labels of each petition: indices and probabilities, shape (n, k), best first."""

    units: I64
    probabilities: F64


def rank(probabilities: F64, top_k: int) -> Ranked:
    """Return the `top_k` likeliest of each row; ties go to the lower index."""
    k = min(top_k, probabilities.shape[1])
    if probabilities.shape[1] > 4 * k:
        least = np.partition(probabilities, -k, axis=1)[:, -k][:, None]
        above, equal = probabilities > least, probabilities == least
        chosen = above | (equal & (np.cumsum(equal, axis=1) <= k - above.sum(1)[:, None]))
        some = np.nonzero(chosen)[1].reshape(-1, k)
    else:
        some = np.broadcast_to(np.arange(probabilities.shape[1]), probabilities.shape)
    values = np.take_along_axis(probabilities, some, 1)
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return Ranked(np.take_along_axis(some, order, 1), np.take_along_axis(values, order, 1))


def co_handling(
    ranked: Ranked, extra: Sequence[Sequence[int]], probabilities: F64, min_probability: float, most: int
) -> list[list[tuple[int, float]]]:
    """Return the co-handling units (协办) of each petition with their probabilities.

    Args:
        ranked: the best units; the first is the lead.
        extra: units that the lead's duty item or the place names, per petition.
        probabilities: shape (n, units).
        min_probability: a further unit at least this likely handles too.
        most: units per petition at the most.
    """
    out = []
    for row, (units, values) in enumerate(zip(ranked.units.tolist(), ranked.probabilities.tolist(), strict=True)):
        lead = units[0] if units else -1
        # A unit that is ruled out has probability 0, and no threshold lets it in.
        chosen = {u: p for u, p in zip(units[1:], values[1:], strict=True) if p >= min_probability and p > 0}
        for unit in extra[row]:
            if unit != lead:
                chosen.setdefault(unit, float(probabilities[row, unit]))
        out.append(list(chosen.items())[:most])
    return out


@dataclass
class Batch:
    """Everything that a suggestion batch is made of, n of each; see `SUGGESTION_SCHEMA` for the meaning."""

    petitions: pa.Table
    titles: list[str]
    bodies: list[str]
    addresses: list[str]
    channels: list[str]
    content_hashes: list[str]
    issue: list[tuple[str, float]]
    issue_top: Ranked
    issue_labels: Sequence[str]
    ranked: Ranked
    co_units: list[list[tuple[int, float]]]
    decisions: list[tuple[str, str]]
    reasons: list[list[Reason]]
    urgency: list[Urgency]
    deadlines: list[Deadline]
    unit_codes: Sequence[str]
    unit_names: Sequence[str]
    issue_names: Mapping[str, str]
    model_version: str
    config_version: str
    refused: Sequence[Sequence[int]] = ()  # units ruled out; none for anyone where empty
    event_groups: list[str | None] = field(default_factory=list)


def assemble(batch: Batch) -> pa.Table:
    """Return the suggestion batch as an Arrow table."""
    petitions, n = batch.petitions, batch.petitions.num_rows
    ids = petitions["petition_id"].to_pylist()
    shown = batch.ranked.probabilities >= _LEAST
    known: npt.NDArray[np.bool_] = np.asarray(shown.any(1))
    lead = np.where(known, batch.ranked.units[:, 0], 0) if shown.shape[1] else np.zeros(n, np.int64)
    chance = np.where(known, batch.ranked.probabilities[:, 0], 0.0) if shown.shape[1] else np.zeros(n)
    labels = list(batch.issue_labels)
    label_names = [batch.issue_names[label] for label in labels]
    every = np.ones(batch.issue_top.units.shape, bool)
    columns = {
        "suggestion_id": [
            suggestion_id(pid, digest, batch.model_version, batch.config_version, [batch.unit_codes[unit] for unit in refused])
            for pid, digest, refused in zip(ids, batch.content_hashes, batch.refused or [()] * n, strict=True)
        ],
        "petition_id": petitions["petition_id"],
        "content_hash": batch.content_hashes,
        "source": petitions["source"],
        "row": petitions["row"],
        "title": batch.titles,
        "body": batch.bodies,
        "address": batch.addresses,
        "channel": batch.channels,
        "submitted_at": petitions["submitted_at"],
        "refused_units": petitions["refused_units"],
        "issue_type": _issues(batch.issue, batch.issue_names),
        "issue_top_k": _ranked(batch.issue_top, every, SCORED_ISSUE, labels, label_names),
        "lead_unit": _scored(SCORED_UNIT, lead, chance, batch.unit_codes, batch.unit_names, np.logical_not(known)),
        "co_units": _co_units(batch),
        "top_k": _ranked(batch.ranked, shown, SCORED_UNIT, batch.unit_codes, batch.unit_names),
        "decision": [decision for decision, _ in batch.decisions],
        "decision_why": [why for _, why in batch.decisions],
        "reasons": _listed([len(reasons) for reasons in batch.reasons], _reasons(_flat(batch.reasons))),
        "urgency": _urgencies(batch.urgency),
        "deadline": _deadlines(batch.deadlines),
        "event_group": batch.event_groups or [None] * n,
        "model_version": [batch.model_version] * n,
        "config_version": [batch.config_version] * n,
    }
    arrays = []
    for column in SUGGESTION_SCHEMA:
        value = columns[column.name]
        if isinstance(value, pa.ChunkedArray):
            value = value.combine_chunks()
        arrays.append(value if isinstance(value, pa.Array) else pa.array(value, column.type))
    return pa.Table.from_arrays(arrays, schema=SUGGESTION_SCHEMA)


def _flat(rows: Sequence[Sequence[T]]) -> list[T]:
    return [item for row in rows for item in row]


def _listed(lengths: Sequence[int] | I64, values: pa.Array) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _struct(kind: pa.StructType, values: Sequence[Sequence[object]], mask: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    children = [
        value if isinstance(value, pa.Array) else pa.array(value, f.type) for value, f in zip(values, kind, strict=True)
    ]
    return pa.StructArray.from_arrays(
        children, fields=list(kind), mask=None if mask is None else pa.array(mask, pa.bool_())
    )


def _issues(items: Sequence[tuple[str, float]], names: Mapping[str, str]) -> pa.Array:
    codes = [code for code, _ in items]
    return _struct(SCORED_ISSUE, [codes, [names.get(code, code) for code in codes], [p for _, p in items]])


def _scored(
    kind: pa.StructType,
    index: I64,
    chance: F64,
    codes: Sequence[str],
    names: Sequence[str],
    mask: npt.NDArray[np.bool_] | None = None,
) -> pa.Array:
    """Return structs (code, name, probability) for indices into `codes`; null where `mask`."""
    at = pa.array(index, pa.int64())
    return _struct(
        kind,
        [pa.array(codes, pa.string()).take(at), pa.array(names, pa.string()).take(at), pa.array(chance, pa.float64())],
        mask,
    )


def _ranked(
    ranked: Ranked, shown: npt.NDArray[np.bool_], kind: pa.StructType, codes: Sequence[str], names: Sequence[str]
) -> pa.Array:
    return _listed(shown.sum(1), _scored(kind, ranked.units[shown], ranked.probabilities[shown], codes, names))


def _co_units(batch: Batch) -> pa.Array:
    items = _flat(batch.co_units)
    index = np.array([unit for unit, _ in items], np.int64)
    chance = np.array([p for _, p in items], np.float64)
    values = _scored(SCORED_UNIT, index, chance, batch.unit_codes, batch.unit_names)
    return _listed([len(units) for units in batch.co_units], values)


def _reasons(items: Sequence[Reason]) -> pa.Array:
    words = _listed([len(r.words) for r in items], pa.array(_flat([r.words for r in items]), pa.string()))
    return _struct(
        REASON,
        [[r.kind for r in items], [r.unit for r in items], [r.text for r in items], words, [r.reference for r in items]],
    )


def _urgencies(items: Sequence[Urgency]) -> pa.Array:
    rules = _listed([len(u.rules) for u in items], pa.array(_flat([u.rules for u in items]), pa.string()))
    words = _listed([len(u.words) for u in items], pa.array(_flat([u.words for u in items]), pa.string()))
    return _struct(URGENCY, [[u.level for u in items], rules, words])


def _deadlines(items: Sequence[Deadline]) -> pa.Array:
    return _struct(
        DEADLINE,
        [
            [d.date for d in items],
            [d.working_days for d in items],
            [d.rule for d in items],
            [d.basis for d in items],
            [d.note for d in items],
        ],
    )
