"""What the knowledge base covers, in numbers, and for which titles its silence means something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Set
from typing import Any

from corpora.legal import Rank
from corpora.statute_facts import Facts
from corpora.statute_store import TextStore
from corpora.territories import place_of

#: Ranks of which the sources hold all that is in force; of the others they hold a part.
WHOLE_RANKS = (Rank.CONSTITUTION, Rank.LAW, Rank.ADMINISTRATIVE_REGULATION)

_LAW = re.compile(r"(?:法|法典)$")
_NO_LAW = re.compile(
    r"(?:办法|方法|执法|司法|立法|兵法|书法|做法|想法|说法|用法|语法|算法|疗法|合法|违法|守法|普法|新法|旧法)$"
)
#: 条例实施细则 and the like are made by the State Council or by a department: no telling which.
_REGULATION = re.compile(r"(?:条例|法实施条例)$")
_TRIAL = re.compile(r"（(?:试行|暂行|草案|送审稿|征求意见稿)）$")
_DRAFT = re.compile(r"草案|送审稿|征求意见稿")
_BARE = re.compile(r".{0,2}(?:法|条例|办法|规定|细则)$")
_PARTY = re.compile(
    r"中国共产党|党的|党组|党内|纪律处分|中共|党员|党政|巡视工作|干部|统一战线|机关党|信访工作|政法工作|中国人民解放军|军队|现役"
)
_PLACE = re.compile(r"[\u4e00-\u9fff]{2,12}?(?:省|自治区|自治州|自治县|市|县|特区|新区|开发区|试验区)")
_LOCAL = "地方性法规、规章只收录一部分，查无此名不能说明它不存在"


def why_unknown(title: str, facts: Facts) -> str:
    """Return why the absence of a (normalised) title says nothing, "" if it says that there is no such law."""
    as_of = facts.head.get("as_of", {})
    name = _TRIAL.sub("", title)
    if _DRAFT.search(title):
        return "草案、征求意见稿不在知识库范围内"
    if _BARE.fullmatch(name):
        return "不是完整的名称"
    if _PARTY.search(title):
        return "党内法规和军事法规不在知识库范围内"
    if place_of(title, organ=False).territory or _PLACE.match(title):
        return _LOCAL
    if _LAW.search(name) and not _NO_LAW.search(name):
        return "" if as_of.get(Rank.LAW.value) else "知识库没有收录法律"
    if _REGULATION.search(name):
        return "" if as_of.get(Rank.ADMINISTRATIVE_REGULATION.value) else "知识库没有收录行政法规"
    if re.search(r"解释|批复", title):
        return "司法解释只收录一部分"
    if re.search(r"决定|决议", title):
        return "决定只收录一部分"
    return "部门规章、地方政府规章和规范性文件不在知识库范围内或只收录一部分"


def coverage(facts: Facts, held: Set[str], store: TextStore | None) -> dict[str, Any]:
    """Return the state of the knowledge base as JSON has it."""
    levels: dict[str, dict[str, Any]] = {}
    for rank in Rank:
        laws = [law for law in facts.laws if law.rank is rank]
        if not laws:
            continue
        versions = [version for law in laws for version in law.versions]
        levels[rank.value] = {
            "laws": len(laws),
            "in_force": sum(law.repealed is None for law in laws),
            "titles_only": sum(not law.versions for law in laws),
            "versions": len(versions),
            "versions_with_article_numbers": sum(version.version_id in facts.numbers for version in versions),
            "versions_with_text": sum(version.version_id in held for version in versions),
            "as_of": max((version.adopted for version in versions), default=None),
            "whole": rank in WHOLE_RANKS,
        }
    counts = store.article_counts() if store else {}
    incomplete = [
        {
            "title": law.title,
            "version": version.adopted.isoformat(),
            "articles": version.article_count,
            "articles_held": counts.get(version.version_id, 0),
        }
        for law in facts.laws
        for version in law.versions
        if version.complete is False or counts.get(version.version_id, 10_000) < (version.article_count or 0)
    ]
    as_of = max((level["as_of"] for level in levels.values() if level["as_of"]), default=None)
    return {
        "laws": len(facts.laws),
        "versions": sum(len(law.versions) for law in facts.laws),
        "versions_with_text": len(held),
        "articles": store.count() if store else 0,
        "levels": {name: {**level, "as_of": _iso(level["as_of"])} for name, level in levels.items()},
        "territories": dict(sorted(Counter(law.territory for law in facts.laws if law.territory).items())),
        "as_of": _iso(as_of),
        "approximate_dates": sum(version.approximate for law in facts.laws for version in law.versions),
        "repealed": sum(law.repealed is not None for law in facts.laws),
        "compared_versions": len(facts.moved),
        "facts_from": list(facts.head.get("sources", ())),
        "texts_from": store.sources() if store else [],
        "incomplete": incomplete,
        "conflicts": store.conflicts() if store else list(facts.head.get("conflicts", ())),
        "problems": store.problems() if store else [],
    }


def _iso(day: Any) -> str | None:  # noqa: ANN401 - a date or None
    return day.isoformat() if day else None
