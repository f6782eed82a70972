"""Rules of competence applied to a measure: who decides, who receives, in which form, and what nobody may do.

`corpora/data/policies/competence.yaml` holds the rules; this module interprets them. It says a gap only where the text
itself shows it, and otherwise what was not checked and why.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from corpora.legal import PolicyDocument, Rank, parse_number
from corpora.policy_rule_types import Form
from corpora.policy_rules import Rule, Rules
from pipeline.policies.basis import Basis, best_level, is_good, is_stale
from pipeline.policies.instruments import GOVERNMENTS, LEVELS
from pipeline.policies.knowledge import Statutory
from pipeline.policies.measure_parts import receiver_class
from pipeline.policies.records import Gap, Measure, Resolved
from pipeline.policies.relevance import telling

_TOWN = re.compile(r"镇|乡|街道")
_NOBODY = re.compile(r"(?:有关|相关)(?:的)?(?:单位|部门|机关)|另行(?:研究|确定|明确|通知|规定)|市级(?:有关)?单位|(?:暂不|暂未|尚未)(?:确定|明确|落实|指定)|待[^，。；]{0,12}(?:明确|确定)|个案(?:协调|处理)|空缺|暂缺|无对应|均不承接|缓办|不作[^，。；]{0,4}安排|无(?:承接|相应)(?:单位|部门)")
_TERM = re.compile(r"(?:至|到|截至|截止到?|于)\s*([12]\d{3})\s*年(?:\s*(\d{1,2})\s*月)?(?:\s*(\d{1,2})\s*日)?")
#: 2019年启动、为期两年: at the latest until the end of that year.
_LASTING = re.compile(r"([12]\d{3})年[^，。；]{0,8}(?:启动|开始|起|开展)[^。；]{0,12}为期([一二两三四五六])年")
#: Publication of the document itself (此件公开发布) is not the publication that a form asks for.
_OWN_PUBLICATION = re.compile(
    r"[（(]?此件[^。）)\n]{0,10}公开[^。）)\n]{0,6}[）)]?|主动公开|依申请公开|信息公开|政务公开"
)
_DECIDERS = re.compile(r"^(?:国务院|省(?:级)?人民政府|[\u4e00-\u9fff]{2,3}省人民政府|自治区人民政府)$")
_APPROVED_BY = re.compile(
    r"(?:经|报请|报经|报|由)([\u4e00-\u9fff]{0,5}?)[市省](?:人民政府|政府|委)(?:[^。；\n]{0,10})(?:批准|同意|批复|审批)"
)
#: What a title says (重大行政决策程序暂行条例) states no form.
_TITLE = re.compile(r"《[^《》\n]*》")
_AMOUNT = re.compile(
    r"[一二三四五六七八九十百千万亿0-9.]+(?:元|倍)(?:以上)?(?:[一二三四五六七八九十百千万亿0-9.]+(?:元|倍)以下)?"
)
_FLAT = re.compile(r"不(?:再)?设(?:乡镇|镇|街道)|无(?:乡镇|镇)、?街道|市管社区|市直管社区|市直接管理社区")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all measures of a document.

    Attributes:
        instrument: see `instruments.instrument`.
        introduction: the sentences in which the document says on what it rests.
        on: the day judged by, None where the document has none.
        as_of: day of the knowledge base, in words.
        later_text: whether the document cites what was adopted after its date: its text is a later one.
        flat: whether the city has neither towns nor sub-districts.
        state_council: whether the document is itself a decision of the State Council or above.
    """

    document: PolicyDocument
    instrument: str
    introduction: str
    on: dt.date | None
    as_of: str
    flat: bool
    later_text: bool
    state_council: bool
    rules: Rules
    statutes: Statutory


@dataclass(slots=True)
class Judged:
    """What a rule says of a measure: gaps, what was not checked, and whether a prohibition was lifted by its basis."""

    gaps: list[Gap] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)

    def codes(self) -> set[str]:
        """Return the codes of the gaps."""
        return {gap.code for gap in self.gaps}


def is_flat(text: str) -> bool:
    """Whether a document says that its city has no towns and no sub-districts."""
    return bool(_FLAT.search(text))


def rule_for(kind: str, basis: Basis, setting: Setting) -> Rule | None:
    """Return the rule of a kind on the document's day: that of its territory before that of the whole country."""
    on = setting.on
    rules = [rule for rule in setting.rules.of_kind(kind) if on is None or rule.holds_on(on)]
    cited = {setting.statutes.law(found.law_id).territory for found in basis.citations if found.law_id}
    here = setting.document.territory
    local = [
        rule
        for rule in rules
        if rule.territory and (f"{here}/".startswith(f"{rule.territory}/") or rule.territory in cited)
    ]
    return next(iter(local or [rule for rule in rules if not rule.territory]), None)


def judge_competence(measure: Measure, rule: Rule, basis: Basis, setting: Setting) -> Judged:
    """Return what a rule says of a measure; `setting.on` must be a date."""
    judged = Judged()
    exempt = next((item.reason for item in rule.exceptions if item.said and item.said.search(basis.setting)), "")
    if exempt:
        judged.not_checked.append(f"{rule.title}：{exempt}，授权的内容和期限未核")
        return judged
    if rule.prohibited:
        _prohibited(measure, rule, basis, setting, judged)
    _receiver(measure, rule, setting, judged)
    _decider(measure, rule, basis, setting, judged)
    if not judged.codes() & {"DECIDER_TOO_LOW", "DELEGATEE_UNQUALIFIED", rule.prohibited} or _UNWRITTEN.search(basis.sentence):
        _forms(measure, rule, basis, setting, judged)
    _carrier(rule, basis, setting, judged)
    if rule.successor and _NOBODY.search(basis.sentence):
        evidence = f"本句没有写明由哪个单位承接：“{_clip(basis.sentence)}”"
        judged.gaps.append(_gap("CARRIER_MISSING", rule, evidence, setting, 0.75))
    if rule.trial_term:
        _term(rule, basis, setting, judged)
    if rule.advisory:
        evidence = f"文中说明国家尚无明确规定：{rule.authority[0]}允许明示法律风险后提交讨论"
        judged.gaps.append(_gap(rule.advisory, rule, evidence, setting, 0.8))
    return judged


def _gap(code: str, rule: Rule, evidence: str, setting: Setting, confidence: float) -> Gap:
    return Gap(code, rule.id, evidence, setting.rules.cure(rule, code), confidence)


def _authority(rule: Rule) -> str:
    return "、".join(str(item) for item in rule.authority)


def _clip(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 60 else plain[:59] + "…"


def _prohibited(measure: Measure, rule: Rule, basis: Basis, setting: Setting, judged: Judged) -> None:
    """A thing no such document may do, unless the document has the rank, or repeats what a statute sets."""
    confidence = 0.85
    if rule.allowed_to:
        if setting.instrument in rule.allowed_to:
            judged.not_checked.append(f"{rule.title}：文件本身是法规或者规章，其设定权限的范围未核")
            return
        if setting.instrument == "unknown":
            judged.not_checked.append(f"{rule.title}：不能确定文件是规章还是规范性文件")
            return
    if rule.basis_lifts:
        nearest = [*basis.own.statutory, *basis.near.statutory]
        if any(is_good(found) or is_stale(found) for found in nearest):
            return
        if nearest or basis.own.unknown or basis.near.unknown:
            judged.not_checked.append(f"{rule.title}：所引规定是否已有同样内容未核")
            return
        if basis.founding and setting.instrument in ("law", "regulation", "rule"):
            judged.not_checked.append(f"{rule.title}：文件本身是法规或者规章，上位法是否已有同样规定未逐条核对")
            return
        if basis.founding and rule.prohibited == "ILLEGAL_SETTING":
            repeats = repeats_founding(measure, basis, setting)
            if repeats:
                judged.not_checked.append(f"{rule.title}：文件总依据中已有相同数额的规定，未逐项核对")
                return
            if repeats is None:
                confidence = 0.6
                judged.not_checked.append(f"{rule.title}：文件总依据的正文未收录，是否已有同样规定未核")
    evidence = f"“{_clip(measure.text)}”；{rule.prohibition}（{_authority(rule)}）；截至{setting.as_of}，知识库中未找到允许的依据"
    judged.gaps.append(_gap(rule.prohibited, rule, evidence, setting, confidence))


def repeats_founding(measure: Measure, basis: Basis, setting: Setting) -> bool | None:
    """Whether a law that the document rests on says the same; None where one's text is not here.

    The same amounts in one article, or, for a measure without amounts, half of its telling pairs (`relevance.telling`).
    """
    amounts = _AMOUNT.findall(measure.text)
    held = True
    for found in basis.founding.statutory:
        articles = setting.statutes.articles(found.version_id) if found.version_id else ()
        held = held and bool(articles)
        for article in articles:
            if amounts and all(amount in article.text for amount in amounts):
                return True
            if not amounts and len(telling(measure.text) & telling(article.text)) >= len(telling(measure.text)) / 2:
                return True
    return None if not held or basis.founding.unknown else False


def _receiver(measure: Measure, rule: Rule, setting: Setting, judged: Judged) -> None:
    if not rule.may_not:
        return
    name = measure.receiver or (measure.actor if rule.actor_as_receiver else "")
    if not name:
        return
    kind = receiver_class(name, setting.rules.words)
    if kind in rule.may_not and not (kind == "institution" and (_TOWN.search(name) or "执法" in name)):
        evidence = f"承接主体是“{name}”；{rule.receiver_rule}（{_authority(rule)}）"
        judged.gaps.append(_gap("DELEGATEE_UNQUALIFIED", rule, evidence, setting, 0.8))
        if kind == "individual" and rule.by_individual:
            judged.gaps.append(_gap(rule.by_individual, rule, evidence, setting, 0.75))
    elif not kind:
        judged.not_checked.append(f"承接主体“{name}”的性质不明，是否适格未核")


_DECIDES_ITSELF = re.compile(
    r"由(?P<who>(?:本|我|各)?(?:[^，。；]{1,10}[局委会办]|[市县区](?:人民)?政府|市|县|区|镇|乡|街道|局|委|政府))[^，。；]{0,6}(?:自行|研究|会议|直接|常务会议)(?:研究)?(?:决定|确定|议定|商定)"
)
#: A form that the sentence itself denies is missing whoever the receiver is.
_UNWRITTEN = re.compile(r"(?:无须|无需|不必|不)(?:再|另|另行)?签|口头|不(?:对外|对社会|向社会)公[布开]|内部掌握")
#: Before a form: it is not kept (不对社会公开, 不另签文书).
_DENIED = re.compile(r"(?:不(?!得)|未|无须|无需|免予)[^，。；]{0,8}$")


def _decider(measure: Measure, rule: Rule, basis: Basis, setting: Setting, judged: Judged) -> None:
    """Accuse only where the issuer is known to be too low and no approval from above is stated."""
    if not rule.decider or rule.prohibited:
        return
    if rule.decided_by_statute and any(
        _decides(found.law_id, setting) for found in (*basis.own.statutory, *basis.near.statutory)
    ):
        return
    # 由本县自行决定: the sentence itself says who decides, whatever was approved elsewhere in the document.
    itself = _DECIDES_ITSELF.search(basis.sentence)
    by_department = itself is not None and itself["who"].endswith(("局", "委", "办"))
    said = "" if itself else f"{basis.setting}\n{setting.introduction}"
    approvals = setting.rules.approvals
    higher = (
        ("国家", "省", "next_higher")
        if rule.decider == "next_higher"
        else GOVERNMENTS[: GOVERNMENTS.index(rule.decider) + 1]
    )
    if any(level in approvals and approvals[level].search(said) for level in higher):
        return
    if rule.decider == "next_higher" and _named_above(said, setting.document):
        return
    if rule.decider in ("省", "国家") and _DECIDERS.search(measure.actor):
        return
    issuer = setting.document.level
    if issuer not in GOVERNMENTS or setting.state_council:
        judged.not_checked.append(f"发文机关层级不明，决定权限（{_wanted(rule)}）未核")
        return
    if rule.decider == "next_higher":
        if issuer in ("国家", "省"):
            judged.not_checked.append(f"所涉机构的层级不明，决定权限（{_wanted(rule)}）未核")
            return
    elif GOVERNMENTS.index(issuer) <= GOVERNMENTS.index(rule.decider) and not by_department:
        return
    if approvals["unnamed"].search(said):
        judged.not_checked.append(f"文中只写批准或者按程序办理，没有写明批准机关，决定权限（{_wanted(rule)}）未核")
        return
    who = measure.actor or setting.document.issuer
    evidence = f"应由{_wanted(rule)}决定（{_authority(rule)}）；文件由{issuer}级机关发出（{who}），文中未载明{_wanted(rule)}的决定或者批准"
    judged.gaps.append(_gap("DECIDER_TOO_LOW", rule, evidence, setting, 0.75))


def _named_above(said: str, document: PolicyDocument) -> bool:
    """Whether a city or province other than the issuer's approved: 经温州市人民政府批准; for a county or district any city."""
    issuer = document.issuer or document.title
    for match in _APPROVED_BY.finditer(said):
        name = match[1]
        if name and name not in issuer and not name.endswith(("本", "我", "全", "经", "报")):
            return True
        if not name and document.level == "县" and not re.search(r"市(?:委|人民政府|政府|人民代表)", issuer):
            return True
    return False


def _wanted(rule: Rule) -> str:
    if rule.decider == "next_higher":
        return "上一级人民政府"
    return {"国家": "国务院", "省": "省级人民政府", "市": "设区的市人民政府", "县": "县级人民政府"}[rule.decider]


def _decides(law_id: str, setting: Setting) -> bool:
    """Whether a cited law is itself the decision: a local regulation, or an administrative regulation of the field."""
    return bool(law_id) and setting.statutes.law(law_id).rank in (Rank.LOCAL_REGULATION, Rank.ADMINISTRATIVE_REGULATION)


def _forms(measure: Measure, rule: Rule, basis: Basis, setting: Setting, judged: Judged) -> None:
    if not rule.forms:
        return
    said = basis.setting
    if rule.forms_anywhere or rule.forms[0].code == "FORM_MISSING":
        said = _TITLE.sub("", _OWN_PUBLICATION.sub("", setting.document.text))
    for code in dict.fromkeys(form.code for form in rule.forms):
        missing = [
            form.name
            for form in rule.forms
            if form.code == code and form.stated and (not form.stated.search(said) or _denied(form, basis.sentence))
        ]
        if missing:
            evidence = f"文中未载明：{'、'.join(missing)}（{_authority(rule)}）"
            judged.gaps.append(_gap(code, rule, evidence, setting, 0.7))


def _denied(form: Form, sentence: str) -> bool:
    """Whether the measure's own sentence says that the form is not kept."""
    if form.stated is None or ("书面" in form.name and "口头" in sentence):
        return form.stated is not None
    return any(_DENIED.search(sentence[: match.start()]) for match in form.stated.finditer(sentence))


def _carrier(rule: Rule, basis: Basis, setting: Setting, judged: Judged) -> None:
    carrier = rule.carrier
    if carrier is None or (carrier.said is not None and carrier.said.search(basis.setting)):
        return
    if setting.flat:
        evidence = (
            f"应由{carrier.body}{carrier.act}（{_authority(rule)}）；该市不设乡镇、街道，文中也未载明由谁依据什么代行"
        )
        judged.gaps.append(_gap("CARRIER_MISSING", rule, evidence, setting, 0.8))
    else:
        judged.not_checked.append(f"是否由{carrier.body}{carrier.act}，文中未载明，未核")


def _term(rule: Rule, basis: Basis, setting: Setting, judged: Judged) -> None:
    """A trial that the document prolongs though its term, as the sentence has it, is over."""
    ends = [_day(match) for match in _TERM.finditer(basis.sentence)]
    for match in _LASTING.finditer(basis.sentence):
        years = 2 if match[2] == "两" else parse_number(match[2])
        ends.append(dt.date(int(match[1]) + years, 12, 31))
    last = max((day for day in ends if day is not None), default=None)
    if last is None or setting.on is None:
        judged.not_checked.append("试点期限的截止日期不明，是否期满未核")
    elif last < setting.on:
        evidence = f"试点期至{last.isoformat()}，文件日期为{setting.on.isoformat()}，文中未载明延长的决定"
        judged.gaps.append(_gap("TRIAL_EXPIRED", rule, evidence, setting, 0.8))
    else:
        judged.not_checked.append(f"试点期至{last.isoformat()}，尚未届满；试点的授权依据未核")


def _day(match: re.Match[str]) -> dt.date | None:
    year, month, day = int(match[1]), int(match[2] or 12), int(match[3] or 0)
    try:
        if day:
            return dt.date(year, month, day)
        return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
    except ValueError:
        return None


#: 住房和城乡建设部《…办法》: at most a rule. Committees and offices (市委宣传部, 人大常务委员会) are no ministries.
_MINISTRY = re.compile(
    r"(?:(?<![委省市县区])部|总局|国家[\u4e00-\u9fff]{2,10}(?:局|委员会)|中国人民银行)(?:令|发布的|制定的|印发的)?$"
)


def _ministrys(found: Resolved, text: str) -> bool:
    """Whether the words before a title name a ministry as its issuer, and the title is no regulation's."""
    start = found.citation.start
    issuer = re.split(r"[，、：]", text[max(0, start - 20) : start])[-1]
    return _MINISTRY.search(issuer) is not None and not re.search(r"[省市县区]委", issuer) and "条例" not in found.citation.law


def level_gaps(rule: Rule, basis: Basis, setting: Setting) -> list[Gap]:
    """Return the gap of a basis whose rank cannot carry the measure."""
    # The basis named in the sentence speaks for it; that of the document only where the sentence names none.
    cited = [found for found in basis.ring.statutory if is_good(found) or is_stale(found)]
    best = best_level(cited, setting.statutes)
    ministry = [found for found in basis.own.unknown if _ministrys(found, setting.document.text)]
    if rule.needs in ("law", "regulation") and ministry and not basis.own.statutory:
        titles = "、".join(found.citation.text for found in ministry)
        evidence = f"本项须有法律、法规依据（{_authority(rule)}）；{titles}是部门规章，层级不够"
        return [_gap("BASIS_LEVEL_TOO_LOW", rule, evidence, setting, 0.7)]
    if not rule.needs or not best or LEVELS.index(best) <= LEVELS.index(rule.needs):
        return []
    if basis.ring.unknown:
        return []
    names = {"law": "法律", "regulation": "法律、法规", "rule": "法律、法规、规章"}
    titles = "、".join(dict.fromkeys(f"《{found.title}》" for found in cited))
    evidence = f"本项须有{names[rule.needs]}依据（{_authority(rule)}）；所引{titles}的层级不够"
    codes = dict.fromkeys(filter(None, ("BASIS_LEVEL_TOO_LOW", rule.too_low)))
    return [_gap(code, rule, evidence, setting, 0.75) for code in codes]
