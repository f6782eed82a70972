"""Label Studio: tasks with predictions (JSON) and the project's labelling interface; back from its JSON and JSON-MIN exports.

Task format: https://labelstud.io/guide/task_format, pre-annotations: https://labelstud.io/guide/predictions. JSON-MIN has one
record an annotation with the task's data beside the control's value, and leaves out cancelled ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from corpora.headers import is_outcome
from corpora.label_formats.base import CANNOT_TELL, changed, utc
from corpora.label_records import Filled, FilledFile, Job, LabelError, Status

#: Names of the controls in the labelling interface.
CONTROL, REMARK, TEXT = "label", "note", "text"
#: Keys of JSON-MIN that are not the task's data.
_RECORD = frozenset({"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"})


def write(job: Job, path: Path) -> list[Path]:
    """Write the tasks to `path` and the labelling interface beside it; return the files written."""
    tasks = []
    for task in job.tasks:
        item: dict[str, Any] = {
            "data": {
                TEXT: task.title + "\n" + task.body if task.title else task.body,
                "petition_id": task.petition_id, "export": job.export, "target": job.target, "submitted_at": task.submitted_at,
                "address": task.address, "filed": task.filed, "why": "；".join(task.why),
                "suggestion": f"{task.suggestion} {task.probability:.0%}" if task.suggestion else "",
                "alternatives": "；".join(f"{name} {chance:.0%}" for name, chance in task.alternatives),
            }
        }  # fmt: skip
        if task.suggestion:
            item["predictions"] = [
                {
                    "model_version": job.model,
                    "score": round(task.probability, 4),
                    "result": [
                        {"from_name": CONTROL, "to_name": TEXT, "type": "choices", "value": {"choices": [task.suggestion]}}
                    ],
                }
            ]
        tasks.append(item)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1), "utf-8")
    interface = path.with_name(f"{path.stem}.config.xml")
    interface.write_text(_interface(job), "utf-8")
    return [path, interface]


def _interface(job: Job) -> str:
    choices = "\n".join(f"    <Choice value={quoteattr(name)}/>" for name in (*job.choices, CANNOT_TELL))
    layout = "select" if len(job.choices) > 20 else "vertical"
    return f"""<View>
  <Header value="请选择正确的{job.target_name}；只看来信本身，不看办理结果和答复"/>
  <Text name="{TEXT}" value="${TEXT}"/>
  <Text name="why" value="入选原因：$why"/>
  <Choices name="{CONTROL}" toName="{TEXT}" choice="single" required="true" layout="{layout}">
{choices}
  </Choices>
  <TextArea name="{REMARK}" toName="{TEXT}" placeholder="备注（不要写个人信息）" maxSubmissions="1" editable="true"/>
</View>
"""


def is_label_studio(records: list[Any]) -> bool:
    """Tell whether the records of a JSON file are Label Studio's."""
    first = next((record for record in records if isinstance(record, dict)), {})
    return ("data" in first and isinstance(first["data"], dict)) or "annotation_id" in first


def read(records: list[Any], path: Path, source: str) -> FilledFile:
    """Read an export; drafts and predictions are passed over: nobody has confirmed them.

    Raises:
        LabelError: if the label stands in a control that was named after something written after filing.
    """
    found = FilledFile(source)
    outcomes: dict[str, None] = {}
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            found.reject(number, "bad_record", "不是 JSON 对象")
            continue
        data = record.get("data", record)
        if not isinstance(data, dict):
            found.reject(number, "bad_record", "data 不是 JSON 对象")
            continue
        given = list(_annotations(record, data))
        outcomes |= {str(key): None for key in data if is_outcome(str(key))}
        found.target = found.target or str(data.get("target", ""))
        if not given:
            found.open += 1
        for annotation in given:
            _take(found, number, data, annotation, changed(path))
    found.outcomes = tuple(outcomes)
    return found


def _annotations(record: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the annotations of a task; a record of JSON-MIN is one."""
    if "data" in record:
        given = record.get("annotations", record.get("completions"))
        yield from (item for item in given or () if isinstance(item, dict))
    elif record.get("annotation_id") is not None:  # a task that nobody annotated has none
        results = []
        for name, value in data.items():
            if name in (CONTROL, REMARK) or (isinstance(value, dict) and "choices" in value):
                results.append({"from_name": name, "value": _minimal(name, value)})
        yield {**{key: record[key] for key in _RECORD if key in record}, "completed_by": record.get("annotator"), "result": results}


def _minimal(name: str, value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    values = value if isinstance(value, list) else [value]
    return {"text" if name == REMARK else "choices": values}


def _take(found: FilledFile, number: int, data: Mapping[str, Any], annotation: Mapping[str, Any], otherwise: str) -> None:
    labels: list[str] = []
    notes: list[str] = []
    results = annotation.get("result")
    for item in results if isinstance(results, list) else ():
        value = item.get("value") if isinstance(item, dict) else None
        if not isinstance(value, dict):
            continue
        if "choices" in value:
            name = str(item.get("from_name", ""))
            if is_outcome(name):
                raise LabelError(f"{found.source}: 标签取自“{name}”，那是受理以后才写的，不能当作标签")
            labels += [str(each) for each in _listed(value["choices"])]
        elif "text" in value:
            notes += [str(each) for each in _listed(value["text"])]
    if not str(data.get("petition_id", "")):
        found.reject(number, "no_id", "data 中没有 petition_id，无法对应到来信")
        return
    cancelled = bool(annotation.get("was_cancelled") or annotation.get("skipped"))
    if _bulk(annotation) and not cancelled:
        found.reject(number, "unconfirmed", "标注由预测批量生成，没有人确认过，不当作标签")
        return
    if len(set(labels)) > 1 and not cancelled:
        found.reject(number, "contradictory", f"同一条标注选了 {len(set(labels))} 个标签")
        return
    status: Status = "cancelled" if cancelled else "labelled" if labels and labels[0] != CANNOT_TELL else "skipped"
    found.filled.append(
        Filled(
            str(data.get("export", "")),
            str(data["petition_id"]),
            labels[0] if status == "labelled" else "",
            status,
            _person(annotation.get("completed_by")),
            utc(annotation.get("updated_at") or annotation.get("created_at"), otherwise),
            number,
            " ".join(notes),
            text=str(data[TEXT]) if TEXT in data else None,
        )
    )


def _bulk(annotation: Mapping[str, Any]) -> bool:
    """Tell whether the action "create annotations from predictions" made it: it has a prediction behind it and took no time.

    JSON-MIN does not say what is behind an annotation; there the time alone tells.
    """
    made_of = annotation.get("parent_prediction") is not None or "annotation_id" in annotation
    return made_of and annotation.get("lead_time") is None


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _person(who: object) -> str:
    """Return the annotator: name or address where the export has them, else `user-7`."""
    if isinstance(who, dict):
        name = " ".join(str(who[key]) for key in ("first_name", "last_name") if who.get(key))
        return name or str(who.get("email") or who.get("username") or "") or _person(who.get("id"))
    if who is None or isinstance(who, bool):
        return ""
    text = str(who).strip()
    return f"user-{text}" if text.isdecimal() else text
