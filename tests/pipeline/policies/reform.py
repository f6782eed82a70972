"""Invented reform documents, judged with the facts that ship and articles made up for the test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

from corpora.legal import Article, ArticleNumber, PolicyDocument
from corpora.policy_rules import Rules, load_rules
from corpora.statutes import Statutes
from pipeline.policies.citations import Finder
from pipeline.policies.clauses import outline
from pipeline.policies.gaps import judge
from pipeline.policies.measures import measures
from pipeline.policies.records import Finding
from pipeline.policies.resolve import resolve

RADAR = "BASIS_AMENDED_SINCE"
DAY = dt.date(2023, 5, 1)


@cache
def known() -> Statutes:
    return Statutes.open()


@cache
def rules() -> Rules:
    return load_rules(known())


@cache
def finder() -> Finder:
    return Finder(known().titles())


class Texted:
    """The shipped facts with a few articles: `texts` has (title, day of adoption, number) → text."""

    def __init__(self, texts: Mapping[tuple[str, str, int], str]) -> None:
        self._articles: dict[str, dict[ArticleNumber, Article]] = {}
        for (title, adopted, number), text in texts.items():
            (law,) = known().find(title)
            (version,) = [version for version in law.versions if version.adopted.isoformat() == adopted]
            article = Article(version.version_id, ArticleNumber(number), "", text)
            self._articles.setdefault(version.version_id, {})[article.number] = article

    def __getattr__(self, name: str) -> Any:
        return getattr(known(), name)

    def article(self, version_id: str, number: ArticleNumber) -> Article | None:
        return self._articles.get(version_id, {}).get(number)

    def articles(self, version_id: str) -> list[Article]:
        return list(self._articles.get(version_id, {}).values())


def document(
    sentence: str,
    *,
    issuer: str = "临湾市人民政府",
    on: dt.date | None = DAY,
    title: str = "",
    number: str = "临政发〔2023〕5号",
    level: str = "县",
    territory: str = "",
    intro: str = "现就有关事项通知如下。",
    fields: dict[str, str] | None = None,
) -> PolicyDocument:
    """A notice whose point （一） is the sentence."""
    title = title or f"{issuer}关于深化基层治理改革的通知"
    signed = f"{on.year}年{on.month}月{on.day}日" if on else ""
    text = f"{title}\n{number}\n各有关单位：\n{intro}\n一、主要任务\n（一）{sentence}\n（二）加强宣传引导。\n{issuer}\n{signed}\n"
    return PolicyDocument(
        "reform.txt", "reform.txt", text, title=title, issuer=issuer, number=number, kind="通知", issued=on, level=level,
        territory=territory, fields=fields or {},
    )  # fmt: skip


def findings(paper: PolicyDocument, *, flat: bool = False, statutes: Any = None) -> list[Finding]:
    """All findings of a document."""
    base = statutes or known()
    clauses = outline(paper.text)
    resolved = resolve(
        finder().find(paper.text, paper.title), paper.text, base, paper.issued, paper.title, paper.territory
    )
    found = measures(paper.text, clauses, rules())
    return judge(paper, clauses, found, resolved, rules(), base, paper.issued, flat)


def of_sentence(sentence: str, *, flat: bool = False, statutes: Any = None, **options: Any) -> list[Finding]:
    """The findings of the sentence, which is the only point of its document that can have any."""
    return [
        finding
        for finding in findings(document(sentence, **options), flat=flat, statutes=statutes)
        if finding.measure.text in sentence
    ]


def codes(sentence: str, **options: Any) -> set[str]:
    """The gap codes of a sentence, the radar left out."""
    return {gap.code for finding in of_sentence(sentence, **options) for gap in finding.gaps} - {RADAR}
