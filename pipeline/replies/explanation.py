"""Explanation (可解释性): reasons, legal basis and facts, against evasion and copies.

Score = `reasons` × clauses that give a reason + `basis` × statutes and documents cited + `facts` × figures, dates and names of
units, each up to what is enough; times 1 − `evasion` × the share of what is said that is evasive; times 1 − `copied` where
the same reply stands under petitions about other matters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.policies.citations import Finder
from pipeline.policies.records import Citation
from pipeline.replies.records import Part
from pipeline.replies.wording import CONTENT, PROMISE, ReplyText, Wording, squeezed

_FIGURE = re.compile(
    r"(?:(?:19|20)\d{2}年)?\d{1,2}月\d{1,2}日|(?:19|20)\d{2}年(?:\d{1,2}月)?|\d[\d,.]*\s*(?:%|％|‰|余|多)?\s*(?:万|亿|千)?\s*(?:元|平方米|平方公里|㎡|亩|公顷|公里|千米|米|厘米|毫米|吨|公斤|立方米|升|度|千瓦|"
    r"户|人|名|栋|号|台|盏|个|处|家|次|起|件|辆|条|所|座|层|套|间|周岁|岁|路|班|倍|分贝|小时|分钟|天|年|月|日|周)"
    r"|\d[\d.]*\s*[%％]|(?:19|20)\d{2}[年./-]\d{1,2}[月./-]\d{1,2}"
)
_UNIT = re.compile(
    r"[\u4e00-\u9fff]{2,14}?(?:局|街道办事处|街道|委员会|居委会|村委会|管委会|政府|办公室|派出所|大队|支队|中队|公司|中心|社区|法院|检察院)"
)
#: What may run into a unit's name from before it.
_BEFORE_UNIT = re.compile(
    r".*(?:咨询|联系|建议|直接|通过|有关|相关|安排|组织|协调|要求|责成|督促|[经由向到和与及请对是在至给为将已的我该贵本各])(?=.{3})"
)
_SHOWN = 3


def explanation(text: ReplyText, wording: Wording, finder: Finder, copied: int) -> Part:
    """Return how well one reply explains.

    Args:
        text: the reply, clause by clause.
        wording: phrases and limits.
        finder: finds citations of statutes; its titles need no knowledge base of texts.
        copied: replies of the batch under other matters that are copies of this one, itself counted; 1 if none.
    """
    rules = wording.config.explanation
    clauses = text.of(CONTENT)
    content = text.content
    cited = citations(content, finder)
    giving = [clause for clause in clauses if wording.reason.search(clause)]
    facts = dict.fromkeys(match[0] for match in _FIGURE.finditer(content))
    facts |= dict.fromkeys(name for name in (_BEFORE_UNIT.sub("", m[0]) for m in _UNIT.finditer(content)) if len(name) > 2)
    reasons = min(1.0, len(giving) / rules.reasons_enough)
    score = rules.reasons * reasons + rules.basis * bool(cited) + rules.facts * min(1.0, len(facts) / rules.facts_enough)
    said = text.size(CONTENT, PROMISE)
    dodging = [clause for clause in text.of(CONTENT, PROMISE) if wording.evasion.search(clause)]
    evasive = min(1.0, sum(len(squeezed(clause)) for clause in dodging) / said) if said else 0.0
    score *= (1 - rules.evasion * evasive) * (1 - rules.copied * (copied > 1))
    found, missing = [], []
    if giving:
        found.append("理由：" + "；".join(_short(clause) for clause in giving[:_SHOWN]))
    else:
        missing.append("没有说明理由")
    if cited:
        found.append("依据：" + "、".join(cited[:_SHOWN]))
    else:
        missing.append("没有引用法规或文件")
    if facts:
        found.append(f"具体事实{len(facts)}处：" + "、".join(list(facts)[:_SHOWN]))
    else:
        missing.append("没有数字、日期、单位等具体事实")
    if dodging and evasive >= 0.2:
        missing.append("含糊表述：" + "；".join(_short(clause) for clause in dodging[:_SHOWN]))
    if copied > 1:
        missing.append(f"与另外{copied - 1}件不同事项的答复雷同")
    return Part(score, tuple(found), tuple(missing))


def citations(text: str, finder: Finder) -> list[str]:
    """Return the statutes, articles and documents that a text cites, as written, without doubles."""
    if not any(sign in text for sign in "《〔条法号"):
        return []
    found: Sequence[Citation] = finder.find(text)
    return list(dict.fromkeys(c.text for c in found if c.kind in ("article", "title", "number")))


def _short(clause: str) -> str:
    text = clause.strip("，,。；;！!？?：: ")
    return text if len(text) <= 30 else text[:30] + "…"
