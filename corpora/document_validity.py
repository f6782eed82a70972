"""From when a policy document is in force and until when: 施行日期 and 有效期, as its own text says.

Only sentences about the document itself count: 本办法自…起施行, 自印发之日起施行，有效期3年; a licence's 有效期, or the day from
which another document applies, is passed over.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re

from corpora.document_dates import DATE, parse_date
from corpora.legal import NUMBER as DIGITS
from corpora.legal import parse_number

_OWN = r"(?:本|此)(?:办法|规定|细则|条例|意见|通知|决定|方案|措施|政策|规则|规程|规范|制度|计划|规划|指南|标准|预案|准则|文件|实施\w{1,4}|暂行\w{1,4}|管理\w{1,4}|若干\w{1,4}|\w{0,4})"
_FORCE = r"(?:正式)?(?:施行|实施|执行|生效|试行|启用)"
_START = re.compile(
    rf"(?:自|从|于)\s{{0,2}}(?:{DATE.pattern}|(?P<event>发布|公布|印发|发文|下发|颁布|签发|批准)(?:之日|之时|日)?)\s{{0,2}}"
    rf"(?P<day>之日|当日)?(?:起|后)?(?:满?(?P<after>{DIGITS})\s?(?P<unit>日|天|个月)后)?(?:开始)?{_FORCE}"
)
_TERM = re.compile(
    rf"(?:有效期|试行期|执行期|施行期|实施期|试点期|试点期限|有效期限|政策执行期限?|施行期限|实施期限)\s?(?:限)?(?:暂定)?(?:为|是|：|:)?\s?"
    rf"(?:自\s?(?:{DATE.pattern}|[^，。；\d]{{2,12}}?)\s?(?:之日)?(?:起)?(?:施行)?[，,]?(?:有效期)?)?\s?"
    rf"(?:(?P<years>{DIGITS})\s?(?:个)?(?P<unit>年|个?月|周年)|(?:至|到|截至|截止)\s?(?P<until>(?:[12１２][0-9０-９]{{3}}|[一二][零〇○一二三四五六七八九]{{3}})\s?年[^，。；]{{2,12}}?日)(?:止|为止)?)"
)
_TRIAL = re.compile(rf"(?:本\w{{1,8}}|，|。|^)(?:暂定)?试行\s?(?P<years>{DIGITS})\s?(?:个)?(?P<unit>年|月)(?![内度])")
#: What a sentence must hold for a term to be the document's own.
_ABOUT_SELF = re.compile(rf"{_OWN}|{_FORCE}之日|起{_FORCE}|之日起")
_OTHERS = re.compile(
    r"证书?|许可|资质|资格|合同|协议|执照|报告|标志|备案|申请|认定|认证|批文|结果|荣誉|称号|牌照|(?<!本)规范性文件，"
)


def effective_on(text: str, issued: dt.date | None) -> dt.date | None:
    """Return the day from which the document is in force; None if its text does not say, or says 印发之日 of no date."""
    last: dt.date | None = None
    for match in _START.finditer(text):
        sentence = text[_sentence_start(text, match.start()) : match.start()]
        if "《" in sentence and not re.search(r"本\w{1,10}[^《》]{0,12}$|》[^，]{0,6}[，,]\s*$", sentence):
            continue
        if not re.search(
            rf"{_OWN}[^，。；]{{0,30}}$|^[^，。；]{{0,10}}$|[，,：]\s*$|(?:公布|发布)[，,]?\s*$", sentence
        ):
            continue
        day = issued if match["event"] else _date(match)
        if day is None:
            continue
        if match["after"]:
            day = _later(day, parse_number(match["after"]), match["unit"])
        last = day
    return last


def expires_on(text: str, issued: dt.date | None, effective: dt.date | None) -> dt.date | None:
    """Return the last day of the document's term; None if its text gives none, or one that begins on no known day."""
    last: dt.date | None = None
    for match in [*_TERM.finditer(text), *_TRIAL.finditer(text)]:
        start = _sentence_start(text, match.start())
        around = text[start : match.end() + 30]
        if not _ABOUT_SELF.search(around) or _OTHERS.search(text[max(start, match.start() - 20) : match.start()]):
            continue
        groups = match.groupdict()
        if groups.get("until"):
            found = DATE.search(groups["until"])
            day = parse_date(found) if found else None
        else:
            begin = (_date(match) if match.re is _TERM else None) or effective or issued
            if begin is None or not groups["years"]:
                continue
            try:
                count = parse_number(groups["years"])
            except ValueError:
                continue
            unit = "个月" if "月" in groups["unit"] else "年"
            day = _later(begin, count, unit) - dt.timedelta(days=1) if count <= 50 else None
        last = day or last
    return last


def _date(match: re.Match[str]) -> dt.date | None:
    if match[1] is None:
        return None
    found = DATE.search(match[0])
    return parse_date(found) if found else None


def _sentence_start(text: str, at: int) -> int:
    low = max(0, at - 160)
    return max(text.rfind(mark, low, at) for mark in "。；\n") + 1 or low


def _later(day: dt.date, count: int, unit: str) -> dt.date:
    if unit in ("日", "天"):
        return day + dt.timedelta(days=count)
    months = day.month - 1 + count * (12 if unit == "年" else 1)
    year, month = day.year + months // 12, months % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
