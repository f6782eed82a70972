"""Candidate and champion on the same labelled files, judged by the gate; and what it takes to put a version in service."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpora.config import load_config
from corpora.issue_tree import IssueTree
from corpora.labelled import row_keys
from flows.learning import champion_issue, read_labelled
from flows.model_versions import find, loaded, units_today
from models import registry
from models.gate import judge, slices_of
from models.registry import ModelError, Promotion
from models.training import TrainingError, evaluate_model
from pipeline.petitions.clean import clean_texts
from pipeline.petitions.mask import mask_texts

_SEEN = "训练时见过 seen in training"


def judged(
    root: Path,
    one: str,
    other: str | None,
    paths: Sequence[Path],
    mapping: Mapping[str, str],
    units: Path | None = None,
    config: Path | None = None,
    on: dt.date | None = None,
) -> dict[str, Any]:
    """Ask both versions the labelled rows of files that neither has learnt from, and let the gate compare.

    Args:
        root: folder of all models.
        one: the candidate.
        other: the version it would replace, None for none.
        paths: labelled files.
        mapping: field → header.
        units: the city's directory as of now; the candidate's by default.
        config: a city's own configuration.
        on: the day on which its units must be there; today by default.

    Returns:
        The gate's result, with `target`, `candidate`, `champion`, `left_out` (reason → rows), `notes` (what could not be
        made sure), `names` (label → name).

    Raises:
        ModelError: if they are of different targets, or one cannot be used.
        TrainingError: if no labelled row remains.
    """
    target, candidate = find(root, one)
    against = None
    if other is not None:
        other_target, against = find(root, other)
        if other_target != target:
            msg = (
                f"{candidate} is of {target}, {against} of {other_target}; only versions of one target can be compared"
            )
            raise ModelError(msg)
    models = [loaded(root, target, version) for version in (candidate, against) if version]
    petitions, rejected = read_labelled(paths, mapping)
    petitions, left_out, notes = _unseen(petitions, target, models)
    left_out.update({f"未能读取 rejected {code}": count for code, count in rejected.items()})
    if not petitions.num_rows:
        told = ", ".join(f"{reason} {count}" for reason, count in left_out.items()) or "no rows"
        msg = f"no labelled row is left to compare on ({told}); give rows that neither version has learnt from"
        raise TrainingError(msg)
    issue = champion_issue(root) if target == "unit" else None
    scores = [evaluate_model(target, petitions, model, issue) for model in models]
    gone = units_today(models[0], units, on or dt.date.today()) if target == "unit" else None
    if target == "unit" and gone is None:
        notes.append("no unit directory: whether each unit is there today was not checked (--units)")
    notes += [f"{model.version}: {note}" for model in models for note in model.notes]
    result = judge(
        scores[0],
        scores[1] if against else None,
        slices=slices_of(petitions),
        invalid=gone[1] if gone else (),
        rules=load_config(config).gate,
    )
    return {
        "target": target, "candidate": candidate, "champion": against, **result.as_dict(), "left_out": dict(left_out),
        "notes": notes, "names": _names(target, models[0]),
    }  # fmt: skip


def decide(
    root: Path, name: str, found: dict[str, Any] | None, *, by: str = "", why: str = "", override: str = ""
) -> Promotion | None:
    """Put a version in service if the gate, or somebody by name, says so; None if it serves already.

    Args:
        root: folder of all models.
        name: the version.
        found: what `judged` said of it against the champion, None if it was not asked now.
        by: who decides.
        why: the reason; the gate's own by default.
        override: who takes responsibility instead of the gate.

    Raises:
        ModelError: if the gate refused it, or was never asked.
    """
    target, version = find(root, name)
    now = registry.champion(root, target)
    if found is not None:
        now = found["champion"]
        registry.record_gate(root, target, version, now, found)
    if version == registry.champion(root, target):
        return None
    if override:
        return registry.promote(root, target, version, override=override, why=why, expected=now)
    ways = (
        f"promote it with `minqing models promote {version} --on LABELLED_FILES`, which compares both, or take responsibility: "
        "--override NAME --why TEXT"
    )
    passed = found["passed"] if found is not None else registry.passed(root, target, version, now)
    if passed is False:
        msg = f"{version}: the gate refused it against {now or 'nothing in service'}; nothing was promoted. Improve it, or {ways}"
        raise ModelError(msg)
    if passed is None and now is not None:
        msg = f"{version}: nobody compared it with {now}, which serves; nothing was promoted: {ways}"
        raise ModelError(msg)
    told = why or (f"gate: {found['verdict']}" if found else "gate passed before" if passed else "first in service")
    return registry.promote(root, target, version, by=by, why=told, expected=now)


def _unseen(
    petitions: pa.Table, target: str, models: Sequence[registry.SavedModel]
) -> tuple[pa.Table, Counter[str], list[str]]:
    """Return the labelled rows that no version has learnt from, why others were left out, and what cannot be known."""
    left_out: Counter[str] = Counter()
    labelled = np.array([bool(label.strip()) for label in petitions[target].to_pylist()], bool)
    left_out["无标签 no label"] = int((~labelled).sum())
    petitions = petitions.filter(pa.array(labelled))
    # Masked, as training saw them: a key is one of the masked text everywhere.
    texts = {name: mask_texts(clean_texts(petitions[name].to_pylist()))[0] for name in ("title", "body")}
    keys = row_keys(pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()}))
    seen = np.zeros(len(keys), bool)
    notes = []
    for model in models:
        learnt = model.arrays.get("training.rows")
        if learnt is None:
            notes.append(f"{model.version} does not say which rows it has learnt from: some of these may be among them")
        else:
            seen |= np.isin(keys, learnt)
    left_out[_SEEN] = int(seen.sum())
    return petitions.filter(pa.array(~seen)), +left_out, notes


def _names(target: str, saved: registry.SavedModel) -> dict[str, str]:
    """Return label → name where they differ."""
    model = saved.manifest["model"]
    if target == "issue_type":
        known = {str(node.code): node.name for node in IssueTree.load().nodes}
        pairs = {label: known.get(label, label) for label in model["labels"]}
    else:
        pairs = dict(zip(model["labels"], model.get("unit_names", ()), strict=False))
    return {label: f"{label} {name}" for label, name in pairs.items() if label != name}
