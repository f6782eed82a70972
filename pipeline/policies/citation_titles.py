"""Mentions of statutes and documents by title: 《行政处罚法》, 行政处罚法, 《〈A法〉实施办法》, 国办发〔2018〕37号.

A title without brackets is found by one Aho-Corasick pass over all titles and aliases (leftmost, longest), and believed
only where the characters around it cannot belong to a longer word or title: 公司法 is no title in 公司法人, 民法典 none in
关于贯彻实施民法典的意见.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

import ahocorasick_rs

from corpora.statute_titles import normalise_title
from corpora.territories import name_ending
from pipeline.policies import citation_patterns as p

_COUNTRY = "中华人民共和国"
_BLANK = re.compile(r"\s+")
_QUOTED = re.compile(
    r"《(?:[^《》\n]|\n(?!\s*\n)){1,140}(?:《(?:[^《》\n]|\n(?!\s*\n)){1,120}》(?:[^《》\n]|\n(?!\s*\n)){0,100}){0,6}》"
    r"|〈[^〈〉《》\n]{2,80}〉|<<[^<>\n]{2,80}>>"
)
_DOCUMENT = re.compile(
    r"(?:法|法典|条例|规定|办法|细则|规则|决定|决议|意见|通知|通告|公告|批复|复函|函|解释|答复|纪要|纲要|规划|方案|通则|总则|准则|章程|公约|条约|协定"
    r"|议定书|宣言|规程|规范|指引|指南|导则|制度|措施|计划|要点|目录|清单|名录|标准|命令|令|守则|法案|修正案|办法修正案|政策|行动|基准)"
    r"(?:[（(][^（）()]{1,24}[）)])*$"
)
_BLANK_LINE = re.compile(r"\n[ \t\u3000]*\n")
_NESTS = re.compile("[《〈]")
_YEAR_INSIDE = re.compile(r"[（(〔]([^（）()〔〕]{4,60})[）)〕]$")
_STATUTE_END = re.compile(
    r"(?:法|法典|条例|规定|办法|细则|规则|通则|准则|规程|解释|决定|修正案)(?:[（(][^（）()]{1,24}[）)])*$"
)
#: Words of kind alone name no statute by themselves.
GENERIC = frozenset(
    {
        "法",
        "法典",
        "条例",
        "办法",
        "规定",
        "细则",
        "规则",
        "决定",
        "决议",
        "解释",
        "意见",
        "通知",
        "规程",
        "准则",
        "通则",
        "章程",
        "方案",
        "制度",
        "公告",
    }
    | {
        "批复",
        "纲要",
        "规划",
        "守则",
        "总则",
        "分则",
        "附则",
        "法律",
        "法规",
        "规章",
        "公约",
        "协定",
        "标准",
        "措施",
        "规范",
        "指引",
        "安排",
    }
    | {
        first + last
        for first in ("实施", "暂行", "管理", "若干", "指导")
        for last in ("办法", "细则", "条例", "意见", "方案", "规定")
    }
    | {"物权编", "合同编", "人格权编", "婚姻家庭编", "继承编", "侵权责任编", "总则编"}
)
#: Countries and territories whose statutes are not ours, as they stand before a title.
FOREIGN = tuple(
    re.findall(
        r"\w+",
        "美国 英国 法国 德国 日本 韩国 俄罗斯 新加坡 瑞士 意大利 加拿大 澳大利亚 印度 欧盟 联合国 苏联 西班牙 荷兰 奥地利 越南 泰国 巴西 "
        "外国 民国 中华民国 台湾 台湾地区 香港 澳门 香港特别行政区 澳门特别行政区 香港特区 澳门特区",
    )
)
_HONG_KONG = re.compile(r"(?:香港法例)?第[0-9A-Z]{1,5}章$")
#: Issuers that stand before 《关于…的规定》 and belong to its title.
_ISSUERS = (
    "最高人民法院",
    "最高人民检察院",
    "国务院",
    "全国人民代表大会常务委员会",
    "全国人民代表大会",
    "国务院办公厅",
)
#: A city that the list of divisions does not have, and 本市, whose place the document tells.
_CITY = re.compile(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,3}市$")
#: After a bare title: the word or the title goes on.
_GOES_ON = re.compile(
    r"[律庭院官医盲学警令网系型定人务制治觉权力器门宝槛案]|规(?!定)|理(?!解)|则|子|性|宣誓|日(?!起)|委员会|修正案|意识|观念|精神|典(?!型)|草案"
    r"|[（(](?:修订|修正)?(?:草案|征求意见稿|送审稿|建议稿)|的?(?:司法)?解释|的?(?:若干)?(?:实施|施行|执行)?(?:条例|细则|办法|意见|通知|批复|决定|方案|答复|公告)"
    r"|的?(?:实施|补充|若干)规定|的?若干|施行法|组织条例|释义|解读|教程|知识|论|和法律委员会|讲座|案例|[》〉]"
)
_KEEPS_ON = re.compile(
    r"(?:的|中)?(?:规定|有关|相关)|施行|修[订改正]|第|[0-9０-９]{1,4}条|[（(](?:19|20)|[、，。；：和与及或》”’\s等以]|之|所|对|关于"
)
_SHORT_BEFORE = frozenset(
    "照据合反用于守施按在参同比对或和与及以由受就有是为的了除即如但且因自至经从被让称指后前循彻践犯嫌到引落实习传国新旧原现行将把依见据握悉"
)
_NO_TITLE_BEFORE = frozenset("省市县州区")
_LONG = 5  # from this length on a 法 is hardly the end of another word
_CONSTITUTION = re.compile(r"第|[0-9０-９]|和(?!.{0,2}法[律规])|[，,]|的?(?:有关|相关)?(?:规定|条款)|序言|（|\(")


@dataclass(slots=True)
class Mention:
    """A title as it stands in the text.

    Attributes:
        start, end: with its brackets, and with the bracket of year or document number behind it.
        after: where an article of it would begin: behind brackets, 的, chapters; equal to `end` where nothing is between.
        title: without 《》 and year, blanks removed.
        quoted: whether it stands in 《》; known: whether it is a title or alias of the knowledge base.
        definition: short name defined behind it; number: document number behind or before it.
        consumed: up to where other titles belong to this mention (those in a definition's bracket).
    """

    start: int
    end: int
    after: int
    title: str
    year: int | None
    quoted: bool
    known: bool
    definition: str = ""
    number: str = ""
    consumed: int = 0

    @property
    def plausible(self) -> bool:
        """Whether it names a legal or policy document at all, not a form, a book, a contract."""
        if p.CONTRACT_TITLE.search(self.title):
            return False
        return self.known or (_DOCUMENT.search(self.title) is not None and len(self.title) > 1)

    @property
    def is_statute(self) -> bool:
        """Whether the title's last word is that of a statute."""
        return self.known or _STATUTE_END.search(self.title) is not None


normal = lru_cache(maxsize=16_384)(normalise_title)


def clean_title(raw: str) -> str:
    """Return a title as written, without the outer 《》 and without blanks and line breaks."""
    text = _BLANK.sub("", raw)
    return text[2:-2] if text.startswith("<<") else text[1:-1]


class TitleSpotter:
    """Finds the mentions of titles in a text.

    Args:
        titles: titles and aliases of the knowledge base, normalised.
    """

    def __init__(self, titles: Collection[str]) -> None:
        full = {normal(t) for t in titles}
        self._titles = frozenset(full | {t.removeprefix(_COUNTRY) for t in full})
        bare = {t for t in self._titles if t not in GENERIC and (len(t) > 2 or (len(t) == 2 and t.endswith("法")))}
        variants = set(bare)
        for title in bare:
            if "（" in title:
                variants.add(title.replace("（", "(").replace("）", ")"))
            if "《" in title:
                variants.add(title.replace("《", "〈").replace("》", "〉"))
        self._bare = sorted(variants)
        self._machine = ahocorasick_rs.AhoCorasick(
            self._bare, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest, store_patterns=False,
            implementation=ahocorasick_rs.Implementation.DFA if len(self._bare) < 20_000 else None,
        )  # fmt: skip

    def known(self, title: str) -> bool:
        """Return whether the knowledge base has the title or alias."""
        return normal(title) in self._titles

    def known_end(self, name: str) -> str:
        """Return the longest known title of a 法 with which a name ends, where no place stands before it; else ""."""
        if not name.endswith(("法", "法典")):
            return ""
        return next(
            (
                name[i:]
                for i in range(len(name) - 1)
                if name[i:] in self._titles and not (i and name[i - 1] in "省市县州区国")
            ),
            "",
        )

    def spot(self, text: str, own_title: str = "") -> list[Mention]:
        """Return the mentions in order, none inside another; the document's own heading line is no mention."""
        quoted = list(self._quoted(text))
        found: list[Mention] = []
        at = 0
        own = normal(own_title)
        for index, start, end in self._machine.find_matches_as_indexes(text):
            while at < len(quoted) and quoted[at].end <= start:
                at += 1
            first = at
            if first < len(quoted) and quoted[first].start < end:  # overlaps a quoted title
                if not _NESTS.search(self._bare[index]) or start > quoted[first].start:
                    continue
                while at < len(quoted) and quoted[at].start < end:
                    at += 1
                del quoted[first:at]
                at = first
            if self._stands_alone(text, start, end):
                mention = self._mention(text, start, end, self._bare[index], quoted=False)
                found.append(mention)
        found += quoted
        found.sort(key=lambda mention: mention.start)
        return self._without_inner(text, found, own)

    def named(self, text: str, start: int, end: int) -> Mention:
        """Return the mention of an unknown title that stands in a span without brackets."""
        return self._mention(text, start, end, _BLANK.sub("", text[start:end]), quoted=False)

    def _without_inner(self, text: str, mentions: list[Mention], own: str) -> list[Mention]:
        out: list[Mention] = []
        covered = -1
        for mention in mentions:
            if mention.start < covered or (
                own and normal(mention.title) == own and _is_line(text, mention.start, mention.end)
            ):
                continue
            covered = max(mention.end, mention.consumed)
            out.append(mention)
        return out

    def _quoted(self, text: str) -> Iterator[Mention]:
        for match in _QUOTED.finditer(text) if "《" in text or "〈" in text or "<<" in text else ():
            start, end = match.span()
            mention = self._mention(text, start, end, clean_title(match[0]), quoted=True)
            yield mention

    def _stands_alone(self, text: str, start: int, end: int) -> bool:
        """Whether a bare title is one, by what stands before and behind it."""
        behind = text[end : end + 12]
        if _GOES_ON.match(behind):
            return False
        length = end - start
        before = text[start - 1] if start else "\n"
        if length == 2 and text[start] == "宪":
            return _CONSTITUTION.match(behind) is not None and (
                before in _SHORT_BEFORE or not "\u4e00" <= before <= "\u9fff"
            )
        if not "\u4e00" <= before <= "\u9fff" or text.startswith("中华人民共和国", start):
            return True
        if before in "国本港门湾盟亚坡斯" and text[max(0, start - 8) : start].endswith(FOREIGN):
            return _KEEPS_ON.match(behind) is not None  # kept, as a title of that country
        if before in _NO_TITLE_BEFORE:
            return False
        if before in _SHORT_BEFORE:
            return True
        if text[end - 1] == "法" and length < _LONG:
            return behind[:1] == "第" or behind.startswith(("（以下简称", "(以下简称"))
        return text[end - 1] in "法典" and _KEEPS_ON.match(behind) is not None

    def _mention(self, text: str, start: int, end: int, title: str, *, quoted: bool) -> Mention:
        year: int | None = None
        inside = _YEAR_INSIDE.search(title)
        if inside and normal(title) not in self._titles:
            year = p.version_year(inside[0])
            if year is not None:
                title = title[: inside.start()]
        mention = Mention(start, end, end, title, year, quoted, normal(title) in self._titles)
        if end < len(text) and text[end] in _EXTENDS:
            self._extend(text, mention)
        plain_year = (
            p.YEAR_AFTER.match(text, mention.end) if text[mention.end : mention.end + 1] in ("1", "2", " ") else None
        )
        if plain_year:
            mention.year, mention.end, mention.after = int(plain_year[1]), plain_year.end(), plain_year.end()
        if mention.end < len(text) and text[mention.end] in p.AFTER_TITLE:
            _read_brackets(text, mention)
            between = p.BETWEEN.match(text, mention.after)
            if between:
                mention.after = between.end()
            if _BLANK_LINE.search(text, mention.end, mention.after):
                mention.after = mention.end
        self._place(text, mention)
        return mention

    def _extend(self, text: str, mention: Mention) -> None:
        """《A法》实施条例 and 浙江省实施《A法》办法 without outer brackets are titles of their own."""
        behind = _IMPLEMENTING.match(text, mention.end)
        if not behind or not mention.quoted:
            return
        before = _IMPLEMENTS.search(text[max(0, mention.start - 24) : mention.start])
        tail = behind[0]
        if before:
            whose = _LAST_WORD.sub("", before[0])
            title = f"{whose}〈{mention.title}〉{tail}"
            mention.start -= len(whose)
        elif tail.removeprefix("的").startswith(("实施", "施行")):
            title = mention.title + tail.removeprefix("的")
        else:
            return
        mention.title, mention.end, mention.after = title, behind.end(), behind.end()
        mention.known = normal(title) in self._titles

    def _place(self, text: str, mention: Mention) -> None:
        """Take in the year, the country or the province that stands before the title."""
        before = text[max(0, mention.start - 24) : mention.start]
        last = before[-1:]
        if not last or not ("\u4e00" <= last <= "\u9fff"):
            return
        if last in "年的正订改布过新" and mention.year is None:
            found = p.YEAR_BEFORE.search(before) or p.BARE_YEAR_BEFORE.search(before)
            if found and (text[mention.after : mention.after + 1] == "第" or p.YEAR_BEFORE.search(before)):
                mention.year = p.plain_year(found[1])
                return
        issuer = next((i for i in _ISSUERS if before.endswith(i)), "") if last in "院会厅部" and mention.quoted else ""
        if issuer and normal(issuer + mention.title) in self._titles:
            mention.title, mention.known = issuer + mention.title, True
            return
        bare = before.removesuffix("的")
        foreign = next((f for f in FOREIGN if bare.endswith(f)), "香港" if _HONG_KONG.search(bare) else "")
        if foreign and not mention.title.startswith(("中华人民共和国", foreign)):
            mention.title, mention.known = foreign + mention.title, normal(foreign + mention.title) in self._titles
        elif (
            bare[-1:] in "省市区"
            and mention.quoted
            and mention.title not in GENERIC
            and not mention.title.endswith("法")
        ):
            ours, city = p.OURS_END.search(bare), _CITY.search(bare)
            place = ours[0] if ours else name_ending(bare) or (city[0] if city else "")
            if place and not mention.title.startswith(("关于", "中华人民共和国", place[:2])) and mention.is_statute:
                mention.title, mention.known = place + mention.title, normal(place + mention.title) in self._titles


_EXTENDS = frozenset("实施办细条规的若暂")
_IMPLEMENTING = re.compile(r"(?:的|若干|暂行|试行)?(?:实施|施行)?(?:办法|细则|条例|规定|若干规定|补充规定)(?!的)")
_IMPLEMENTS = re.compile(r"[\u4e00-\u9fff]{0,16}(?:实施|施行|执行)$")
_LAST_WORD = re.compile(r"^.*(?:根据|依据|依照|按照|违反|参照|符合|和|与|及|或者|以及|对|由|在|是)")


def _is_line(text: str, start: int, end: int) -> bool:
    """Whether the span is a line of its own: the document's heading."""
    return (
        not text[text.rfind("\n", 0, start) + 1 : start].strip(" \t\u3000#")
        and not text[end : (text.find("\n", end) + 1 or len(text) + 1) - 1].strip()
    )


def _read_brackets(text: str, mention: Mention) -> None:
    """Read year, short name and document number from the brackets behind a title."""
    brackets = p.BRACKETS.match(text, mention.end)
    if not brackets:
        return
    inner = brackets[0]
    mention.after = brackets.end()
    year = next(
        (
            y
            for y in map(
                p.version_year,
                re.findall(r"[（(〔\[【][^（）()〔〕\[\]【】]*[）)〕\]】](?!\s*第?\s*[0-9０-９]{1,5}\s*号)", inner),
            )
            if y
        ),
        None,
    )
    if year is not None and mention.year is None:
        mention.year = year
    number = p.NUMBER_IN.search(inner)
    if number:
        mention.number = _BLANK.sub("", number[0])
    defined = p.DEFINED.search(inner)
    if defined and "统称" not in defined[0]:
        mention.definition = _BLANK.sub("", defined[1])
    if year is not None or number or defined or "令" in inner:
        mention.consumed = brackets.end()
    if (year is not None or number) and not defined:
        mention.end = brackets.end()
