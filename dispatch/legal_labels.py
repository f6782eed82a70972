"""Chinese words for the machine words of the policy wing: verdicts, gap codes, statuses of citations.

The wording never says that a measure is unlawful: it says what was not found in the knowledge base as of a date.
"""

from __future__ import annotations

from datetime import date

from pipeline.policies.records import Measure, Resolved, Status, Verdict

#: Verdicts in the order of every table.
VERDICTS = tuple(verdict.value for verdict in Verdict)

VERDICT_NAMES = {
    "supported": "有依据",
    "partly": "部分有依据",
    "unsupported": "未找到依据",
    "not_checked": "未核查",
    "out_of_scope": "无需依据",
}

STATUS_NAMES = {
    "in_force": "有效",
    "superseded": "已被新文本取代",
    "repealed": "已废止",
    "not_yet_effective": "尚未施行",
    "renumbered": "条号已变",
    "law_not_found": "未找到该文件名",
    "article_not_found": "未找到该条",
    "not_checked": "未核查",
}

#: From the gravest to the mildest: a list of articles under one span shows the gravest.
STATUS_ORDER = tuple(
    status.value
    for status in (
        Status.LAW_NOT_FOUND,
        Status.ARTICLE_NOT_FOUND,
        Status.REPEALED,
        Status.NOT_YET_EFFECTIVE,
        Status.SUPERSEDED,
        Status.RENUMBERED,
        Status.NOT_CHECKED,
        Status.IN_FORCE,
    )
)

#: Gap codes of LEGAL.md in its order.
GAP_NAMES = {
    "NO_BASIS": "未引依据",
    "VAGUE_BASIS": "依据笼统",
    "POLICY_ONLY": "仅有政策文件",
    "LAW_NOT_FOUND": "未找到所引法律",
    "ARTICLE_NOT_FOUND": "未找到所引条文",
    "BASIS_REPEALED": "依据已废止",
    "BASIS_SUPERSEDED": "依据为旧文本",
    "BASIS_NOT_YET_EFFECTIVE": "依据尚未施行",
    "BASIS_RENUMBERED": "条号已变",
    "BASIS_OFF_TOPIC": "条文与事项无关",
    "BASIS_WRONG_TERRITORY": "外地规定",
    "STAFFING_UNLAWFUL": "编制使用不合规定",
    "BASIS_LEVEL_TOO_LOW": "依据层级不够",
    "BASIS_AMENDED_SINCE": "依据其后有修改",
    "ILLEGAL_SETTING": "文件无权设定",
    "RIGHTS_WITHOUT_BASIS": "减损权益未见依据",
    "POWER_WITHOUT_BASIS": "增权减责未见依据",
    "DECIDER_TOO_LOW": "决定机关层级不够",
    "DELEGATEE_UNQUALIFIED": "承接主体不适格",
    "NON_DELEGABLE": "不得委托",
    "FORM_MISSING": "形式要件未载明",
    "AUTONOMY_BREACH": "行政任务压给自治组织",
    "CARRIER_MISSING": "法定主体缺位",
    "TRIAL_EXPIRED": "试点期已满",
    "TRIAL_UNAUTHORISED": "试点未见授权",
    "PROCEDURE_NOT_STATED": "程序未载明",
    "REFORM_EXPLORATORY": "探索性改革",
}

#: Gaps that ask for attention and accuse of nothing.
ADVISORY = frozenset({"BASIS_AMENDED_SINCE", "REFORM_EXPLORATORY"})

CITATION_KINDS = {
    "article": "条文",
    "title": "文件名",
    "self": "本文件",
    "anaphor": "承前指代",
    "vague": "笼统引用",
    "number": "文号",
}

RELATIONS = {
    "basis": "依据",
    "reference": "参照",
    "violation": "违反",
    "amends": "修改",
    "repeals": "废止",
    "mention": "提及",
}

FRAMES = ("理念", "结构", "机制", "手段")
NO_FRAME = "未归类"
NO_KIND = "其他措施"

SUGGESTION_NOTE = "供参考，未经核实"
DISCLAIMER = "本报告为核查辅助，不是法律意见，也不对任何文件作合法与否的结论。"


def verdict_sentence(verdict: str, as_of: str, issued: date | None) -> str:
    """Return what a verdict means, with the knowledge base's date and the document's."""
    known = f"截至{as_of}，知识库中" if as_of else "知识库中"
    day = f"（按文件日期 {issued.isoformat()} 判断）" if issued else "（文件无日期）"
    return {
        "supported": f"{known}找到依据{day}。",
        "partly": f"{known}找到部分依据，尚有缺口{day}。",
        "unsupported": f"{known}未找到依据{day}。",
        "not_checked": "未核查，不等于通过；原因见下。",
        "out_of_scope": "不涉及职权、权利义务或机构编制的变动，无需逐项引用依据。",
    }.get(verdict, verdict)


def version_date(version_id: str) -> str:
    """Return the date of a version's adoption or amendment from its id (`<law_id>@<date>`); "" where there is none."""
    return version_id.rpartition("@")[2] if "@" in version_id else ""


def citation_label(found: Resolved) -> str:
    """Return a citation as a lawyer writes it: 《title》第N条第N款第（N）项."""
    citation = found.citation
    title = found.title or citation.law
    label = f"《{title}》" if title else citation.text
    if citation.article is not None:
        label += str(citation.article)
        label += f"第{citation.paragraph}款" if citation.paragraph is not None else ""
        label += f"第（{citation.item}）项" if citation.item is not None else ""
    return label


def gravest(statuses: list[str]) -> str:
    """Return the status under which several citations of one span are shown; an unknown one counts as not checked."""
    known = [status if status in STATUS_NAMES else Status.NOT_CHECKED.value for status in statuses]
    return min(known, key=STATUS_ORDER.index, default=Status.NOT_CHECKED.value)


def measure_outline(measure: Measure) -> str:
    """Return who does what with which power and to whom, as far as the document says it."""
    parts = (
        ("主体", measure.actor),
        ("行为", measure.action),
        ("权力或事项", measure.power),
        ("承接", measure.receiver),
    )
    return "；".join(f"{name}：{value}" for name, value in parts if value)
