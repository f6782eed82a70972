"""Territories in unit names: 上海市闵行区七宝镇人民政府 governs 上海市 › 闵行区 › 七宝镇."""

from __future__ import annotations

import re

_PART = re.compile(
    r"(?P<province>[一-鿿]{2,6}?(?:省|自治区|特别行政区))?"
    r"(?P<city>[一-鿿]{2,6}?(?:自治州|地区|盟|市))?"
    r"(?P<county>[一-鿿]{2,8}?(?:新区|开发区|高新区|管理区|区|自治县|县|自治旗|旗|市))?"
)
_TOWN = re.compile(r"^(?:人民政府)?(?P<town>[一-鿿]{1,8}?(?:街道|镇|乡|苏木|新区|开发区|园区|度假区|保税区|工业区))(?=人民政府|街道办|办事处|管理委员会|管委会|政府|党工委|$)")
_COMMUNITY = re.compile(r"(?P<community>[一-鿿]{2,10}?(?:社区|村))(?:居民委员会|村民委员会|居委会|村委会|$)")
_PARTY = re.compile(r"^(?:中共|中国共产党)")


def territory_parts(name: str) -> tuple[str, ...]:
    """Return the territories named at the head of a unit's name, widest first; () where there is none.

    上海市浦东新区人民政府花木街道办事处 → 上海市, 浦东新区, 花木街道; 菊园新区管理委员会 → 菊园新区.
    """
    return _split(name)[0]


def body_kind(name: str) -> str:
    """Return what remains of a unit's name without its territories: 教育局, 人民政府, 街道办事处."""
    return _split(name)[1]


def _split(name: str) -> tuple[tuple[str, ...], str]:
    rest = _PARTY.sub("", "".join(name.split()))
    parts: list[str] = []
    match = _PART.match(rest)
    if match and match.end():
        for key in ("province", "city", "county"):
            if match[key]:
                parts.append(match[key])
        rest = rest[match.end() :]
    town = _TOWN.match(rest)
    if town:
        parts.append(town["town"])
        end = town.end()
        # 街道 is both the territory's ending and the office's: 花木街道 › 街道办事处.
        rest = "街道" + rest[end:] if town["town"].endswith("街道") and rest[end:].startswith("办事处") else rest[end:]
    community = _COMMUNITY.match(rest)
    if community:
        parts.append(community["community"])
        rest = rest[community.end("community") :]
    return tuple(parts), rest
