"""Files and folders given on the command line: which files are read, and what is said of the others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora.records import Rejection


class ReadError(Exception):
    """The whole call is unusable (a path does not exist, a mapping cannot be); names the file and the reason."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read, and the name it is reported under: its own, or its path where several files bear that name."""

    path: Path
    source: str


def expand(
    paths: Sequence[Path], suffixes: Collection[str], passed_over: Collection[str] = ()
) -> tuple[list[SourceFile], list[Rejection]]:
    """Return the files to read (folders expanded, sorted; hidden and lock files left out) and rejections of the others.

    Args:
        paths: files and folders.
        suffixes: of files that can be read, in lower case.
        passed_over: names without suffix, in lower case, of files in folders that nobody means (readme).

    Raises:
        ReadError: if a path does not exist, or none is given.
    """
    if not paths:
        msg = "no file or folder given"
        raise ReadError(msg)
    found: dict[Path, Path] = {}
    rejections: list[Rejection] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = [file for file in _walk(path) if file.stem.lower() not in passed_over]
            if not any(file.suffix.lower() in suffixes for file in inside):
                reason = f"文件夹里没有可读的文件（{'、'.join(sorted(suffixes))}）"
                rejections.append(Rejection(path.name or str(path), 0, "no_files", reason, ""))
        elif path.is_file():
            inside = [path]
        else:
            reason = "is not a file or folder" if path.exists() else "does not exist"
            msg = f"{path}: {reason}"
            raise ReadError(msg)
        for file in inside:
            if file.suffix.lower() in suffixes:
                found.setdefault(file.resolve(), file)
            else:
                reason = f"不认识的文件类型（{file.suffix or '无后缀'}），未读"
                rejections.append(Rejection(file.name, 0, "unknown_format", reason, ""))
    names = Counter(file.name for file in found.values())
    files = [SourceFile(file, file.name if names[file.name] == 1 else file.as_posix()) for file in found.values()]
    return files, rejections


def _walk(folder: Path) -> list[Path]:
    files = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [Path(parent, name) for name in sorted(names) if not name.startswith((".", "~$"))]
    return sorted(file for file in files if file.is_file())
