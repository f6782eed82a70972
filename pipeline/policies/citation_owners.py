"""Which statute a reference to articles belongs to, where no title stands directly before it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.policies import citation_patterns as p
from pipeline.policies.citation_document import Document
from pipeline.policies.citation_names import is_generic, is_kind, name_before
from pipeline.policies.citation_pins import Pin
from pipeline.policies.citation_titles import TitleSpotter

_OTHER_TITLE = re.compile(r"[。；;\n《]")
_AMENDS_BEFORE = re.compile(r"(?:将|删去|删除|在|作为|原|后|：|、|^|\n)\s*$")
_AGREED = re.compile(r"[^。；\n]{0,4}约定")
_CITES_BEFORE = re.compile(r"(?:违反|按照|依照|依据|根据|符合|适用|除|有|参照|收到|采取|享受|履行|将|在|对|不|即|见)$")
_CONNECTED = re.compile(r"(?:和|、|或|与|及|或者|以及|并|连同|即|修改为|改为|作为|调整为|合并为)[“\"]?$")
_CHAPTERS = re.compile(rf"(?:第{p.NUM}(?:分编|[编章节]){p.G})+$|[总分附]则$")
_SPREAD = re.compile(rf"[{p.HAN}]\s{{1,4}}[{p.HAN}]{{1,3}}$")
_LINE_ENDS = re.compile(r"[。；：！？”）]\s*\n|\n\s*\n|\f")
#: Before the defined short name 条例: it is the end of another title (医疗机构管理条例).
_TITLE_GOES_ON = re.compile(
    r"(?:管理|监督|保护|促进|保障|服务|安全|防治|登记|征收|处罚|执法|实施|施行|组织|建设|发展|工作|税|收费|救助|抚恤|优待|专营|流通|审查|备案|公开|许可|调解|仲裁"
    r"|教育|卫生|防疫|应急|救援|处置|运输|经营|养护|使用|利用|治理|规划|统计|档案|审计|复议|诉讼|程序|环境|信访|物业|暂行|若干|补充|特别|设置|编制|区划)$"
)
_LABEL = re.compile(r"(?:[一二三四五六七八九十]、|[0-9][.．、]|[）)])\s*$")
_NEAR = 200  # characters over which a reference without an owner looks back for a law
JOINED = 60  # characters over which 和 joins a reference to the one before
_ANY_KIND = frozenset({"", "法律", "法规", "规章", "文件"})
_UNDEFINED = frozenset({"条例", "办法", "细则", "规则", "规程"})  # cited by the bare word, with no definition in sight
_BLANKS = " \t\u3000\xa0\n"


@dataclass(slots=True)
class Owner:
    """What a reference belongs to: where it begins in the text, and the citation's kind, law and year."""

    start: int
    kind: str
    law: str = ""
    year: int | None = None
    relation: str = ""


class Owners:
    """What a text has established up to a place: short names, laws cited, the last reference, the law that it amends.

    Attributes:
        defined: short name → title and year of the version.
        laws: end, law and year of what was cited, in order.
        last: end, owner and last pin of the last reference to articles.
        amended: law that the document amends, from 对《A法》作如下修改 on.
    """

    def __init__(self, text: str, document: Document, spotter: TitleSpotter) -> None:
        self.text, self.document, self.spotter = text, document, spotter
        self.defined: dict[str, tuple[str, int | None]] = {}
        self.laws: list[tuple[int, str, int | None]] = []
        self.last: tuple[int, Owner, Pin] | None = None
        self.amended = ""

    def owner(self, chain: re.Match[str]) -> Owner | None:
        """Return what a bare reference belongs to, None where it is a heading or no citation of a statute."""
        start = chain.start()
        raw = self.text[max(0, start - 48) : start]
        before = raw.rstrip(_BLANKS)
        if raw.count("\n", len(before)) > 1:
            before = ""
        if before[-1:] and before[-1] in "的中之":
            before = before[:-1].rstrip(_BLANKS)
        begin = start - len(raw) + len(before)  # where `before` ends in the text
        if before[-1:] and before[-1] in "章节编则":
            chapters = _CHAPTERS.search(before)
            if chapters and chapters.start():
                before, begin = before[: chapters.start()], begin - len(chapters[0])
        worded = self._worded(before, begin)
        if worded:
            return worded
        if before.endswith("简称") or p.CONTRACT_END.search(before) or p.COUNTED.match(self.text, chain.end()):
            return None
        named = self._named(before, begin)
        brackets = p.BRACKETS_BEFORE.search(before) if named is None and before[-1:] in "）)" else None
        if brackets:  # 河北省某某条例（2021年修订）第三条
            rest, end = before[: brackets.start()], begin - len(brackets[0])
            named = self._worded(rest, end) or self._named(rest, end)
            if named and named.year is None:
                named.year = p.version_year(brackets[0])
        if named:
            return None if self.document.begins(chain) else named
        if before.endswith("其"):
            law, year = self.antecedent("", begin)
            if law:
                return Owner(begin - 1, "anaphor", law, year)
        return self._unowned(chain, raw, before)

    def _worded(self, before: str, begin: int) -> Owner | None:
        """Owner that is this document (本条例) or one spoken of (该法, 同法, 上述条例)."""
        own = p.SELF_END.search(before)
        if own:
            return Owner(begin - len(own[0]), "self")
        if before.endswith(("前者", "后者")):
            law, year = self._of_two(before[-2:], begin)
            if law:
                return Owner(begin - 2, "anaphor", law, year)
        that = p.THAT_END.search(before)
        if that:
            law, year = self.antecedent(that[1], begin)
            return Owner(begin - len(that[0]), "anaphor", law, year)
        return None

    def _named(self, before: str, begin: int) -> Owner | None:
        """Owner that is a short name of this document, or a title that nobody knows."""
        for alias, (title, year) in self.defined.items():
            if before.endswith(alias) and not _TITLE_GOES_ON.search(before[: -len(alias)]):
                return Owner(begin - len(alias), "article", title, year)
        name = name_before(before)
        start = begin - len(name)
        if _SPREAD.search(before):  # OCR or a line break inside a title: 行 政 处 罚 法
            name = name_before(re.sub(r"\s", "", before))
            start = self._back(begin, len(name))
        if not name:
            return None
        if is_generic(name):
            law, year = self.antecedent(name, begin)
            return Owner(start, "article", law or name, year) if law or name in _UNDEFINED else None
        known = self.spotter.known_end(name) or name
        return Owner(self._back(begin, len(known)), "article", known)

    def _back(self, end: int, count: int) -> int:
        """Return where the last `count` characters before a place begin, blanks not counted."""
        while count:
            end -= 1
            count -= not self.text[end].isspace()
        return end

    def _unowned(self, chain: re.Match[str], raw: str, before: str) -> Owner | None:
        """Owner of a reference with nothing before it: the one it is joined to, this document, the law spoken of."""
        text, (start, end) = self.text, chain.span()
        if self.document.is_heading(chain, raw):
            return None
        if (
            self.last
            and start - self.last[0] <= JOINED
            and _CONNECTED.search(before)
            and not _OTHER_TITLE.search(text, self.last[0], start)
        ):
            return Owner(start, self.last[1].kind, self.last[1].law, self.last[1].year)
        if self.amended and (_AMENDS_BEFORE.search(raw) or p.AMENDED_AFTER.match(text, end)):
            return Owner(start, "article", self.amended, None, "amends")
        if _AGREED.match(text, end):
            return None
        structured = self.document.structured and not self.document.beyond(chain)
        if not structured and not _violates(before) and not _LABEL.search(raw):
            law, year = self._recent(start)
            if law:
                return Owner(start, "article", law, year)
        if (
            (structured and "\u4e00" <= before[-1:] <= "\u9fff")
            or p.CITED.match(text, end)
            or _CITES_BEFORE.search(before)
        ):
            return Owner(start, "self")
        return None

    # what was said before

    def antecedent(self, kind: str, start: int) -> tuple[str, int | None]:
        """Return the law last cited in the paragraph whose title is of that kind (法, 条例 …; "" and 法律 mean any)."""
        for end, law, year in reversed(self.laws):
            if not self.document.same_paragraph(end, start):
                break
            if kind in _ANY_KIND or is_kind(law, kind):
                return law, year
        return "", None

    def _of_two(self, word: str, start: int) -> tuple[str, int | None]:
        """Return the former or the latter of the first two laws that the paragraph cites before."""
        laws = dict.fromkeys((law, year) for end, law, year in self.laws if self.document.same_paragraph(end, start))
        return next(iter(list(laws)[word == "后者" :]), ("", None)) if len(laws) > 1 else ("", None)

    def _recent(self, start: int) -> tuple[str, int | None]:
        """Return the law last cited near by, in the same line of thought: no sentence ends with its line between."""
        end = self.laws[-1][0] if self.laws else -1
        if 0 <= start - end <= _NEAR and end >= 0 and not _LINE_ENDS.search(self.text, end, start):
            return self.laws[-1][1], self.laws[-1][2]
        return "", None


def _violates(before: str) -> bool:
    """Whether 违反 opens the sentence: 违反第十条规定的，… speaks of the document's own article."""
    return before.endswith("违反") and (len(before) == 2 or before[-3] in "。；;\n）) \u3000：")
