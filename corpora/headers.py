"""Which column of an export is which field of a petition.

Headers are recognised by a table of names, Chinese and English, after stripping what exports add to them (byte order
mark, spaces, full width, brackets, marks of required fields). A column that was written after the petition was filed
(答复意见, 办理结果 …) is no field: it is neither recognised nor may it be mapped, because a model that has seen it
answers a question nobody asks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Fields that a column may fill, in the order of `PETITION_SCHEMA`.
FIELDS = (
    "petition_id",
    "title",
    "body",
    "submitted_at",
    "address",
    "channel",
    "issue_type",
    "unit",
    "refused_units",
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: Recognised names of each field, in normalised form; where several columns match, the name listed first wins.
_ALIASES: dict[str, tuple[str, ...]] = {
    "petition_id": _words(
        "petitionid 留言编号 工单编号 工单号 受理编号 信访编号 信访件编号 信件编号 诉求编号 来信编号 事项编号 "
        "案件编号 工单id 编号 单号 ticketid id"
    ),
    "title": _words(
        "title 留言主题 留言标题 信件标题 信件主题 来信标题 诉求标题 诉求主题 工单标题 工单主题 信访标题 "
        "事项标题 标题 主题 subject"
    ),
    "body": _words(
        "body 留言详情 留言内容 诉求内容 信件内容 来信内容 反映内容 反映问题 投诉内容 信访内容 工单内容 "
        "问题描述 问题内容 诉求描述 诉求详情 事项内容 来电内容 主要内容 详细内容 内容 正文 详情 content text"
    ),
    "submitted_at": _words(
        "submittedat 留言时间 留言日期 来电时间 受理时间 登记时间 提交时间 来信时间 来信日期 写信时间 "
        "写信日期 信访日期 信访时间 诉求时间 反映时间 投诉时间 登记日期 受理日期 创建时间 createdat "
        "createtime submittime 时间 日期 date time"
    ),
    "address": _words(
        "address 事发地址 诉求地址 事发地点 问题地址 问题地点 事件地址 事件地点 发生地址 发生地点 详细地址 "
        "地址 地点 location"
    ),
    "channel": _words("channel 来电渠道 诉求渠道 受理渠道 来源渠道 工单来源 诉求来源 信访形式 来信渠道 渠道 来源"),
    "issue_type": _words(
        "issuetype 问题类型 问题类别 问题分类 诉求类型 诉求分类 诉求类别 内容分类 信访目的分类 事项类型 "
        "事项分类 category"
    ),
    "unit": _words(
        "unit 承办单位 主办单位 责任单位 答复部门 答复单位 办理单位 办理部门 处理单位 处置单位 责任部门 "
        "承办部门 主办部门 responsibleunit leadunit department"
    ),
    "refused_units": _words("refusedunits 退单单位 退回单位 退单部门 退回部门 拒收单位"),
}

_LEVELS = tuple(
    tuple(f"{digit}级{word}" for word in ("标签", "分类", "类别", "类型", "问题类型", "问题分类", "诉求类型", "事项"))
    for digit in "一二三"
)

#: Written after filing. Matched anywhere in the header; the names of `_ALIASES` are exempt (答复部门 is the unit).
_OUTCOME = re.compile(
    r"答复|回复|答覆|回覆|办理结果|处理结果|处置结果|办理意见|处理意见|承办意见|办理情况|处理情况|处置情况|办理过程"
    r"|办理时间|处理时间|办结|结案|反馈|满意|评价|回访|解决情况|调查结果|调查情况|审核意见"
    r"|reply|replied|response|answer|feedback|outcome|result|resolution|resolved|satisf|closedat|closetime|closingnote"
    r"|disposal|verdict"
)
_INVISIBLE = re.compile(r"[\s\ufeff\u200b-\u200f\u2060_\-]+")
_EDGES = "[]()<>{}【】〔〕《》〈〉「」『』“”‘’\"'`*★:;,.#、。="
_SUFFIX = re.compile(r"[(\[【〔{].*$")

#: Fields whose text a model reads.
_READ_BY_MODELS = frozenset({"title", "body", "address"})


class MappingError(ValueError):
    """A mapping that cannot be used whatever the files hold; the message says which part of it and why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Columns (indices into the header) that fill each field; several only for `issue_type`, joined with "/"."""

    columns: Mapping[str, tuple[int, ...]]

    def __contains__(self, field: str) -> bool:
        """Tell whether a column fills `field`."""
        return field in self.columns


def normalise(header: str) -> str:
    """Return `header` in the form in which names are compared."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", header)).casefold()
    return text.strip(_EDGES)


def is_outcome(header: str) -> bool:
    """Tell whether the column was written after filing (答复意见, 答复时间, 办理结果, reply …)."""
    name = normalise(header)
    return _OUTCOME.search(name) is not None and name not in _FIELD_OF


def field_of(header: str) -> str | None:
    """Return the field that `header` names, or None; the levels of an issue type count as `issue_type`."""
    if is_outcome(header):
        return None
    name = normalise(header)
    found = _FIELD_OF.get(name)
    if found is None:
        found = _FIELD_OF.get(_SUFFIX.sub("", name).strip(_EDGES))
    return found


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Check what can be checked of a mapping (field → header) before a file is open.

    Raises:
        MappingError: for an unknown field, an empty header, a header written after filing, a column of two fields, or
            the responsible unit given as text to read.
    """
    taken: dict[str, str] = {}
    for field, header in mapping.items():
        if field not in FIELDS:
            msg = f"mapping {field}={header}: there is no field {field!r}; the fields are {', '.join(FIELDS)}"
            raise MappingError(msg)
        for part in _parts(field, header):
            name = normalise(part)
            if not name:
                msg = f"mapping {field}={header}: the header is empty"
                raise MappingError(msg)
            if is_outcome(part):
                msg = (
                    f"mapping {field}={header}: column {part!r} was written after filing; a reply was not there "
                    "when the petition was filed, so nothing may be learnt or routed from it"
                )
                raise MappingError(msg)
            if field in _READ_BY_MODELS and field_of(part) == "unit":
                msg = (
                    f"mapping {field}={header}: column {part!r} names the responsible unit, the answer itself, not text"
                )
                raise MappingError(msg)
            if name in taken:
                msg = f"mapping {field}={header}: column {part!r} is already mapped to {taken[name]}"
                raise MappingError(msg)
            taken[name] = field


def missing_headers(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the entries of `mapping` (field → header) for which `header` has no column."""
    names = [normalise(cell) for cell in header]
    return {field: wanted for field, wanted in mapping.items() if _locate(field, wanted, names) is None}


def match_headers(header: Sequence[str], mapping: Mapping[str, str] | None = None) -> Plan:
    """Decide which columns fill which field.

    A mapped header wins over recognition; for a mapped field nothing else is recognised, whether or not this file has
    the mapped column; and a column that the mapping took fills no other field.
    """
    mapping = mapping or {}
    names = [normalise(cell) for cell in header]
    columns: dict[str, tuple[int, ...]] = {}
    for field, wanted in mapping.items():
        found = _locate(field, wanted, names)
        if found is not None:
            columns[field] = found
    taken = {index for found in columns.values() for index in found}
    levels: dict[int, int] = {}
    best: dict[str, tuple[int, int]] = {}
    for index, cell in enumerate(header):
        field_ = field_of(cell)
        if field_ is None or field_ in mapping or index in taken:
            continue
        name = names[index] if names[index] in _FIELD_OF else _SUFFIX.sub("", names[index]).strip(_EDGES)
        if name in _LEVEL_OF:
            levels.setdefault(_LEVEL_OF[name], index)
            continue
        rank = (_ALIASES[field_].index(name), index)
        best[field_] = min(best.get(field_, rank), rank)
    columns |= {field: (index,) for field, (_, index) in best.items()}
    if 0 in levels:
        columns["issue_type"] = tuple(levels[level] for level in sorted(levels))
    return Plan(columns)


def header_score(cells: Sequence[str], mapping: Mapping[str, str] | None = None) -> int:
    """Count the fields that a row would fill if it were the header; mapped headers count double."""
    plan = match_headers(cells, mapping)
    return len(plan.columns) + sum(field in plan for field in mapping or {})


def describe(header: Sequence[str], limit: int = 30) -> str:
    """List headers for a message, or say that the row looks like data: a petition's text must not reach a message."""
    cells = [" ".join(cell.split()) for cell in header if cell.strip()]
    if not cells:
        return "(none)"
    if any(len(cell) > 24 or re.search(r"\d{4}", cell) for cell in cells):
        return "(not shown: the first row looks like data, so the file may have no header row)"
    more = f" and {len(cells) - limit} more" if len(cells) > limit else ""
    return ", ".join(cells[:limit]) + more


def _parts(field: str, header: str) -> list[str]:
    """Split the levels of an issue type given as `一级+二级+三级`; any other header is one part."""
    parts = header.split("+") if field == "issue_type" else [header]
    return parts if len(parts) <= 3 else [header]


def _locate(field: str, wanted: str, names: Sequence[str]) -> tuple[int, ...] | None:
    """Find the columns of a mapped header: as it stands, then by its parts."""
    whole = normalise(wanted)
    if whole in names:
        return (names.index(whole),)
    parts = [normalise(part) for part in _parts(field, wanted)]
    if len(parts) > 1 and all(part in names for part in parts):
        return tuple(names.index(part) for part in parts)
    return None


_LEVEL_OF = {name: level for level, names in enumerate(_LEVELS) for name in names}
_FIELD_OF = {name: field for field, names in _ALIASES.items() for name in names} | dict.fromkeys(
    _LEVEL_OF, "issue_type"
)
