"""What the name of a Chinese public body tells by itself: the territory it serves, and what kind of body it is.

Names run from the wide to the narrow: 上海市 + 浦东新区 + 人民政府 + 花木街道 + 办事处. A part is read from the left, one level
after the other. Endings of places also stand within functions (住房和城乡建设局, 市场监督管理局, 绿化和市容管理局): those are told apart by
how the function begins and by what follows the ending.
"""

from __future__ import annotations

import re
import unicodedata

_PROVINCES = tuple(
    "河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾".split()
)
_REGIONS = {
    "内蒙古": "内蒙古自治区",
    "广西": "广西壮族自治区",
    "西藏": "西藏自治区",
    "宁夏": "宁夏回族自治区",
    "新疆": "新疆维吾尔自治区",
}
_MUNICIPALITIES = ("北京", "上海", "天津", "重庆")
_PROVINCE = re.compile(
    "|".join([*(f"{p}省" for p in _PROVINCES), *_REGIONS.values(), "香港特别行政区", "澳门特别行政区"])
)
#: 浙江龙港市, 上海浦东新区: the ending left out. Only before a city or county, for 四川北路街道 is in Shanghai.
_BARE_PROVINCE = re.compile("|".join([*_PROVINCES, *_REGIONS, *_MUNICIPALITIES]))

#: Above the territory: parties, leagues and nationwide administrations whose local offices follow with the place.
_ABOVE = re.compile(
    r"(?:中国共产党|中共|共青团|中国人民政治协商会议|政协|国家税务总局|国家统计局|国家金融监督管理总局|中国人民银行"
    r"|国家粮食和物资储备局|中华人民共和国|国网|中国(?:电信|移动|联通|邮政)(?:集团|股份|有限公司|集团公司)*)"
)
_HAN = "[\u3400-\u9fff]"
#: What no name of a territory holds.
_NOT_WITHIN = r"(?!局|委员|政府|公司|集团|大学|学院|学校|医院|银行|中心(?!镇|街)|管理|服务|协会|联合会|检察|法院)"
#: How functions begin. A part that begins so is a territory only where a government follows (文化街道 is read as a whole).
_FUNCTION = re.compile(
    r"绿化|住房|住建|城乡|城市|城镇|农业|农村|乡村|乡镇|镇街|规划|文化|文旅|教育|卫生|民政|司法|财政|经济|商务|科技|科学|人力"
    r"|社会|社区|生态|自然|水务|水利|交通|公安|应急|审计|统计|市场|市容|市政|体育|医疗|退役|信访|国有|金融|建设|建筑|综合|道路|房屋"
)
_GOVERNMENT = re.compile(r"(?:人民)?政府|人大|人民代表|党委|党工委|街道|委(?!员会|托)")
#: Endings that are words of their own.
_GENERIC = frozenset({"城镇", "村镇", "乡镇", "集镇", "古镇", "小镇", "小城镇", "新市镇"})

_CITY = re.compile(
    rf"津市市|(?:兴安|锡林郭勒|阿拉善)盟|(?:大兴安岭|阿克苏|喀什|和田|塔城|阿勒泰|阿里)地区"
    rf"|(?:{_NOT_WITHIN}{_HAN}){{2,14}}?自治州"
    rf"|(?:{_NOT_WITHIN}(?![市区县旗]){_HAN}){{2,7}}?市"
    r"(?![场容值区])(?!民(?!政|族|宗))(?!政(?:工程|设施|公用|管理|建设|养护|园林|道路|绿化|集团|公司|环卫|所|署))"
)
_COUNTY = re.compile(
    rf"(?:{_NOT_WITHIN}(?!市){_HAN}){{2,16}}?(?:自治县|自治旗)"
    rf"|(?:(?:{_NOT_WITHIN}(?![市县]){_HAN}){{2,16}}?|(?<![\u3400-\u9fff])[东西城矿郊](?=区)|(?<=[市州])[东西城矿郊](?=区))"
    r"(?<![社小校片库地辖灾街厂病景城])(?<!大湾)(?<!上海湾)区(?![级域划块间]|街道)"
    rf"|(?:东|西|城|矿|郊|新城|老城|海城|城中|港城)区(?![级域划块间]|街道)"
    rf"|(?:{_NOT_WITHIN}(?![市县]){_HAN}){{1,7}}?县(?![镇乡村城级域前后]|街道|委(?!员|办|会|宣|组|统|政|社|网|党|书|机|老|巡)|道)"
    rf"|(?:{_NOT_WITHIN}(?![市县区]){_HAN}){{2,9}}?(?<!红)(?<!国)旗(?![街路小镇乡村舰袍])"
)
#: Zones with an administration of their own, which may begin as a function does (经济技术开发区, 农业示范区).
_ZONE = re.compile(
    r".*(?:新区|开发区|工业区|高新区|经开区|园区|度假区|旅游区|保税区|示范区|试验区|实验区|管理区|保护区|名胜区|风景区|自贸区|集聚区)$"
)
_STREET = re.compile(rf"(?:{_NOT_WITHIN}{_HAN}){{1,9}}?(?:街道(?!路)|地区(?=办事处))")
_TOWN = re.compile(
    rf"(?:{_NOT_WITHIN}(?![市区]){_HAN}){{1,9}}?"
    r"(?:镇(?!化|级|街)|(?<!城)乡(?![村镇愁土亲音建级])|苏木)"
)
_COMMUNITY = re.compile(
    rf"(?:{_NOT_WITHIN}{_HAN}){{1,12}}?"
    r"(?:(?:社区|片区|新村|村|嘎查)(?=居民委员会|居委|村民委员会|村委|党|联勤|工作站|股份|经济合作社|$)|村(?=民委员会|委会))"
)
#: 花园第一居民委员会: no ending of its own; residents write the bare name.
_BARE_COMMUNITY = re.compile(rf"{_HAN}{{2,12}}?(?=居民委员会|居委会?$)")
_BETWEEN = re.compile(r"(?:人民政府|政府|党工委|人民代表大会)(?=.)")
#: 公安局闵行分局: the branch's district without its ending.
_BRANCH = re.compile(rf"局(?P<part>(?!第|直属|执法|稽查|税务|交|治安|水上|轨道|铁路|机场){_HAN}{{2,4}}?)(?:公安)?分局$")


def territory_parts(name: str) -> tuple[str, ...]:
    """Return the territories a unit's name holds, the widest first; empty for a name that holds none.

    上海市浦东新区人民政府花木街道办事处 → 上海市, 浦东新区, 花木街道. The name of a branch has no ending: 上海市公安局闵行分局 →
    上海市, 闵行.
    """
    return _read(name)[0]


def body_kind(name: str) -> str:
    """Return what remains of a unit's name without its territory: 教育局, 人民政府, 街道办事处; "" if nothing does."""
    return _read(name)[1]


def unit_kind(name: str) -> str:
    """Return the kind of unit (`corpora.units.KINDS`) that a name suggests; `other` where it suggests none."""
    parts, body = _read(name)
    last = parts[-1] if parts else ""
    if re.search(r"(?:公司|集团|银行|电力局|自来水厂)(?:\(.*\))?$", body):
        return "enterprise"
    if re.match(r"居民委员会|居委|村民委员会|村委", body) or (
        re.search(r"社区$|(?<!新)村$", last) and re.match(r"$|党|工作站|股份|经济合作社", body)
    ):
        return "community"
    if re.search(r"工作站$", body):
        return "station"
    if re.search(r"(?:镇|乡|苏木|街道|地区)$", last) and re.fullmatch(
        r"|(?:人民)?政府|(?:街道|地区)?办事处|街道办|(?:街道)?(?:党工委|工作委员会|工委)|党委|委员会", body
    ):
        return "town"
    if re.search(r"(?:局|厅|委员会|委|办公室|办|法院|检察院|支队|大队|总队|部|海关|总工会|联合会)(?:\(.*\))?$", body):
        return "other" if body in ("管理委员会", "管委会") else "department"
    return "other"


def _read(name: str) -> tuple[tuple[str, ...], str]:
    """Return the territories and the rest."""
    text = "".join(unicodedata.normalize("NFKC", name).split())
    at = 0
    above = _ABOVE.match(text)
    if above is not None and above.end() < len(text):
        at = above.end()
    parts: list[str] = []

    def take(pattern: re.Pattern[str]) -> bool:
        nonlocal at
        start = at
        if parts and (between := _BETWEEN.match(text, at)):
            start = between.end()
        match = pattern.match(text, start)
        if match is None or not _is_territory(match, text):
            return False
        if pattern in (_COMMUNITY, _BARE_COMMUNITY) and _FUNCTION.match(match.group()):
            return False
        parts.append(match.group())
        at = match.end()
        return True

    if not take(_PROVINCE):
        bare = _BARE_PROVINCE.match(text, at)
        if bare is not None and _county_follows(text, bare.end()):
            parts.append(bare.group())
            at = bare.end()
    # 温州市龙港市 and 嘉定区菊园新区: two of a level may follow each other.
    for pattern, times in ((_CITY, 2), (_COUNTY, 3), (_STREET, 1), (_TOWN, 1), (_COMMUNITY, 2), (_BARE_COMMUNITY, 1)):
        for _ in range(times):
            if (pattern is _TOWN and parts and parts[-1].endswith("街道")) or not take(pattern):
                break
    rest = text[at:]
    branch = _BRANCH.search(text, at)
    if branch is not None:
        parts.append(branch["part"])
        return tuple(parts), text[at : branch.start("part")] + text[branch.end("part") :]
    if parts and re.match(r"委(?!员会)", rest):
        rest = parts[-1][-1] + rest  # 上海市委宣传部
    if parts and parts[-1].endswith("村") and rest.startswith(("民委员会", "委会")):
        rest = "村" + rest
    if parts and rest.startswith("办事处") and parts[-1].endswith(("街道", "地区")):
        rest = parts[-1][-2:] + rest
    return tuple(parts), rest


def _is_territory(match: re.Match[str], text: str) -> bool:
    part = match.group()
    if part in _GENERIC:
        return False
    if part.endswith(("街道", "县")) or not _FUNCTION.match(part) or _ZONE.match(part):
        return True
    return _GOVERNMENT.match(text, match.end()) is not None


def _county_follows(text: str, at: int) -> bool:
    if text[at : at + 1] in "省市" or re.match(rf"{_HAN}{{0,3}}族|[东西南北中]?路", text[at:]):
        return False
    for pattern in (_CITY, _COUNTY):
        match = pattern.match(text, at)
        if match is not None and len(match.group()) > 2 and _is_territory(match, text):
            return True
    return False
