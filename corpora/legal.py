"""Value types of the legal side: article numbers, laws with their dated versions, articles, policy documents.

Source of the forms: 立法技术规范 (articles 条, paragraphs 款, items 项; inserted articles 第N条之一).
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass, field
from functools import total_ordering

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")
#: Characters of a number in Chinese or Arabic digits, for patterns.
NUMBER = r"[0-9０-９零〇○一二三四五六七八九十百千两]+"
_ARTICLE = re.compile(rf"第?\s*({NUMBER})\s*条(?:\s*之\s*({NUMBER}))?")


def parse_number(text: str) -> int:
    """Return the value of a number below 10,000 in Arabic (half or full width) or Chinese digits (一百二十, 二〇).

    Raises:
        ValueError: if it is no such number.
    """
    plain = text.translate(_WIDE)
    if plain.isascii() and plain.isdigit():
        return int(plain)
    if plain and all(c in _DIGITS for c in plain):  # 二〇一八, or a single digit
        return int("".join(str(_DIGITS[c]) for c in plain))
    total, digit, last = 0, None, 10_000
    for c in plain:
        if c in _UNITS:
            unit = _UNITS[c]
            if unit >= last or (digit is None and unit != 10):
                break
            total += (1 if digit is None else digit) * unit
            digit, last = None, unit
        elif c in _DIGITS and digit is None:
            digit = _DIGITS[c] or None
        else:
            break
    else:
        if plain:
            return total + (digit or 0)
    msg = f"not a number: {text!r}"
    raise ValueError(msg)


def format_number(value: int) -> str:
    """Return a number from 1 to 9,999 as statutes write it: 10 → 十, 105 → 一百零五, 1260 → 一千二百六十.

    Raises:
        ValueError: outside that range.
    """
    if not 1 <= value <= 9_999:
        msg = f"statutes number from 1 to 9999, not {value}"
        raise ValueError(msg)
    out, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            out += ("零" if gap and out else "") + "零一二三四五六七八九"[digit] + name
        gap = digit == 0
    return out.removeprefix("一") if 10 <= value < 20 else out


@total_ordering
@dataclass(frozen=True, slots=True)
class ArticleNumber:
    """Number of an article: 第一百二十条之一 is (120, 1), 第九条 is (9, 0)."""

    number: int
    suffix: int = 0

    def __post_init__(self) -> None:
        """Refuse what no statute has."""
        if not 1 <= self.number <= 9_999 or not 0 <= self.suffix <= 99:
            msg = f"no article number: {self.number} 之 {self.suffix}"
            raise ValueError(msg)

    @classmethod
    def parse(cls, text: str) -> ArticleNumber:
        """Return the number of `第十条`, `第10条之一`, `10` or `十`.

        Raises:
            ValueError: if the text is nothing of these.
        """
        match = _ARTICLE.fullmatch(text.strip())
        if match:
            return cls(parse_number(match[1]), parse_number(match[2]) if match[2] else 0)
        return cls(parse_number(text.strip()))

    def __str__(self) -> str:
        return f"第{format_number(self.number)}条" + (f"之{format_number(self.suffix)}" if self.suffix else "")

    def __lt__(self, other: ArticleNumber) -> bool:
        return (self.number, self.suffix) < (other.number, other.suffix)


class Rank(enum.StrEnum):
    """Rank (效力位阶) of a statute."""

    CONSTITUTION = "constitution"  # 宪法
    LAW = "law"  # 法律
    DECISION = "decision"  # 全国人大及其常委会的决定、法律解释
    ADMINISTRATIVE_REGULATION = "administrative_regulation"  # 行政法规
    SUPERVISORY_REGULATION = "supervisory_regulation"  # 监察法规
    LOCAL_REGULATION = "local_regulation"  # 地方性法规, 自治条例, 单行条例
    DEPARTMENT_RULE = "department_rule"  # 部门规章
    LOCAL_RULE = "local_rule"  # 地方政府规章
    JUDICIAL_INTERPRETATION = "judicial_interpretation"  # 司法解释


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a law: adopted, revised (修订: new text) or amended (修正: by a decision).

    Attributes:
        version_id: `<law_id>@<date of adoption or amendment>`.
        adopted: day on which it was passed.
        effective: day from which it is in force; None where unknown.
        approximate: whether `effective` is inferred (an amending decision's date, not a 施行 clause).
        event: 制定, 修订 or 修正.
        article_count: articles of the text; None where no source has it.
        complete: whether the text that the count was taken from is whole: the highest number tells of no missing article.
            None where no source has the text.
    """

    version_id: str
    adopted: dt.date
    effective: dt.date | None
    approximate: bool
    event: str
    article_count: int | None = None
    complete: bool | None = None


@dataclass(frozen=True, slots=True)
class Law:
    """A law under one title, from adoption to repeal; another law of the same title has another id.

    Attributes:
        law_id: short, stable: rank's initials and a hash of title and first adoption.
        title: full official title (中华人民共和国行政处罚法).
        aliases: other titles that mean this law and no other (行政处罚法, 处罚法 …).
        territory: "" for the whole country, else province or province/city (浙江, 浙江/杭州).
        versions: by date.
        repealed: day from which it is no longer in force, None if it is; `repealed_by` is the title of what repealed it.
    """

    law_id: str
    title: str
    aliases: tuple[str, ...]
    rank: Rank
    issuer: str
    territory: str
    versions: tuple[Version, ...]
    repealed: dt.date | None = None
    repealed_by: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """An article of one version; `text` has its paragraphs (款) on lines of their own, without the number."""

    version_id: str
    number: ArticleNumber
    heading: str  # 编/章/节 it stands in, joined by " / "
    text: str

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """款: the lines that are no items."""
        return tuple(line for line in self.text.split("\n") if line and not _ITEM.match(line))

    def items(self, paragraph: int) -> tuple[str, ...]:
        """项 of the paragraph with that number, from 1; empty where there are none or there is no such paragraph."""
        found: list[str] = []
        at = 0
        for line in self.text.split("\n"):
            if line and _ITEM.match(line):
                if at == paragraph:
                    found.append(line)
            elif line:
                at += 1
        return tuple(found)


_ITEM = re.compile(rf"[（(]\s*{NUMBER}\s*[）)]")


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy document as read; all spans anywhere point into `text`.

    Attributes:
        document_id: file name, with the row for files of many.
        source: path as given.
        text: whole text, lines ended by a line feed, nothing normalised away that a span could need.
        title, issuer, number, kind: 标题, 发文机关, 文号, 文种 (意见, 通知, 办法 …); "" where not found.
        issued, effective, expires: 成文日期, 施行日期, 有效期截止; None where the document does not say.
        dated_by: where `issued` comes from (`text`, `field`, `option`), "" where it is None.
        level: of the issuer (国家, 省, 市, 县, 乡镇, 部门, …), "" where not found; territory as in `Law`.
        fields: what the source says besides (site column, validity …).
        problems: what could not be read, in words for the reader.
    """

    document_id: str
    source: str
    text: str
    title: str = ""
    issuer: str = ""
    number: str = ""
    kind: str = ""
    issued: dt.date | None = None
    effective: dt.date | None = None
    expires: dt.date | None = None
    dated_by: str = ""
    level: str = ""
    territory: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
