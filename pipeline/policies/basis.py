"""The citations that bear on a measure: of its sentence, of its clause, of the lead above it, of the document's basis."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.policies.instruments import LEVELS, level_of
from pipeline.policies.knowledge import Statutory
from pipeline.policies.measure_sentences import own_text
from pipeline.policies.records import Clause, Measure, Resolved, Status

_ENDS = "。！？\n"
#: The sentence in which a document says on what it rests.
_FOUNDING = re.compile(
    r"(?:根据|依据|依照|按照|遵照|为)[^。！？\n]{0,600}?(?:(?:制定|制订|特制定|提出|出台|编制|修订)(?:了)?(?:本|如下|以下)"
    r"|(?:通知|公告|意见|决定|规定|纪要|通告|方案|措施|办法)如下|特(?:作|制定|通知|公告)|(?:人民)?政府决定(?=[:：])|决定(?=[:：]))"
)
#: 依照《…》设立的企业: the law is that of the enterprise, not of what is ordered for it.
_ATTRIBUTIVE = re.compile(
    r"(?:的?(?:有关)?规定)?(?:依法|已经)?(?:设立|取得|登记|成立|签订|颁发|征收|享受|作出|采取|批准|领取)(?:了)?的(?!规定|[，。；])"
)
_STATUTE_FORM = re.compile(r"(?:法|法典|条例|规定|办法|细则|规则|宪法|章程)(?:[（(][^（()）]*[）)])?》?$")
_POLICY_FORM = re.compile(
    r"(?:意见|通知|方案|规划|纲要|要点|计划|批复|函|公告|纪要|讲话|报告|通报|行动|措施|指南|指引|标准|目录|清单|规范|规程|决定|文件|精神|政策)(?:[（(][^（()）]*[）)])?》?$"
)
_POLICY_WORDS = re.compile(
    r"(?:根据|依据|按照|遵照|落实|贯彻)[^，。；]{0,40}(?:会议(?:精神|纪要|要求|部署)?|精神|文件(?:要求|规定)?|决策部署|工作部署|部署要求|部署|讲话)"
)
_VAGUE_WORDS = re.compile(
    r"(?:有关|相关|国家|现行|国家有关)(?:的)?(?:法律|法规|规章|法律法规|法律、法规|政策法规)[、和与及规章政策文件]{0,10}(?:规定|要求)?|(?:按照|依照|根据)(?:国家|省|有关|相关)[^，。；]{0,8}规定"
)


#: （某政办〔2023〕12号） beside a title; a rule (规章) bears the number of an order (令).
_NUMBER_BESIDE = re.compile(r"》+\s*[（(][^（()）令]{2,16}[〔\[（(][12]\d{3}[〕\])）]\s*\d+\s*号[）)]")
_OFFICE_BEFORE = re.compile(r"(?<!国家)[市县区镇乡][^，。；《》]{0,12}(?:(?<!总)局|所|站|中心|办公室|办|队|公司)(?:印发的?|制定的?|的)?$")
#: Counties and towns make no rules (规章). 自治县 make regulations of their own, and 城镇 or 乡镇 names no town.
_COUNTYS = re.compile(
    r"(?![城集建市村]{1,2}制?[镇乡]|乡镇|小城镇|全[县镇])[\u4e00-\u9fff]{1,4}(?<!自治)(?<!城)(?<!乡)(?<!村)(?<!集)[县镇乡](?!级|域|以|镇|村)"
    r".*(?:办法|规定|细则|规则|规程)"
)


@dataclass(slots=True)
class Ring:
    """Citations at one distance from a measure.

    Attributes:
        statutory: of laws that the knowledge base knows, or whose absence from it means something.
        unknown: of what looks like a statute and is not covered: nothing can be said.
        below: of what is styled 办法 or 细则 and can be no statute: a 文号 beside it, a county's, an office's.
        policy, vague: whether policy documents or meetings, or laws in general, are named.
    """

    statutory: list[Resolved] = field(default_factory=list)
    unknown: list[Resolved] = field(default_factory=list)
    others: list[Resolved] = field(default_factory=list)
    below: list[Resolved] = field(default_factory=list)
    policy: bool = False
    vague: bool = False

    def __bool__(self) -> bool:
        return bool(self.statutory or self.unknown)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a measure rests on, nearest first.

    Attributes:
        sentence: the whole sentence of the measure.
        setting: that sentence with the text of its clause and the lead above it.
    """

    own: Ring
    near: Ring
    founding: Ring
    sentence: str
    setting: str

    @property
    def rings(self) -> tuple[Ring, Ring, Ring]:
        """The three rings, nearest first."""
        return self.own, self.near, self.founding

    @property
    def ring(self) -> Ring:
        """The nearest ring in which anything statutory is cited."""
        return next((ring for ring in self.rings if ring), self.founding)

    @property
    def citations(self) -> tuple[Resolved, ...]:
        """All citations that bear on the measure, each once, in the order of the text."""
        seen: dict[int, Resolved] = {}
        for ring in self.rings:
            for found in (*ring.statutory, *ring.unknown, *ring.others):
                seen[id(found)] = found
        return tuple(sorted(seen.values(), key=lambda found: found.citation.start))


def is_good(found: Resolved) -> bool:
    """Whether the law was in force on the day: the article too, or it could not be looked at."""
    return found.status is Status.IN_FORCE or (found.status is Status.NOT_CHECKED and bool(found.version_id))


def is_stale(found: Resolved) -> bool:
    """Whether the law was in force under another text or number."""
    return found.status in (Status.SUPERSEDED, Status.RENUMBERED)


def best_level(found: Sequence[Resolved], statutes: Statutory) -> str:
    """Return the highest level among citations of known laws, "" if there is none."""
    levels = [level_of(statutes.law(item.law_id)) for item in found if item.law_id]
    return min(levels, key=LEVELS.index, default="")


class Bearings:
    """Finds the basis of each measure of a document."""

    def __init__(self, text: str, clauses: Sequence[Clause], resolved: Sequence[Resolved], own_title: str) -> None:
        self._text = text
        self._clauses = clauses
        self._own = own_text(text, clauses)
        self._resolved = sorted(resolved, key=lambda found: found.citation.start)
        self._starts = [found.citation.start for found in self._resolved]
        self._title = re.sub(r"[《》\s]", "", own_title)
        self._founding = [match.span() for match in _FOUNDING.finditer(text)]
        self._base = self._ring(self._founding, founding=True)

    def of(self, measure: Measure) -> Basis:
        """Return what bears on a measure."""
        start, end = self._sentence(measure)
        spans = self._around(measure.clause)
        own = self._ring([(start, end)])
        near = self._ring([span for span in spans if span != (start, end)], skip=(start, end))
        setting = "\n".join(self._text[a:b] for a, b in [(start, end), *spans])
        return Basis(own, near, self._base, self._text[start:end], setting)

    def introduction(self) -> str:
        """Return the sentences in which the document says on what it rests."""
        return "\n".join(self._text[start:end] for start, end in self._founding)

    def _sentence(self, measure: Measure) -> tuple[int, int]:
        start = max((self._text.rfind(mark, 0, measure.start) for mark in _ENDS), default=-1) + 1
        ends = [at for mark in _ENDS if (at := self._text.find(mark, max(measure.start, measure.end - 1))) >= 0]
        return start, min(ends, default=len(self._text))

    def _around(self, index: int) -> list[tuple[int, int]]:
        """Return the spans of the clause's own text and of the leads above it."""
        spans = list(self._own[index])
        parent = self._clauses[index].parent
        while parent >= 0:
            spans += self._own[parent]
            parent = self._clauses[parent].parent
        return spans

    def _ring(
        self, spans: Sequence[tuple[int, int]], *, founding: bool = False, skip: tuple[int, int] = (0, 0)
    ) -> Ring:
        ring = Ring()
        for start, end in spans:
            words = self._text[start:end]
            for at in range(bisect_left(self._starts, start), bisect_left(self._starts, end)):
                found = self._resolved[at]
                if not skip[0] <= found.citation.start < skip[1]:
                    self._add(ring, found, founding)
            ring.policy = ring.policy or bool(_POLICY_WORDS.search(words))
            ring.vague = ring.vague or bool(_VAGUE_WORDS.search(words))
        return ring

    def _add(self, ring: Ring, found: Resolved, founding: bool) -> None:
        """Put a citation where it belongs; 参照, what is amended or repealed, and the document itself are no basis."""
        citation = found.citation
        if citation.relation in ("reference", "amends", "repeals"):
            return
        if citation.kind == "vague":
            ring.vague = ring.vague or founding or citation.relation == "basis"
            return
        if citation.kind == "number":
            if citation.relation == "basis" or founding:
                ring.policy = True
                ring.others.append(found)
            return
        if _ATTRIBUTIVE.match(self._text, citation.end):
            return
        name = re.sub(r"[《》\s]", "", citation.law)
        if (citation.kind == "self" and not found.law_id) or (
            name and (name in self._title or (self._title in name and self._title))
        ):
            return
        if found.law_id or found.status is Status.LAW_NOT_FOUND:
            ring.statutory.append(found)
        elif _STATUTE_FORM.search(name) and self._no_statute(name, citation.start, citation.end):
            ring.below.append(found)
            ring.others.append(found)
        elif found.candidates or _STATUTE_FORM.search(name):
            ring.unknown.append(found)
        elif citation.relation == "basis" or founding:
            ring.policy = True
            ring.others.append(found)

    def _no_statute(self, name: str, start: int, end: int) -> bool:
        """Whether what is styled 办法 or 细则 can be no statute, by what stands around its title or by its issuer."""
        close = self._text.find("》", start, end + 1)
        beside = close >= 0 and _NUMBER_BESIDE.match(self._text, close) is not None
        before = self._text[max(0, start - 24) : start]
        return beside or _OFFICE_BEFORE.search(before) is not None or _COUNTYS.match(name) is not None
