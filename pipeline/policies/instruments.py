"""What a document itself is: a law, a regulation, a rule, a normative document, or a text that orders nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from corpora.legal import Law, PolicyDocument, Rank

#: Level of a rank as rules of competence speak of it, highest first.
LEVELS = ("law", "regulation", "rule", "normative")
_OF_RANK = {
    Rank.CONSTITUTION: "law",
    Rank.LAW: "law",
    Rank.DECISION: "law",
    Rank.ADMINISTRATIVE_REGULATION: "regulation",
    Rank.SUPERVISORY_REGULATION: "regulation",
    Rank.LOCAL_REGULATION: "regulation",
    Rank.JUDICIAL_INTERPRETATION: "regulation",
    Rank.DEPARTMENT_RULE: "rule",
    Rank.LOCAL_RULE: "rule",
}
#: Levels of government, highest first.
GOVERNMENTS = ("国家", "省", "市", "县", "乡镇")

_EXPLAINS = re.compile(
    r"解读|问答|答记者问|图解|一图|热点|年度报告|工作报告|工作总结|述职|名单|公示|新闻|发布会|讲话|答复|复函|提案|访谈|通报$|情况的?(?:报告|通报)|(?:建设|工作|落实|执行)情况$|政策说明|起草说明|报道|综述"
)
_CATEGORY_RULE = re.compile(r"规章")
_CATEGORY_LAW = re.compile(r"地方性法规|行政法规|法律法规")
_DECREE = re.compile(
    r"(?:人民政府|国务院|部|局|委员会|总署|署)令|令\s*第?\s*[〇零一二三四五六七八九十百0-9]+\s*号|第\s*[〇零一二三四五六七八九十百0-9]+\s*号令|^〔?[12]\d{3}〕?第\d+号$"
)
_NOTICE = re.compile(
    r"关于.*的?(?:通知|意见|决定|方案|通告|公告|函|批复|办法|规定|请示|规划|纲要|要点|计划)$|纪要$|方案$|规划$|意见$|通知$|计划$|要点$|纲要$"
)
_RULE_LIKE = re.compile(r"(?:办法|规定|细则|规则)(?:[（(][^（()）]*[）)])?$")
_STATUTE_LIKE = re.compile(r"(?:条例|[^办方执司立]法)(?:[（(][^（()）]*[）)])?$")
_HEAD = 400


def level_of(law: Law) -> str:
    """Return the level of a law: `law`, `regulation` or `rule`."""
    return _OF_RANK[law.rank]


def instrument(document: PolicyDocument, own: Iterable[Law]) -> str:
    """Return what a document is: one of `LEVELS`, `explanation` (orders nothing), or `unknown` (may be a rule).

    Args:
        document: the document.
        own: the laws that the knowledge base knows by the document's own title.
    """
    title = "".join(document.title.split())
    if _EXPLAINS.search(title) or document.kind in ("解读", "问答", "报告"):
        return "explanation"
    levels = {level_of(law) for law in own}
    if levels:
        return min(levels, key=LEVELS.index)
    values = [value for name, value in document.fields.items() if name not in ("title", "body", "text")]
    if any(_CATEGORY_RULE.search(value) for value in values):
        return "rule"
    if _DECREE.search(document.number) or _DECREE.search(document.text[:_HEAD]):
        return "rule"
    if _STATUTE_LIKE.search(title) and "关于" not in title:
        return "regulation"
    if any(_CATEGORY_LAW.search(value) for value in values):
        return "unknown"
    if re.search(r"[〔\[（(【]\s*[12]\d{3}\s*[〕\])）】]", document.number) or _NOTICE.search(title):
        return "normative"
    return "unknown" if _RULE_LIKE.search(title) or not title else "normative"


def by_state_council(document: PolicyDocument) -> bool:
    """Whether the State Council, the Party's centre or the national congress issued the document.

    Their decisions are a basis themselves, so the absence of another says nothing.
    """
    name = document.issuer or "".join(document.title.split())[:24]
    return (
        bool(re.match(r"国务院|中共中央|中央|全国人民代表大会|全国人大|中办|国办|党中央", name))
        or "国务院办公厅" in name
        or document.number.startswith(("国发", "国办发", "国办函", "国函", "中发", "中办发"))
    )
