"""Taking annotations in, saying where they stand, and making corpora of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpora import label_store
from corpora.issue_tree import IssueTree
from corpora.label_choices import IssueChoices, UnitChoices, UnknownLabelError
from corpora.label_formats import read_filled
from corpora.label_import import Importer
from corpora.label_records import TARGETS, Annotation, LabelError
from corpora.labelled import PARTS, row_keys, split_of, to_datasets
from corpora.labels import resolved
from corpora.records import PETITION_SCHEMA, Rejection
from corpora.units import UnitDirectory
from corpora.workspace import labels_dir
from flows.label_rows import masked, masked_texts, read_rows


def import_files(
    files: Sequence[Path], annotator: str = "", units: Path | None = None, *, decides: bool = False
) -> dict[str, Any]:
    """Take annotations in from files.

    Returns:
        For each file its rows by what became of them: taken and new, said before, open, set aside and why.

    Raises:
        corpora.label_records.LabelError: if a file is none of the formats, or damaged.
    """
    root, on = labels_dir(), dt.date.today()
    importer = Importer(root, on, units, annotator, decides=decides)
    checked = [importer.check(part) for path in files for part in read_filled(path)]  # all are read before any is taken
    told = []
    for done in checked:
        items = _without_personal_data(done.annotations)
        new = label_store.add(root, items)
        told.append(
            {
                "file": done.source, "rows": len(items) + done.repeated + done.open + len(done.rejections), "taken": len(new),
                "known": len(items) - len(new) + done.repeated, "open": done.open, "rejected": len(done.rejections),
                "status": dict(Counter(item.status for item in new)), "annotators": dict(Counter(item.annotator for item in new)),
                "edited": done.edited, "ignored_columns": list(done.outcomes), "remarks": dict(done.remarks),
                "rejections": [_plain(item) for item in done.rejections],
            }
        )  # fmt: skip
    return {"files": told, **{key: sum(entry[key] for entry in told) for key in ("rows", "taken", "known", "open", "rejected")}}


def _without_personal_data(items: Sequence[Annotation]) -> list[Annotation]:
    notes = masked_texts([item.note for item in items])
    return [replace(item, note=note) for item, note in zip(items, notes, strict=True)]


def _plain(item: Rejection) -> dict[str, Any]:
    """Return a rejection for printing; what was typed into a cell may be anything, so the reason is masked too."""
    return {"row": item.row, "code": item.code, "reason": masked_texts([item.reason])[0]}


def status(target: str | None = None) -> list[dict[str, Any]]:
    """Return where the annotation of each target stands; targets that were never given out are left out."""
    found = []
    for name in (target,) if target else TARGETS:
        state = resolved(labels_dir(), name)
        if not state.exports and target is None:
            continue
        labels = Counter(state.table[name].to_pylist())
        found.append(
            {
                "target": name, "exports": len(state.exports), "given_out": _given_out(state), "labelled": state.table.num_rows,
                "decided": state.decided, "conflicts": len(state.conflicts), "passed": len(state.passed), "open": len(state.open),
                "labels": dict(labels.most_common()), "annotators": {who: dict(told) for who, told in state.annotators.items()},
                "kappa": state.agreement.kappa, "pairs": [asdict(pair) for pair in state.agreement.pairs],
                "conflicting": [asdict(conflict) for conflict in state.conflicts],
            }
        )  # fmt: skip
    return found


def _given_out(state: Any) -> int:  # noqa: ANN401 - Resolved
    return state.table.num_rows + len(state.conflicts) + len(state.passed) + len(state.open)


def make_dataset(
    target: str,
    out: Path,
    paths: Sequence[Path] = (),
    *,
    mapping: Mapping[str, str] | None = None,
    units: Path | None = None,
    by: str = "hash",
    test: float = 0.15,
    validation: float = 0.0,
) -> dict[str, Any]:
    """Write the agreed labels, and the labelled rows of files beside them, as a Hugging Face dataset to a folder.

    Where a person labelled a letter that stands in the files too, the person's label counts.

    Raises:
        corpora.label_records.LabelError: if there is no labelled row, the shares are wrong, or the folder holds something.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        msg = f"{out}: is not empty; a corpus is written to a folder of its own"
        raise LabelError(msg)
    table, left_out = resolved(labels_dir(), target).table, Counter[str]()
    people, rejected = table.num_rows, Counter[str]()
    if paths:
        filed, rejected = read_rows(paths, mapping or {})
        filed, left_out = _usable(target, filed, units)
        table = _joined(table, filed, left_out)
    try:
        parts = split_of(table, by, test, validation)
        corpus = to_datasets(table, target, parts)
    except ValueError as error:
        raise LabelError(str(error)) from error
    corpus.save_to_disk(str(out))
    return {
        "target": target, "out": str(out), "rows": table.num_rows, "by_people": people, "classes": len(set(table[target].to_pylist())),
        "parts": {part: int((parts == part).sum()) for part in PARTS if (parts == part).any()},
        "fingerprints": {part: corpus[part]._fingerprint for part in corpus}, "left_out": dict(left_out), "rejected": dict(rejected),
    }  # fmt: skip


def _usable(target: str, filed: pa.Table, units: Path | None) -> tuple[pa.Table, Counter[str]]:
    """Return the rows whose label may be learnt, masked, with its code; and why how many are left out."""
    labels = [label.strip() for label in filed[target].to_pylist()]
    if target == "issue_type":
        choices: IssueChoices | UnitChoices = IssueChoices(IssueTree.load(), sorted({label for label in labels if label}))
    else:
        directory = UnitDirectory.load(units) if units else UnitDirectory.from_labels(labels)
        choices = UnitChoices(directory, dt.date.today())
    codes: list[str] = []
    keep: list[int] = []
    left_out = Counter[str]()
    for i, label in enumerate(labels):
        try:
            if label:
                codes.append(choices.read(label).label)
                keep.append(i)
            else:
                left_out["no label"] += 1
        except UnknownLabelError as error:
            left_out[error.code] += 1
    rows = masked(filed.take(pa.array(keep, pa.int64())))
    return _with_labels(rows, target, codes), left_out


def _with_labels(rows: pa.Table, target: str, codes: Sequence[str]) -> pa.Table:
    at = PETITION_SCHEMA.get_field_index(target)
    return rows.set_column(at, PETITION_SCHEMA.field(target), pa.array(codes, pa.string()))


def _joined(people: pa.Table, filed: pa.Table, left_out: Counter[str]) -> pa.Table:
    """Return both, without the filed rows whose text a person labelled."""
    labelled = set(row_keys(people).tolist())
    keep = [key not in labelled for key in row_keys(filed).tolist()]
    if not all(keep):
        left_out["labelled by a person"] = len(keep) - sum(keep)
    return pa.concat_tables([people, filed.filter(pa.array(keep, pa.bool_()))]).combine_chunks()
