"""Measures: sentences that order, change or set something up, each with its rule kind.

A measure is a sentence, or the part of one between semicolons. Reports of the past, goals without an act, quotations and
prohibitions of a thing are not that thing; a point of a list takes the subject of its lead sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpora.policy_rules import Kind, Rules, Sign, Words
from pipeline.policies.frames import frame_of
from pipeline.policies.measure_parts import actor_of, power_of, receiver_of
from pipeline.policies.measure_sentences import Sentence, sentences
from pipeline.policies.records import Clause, Measure

_PROHIBITED = re.compile(
    r"不得|禁止|严禁|不准|不应|不可以?|无权|不能|不许|未经[^，。；]{0,20}不|防止|避免|杜绝|不宜|不搞|不予|争取|力争|申请|建议|请求|探讨|研究(?!决定|确定|议定|同意)"
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
#: A sentence that only repeats what a law says, reports, or tells whom a measure does not touch.
_REPORTED = re.compile(
    r"(?:^|[，：；、])□[^，。；]{0,14}(?:规定|明确|要求)，|以来|去年|近年|上半年|全年|^(?:[^，。；]{1,4}、)?[12][0-9]{3}年(?![^，。；]{0,16}(?:起|前|底|末|后|施行|执行|启动|将))|曾|严禁|严格禁止|任何(?:单位|部门|个人|组织)[^，。；]{0,8}不得|努力|力争|打造|破解"
)
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
_BASED = re.compile(
    r"(?:依据|根据|依照|按照)[^，。；：:□]{0,6}□[^，。；]{0,30}[，,][^。；]{6,}"
    r"|□[^，。；]{0,40}(?:所定|规定)的?[^。；]{0,60}(?:按|照|依)(?:该|此|原)?(?:条|法|条例|规定)[^，。；]{0,8}(?:办理|落实|执行)"
    r"|以[^，。；]{0,8}□[^，。；]{0,14}为[^，。；]{0,6}(?:依?据|根据)"
    r"|(?:依据|根据|依照|按照|[按依照])(?:现行|[12今][0-9]{0,3}年[^，。；□]{0,12}的)?□+[^，。；]{0,30}(?:条|款|项|规定|办理|执行|处理|处罚|[^，。；]{4})|(?:依据|根据)为[^，。；]{0,20}□"
)
#: The rest of what the measure before it moves: 其余二十六项，由区政府研究决定一并划入.
_REST = re.compile(
    r"(?:其余|另外|余下|剩余|目录[之以]?外|未列入)[^。；]{0,24}[0-9一二三四五六七八九十百两]+(?:项|个)[^。；]{0,40}(?:划入|划转|划归|划到|移交|下放|交由|纳入|委托|赋予|并入)"
)
_NEAR = 120
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
    named = {kind.kind: kind for kind in rules.kinds}
    issuer = _issuer(text, clauses)
    previous: tuple[tuple[int, int], str] = ((-1, -1), "")
    for sentence in sentences(text, clauses):
        if len(sentence.text) > _LONG * 4:
            continue  # a table run together: no sentence
        own = actor_of(sentence.plain)
        shared = previous[1] if previous[0] == sentence.whole else ""
        actor = own or shared or (actor_of(sentence.lead) if sentence.lead else "") or issuer
        previous = (sentence.whole, own or shared)
        last = named.get(found[-1].kind) if found and sentence.start - found[-1].end < _NEAR else None
        measure = _measure(sentence, actor, rules, last)
        if measure is not None:
            found.append(measure)
    return found


def _measure(sentence: Sentence, actor: str, rules: Rules, last: Kind | None) -> Measure | None:
    plain, words = sentence.plain, rules.words
    if _CLERICAL.search(plain) or (sentence.lead and _CASES.search(sentence.lead)):
        return None
    kind, said = _kind(sentence, rules)
    receiver = ""
    if kind is None or not kind.confers:
        loose = _signs(sentence, rules)
        if loose is not None:
            kind, said, receiver = loose
        elif last is not None and last.confers and _REST.search(plain) and not _REPORTED.search(plain):
            kind, said = last, plain
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
        receiver=receiver or receiver_of(plain, words),
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


def _signs(sentence: Sentence, rules: Rules) -> tuple[Kind, str, str] | None:
    """Return the first conferring kind whose signs stand together, the words that lie between them, and who receives."""
    lead = re.sub(r"[:：]\s*$", "，", sentence.lead)
    plain = lead + sentence.plain
    if _REPORTED.search(plain):
        return None
    for sign in rules.signs:
        if sign.excludes is not None and sign.excludes.search(plain):
            continue
        together = _together(sign, plain)
        if together and max(match.end() for match in together) > len(lead):
            said = plain[min(match.start() for match in together) : max(match.end() for match in together)]
            named = (match.groupdict().get("receiver") for match in together)
            return sign.kind, said, next(filter(None, named), "")
    return None


def _together(sign: Sign, plain: str) -> list[re.Match[str]]:
    """Return a match of each part of a sign; [] if one is missing."""
    found: list[re.Match[str]] = []
    for pattern in sign.all_of:
        match = _first(pattern, plain, sign.negatable)
        if match is None:
            return []
        found.append(match)
    return found


def _first(pattern: re.Pattern[str], plain: str, negatable: bool) -> re.Match[str] | None:
    """Return the first match that is neither forbidden nor past."""
    for match in pattern.finditer(plain):
        before = plain[_segment(plain, match) : match.start()]
        if not (negatable and _PROHIBITED.search(before)) and not _PAST.search(before):
            return match
    return None


def _segment(plain: str, match: re.Match[str]) -> int:
    """Return where the comma segment begins in which a match begins."""
    return max(plain.rfind(mark, 0, match.start() + 1) for mark in "，,：:") + 1


def _stands(kind: Kind, plain: str, match: re.Match[str]) -> bool:
    """Say whether a match is an act: not taken back, prohibited, past, or a condition of something else."""
    if kind.excludes is not None and kind.excludes.search(plain):
        return False
    start = _segment(plain, match)
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
