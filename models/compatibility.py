"""Which code and libraries made a version, and whether those here read it rightly."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from models.version_files import refuse

LIBRARIES = ("numpy", "scipy", "scikit-learn", "rjieba")
#: A version is plain numbers, so that libraries only matter where the numbers are counted by words: a segmenter that cuts
#: otherwise gives features that the model has never seen. All else follows from `version_files.FORMAT`.
_MATTERS = {"rjieba": "it may cut words otherwise than the model has learnt"}


@cache
def libraries() -> dict[str, str]:
    """Return the versions of the libraries here; those that are not installed are left out."""
    return {name: found for name in LIBRARIES if (found := _installed(name))}


@cache
def code_version() -> str:
    """Return minqing's version; from a checkout with the commit, as `0.1.0+gb2de182`."""
    found = _installed("minqing") or "unknown"
    checkout = Path(__file__).parents[1]
    if not (checkout / ".git").exists():
        return found
    command = ["git", "-C", str(checkout), "rev-parse", "--short=12", "HEAD"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return found
    return f"{found}+g{commit}"


def notes(folder: Path, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what differs between the libraries a version was made with and those here, where it does no harm.

    Raises:
        ModelError: if the model cannot be read rightly with the libraries here.
    """
    found = []
    for name, made in sorted((manifest.get("libraries") or {}).items()):
        here = _installed(name)
        if here == made:
            continue
        if name in _MATTERS and here is not None and _major(made) != _major(here):
            msg = f"made with {name} {made}, here is {here}: {_MATTERS[name]}"
            raise refuse(folder, msg, f"install {name}=={made}, or train again with `minqing train`")
        if here is None and name in _MATTERS:
            found.append(
                f"{name} {made} is not installed here; the reference segmenter (jieba) cuts the same words, slower"
            )
        else:
            found.append(f"made with {name} {made}, here is {here or 'none'}")
    return tuple(found)


def _major(text: str) -> str:
    """Return the part of a version that changes when something breaks: the second one below 1.0."""
    parts = text.split(".")
    return ".".join(parts[:2]) if parts[0] == "0" else parts[0]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
