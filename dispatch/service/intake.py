"""Petitions as they come in by HTTP: read by the same rules as rows of files, and told apart from what is none.

One petition that does not fit says nothing about its neighbours: it is rejected by its place with code and reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from corpora.dates import last_year
from corpora.formats.base import RawTable, RecordBlock
from corpora.headers import match_headers
from corpora.rows import Converter
from corpora.seen import SeenIds
from dispatch.live import SOURCE
from dispatch.service.problems import Problem

FIELDS = ("petition_id", "title", "body", "submitted_at", "address", "channel", "refused_units")
#: What an id looks like; also in the API's document.
ID_PATTERN = r"^[^\s\x00-\x1f\x7f='][^\s\x00-\x1f\x7f]*$"
_TEXTS = frozenset(FIELDS) - {"refused_units"}
_PLAN = match_headers(FIELDS, {})
_REQUIRED = frozenset({"body"})
_ID = re.compile(ID_PATTERN)
#: Names of fields that are told back; anything else may be a text in the wrong place.
_NAME = re.compile(r"[A-Za-z_]{1,40}")
_MAX_REFUSED = 50


@dataclass(frozen=True, slots=True)
class Refusal:
    """A petition that was not taken; `reason` quotes nothing of it."""

    index: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Intake:
    """The petitions of a request: `good` with their places, in order, as `PETITION_SCHEMA` has them; the others in `bad`."""

    places: list[int]
    good: list[dict[str, Any]]
    bad: list[Refusal]


def parse(content: bytes, max_depth: int) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON value of a body.

    Raises:
        Problem: 400, if it is none or is nested too deeply.
    """
    try:
        value = orjson.loads(content)
    except (ValueError, RecursionError):
        raise Problem(400, "malformed-json", "请求体不是有效的 JSON（UTF-8） the body is not valid JSON in UTF-8") from None
    level, depth = [value], 0
    while level:
        level = [item for part in level if isinstance(part, dict | list) for item in (part.values() if isinstance(part, dict) else part)]
        depth += 1
        if depth > max_depth:
            raise Problem(400, "malformed-json", f"嵌套超过 {max_depth} 层 nested deeper than {max_depth} levels")
    return value


def take_in(items: Sequence[Any]) -> Intake:
    """Check petitions; the places are indices into `items`."""
    bad = {index: found for index, item in enumerate(items) if (found := _shape(item)) is not None}
    block = RecordBlock(FIELDS, [], [])
    for index, item in enumerate(items):
        if index not in bad:
            block.rows.append(index + 1)
            block.records.append(item)
    table = RawTable(SOURCE, FIELDS, iter(()))
    converter = Converter(table, _PLAN, _REQUIRED, last_year(), SeenIds(), 0, [SOURCE])
    batch, rejections = converter.convert(block)
    refused = [Refusal(index, *found) for index, found in bad.items()]
    refused += [Refusal(item.row - 1, item.code, item.reason) for item in rejections]
    rows = batch.to_pylist()
    places = [row["row"] - 1 for row in rows]
    # The same petition is the same whichever place it had in which request.
    good = [{**row, "row": 1} for row in rows]
    return Intake(places, good, sorted(refused, key=lambda item: item.index))


def _shape(item: object) -> tuple[str, str] | None:
    """Return code and reason if an item is no object of known fields with values of the right kind."""
    if not isinstance(item, Mapping):
        return "wrong_type", "应为 JSON 对象 must be an object"
    unknown = [name for name in item if name not in FIELDS]
    if unknown:
        named = [name for name in unknown if _NAME.fullmatch(name)]
        told = "、".join(named[:5]) or f"{len(unknown)} 个"
        return "unknown_field", f"不认识的字段 unknown field: {told}"
    if "petition_id" not in item:
        return "missing_id", "编号为空"
    if isinstance(pid := item["petition_id"], str) and pid.strip() and not _ID.fullmatch(pid):
        # A file's reader strips white space, and = and ' that Excel puts before a number; here they are a mistake.
        return "bad_id", "编号里有空格或控制字符，或以 = 或 ' 开头"
    for name, value in item.items():
        if name in _TEXTS and not isinstance(value, str) and not (value is None and name not in ("petition_id", "body")):
            return "wrong_type", f"{name} 应为文字 must be a string"
    refused = item.get("refused_units")
    if refused is not None:
        if not isinstance(refused, list) or not all(isinstance(name, str) for name in refused):
            return "wrong_type", "refused_units 应为文字的列表 must be a list of strings"
        if len(refused) > _MAX_REFUSED:
            return "too_many_refused_units", f"refused_units 至多 {_MAX_REFUSED} 个"
        if any("\x00" in name or len(name) > 80 for name in refused):
            return "bad_refused_unit", "refused_units 里有过长的或带控制字符的名称"
    return None
