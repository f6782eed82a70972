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
from flows.comparing import compared
from flows.learning import read_labelled
from flows.model_versions import find, loaded
from models import registry
from models.registry import ModelError, Promotion
from models.split import Keys
from models.training import TrainingError
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
    petitions, left_out = _with_label(petitions, target)
    found = compared(target, petitions, _keys(petitions), models, units, on or dt.date.today(), load_config(config).gate)
    left_out.update({_SEEN: found.seen, **{f"未能读取 rejected {code}": count for code, count in rejected.items()}})
    left_out = +left_out
    if found.result is None:
        told = ", ".join(f"{reason} {count}" for reason, count in left_out.items()) or "no rows"
        msg = f"no labelled row is left to compare on ({told}); give rows that neither version has learnt from"
        raise TrainingError(msg)
    return {
        "target": target, "candidate": candidate, "champion": against, **found.result.as_dict(), "left_out": dict(left_out),
        "notes": found.notes, "names": _names(target, models[0]),
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


def _with_label(petitions: pa.Table, target: str) -> tuple[pa.Table, Counter[str]]:
    """Return the rows with a label, and how many have none."""
    labelled = np.array([bool(label.strip()) for label in petitions[target].to_pylist()], bool)
    return petitions.filter(pa.array(labelled)), Counter({"无标签 no label": int((~labelled).sum())})


def _keys(petitions: pa.Table) -> Keys:
    """Return the keys of rows, masked as training saw them: a key is one of the masked text everywhere."""
    texts = {name: mask_texts(clean_texts(petitions[name].to_pylist()))[0] for name in ("title", "body")}
    return row_keys(pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()}))


def _names(target: str, saved: registry.SavedModel) -> dict[str, str]:
    """Return label → name where they differ."""
    model = saved.manifest["model"]
    if target == "issue_type":
        known = {str(node.code): node.name for node in IssueTree.load().nodes}
        pairs = {label: known.get(label, label) for label in model["labels"]}
    else:
        pairs = dict(zip(model["labels"], model.get("unit_names", ()), strict=False))
    return {label: f"{label} {name}" for label, name in pairs.items() if label != name}
