"""Names of statutes that no knowledge base has: what stands before 第N条 without 《》 (河北省安全生产条例第三条)."""

from __future__ import annotations

import re

from pipeline.policies.citation_patterns import HAN, NUM
from pipeline.policies.citation_titles import GENERIC

_TYPES = "宪法|法典|法|条例|办法|规定|细则|规则|通则|准则|规程|公约|协定|议定书|章程|意见|解释|决定|决议|修正案|通知|纲要|方案"
_TYPE_END = re.compile(rf"({_TYPES})(?:[（(].{{1,24}}[）)])*$")
_RUN = re.compile(rf"[{HAN}（）()〈〉·]+$")
_NO_STATUTE = re.compile(
    r"(?:方|依|合|违|非|执|司|守|用|做|说|看|想|书|技|历|语|戏|魔|无|没|设|立|变|枪|手|疗|算)法$"
    r"|(?:所称|上述|下列|有关|相关|其他|应当|可以|不得|按照|作出|明确|另有|未|已)(?:规定|决定|解释|意见)$"
    r"|^(?:规定|决定|意见|解释|通知|方案)$|^第.{1,4}[编章节]"
)
_BOUNDARY = re.compile(
    r".*(?:根据|依据|依照|按照|违反|违背|参照|比照|适用|符合|触犯|遵守|落实|贯彻|援引|引用|参见|详见|对照|结合|涉及|属于|具有|以及|或者|以下"
    r"|对于|关于(?!.*的)|按|(?<!共)和|与|及|或|(?<!法)对(?!外)|由|在|将|把|被|为|是|有(?!企|线|轨)|除|依(?!法)|从|就(?!业)|我国|现行|其中|如|修[改订正][后前]|本次|承担|构成|不受|超出|超过|计入|行使|履行|但)"
)
_ITEM_LABEL = re.compile(rf"^[（(](?:{NUM}[）)])?(?![^（(]*[）)])")
_ABOUT = re.compile(r"关于.*的(?:若干)?(?:意见|通知|决定|规定|解释|批复|公告|方案|办法|答复)$")
#: Kinds whose titles hold no 的: what stands before one belongs to the sentence.
_NO_ATTRIBUTE = frozenset({"法", "法典", "条例", "细则", "规则", "通则", "准则"})


def is_kind(title: str, kind: str) -> bool:
    """Return whether a title is of the kind that 本… or 该… names (法, 条例, 办法 …); 办法 is no 法."""
    plain = re.sub(r"[（(][^（）()]*[）)]$", "", title)
    if kind in ("法", "法典"):
        return plain.endswith(("法", "法典")) and not plain.endswith("办法")
    return plain.endswith(kind)


def name_before(before: str) -> str:
    """Return the name of a statute with which the text before a reference ends, "" where there is none.

    The name begins behind the last verb, preposition or conjunction; a word of kind alone (条例) is returned as it is.
    """
    run = _RUN.search(before)
    if not run:
        return ""
    words = run[0]
    about = words.rfind("关于")
    cut = _BOUNDARY.match(words, 0, about if about >= 0 and _ABOUT.search(words) else len(words))
    name = (words[cut.end() :] if cut else words).lstrip("的了等该其新原旧")
    name = _ITEM_LABEL.sub("", name)
    kind = _TYPE_END.search(name)
    if kind and kind[1] in _NO_ATTRIBUTE and "〈" not in name:
        name = name[name.rfind("的") + 1 :]
    if not kind or not name or _NO_STATUTE.search(name):
        return ""
    return name


def is_generic(name: str) -> bool:
    """Return whether a name is a word of kind alone."""
    kind = _TYPE_END.search(name)
    return name in GENERIC or (kind is not None and len(name) <= len(kind[1]))
