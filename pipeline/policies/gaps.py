"""The verdict over each measure and its gaps, with evidence, cure, and what was not checked and why.

What accuses is kept to what the text and the knowledge base show; where either is silent the verdict is `not_checked`,
which never counts as passed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from corpora.legal import PolicyDocument
from corpora.policy_rules import Rule, Rules
from pipeline.policies.basis import Basis, Bearings, Ring, is_good, is_stale
from pipeline.policies.basis_gaps import basis_gaps, carrier_gaps
from pipeline.policies.competence import (
    Judged,
    Setting,
    is_flat,
    judge_competence,
    level_gaps,
    repeats_founding,
    rule_for,
)
from pipeline.policies.instruments import by_state_council, instrument
from pipeline.policies.knowledge import Statutory
from pipeline.policies.records import Clause, Finding, Gap, Measure, Resolved, Verdict

#: Gaps that ask for attention and change no verdict.
RADAR = frozenset({"BASIS_AMENDED_SINCE"})
#: Gaps that leave a basis standing.
MENDABLE = frozenset(
    {
        "BASIS_SUPERSEDED",
        "BASIS_RENUMBERED",
        "CARRIER_MISSING",
        "FORM_MISSING",
        "PROCEDURE_NOT_STATED",
        "REFORM_EXPLORATORY",
    }
)
#: Gaps of the citation alone: another basis in force makes up for them.
_OF_CITATION = frozenset(
    {
        "LAW_NOT_FOUND",
        "ARTICLE_NOT_FOUND",
        "BASIS_REPEALED",
        "BASIS_NOT_YET_EFFECTIVE",
        "BASIS_OFF_TOPIC",
        "BASIS_WRONG_TERRITORY",
    }
)
#: What can be said of a document without a date.
_DATELESS = frozenset({"NO_BASIS", "VAGUE_BASIS", "POLICY_ONLY", "LAW_NOT_FOUND", "ARTICLE_NOT_FOUND"})
NO_DATE = "文件没有日期，不能判断当时有效的规定；给出日期后可核查"


def judge(
    document: PolicyDocument,
    clauses: Sequence[Clause],
    measures: Sequence[Measure],
    resolved: Sequence[Resolved],
    rules: Rules,
    statutes: Statutory,
    on: dt.date | None,
    flat_city: bool = False,
) -> list[Finding]:
    """Return one finding a measure, in their order.

    Args:
        document: the document; its level, territory, 文号 and fields tell what it may do.
        clauses: its outline.
        measures: as `pipeline.policies.measures` found them.
        resolved: its citations.
        rules: lexicon and rules of competence.
        statutes: the knowledge base.
        on: the day to judge by, None where it is not known: verdicts that need it abstain.
        flat_city: whether the issuer's city has neither towns nor sub-districts; the document may say so itself.
    """
    if not measures:
        return []
    bearings = Bearings(document.text, clauses, resolved, document.title)
    setting = Setting(
        document=document,
        instrument=instrument(document, statutes.find(document.title, document.territory) if document.title else ()),
        introduction=bearings.introduction(),
        on=on,
        as_of=str(statutes.status().get("as_of") or "知识库日期不明"),
        flat=flat_city or is_flat(document.text),
        later_text=on is not None and any(_adopted(found, statutes) > on for found in resolved if found.version_id),
        state_council=by_state_council(document),
        rules=rules,
        statutes=statutes,
    )
    confers = {kind.kind for kind in rules.kinds if kind.confers}
    return [_finding(measure, bearings.of(measure), measure.kind in confers, setting) for measure in measures]


def _adopted(found: Resolved, statutes: Statutory) -> dt.date:
    versions = statutes.law(found.law_id).versions
    return next((version.adopted for version in versions if version.version_id == found.version_id), dt.date.min)


def _finding(measure: Measure, basis: Basis, confers: bool, setting: Setting) -> Finding:
    if setting.instrument == "explanation":
        return _of(measure, (), Verdict.OUT_OF_SCOPE, [], "", "解读、报告、公示类文件不作规定", 0.7, [], setting)
    cited = [found for found in basis.own.statutory if found.citation.relation == "basis"]
    orphaned = carrier_gaps(basis, setting)
    if not confers and not cited and not orphaned:
        return _of(
            measure, (), Verdict.OUT_OF_SCOPE, [], "", "不涉及职权、权利义务或者机构编制的变动", 0.7, [], setting
        )
    rule = rule_for(measure.kind, basis, setting) if confers else None
    judged = Judged()
    if confers and rule is None:
        judged.not_checked.append("该日期没有适用的职权规则，职权、承接主体和程序未核")
    elif rule is not None and setting.on is not None:
        judged = judge_competence(measure, rule, basis, setting)
        judged.not_checked += [f"规则依据{item}未核实：{item.unverified}" for item in rule.authority if item.unverified]
    found = basis_gaps(measure, basis, rule, setting)
    judged.gaps += found.gaps
    if rule is None or not (rule.carrier or rule.successor):
        judged.gaps += orphaned
    judged.not_checked += found.not_checked
    if rule is not None:
        _absence(measure, rule, basis, judged, setting)
        judged.gaps += level_gaps(rule, basis, setting) if setting.on is not None else []
    if setting.on is None:
        judged.gaps = [gap for gap in judged.gaps if gap.code in _DATELESS]
        judged.not_checked.insert(0, NO_DATE)
    gaps = _sorted(judged.gaps)
    verdict = _verdict(gaps, basis, rule, judged, setting)
    return _of(
        measure,
        basis.citations,
        verdict,
        gaps,
        rule.id if rule else "",
        _evidence(gaps, basis, verdict, setting),
        _confidence(gaps, basis, verdict),
        judged.not_checked,
        setting,
    )


def _absence(measure: Measure, rule: Rule, basis: Basis, judged: Judged, setting: Setting) -> None:
    """Add the gap of a measure for which nothing statutory is cited."""
    if rule.advisory or rule.trial_term:
        return
    founded = basis.founding and rule.absent == "NO_BASIS" and not basis.own.below
    if basis.own or basis.near or founded or setting.state_council:
        if setting.state_council and not any(basis.rings):
            judged.not_checked.append("文件由国务院或者中央发布，其决定本身可以作为依据，未再查找上位依据")
        return
    if setting.instrument in ("law", "regulation", "rule"):
        judged.not_checked.append("文件本身是法规或者规章，未再查找上位依据")
        return
    if setting.instrument == "unknown":
        judged.not_checked.append("不能确定文件是规章还是规范性文件，未引依据不作判断")
        return
    repeats = repeats_founding(measure, basis, setting) if basis.founding and rule.absent != "NO_BASIS" else False
    if repeats is not False and not rule.prohibited and not basis.own.below:
        judged.not_checked.append("依据只见于文件的总依据，其中是否有同样规定未逐条核对")
    for code, what, sure in _missing(rule, basis, founded=repeats is not False):
        evidence = f"{what}；截至{setting.as_of}，知识库中未找到依据"
        judged.gaps.append(Gap(code, rule.id, evidence, setting.rules.cure(rule, code), sure))


def _missing(rule: Rule, basis: Basis, *, founded: bool) -> Iterator[tuple[str, str, float]]:
    """Yield code, words and confidence for what a measure without a statute of its own lacks.

    `founded`: what the document rests on may say the same, so that the rule's own gap is not given.
    """
    where = "本句、本条和文件的依据句"
    if basis.own.below:
        names = "、".join(found.citation.text for found in basis.own.below)
        yield "BASIS_LEVEL_TOO_LOW", f"{names}不是法律、法规、规章，层级不够", 0.75
        return
    if basis.own.vague and not basis.founding:
        yield "VAGUE_BASIS", "只写有关法律法规，没有指明文件和条款", 0.8
    if rule.prohibited:
        return
    if rule.absent != "NO_BASIS":
        if basis.founding and not founded:
            yield rule.absent, "本句、本条未引用法律、法规，总依据所列法律中没有相同内容", 0.6
        elif not founded:
            yield rule.absent, f"{where}均未引用法律、法规", 0.75
        return
    nearest = next((ring for ring in basis.rings if ring.policy or ring.vague), Ring())
    if nearest.vague:
        if not basis.own.vague:
            yield "VAGUE_BASIS", "只写有关法律法规，没有指明文件和条款", 0.8
    elif nearest.policy:
        yield "POLICY_ONLY", "只引政策文件、会议或者文号，没有法律、法规、规章", 0.75
    else:
        yield "NO_BASIS", f"{where}均未引用法律、法规、规章", 0.7


def _sorted(gaps: Sequence[Gap]) -> list[Gap]:
    """Return each code once, the surest of them, the most certain first."""
    best: dict[str, Gap] = {}
    for gap in gaps:
        if gap.code not in best or gap.confidence > best[gap.code].confidence:
            best[gap.code] = gap
    return sorted(best.values(), key=lambda gap: (gap.code in RADAR, -gap.confidence, gap.code))


def _stands(basis: Basis, gaps: Sequence[Gap]) -> bool:
    """Whether something in force carries the measure beside the citations that fail."""
    failed = {gap.evidence.split("：")[0] for gap in gaps if gap.code in _OF_CITATION}
    return any(
        (is_good(found) or is_stale(found)) and found.citation.text not in failed
        for ring in basis.rings
        for found in ring.statutory
    )


def _verdict(gaps: Sequence[Gap], basis: Basis, rule: Rule | None, judged: Judged, setting: Setting) -> Verdict:
    codes = {gap.code for gap in gaps} - RADAR
    stands = _stands(basis, gaps)
    grave = codes - MENDABLE
    if grave:
        return Verdict.PARTLY if stands and grave <= _OF_CITATION else Verdict.UNSUPPORTED
    if "REFORM_EXPLORATORY" in codes:
        return Verdict.PARTLY
    if codes:
        return Verdict.PARTLY if stands else Verdict.UNSUPPORTED
    if setting.on is None:
        return Verdict.NOT_CHECKED
    if stands and not (rule and rule.prohibited and judged.not_checked and not basis.own):
        return Verdict.SUPPORTED
    return Verdict.NOT_CHECKED


def _evidence(gaps: Sequence[Gap], basis: Basis, verdict: Verdict, setting: Setting) -> str:
    if gaps:
        return "；".join(dict.fromkeys(gap.evidence for gap in gaps))
    if verdict is Verdict.SUPPORTED:
        names = dict.fromkeys(found.citation.text for ring in basis.rings for found in ring.statutory if is_good(found))
        return f"截至{setting.as_of}，知识库中{'、'.join(names)}在文件日期有效"
    return "未核查，不等于通过"


def _confidence(gaps: Sequence[Gap], basis: Basis, verdict: Verdict) -> float:
    sure = [gap.confidence for gap in gaps if gap.code not in RADAR]
    if sure:
        return max(sure)
    if verdict is Verdict.SUPPORTED:
        return (
            0.8
            if any(found.citation.article for found in basis.ring.statutory) and basis.ring is not basis.founding
            else 0.6
        )
    return 0.0


def _of(
    measure: Measure,
    citations: Sequence[Resolved],
    verdict: Verdict,
    gaps: Sequence[Gap],
    rule: str,
    evidence: str,
    confidence: float,
    not_checked: Sequence[str],
    setting: Setting,
) -> Finding:
    cure = "；".join(dict.fromkeys(gap.cure.rstrip("。") for gap in gaps))
    return Finding(
        document=setting.document.document_id,
        measure=measure,
        verdict=verdict,
        gaps=tuple(gaps),
        citations=tuple(citations),
        rule=rule,
        evidence=evidence,
        cure=f"{cure}。" if cure else "",
        confidence=confidence,
        not_checked=tuple(dict.fromkeys(not_checked)),
    )
