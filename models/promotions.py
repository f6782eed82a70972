"""Which version serves: one pointer, replaced in one step; who did it and why; and what the gate said.

models/<target>/champion              the name of the version in service
models/<target>/history.jsonl         every promotion: when, which, by whom, why
models/<target>/gates/A--vs--B.json   the comparison of version A with the champion B
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpora.workspace import login
from models import compatibility
from models.version_files import ModelError, check_files, folder_of, read_manifest, refuse, told

_CHAMPION, _HISTORY, _LOCK, _GATES = "champion", "history.jsonl", ".lock", "gates"
#: Seconds that a promotion waits for another one.
_PATIENCE = 10.0
#: `expected` of a promotion that does not ask what serves.
ANY = "*"


@dataclass(frozen=True, slots=True)
class Promotion:
    """A line of the history: a version was put in service.

    Attributes:
        at: UTC, ISO.
        replaced: the version in service before, "" for the first.
        kind: `promote`, `rollback`, `train` (by hand, no gate), or `override` (a person against, or without, the gate).
    """

    at: str
    version: str
    replaced: str
    kind: str
    by: str
    why: str


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Let nobody else change which versions of a target there are, or which serves.

    Raises:
        ModelError: if somebody else does so for longer than a promotion takes.
    """
    import fcntl  # late: not on Windows, where all else here works

    with told(home, "the folder of models cannot be locked"):
        home.mkdir(parents=True, exist_ok=True)
        file = (home / _LOCK).open("a")
    with file:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise refuse(home, "another promotion is under way", "nothing was changed; try again") from error
                time.sleep(0.02)
        yield


def champion(root: Path, target: str) -> str | None:
    """Return the version in service, or None where none was ever promoted."""
    path = root / target / _CHAMPION
    return path.read_text().strip() if path.exists() else None


def promote(
    root: Path,
    target: str,
    version: str,
    *,
    by: str = "",
    why: str = "",
    kind: str = "promote",
    expected: str | None = ANY,
    override: str = "",
) -> Promotion:
    """Make a version the champion, atomically, and write down who did it and why.

    Args:
        root: folder of all models.
        target: `issue_type` or `unit`.
        version: its name.
        by: who decides; the login name by default.
        why: the reason.
        kind: see `Promotion`.
        expected: the champion that the decision was taken against, None or "" for none.
        override: who takes responsibility instead of the gate; then `why` is needed, and `kind` is `override`.

    Raises:
        ModelError: if there is no such version, it is damaged, another one serves than expected, an override gives no
            reason, or the disk is full; the champion is as it was.
    """
    if override:
        by, kind = override, "override"
    if kind == "override" and not (by.strip() and why.strip()):
        raise refuse(
            root / target,
            "an override needs a name and a reason",
            "give --override NAME --why TEXT; nothing was promoted",
        )
    with locked(root / target):
        return _put(root, target, version, by, why, kind, expected)


def rollback(root: Path, target: str, *, by: str = "", why: str = "") -> Promotion:
    """Put the version in service again that the champion replaced.

    Raises:
        ModelError: if there is no champion, nothing before it, or that version is gone or damaged.
    """
    with locked(root / target):
        now, before = champion(root, target), previous(root, target)
        if now is None or not before:
            what = "nothing is in service" if now is None else f"{now} is the first version ever put in service"
            raise refuse(root / target, what, "there is nothing to roll back to")
        return _put(root, target, before, by, why or f"rollback of {now}", "rollback", now)


def _put(root: Path, target: str, version: str, by: str, why: str, kind: str, expected: str | None) -> Promotion:
    home, now = root / target, champion(root, target)
    if expected != ANY and (expected or None) != now:
        msg = f"{now or 'nothing'} is in service, not {expected or 'nothing'} as when {version} was compared"
        raise refuse(home, msg, "nothing was promoted; compare it with what serves now")
    try:
        folder = folder_of(root, target, version)
        manifest = read_manifest(folder, target)
        check_files(folder, manifest["files"])
        compatibility.notes(folder, manifest)
    except ModelError as error:
        msg = f"{error}; nothing was promoted"
        raise ModelError(msg) from error
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    entry = Promotion(at, version, now or "", kind, by.strip() or login(), why)
    with told(home, f"{version} could not be promoted; the champion is still {now or 'none'}"):
        pointer = _draft(home, f"{version}\n")
        try:
            # Written first: an entry whose pointer was never replaced is harmless, a change that nobody wrote down is not.
            with _written_down(home / _HISTORY, json.dumps(asdict(entry), ensure_ascii=False)):
                pointer.replace(home / _CHAMPION)
        finally:
            pointer.unlink(missing_ok=True)
    with suppress(OSError):  # it serves already; only a power cut within seconds could take it back
        _sync_folder(home)
    return entry


@contextmanager
def _written_down(path: Path, line: str) -> Iterator[None]:
    """Add a line for as long as what is done meanwhile works; else the file is as it was."""
    with path.open("ab") as file:
        # Half a line is what a killed promotion leaves; it never took effect.
        whole = path.read_bytes().rfind(b"\n") + 1
        file.truncate(whole)
        try:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            yield
        except BaseException:
            os.truncate(path, whole)
            raise


def _draft(home: Path, text: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=".new-", dir=home)
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def history(root: Path, target: str) -> list[Promotion]:
    """Return every promotion, oldest first.

    Raises:
        ModelError: naming the line that cannot be read.
    """
    path = root / target / _HISTORY
    if not path.exists():
        return []
    whole = path.read_bytes()
    entries = []
    for number, line in enumerate(whole[: whole.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1], 1):
        try:
            entries.append(Promotion(**json.loads(line)))
        except (ValueError, TypeError) as error:
            msg = f"{path}: line {number} is no promotion ({error}); move it away and try again"
            raise ModelError(msg) from error
    return entries


def previous(root: Path, target: str) -> str:
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


def record_gate(root: Path, target: str, version: str, against: str | None, result: Mapping[str, Any]) -> Path:
    """Keep what the gate said of a version against the champion `against` (None for none); return the file.

    Raises:
        ModelError: if it cannot be written.
    """
    folder = root / target / _GATES
    plain = {
        "version": version, "champion": against, "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **result,
    }  # fmt: skip
    with told(folder, "the result of the gate could not be kept"):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{version}--vs--{against or 'none'}.json"
        _draft(folder, json.dumps(plain, ensure_ascii=False, indent=1)).replace(path)
    return path


def gates(root: Path, target: str, version: str) -> list[dict[str, Any]]:
    """Return what the gate said of a version, one entry a champion it was compared with, oldest first.

    Raises:
        ModelError: naming the file that cannot be read.
    """
    found = []
    for path in sorted((root / target / _GATES).glob(f"{version}--vs--*.json")):
        try:
            record = json.loads(path.read_text("utf-8"))
            if record["version"] != version or not isinstance(record["passed"], bool):
                raise ValueError(record["version"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise refuse(path, f"is no result of the gate ({error})", "remove it and compare again") from error
        found.append(record)
    return sorted(found, key=lambda record: record["at"])


def passed(root: Path, target: str, version: str, against: str | None) -> bool | None:
    """Return whether the gate let a version pass against this champion; None if it was never asked."""
    asked = [record["passed"] for record in gates(root, target, version) if record["champion"] == against]
    return asked[-1] if asked else None
