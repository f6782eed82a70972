"""What a petition asks for (诉求), sentence by sentence, and whether a reply takes it up.

A sentence that asks (请问、能否、希望、？…) and is not rhetorical (难道…？) is a request; where no sentence does, the title stands for it. A request is met
as far as its telling words come up in what the reply says; a demand (恳请严查) also as far as those of the title do, where the
reply tells a finding or a measure; one that asks when or why is met by half at the most where the
reply gives no time or no reason; one with hardly a telling word (请有关部门处理) is met by any finding or measure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.replies.wording import Wording, squeezed

_SENTENCE = re.compile(r"[^。！!？?；;\n]+[。！!？?；;\n]*")
_LEADING = re.compile(r"^[\s（(]*(?:[一二三四五六七八九十\d]{1,2}[）)、.．:：])?\s*")
_ASKS = re.compile(r"[？?]|[吗呢么]\s*[。！!]?\s*$")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
#: Requests of one petition that are looked at; the longest letters repeat theirs.
MOST = 12
#: Fewer telling words than this make a request that anything done meets.
_FEW = 2
_SHOWN = 40
TIMES = re.compile(
    r"(?:19|20)\d{2}\s*[年./-]|\d{1,2}\s*月(?:\d|底|份|初|中|前|上|下)|年底|月底|年内|季度|上半年|下半年|明年|今年|本月|下月|近期|本周|下周|日前|"
    r"\d+\s*(?:个)?(?:工作日|天|日|个月|周|年)(?:内|后|之内|以内)|预计|计划于|拟于|将于|工期|竣工"
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as written, its telling words, and those of the petition's title, which a demand refers to."""

    text: str
    words: frozenset[str]
    subject: frozenset[str] = frozenset()

    @property
    def short(self) -> str:
        """The request as it is shown."""
        text = _LEADING.sub("", " ".join(self.text.split()))
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def requests_of(title: str, body: str) -> list[str]:
    """Return the sentences of a petition that may ask, the title first."""
    return [title, *(match[0].strip() for match in _SENTENCE.finditer(body))]


def select(sentences: Sequence[str], wording: Wording) -> list[str]:
    """Return the sentences that ask for something, without doubles; the title where none does."""
    asking: dict[str, str] = {}
    for sentence in sentences[1:]:
        if (wording.request.search(sentence) or _ASKS.search(sentence)) and not wording.rhetorical.search(sentence):
            key = squeezed(sentence)
            if len(key) >= 4:
                asking.setdefault(key, sentence)
    found = list(asking.values())
    if not found:
        found = [next((sentence for sentence in sentences if squeezed(sentence)), "")]
    return found[:MOST]


def telling(words: Sequence[str], common: frozenset[str]) -> frozenset[str]:
    """Return the words of a sentence that tell something: two characters and more, Chinese, and not of the common ones."""
    return frozenset(word for word in words if len(word) > 1 and _CHINESE.search(word) and word not in common)


def met(request: Request, content: str, words: frozenset[str], weights: Mapping[str, float], wording: Wording) -> float:
    """Return how far a reply meets a request, 0 to 1.

    Args:
        request: the request.
        content: what the reply says beyond forms.
        words: the telling words of the content.
        weights: how telling a word is; unknown words count as the most telling.
        wording: phrases and limits.
    """
    if not content:
        return 0.0
    rules = wording.config.completeness
    done = wording.finding.search(content) or wording.measure.search(content)
    if len(request.words) < _FEW:
        share = 1.0 if done or len(squeezed(content)) >= rules.enough_base else 0.0
    else:
        share = _taken_up(request.words, content, words, weights) / rules.covered
        if done and len(request.subject) >= _FEW and not _ASKS.search(request.text):
            share = max(share, _taken_up(request.subject, content, words, weights) / rules.covered)
        share = min(1.0, share)
    if share and wording.when.search(request.text) and not TIMES.search(content):
        share = min(share, 0.5)
    if share and wording.why.search(request.text) and not wording.reason.search(content):
        share = min(share, 0.5)
    return share


def _taken_up(wanted: frozenset[str], content: str, words: frozenset[str], weights: Mapping[str, float]) -> float:
    """Return the share of the wanted words, by their weight, that come up in what is said."""
    total = sum(weights.get(word, 1.0) for word in wanted)
    # 路灯 is in 路灯维修, whichever way the segmenter cut it.
    return sum(weights.get(word, 1.0) for word in wanted if word in words or word in content) / total
