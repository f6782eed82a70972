"""Label candidates from decisions, and what people thought of the suggestions.

They are read from the store whenever they are needed and kept nowhere else: what was purged is learnt no more.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from corpora.labelled import row_keys
from corpora.records import PETITION_SCHEMA
from corpora.workspace import store_address
from dispatch.store import Store
from dispatch.store.decided import last_decisions, verdicts_by_unit
from dispatch.store.decisions import ACCEPTED, REASSIGNED, REFUSED

#: What is learnt from: nothing, every decision that names a unit, or only those in which a person put the machine right: who
#: accepts has seen the suggestion and may have gone along with it, who corrects knew better.
NONE, ALL, CORRECTIONS = "none", "all", "corrections"
KINDS = (NONE, ALL, CORRECTIONS)


@dataclass(frozen=True)
class Decided:
    """Petitions with the unit a person gave them (`PETITION_SCHEMA`, masked), and what became of each last decision.

    `used` counts rows by verdict and source, `left_out` by reason; together they are all petitions that anyone decided on.
    """

    table: pa.Table = field(default_factory=PETITION_SCHEMA.empty_table)
    used: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)


def decided(kinds: str = ALL, since: dt.datetime | None = None) -> Decided:
    """Return the label candidates for the unit.

    Args:
        kinds: one of `KINDS`.
        since: only decisions from then on, UTC without zone.
    """
    found = Decided()
    if kinds == NONE:
        return found
    rows: list[dict[str, Any]] = []
    with Store.open(store_address()) as store:
        for row in store.rows(last_decisions(since)):
            if row.verdict not in (ACCEPTED, REASSIGNED):
                found.left_out["sent back, no unit named"] += 1
            elif not row.same_text:
                found.left_out["another text since"] += 1
            elif kinds == CORRECTIONS and row.verdict == ACCEPTED:
                found.left_out["accepted as suggested"] += 1
            else:
                found.used[f"{row.verdict} ({row.told_by})"] += 1
                found.people[row.actor] += 1
                texts = {name: getattr(row, name) for name in ("petition_id", "title", "body", "address", "channel", "source", "row", "unit")}
                rows.append(texts | {"submitted_at": row.submitted_at, "issue_type": "", "refused_units": []})
    return Decided(pa.Table.from_pylist(rows, PETITION_SCHEMA), found.used, found.left_out, found.people)


def beside(labelled: pa.Table, told: Decided) -> pa.Table:
    """Return the candidates but for those whose text somebody labelled: who labels has looked for longer."""
    known = set(row_keys(labelled).tolist())
    keep = [key not in known for key in row_keys(told.table).tolist()]
    if not all(keep):
        told.left_out["labelled by a person"] += len(keep) - sum(keep)
    return told.table.filter(pa.array(keep, pa.bool_()))


def summary(since: dt.datetime | None = None) -> dict[str, Any]:
    """Return what decisions there are, what may be learnt from them, and how each suggested unit fared."""
    told = decided(ALL, since)
    units: dict[str, Counter[str]] = defaultdict(Counter)
    with Store.open(store_address()) as store, store.reading() as connection:
        for lead, verdict, count in verdicts_by_unit(connection, since):
            units[lead or ""][verdict] += count
    total: Counter[str] = sum(units.values(), Counter())
    return {
        "labels": told.table.num_rows,
        "used": dict(told.used),
        "left_out": dict(told.left_out),
        "people": dict(told.people.most_common()),
        "verdicts": dict(total),
        "accepted_share": total[ACCEPTED] / total.total() if total else None,
        "units": {
            unit: dict(counts) | {"refused_share": counts[REFUSED] / counts.total()}
            for unit, counts in sorted(units.items(), key=lambda item: (-item[1].total(), item[0]))
        },
    }
