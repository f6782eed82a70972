"""What the knowledge base covers, in words: the report must show what a verdict could and could not rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispatch.legal_records import plain_text

#: Characters of a value that are shown; the workbook has more.
_LENGTH = 20_000
#: A longer value is folded.
_FOLDED = 160

#: Names of what `Statutes.status()` tells, of the whole and of a level.
NAMES = {
    "laws": "法律文件",
    "in_force": "现行",
    "titles_only": "仅有名称和日期",
    "versions": "文本",
    "versions_with_article_numbers": "知其条号",
    "versions_with_text": "持有全文",
    "articles": "持有条文",
    "whole": "该层级收录完整",
    "as_of": "截至",
    "territories": "地方性法规、规章的地域",
    "approximate_dates": "施行日期为推定的文本",
    "repealed": "已废止的法律文件",
    "compared_versions": "比对过条号的新旧文本",
    "facts_from": "事实来源",
    "texts_from": "全文来源",
    "incomplete": "不完整或未知是否完整的文本",
    "conflicts": "来源之间不一致",
    "problems": "读取问题",
}
LEVEL_NAMES = {
    "constitution": "宪法",
    "law": "法律",
    "decision": "决定、法律解释",
    "administrative_regulation": "行政法规",
    "supervisory_regulation": "监察法规",
    "local_regulation": "地方性法规",
    "department_rule": "部门规章",
    "local_rule": "地方政府规章",
    "judicial_interpretation": "司法解释",
}


@dataclass(frozen=True, slots=True)
class LevelTable:
    """The levels as a table: heads of the columns, and per level its name and its cells."""

    heads: list[str]
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """A fact about the knowledge base; a long one is folded under `summary`."""

    name: str
    value: str
    summary: str = ""


def coverage_rows(coverage: Mapping[str, Any]) -> list[CoverageRow]:
    """Return what the knowledge base holds, but for its levels and its date."""
    return [_row(name, value) for name, value in coverage.items() if name not in {"levels", "as_of"}]


def level_table(coverage: Mapping[str, Any]) -> LevelTable:
    """Return the levels with what is held of each; without cells where only their names are given."""
    levels = coverage.get("levels") or {}
    if not isinstance(levels, Mapping):
        return LevelTable([], [(_level(name), []) for name in levels])
    values = {name: value if isinstance(value, Mapping) else {"laws": value} for name, value in levels.items()}
    keys = list(dict.fromkeys(key for value in values.values() for key in value))
    return LevelTable(
        [NAMES.get(str(key), str(key)) for key in keys],
        [(_level(name), [_text(value.get(key)) for key in keys]) for name, value in values.items()],
    )


def _level(name: object) -> str:
    return LEVEL_NAMES.get(str(name), str(name))


def _text(value: object) -> str:
    return f"{value:,}" if type(value) is int else plain_text(value) or "—"


def _row(name: str, value: object) -> CoverageRow:
    if isinstance(value, list | tuple):
        text = "、".join(_item(item) for item in value)
        count = f"{len(value):,} 项"
    elif isinstance(value, Mapping):
        text = "、".join(f"{plain_text(key)} {_text(item)}" for key, item in value.items())
        count = f"{len(value):,} 项"
    else:
        text, count = _text(value), "展开"
    text = text if len(text) <= _LENGTH else text[:_LENGTH] + "…"
    return CoverageRow(NAMES.get(name, name), text or "无", count if len(text) > _FOLDED else "")


def _item(value: object) -> str:
    """Return an entry of a list; one that has a title by that and its version."""
    if isinstance(value, Mapping) and "title" in value:
        version = plain_text(value.get("version"))
        return f"{plain_text(value['title'])}（{version}）" if version else plain_text(value["title"])
    return plain_text(value)
