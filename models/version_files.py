"""The files of a version: plain ones of known kinds, each with its hash in the manifest, and nothing else in the folder.

What a file holds is never executed: arrays are safetensors, everything else is text, or a network (onnx) that only its own
runtime reads.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from safetensors import SafetensorError

FORMAT = "minqing/model/1"
MANIFEST, ARRAYS, CARD = "manifest.json", "arrays.safetensors", "card.md"
KINDS = (".json", ".safetensors", ".yaml", ".csv", ".txt", ".md", ".onnx")
#: Kinds that may have hundreds of megabytes: hashed only for those who are going to use them.
BIG = (".safetensors", ".onnx")
#: Values of the manifest that tell when, where and from what, not what the version computes: they do not change its name.
#: They are part of `digest`, so that a change to them is found all the same.
INCIDENTAL = ("created_at", "measures", "libraries", "code_version", "data", "reference", "digest", "format", "version", "files")
_NAME = re.compile(r"(issue_type|unit)-[0-9a-f]{12}")
_AGAIN = "restore the folder from a copy, or train again with `minqing train`"
#: A file this fresh may change once more within one tick of the clock, so its hash is not remembered.
_SETTLED_NS = 3_000_000_000
_hashes: dict[tuple[Any, ...], str] = {}


class ModelError(Exception):
    """A saved model cannot be used; the message names the folder, the reason and what to do."""


def refuse(path: Path, reason: str, what_to_do: str = _AGAIN) -> ModelError:
    """Return the error of a version that is not used."""
    return ModelError(f"{path}: {reason}; {what_to_do}")


@contextmanager
def told(path: Path, failed: str) -> Iterator[None]:
    """Turn a full or broken disk into an error that says what did not happen."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refuse(path, f"{failed} ({reason})", "free space or mend the disk, then try again") from error


def checked_name(name: str) -> str:
    """Return the name of a file in a version: parts joined by "/", within the folder, of a kind that is allowed.

    Raises:
        ValueError: saying why not.
    """
    parts = PurePosixPath(name).parts
    if (
        not parts
        or "/".join(parts) != name
        or any(part.startswith((".", "/")) for part in parts)
        or {"\\", "\0", ":"} & set(name)
    ):
        msg = f"{name!r} is no name of a file within a version"
        raise ValueError(msg)
    if PurePosixPath(name).suffix not in KINDS:
        msg = f"{name!r} is of no kind that a version may hold ({' '.join(KINDS)})"
        raise ValueError(msg)
    return name


def write_companions(draft: Path, companions: Mapping[str, bytes | Path]) -> None:
    """Write the files that are kept beside a model: contents, files to copy, or folders to copy with all they hold.

    Raises:
        ModelError: for a name or a kind of file that a version may not hold, and for links.
    """
    for name, content in companions.items():
        if isinstance(content, Path) and content.is_dir() and not content.is_symlink():
            inside = {f"{name}/{path.name}": path for path in sorted(content.iterdir())}
            write_companions(draft, inside)
            continue
        try:
            checked_name(name)
        except ValueError as error:
            raise refuse(draft.parent, str(error), "nothing was saved") from error
        path = draft / name
        if path.exists() or name == MANIFEST:
            raise refuse(
                draft.parent, f"{name!r} is given twice, or is a name of the version's own", "nothing was saved"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif stat.S_ISREG(content.lstat().st_mode):
            shutil.copyfile(content, path, follow_symlinks=False)
        else:
            raise refuse(content, "is no plain file", "give the file itself; nothing was saved")


def listing(folder: Path) -> list[str]:
    """Return the names of all files in a folder, parts joined by "/", sorted.

    Raises:
        ModelError: if there is anything but plain files and folders.
    """
    names, folders = [], [folder]
    for inside in folders:
        for path in inside.iterdir():
            kind = path.lstat().st_mode
            if stat.S_ISDIR(kind):
                folders.append(path)
            elif stat.S_ISREG(kind):
                names.append(path.relative_to(folder).as_posix())
            else:
                raise refuse(path, "is a link or something else that is no plain file")
    return sorted(names)


def sync(folder: Path) -> None:
    """Have all files of a folder written to the disk."""
    for path in [*(folder / name for name in listing(folder)), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file; one that did not change is read once in a process."""
    found = path.stat()
    key = (str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if key not in _hashes:
        with path.open("rb") as file:
            value = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _SETTLED_NS:
            return value
        _hashes[key] = value
    return _hashes[key]


def name_of(target: str, manifest: Mapping[str, Any], hashes: Mapping[str, str]) -> str:
    """Return the version's name: a hash over what it computes with, not over when and where it was made."""
    essence = {key: value for key, value in manifest.items() if key not in INCIDENTAL}
    files = {name: value for name, value in hashes.items() if name != CARD}
    identity = json.dumps([FORMAT, essence, files], sort_keys=True, ensure_ascii=False)
    return f"{target}-{hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()}"


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest without its own digest."""
    plain = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def folder_of(root: Path, target: str, name: str) -> Path:
    """Return the folder of a version.

    Raises:
        ModelError: if the name is none, such as a path to somewhere else.
    """
    if not _NAME.fullmatch(name) or not name.startswith(f"{target}-"):
        raise refuse(root / target, f"{name!r} is no name of a version", "`minqing models list` shows what there is")
    return root / target / name


def read_manifest(folder: Path, target: str) -> dict[str, Any]:
    """Return the manifest of a version once it is sure that nothing in it was changed.

    Raises:
        ModelError: if it is missing, no JSON, of another format, or not as it was saved.
    """
    if folder.is_symlink():
        raise refuse(folder, "is a link", "put the folder itself there")
    if not folder.is_dir():
        raise refuse(folder, "there is no such version", "`minqing models list` shows what there is")
    try:
        if (folder / MANIFEST).is_symlink():
            raise refuse(folder / MANIFEST, "is a link")
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise refuse(folder, f"the model's manifest cannot be read ({error})") from error
    form = manifest.get("format") if isinstance(manifest, dict) else None
    if form != FORMAT:
        raise refuse(
            folder,
            f"format {form!r}, this minqing reads {FORMAT!r}",
            "use the minqing it was made with, or train again",
        )
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(isinstance(value, str) for value in files.values()):
        raise refuse(folder, "the manifest lists no files")
    # Versions made before there was a digest state no arrays either; the name, a hash, tells them apart.
    signed = manifest.get("digest") == manifest_digest(manifest) if "arrays" in manifest else "digest" not in manifest
    if name_of(target, manifest, files) != folder.name or not signed:
        raise refuse(folder, "the manifest was changed since it was saved")
    return manifest


def check_files(folder: Path, files: Mapping[str, str], *, big: bool = True) -> None:
    """Check that a folder holds exactly the files of its manifest, as they were saved.

    Args:
        folder: of the version.
        files: name → SHA-256.
        big: whether files of the BIG kinds are hashed too; that they are there is checked in any case.

    Raises:
        ModelError: naming the file.
    """
    for name in files:
        try:
            checked_name(name)
        except ValueError as error:
            raise refuse(folder, f"the manifest lists {error}") from error
    here = set(listing(folder)) - {MANIFEST}
    for name in sorted(here - files.keys()):
        try:
            checked_name(name)
        except ValueError as error:
            raise refuse(folder, str(error), "it was put there after saving: remove it") from error
        raise refuse(folder / name, "is not part of the version", "it was put there after saving: remove it")
    for name, expected in files.items():
        skip = not big and PurePosixPath(name).suffix in BIG
        if name not in here or not (skip or digest(folder / name) == expected):
            raise refuse(folder / name, "missing or changed since it was saved")
