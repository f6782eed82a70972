"""What analysts ask of the saved versions: list, compare, check against today's units."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpora.units import UnitDirectory
from models import registry
from models.registry import ModelError
from models.saved import city_of

_MEASURES = ("accuracy", "top3_accuracy", "macro_f1", "ece", "coverage_at_95_precision")


def listed(root: Path) -> list[dict[str, Any]]:
    """Return one entry a version, newest first within each target; `champion` marks the one in service."""
    found = []
    for target in registry.TARGETS:
        now = registry.champion(root, target)
        found += [_summary(target, manifest, now) for manifest in registry.versions(root, target)]
    return found


def _summary(target: str, manifest: dict[str, Any], champion: str | None) -> dict[str, Any]:
    measures = manifest.get("measures") or {}
    return {
        "target": target,
        "version": manifest["version"],
        "champion": manifest["version"] == champion,
        "created_at": manifest.get("created_at", ""),
        "rows": manifest.get("rows"),
        "classes": (manifest.get("model") or {}).get("classes"),
        **{name: measures.get(name) for name in _MEASURES},
        "problem": manifest.get("problem", ""),
    }


def find(root: Path, name: str) -> tuple[str, str]:
    """Return target and full name of a version given in full, by the beginning of its hash, or by its target (the champion).

    Raises:
        ModelError: if no version, or more than one, begins like that.
    """
    if name in registry.TARGETS:
        champion = registry.champion(root, name)
        if champion is None:
            msg = f"{root / name}: nothing is in service; `minqing models list` shows what there is"
            raise ModelError(msg)
        return name, champion
    every = [(entry["target"], entry["version"]) for entry in listed(root)]
    hits = [(t, v) for t, v in every if v == name] or [
        (t, v) for t, v in every if v.startswith(name) or v.removeprefix(f"{t}-").startswith(name)
    ]
    if len(hits) != 1:
        told = "no version" if not hits else f"{len(hits)} versions"
        names = ", ".join(v for _, v in hits or every) or "none"
        msg = f"{root}: {told} called {name!r}; there are: {names}"
        raise ModelError(msg)
    return hits[0]


def shown(root: Path, name: str) -> dict[str, Any]:
    """Return what a version is: its manifest without the long lists, and when it was in service."""
    target, version = find(root, name)
    saved = loaded(root, target, version)
    manifest, model = saved.manifest, saved.manifest["model"]
    short = {key: value for key, value in model.items() if not isinstance(value, list)}
    promotions = [asdict(entry) for entry in registry.history(root, target) if entry.version == version]
    data = manifest.get("data") or {}
    return {
        **{key: value for key, value in manifest.items() if key not in ("model", "files", "arrays", "reference")},
        "data": {key: len(value) if key == "labels" else value for key, value in data.items()},
        "model": short,
        "labels": model["labels"],
        "champion": registry.champion(root, target) == version,
        "promotions": promotions,
        "gates": [_short(record) for record in registry.gates(root, target, version)],
        "notes": list(saved.notes),
        "card": str(saved.companion("card.md") or ""),
        "folder": str(root / target / version),
    }


def _short(record: dict[str, Any]) -> dict[str, Any]:
    """Return what the gate said without the classes and slices that are no worse."""
    rows = [row for row in record.get("rows", ()) if row["scope"] == "overall" or row["verdict"] == "worse"]
    return {**record, "rows": rows}


def compared(root: Path, one: str, other: str) -> dict[str, Any]:
    """Return two versions of one target side by side: measures of their own training folds, labels that only one has.

    The measures come from different rows unless both were trained on the same ones; `same_rows` says so.

    Raises:
        ModelError: if they are of different targets.
    """
    (target, first), (other_target, second) = find(root, one), find(root, other)
    if target != other_target:
        msg = f"{first} is of {target}, {second} of {other_target}; only versions of one target can be compared"
        raise ModelError(msg)
    a, b = (loaded(root, target, version).manifest for version in (first, second))
    ours, theirs = set(a["model"]["labels"]), set(b["model"]["labels"])
    return {
        "target": target,
        "versions": [first, second],
        "measures": {
            name: [(manifest["measures"] or {}).get(name) for manifest in (a, b)] for name in ("rows", *_MEASURES)
        },
        "same_rows": a["rows"] == b["rows"] and a["model"].get("references") == b["model"].get("references"),
        "only_first": sorted(ours - theirs),
        "only_second": sorted(theirs - ours),
        "libraries": {
            name: [a["libraries"].get(name), b["libraries"].get(name)]
            for name in sorted(a["libraries"].keys() | b["libraries"].keys())
            if a["libraries"].get(name) != b["libraries"].get(name)
        },
    }


def checked(root: Path, units: Path | None, on: dt.date) -> list[dict[str, Any]]:
    """Check every champion: its files, and whether each unit it can name is there today.

    Args:
        root: folder of all models.
        units: the city's directory as of now; the one the model was trained with by default.
        on: today.

    Returns:
        One entry a target in service: `ok`; `problem` where it cannot be loaded; for units `mapped` (unit → successors,
        which serving names instead) and `invalid` (no such unit, or gone without successor).
    """
    found = []
    for target in registry.TARGETS:
        version = registry.champion(root, target)
        if version is None:
            continue
        entry: dict[str, Any] = {
            "target": target, "version": version, "ok": True, "problem": "", "mapped": {}, "invalid": [], "notes": [],
        }  # fmt: skip
        try:
            saved = loaded(root, target, version)
            entry["notes"] = list(saved.notes)
            if target == "unit":
                found_units = units_today(saved, units, on)
                if found_units is None:
                    entry["problem"] = "trained without a unit directory: give --units to check its labels"
                else:
                    entry["mapped"], entry["invalid"] = found_units
        except ModelError as error:
            entry["problem"] = str(error)
            entry["ok"] = False
        entry["ok"] = entry["ok"] and not entry["invalid"]
        found.append(entry)
    return found


def units_today(
    saved: registry.SavedModel, units: Path | None, on: dt.date
) -> tuple[dict[str, list[str]], list[str]] | None:
    """Return what became of the units that a version can name: unit → successors, and those that are no more.

    None where there is no directory to tell, neither `units` nor one that the version was trained with.
    """
    directory = UnitDirectory.load(units) if units else city_of(saved).directory
    if directory is None:
        return None
    mapped, invalid = {}, []
    for label in saved.manifest["model"]["labels"]:
        code = label if directory.has(label) else directory.resolve(label)
        now = directory.successor_on(code, on) if code else ()
        if not now:
            invalid.append(label)
        elif now != (code,):
            mapped[f"{label} {directory[code or label].name}"] = [directory[unit].name for unit in now]
    return mapped, invalid


def loaded(root: Path, target: str, version: str) -> registry.SavedModel:
    """Return a version that was named.

    Raises:
        ModelError: if it is not there, or not usable.
    """
    saved = registry.load(root, target, version)
    if saved is None:  # pragma: no cover - a version was named
        msg = f"{root / target / version}: no such version"
        raise ModelError(msg)
    return saved
