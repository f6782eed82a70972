"""Completeness (完整性): requests taken up, enough said, and the parts that a reply should have.

Score = `requests` × mean share of requests met + `substance` × content against what is enough for such a petition +
`structure` × weighted share of greeting, restatement, finding, measure, time, contact and closing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from pipeline.replies.records import Part
from pipeline.replies.requests import TIMES, Request, met
from pipeline.replies.wording import CONTENT, GREETING, RESTATEMENT, THANKS, ReplyText, Wording, squeezed

_ELEMENTS = {
    "greeting": "问候", "restatement": "复述诉求", "finding": "调查核实", "measure": "处理措施", "time": "时间安排",
    "contact": "联系方式", "closing": "结束语",
}  # fmt: skip
#: From this share on a request counts as met in the count.
MET = 0.5
_SHOWN = 3


def completeness(
    text: ReplyText,
    petition: str,
    requests: Sequence[Request],
    words: frozenset[str],
    weights: Mapping[str, float],
    wording: Wording,
) -> tuple[Part, int]:
    """Return the completeness of one reply and how many requests it met.

    Args:
        text: the reply, clause by clause.
        petition: title and body, masked.
        requests: what the petition asks for.
        words: telling words of the reply's content.
        weights: how telling a word is.
        wording: phrases and limits.
    """
    rules = wording.config.completeness
    content = text.content
    shares = [met(request, content, words, weights, wording) for request in requests]
    answered = sum(shares) / len(shares) if shares else 0.0
    enough = min(rules.enough_base + rules.enough_share * len(squeezed(petition)), rules.enough_most)
    size = text.size(CONTENT)
    substance = min(1.0, size / enough)
    there = _structure(text, content, wording)
    weight = dataclasses.asdict(rules.structure_weights)
    structure = sum(weight[name] for name in there) / max(sum(weight.values()), 1e-9)
    score = rules.requests * answered + rules.substance * substance + rules.structure * structure
    count = sum(share >= MET for share in shares)
    found = [f"诉求{len(requests)}项，回应{count}项", f"实质内容{size}字（够用{enough:.0f}字）"]
    if there:
        found.append("有" + "、".join(_ELEMENTS[name] for name in there))
    open_ = [request.short for request, share in zip(requests, shares, strict=True) if share < MET]
    missing = [f"未见回应：{item}" for item in open_[:_SHOWN]]
    if len(open_) > _SHOWN:
        missing.append(f"另有{len(open_) - _SHOWN}项未见回应")
    lacking = [_ELEMENTS[name] for name in ("finding", "measure", "time", "contact") if name not in there]
    if lacking:
        missing.append("没有" + "、".join(lacking))
    return Part(score, tuple(found), tuple(missing)), count


def _structure(text: ReplyText, content: str, wording: Wording) -> list[str]:
    roles = {clause.role for clause in text.clauses}
    everything = "\n".join(clause.text for clause in text.clauses)
    there = {
        "greeting": GREETING in roles,
        "restatement": RESTATEMENT in roles or wording.restatement.search(everything) is not None,
        "finding": wording.finding.search(content) is not None,
        "measure": wording.measure.search(content) is not None,
        "time": TIMES.search(content) is not None,
        "contact": wording.contact.search(everything) is not None,
        "closing": THANKS in roles,
    }
    return [name for name in _ELEMENTS if there[name]]
