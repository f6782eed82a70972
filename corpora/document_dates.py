"""Dates in policy documents: in all digits; signings (落款); the bracket under a statute's title."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from corpora.document_names import DIGITS, ends_in_kind, split_organs
from corpora.legal import parse_number

_CHINESE = "零〇○ＯO一二三四五六七八九"
#: A date in Arabic or Chinese digits with 年, 月 and 日; groups year, month, day.
DATE = re.compile(
    rf"((?:[12１２][{DIGITS}]{{3}}|[一二][{_CHINESE}]{{3}}))\s{{0,3}}年\s{{0,3}}"
    rf"([{DIGITS}]{{1,2}}|[一二三四五六七八九十]{{1,2}})\s{{0,3}}月\s{{0,3}}"
    rf"([{DIGITS}]{{1,2}}|[一二三四五六七八九十]{{1,3}})\s{{0,3}}日"
)
#: What follows a date that is a date of prose, not the document's.
_PROSE = re.compile(
    r"\s{0,2}(?:之日)?(?:起|前|后|至|以前|以后|以来|之|，|,|、|的|在|施行|实施|召开|出台|[-—~～])|发|印|由|经|第.{1,4}[届次]|省|国|中共"
)
_BEFORE_PROSE = re.compile(r"(?:自|于|至|到|从|截至|截止|截止到|在|和|、|为|及|经|《|日期[:：]?|时间[:：]?)\s*$")
_FOOT = re.compile(r"\s*(?:公开程序|公开方式|责任部门|附件|抄送|主题词|此件|信息公开)")
_ADOPTED = re.compile(r"通过|公布|发布|修订|修正|批准|签署|印发|颁布")
_SENTENCE = re.compile(r"[。；;！!？?》”」：:]|\.(?:docx?|pdf|xlsx?|wps|zip|rar|ofd)")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signing (落款) of a document: organs and date; spans in the text."""

    start: int
    end: int
    organs: tuple[str, ...]
    date: dt.date


def parse_date(match: re.Match[str]) -> dt.date | None:
    """Return the day of a match of `DATE`, None if there is no such day."""
    try:
        year, month, day = (parse_number(re.sub("[ＯO]", "〇", part)) for part in match.groups()[:3])
        return dt.date(year, month, day)
    except ValueError:
        return None


def signatures(text: str, offset: int = 0) -> Iterator[Signature]:
    """Yield the signings in order: a date after organs, or a date on a line of its own.

    Dates of prose (自…起, …前, …印发的) are passed over.
    """
    for match in DATE.finditer(text, offset):
        day = parse_date(match)
        if day is None or _BEFORE_PROSE.search(text, max(0, match.start() - 8), match.start()):
            continue
        # What stands around it on its line; windows, because a site's line may be the whole document.
        before = text[max(0, match.start() - 240) : match.start()].rpartition("\n")[2]
        rest = text[match.end() : match.end() + 240].partition("\n")[0]
        if _PROSE.match(rest):
            continue
        organs, start = _before(text, match.start())
        if organs:
            yield Signature(start, match.end(), organs, day)
        elif (not before.strip("　 （(") and not rest.strip("　 ）)")) or _stands_apart(before, rest):
            yield Signature(match.start(), match.end(), (), day)


def _stands_apart(before: str, rest: str) -> bool:
    """Tell whether a date between these parts of its line is a signing without organs."""
    closed = before[-1:].isspace() or before.endswith(("。", "）", "》"))
    if closed and (not rest.strip() or rest[:1] in "（(" or _FOOT.match(rest)):
        return True
    # Right after the title: …办法 2003年8月4日 第一章 总则.
    return rest[:1].isspace() and (
        before[-1:].isspace() or (len(before) < 200 and (before.endswith("号") or ends_in_kind(before)))
    )


def _before(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """Return the organs that stand right before a date (on its line or the lines above), and where they start."""
    low = max(0, at - 300)
    window = text[low:at]
    cut = 0
    for match in _SENTENCE.finditer(window):
        cut = match.end()
    region = window[cut:]
    found: list[str] = []
    start = at
    for token in reversed(list(re.finditer(r"\S+", region))):
        names = split_organs(token[0])
        if not names:
            break
        found[:0] = names
        start = low + cut + token.start()
    return tuple(found), start


_BRACKET = re.compile(r"[（(]\s*(?=[12１２一二])([^（()）]{8,600})[）)]")
_ASSEMBLY = re.compile(r"日([\u4e00-\u9fff]{2,30}?(?:人民代表大会常务委员会|人民代表大会|人民政府|国务院))")


def adoption(text: str, limit: int) -> tuple[dt.date, str] | None:
    """Read the bracket under a title: （2014年12月1日…通过 2018年…修正）; the last event's date counts."""
    for match in _BRACKET.finditer(text, 0, min(len(text), max(limit, 400) + 600)):
        if match.start() > max(limit, 200):
            break
        inside = match[1]
        days: list[dt.date] = []
        for date in DATE.finditer(inside):
            after = inside[date.end() : date.end() + 60]
            stop = DATE.search(after)
            after = after[: stop.start()] if stop else after
            day = parse_date(date)
            if day and (_ADOPTED.search(after) or date.end() == len(inside)) and not re.match(r"(?:之日)?起", after):
                days.append(day)
        if days:
            organ = _ASSEMBLY.search(inside)
            name = re.sub(r"第[一二三四五六七八九十\d]+届", "", organ[1]) if organ else ""
            return max(days), name
    return None
