"""What a policy document says of itself: title, issuer (发文机关), number (文号), kind (文种), date (成文日期).

The texts come with lines, or run together into one line by the site that published them; patterns therefore look at
what stands around a mark, not at lines alone. Forms: 党政机关公文格式 (GB/T 9704).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from corpora.document_dates import DATE, Signature, adoption, parse_date, signatures
from corpora.document_names import (
    ACT,
    DIGITS,
    NUMBER,
    ends_in_kind,
    kind_of,
    number_of,
    organs_apart,
    organs_of,
    split_organs,
)

_ORDER = re.compile(
    rf"(?:(?<=[\s（(])|^)([\u4e00-\u9fff]{{2,30}}(?:令|公告))\s*[（(〔]?\s*第\s*([{DIGITS}一二三四五六七八九十百零〇]{{1,6}})\s*号"
)
_ORDER_LINE = re.compile(rf"[（(]?第\s*([{DIGITS}一二三四五六七八九十百零〇]{{1,6}})\s*号[)）]?")


@dataclass(frozen=True, slots=True)
class Head:
    """What the text says of the document; "" and None where it does not.

    Attributes:
        title_start, title_end: span of the title in the text; equal where the title does not stand in the text.
        issued_by: `signature`, `adoption` (bracket under the title), `line` or
            `printed` (…年…月…日印发 at the foot), "" where there is no date.
    """

    title: str = ""
    title_start: int = 0
    title_end: int = 0
    number: str = ""
    issuer: str = ""
    issued: dt.date | None = None
    issued_by: str = ""


#: An order's text names what it promulgates.
_PROMULGATED = re.compile(r"《([^《》\n]{4,60})》(?:已|业)[经于]")


def read_head(text: str, title: str = "") -> Head:
    """Return what the document says of itself.

    Args:
        text: whole text.
        title: the title where the source gives it.
    """
    head = text[:3_000]
    limit = _head_end(head)
    number = _own_number(text, limit)
    span = _title_span(head, limit, title)
    found = title or _flat(text[span[0] : span[1]])
    if not found and "令" in number and (promulgated := _PROMULGATED.search(head)):
        found = promulgated[1]
    issued, how, organs = _issued(text, limit)
    issuer = organs_apart(organs_of(found) or _of_minutes(found) or _of_order(number) or _issuer_in_head(head, found) or organs)
    return Head(found, *span, number, issuer, issued, how)


def _of_minutes(title: str) -> str:
    """Return whose minutes a title names: 某某县人民政府专题会议纪要 → 某某县人民政府."""
    match = re.match(r"([\u4e00-\u9fff]{2,20}(?:人民政府|政府|委员会))(?:第[^次]{1,8}次)?(?:专题|常务|办公|全体|党组)?会议纪要", title)
    return match[1] if match else ""


def _of_order(number: str) -> str:
    """Return the issuer of an order (令) from its number: 科学技术部令第8号 → 科学技术部."""
    match = re.match(r"(?:中华人民共和国)?([\u4e00-\u9fff]{3,30})令(?:第|〔)", number)
    return match[1] if match else ""


def _flat(text: str) -> str:
    """Join the lines of a title; spaces stay between words that are not Chinese, and between organs."""
    return re.sub(r"(?<=[^\x00-\x7f])\s*\n\s*|\s*\n\s*(?=[^\x00-\x7f])", "", text.strip()).strip("#* \u3000")


_ADDRESSED = r"(?<=[厅局府委会门位院校司市县区办部们业关所）)室行团])[:：]"


def _head_end(head: str) -> int:
    """Return where the head ends: at the first sentence end, or the colon after those addressed (主送机关)."""
    match = re.search(rf"[。；！？]|[:：]\s|{_ADDRESSED}", head)
    return match.end() if match else min(len(head), 600)


_OTHER_NUMBER = re.compile(r"(?:根据|按照|依据|落实|执行|贯彻|废止|你[市县省厅局委])[^。\n]{0,60}$")
_SERIES = re.compile(
    r"^.*(?:人民政府(?!令)|文件|号|办公[厅室]|委员会|通知|意见|决定|批复|办法|方案|规定|措施|[的厅局日])(?=[\u4e00-\u9fff]{1,12}〔)"
)


def _own_number(text: str, limit: int) -> str:
    """Return the document's own number: in the head or on a line of its own, and no other document's."""
    region = text[: max(limit, 300)]
    for match in NUMBER.finditer(region):
        line = region.rfind("\n", 0, match.start()) + 1
        end = region.find("\n", match.end())
        rest = region[match.end() : len(region) if end < 0 else end].strip(" \u3000）)")
        before = region[: match.start()].rstrip()
        alone = not region[line : match.start()].strip(" \u3000（(") and not rest
        if match.start() >= limit and not alone:
            break
        if rest.startswith(("文", "函")) and "收悉" in rest[:8]:
            continue
        if not alone:
            in_bracket = before.endswith(("（", "("))
            before = before.rstrip("（( \u3000")
            titled = ends_in_kind(before)
            quoted = before.rfind("《") > before.rfind("》")
            if quoted or (in_bracket and not titled) or (not titled and _OTHER_NUMBER.search(before)):
                continue
        return _SERIES.sub("", number_of(match))
    order = _ORDER.search(region, 0, max(limit, 120))
    if order and order.start() < 60 and "《" not in region[: order.start()]:
        return re.sub(r"^.*(?:办法|规定|条例|通知|细则|决定)(?=[^令]{3,20}令)", "", re.sub(r"\s", "", order[0]))
    return ""


def _title_span(head: str, limit: int, title: str) -> tuple[int, int]:
    """Return the span of the title in the text, (0, 0) where it does not stand there."""
    if title:
        pattern = r"\s*".join(map(re.escape, re.sub(r"\s+", "", title)[:200]))
        match = re.search(pattern, head[: limit + 400])
        return match.span() if match else (0, 0)
    return _lines_title(head, limit) or _run_title(head, limit) or (0, 0)


_SKIP = re.compile(
    r"^(?:[【〖\[]?(?:索\s*引\s*号|主题分类|发文机关|成文日期|发布日期|发布机构|发文字号|有\s*效\s*性|来源|信息来源|份号|密级|机密|秘密|特急|急件|签发人|字体|打印"
    r"|浏览|当前位置|首页|主题词|文号|公开方式|生成日期|目[\s\u3000]*录$)|第?\s*[0-9〇一二三四五六七八九十]+\s*(?:页|期)|[-—\d\s]+$)"
)
_BANNER = re.compile(
    r"^[\u4e00-\u9fff\s（）()、]{2,60}?(?:文\s*件|令|公\s*告|[^关]{2,30}(?:人民政府|委员会|办公[厅室]|[厅局部]))$"
)
_LABEL = re.compile(
    r"^(?:第[一二三四五六七八九十百零〇\d]+[编章节条]|[一二三四五六七八九十]+、|[（(][一二三四五六七八九十]+[）)]|\d+[.．、])"
)


def _lines_title(head: str, limit: int) -> tuple[int, int] | None:
    """Find the title on lines of its own: lines above the text that together end in a kind."""
    if "\n" not in head[: limit + 200]:
        return None
    lines: list[tuple[int, int, str]] = []
    for match in re.finditer(r"[^\n]+", head[: limit + 200]):
        line = match[0].strip()
        if not line:
            continue
        if len(line) > 90 or line.endswith(("。", "；", "：", ":")) or (_LABEL.match(line) and lines):
            break
        lines.append(
            (match.start() + len(match[0]) - len(match[0].lstrip()), match.start() + len(match[0].rstrip()), line)
        )
        if len(lines) > 24:
            break
    usable = [
        item
        for item in lines
        if not _SKIP.match(item[2])
        and not NUMBER.fullmatch(item[2].strip("（）()"))
        and not _ORDER_LINE.fullmatch(item[2])
        and not any(date.start() == 0 or date.end() == len(item[2]) for date in DATE.finditer(item[2].strip("（(")))
    ]
    for index, (start, _, line) in enumerate(usable):
        # A banner (某某人民政府文件) alone is no title; before 关于 on the next line it is its first part.
        following = usable[index + 1][2] if index + 1 < len(usable) else ""
        if _BANNER.match(line) and (
            not following.startswith(("关于", "印发", "转发", "批转")) or line.endswith(("文件", "令"))
        ):
            continue
        joined = ""
        for _, end, part in usable[index : index + 5]:
            joined += part
            if kind_of(joined) and (kind_of(part) or len(part) < 8):
                return start, end
    first = usable[0] if usable else None
    if first and 4 <= len(first[2]) <= 60 and not _LABEL.match(first[2]) and not _BANNER.match(first[2]):
        return first[0], first[1]
    return None


_RUN_TITLE = re.compile(
    r"[\u4e00-\u9fff\s、（）()]{0,120}?(?:关于|印发|转发|批转)[^。；：:\n]{4,160}?的\s?(?:若干|实施|指导|补充|紧急)?\s?(?:通知|意见|决定|批复|公告|通告|函|通报|办法|规定)(?=\s|[\u4e00-\u9fff]{0,14}[〔\[（(【]|$|各|索引号|文号|发文字号|成文日期|发布日期)"
)
_RUN_STATUTE = re.compile(
    r"^\s*([\u4e00-\u9fff（）()、]{4,60}?(?:办法|条例|规定|细则|方案|意见|措施|规划))(?:[（(](?:试行|暂行|修订|草案)[）)])?(?=\s)"
)


def _run_title(head: str, limit: int) -> tuple[int, int] | None:
    """Find the title at the beginning of a text without lines."""
    region = head[: max(limit, 160)]
    start = 0
    if number := NUMBER.match(region.lstrip()):
        start = len(region) - len(region.lstrip()) + number.end()
    match = _RUN_TITLE.match(region, start) or _RUN_STATUTE.match(region, start)
    if match is None:
        return None
    lead = len(match[0]) - len(match[0].lstrip())
    return match.start() + lead, match.start() + len(match[0].rstrip())


def _issuer_in_head(head: str, title: str) -> str:
    """Return the issuer that stands before the title's words in the text, or in a banner (某某人民政府文件) above it."""
    words = re.sub(r"\s+", "", title)
    act = ACT.search(words)
    if act:
        key = words[act.start() : act.start() + 10]
        pattern = r"\s*".join(map(re.escape, key))
        if (match := re.search(pattern, head[:600])) and match.start():
            before = head[max(0, match.start() - 120) : match.start()]
            before = re.split(r"号|[。；：:》\n]{1}(?=\S)", before)[-1].strip(" \n\u3000《")
            if before and split_organs(before):
                return " ".join(before.split())
    banner = re.search(r"^[\s\u3000]*([\u4e00-\u9fff\s、]{3,40}?)\s*(?:文\s?件|令)\s*$", head[:300], re.MULTILINE)
    return re.sub(r"\s", "", banner[1]) if banner else ""


#: The last line of minutes and the like, which have no other date: 某某市人民政府办公室 2022年9月19日印发.
_PRINTED = re.compile(rf"(?:(?<=\n)|(?<=[室厅委局府]))[ \u3000]*{DATE.pattern}[ \u3000]*印发[ \u3000]*(?=\n|$)")


def _issued(text: str, limit: int) -> tuple[dt.date | None, str, str]:
    """Return the date of the document, where it stands, and the organs that signed or adopted it."""
    adopted = adoption(text, limit)
    if adopted:
        return adopted[0], "adoption", adopted[1]
    alone: Signature | None = None
    for found in signatures(text):
        if found.organs:
            return found.date, "signature", "、".join(found.organs)
        alone = found
    if alone:
        return alone.date, "line", ""
    printed = list(_PRINTED.finditer(text))
    if printed and (day := parse_date(printed[-1])) is not None:
        return day, "printed", ""
    return None, "", ""
