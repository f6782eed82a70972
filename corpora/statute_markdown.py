"""Reading one text of a LawRefBook tree (Markdown).

Form: `# title`, lines of events, `<!-- INFO END -->`, headings `## 第一章 总则`, articles `第一条 …` with their paragraphs
and items on lines of their own. The compilation's folder tells the rank, the file name often a date.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import PurePosixPath

from corpora.legal import NUMBER, ArticleNumber, Rank, parse_number
from corpora.statute_events import read_events
from corpora.statute_records import SourceArticle, SourceText
from corpora.territories import place_of

SOURCE = "LawRefBook"
_INFO_END = re.compile(r"<!--\s*INFO END\s*-->")
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_ARTICLE = re.compile(rf"第({NUMBER})条(?:之({NUMBER}))?(?:[ \u3000\u2002\t]+|$)(.*)", re.S)
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff"))
_HEADING = re.compile(r"(#+)\s*(.*)")
_FILE_DATE = re.compile(r"\((\d{4})-(\d\d)-(\d\d)\)$")
_ORDINAL = re.compile(r"第[一二三四五六七八九十百零〇\d]+(?:编|分编|章|节|部分|条)")
#: Folders of the tree → rank. Laws are filed by branch.
_RANKS = {
    "宪法": Rank.CONSTITUTION,
    "行政法规": Rank.ADMINISTRATIVE_REGULATION,
    "司法解释": Rank.JUDICIAL_INTERPRETATION,
    "部门规章": Rank.DEPARTMENT_RULE,
    "地方性法规": Rank.LOCAL_REGULATION,
    "监察法规": Rank.SUPERVISORY_REGULATION,
}
_LAW_FOLDERS = frozenset(
    {"刑法", "宪法相关法", "民法典", "民法商法", "社会法", "经济法", "行政法", "诉讼与非诉讼程序法"}
)
_DECISION = re.compile(r"^全国人民代表大会(?:常务委员会)?(?:关于.*)(?:决定|解释|决议)(?:（[^）]*）)?$")
#: A ministry's own number on a text filed under 行政法规.
_MINISTRY = re.compile(r"[\u4e00-\u9fff]部发[〔\[［]|人薪发|部令")
_ISSUERS = {
    Rank.CONSTITUTION: "全国人民代表大会",
    Rank.LAW: "全国人民代表大会常务委员会",
    Rank.DECISION: "全国人民代表大会常务委员会",
    Rank.ADMINISTRATIVE_REGULATION: "国务院",
    Rank.SUPERVISORY_REGULATION: "国家监察委员会",
    Rank.JUDICIAL_INTERPRETATION: "最高人民法院",
}


def rank_of(title: str, folder_rank: Rank) -> Rank:
    """Return the rank of a title filed under one: decisions and interpretations of the Congress are filed with the laws."""
    return Rank.DECISION if folder_rank is Rank.LAW and _DECISION.match(title) else folder_rank


def parse_markdown(text: str, path: PurePosixPath, dated: dt.date | None = None) -> SourceText:
    """Return a text of the tree.

    Args:
        text: contents of the file.
        path: within the tree; its folders tell rank and territory, its name may end in a date.
        dated: date of this text from elsewhere, used where the name has none.

    Raises:
        ValueError: if there is no title, no end of the header, or the folder is of no known rank.
    """
    parts = _INFO_END.split(text, maxsplit=1)
    if len(parts) != 2:
        msg = "the header has no end (<!-- INFO END -->)"
        raise ValueError(msg)
    heads = [line.strip() for line in parts[0].splitlines() if line.strip()]
    titles = [match[2].strip() for line in heads if (match := _HEADING.fullmatch(line))]
    if not titles or not titles[0]:
        msg = "there is no title line (# …)"
        raise ValueError(msg)
    header = "\n".join(line for line in heads if not line.startswith("#"))
    rank = _rank(titles[0], path, header)
    events = read_events(header)
    named = _FILE_DATE.search(path.stem)
    articles, body, annex = _articles(parts[1])
    issuer = next((event.body for event in events if event.body), "")
    return SourceText(
        title=re.sub(r"\s+", "", titles[0]),
        part=titles[1] if len(titles) > 1 else "",
        rank=rank,
        territory=_territory(titles[0], issuer, path) if rank is Rank.LOCAL_REGULATION else "",
        issuer=_issuer(rank, issuer, path),
        dated=dt.date(*map(int, named.groups())) if named else dated,
        events=events,
        articles=articles,
        body=body,
        source=SOURCE,
        place=str(path),
        ends_in_annex=annex,
    )


def _rank(title: str, path: PurePosixPath, header: str) -> Rank:
    for folder in path.parts[:-1]:
        if folder in _RANKS:
            rank = _RANKS[folder]
            if rank is Rank.CONSTITUTION and "宪法" not in title:
                return Rank.LAW
            if rank is Rank.ADMINISTRATIVE_REGULATION and _MINISTRY.search(header) and "国务院批准" not in header:
                return Rank.DEPARTMENT_RULE
            return rank
        if folder in _LAW_FOLDERS:
            return rank_of(title, Rank.LAW)
    msg = f"{path}: the folder is of no known rank"
    raise ValueError(msg)


def _territory(title: str, issuer: str, path: PurePosixPath) -> str:
    province = path.parts[-2] if len(path.parts) > 1 else ""
    for found in (place_of(issuer).territory, place_of(title, organ=False).territory):
        if found.split("/")[0] == province:
            # A county's own people's congress makes regulations only in autonomous counties.
            return found if found.count("/") < 2 or "自治" in title else found.rsplit("/", 1)[0]
    return province


def _issuer(rank: Rank, body: str, path: PurePosixPath) -> str:
    if rank is Rank.LOCAL_REGULATION:
        return body
    if rank is Rank.DEPARTMENT_RULE and not body:
        return path.parts[-2] if len(path.parts) > 2 else ""
    return body if body and rank is not Rank.ADMINISTRATIVE_REGULATION else _ISSUERS.get(rank, body)


def _articles(text: str) -> tuple[tuple[SourceArticle, ...], str, bool]:
    """Return articles, what stands outside them, and whether the last heading is 附则."""
    found: list[SourceArticle] = []
    outside: list[str] = []
    stack: list[tuple[int, str]] = []
    number: ArticleNumber | None = None
    lines: list[str] = []
    heading = ""

    def close() -> None:
        if number is not None:
            found.append(SourceArticle(number, heading, "\n".join(lines)))

    for raw in _COMMENT.sub("", text).translate(_INVISIBLE).splitlines():
        line = raw.strip()
        if not line:
            continue
        if line.startswith("#") and (match := _HEADING.fullmatch(line)):
            close()
            number, lines = None, []
            level, name = len(match[1]), re.sub(r"[ \u3000]+", " ", match[2].strip())
            stack = [item for item in stack if item[0] < level] + ([(level, name)] if name else [])
            continue
        match = _ARTICLE.fullmatch(line) if line[0] == "第" else None
        if match:
            close()
            number = ArticleNumber(parse_number(match[1]), parse_number(match[2]) if match[2] else 0)
            heading = " / ".join(name for _, name in stack)
            lines = [match[3].strip()] if match[3].strip() else []
        elif number is not None:
            lines.append(line)
        else:
            outside.append(line)
    close()
    annex = bool(stack) and _ORDINAL.sub("", stack[-1][1]).strip() in {"附则", "附 则", "其他规定"}
    return tuple(found), "\n".join(outside), annex
