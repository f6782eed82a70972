"""How versions, repeals and laws are named to the reader of a report."""

from __future__ import annotations

import datetime as dt

from corpora.legal import Law, Version


def day(date: dt.date) -> str:
    """Return 2021年7月15日."""
    return f"{date.year}年{date.month}月{date.day}日"


def version_name(version: Version) -> str:
    """Return 2021年1月22日修订的版本."""
    return f"{day(version.adopted)}{version.event}的版本"


def versions_known(law: Law) -> str:
    """Return the versions that the knowledge base has, by date."""
    return "知识库中的版本：" + "、".join(f"{v.adopted.isoformat()}{v.event}" for v in law.versions)


def repeal(law: Law) -> str:
    """Return from when a law is no longer in force, and what took its place."""
    since = f"自{day(law.repealed)}起废止" if law.repealed else "已废止"
    return f"{since}，被《{law.repealed_by}》取代" if law.repealed_by else since


def law_name(law: Law) -> str:
    """Return title, territory and first date, to tell laws of one title apart."""
    where = law.territory or "全国"
    return f"{where}《{law.title}》" + (f"（{law.versions[0].adopted.isoformat()}制定）" if law.versions else "")
