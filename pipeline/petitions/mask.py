"""Masking (脱敏): personal data becomes placeholders before a text is learnt from, logged or shown.

Numbers are told by their form and check digits; what has no form of its own (bare numbers, account names, names of persons)
only by the words that introduce it. Hotlines, document numbers (〔2018〕37号), amounts and work-order numbers stay.

Finding goes over a canvas: the text with each span found replaced, at the same length, by what behaves as a placeholder
does. Finders run in order until none finds anything, so masking twice is masking once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.petitions._names import ADJOINING, NAME_TRIPLES, find_names
from pipeline.petitions.clean import code_points
from pipeline.petitions.offsets import Edit, OffsetMap

MOBILE = "手机号"
LANDLINE = "固定电话"
ID_CARD = "身份证号"
BANK_CARD = "银行卡号"
PLATE = "车牌号"
EMAIL = "邮箱"
WECHAT = "微信号"
QQ = "QQ号"
NAME = "姓名"
#: What may be masked; the placeholder of a kind is 〔kind〕.
KINDS = (MOBILE, LANDLINE, ID_CARD, BANK_CARD, PLATE, EMAIL, WECHAT, QQ, NAME)


@dataclass(frozen=True, slots=True)
class MaskedSpan:
    """Characters [start, end) of the input held personal data of a kind, one of `KINDS`."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked text, what was masked in the input (in order of position), and where characters stood in the input."""

    text: str
    spans: tuple[MaskedSpan, ...]
    offsets: OffsetMap

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest span of the input that holds the sources of `text[start:end]`; ValueError outside."""
        return self.offsets.to_original(start, end)

    def from_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of `text` that holds what became of the input's [start, end); ValueError outside."""
        return self.offsets.from_original(start, end)


def mask(text: str) -> Masked:
    """Mask one cleaned text and keep spans and offset map; masking the result again changes nothing."""
    spans = _find(text, -1)
    edits: list[Edit] = []
    shift = 0
    for span in spans:
        size = len(span.kind) + 2
        edits.append(Edit(span.start, span.end, span.start + shift, span.start + shift + size))
        shift += size - (span.end - span.start)
    return Masked(_replace(text, spans), tuple(spans), OffsetMap(len(text), len(text)).step(edits))


def mask_texts(texts: Sequence[str]) -> tuple[list[str], Counter[str]]:
    """Mask a column of cleaned texts; return the texts, which are those `mask` gives, and how many spans of each kind."""
    counts: Counter[str] = Counter()
    masked = list(texts)
    for at, bits in _suspects(texts):
        spans = _find(texts[at], bits)
        if spans:
            counts.update(span.kind for span in spans)
            masked[at] = _replace(texts[at], spans)
    return masked, counts


def _replace(text: str, spans: Sequence[MaskedSpan]) -> str:
    """Put placeholders in place of spans."""
    parts: list[str] = []
    done = 0
    for span in spans:
        parts += text[done : span.start], f"〔{span.kind}〕"
        done = span.end
    parts.append(text[done:])
    return "".join(parts)


_WIDE = {code: chr(code - 0xFEE0) for code in (*range(0xFF10, 0xFF1A), 0xFF20, 0xFF0A, 0xFF0B, 0xFF0D)}
_WIDE_SIGN = re.compile("[０-９＠＊＋－]")
_CHINESE_DIGITS = "零〇○一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖"
#: Six digits or stars near each other, or Chinese digits in a row: a text with neither holds no number to mask.
_HINT = re.compile(r"[0-9０-９*＊](?:[-()（） .·/—–－_]{0,3}[0-9０-９*＊xX〇○零一二三四五六七八九]){5}")
_CHINESE_HINT = re.compile(rf"[一幺壹][{_CHINESE_DIGITS}0-9]{{6}}")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjklmnpqrstuvwxyz"

#: What a text may hold besides names, one bit each, above those of `_names`.
_EMAILS, _ACCOUNTS, _PLATES, _NUMBERS = (1 << n for n in range(len(NAME_TRIPLES), len(NAME_TRIPLES) + 4))
_TRIPLES = NAME_TRIPLES | {
    _EMAILS: ("@＠", "", ""),
    _ACCOUNTS: ("qQ扣企微薇wWvV", "qQ扣鹅信eExX", ""),
    _PLATES: (_PROVINCES, _PLATE_LETTERS, ""),
}
#: For each code point the bits of the triples it may begin and, from `_SECOND` upwards, of those it may go on; two bits
#: between say whether it is a digit or a separator of the hints. Third characters are looked up only where two have been met.
_MEMBER, _THIRD = np.zeros(0x10000, np.uint32), np.zeros(0x10000, np.uint32)
_SECOND, _DIGIT, _SEPARATOR = 16, 1 << 15, 1 << 14
for _bit, (_first, _second, _third) in _TRIPLES.items():
    for _table, _set, _value in ((_MEMBER, _first, _bit), (_MEMBER, _second, _bit << _SECOND), (_THIRD, _third, _bit)):
        _table[[*map(ord, _set)] or slice(None)] |= np.uint32(_value)
_MEMBER[[*map(ord, f"0123456789０１２３４５６７８９*＊xX{_CHINESE_DIGITS}")]] |= np.uint32(_DIGIT | _SEPARATOR)
_MEMBER[[*map(ord, "-()（） .·/—–－_")]] |= np.uint32(_SEPARATOR)

#: What fills the place of a number beside which a name may stand; `_names` knows the sign.
_FILLING = dict.fromkeys((MOBILE, LANDLINE, ID_CARD), "〓")


def _suspects(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield which texts may hold something to mask, in order, each with the bits of what it may hold.

    The scan is wider than the finders and never narrower: it looks at three characters at a time, and for six digits with
    separators alone between them, the least that a hint needs, within 21 characters.
    """
    for first, codes, ends in code_points(texts):
        member = _MEMBER.take(codes)
        pairs = member[:-1] & member[1:] >> _SECOND
        places = np.flatnonzero(pairs != 0)
        bits = pairs[places] & _THIRD[codes[places + 2]]
        runs = np.flatnonzero((member & _SEPARATOR) != 0)
        which = np.flatnonzero((member[runs] & _DIGIT) != 0)
        digits = runs[which]
        others = digits - which  # how many characters before each digit are neither digits nor separators
        hints = digits[:-5][(others[5:] == others[:-5]) & (digits[5:] - digits[:-5] <= 20)]
        found = np.zeros(len(ends), np.uint32)
        np.bitwise_or.at(found, np.searchsorted(ends, places), bits)
        found[np.searchsorted(ends, hints)] |= np.uint32(_NUMBERS)
        suspects = np.flatnonzero(found)
        yield from zip((suspects + first).tolist(), found[suspects].tolist(), strict=True)


def _find(text: str, bits: int) -> list[MaskedSpan]:
    """Return the disjoint spans to mask, in order; `bits` holds at least those that `_suspects` gives, -1 is all."""
    # What is searched for between `start` and `end` holds a match of `_HINT` and never runs over a full stop: the sentences
    # from the first such match to the last will do.
    start = end = 0
    if bits & _NUMBERS:
        hints = [*_HINT.finditer(text)]
        if hints:
            start = text.rfind("。", 0, hints[0].start()) + 1
            end = (text.find("。", hints[-1].end()) + 1) or len(text)
        elif not _CHINESE_HINT.search(text):
            bits &= ~_NUMBERS
    canvas = text
    if (bits & _NUMBERS or "＠" in text or "＊" in text) and _WIDE_SIGN.search(text):
        canvas = text.translate(_WIDE)
    spans: list[MaskedSpan] = []
    while True:
        known = len(spans)
        for kind, wanted, finder in _FINDERS:
            if bits & wanted:
                for found in finder(canvas, start, end):
                    canvas = _claim(canvas, MaskedSpan(*found, kind), spans)
        if spans:
            bits |= ADJOINING  # no other triple holds a character of the filling
        for found in find_names(canvas, bits):
            canvas = _claim(canvas, MaskedSpan(*found, NAME), spans)
        if len(spans) == known:
            return sorted(spans, key=lambda span: span.start)


def _claim(canvas: str, span: MaskedSpan, spans: list[MaskedSpan]) -> str:
    """Add a span to `spans` and fill its place, unless part of it was claimed before; return the canvas."""
    start, end = span.start, span.end
    if "〔" in canvas[start:end] or "〕" in canvas[start:end]:
        return canvas
    spans.append(span)
    return f"{canvas[:start]}〔{_FILLING.get(span.kind, '＿') * (end - start - 2)}〕{canvas[end:]}"


# --- numbers with a form of their own -------------------------------------------------------------------------------

# A look-behind stands after the first character: a pattern that begins with a character class is searched for fast.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9_.+*-])[A-Za-z0-9_.+*-]{1,64}@[A-Za-z0-9*-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.[A-Za-z]{2,12}"
)
_ID18 = re.compile(
    r"[1-9](?<![0-9A-Za-z].)(?:[0-9]{5}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3}[ -]?|(?: [0-9]){16} )[0-9Xx](?![0-9A-Za-z])"
)
_ID15 = re.compile(r"[1-9](?<![0-9A-Za-z].)[0-9]{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}(?![0-9A-Za-z])")
_ID_STARRED = re.compile(r"[1-9](?<![0-9A-Za-z*].)[0-9*Xx]{13,16}[0-9*Xx](?![0-9A-Za-z*])")
# 身份证 and, within a short reach, a number of any length.
_ID_NAMED = re.compile(r"身份证[^0-9*〔〕，。；;\n]{0,12}([1-9][0-9* -]{5,20}[0-9Xx*])(?![0-9A-Za-z*])")
_ID_PROVINCES = frozenset(
    f"{code}"
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for code in range(first, last + 1)
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_BORN = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
#: A number that begins with a date and time is one of a matter; one of 86 and a mobile number is no card.
_NO_CARD = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|861[3-9][0-9]{9}\Z")
#: Words before a number that make it one of a matter and not of a person.
_ORDER = re.compile(
    r"(?:工单|订单|单号|编号|案号|流水号|快递|运单|受理号|信件|合同|发票|税号|信用代码|备案|文号|条形码|条码|型号|批号|许可证|执照|序列号|交易号)"
    r"[^0-9〔〕，。；;\n]{0,8}\Z"
)
_CARD = re.compile(
    r"[1-9](?:(?<![0-9A-Za-z.].)[0-9]{12,18}(?![0-9A-Za-z])"
    r"|(?<![0-9].)(?<![0-9][ -].)[0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?:\1[0-9]{1,3})?(?![0-9]))"
)
_CARD_NAMED = re.compile(
    r"(?:卡号|账号|帐号|账户|帐户|银行卡|储蓄卡|信用卡|社保卡)[^0-9*〔〕，。；;\n]{0,10}([0-9](?:[ *-]{0,3}[0-9*]){7,20})(?![0-9])"
    r"(?!元|块|万|[.]?[0-9])"
)
_MOBILE = re.compile(
    # in one piece, or two or three run together
    r"1(?:(?:(?<![0-9].)|(?<=861)(?<![0-9]861)|(?<=00861))[3-9][0-9]{9}(?:1[3-9][0-9]{9}){0,2}(?![0-9])"
    # in pieces of any length
    r"|(?:(?<![0-9].)(?:(?<![0-9][-—–.].)|(?<=86-1))|(?<=861)(?<![0-9]861)|(?<=00861))[ \-—–_]{0,3}[3-9](?:[ \-—–_]{0,3}[0-9]){9}(?![0-9])"
    r"|(?<![0-9.].)[3-9][0-9]([.·/])[0-9]{4}\1[0-9]{4}(?![0-9])"
    # with stars
    r"|(?<![0-9*].)[3-9*][0-9]?[0-9*]{0,8}[*xX]{3,8}[0-9*]{0,8}(?![0-9*]))"
)
_CHINESE_MOBILE = re.compile(
    rf"[1一幺壹](?<![{_CHINESE_DIGITS}0-9].)[3-9三四五六七八九叁肆伍陆柒捌玖][0-9{_CHINESE_DIGITS}]{{9}}(?![{_CHINESE_DIGITS}0-9])"
)
_COUNTRY = re.compile(r"(?:(?:\+|(?<![0-9])00)86|(?<![0-9])86)[ -]{0,3}\Z|[(（]\+?86[)）][ -]?\Z")
_DATED = re.compile(r"(?:19|20)[0-9]{2}-[0-9]{1,2}-[0-9]{1,2}")
_LANDLINE = re.compile(
    r"[(（0](?<![0-9].)(?:(?<=[(（])0[0-9]{2,3}[)）][ -]{0,2}|(?<=0)(?:10|2[0-9]|[3-9][0-9]{2})[)）]?[ \-—–]{0,3})"
    r"[1-9*][0-9*]{2,3}[ -]?[0-9*]{4}(?:[ ]?(?:-|—|转分机|转|分机号?|[eE]xt\.?)[ :：]?[0-9]{1,6})?(?![0-9*])"
)
_BARE = (
    r"(?!400|800|1[0-9]{4}(?![0-9]))[1-9][0-9*]{2,3}[ -]?[0-9*]{4,9}(?:[ ]?(?:-|转分机|转|分机号?)[ :：]?[0-9]{1,6})?"
    r"(?![0-9*]|[.][0-9]|元|块|万|年|户|人|平)"
)
_BARE_NAMED = re.compile(
    rf"(?:电话|致电|座机|手机|联系方式|联系号码|热线|拨打|tel|Tel|TEL)(?:号码|号)?(?:[是为：:. ]|\n)*({_BARE})((?:[、/,，或 ]+{_BARE})*)"
)
_BARE_ONE = re.compile(_BARE)
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-HJ-NP-Za-hj-np-z][ ·•.\-]?"
    r"(?:(?=[A-Za-z]{0,2}[0-9*])[A-HJ-NP-Za-hj-np-z0-9*]{5,6}|[A-HJ-NP-Za-hj-np-z0-9*]{4}[挂学警港澳])(?![A-Za-z0-9*])"
)
_PLATE_DIGIT = re.compile(r"[0-9*]")
_QQ = re.compile(
    r"(?:[Qq][Qq]|扣扣|企鹅号)(?:群|号码|号|群号|邮箱)?(?:[是为：: ]|/微信)*([1-9][0-9*]{4,11})(?![0-9*]|元|块|万)"
)
_WECHAT = re.compile(
    r"[微薇wWvV](?:(?<=[微薇])信|(?<=[wW])(?:[eE][cC][hH][aA][tT]|[eE][iI][xX][iI][nN])|(?<![A-Za-z].)[xX])"
    # after a mark any name of an account, else one that has a digit
    r"(?:(?:(?:账号|帐号|号码|号|ID)(?:[是为：: ])*|[是为]?[：:]+ *)(?P<marked>[A-Za-z0-9][-_A-Za-z0-9*]{4,19})"
    r"|[是为 ]*(?P<bare>(?=[A-Za-z_-]{0,19}[0-9])[A-Za-z0-9][-_A-Za-z0-9*]{5,19}))(?![-_A-Za-z0-9*@.]|元|块|万)"
)


def _digits(text: str) -> str:
    """Return the digits and check letter of a number."""
    return "".join(c for c in text if c.isdigit() or c in "Xx").upper()


def _valid_id(number: str) -> bool:
    """Say whether the check digit of an 18-character identity number is right (GB 11643-1999)."""
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number[:17], strict=True))
    return "10X98765432"[total % 11] == number[17]


def _luhn(number: str) -> bool:
    """Say whether the check digit of a card number is right (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _is_order(text: str, start: int) -> bool:
    """Say whether the words before `start` announce the number of a matter."""
    return _ORDER.search(text, max(0, start - 16), start) is not None


def _emails(text: str, _start: int, _end: int) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _EMAIL.finditer(text))


def _id_cards(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _ID18.finditer(text, start, end):
        number = _digits(match[0])
        born = _BORN.match(number, 6) is not None
        person = born and number[:2] in _ID_PROVINCES  # whatever the words before it say
        if person or ((born or _valid_id(number)) and not _is_order(text, match.start())):
            yield match.span()
    for match in _ID15.finditer(text, start, end):
        if match[0][:2] in _ID_PROVINCES and not _is_order(text, match.start()):
            yield match.span()
    if "*" in text:
        for match in _ID_STARRED.finditer(text, start, end):
            if match[0].count("*") + match[0].upper().count("X") >= 4 and len(match[0]) in (15, 18):
                yield match.span()
    if "身份证" in text:
        yield from (match.span(1) for match in _ID_NAMED.finditer(text))


def _bank_cards(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text, start, end):
        number = _digits(match[0])
        if _luhn(number) and not _NO_CARD.match(number) and not _is_order(text, match.start()):
            yield match.span()
    if "卡" in text or "账" in text or "帐" in text:
        yield from (match.span(1) for match in _CARD_NAMED.finditer(text, start, end))


def _mobiles(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in _MOBILE.finditer(text, start, end):
        starred = "*" in match[0] or "x" in match[0].lower()
        if (starred and not 9 <= len(match[0]) <= 13) or _DATED.search(match[0]):
            continue
        country = _COUNTRY.search(text, max(0, match.start() - 8), match.start())
        yield (country or match).start(), match.end()
    yield from (match.span() for match in _CHINESE_MOBILE.finditer(text))


def _landlines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _LANDLINE.finditer(text, start, end))
    for match in _BARE_NAMED.finditer(text, start, end):
        if not match[1].startswith("1") or len(_digits(match[1])) < 11:
            yield match.span(1)
        if match[2]:
            yield from (more.span() for more in _BARE_ONE.finditer(text, *match.span(2)))


def _named_mobiles(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield numbers of eleven to thirteen digits, with a digit too many, where a telephone is announced."""
    for match in _BARE_NAMED.finditer(text, start, end):
        if match[1].startswith("1") and len(_digits(match[1])) >= 11:
            yield match.span(1)


def _plates(text: str, _start: int, _end: int) -> Iterator[tuple[int, int]]:
    for match in _PLATE.finditer(text):
        if len(_PLATE_DIGIT.findall(match[0])) >= 2:
            yield match.span()


def _qqs(text: str, _start: int, _end: int) -> Iterator[tuple[int, int]]:
    yield from (match.span(1) for match in _QQ.finditer(text))


def _wechats(text: str, _start: int, _end: int) -> Iterator[tuple[int, int]]:
    yield from (match.span(match.lastgroup or 0) for match in _WECHAT.finditer(text))


#: (kind, what a text must hold, finder), in the order in which they claim characters; names come after all of them.
_FINDERS: tuple[tuple[str, int, Callable[[str, int, int], Iterator[tuple[int, int]]]], ...] = (
    (EMAIL, _EMAILS, _emails),
    (ID_CARD, _NUMBERS, _id_cards),
    (BANK_CARD, _NUMBERS, _bank_cards),
    (MOBILE, _NUMBERS, _mobiles),
    (LANDLINE, _NUMBERS, _landlines),
    (MOBILE, _NUMBERS, _named_mobiles),
    (QQ, _ACCOUNTS, _qqs),
    (WECHAT, _ACCOUNTS, _wechats),
    (PLATE, _PLATES, _plates),
)
