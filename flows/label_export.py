"""Giving petitions out for annotation: which, why, with what suggestion, in which format."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpora.issue_tree import IssueTree
from corpora.label_choices import Choices, IssueChoices, UnitChoices, UnknownLabelError
from corpora.label_formats import write_job
from corpora.label_import import choices_of
from corpora.label_records import Export, Job, LabelError, Task
from corpora.label_store import exports, recorded, save_export
from corpora.labelled import row_keys
from corpora.labels import resolved
from corpora.units import UnitDirectory
from corpora.workspace import labels_dir, models_dir
from flows.label_rows import masked, read_rows
from models.candidates import Predicted, label_errors, predict
from models.selection import Pick, Signals, select, told

_ALTERNATIVES = 3
_VIEWS = {"linear": "用语", "neighbours": "相似来信", "duty": "职责"}


def export_files(
    target: str,
    paths: Sequence[Path],
    count: int,
    kind: str,
    out: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    units: Path | None = None,
    places: Path | None = None,
    blind: bool = False,
) -> dict[str, Any]:
    """Pick petitions of files that are worth a person's time, keep them in the store and write the sheet to fill in.

    Raises:
        corpora.label_records.LabelError: if nothing is left to label, or no labels are known.
        corpora.readers.ReadError: if the files or the mapping are unusable.
    """
    on = dt.date.today()
    petitions, rejected = read_rows(paths, mapping or {})
    read = petitions.num_rows
    petitions, left_out = _candidates(target, petitions)
    if not petitions.num_rows:
        told_why = ", ".join(f"{name} {number}" for name, number in left_out.items()) or "the files hold no rows"
        msg = f"nothing to export: {told_why}"
        raise LabelError(msg)
    predicted = predict(target, petitions, models_dir(), units, places, on)
    choices = _choices(target, petitions, predicted, on)
    filed = [_code(choices, text) for text in petitions[target].to_pylist()]
    errors, suggested = label_errors(target, petitions, predicted, filed)
    signals = Signals(predicted.made.features, predicted.probabilities, predicted.views, predicted.cosine, errors)
    picks = select(signals, count)
    better = {} if blind else dict(zip(errors.tolist(), suggested, strict=True))
    entries = [_entry(pick, petitions, predicted, better.get(pick.row), choices, blind) for pick in picks]
    rows = masked(petitions.take(pa.array([pick.row for pick in picks])))
    manifest = {"model": predicted.model, "choices": list(choices.codes), "blind": blind, "picks": entries}
    directory = next((content for name, content in predicted.city.files if name == "units.yaml"), None)
    export = save_export(labels_dir(), target, rows, manifest, directory if target == "unit" else None)
    return {
        **_written(export, choices, kind, out),
        "read": read, "rejected": dict(rejected), "left_out": dict(left_out),
        "picked_for": dict(Counter(name for pick in picks for name in pick.reasons)),
    }  # fmt: skip


def export_conflicts(target: str, kind: str, out: Path, units: Path | None = None) -> dict[str, Any]:
    """Write the petitions on which people disagree to a sheet for the person who decides.

    Raises:
        corpora.label_records.LabelError: if there are none.
    """
    root = labels_dir()
    votes = {conflict.petition_id: conflict.votes for conflict in resolved(root, target).conflicts}
    given_out = exports(root, target)
    if not votes:
        msg = f"no conflicts: nobody disagrees on {target}"
        raise LabelError(msg)
    choices = choices_of(given_out[-1], units, dt.date.today())
    rows, entries, seen = [], [], set()
    for export in reversed(given_out):
        for i, name in enumerate(export.table["petition_id"].to_pylist()):
            if name in votes and name not in seen:
                seen.add(name)
                rows.append(export.table.slice(i, 1))
                why = "标注不一致：" + "；".join(f"{who}：{choices.show(label)}" for who, label in votes[name].items())
                entries.append({"petition_id": name, "suggestion": "", "probability": 0.0, "alternatives": [], "why": [why]})
    manifest = {"model": "", "choices": list(choices.codes), "blind": True, "picks": entries}
    directory = units.read_bytes() if units else given_out[-1].units
    export = save_export(root, target, pa.concat_tables(rows), manifest, directory)
    return {**_written(export, choices, kind, out), "picked_for": {"conflict": len(entries)}}


def _candidates(target: str, petitions: pa.Table) -> tuple[pa.Table, Counter[str]]:
    """Return the rows that may be given out, and why how many may not."""
    labelled = {item.petition_id for item in recorded(labels_dir()) if item.target == target}
    seen_keys, seen_ids, keep, left_out = set(), set(), [], Counter[str]()
    ids = petitions["petition_id"].to_pylist()
    for i, (name, key) in enumerate(zip(ids, row_keys(petitions).tolist(), strict=True)):
        if name in labelled:
            left_out["already annotated"] += 1
        elif key in seen_keys or name in seen_ids:
            left_out["same text or id as another row"] += 1
        else:
            keep.append(i)
        seen_keys.add(key)
        seen_ids.add(name)
    return petitions.take(pa.array(keep, pa.int64())), left_out


def _choices(target: str, petitions: pa.Table, predicted: Predicted, on: dt.date) -> Choices:
    if target == "issue_type":
        tree = IssueTree.load()
        return IssueChoices(tree, sorted(predicted.codes, key=lambda code: tree.path_name(code) if code in tree else code))
    if predicted.directory is not None:
        return UnitChoices(predicted.city.directory or predicted.directory, on)
    names = sorted({name for name in petitions["unit"].to_pylist() if name.strip()})
    if len(names) < 2:
        msg = "no units are known: give --units FILE, or train a unit model first"
        raise LabelError(msg)
    return UnitChoices(UnitDirectory.from_labels(names), on)


def _code(choices: Choices, text: str) -> str | None:
    if not text.strip():
        return None
    try:
        return choices.read(text).label
    except UnknownLabelError:
        return None


def _entry(pick: Pick, petitions: pa.Table, made: Predicted, better: str | None, choices: Choices, blind: bool) -> dict[str, Any]:
    suggestion, chance, others = "", 0.0, []
    if made.probabilities is not None and not blind:
        row = made.probabilities[pick.row]
        order = np.argsort(-row, kind="stable")[: _ALTERNATIVES + 1].tolist()
        suggestion, chance = made.codes[order[0]], round(float(row[order[0]]), 4)
        others = [[made.codes[i], round(float(row[i]), 4)] for i in order[1:] if row[i] >= 0.01]
    details = [f"留出模型认为是“{choices.show(better)}”"] if better else []
    if "disagreement" in pick.reasons and not blind:
        opinions = {_VIEWS[name]: made.codes[int(best[pick.row])] for name, best in made.views.items() if best[pick.row] >= 0}
        details.append("；".join(f"{name}→{choices.show(code)}" for name, code in opinions.items()))
    return {
        "petition_id": petitions["petition_id"][pick.row].as_py(), "suggestion": suggestion, "probability": chance,
        "alternatives": others, "why": list(told(pick, details)), "reasons": list(pick.reasons),
    }  # fmt: skip


def _written(export: Export, choices: Choices, kind: str, out: Path) -> dict[str, Any]:
    table, tasks = export.table, []
    for i, entry in enumerate(export.manifest["picks"]):
        moment = table["submitted_at"][i].as_py()
        filed = table[export.target][i].as_py()
        code = _code(choices, filed)
        others = tuple((choices.show(name), chance) for name, chance in entry["alternatives"])
        suggestion = choices.show(entry["suggestion"]) if entry["suggestion"] else ""
        tasks.append(
            Task(
                entry["petition_id"], table["title"][i].as_py(), table["body"][i].as_py(), table["address"][i].as_py(),
                moment.strftime("%Y-%m-%d %H:%M") if moment else "", choices.show(code) if code else filed, suggestion,
                entry["probability"], others, tuple(entry["why"]),
            )
        )  # fmt: skip
    job = Job(export.id, export.target, export.manifest["model"], tuple(map(choices.show, choices.codes)), tuple(tasks))
    files = write_job(job, kind, out)
    return {"export": export.id, "target": export.target, "model": job.model, "rows": len(tasks), "files": list(map(str, files))}
