"""File drops for systems that poll a folder: data file first, manifest last, each put in place in one step.

A reader that takes `minqing-<from>-<to>.jsonl` only when its `.manifest.json` is there never sees half a file. The names
come from the positions of the first and the last message, so a batch that is written again replaces itself.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from dispatch.delivery.envelope import Letter, data_of, event
from dispatch.delivery.subscribers import Subscriber
from dispatch.files import safe_cell, safe_id
from dispatch.labels import DECISION_NAMES, NO_UNIT, URGENCY_NAMES
from dispatch.messages import schema_of

#: Version of manifest and columns.
FORMAT = 1
KINDS = {"suggestion.made": "建议", "suggestion.regrouped": "归并", "decision.made": "决定"}
VERDICTS = {"accepted": "采纳", "reassigned": "改派", "refused": "退单"}
CSV_HEADER = (
    "序号", "消息编号", "消息", "编号", "版次", "问题类型", "主办单位", "主办单位代码", "置信度", "协办单位", "备选", "建议", "紧急程度",
    "期限", "事件", "理由", "处理", "处理单位代码", "处理说明", "时间",
)  # fmt: skip


def write_batch(subscriber: Subscriber, letters: Sequence[Letter]) -> Path:
    """Write messages as one file with its manifest; return the manifest's path.

    Raises:
        OSError: if a file cannot be written; what is there is left as it was, and is replaced by the next attempt.
    """
    folder, kind = Path(subscriber.address), subscriber.settings.format
    first, last = letters[0].position, letters[-1].position
    data = folder / f"minqing-{first:012d}-{last:012d}.{kind}"
    content = jsonl(letters, subscriber.settings.source) if kind == "jsonl" else table(letters)
    manifest = {
        "format": FORMAT,
        "file": data.name,
        "count": len(letters),
        "from": first,
        "to": last,
        "until": letters[-1].at.isoformat(timespec="milliseconds") + "Z",  # not the time of writing: written again, it is the same
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "schemas": sorted({schema_of(letter.kind) for letter in letters}),
    }
    _put(data, content)
    path = data.with_suffix(".manifest.json")
    _put(path, orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return path


def jsonl(letters: Sequence[Letter], source: str) -> bytes:
    """Return a CloudEvent a line."""
    return b"".join(event(letter, source) + b"\n" for letter in letters)


def table(letters: Sequence[Letter]) -> bytes:
    """Return a row a message under `CSV_HEADER`, safe for a spreadsheet, in UTF-8 with the mark that Excel looks for."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(CSV_HEADER)
    writer.writerows(_row(letter) for letter in letters)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _row(letter: Letter) -> tuple[str, ...]:
    data = data_of(letter)
    cells: dict[str, str] = {
        "序号": str(letter.position),
        "消息编号": safe_id(letter.message_id),
        "消息": KINDS.get(letter.kind, letter.kind),
        "编号": safe_id(letter.petition_id),
        "版次": str(letter.revision),
        "时间": f"{letter.at.isoformat(timespec='milliseconds')}Z",
    }
    cells |= _decision(data) if letter.kind == "decision.made" else _suggestion(data)
    return tuple(cells.get(name, "") for name in CSV_HEADER)


def _decision(data: dict[str, Any]) -> dict[str, str]:
    return {
        "处理": VERDICTS.get(data["verdict"], data["verdict"]),
        "处理单位代码": safe_id(data["unit"] or ""),
        "处理说明": safe_cell(data["reason"]),
    }


def _suggestion(data: dict[str, Any]) -> dict[str, str]:
    lead, day, level = data["lead_unit"], data["deadline"], data["urgency"]["level"]
    words = "、".join(data["urgency"]["words"])
    urgency = URGENCY_NAMES.get(level, level)
    causes = "；".join(reason["text"] for reason in data["reasons"])
    why = data["decision_why"]
    return {
        "问题类型": safe_cell(data["issue_type"]["name"]),
        "主办单位": safe_cell(lead["name"] if lead else NO_UNIT),
        "主办单位代码": safe_id(lead["code"] if lead else ""),
        "置信度": _percent(lead),
        "协办单位": safe_cell("；".join(unit["name"] for unit in data["co_units"])),
        "备选": safe_cell("；".join(f"{unit['name']} {_percent(unit)}" for unit in data["top_k"] if not lead or unit["code"] != lead["code"])),
        "建议": DECISION_NAMES.get(data["decision"], data["decision"]),
        "紧急程度": safe_cell(f"{urgency}（{words}）" if words else urgency),
        "期限": safe_cell(day["date"] or day["note"] or ""),
        "事件": safe_id(data["event_group"] or ""),
        "理由": safe_cell(f"{why}；{causes}" if why and causes else why or causes),
    }


def _percent(unit: dict[str, Any] | None) -> str:
    return "" if unit is None or unit["probability"] is None else f"{unit['probability']:.1%}"


def _put(path: Path, content: bytes, sync: Callable[[int], None] = os.fsync) -> None:
    """Put a file in place in one step, and have it on the disk before anything that follows."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        sync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        sync(folder)
    finally:
        os.close(folder)
