"""The label store: exports as they were given out, and an append-only record of what people said of them.

    labels/exports/<id>/rows.parquet      masked rows (PETITION_SCHEMA), labels as filed
                        manifest.json     target, model, choices, why each row was picked and what was suggested
                        units.yaml        the unit directory of the choices
    labels/annotations.jsonl              one annotation a line, in the order in which they were taken in

Everything that stands in a file of the store is masked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.label_records import TARGETS, Annotation, Export, LabelError
from corpora.records import PETITION_SCHEMA

FORMAT = "minqing/labels/1"
_ROWS, _MANIFEST, _UNITS, _ANNOTATIONS = "rows.parquet", "manifest.json", "units.yaml", "annotations.jsonl"
_FIELDS = tuple(field.name for field in fields(Annotation))


def save_export(root: Path, target: str, table: pa.Table, manifest: dict[str, Any], units: bytes | None) -> Export:
    """Keep the rows of an export and return it; the same content gives the same id and is kept once.

    Args:
        root: folder of the store.
        target: what is asked.
        table: `PETITION_SCHEMA`, masked; ids must be unique.
        manifest: `model`, `choices`, `picks` (see `Export`).
        units: the unit directory of the choices.

    Raises:
        LabelError: if there are no rows, or two of one id.
    """
    if not table.num_rows:
        msg = "nothing to export: no petition is left that would be worth a person's time"
        raise LabelError(msg)
    ids = table["petition_id"].to_pylist()
    if len(set(ids)) < len(ids):
        twice = sorted({name for name in ids if ids.count(name) > 1})[:5]
        msg = f"petitions of one id cannot be exported together: {', '.join(twice)}"
        raise LabelError(msg)
    table = table.cast(PETITION_SCHEMA).combine_chunks()
    name = _name(target, table, manifest, units)
    home = root / "exports"
    home.mkdir(parents=True, exist_ok=True)
    final = home / name
    if not final.exists():
        whole = {
            "format": FORMAT, "id": name, "target": target, "rows": table.num_rows,
            "created_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **manifest,
        }  # fmt: skip
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
        try:
            pq.write_table(table, draft / _ROWS)
            if units is not None:
                (draft / _UNITS).write_bytes(units)
            (draft / _MANIFEST).write_text(json.dumps(whole, ensure_ascii=False, indent=1), "utf-8")
            draft.rename(final)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            if not final.exists():  # another process was quicker with the same rows
                raise
    return load_export(root, name)


def load_export(root: Path, name: str) -> Export:
    """Return an export of the store.

    Raises:
        LabelError: if there is none of this id, or its files are damaged.
    """
    folder = root / "exports" / name
    if not name or Path(name).name != name or name.startswith(".") or not folder.is_dir():
        msg = f"{root}: there is no export {name[:40]!r} here; labels are taken in where the rows were exported"
        raise LabelError(msg)
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        table = pq.read_table(folder / _ROWS).cast(PETITION_SCHEMA)
        units = (folder / _UNITS).read_bytes() if (folder / _UNITS).exists() else None
        if manifest["format"] != FORMAT or manifest["target"] not in TARGETS:
            raise ValueError(manifest["format"])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        msg = f"{folder}: the export is damaged ({type(error).__name__})"
        raise LabelError(msg) from error
    return Export(name, manifest["target"], table, manifest, units)


def exports(root: Path, target: str | None = None) -> list[Export]:
    """Return the exports of a target (of all), the oldest first.

    Raises:
        LabelError: if one is damaged.
    """
    home = root / "exports"
    names = sorted(path.name for path in home.iterdir() if not path.name.startswith(".")) if home.is_dir() else []
    found = [load_export(root, name) for name in names]
    found.sort(key=lambda export: (export.manifest["created_at"], export.id))
    return [export for export in found if target in (None, export.target)]


def recorded(root: Path) -> list[Annotation]:
    """Return every annotation, in the order in which they were taken in.

    Raises:
        LabelError: if a line is damaged. A last line that was being written when the machine stopped does not count.
    """
    path = root / _ANNOTATIONS
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last line end was never finished
    found = []
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            found.append(Annotation(**{name: values[name] for name in _FIELDS}))
        except (ValueError, KeyError, TypeError) as error:
            msg = f"{path}: line {number} is damaged; restore the file from a copy"
            raise LabelError(msg) from error
    return found


def add(root: Path, given: Sequence[Annotation]) -> list[Annotation]:
    """Append what is new and return it.

    Not new is what is there already, and what says the same as the person's latest word on the petition.
    """
    known: set[tuple[object, ...]] = set()
    latest: dict[tuple[str, str, str], Annotation] = {}
    for old in recorded(root):
        known.add(_said(old))
        if (before := latest.get(_who(old))) is None or before.at <= old.at:
            latest[_who(old)] = old
    new: list[Annotation] = []
    for item in sorted(given, key=lambda each: each.at):
        last = latest.get(_who(item))
        if _said(item) in known or (last is not None and _said(item)[:-1] == _said(last)[:-1]):
            continue
        known.add(_said(item))
        if last is None or last.at <= item.at:
            latest[_who(item)] = item
        new.append(item)
    if new:
        _append(root / _ANNOTATIONS, "".join(json.dumps(asdict(item), ensure_ascii=False) + "\n" for item in new).encode())
    return new


def _append(path: Path, lines: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            if whole < size:  # a write that the machine's end cut short
                file.truncate(whole)
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def _who(item: Annotation) -> tuple[str, str, str]:
    return item.export, item.petition_id, item.annotator


def _said(item: Annotation) -> tuple[object, ...]:
    return (*_who(item), item.label, item.status, item.note, item.decides, item.at)


def _name(target: str, table: pa.Table, manifest: dict[str, Any], units: bytes | None) -> str:
    digest = hashlib.blake2b(digest_size=6)
    digest.update(json.dumps([target, manifest, table.num_rows], ensure_ascii=False, sort_keys=True, default=str).encode())
    for row in table.to_pylist():
        digest.update(json.dumps(row, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass"))
    digest.update(units or b"")
    return f"{target}-{digest.hexdigest()}"
