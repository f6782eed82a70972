"""What people said of petitions, brought to one label each: the latest word of each person, majority, decisions, agreement.

    found = resolved(labels_dir(), "unit")
    found.table            # PETITION_SCHEMA, the agreed label (a code) in the column `unit`
    found.conflicts        # what nobody has decided yet

Files are the concern of `corpora.label_store`, formats that of `corpora.label_formats`.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpora.label_records import Annotation, Export, LabelError
from corpora.label_store import add, exports, load_export, recorded, save_export
from corpora.labelled import row_keys
from corpora.records import PETITION_SCHEMA

__all__ = [
    "Agreement", "Annotation", "Conflict", "Export", "LabelError", "Pair", "Resolved", "add", "cohen", "exports",
    "load_export", "recorded", "resolved", "save_export",
]  # fmt: skip

#: A petition: its id and its text. An id that a source system used twice means two petitions.
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A petition on which people disagree, with the label of each."""

    petition_id: str
    votes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people: how many petitions both labelled, the share on which they agree, and Cohen's κ."""

    one: str
    other: str
    petitions: int
    share: float
    kappa: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of all pairs that share a petition; `kappa` is their mean, weighted by petitions, None without pairs."""

    pairs: tuple[Pair, ...]
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where the annotation of a target stands.

    Each petition given out is in one of `table`, `conflicts`, `passed` and `open`.

    Attributes:
        target: `issue_type` or `unit`.
        table: petitions with a label, as exported, the label in the column `target`.
        conflicts: petitions that need a decision.
        passed: ids of petitions that everyone who saw them skipped or gave back.
        open: ids that nobody has said anything about.
        decided: how many of `table` were settled by a decision.
        annotators: annotator → status → petitions, by their latest word.
        agreement: between people, decisions left aside.
        exports: ids of the exports.
    """

    target: str
    table: pa.Table
    conflicts: tuple[Conflict, ...]
    passed: tuple[str, ...]
    open: tuple[str, ...]
    decided: int
    annotators: Mapping[str, Counter[str]]
    agreement: Agreement
    exports: tuple[str, ...]


def resolved(root: Path, target: str) -> Resolved:
    """Bring the annotations of a target to one label a petition.

    The latest word of each person counts. The label that more than half of them give is the petition's; without one
    there is a conflict, until somebody decides (`Annotation.decides`; the latest decision holds). A suggestion of the
    machine is never a label.

    Raises:
        LabelError: if the store is damaged.
    """
    given_out = exports(root, target)
    rows: dict[Key, tuple[Export, int]] = {}
    key_of: dict[tuple[str, str], Key] = {}
    for export in given_out:
        ids = export.table["petition_id"].to_pylist()
        for i, (name, mark) in enumerate(zip(ids, row_keys(export.table).tolist(), strict=True)):
            rows[name, mark] = export, i  # the latest export shows the row
            key_of[export.id, name] = name, mark
    words: dict[Key, dict[str, Annotation]] = defaultdict(dict)
    decisions: dict[Key, Annotation] = {}
    for item in recorded(root):
        key = key_of.get((item.export, item.petition_id))
        if key is None or item.target != target:
            continue
        if item.decides:
            if item.status == "labelled" and (key not in decisions or decisions[key].at <= item.at):
                decisions[key] = item
            continue
        before = words[key].get(item.annotator)
        if before is None or before.at <= item.at:
            words[key][item.annotator] = item
    labels: dict[Key, str] = {}
    conflicts, passed, untouched = [], [], []
    for key in rows:
        votes = {who: word.label for who, word in sorted(words[key].items()) if word.status == "labelled"}
        label, count = Counter(votes.values()).most_common(1)[0] if votes else ("", 0)
        if key in decisions:
            labels[key] = decisions[key].label
        elif 2 * count > len(votes):
            labels[key] = label
        elif votes:
            conflicts.append(Conflict(key[0], votes))
        elif words[key]:
            passed.append(key[0])
        else:
            untouched.append(key[0])
    people: dict[str, Counter[str]] = defaultdict(Counter)
    for said in words.values():
        for who, word in said.items():
            people[who][word.status] += 1
    return Resolved(
        target,
        _labelled(rows, labels, target),
        tuple(conflicts),
        tuple(passed),
        tuple(untouched),
        sum(key in labels for key in decisions),
        {who: people[who] for who in sorted(people)},
        agreement_of(list(words.values())),
        tuple(export.id for export in given_out),
    )


def agreement_of(words: Sequence[Mapping[str, Annotation]]) -> Agreement:
    """Return how far people agree; each entry of `words` holds what was said of one petition, by person."""
    both: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for said in words:
        labels = {who: word.label for who, word in sorted(said.items()) if word.status == "labelled"}
        for one, other in itertools.combinations(labels, 2):
            both[one, other].append((labels[one], labels[other]))
    pairs = []
    for (one, other), told in sorted(both.items()):
        first, second = zip(*told, strict=True)
        same = sum(a == b for a, b in told) / len(told)
        pairs.append(Pair(one, other, len(told), same, cohen(first, second)))
    total = sum(pair.petitions for pair in pairs)
    return Agreement(tuple(pairs), sum(p.kappa * p.petitions for p in pairs) / total if total else None)


def cohen(first: Sequence[str], second: Sequence[str]) -> float:
    """Return Cohen's κ of two people's labels of the same petitions: 1 full agreement, 0 as by chance.

    Two people who give one and the same label throughout agree in full, though chance would explain it as well.
    """
    if len({*first, *second}) == 1:
        return 1.0
    from sklearn.metrics import cohen_kappa_score  # late: a second to import

    return float(cohen_kappa_score(np.array(first, object), np.array(second, object)))


def _labelled(rows: Mapping[Key, tuple[Export, int]], labels: Mapping[Key, str], target: str) -> pa.Table:
    """Return the rows that have a label, in the order of the exports, with the label in the target's column."""
    wanted: dict[str, tuple[Export, list[int], list[str]]] = {}
    for key, (export, i) in rows.items():
        if key in labels:
            _, at, names = wanted.setdefault(export.id, (export, [], []))
            at.append(i)
            names.append(labels[key])
    tables = [PETITION_SCHEMA.empty_table()]
    column = PETITION_SCHEMA.get_field_index(target)
    for export, at, names in wanted.values():
        taken = export.table.take(pa.array(at, pa.int64()))
        tables.append(taken.set_column(column, PETITION_SCHEMA.field(target), pa.array(names, pa.string())))
    return pa.concat_tables(tables).combine_chunks()
