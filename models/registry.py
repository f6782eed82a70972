"""Saved model versions: immutable folders under the workspace, and one champion per target.

models/<target>/<version>/manifest.json      plain values, measures, where it comes from, file hashes
arrays.safetensors numbers
card.md            the same for a reader
units.yaml, places.csv, lexicon.txt, transformer/…   what the model was trained with
models/<target>/champion, history.jsonl, gates/      see `models.promotions`
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from models import compatibility
from models.persistence import Arrays
from models.promotions import (
    ANY,
    Promotion,
    champion,
    gates,
    history,
    locked,
    passed,
    previous,
    promote,
    record_gate,
    rollback,
)
from models.version_files import (
    ARRAYS,
    CARD,
    FORMAT,
    MANIFEST,
    ModelError,
    check_files,
    digest,
    folder_of,
    listing,
    manifest_digest,
    name_of,
    read_manifest,
    refuse,
    sync,
    told,
    write_companions,
)

__all__ = [
    "ANY", "FORMAT", "TARGETS", "ModelError", "Promotion", "SavedModel", "champion", "gates", "history", "load", "passed",
    "promote", "prune", "record_gate", "rollback", "save", "versions",
]  # fmt: skip
TARGETS = ("issue_type", "unit")
#: Seconds after which what a killed process left is nobody's work in hand.
_ABANDONED = 86_400


@dataclass(frozen=True)
class SavedModel:
    """A loaded version: its folder, manifest and arrays; `notes` say what differs from where it was made."""

    folder: Path
    manifest: dict[str, Any]
    arrays: Arrays
    notes: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Name of the version."""
        return self.folder.name

    def companion(self, name: str) -> Path | None:
        """Return the path of a file or folder saved beside the model, or None."""
        path = self.folder / name
        return path if path.exists() else None


def save(
    root: Path,
    target: str,
    arrays: Arrays,
    manifest: Mapping[str, Any],
    companions: Mapping[str, bytes | Path],
    card: Callable[[Mapping[str, Any]], str] | None = None,
) -> SavedModel:
    """Write a version folder in one step and return it; the same content gives the same version.

    Args:
        root: folder of all models.
        target: `issue_type` or `unit`.
        arrays: name → array.
        manifest: plain values.
        companions: name → content, file or folder to keep beside the model; names may hold "/".
        card: makes the card for a reader from the whole manifest.

    Raises:
        ModelError: for a companion that a version may not hold, or a full disk; nothing is left of the version then.
    """
    home = root / target
    with told(home, "the model could not be saved"):
        home.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
    try:
        with told(home, "the model could not be saved"):
            save_file(arrays, draft / ARRAYS)
            write_companions(draft, companions)
            hashes = {name: digest(draft / name) for name in listing(draft)}
            whole = {"format": FORMAT, **manifest, "arrays": _shapes(arrays)}
            whole["version"] = name_of(target, whole, hashes)
            if card is not None:
                write_companions(draft, {CARD: card(whole).encode()})
                hashes[CARD] = digest(draft / CARD)
            whole["files"] = hashes
            whole["digest"] = manifest_digest(whole)
            (draft / MANIFEST).write_text(json.dumps(whole, ensure_ascii=False, indent=1), "utf-8")
            sync(draft)
            return SavedModel(home / whole["version"], _place(draft, home / whole["version"], target) or whole, arrays)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _place(draft: Path, final: Path, target: str) -> dict[str, Any] | None:
    """Give a draft its name; return the manifest of the same version where it is there already, and whole."""
    with locked(final.parent):
        if final.exists() or final.is_symlink():
            try:
                manifest = read_manifest(final, target)
                check_files(final, manifest["files"])
            except ModelError:  # damaged: this is how "train again" mends it
                aside = Path(tempfile.mkdtemp(prefix=".gone-", dir=final.parent))
                final.rename(aside / final.name)
                draft.rename(final)
                shutil.rmtree(aside, ignore_errors=True)
                return None
            return manifest
        draft.rename(final)
        return None


def load(root: Path, target: str, version: str | None = None, *, arrays: bool = True) -> SavedModel | None:
    """Return a version (the champion by default), or None where there is no champion.

    Args:
        root: folder of all models.
        target: `issue_type` or `unit`.
        version: its name.
        arrays: whether to load the arrays; if not, big files are not read at all.

    Raises:
        ModelError: if the folder is damaged, of another format or missing, holds what no version may hold, or cannot be
            read rightly with the libraries here.
    """
    name = version or champion(root, target)
    if name is None:
        return None
    folder = folder_of(root, target, name)
    with told(folder, "the model cannot be read"):
        manifest = read_manifest(folder, target)
        check_files(folder, manifest["files"], big=arrays)
        notes = compatibility.notes(folder, manifest)
        found = load_file(folder / ARRAYS) if arrays else {}
    if arrays and manifest.get("arrays", _shapes(found)) != _shapes(found):
        raise refuse(folder / ARRAYS, "holds other arrays than the manifest states")
    return SavedModel(folder, manifest, found, notes)


def _shapes(arrays: Arrays) -> dict[str, list[Any]]:
    return {name: [str(value.dtype), list(value.shape)] for name, value in sorted(arrays.items())}


def versions(root: Path, target: str) -> list[dict[str, Any]]:
    """Return the manifests of all versions, newest first; a folder that cannot be read has `problem` instead."""
    found = []
    for folder in sorted((root / target).glob(f"{target}-*")):
        try:
            manifest = dict(json.loads((folder / MANIFEST).read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            manifest = {"created_at": "", "problem": str(error)}
        found.append(manifest | {"version": folder.name})
    return sorted(found, key=lambda manifest: manifest.get("created_at", ""), reverse=True)


def prune(root: Path, target: str, keep: int) -> list[str]:
    """Remove all versions but the champion, the one a rollback would bring back, and the `keep` newest; return the names.

    What the gate said of them stays, as the history does.
    """
    home = root / target
    if not home.is_dir():
        return []
    with locked(home):
        wanted = {champion(root, target), previous(root, target)}
        every = [manifest["version"] for manifest in versions(root, target)]
        wanted.update(every[:keep])
        gone = [version for version in every if version not in wanted]
        for version in gone:  # renamed first, so that no half of a version is ever listed
            aside = Path(tempfile.mkdtemp(prefix=".gone-", dir=home))
            (home / version).rename(aside / version)
            shutil.rmtree(aside)
        for path in [path for kind in ("draft", "gone", "new") for path in home.glob(f".{kind}-*")]:
            if time.time() - path.lstat().st_mtime > _ABANDONED:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    return gone
