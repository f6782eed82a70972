"""Measures: sentences that order, change or set something up, each with its rule kind.

A measure is a sentence, or the part of one between semicolons. Reports of the past, goals without an act, quotations and
prohibitions of a thing are not that thing; a point of a list takes the subject of its lead sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpora.policy_rules import Kind, Rules, Words
from pipeline.policies.frames import frame_of
from pipeline.policies.measure_parts import actor_of, power_of, receiver_of
from pipeline.policies.measure_sentences import Sentence, sentences
from pipeline.policies.records import Clause, Measure

_PROHIBITED = re.compile(
    r"不得|禁止|严禁|不准|不应|不可以?|无权|不能|不许|未经[^，。；]{0,20}不|防止|避免|杜绝|不宜|不搞|不予|争取|力争|申请|建议|请求|探讨|研究"
)
#: Points below such a lead describe conduct or cases, and order nothing.
_CASES = re.compile(
    r"(?:下列|以下|如下)[^，。；：:]{0,14}(?:行为|情形|情况|材料|条件|内容|资料|文件|信息|事项之一)|(?:行为|情形|情况)之一|不得有|严禁|禁止"
)
_PAST = re.compile(
    r"(?<!业)(?:已经|已(?!经[^，。；]{0,14}(?:批准|同意|审议|通过))|曾|先后|近年来|目前|截至|[去前]年|以来|全年|上半年|回顾)"
)
_DONE = re.compile(r"^[^，。；]{0,3}了(?!解)")
#: `撤销机构的，应当…`: a condition, not an act.
_CONDITION = re.compile(r"^[^，。；]{0,14}(?:时|后|前|之日起?)[，,]")
_WHEN = re.compile(r"(?:如|若|如果|凡|因|对于|违反|未|擅自|非法|违法|违规)[^，。；]{0,24}$")
#: Neither order nor change: definitions, scope, entry into force, interpretation.
_CLERICAL = re.compile(
    r"是指|所称|适用本|(?:^|[本该][^，。；]{0,14})自[^，。；]{0,20}(?:起|后)(?:施行|实施|执行)|负责解释|同时废止|(?:^|[本该][^，。；]{0,20})有效期|现(?:将|予)?[^。；]{0,40}印发|现印发|"
    r"(?:通知|公告|意见|决定|规定|纪要)如下|(?:制定|提出|制订)(?:本|如下)|联系(?:人|电话)|网址|邮箱|"
    r"^[^，。；]{2,40}(?:清单|名单|目录|对照表|一览表|登记表|申请表)$|^(?:出席|参加|主持|记录|列席)"
)
_MODAL = re.compile(r"应当|应|须|必须|要|不得|可以|负责|由|将|予以|给予|实行|禁止|严禁|鼓励|支持")
#: The one who was entrusted is no act.
_ENTRUSTED = re.compile("受委托|被委托|委托机关|委托书")
#: What stands on a title is a measure, whatever it does: 依据□第八条，八个领域的…归市综合执法局行使.
_BASED = re.compile(r"(?:依据|根据|依照|按照)[^，。；：:□]{0,6}□[^，。；]{0,30}[，,][^。；]{6,}")
_SEGMENT = re.compile(r"[，,：:]")
_LONG = 400


def measures(text: str, clauses: Sequence[Clause], rules: Rules) -> list[Measure]:
    """Return the measures of a document in the order of its text; `text[m.start:m.end] == m.text` for each.

    Args:
        text: the document's text.
        clauses: its outline.
        rules: lexicon and kinds.
    """
    found: list[Measure] = []
    issuer = _issuer(text, clauses)
    previous: tuple[tuple[int, int], str] = ((-1, -1), "")
    for sentence in sentences(text, clauses):
        if len(sentence.text) > _LONG * 4:
            continue  # a table run together: no sentence
        own = actor_of(sentence.plain)
        shared = previous[1] if previous[0] == sentence.whole else ""
        actor = own or shared or (actor_of(sentence.lead) if sentence.lead else "") or issuer
        previous = (sentence.whole, own or shared)
        measure = _measure(sentence, actor, rules)
        if measure is not None:
            found.append(measure)
    return found


def _measure(sentence: Sentence, actor: str, rules: Rules) -> Measure | None:
    plain, words = sentence.plain, rules.words
    if _CLERICAL.search(plain) or (sentence.lead and _CASES.search(sentence.lead)):
        return None
    kind, said = _kind(sentence, rules)
    if kind is None and not _orders(plain, words) and not _BASED.search(plain):
        return None
    frame = frame_of(sentence.text)
    if kind is None and frame == "理念":
        return None
    return Measure(
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        clause=sentence.clause,
        actor=actor,
        action=_action(said, plain, actor, words),
        power=power_of(plain, said, words),
        receiver=receiver_of(plain, words),
        kind=kind.kind if kind else "",
        frame=frame,
    )


def _kind(sentence: Sentence, rules: Rules) -> tuple[Kind | None, str]:
    """Return the first kind that the sentence fits and the words by which it does."""
    alone = _fitting(sentence.plain, 0, rules)
    if alone[0] is not None or not sentence.lead:
        return alone
    lead = re.sub(r"[:：]\s*$", "", sentence.lead)
    lead = lead[lead.rfind("，") + 1 :]  # the segment that the points complete
    return _fitting(lead + sentence.plain, len(lead), rules)


def _fitting(plain: str, beyond: int, rules: Rules) -> tuple[Kind | None, str]:
    for kind in rules.kinds:
        match = kind.fits.search(plain)
        while match is not None:
            if match.end() > beyond and _stands(kind, plain, match):
                return kind, match[0]
            match = kind.fits.search(plain, match.start() + 1)
    return None, ""


def _stands(kind: Kind, plain: str, match: re.Match[str]) -> bool:
    """Say whether a match is an act: not taken back, prohibited, past, or a condition of something else."""
    if kind.excludes is not None and kind.excludes.search(plain):
        return False
    start = max(plain.rfind(mark, 0, match.start() + 1) for mark in "，,：:") + 1
    before = plain[start : match.end()]
    if kind.negatable and _PROHIBITED.search(before):
        return False
    if _PAST.search(before) or _DONE.search(plain[match.end() :]):
        return False
    return not (kind.confers and kind.negatable and _is_condition(plain, start, match))


def _is_condition(plain: str, start: int, match: re.Match[str]) -> bool:
    """Say whether the segment of a match only names a case (撤销机构的，…), and the act follows."""
    last = max(plain.rfind(mark, 0, match.end()) for mark in "，,") + 1
    ends = [at for mark in "，,；;。" if (at := plain.find(mark, match.end())) >= 0]
    segment = plain[max(last, start) : min(ends, default=len(plain))]
    named = bool(ends) and segment.endswith("的")
    return named or bool(_CONDITION.search(plain[match.end() :]) or _WHEN.search(plain[start : match.start()]))


def _orders(plain: str, words: Words) -> bool:
    """Say whether a sentence without a kind orders or changes anything at all."""
    if len(plain) < 6 or words.slogans.search(plain) or (_PAST.search(plain) and not _MODAL.search(plain)):
        return False
    verb = words.orders.search(plain)
    if verb is None:
        return False
    segments = _SEGMENT.split(plain)
    return (
        bool(_MODAL.search(plain))
        or any(words.orders.match(segment.strip()) for segment in segments)
        or bool(actor_of(plain))
    )


def _action(said: str, plain: str, actor: str, words: Words) -> str:
    """Return the normalised verb: that of the words by which the kind was told, else the first behind the actor.

    Terms of power are left out (行政处罚权 is what is moved, not what is done), unless nothing else is left.
    """
    behind = plain[plain.find(actor) + len(actor) :] if actor and actor in plain else plain
    said, behind = _ENTRUSTED.sub("", said), _ENTRUSTED.sub("", behind)
    for text in (words.powers.sub("", said), words.powers.sub("", behind), said, plain):
        hits = [
            (match.start(), -len(match[0]), name)
            for name, pattern in words.actions.items()
            if (match := pattern.search(text))
        ]
        if hits:
            return min(hits)[2]
    verb = words.orders.search(plain)
    return verb[0] if verb else ""


_TITLE_ISSUER = re.compile(r"^(?:关于)?([\u4e00-\u9fff\s]{3,40}?)(?:关于|印发|转发)")


def _issuer(text: str, clauses: Sequence[Clause]) -> str:
    """Return who issued the document, from its title or signature; "" if neither says."""
    for clause in clauses:
        if clause.kind == "title":
            title = clause.heading or text[clause.start : clause.end]
            match = _TITLE_ISSUER.match("".join(title.split()))
            if match and not match[1].startswith("关于"):
                return match[1]
    for clause in clauses:
        if clause.kind == "signature":
            first = text[clause.start : clause.end].strip().split("\n")[0].strip()
            if first and not first[0].isdigit():
                return first
    return ""
