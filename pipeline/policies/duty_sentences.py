"""Sentences of statutes that put a duty on towns (乡镇人民政府) or sub-districts (街道办事处).

A sentence counts where such a body is the subject of 应当, 必须, 负责 or a verb of carrying out, or the agent of 由. It does
not where the body is asked, told, heard, guided or supported by another (object), where its staff or what it approved is
the subject, where it may act (可以), or where the sentence is about its liability. Each sentence is read clause by clause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from corpora.legal import NUMBER

TOWN, SUB_DISTRICT = "乡镇人民政府", "街道办事处"
_BEARERS = {"both": (TOWN, SUB_DISTRICT), "street": (SUB_DISTRICT,), "town": (TOWN,)}
#: 由乡镇人民政府…: not 理由, 自由, 由于.
_AGENT = re.compile(r"(?<![理自事缘经])由(?!于)([^由]*)$")

BODY = re.compile(
    r"(?P<both>(?:乡镇（街道）|乡（镇）、街道|镇街)(?=[、，和与及应必负按根依在等或]|以及))"
    r"|(?P<street>街道办事处|街道办(?!事|公))"
    r"|(?P<town>(?:乡级以上|乡镇以上)(?:地方)?(?:各级)?人民政府"
    r"|(?<![城县集])(?:乡[、（(]民族乡[、）)]?、?镇|乡[（(]镇[）)]|镇[（(]乡[）)]|乡、镇|镇、乡|乡镇|乡级|乡|镇)的?(?:各级|一级)?(?:人民)?政府)"
)
_STOP = re.compile(r"[，；：。\n]")
_SENTENCE = re.compile(r"[^。\n]+。?")
_ITEM = re.compile(rf"\s*[（(]\s*{NUMBER}\s*[）)]")

_MODAL = r"(?:应当|应该|必须|须|(?:全面|具体|统一)?负责(?!人|制(?![定止])|的)|负有|有责任|有义务|不得|应(?![急用对邀征届付]))"
_MODAL_AT = re.compile(_MODAL)
#: Verbs of carrying out, which need no modal.
_TASK = (
    r"(?:组织(?!的)|做好|协助|配合|承担|履行|具体|统筹|协调|落实|开展|实施|编制|制定|建立|设立|确定|指定|安排|督促|指导|监督|加强|引导|动员"
    r"|受理|提供|提出|采取|代为|召集|主持|支持|保障|发放|拟订|执行|行使|参与|参加|及时|会同|定期|主动|主管|完成|按照|依照|根据|依法|在其?职责|在各自)"
)
#: Acts of authority: powers that are duties too (职权).
_POWER = re.compile(
    r"责令|批准|审批|审核|审查|处罚|处以|处理|核发|核定|核实|给予|予以|没收|拆除|决定|登记|撤销|改正|裁决|强制|调解|调查|验收|同意|公布|划定|撤换"
)
_VERB = re.compile(rf"(?:{_TASK}|{_POWER.pattern})")
_TASK_AT = re.compile(rf"(?:{_TASK}|依法|及时|立即)*{_TASK}")
_MAY = re.compile(r"可以|(?<![许认])可(?![能行持])|有权")
_NOUN = (
    r"(?:人民政府|政府|办事处|委员会|[村居]委会|管委会|（街道）|部门|机构|单位|组织|机关|企业|法院|检察院|派出所|[局处所站院会]|行政村|社区|开发区|园区"
    r"|公司|者|团体|学校|人员)"
)
#: 、村民委员会和有关部门 after a body.
_COORDINATED = re.compile(
    rf"(?:（[^）]{{0,40}}）|\([^)]{{0,40}}\)|(?:、|和|与|及其?|以及|或者|或)(?:(?!{_MODAL})[^，；：。]){{1,30}}?{_NOUN}(?![、和]?的)(?:（[^）]{{0,20}}）)?|等)+"
)
#: What is left where such a noun begins with another: 公共场所|管理单位, 等|人民政府的派出机关.
_REST = re.compile(
    rf"^(?!{_VERB.pattern})(?:(?!{_MODAL}|可)[^，的]){{0,12}}{_NOUN}$|(?:地方)?人民政府的?派出机[关构](?:（机构）|[(]机构[)])?"
)
#: Words that are verbs elsewhere, in names of bodies: 市场监督管理部门, 规划建设局.
_NAMES = re.compile(
    r"(?:监督|管理|检查|指导|保障|协调|建设|规划|执法|综合|行政|登记|组织|服务|调解|代表|申请|经济|经营|同级|以上|以下|以及|所在地?|行为|对应|保护"
    r"|有关|为民|提供|支持|帮助|社会|推进|引导|监测|检验|培训|申报|承包|到期|将来)+"
    r"(?=(?:(?!街道|乡|镇)[^，；：。、和]){0,8}(?:部门|机构|委员会|机关|单位|局|站|所|处|组织|人员|人民政府|队伍|大队|中心))"
    r"|(?:组织|代表|保障)(?=[、和与及或])|[指确]定的|设立的|负[有责][^，]{1,20}?的|(?:接受|承接|辖有|实行)[^，]{1,20}的$|选举(?=委员会)|代表(?=大会)|经济|交通|同级|以上|以下|以及|以外|所在|行为|被(?=[^，]{1,8}人)"
)
#: A body under one of these is an object, or the place or condition of another's act.
_OBJECT = re.compile(
    r"[向报经对同将把从以给至到在为送交被使让按称]|协助|配合|支持|指导|督促|监督|领导|考核|通知|告知|委托|授权|要求|责成|请求|指定|接受|服从|听取|征求"
    r"|征得|根据|依照|依据|纳入|健全|完善|推动|推进|引导|组织|赋予|下放|确定|批准|属于|包括|协调|加强|除|不服|会同|联合|设立|配备|帮助|规范|督查"
    r"|支援|保障|提高|通过|涉及|责令|提请|决定|召集|关于|落实|下设|派驻|派出|撤销|变更(?!后)|补助|奖励|检查|评价|明确|违反|认为|需要|安排|建立|成立"
    r"|培训|适用|代表|选举|申请|申报|提供|加大|发挥|充分|推荐|签订|取得|未经|位于|隶属|领取|协商|配合|聘请|听从|邀请|出具|持有"
)
#: What follows a body that is not the subject but a part of another phrase.
_NOT_SUBJECT = re.compile(
    r"的(?!人民政府)|所在地|所属|所辖|管辖|辖区内?的|工作人员|主要负责人|负责人|主管人员|领导人员|报告|备案|申请|举报|投诉|反映|指导下|领导下|组织下"
    r"|支持下|协助下|同意后|批准后|区域内|范围内|机关|干部|代表|主席|乡长|镇长|签订|之间|以下|以上|为[主单]|书面?(?:报告|申请)|反馈|交通|财政|投资"
    r"|(?:[设确认出颁批组编制开核公划指委举建提管][立定具发准织制作布理办出]|作出|决定)(?:或者?[^，]{2,4})?的(?!意见|建议)"
)
_ADVERBIAL = re.compile(
    r"[^，]{0,12}?(?:在|根据|按照|依照|依据|对|接到|收到|发现|认为|经|自|于|应|为|通过|结合|会同|因|从|受|以|除|坚持|遵循)|[^，]*(?:后|时|前|下|中|外|内|的)$"
)
_WHERE = re.compile(r"^(?:在[^，]{1,20}?[内下中上]|[按依]照[^，]{1,30}?(?=组织|负责|开展|做好|承担|履行|协助)|对[^，]{2,20}?(?=进行|实施|予以|给予|开展))的?")
#: 根据需要设立的场所, 实施执法的依据和程序: what a body does, as the subject of another sentence.
_NOUN_PHRASE = re.compile(
    r"[^，]*(?:设立|确定|制定|编制|批准|拟订|作出|建设|指定)的(?!意见|建议)|[^，]+的(?:依据|程序|标准|条件|范围|事项|办法)(?:$|[、和].*)"
)
_LIABLE = re.compile(r"由|对(?=.{0,20}(?:直接|责任|主管|负责人|人员))|(?:依法)?给予|(?:依法)?追究|责令|上级|任免|视情节|其|处分|构成|致使|造成|情节|监察|有权|可以")
_FAULT = re.compile(r"(?!.{0,10}(?:发现|接到|收到|认为|对))[^，]*(?:未|不|拒|违反|违法|滥用|玩忽|擅自|逾期|怠于|有下列|有前款|弄虚作假|侵)")
#: Bodies listed with commas: ，村（居）民委员会等基层组织，.
_LIST = re.compile(rf"[^，的]{{1,30}}?(?:{_NOUN}|等)")
_OTHERS = re.compile(rf"{_NOUN}|公民|人(?![民员])|户")


@dataclass(frozen=True, slots=True)
class DutySentence:
    """A sentence with its bearers; `power` where they are the agents of an act of authority (由…责令, 由…批准)."""

    text: str
    bearers: tuple[str, ...]
    power: bool


def duty_sentences(text: str) -> Iterator[DutySentence]:
    """Yield the sentences of an article that put a duty on towns or sub-districts; a list goes with its lead sentence."""
    if "街道" not in text and "政府" not in text:
        return
    for sentence in _sentences(text):
        bearers: list[str] = []
        power = False
        for match in BODY.finditer(sentence):
            role = bearing(sentence, match.start(), match.end())
            if role:
                power |= role == "power"
                bearers += _BEARERS[str(match.lastgroup)]
        if bearers:
            yield DutySentence(sentence.strip(), tuple(b for b in (TOWN, SUB_DISTRICT) if b in bearers), power)


def mentions(text: str) -> Iterator[str]:
    """Yield the sentences that name towns or sub-districts, whether they bear a duty there or not."""
    return (sentence for sentence in _sentences(text) if BODY.search(sentence))


def bearing(sentence: str, start: int, end: int) -> str:
    """Return what the body at [start, end) bears in the sentence: `duty`, `power` or "" for nothing."""
    begin = max((m.end() for m in _STOP.finditer(sentence, 0, start)), default=0)
    before = sentence[begin:start]
    agent = bool(found := _AGENT.search(before))
    ahead = _NAMES.sub("", found[1] if found else before)
    if agent and _MAY.search(before):
        return ""
    if _OBJECT.search(ahead) or re.search(_MODAL, ahead) or _MAY.search(ahead):
        return ""
    after = sentence[end:]
    joined = _COORDINATED.match(after)
    if _NOT_SUBJECT.match(after) and not (agent and after.startswith("报")):
        return ""
    clauses = _STOP.split(after[joined.end() :] if joined else after)
    first = clauses[0] if agent else _REST.sub("", clauses[0])
    clauses[0] = first
    if (_NOT_SUBJECT.match(first) and not (agent and first.startswith("报"))) or _may(first):
        return ""
    if agent:
        conditional = first.endswith("的") or not first.strip()
        return "" if conditional else "power" if _POWER.search(first) else "duty"
    modal = _MODAL_AT.search(first)
    if modal:
        gap = first[: modal.start()]
        return "" if "的" in gap and not _ADVERBIAL.match(gap) else "duty"
    plain = _WHERE.sub("", first)
    if _VERB.match(plain) and not first.endswith("的"):
        return "" if _NOUN_PHRASE.match(plain) else "power" if _POWER.match(plain) else "duty"
    return _later(clauses)


def _later(clauses: list[str]) -> str:
    """Return what a body bears that is subject of a clause with no predicate of its own: …发现…的，应当…."""
    first = clauses[0]
    if (first.endswith("的") and _FAULT.match(first)) or not (first == "" or _ADVERBIAL.match(first)):
        return ""
    listing = first == ""
    for clause in clauses[1:4]:
        if _LIABLE.match(clause) or _may(clause):
            return ""
        modal = _MODAL_AT.search(clause)
        if modal:
            gap = clause[: modal.start()]
            return "" if _OTHERS.search(gap) and not (listing and _LIST.fullmatch(gap)) else "duty"
        if _TASK_AT.match(clause):
            return "duty"
        listing = listing and _LIST.fullmatch(clause) is not None
        if not listing and not _ADVERBIAL.match(clause):
            return ""
    return ""


def _may(clause: str) -> bool:
    """Return whether a clause allows rather than orders."""
    may, modal = _MAY.search(clause), _MODAL_AT.search(clause)
    return bool(may and (not modal or may.start() < modal.start()) and not _OTHERS.search(clause[: may.start()]))


def _sentences(text: str) -> Iterator[str]:
    """Yield sentences; the items of a list stay with the sentence that introduces them."""
    lead = ""
    for line in text.split("\n"):
        if lead and _ITEM.match(line):
            lead += line
            continue
        if lead:
            yield lead
            lead = ""
        sentences = _SENTENCE.findall(line)
        if sentences and sentences[-1].rstrip().endswith(("：", ":")) and not _ITEM.match(line):
            lead = sentences.pop()
        yield from sentences
    if lead:
        yield lead
