"""An article as a reader is shown it: text, version, from when in force, what changed later."""

from __future__ import annotations

import datetime as dt

from corpora.legal import ArticleNumber, Law, Rank, Version
from corpora.statutes import Statutes

#: Chinese names of the ranks.
RANK_NAMES = {
    Rank.CONSTITUTION: "宪法",
    Rank.LAW: "法律",
    Rank.DECISION: "决定、法律解释",
    Rank.ADMINISTRATIVE_REGULATION: "行政法规",
    Rank.SUPERVISORY_REGULATION: "监察法规",
    Rank.LOCAL_REGULATION: "地方性法规",
    Rank.DEPARTMENT_RULE: "部门规章",
    Rank.LOCAL_RULE: "地方政府规章",
    Rank.JUDICIAL_INTERPRETATION: "司法解释",
}


def describe(statutes: Statutes, title: str, number: ArticleNumber, on: dt.date) -> str:
    """Return the article of the version in force on a day, in Chinese, with what is known of its versions."""
    laws = statutes.find(title)
    if not laws:
        why = statutes.covers(title)
        return f"知识库中没有《{title}》" + (
            f"：{why}。" if why else f"（法律、行政法规，截至 {statutes.status()['as_of']}）。"
        )
    return "\n\n".join(_law(statutes, law, number, on) for law in statutes.narrowed(laws, on))


def version_name(version: Version) -> str:
    """Return how a version is called: 2021-01-22 修订."""
    return f"{version.adopted} {version.event}"


def _law(statutes: Statutes, law: Law, number: ArticleNumber, on: dt.date) -> str:
    lines = [f"《{law.title}》 {number}"]
    lines.append(" · ".join(part for part in (RANK_NAMES[law.rank], law.issuer, law.territory) if part))
    version = statutes.version_on(law.law_id, on)
    if version is None:
        return "\n".join([*lines, _out_of_force(law, on)])
    about = "（推定，未见施行条款）" if version.approximate else ""
    lines.append(f"{on} 有效的版本：{version_name(version)}，自 {version.effective} 起施行{about}")
    article = statutes.article(version.version_id, number)
    if article:
        if article.heading:
            lines.append(article.heading)
        lines += ["", article.text, ""]
    else:
        lines.append(_missing(statutes, version, number))
    lines += _later(statutes, law, version, number)
    return "\n".join(lines).rstrip()


def _out_of_force(law: Law, on: dt.date) -> str:
    if law.repealed and on >= law.repealed:
        return f"{on} 已不再施行：{law.repealed} 起失效" + (f"（{law.repealed_by}）" if law.repealed_by else "")
    first = law.versions[0] if law.versions else None
    return f"{on} 尚未施行：{version_name(first)}，自 {first.effective} 起施行" if first else f"{on} 的版本不详"


def _missing(statutes: Statutes, version: Version, number: ArticleNumber) -> str:
    exists = statutes.article_exists(version.version_id, number)
    if exists:
        return "该条存在；本机未建条文库，或所用来源没有这一条（minqing statutes build）。"
    if exists is False:
        return f"该版本共 {version.article_count} 条，没有{number}。"
    return "知识库没有该版本的完整条文，不能判断有无此条。"


def _later(statutes: Statutes, law: Law, version: Version, number: ArticleNumber) -> list[str]:
    """Return a line for each later version: where the article stands in it, and whether its words changed."""
    lines = []
    for newer in statutes.newer(law.law_id, version.version_id):
        about = "（推定）" if newer.approximate else ""
        line = f"此后：{version_name(newer)}，自 {newer.effective} 起施行{about}"
        place = statutes.renumbered(law.law_id, number, version.version_id, newer.version_id)
        if place is not None:
            old, new = statutes.article(version.version_id, number), statutes.article(newer.version_id, place)
            line += f"，本条为{place}" if place != number else "，条序未变"
            if old and new:
                line += "，条文未改" if old.text == new.text else "，条文有修改"
        lines.append(line)
    if law.repealed:
        lines.append(f"此后：{law.repealed} 起失效（{law.repealed_by}）")
    return lines
