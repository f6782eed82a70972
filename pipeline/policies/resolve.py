"""What a citation means: the law, the version in force on the document's day, the article, and what became of them.

Nothing near is ever taken: a title that the knowledge base does not hold exactly is `law_not_found` where its level is
covered, else `not_checked`; a title of several laws keeps them all as candidates. What cannot be told (no date, no text
of the version) is `not_checked` with the reason.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence

from corpora.legal import ArticleNumber, Law
from corpora.statute_titles import normalise_title, without_version
from corpora.territories import full_names, last_named
from pipeline.policies import citation_patterns as p
from pipeline.policies.citation_names import is_kind
from pipeline.policies.citation_titles import FOREIGN, GENERIC
from pipeline.policies.citation_versions import NO_DATE, Finding, Knowledge, Versions, is_of
from pipeline.policies.citation_wording import law_name
from pipeline.policies.records import Citation, Resolved, Status

_PARAGRAPH_END = re.compile(r"\n[ \t\u3000\r]*\n|\f")
_SELF = re.compile(
    r"本((?:实施|暂行|若干|管理)?(?:法典|宪法|法|条例|办法|规定|细则|规则|决定|解释|意见|通知|规程|准则|通则|章程|方案|制度))"
)
_OLD = re.compile(r"(?:(?:修订|修正|修改|修订之|修改之)前的?|原|旧|废止前的?)《?$")
#: 本法 in a document that is no law is the law that its paragraph quotes; a document's own annex is never called so.
_NEVER_OWN = frozenset({"法", "法典", "宪法"})

#: An unquoted title shorter than this may be a short form that nobody has recorded (质量法).
_SHORT = 5

#: Documents before this day cite statutes that were repealed in bulk without being named by any text that we hold.
_REMEMBERED = dt.date(2013, 1, 1)
#: Titles of laws and administrative regulations, of which the knowledge base has all; 办法（试行） and 条例实施细则 are rules.
_NATIONAL = re.compile(r"(?:法|法典|条例)(?:（[^（）]*）)?$")
_RULES = re.compile(r"办法(?:（[^（）]*）)?$")
_AMENDING = re.compile(r"修正案|关于修改|修改.*的决定")
_JOINTS = frozenset({"和", "、", "或者", "或", "及", "以及", "与"})
_COUNTRY = "中华人民共和国"

VAGUE = "泛指有关规定，没有指明法律法规"
NO_ANTECEDENT = "指代的法律法规不明"
OWN = "引用的是本文件自身的条款"
WHOSE = "不知道是哪个地方的法规：文件没有写明所在的省、市、县"
NUMBER = "规范性文件不在知识库收录范围"

__all__ = ["NO_DATE", "Knowledge", "as_json", "resolve"]


def resolve(
    citations: Sequence[Citation],
    text: str,
    statutes: Knowledge,
    on: dt.date | None,
    own_title: str = "",
    territory: str = "",
) -> list[Resolved]:
    """Return what each citation means as of a day.

    Args:
        citations: of one document, in order, as `Finder.find` gives them.
        text: the document.
        statutes: the knowledge base.
        on: the document's date, None where it is not known.
        own_title: the document's title, for 本法, 本条例 …
        territory: the document's territory as in `Law`, for regulations that bear the same title in several places.
    """
    return _Resolver(citations, text, statutes, on, own_title, territory).run()


def as_json(resolved: Resolved) -> dict[str, object]:
    """Return the citation as the command line prints it.

    `law` is the official title, or what is written where the law is not known; `version` is the day on which the version was
    adopted or amended (ISO), None where there is none.
    """
    c = resolved.citation
    own = _SELF.match(c.text) if c.kind == "self" else None
    return {
        "start": c.start,
        "end": c.end,
        "text": c.text,
        "kind": c.kind,
        "law": resolved.title or c.law or (own[0] if own else None),
        "version": resolved.version_id.rpartition("@")[2] or None,
        "article": c.article.number if c.article else None,
        "article_suffix": c.article.suffix if c.article else None,
        "paragraph": c.paragraph,
        "item": c.item,
        "status": str(resolved.status),
        "other": resolved.other,
        "reason": resolved.reason,
    }


#: 今年6月修订公布的《…》.
_THIS_YEAR = re.compile(r"今年(?:\d{1,2}月)?新?(?:修订|修正|修改)(?:通过|公布|颁布|后)?的$")


class _Resolver:
    def __init__(
        self,
        citations: Sequence[Citation],
        text: str,
        statutes: Knowledge,
        on: dt.date | None,
        own_title: str,
        territory: str,
    ) -> None:
        self.citations, self.text, self.statutes, self.on = citations, text, statutes, on
        self.own, self.territory = normalise_title(own_title) if own_title else "", territory
        self.versions = Versions(statutes, on)
        self.found: dict[str, tuple[Law, ...]] = {}
        self.parts: dict[str, bool] = {}
        self.known: dict[tuple[object, ...], Finding] = {}

    def run(self) -> list[Resolved]:
        out = []
        for index, citation in enumerate(self.citations):
            out.append(self._one(index, citation))
        return out

    def _one(self, index: int, citation: Citation) -> Resolved:
        if citation.kind == "vague":
            return _unchecked(citation, VAGUE)
        if citation.year is None and self.on is not None:
            before = self.text[max(0, citation.start - 24) : citation.start]
            if _THIS_YEAR.search(before):
                citation = dataclasses.replace(citation, year=self.on.year)
        title = self._title(index, citation)
        if citation.kind == "self" and _AMENDING.search(title):
            title = ""  # its bare 第N条 are articles of what it amends, or its own points
        if not title:
            return _unchecked(citation, OWN if citation.kind == "self" else NO_ANTECEDENT)
        ours = p.OURS_TITLE.match(title)
        if ours:
            named = self._ours(citation, ours[1]) + title[ours.end() :]
            if named == title[ours.end() :]:
                return _unchecked(citation, WHOSE)
            title = named
        laws = self._find(title)
        if not laws:
            if citation.kind == "self":
                return _unchecked(citation, OWN)
            reason = NUMBER if citation.kind == "number" else self._uncovered(citation, title)
            if reason:
                return _unchecked(citation, reason)
            return Resolved(citation, "", "", "", Status.LAW_NOT_FOUND, reason=f"知识库中没有《{title}》")
        own = citation.kind == "self"
        several = self._of_the_day(laws, citation.year, own=own)
        if len(several) > 1:
            names = "；".join(law_name(law) for law in several)
            return Resolved(
                citation, "", "", "", Status.NOT_CHECKED, other=names, reason="同名法规不止一部，无法确定是哪一部",
                candidates=tuple(law.law_id for law in several),
            )  # fmt: skip
        law = several[0]
        old = citation.year is None and _OLD.search(self.text[max(0, citation.start - 8) : citation.start]) is not None
        key = (law.law_id, citation.year, citation.article, old, own)
        finding = self.known.get(key)
        if finding is None:
            finding = self.known[key] = self.versions.check(law, citation, old=old)
            if own and finding.status is Status.NOT_YET_EFFECTIVE and finding.version == law.versions[0]:
                finding = self.known[key] = self.versions.article(law, law.versions[0], citation.article)
        if own and (
            finding.status is Status.REPEALED
            or (finding.status is Status.ARTICLE_NOT_FOUND and self._has(citation.article))
        ):
            return _unchecked(citation, OWN)
        if citation.relation == "amends" and finding.status is Status.ARTICLE_NOT_FOUND:
            return Resolved(
                citation, law.law_id, law.title, "", Status.NOT_CHECKED, reason="修改决定引用的是修改前的条文"
            )
        reason = finding.reason or self._below(finding, citation)
        version_id = finding.version.version_id if finding.version else ""
        return Resolved(citation, law.law_id, law.title, version_id, finding.status, finding.other, reason)

    # which law

    def _title(self, index: int, citation: Citation) -> str:
        """Return the title that the citation stands for, "" where it cannot be told."""
        if citation.kind != "self":
            return citation.law
        word = _SELF.match(citation.text)
        if word is None:
            return self.own
        if self.own and is_kind(self.own, word[1]):
            return self.own
        if word[1] in _NEVER_OWN or not self.own:
            return self._quoted(index, citation, word[1])
        return ""

    def _ours(self, citation: Citation, level: str) -> str:
        """Return the full name of the place that 本省, 本市 … means, "" where neither the document nor its text tells it."""
        territory = self.territory or last_named(self.text[: citation.start])
        names = full_names(territory)
        return next((name for name in reversed(names) if name.endswith(level)), "")

    def _quoted(self, index: int, citation: Citation, kind: str) -> str:
        """Return the law of that kind that the paragraph cites before, for 本法 in a document that is no law."""
        law = ""
        for before in reversed(self.citations[:index]):
            if citation.start - before.end > 2_000 or _PARAGRAPH_END.search(self.text, before.end, citation.start):
                break
            if law:
                if before.kind == "self" and before.text.startswith("本" + kind):
                    return ""  # 本法 was the document itself before the other law came up
                continue
            title = before.law
            if before.kind in ("article", "title", "anaphor") and title and is_kind(normalise_title(title), kind):
                between = self.text[before.end : citation.start]
                if between in _JOINTS or "制定本" in between:
                    return ""
                law = title
        return law

    def _find(self, title: str) -> tuple[Law, ...]:
        if title not in self.found:
            laws = self.statutes.find(title, self.territory)
            plain = without_version(normalise_title(title))
            if not laws and plain != normalise_title(title):
                laws = self.statutes.find(plain, self.territory)
            if not laws and not plain.startswith(_COUNTRY):
                laws = self.statutes.find(_COUNTRY + plain, self.territory)
            if len(laws) > 1 and self.territory:
                near = tuple(law for law in laws if law.territory and _within(self.territory, law.territory))
                laws = near or tuple(law for law in laws if not law.territory) or laws
            self.found[title] = laws
        return self.found[title]

    def _uncovered(self, citation: Citation, title: str) -> str:
        """Return why an unknown title proves nothing, "" where it would be known were it real."""
        if title in GENERIC:
            return NO_ANTECEDENT
        plain = normalise_title(title)
        if plain.startswith(FOREIGN):
            return "境外法律不在知识库范围内"
        reason = self.statutes.covers(title)
        if reason:
            return reason
        if not _NATIONAL.search(plain) or _RULES.search(plain):
            return "部门规章、地方政府规章和规范性文件只收录一部分，查无此名不能说明它不存在"
        if not citation.text.startswith(("《", "〈")) and (len(plain) < _SHORT or self._is_part(plain)):
            return "没有书名号的简称，不能确定是哪一部法规"
        if self.on is not None and self.on < _REMEMBERED:
            return "文件年代较早，所引法规可能已被废止而未收录"
        return ""

    def _is_part(self, title: str) -> bool:
        """Whether a known title contains the words: 科技成果转化法 may be short for 促进科技成果转化法. Only to abstain."""
        if title not in self.parts:
            self.parts[title] = any(title in known for known in self.statutes.titles())
        return self.parts[title]

    def _of_the_day(self, laws: tuple[Law, ...], year: int | None, *, own: bool) -> tuple[Law, ...]:
        """Return which of the laws of one title (one repealed, one that followed it) is meant by the year or the day."""
        if len(laws) == 1:
            return laws
        if year is not None:
            named = tuple(law for law in laws if any(is_of(version, year) for version in law.versions))
            if named:
                return named
        if self.on is None or len({law.territory for law in laws}) > 1:
            return laws
        on = self.on
        if own:  # a document speaks of itself also before it is in force
            return (max((law for law in laws if _adopted(law) <= on), key=_adopted, default=laws[0]),)
        living = tuple(law for law in laws if _begins(law) <= on and (law.repealed is None or on < law.repealed))
        if living:
            return living
        past = sorted(
            (law for law in laws if law.repealed is not None and law.repealed <= on), key=lambda law: law.repealed or on
        )
        return (past[-1],) if past else (min(laws, key=_begins),)

    def _has(self, number: ArticleNumber | None) -> bool:
        """Whether the document has an article of that number itself."""
        return re.search(rf"^[ \t\u3000]*{number}[\s\u3000]", self.text, re.MULTILINE) is not None

    def _below(self, finding: Finding, citation: Citation) -> str:
        """Return a word on a paragraph or item that the article does not have, for the reader; the status stays."""
        if (
            finding.status is not Status.IN_FORCE
            or finding.version is None
            or citation.article is None
            or not citation.paragraph
        ):
            return ""
        article = self.statutes.article(finding.version.version_id, citation.article)
        if article is not None and article.paragraphs and citation.paragraph > len(article.paragraphs):
            return f"{citation.article}只有{len(article.paragraphs)}款"
        return ""


def _unchecked(citation: Citation, reason: str) -> Resolved:
    return Resolved(citation, "", "", "", Status.NOT_CHECKED, reason=reason)


def _within(territory: str, other: str) -> bool:
    """Whether a regulation of `other` holds in `territory`: its own, or that of the province above it."""
    return territory == other or territory.startswith(other + "/")


def _adopted(law: Law) -> dt.date:
    return law.versions[0].adopted if law.versions else dt.date.min


def _begins(law: Law) -> dt.date:
    first = law.versions[0] if law.versions else None
    return (first.effective or first.adopted) if first else dt.date.min
