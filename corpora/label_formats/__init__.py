"""Formats in which petitions go out to be labelled and come back: Excel, Label Studio, doccano."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from corpora.document_formats.archives import XmlArchive
from corpora.formats.base import UnreadableError
from corpora.label_formats import doccano, label_studio, workbook
from corpora.label_formats.base import changed
from corpora.label_records import FilledFile, Job, LabelError

__all__ = ["FORMATS", "read_filled", "write_job"]

#: Format → suffix of its file.
FORMATS = {"xlsx": ".xlsx", "label-studio": ".json", "doccano": ".jsonl"}
_WRITERS = {"xlsx": workbook.write, "label-studio": label_studio.write, "doccano": doccano.write}
#: A file of labels is read as a whole; 50,000 petitions in Label Studio's JSON have some 200 MB.
_BYTES = 512 << 20


def write_job(job: Job, kind: str, out: Path) -> list[Path]:
    """Write a job in a format and return the files, the one to hand out first.

    `out` is the file, or a folder (no suffix, or there already) in which it is named after the export.

    Raises:
        LabelError: if the suffix is that of another format.
    """
    suffix = FORMATS[kind]
    if out.is_dir() or not out.suffix:
        out = out / f"{job.export}{suffix}"
    if out.suffix.lower() != suffix:
        msg = f"{out}: format {kind} is written to a file *{suffix} or a folder"
        raise LabelError(msg)
    return _WRITERS[kind](job, out)


def read_filled(path: Path) -> list[FilledFile]:
    """Read a file that came back: an Excel workbook, Label Studio's JSON or JSON-MIN, doccano's JSONL, JSON or zip of them.

    Raises:
        LabelError: if it is none of these, or is damaged or empty.
        FileNotFoundError: if it is not there.
    """
    source, suffix = path.name, path.suffix.lower()
    if not path.exists():
        msg = f"{path}: does not exist"
        raise FileNotFoundError(msg)
    if path.is_dir():
        raise LabelError(f"{path}: is a folder; name the files in it")
    if path.stat().st_size == 0:
        raise LabelError(f"{source}: 文件是空的")
    if path.stat().st_size > _BYTES:
        raise LabelError(f"{source}: 文件过大（{path.stat().st_size >> 20} MB）")
    if suffix in (".xlsx", ".xlsm"):
        return [workbook.read(path, source)]
    if suffix == ".zip":
        return _zipped(path, source)
    if suffix in (".json", ".jsonl"):
        return [_json(path.read_bytes(), path, source, changed(path))]
    raise LabelError(f"{source}: 不认识的文件类型（{suffix or '无后缀'}）；可导入 .xlsx、.json、.jsonl 和 doccano 的 .zip")


def _zipped(path: Path, source: str) -> list[FilledFile]:
    try:
        archive = XmlArchive(path, "zip")
        names = [name for name in archive.names() if name.lower().endswith((".jsonl", ".json")) and not name.startswith("__")]
        found = [_json(archive.read(name), path, f"{source}[{name}]", changed(path)) for name in names]
    except (UnreadableError, zipfile.BadZipFile) as error:
        raise LabelError(f"{source}: {error}") from error
    if not found:
        raise LabelError(f"{source}: 压缩包里没有 .jsonl 或 .json 文件")
    return found


def _json(data: bytes, path: Path, source: str, moment: str) -> FilledFile:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{source}: 不是 UTF-8 编码的文本") from error
    if not text.strip():
        raise LabelError(f"{source}: 文件是空的")
    try:
        whole: Any = json.loads(text)
    except (ValueError, RecursionError):
        return _lines(text, source, moment)
    records = whole if isinstance(whole, list) else [whole]
    if not records:
        raise LabelError(f"{source}: 文件里没有记录")
    if label_studio.is_label_studio(records):
        return label_studio.read(records, path, source)
    return doccano.read(list(enumerate(records, 1)), source, moment)


def _lines(text: str, source: str, moment: str) -> FilledFile:
    """Read JSON Lines; a line that is none is set aside, unless none is."""
    records: list[tuple[int, Any]] = []
    broken: list[int] = []
    for number, line in enumerate(io.StringIO(text), 1):
        if not line.strip():
            continue
        try:
            records.append((number, json.loads(line)))
        except (ValueError, RecursionError):
            broken.append(number)
    if not records:
        raise LabelError(f"{source}: 不是有效的 JSON 或 JSONL")
    found = doccano.read(records, source, moment)
    for number in broken:
        found.reject(number, "bad_json", "不是有效的 JSON，已跳过")
    return found
