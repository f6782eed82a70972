"""doccano (text classification): examples as JSONL and the project's labels; back from its JSONL or JSON exports.

An export holds `id` (doccano's own), `text`, `label` (`cats` in intent detection), `Comments`, and what was given as meta data
flattened beside them (older versions: under `meta`). It says neither who labelled nor when: who is the file's name where each
person has one, when is the file's time. No label is given out with an example: doccano cannot tell a suggestion from a
label, so one that nobody looked at would come back as a person's word. The suggestion stands in the meta data.
"""

from __future__ import annotations

import colorsys
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.headers import is_outcome
from corpora.label_formats.base import CANNOT_TELL
from corpora.label_records import Filled, FilledFile, Job, Status

#: The export of a project in which all share one set of labels: names nobody.
_EVERYONE = ("all", "unknown")
_LABELS = ("label", "labels", "cats", "annotations")


def write(job: Job, path: Path) -> list[Path]:
    """Write the examples to `path` and the labels beside it; return the files written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for task in job.tasks:
            example = {
                "text": task.title + "\n" + task.body if task.title else task.body,
                "label": [],
                "petition_id": task.petition_id,
                "export": job.export,
                "target": job.target,
                "submitted_at": task.submitted_at,
                "address": task.address,
                "filed": task.filed,
                "suggestion": f"{task.suggestion} {task.probability:.0%}" if task.suggestion else "",
                "why": "；".join(task.why),
            }
            file.write(json.dumps(example, ensure_ascii=False) + "\n")
    labels = path.with_name(f"{path.stem}.labels.json")
    labels.write_text(json.dumps(_types((*job.choices, CANNOT_TELL)), ensure_ascii=False, indent=1), "utf-8")
    return [path, labels]


def _types(names: tuple[str, ...]) -> list[dict[str, str | None]]:
    """Return label types as doccano takes them in, each in a colour of its own."""
    types: list[dict[str, str | None]] = []
    for i, name in enumerate(names):
        red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(i * 0.618 % 1, 0.42, 0.55))
        types.append(
            {"text": name, "suffix_key": None, "background_color": f"#{red:02X}{green:02X}{blue:02X}", "text_color": "#FFFFFF"}
        )
    return types


def read(records: list[tuple[int, Any]], source: str, moment: str) -> FilledFile:
    """Read records with their line numbers; `source` is the name of the file, `moment` its time in UTC."""
    found = FilledFile(source, guessed=True)
    stem = Path(source.rsplit("[", 1)[-1].rstrip("]")).stem
    who = "" if stem.casefold() in _EVERYONE else stem
    outcomes: dict[str, None] = {}
    for number, record in records:
        if not isinstance(record, dict):
            found.reject(number, "bad_record", "不是 JSON 对象")
            continue
        data = {**_meta(record.get("meta")), **record}
        outcomes |= {str(key): None for key in data if is_outcome(str(key))}
        found.target = found.target or str(data.get("target", ""))
        key = next((name for name in _LABELS if name in record), None)
        if key is None:
            found.reject(number, "no_label_key", f"没有 {'、'.join(_LABELS[:3])} 键，不是文本分类的导出")
        elif not str(data.get("petition_id", "")):
            found.reject(number, "no_id", "没有 petition_id，无法对应到来信")
        else:
            _take(found, number, data, record[key], who, moment)
    found.outcomes = tuple(outcomes)
    return found


def _take(found: FilledFile, number: int, data: Mapping[str, Any], value: object, who: str, moment: str) -> None:
    labels = value if isinstance(value, list) else [value] if value else []
    if any(not isinstance(label, str) for label in labels):
        found.reject(number, "label_not_text", "标签是编号或区间，不是名称；请用 JSONL 格式导出文本分类项目")
    elif len(set(labels)) > 1:
        found.reject(number, "contradictory", f"同一件有 {len(set(labels))} 个标签（可能来自不同的人）；请按人导出或只留一个")
    elif not labels:
        found.open += 1
    else:
        label = str(labels[0])
        status: Status = "skipped" if label == CANNOT_TELL else "labelled"
        notes = data.get("Comments", data.get("comments"))
        note = " ".join(str(each) for each in notes) if isinstance(notes, list) else str(notes or "")
        found.filled.append(
            Filled(
                str(data.get("export", "")), str(data["petition_id"]), label if status == "labelled" else "", status, who, moment, number,
                note, text=str(data["text"]) if "text" in data else None,
            )
        )  # fmt: skip


def _meta(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
