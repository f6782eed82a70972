"""Who does what with which power, and to whom: the parts of a measure, read off its sentence."""

from __future__ import annotations

import re

from corpora.policy_rules import Words

_HAN = r"\u4e00-\u9fff（）()、0-9A-Za-z“”□"
#: Words that end the name of a body that acts.
_BODY = (
    r"(?:人民政府|政府|办事处|委员会|委|办公室|[^布格大全结开局]局|厅|部门|部|院|机关|机构|中心|单位|组织|队伍|执法队|大队|支队|总队|领导小组|指挥部|专班"
    r"|工作站|联勤站|社区|居委会|村委会|企业|公司|学校|高校|协会|商户|经营者|业主|个人|居民|村民|人员|网格员|协管员|辅警|队员|检查员|巡查员|执法员|社工|管委会|园区|各地|各市|各县|各区|各村|乡镇|街道|市|县|区)"
)
#: What follows the actor: a modal, an adverb, or the verb.
_AFTER_BODY = (
    r"(?=应当|应|要|须|需|必须|可以|可|有权|不得|不再|负责|承担|将|把|会同|牵头|依法|按照|根据|每|集中|统一|行使|委托|书面|授权|组织|设立|建立|制定|编制|编写|在|对|为|以|与"
    r"|向|从|具体|统筹|优化|安排|建设|开展|实施|提出|梳理|管理|监督|审核|登记|办理|受理|协助|配合|给予|落实|加强|履行|独立|直接|决定|批准|推进|接收|进入|随时|不定期|继续|参照)"
)
_ACTOR = re.compile(
    rf"(?:^|[，,：:])\s*(?:由)?((?:(?!将|把|对|由|应当|依据|根据|按照|依照|为了?|经|的|因|若|如)[{_HAN}]){{0,24}}?{_BODY}){_AFTER_BODY}"
)
_BY = re.compile(
    rf"由((?:(?!的|由|应当|将)[{_HAN}]){{1,24}}?)(?=集中|统一|行使|负责|承担|实施|办理|管理|牵头|组织|决定|提出|登记|承接|代收|处理|直接|自行|统筹|监督|审批|审核|会同|按|在|根据|依法|给予|批准|，|。|；|$)"
)
#: A verb that hands something over; with 至, 给, 到, 由 whatever follows is the receiver, else only a known body is.
_HANDED = re.compile(
    r"(?P<sure>(?:下放|划转|移交|下沉|调整|归并|整合|授权|赋权)(?:至|给|到|于)|交由|交给|转由|集中由|统一由|调整由|集中到|赋予|再委托给?|(?:^|[，：])(?:分批|逐步|依法|统一)?向(?=[^，。；]{2,20}(?:下放|赋权|授权|赋予))|(?<!受)委托(?:给)?(?!书|人|执法|机关|代理|方|行政执法))"
    r"|下放|划转|划入|划归|划给|归入|归到|并入|归并|移交|授权"
)
_NEXT_VERB = re.compile(
    r"行使|实施|承担|办理|负责|管理|统一|集中|使用|查处|从事|代为|下放|赋权|授权|赋予|对|的|进行|开展|代|依法|按|先行|，|。|；|$"
)
_REACH = 36
_STOP = re.compile(r"[，。；：]|将|应当|并")
_EDGE = "“”、 "
_BY_WHOM = re.compile(rf"由((?:(?!的|由|应当)[{_HAN}]){{2,24}}?)(?=集中|统一|行使|承担|实施|承接|代收|自行|负责|先行|代为|签发|核发|发证|出具|审批|审查)")
#: Bodies that take a power up themselves: 指挥部行使处罚权.
_TAKES = re.compile(
    rf"(?:^|[，,：:])\s*([{_HAN}]{{0,20}}?(?:指挥部|专班|领导小组|工作站|联勤站|服务站|党群服务中心|联合体|协会|公司|居民委员会|居委会|村民委员会|村委会))"
    r"(?=[^，。；]{0,16}(?:行使|作出|接管|以自己的名义|用自己的名义))"
)
_POWER_OF = re.compile(
    r"(?:将|把)([^，。；]{2,50}?)(?=的?下放|赋予|授权|交由|交给|移交|划转|划入|划归|再委托|委托|集中|一并|全部|纳入|并入|统一|调整|转由|列为)"
)
_OBJECT_FIRST = re.compile(r"(?:^|[，：])(?:将|把)")
_NOT_ACTOR = re.compile(
    r"^(?:第[一二三四五六七八九十百]+条|[0-9一二三四五六七八九十]+个?$|其中|同时|以及|包括)|(?:年|月|日|期间|方面|领域)$"
)


def actor_of(plain: str) -> str:
    """Return who acts, as written; "" if the sentence does not say.

    A sentence that begins with 将 has its subject elsewhere: what follows its first comma is the receiver's doing.
    """
    for match in _ACTOR.finditer(plain):
        name = match[1].strip(_EDGE)
        if len(name) > 1 and not _NOT_ACTOR.search(name):
            before = plain[: match.start(1)]
            return "" if _OBJECT_FIRST.search(before) else name
    by = _BY.search(plain)
    return by[1].strip(_EDGE) if by and not _OBJECT_FIRST.search(plain[: by.start()]) else ""


def receiver_of(plain: str, words: Words) -> str:
    """Return who gets a power, as written: behind the verb that hands it over, or 由X行使; "" if nobody is named."""
    for handed in _HANDED.finditer(plain):
        rest = plain[handed.end() : handed.end() + _REACH]
        ends = sorted(
            end.start() for pattern in (_NEXT_VERB, words.powers) for end in pattern.finditer(rest) if end.start() > 1
        )
        stop = next((end.start() for end in _STOP.finditer(rest)), len(rest))
        names = [
            name for end in ends if end <= stop and not (name := rest[:end].strip(_EDGE)).startswith(("或", "和", "与"))
        ]
        known = next((name for name in names if receiver_class(name, words)), "")
        if known or (handed["sure"] and names and not _NEXT_VERB.match(rest)):
            return (known or names[0]).split("的")[-1]
    match = _BY_WHOM.search(plain) or _TAKES.search(plain)
    return match[1].strip(_EDGE) if match else ""


def power_of(plain: str, said: str, words: Words) -> str:
    """Return what is moved or done, as written: the object of 将, or the longest term of power in `said` or the sentence."""
    match = _POWER_OF.search(plain)
    if match:
        return match[1]
    terms = words.powers.findall(said) or words.powers.findall(plain)
    return max(terms, key=len, default="")


def receiver_class(name: str, words: Words) -> str:
    """Return the class of a body by the head of its name, which in Chinese stands last; "" if it is of no known class."""
    best, reach = "", (0, 0)
    for match in words.heads.finditer(name):
        end = match.start() + len(match[1])
        if (end, len(match[1])) > reach:
            best, reach = words.body_class[match[1]], (end, len(match[1]))
    return best if reach[0] >= len(name) - 1 else ""
