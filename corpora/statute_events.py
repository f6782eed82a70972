"""What a statute's own words say of its dates: the header's events, the 施行 clause, the 废止 sentences."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from corpora.legal import NUMBER, parse_number
from corpora.statute_titles import normalise_title

#: Days within which an approval, a promulgation or a second organ's vote belongs to the same event.
SAME_EVENT_DAYS = 400

_DATE = re.compile(rf"({NUMBER})\s*年\s*({NUMBER})\s*月\s*({NUMBER}|[0-9]?l)\s*日")
_QUOTED = re.compile(r"《(?:[^《》]|《(?:[^《》]|《[^《》]*》)*》)*》|〈[^〈〉]*〉|<[^<>]*>")
_BODY = re.compile(
    r"((?:第[一二三四五六七八九十百零〇○\d]+届)?全国人民代表大会(?:常务委员会)?|国务院|[\u4e00-\u9fff]{2,20}?第[一二三四五六七八九十百零〇○\d]+届"
    r"(?:人民代表大会(?:常务委员会)?|人大常委会|检察委员会)|最高人民法院、最高人民检察院|最高人民(?:法院|检察院)"
    r"|[\u4e00-\u9fff]{2,10}人民代表大会(?:常务委员会)?|[\u4e00-\u9fff、]{2,30}?(?:部|总局|委员会|局|署|院))"
)
_SESSION = re.compile(r"第[一二三四五六七八九十百零〇○\d]+届")

_SUBJECT = r"本(?:法|法典|条例|规定|办法|实施办法|细则|实施细则|规则|解释|安排|决定|守则|规范|批复|补充规定|暂行规定|暂行办法|修正案|通则|章程)"
_IN_FORCE = re.compile(
    rf"(?:{_SUBJECT}|以上规定|^(?:[一二三四五六七八九十]+、)?\s*)自\s*"
    rf"(?:(?P<date>{NUMBER}\s*年\s*{NUMBER}\s*月\s*(?:{NUMBER}|[0-9]?l)\s*日)\s*起?|(?P<same>公布|发布|颁布|通过|批准|印发|下发)"
    rf"(?:之日|后)?(?:起)?(?:(?:满)?(?P<days>{NUMBER})\s*(?P<unit>日|天|个月)后)?)\s*(?:开始|正式)?(?:施行|实施|生效|执行)",
    re.M,
)
_REPEAL = re.compile(r"同时废止|即行废止|予以废止|同时失效|自行废止|同时停止执行")
_SENTENCE_END = re.compile(r"[。\n]")
#: A decision that repeals statutes point by point: 一、废止《…》（…通过）.
_LISTED_REPEAL = re.compile(rf"^(?:（?[一二三四五六七八九十\d]+[）、.]?\s*)废止({_QUOTED.pattern})", re.M)
#: A line break inside a title.
_WRAPPED = re.compile(r"(?<=《)(?<=.)\n|(?<=[\u4e00-\u9fff])\n(?=[^《》\n]{1,40}》)")
_NOT_WHOLE = re.compile(
    r"^(?:（[^）]*）|\([^)]*\))?(?:第|中|(?:修正|修订|修改|批准)的?|的[^《]{0,12}(?:部分|条|规定|内容|附)|有关|关于[^《]*(?:条|规定))"
)


@dataclass(frozen=True, slots=True)
class Event:
    """An adoption, revision or amendment.

    Attributes:
        adopted: day of the vote (通过); of the promulgation where the header names no vote.
        kind: 制定, 修订 or 修正.
        promulgated: day of approval or promulgation, None where the header names none.
        in_force: day from the header's 施行 line.
        body: who adopted it, "" where not said.
        inferred: whether no header says so (the date is a file's or a column's).
    """

    adopted: dt.date
    kind: str
    promulgated: dt.date | None = None
    in_force: dt.date | None = None
    body: str = ""
    inferred: bool = False

    @property
    def last_day(self) -> dt.date:
        """The later of vote and promulgation."""
        return max(self.adopted, self.promulgated or self.adopted)


def read_date(text: str) -> dt.date | None:
    """Return the first date of a text in digits or Chinese characters; None without one or with an impossible one."""
    match = _DATE.search(text)
    return _as_date(match) if match else None


def _as_date(match: re.Match[str]) -> dt.date | None:
    try:
        year, month, day = (parse_number(part.replace("l", "1")) for part in match.groups())
        return dt.date(year + 1900 if 50 <= year <= 99 else year, month, day)
    except ValueError:
        return None


def read_events(header: str) -> tuple[Event, ...]:
    """Return the events of a LawRefBook header (the lines below the title), by date.

    A vote, its approval by a higher organ and its promulgation are one event. 修订/修正/修改 make a version; a 通过 that an
    amending segment follows belongs to that amendment (local regulations name the city's vote and the province's approval).
    """
    events: list[Event] = []
    pending: Event | None = None
    for day, words in _segments(header):
        if not words.strip("（）() 　") and events:
            continue
        bare = _QUOTED.sub("《》", words)
        kind = _kind(bare)
        if len(events) > 1 and (events[-1].adopted - day).days > SAME_EVENT_DAYS:
            break  # days going back: the header runs on into the histories of other statutes amended by the same decision
        if kind == "施行":
            if pending:
                pending = replace(pending, in_force=pending.in_force or day)
            elif events:
                events[-1] = replace(events[-1], in_force=events[-1].in_force or day)
            continue
        event = Event(day, kind or "制定", body=_body(bare))
        if kind:
            near = pending and 0 <= (day - pending.adopted).days <= SAME_EVENT_DAYS
            if pending and near:
                event = replace(event, adopted=pending.adopted, promulgated=day, body=pending.body or event.body)
            elif pending:
                events.append(replace(pending, kind="修订"))
            pending = None
            events.append(event)
        elif not events:
            events.append(event)
        elif pending is None and 0 <= (day - events[-1].adopted).days <= SAME_EVENT_DAYS and not _vote(bare):
            last = events[-1]
            events[-1] = replace(last, promulgated=max(day, last.promulgated or day), body=last.body or event.body)
        elif pending and 0 <= (day - pending.adopted).days <= SAME_EVENT_DAYS:
            pending = replace(pending, promulgated=day)
        elif (day - events[-1].last_day).days <= 0 or (
            (day - events[-1].adopted).days <= SAME_EVENT_DAYS and "批准" in bare
        ):
            events[-1] = replace(events[-1], promulgated=max(day, events[-1].last_day))
        else:
            if pending:
                events.append(replace(pending, kind="修订"))
            pending = event
    if pending and (not events or (pending.adopted - events[-1].last_day).days > SAME_EVENT_DAYS):
        events.append(replace(pending, kind="修订"))
    return tuple(sorted(events, key=lambda event: event.adopted))


def _segments(header: str) -> Iterator[tuple[dt.date, str]]:
    """Yield each date outside 《》 with the words up to the next one."""
    joined = re.sub(r"[\n\r]+", " ", header)
    masked = _QUOTED.sub(lambda match: "＊" * len(match[0]), joined)
    found = list(_DATE.finditer(masked))
    for index, match in enumerate(found):
        day = _as_date(match)
        end = found[index + 1].start() if index + 1 < len(found) else len(joined)
        if day is not None:
            yield day, joined[match.end() : end]


def _kind(bare: str) -> str:
    """Return 修订, 修正 or 施行, "" for a vote, an approval or a promulgation; `bare` is a segment with its 《》 emptied."""
    verbs = bare.replace("《》", "")
    if "修订" in verbs and "关于修订" not in verbs:
        return "修订"
    if "修正" in verbs or "修改" in verbs:
        return "修正"
    if re.search(r"通过的《》\s*[）)]?\s*$", bare):  # 刑法: …通过的《中华人民共和国刑法修正案》
        return "修正"
    if re.search(r"施行|生效|实施", verbs) and not re.search(r"通过|公布|发布|批准", verbs):
        return "施行"
    return ""


def _vote(bare: str) -> bool:
    return "通过" in bare


def _body(bare: str) -> str:
    found = _BODY.search(bare)
    name = re.sub(r"^(?:根据|由|经)", "", _SESSION.sub("", found[1])) if found else ""
    # 市人大常委会 alone names no place.
    return "" if re.match(r"[省市县]|.{0,6}[一二三四五六七八九十]届", name) else name


def in_force_clause(texts: Sequence[str]) -> tuple[dt.date | None, int | None, str]:
    """Return what the 施行 clause among a statute's last articles says.

    Args:
        texts: the last articles or paragraphs.

    Returns:
        (date, None, "") for a date; (None, days, "") for so many days after promulgation (0: on that day);
        (None, None, "") without a clause. The third is the sentence found.
    """
    for text in reversed(texts):
        for match in reversed(list(_IN_FORCE.finditer(text))):
            if match["date"]:
                day = read_date(match["date"])
                if day:
                    return day, None, match[0]
            elif match["same"]:
                count = parse_number(match["days"]) if match["days"] else 0
                return None, count * (30 if match["unit"] == "个月" else 1), match[0]
    return None, None, ""


def read_repeals(texts: Sequence[str]) -> Iterator[tuple[str, dt.date | None, str]]:
    """Yield (normalised title, date that the sentence itself gives, words before the title) of what a statute repeals.

    A law of which only a part is repealed (《…》第三条, 《…》中有关…的规定) is not repealed.
    """
    for wrapped in texts:
        text = _WRAPPED.sub("", wrapped)
        for listed in _LISTED_REPEAL.finditer(text):
            yield normalise_title(listed[1]), None, listed[0]
        for end in _REPEAL.finditer(text):
            start = max((match.end() for match in _SENTENCE_END.finditer(text, 0, end.start())), default=0)
            sentence = text[start : end.start()]
            own = _IN_FORCE.search(sentence) or _IN_FORCE.search(text)
            day = read_date(own["date"]) if own and own["date"] else None
            at = 0
            for title in _QUOTED.finditer(sentence):
                if title[0][0] != "《":
                    continue
                after = sentence[title.end() :]
                before = sentence[at : title.start()]
                at = title.end()
                if _NOT_WHOLE.match(after) or re.search(r"(?:根据|依照|依据|按照)[^，、；]*$|修改$", before):
                    continue
                yield normalise_title(title[0]), day, before
