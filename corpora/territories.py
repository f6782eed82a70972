"""Whose territory an organ's name or a title speaks of: 杭州市人民政府 → 浙江/杭州, 河北省教育厅 → 河北.

Provinces, cities and counties come from the list of administrative divisions. A county that is not in it is told by its form
alone, and is put below a city or province only where the name says so: nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from corpora.divisions import Divisions

_ETHNIC = (
    "壮族|回族|维吾尔|朝鲜族|土家族|苗族|藏族|羌族|彝族|布依族|侗族|哈尼族|傣族|白族|景颇族|傈僳族|(?<!内)蒙古族?|哈萨克"
    "|柯尔克孜族?|满族|畲族|瑶族|黎族|拉祜族|佤族|纳西族|仡佬族|水族|仫佬族|毛南族|撒拉族|裕固族|保安族|东乡族|独龙族|怒族"
    "|普米族|布朗族|塔吉克|锡伯|达斡尔族?|鄂温克族?|鄂伦春"
)
_PROVINCE_END = re.compile(rf"(?:{_ETHNIC})*(?:特别行政区|自治区|省|市)$")
_COUNTY_END = re.compile(rf"(?<=..)(?:(?:{_ETHNIC}|各族)*自治[县旗]|县|旗|区|市)$|(?<=东乡)族自治县$")
_CITY_END = re.compile(rf"(?:(?:{_ETHNIC})+自治州|自治州|地区|盟|(?<=..)市)$")
#: Provinces that the list of divisions leaves out.
_ELSEWHERE = ("台湾省", "香港特别行政区", "澳门特别行政区")
_NATIONAL = re.compile(
    r"中共中央|中央|国务院|全国人民代表大会|全国人大|最高人民|中华人民共和国|国家|中国(?!共产党[^中])|全国"
    r"|(?:外交|国防|教育|科技|科学技术|工业和信息化|公安|民政|司法|财政|人力资源社会保障|人力资源和社会保障|自然资源|国土资源"
    r"|生态环境|环境保护|住房城乡建设|住房和城乡建设|建设|交通运输|交通|水利|农业农村|农业|商务|文化和旅游|文化|卫生|铁道|应急管理"
    r"|退役军人事务|监察|人事|信息产业|劳动和社会保障)部"
    r"|人民银行(?!.{2,8}(?:支行|分行))|审计署|海关总署|税务总局|市场监管总局|国资委|证监会|银保监会|银监会|保监会"
)
_TOWN = re.compile(r"[\u4e00-\u9fff]{2,6}?(?:镇|乡|街道)(?:人民政府|办事处|党委|党工委)")
_COUNTY = re.compile(
    r"([\u4e00-\u9fff]{1,12}?(?:自治县|县|旗|区|市))"
    r"(?=人民政府|人民代表|政府|委|[\u4e00-\u9fff]{0,14}(?:局|办公室|委员会|部|中心|办法|规定|细则|方案|意见|通知|决定)|关于"
    r"|[\u4e00-\u9fff]{2,6}(?:镇|乡|街道))"
)
#: 区 and 市 that are no divisions: 自贸区, 开发区, 城市, 全市 …
_NO_COUNTY = re.compile(
    r"(?:开发|产业园|工业园|自贸|试验|示范|保税|高新|风景|名胜|(?<!浦东)(?<!滨海)新)区$|^(?:[本全各我都股城]|.?[社地矿景园小片校库辖])[区市县]$"
)

_NAMED = re.compile(r"(?:自治区|自治州|自治县|自治旗|地区|[省市州盟县区旗])(?![\u4e00-\u9fff]?(?:级|属))")
#: Characters of the longest name: 双江拉祜族佤族布朗族傣族自治县.
_LONGEST = 16


@dataclass(frozen=True, slots=True)
class Place:
    """What a name says of its territory.

    Attributes:
        territory: "" for the whole country or where nothing is found, else 浙江, 浙江/杭州, 浙江/温州/龙港; "" also for a
            county whose city and province neither the name nor the table tells.
        level: 国家, 省, 市, 县, 乡镇, or "" where nothing is found.
    """

    territory: str
    level: str


@dataclass(frozen=True, slots=True)
class _Table:
    provinces: dict[str, str]  # full and short names → short name
    cities: dict[str, tuple[str, str]]  # names → province, city
    counties: dict[str, list[tuple[str, str, str]]]  # full names → province, city (or ""), county
    names: re.Pattern[str]
    full: dict[str, str]  # territory → the full name of its last part
    named: dict[str, list[str]]  # the other way round


@cache
def _table() -> _Table:
    divisions = Divisions.load()
    provinces: dict[str, str] = {}
    cities: dict[str, tuple[str, str]] = {}
    counties: dict[str, list[tuple[str, str, str]]] = {}
    for name in (*divisions.provinces.values(), *_ELSEWHERE):
        provinces[name] = provinces[_PROVINCE_END.sub("", name)] = _PROVINCE_END.sub("", name)
    for code, name in divisions.cities.items():
        city = _CITY_END.sub("", name)
        forms = {name, city, city + "州"} if name.endswith("自治州") else {name, city} if name.endswith("市") else {name}
        cities |= dict.fromkeys(forms, (provinces[divisions.provinces[code[:2]]], city))
    for code, name in divisions.counties.items():
        city = _CITY_END.sub("", divisions.cities.get(code[:4], ""))
        if code[:4] not in divisions.cities or name != divisions.cities[code[:4]]:  # 东莞市 is its own only county
            place = provinces[divisions.provinces[code[:2]]], city, _COUNTY_END.sub("", name)
            counties.setdefault(name, []).append(place)
    # 吉林 and 海南 are provinces too: the city or prefecture is meant only with 市 or 州.
    cities = {name: found for name, found in cities.items() if name not in provinces}
    pattern = "|".join(map(re.escape, sorted([*provinces, *cities], key=len, reverse=True)))
    full = {provinces[name]: name for name in (*divisions.provinces.values(), *_ELSEWHERE)}
    full |= {"/".join(cities[name]): name for name in divisions.cities.values() if name in cities}
    full |= {"/".join(filter(None, place)): name for name, places in counties.items() for place in places}
    named: dict[str, list[str]] = {}
    for territory, name in full.items():
        named.setdefault(name, []).append(territory)
    return _Table(provinces, cities, counties, re.compile(pattern), full, named)


def full_names(territory: str) -> tuple[str, ...]:
    """Return the names of a territory and those above it, the widest first: 浙江/温州/龙港 → 浙江省, 温州市, 龙港市.

    A part that the list of divisions does not have is left out.
    """
    parts = territory.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)] if territory else []
    return tuple(_table().full[part] for part in above if part in _table().full)


def name_ending(text: str) -> str:
    """Return the full name of a province, city or county with which a text ends; "" where there is none."""
    names = _table().named
    return next((text[-size:] for size in range(min(len(text), _LONGEST), 2, -1) if text[-size:] in names), "")


def sole_province(text: str) -> str:
    """Return the short name of the province that all places named in full in a text lie in; "" if there are several or none."""
    found = set()
    for match in _NAMED.finditer(text):
        meant = {place.split("/")[0] for place in _table().named.get(name_ending(text[: match.end()]), ())}
        if len(meant) == 1:  # 鼓楼区 is in four provinces
            found |= meant
    return found.pop() if len(found) == 1 else ""


def last_named(text: str) -> str:
    """Return the territory of the last province, city or county that a text names in full, "" where it names none."""
    for match in reversed(list(_NAMED.finditer(text))):
        name = name_ending(text[: match.end()])
        if name:
            above = name_ending(text[: match.end() - len(name)])
            meant = [place for place in _table().named[name] if not above or above in full_names(place)]
            return meant[0] if len(meant) == 1 else ""
    return ""


def place_of(name: str, *, organ: bool = True) -> Place:
    """Return the territory that an organ's name, or a document's title (`organ=False`), begins with.

    In a title, a county is taken only from the table: 河北省水功能区管理规定 speaks of no county.
    """
    text = re.sub(r"\s+", "", name).removeprefix("中共")
    table = _table()
    province = city = county = ""
    at = 0
    while match := table.names.match(text, at):
        word = match[0]
        if word in table.cities and not city and (not province or table.cities[word][0] == province):
            province, city = table.cities[word]
        elif word in table.provinces and not province and not city:
            province = table.provinces[word]
        else:
            break
        at = match.end()
    level = "市" if city else "省" if province else ""
    if not province and _NATIONAL.match(name.strip()):
        return Place("", "国家")
    rest = text[at:]
    found = _COUNTY.match(rest)
    if found and not _NO_COUNTY.search(found[1]):
        level = "县"
        known = [
            place
            for place in table.counties.get(found[1], ())
            if province in ("", place[0]) and city in ("", place[1])
        ]
        if not known and not organ:
            return Place(
                "/".join(part for part in (province, city) if part), "市" if city else "省" if province else ""
            )
        if len(known) == 1:
            province, city, county = known[0]
        elif province:
            county = _COUNTY_END.sub("", found[1]) or found[1]
        rest = rest[found.end(1) :]
    if _TOWN.match(rest):
        level = "乡镇"
    return Place("/".join(part for part in (province, city, county) if part), level)
