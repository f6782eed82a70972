"""Saved model versions: immutable folders under the workspace, and one champion per target.

models/<target>/<version>/manifest.json      plain values, measures, file hashes
arrays.safetensors numbers
units.yaml, places.csv, lexicon.txt   what the model was trained with
models/<target>/champion                     the name of the version in service
models/<target>/history.jsonl                every promotion: when, which, by whom, why
"""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from models.persistence import Arrays

FORMAT = "minqing/model/1"
_MANIFEST, _ARRAYS, _CHAMPION, _HISTORY = "manifest.json", "arrays.safetensors", "champion", "history.jsonl"
TARGETS = ("issue_type", "unit")
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


@dataclass(frozen=True, slots=True)
class Promotion:
    """A line of the history: a version was put in service.

    Attributes:
        at: UTC, ISO.
        kind: `promote` or `rollback`.
        replaced: the version in service before, "" for the first.
    """

    at: str
    version: str
    replaced: str
    kind: str
    by: str
    why: str


def promote(root: Path, target: str, version: str, *, by: str = "", why: str = "", kind: str = "promote") -> Promotion:
    """Make a version the champion, atomically, and write down who did it and why.

    Raises:
        ModelError: if there is no such version.
    """
    home = root / target
    if not (home / version / _MANIFEST).exists():
        msg = f"{home / version}: no such model version; nothing was promoted"
        raise ModelError(msg)
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    entry = Promotion(now, version, champion(root, target) or "", kind, by or _login(), why)
    # Written first: an entry whose pointer was never replaced is harmless, a change that nobody wrote down is not.
    with (home / _HISTORY).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    handle, draft = tempfile.mkstemp(prefix=".champion-", dir=home)
    with os.fdopen(handle, "w") as file:
        file.write(version + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(home / _CHAMPION)
    return entry


def _login() -> str:
    """Return the login name; "unknown" where the system has none, as in a container of a user without an entry."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def history(root: Path, target: str) -> list[Promotion]:
    """Return every promotion, oldest first.

    Raises:
        ModelError: naming the line that cannot be read.
    """
    path = root / target / _HISTORY
    if not path.exists():
        return []
    entries = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            entries.append(Promotion(**json.loads(line)))
        except (ValueError, TypeError) as error:
            msg = f"{path}: line {number} is no promotion ({error}); move it away and try again"
            raise ModelError(msg) from error
    return entries


def rollback(root: Path, target: str, *, by: str = "", why: str = "") -> Promotion:
    """Put the version in service again that the champion replaced.

    Raises:
        ModelError: if there is no champion, nothing before it, or that version is gone.
    """
    now = champion(root, target)
    before = _previous(root, target)
    if now is None or not before:
        what = "nothing is in service" if now is None else f"{now} is the first version ever put in service"
        msg = f"{root / target}: {what}; there is nothing to roll back to"
        raise ModelError(msg)
    return promote(root, target, before, by=by, why=why or f"rollback of {now}", kind="rollback")


def _previous(root: Path, target: str) -> str:
    """Return the version that a rollback would bring back, "" for none.

    Promotions stack up and a rollback takes off the top, so two rollbacks in a row go back two steps.
    """
    stack: list[str] = []
    for entry in history(root, target):
        if not stack and entry.replaced:
            stack.append(entry.replaced)  # put in service before there was a history
        if entry.kind == "rollback":
            while stack and stack[-1] != entry.version:
                stack.pop()
        if not stack or stack[-1] != entry.version:
            stack.append(entry.version)
    now = champion(root, target)
    while stack and stack[-1] != now:
        stack.pop()  # written down, never put in service
    return stack[-2] if len(stack) > 1 else ""


def versions(root: Path, target: str) -> list[dict[str, Any]]:
    """Return the manifests of all versions, newest first; a folder that cannot be read has `problem` instead."""
    found = []
    for folder in sorted((root / target).glob(f"{target}-*")):
        try:
            manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        except (OSError, ValueError) as error:
            manifest = {"version": folder.name, "created_at": "", "problem": str(error)}
        found.append(manifest)
    return sorted(found, key=lambda manifest: manifest.get("created_at", ""), reverse=True)


def prune(root: Path, target: str, keep: int) -> list[str]:
    """Remove all versions but the champion, the one a rollback would bring back, and the `keep` newest; return the names."""
    wanted = {champion(root, target), _previous(root, target)}
    every = [manifest["version"] for manifest in versions(root, target)]
    wanted.update(every[:keep])
    gone = [version for version in every if version not in wanted]
    for version in gone:
        shutil.rmtree(root / target / version)
    return gone


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
