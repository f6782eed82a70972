"""Saved model versions: immutable folders under the workspace, and one champion per target.

models/<target>/<version>/manifest.json      plain values, measures, file hashes
arrays.safetensors numbers
units.yaml, places.csv, lexicon.txt   what the model was trained with
models/<target>/champion                     the name of the version in service
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from models.persistence import Arrays

FORMAT = "minqing/model/1"
_MANIFEST, _ARRAYS, _CHAMPION = "manifest.json", "arrays.safetensors", "champion"
#: Values of the manifest that tell when and where, not what: they do not change the version.
_INCIDENTAL = ("created_at", "measures", "libraries")


class ModelError(Exception):
    """A saved model cannot be used; the message names the folder, the reason and what to do."""


@dataclass(frozen=True)
class SavedModel:
    """A loaded version: its folder, manifest and arrays."""

    folder: Path
    manifest: dict[str, Any]
    arrays: Arrays

    @property
    def version(self) -> str:
        """Name of the version."""
        return self.folder.name

    def companion(self, name: str) -> Path | None:
        """Return the path of a file saved beside the model, or None."""
        path = self.folder / name
        return path if path.exists() else None


def save(
    root: Path, target: str, arrays: Arrays, manifest: Mapping[str, Any], companions: Mapping[str, bytes]
) -> SavedModel:
    """Write a version folder in one step and return it; the same content gives the same version.

    Args:
        root: folder of all models.
        target: `issue_type` or `unit`.
        arrays: name → array.
        manifest: plain values.
        companions: file name → content of files to keep beside the model.
    """
    home = root / target
    home.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
    try:
        save_file(arrays, draft / _ARRAYS)
        for name, content in companions.items():
            (draft / name).write_bytes(content)
        hashes = {path.name: _digest(path) for path in sorted(draft.iterdir())}
        version = _name(target, manifest, hashes)
        whole = {"format": FORMAT, "version": version, **manifest, "files": hashes}
        (draft / _MANIFEST).write_text(json.dumps(whole, ensure_ascii=False, indent=1), "utf-8")
        final = home / version
        if final.exists():
            shutil.rmtree(draft)
        else:
            draft.rename(final)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return SavedModel(final, whole, arrays)


def promote(root: Path, target: str, version: str) -> None:
    """Make a version the champion, atomically.

    Raises:
        ModelError: if there is no such version.
    """
    home = root / target
    if not (home / version / _MANIFEST).exists():
        msg = f"{home / version}: no such model version; nothing was promoted"
        raise ModelError(msg)
    handle, draft = tempfile.mkstemp(prefix=".champion-", dir=home)
    with os.fdopen(handle, "w") as file:
        file.write(version + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(home / _CHAMPION)


def champion(root: Path, target: str) -> str | None:
    """Return the version in service, or None where none was ever promoted."""
    path = root / target / _CHAMPION
    return path.read_text().strip() if path.exists() else None


def load(root: Path, target: str, version: str | None = None, *, arrays: bool = True) -> SavedModel | None:
    """Return a version (the champion by default), or None where there is no champion; `arrays` False leaves them out.

    Raises:
        ModelError: if the folder is damaged, of another format or missing.
    """
    name = version or champion(root, target)
    if name is None:
        return None
    folder = root / target / name
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{folder}: the model's manifest cannot be read ({error}); train again with `minqing train`"
        raise ModelError(msg) from error
    if manifest.get("format") != FORMAT:
        msg = f"{folder}: format {manifest.get('format')!r}, this minqing reads {FORMAT!r}; train again"
        raise ModelError(msg)
    if _name(target, manifest, manifest["files"]) != name:
        msg = f"{folder}: the manifest was changed since it was saved; train again or restore the folder"
        raise ModelError(msg)
    for file, digest in manifest["files"].items():
        path = folder / file
        if file == _ARRAYS and not arrays:
            continue
        if not path.exists() or _digest(path) != digest:
            msg = f"{path}: missing or changed since it was saved; train again or restore the folder"
            raise ModelError(msg)
    return SavedModel(folder, manifest, load_file(folder / _ARRAYS) if arrays else {})


def _name(target: str, manifest: Mapping[str, Any], hashes: Mapping[str, str]) -> str:
    """Return the version's name: a hash over what it is, not over when and where it was made."""
    essence = {k: v for k, v in manifest.items() if k not in (*_INCIDENTAL, "format", "version", "files")}
    identity = json.dumps([FORMAT, essence, dict(hashes)], sort_keys=True, ensure_ascii=False)
    return f"{target}-{hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
