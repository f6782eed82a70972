"""Gaps of the citations themselves: not found, repealed, old, not yet in force, moved, elsewhere, about something else."""

from __future__ import annotations

import datetime as dt
import re

from corpora.legal import Article, ArticleNumber, Law, PolicyDocument
from corpora.policy_rules import Rule
from corpora.territories import place_of
from pipeline.policies.basis import Basis, Ring, is_good
from pipeline.policies.competence import Judged, Setting
from pipeline.policies.duty_sentences import duty_sentences
from pipeline.policies.records import Gap, Measure, Resolved, Status
from pipeline.policies.relevance import shared, telling

_OF_STATUS = {
    Status.LAW_NOT_FOUND: ("LAW_NOT_FOUND", 0.85),
    Status.ARTICLE_NOT_FOUND: ("ARTICLE_NOT_FOUND", 0.9),
    Status.REPEALED: ("BASIS_REPEALED", 0.9),
    Status.NOT_YET_EFFECTIVE: ("BASIS_NOT_YET_EFFECTIVE", 0.85),
    Status.SUPERSEDED: ("BASIS_SUPERSEDED", 0.85),
    Status.RENUMBERED: ("BASIS_RENUMBERED", 0.85),
}
_MUNICIPALITIES = frozenset({"北京", "上海", "天津", "重庆"})
#: Telling pairs that a measure needs before silence of an article means anything, and that another article must share.
_ENOUGH, _MORE = 6, 4
_LONG_ENOUGH = 20
#: Who carries a duty: 由市社会事业局承担.
_CARRIED = re.compile(r"由(?!乡|镇|街道)[^，。；由]{2,24}(?:承担|履行|行使|负责|代行|办理|实施|提出|组织|统筹|处理|决定)|[市县区](?:人民)?政府(?:有关|各)?(?:部门)?(?:应当|负责|要|给予)")


def basis_gaps(measure: Measure, basis: Basis, rule: Rule | None, setting: Setting) -> Judged:
    """Return the gaps of the nearest citations of a measure, and what of them was not checked."""
    judged = Judged()
    ring = basis.ring
    trial = rule is not None and rule.prohibited == "TRIAL_UNAUTHORISED"  # the law cited is what is suspended
    if trial or not ring:
        return judged
    for found in ring.unknown:
        judged.not_checked.append(f"{_name(found)}：{found.reason or '知识库未覆盖'}")
        _elsewhere(found, setting, rule, judged)
    matter = telling(basis.sentence)
    aside = [_aside(found, matter, rule, setting) if ring is basis.own else None for found in ring.statutory]
    for found, moved in zip(ring.statutory, aside, strict=True):
        _status(found, ring, basis, rule, setting, judged)
        if moved is not None and moved.code == "BASIS_RENUMBERED":
            judged.gaps.append(moved)
        if not is_good(found):
            if found.status is Status.NOT_CHECKED:
                judged.not_checked.append(f"{_name(found)}：{found.reason or '未核查'}")
            continue
        _territory(found, setting, rule, judged)
        _since(found, setting, rule, judged)
        if found.status is Status.NOT_CHECKED:
            judged.not_checked.append(f"{_name(found)}：{found.reason}")
        elif found.citation.article is None and ring is not basis.founding:
            judged.not_checked.append(f"{_name(found)}：只引文件名，未核条款")
        elif found.citation.article is not None and _article(found, setting) is None:
            judged.not_checked.append(f"{_name(found)}：知识库没有条文正文，内容是否相关未核")
    off = [gap for gap in aside if gap is not None and gap.code == "BASIS_OFF_TOPIC"]
    if off and len(off) == len(ring.statutory) and not ring.unknown:
        judged.gaps += off
    if ring is basis.founding:
        judged.not_checked.append("依据只见于文件的总依据，未指明本项措施的条款")
    return judged


def _name(found: Resolved) -> str:
    return found.citation.text


def _gap(code: str, found: Resolved, evidence: str, confidence: float, rule: Rule | None, setting: Setting) -> Gap:
    return Gap(code, rule.id if rule else "", f"{_name(found)}：{evidence}", setting.rules.cure(rule, code), confidence)


def _status(found: Resolved, ring: Ring, basis: Basis, rule: Rule | None, setting: Setting, judged: Judged) -> None:
    known = _OF_STATUS.get(found.status)
    if known is None or (found.citation.relation != "basis" and ring is not basis.founding):
        return
    if ring is basis.founding and any(is_good(other) for other in ring.statutory):
        judged.not_checked.append(f"{_name(found)}（总依据之一）：{found.other or found.reason}")
        return
    code, confidence = known
    if code == "BASIS_NOT_YET_EFFECTIVE" and setting.instrument != "normative" and setting.later_text:
        judged.not_checked.append(f"{_name(found)}：在文件日期之后才通过，文本应是后来修改的，按日期的判断不可靠")
        return
    what = "；".join(filter(None, (found.other, found.reason))) or code
    if code == "LAW_NOT_FOUND":
        what = f"截至{setting.as_of}，知识库中没有这个名称"
    judged.gaps.append(_gap(code, found, what, confidence, rule, setting))
    if code == "BASIS_RENUMBERED" and _is_old(found, setting):
        judged.gaps.append(_gap("BASIS_SUPERSEDED", found, what, confidence, rule, setting))


def _is_old(found: Resolved, setting: Setting) -> bool:
    """Whether the text names a version that another had replaced by the day judged by."""
    newer = setting.statutes.newer(found.law_id, found.version_id) if found.version_id else ()
    return setting.on is not None and any(v.effective is not None and v.effective <= setting.on for v in newer)


def carrier_gaps(basis: Basis, setting: Setting) -> list[Gap]:
    """Return the gap of a sentence that leans on an article whose duty is a town's or sub-district's, in a flat city.

    Nothing is said where the sentence names who carries it.
    """
    if not setting.flat or _CARRIED.search(basis.sentence):
        return []
    for found in basis.own.statutory:
        article = _article(found, setting) if is_good(found) else None
        duty = next(duty_sentences(article.text), None) if article is not None else None
        if duty is not None:
            evidence = f"该条由{'、'.join(duty.bearers)}承担；该市不设乡镇、街道，本句未载明由谁承担"
            return [_gap("CARRIER_MISSING", found, evidence, 0.65, None, setting)]
    return []


def _territory(found: Resolved, setting: Setting, rule: Rule | None, judged: Judged) -> None:
    law = setting.statutes.law(found.law_id)
    if not law.territory or found.citation.relation != "basis":
        return
    here = setting.document.territory
    if here:
        wrong = not f"{here}/".startswith(f"{law.territory}/") and not law.territory.startswith(f"{here}/")
    else:
        wrong = _no_municipality(law, setting.document)
        if not wrong:
            judged.not_checked.append(f"{_name(found)}：文件所属地区不明，是否适用于本地未核")
    if wrong:
        evidence = f"是{law.territory}的地方性规定，文件属于{here or setting.document.issuer or '其他地区'}"
        judged.gaps.append(_gap("BASIS_WRONG_TERRITORY", found, evidence, 0.85, rule, setting))


def _elsewhere(found: Resolved, setting: Setting, rule: Rule | None, judged: Judged) -> None:
    """A regulation that the knowledge base has not, of a place that its title names and the document is not of."""
    here, there = setting.document.territory, place_of(found.citation.law.strip("《》"), organ=False).territory
    if found.citation.relation != "basis" or not here or not there:
        return
    if not f"{here}/".startswith(f"{there}/") and not there.startswith(f"{here}/"):
        evidence = f"从名称看是{there}的地方性规定，文件属于{here}"
        judged.gaps.append(_gap("BASIS_WRONG_TERRITORY", found, evidence, 0.75, rule, setting))


def _no_municipality(law: Law, document: PolicyDocument) -> bool:
    """Whether the law is of a municipality and the issuer a city other than it: below a municipality there are no cities."""
    place = law.territory.split("/")[0]
    if place not in _MUNICIPALITIES or document.level not in ("市", "县"):
        return False
    city = re.search(r"([\u4e00-\u9fff]{2,6}?)市(?:委|人民政府|政府)", document.issuer or document.title)
    return city is not None and place not in document.issuer + document.title


def _since(found: Resolved, setting: Setting, rule: Rule | None, judged: Judged) -> None:
    """Radar: the law changed after the document's day."""
    if setting.on is None or found.citation.relation not in ("basis", "mention"):
        return
    if setting.later_text and setting.instrument != "normative":
        judged.not_checked.append("文件引用了在其日期之后才通过的规定，文本应是后来修改的，所引规定其后有无修改未判断")
        return
    law = setting.statutes.law(found.law_id)
    if law.repealed is not None and law.repealed > setting.on:
        by = f"，被《{law.repealed_by}》取代" if law.repealed_by else ""
        evidence = f"自{law.repealed.isoformat()}起废止{by}，晚于文件日期{setting.on.isoformat()}"
    else:
        newer = [
            version
            for version in setting.statutes.newer(found.law_id, found.version_id)
            if version.adopted > setting.on
        ]
        if not newer:
            return
        evidence = f"{newer[-1].adopted.isoformat()}{newer[-1].event}，晚于文件日期{setting.on.isoformat()}"
    judged.gaps.append(_gap("BASIS_AMENDED_SINCE", found, evidence, 0.9, rule, setting))


def _article(found: Resolved, setting: Setting) -> Article | None:
    number = found.citation.article
    return setting.statutes.article(found.version_id, number) if number is not None and found.version_id else None


def _aside(found: Resolved, matter: set[str], rule: Rule | None, setting: Setting) -> Gap | None:
    """Return the gap of an article that is in force and about something else, or whose number was another's before."""
    number, article = found.citation.article, _article(found, setting)
    if number is None or article is None or found.status is not Status.IN_FORCE or found.citation.relation != "basis":
        return None
    common = shared(matter, article)
    paragraph = found.citation.paragraph
    absent = paragraph is not None and paragraph > len(article.paragraphs)
    moved = _once(found, number, rule, setting) or _moved(found, number, matter, common, absent, setting)
    if moved:
        return _gap("BASIS_RENUMBERED", found, moved, 0.75, rule, setting)
    if rule is not None and any(item.law_id == found.law_id and item.number == number for item in rule.authority):
        return None
    if len(matter) < _ENOUGH or common or len(article.text) < _LONG_ENOUGH:
        return None
    others = [other for other in setting.statutes.articles(found.version_id) if other.number != number]
    better = max(others, key=lambda other: shared(matter, other), default=None)
    if matter & telling(found.title) and (better is None or shared(matter, better) < _MORE):
        return None
    return _gap(
        "BASIS_OFF_TOPIC",
        found,
        f"该条的内容与本项措施没有共同的关键词（该条：“{article.text[:40]}…”）",
        0.6,
        rule,
        setting,
    )


def _once(found: Resolved, number: ArticleNumber, rule: Rule | None, setting: Setting) -> str:
    """Return where the article went that bore this number before and that the measure's rule stands on; "" if none did."""
    authority = {item.number for item in rule.authority if item.law_id == found.law_id} if rule else set()
    if rule is None or not authority or number in authority:
        return ""
    # A rule of an earlier period rests on the old text, which may be held nowhere.
    law_name = next(item.law for item in rule.authority if item.law_id == found.law_id)
    for earlier in setting.rules.of_kind(rule.kind):
        old_text = next((item for item in earlier.authority if item.law == law_name and item.number == number), None)
        if earlier is not rule and old_text is not None and earlier.valid_to is not None and old_text.version < _adopted(rule, law_name):
            return f"{old_text.version.year}年文本的{number}现为{'、'.join(map(str, sorted(authority)))}"
    law = setting.statutes.law(found.law_id)
    for old in reversed([version for version in law.versions if version.version_id < found.version_id]):
        now = setting.statutes.renumbered(found.law_id, number, old.version_id, found.version_id)
        if now in authority:
            return f"{old.adopted.year}年文本的{number}现为{now}"
    return ""


def _adopted(rule: Rule, law: str) -> dt.date:
    return max(item.version for item in rule.authority if item.law == law)


def _moved(
    found: Resolved, number: ArticleNumber, matter: set[str], common: int, absent: bool, setting: Setting
) -> str:
    """Return where the article of that number went that an older version had and the measure speaks of; "" if none did."""
    law = setting.statutes.law(found.law_id)
    for old in reversed([version for version in law.versions if version.version_id < found.version_id]):
        before = setting.statutes.article(old.version_id, number)
        if before is None:
            continue
        paragraph = found.citation.paragraph
        had = absent and paragraph is not None and paragraph <= len(before.paragraphs)
        if shared(matter, before) <= common + 1 and not had:
            return ""
        now = setting.statutes.renumbered(found.law_id, number, old.version_id, found.version_id) or _nearest(
            before, found, setting
        )
        if now is not None and now != number:
            return f"{old.adopted.year}年文本的{number}现为{now}"
        return ""
    return ""


def _nearest(before: Article, found: Resolved, setting: Setting) -> ArticleNumber | None:
    """Return the article of the version in force that says most of what the old one said, if any says half of it."""
    said = telling(before.text)
    best = max(setting.statutes.articles(found.version_id), key=lambda article: shared(said, article), default=None)
    return best.number if best is not None and said and shared(said, best) * 2 >= len(said) else None
