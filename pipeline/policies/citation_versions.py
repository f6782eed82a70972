"""Which version of a law a citation means, whether it has the article, and what became of both by a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from corpora.legal import Article, ArticleNumber, Law, Version
from pipeline.policies.citation_wording import day, repeal, version_name, versions_known
from pipeline.policies.records import Citation, Status

NO_DATE = "文件日期不明，无法判断当时的效力"
LATER = "该法在文件日期之后才通过：文件后来修改过，或者日期有误"


class Knowledge(Protocol):
    """What resolution asks of the knowledge base (`corpora.statutes.Statutes`)."""

    def find(self, title: str, territory: str = "") -> tuple[Law, ...]:
        """Return the laws with exactly that title or alias."""
        ...

    def covers(self, title: str) -> str:
        """Return "" if such a title would be known were it real, else why that cannot be told."""
        ...

    def titles(self) -> Mapping[str, object]:
        """Return every title and alias, normalised."""
        ...

    def version_on(self, law_id: str, on: dt.date) -> Version | None:
        """Return the version in force on that day."""
        ...

    def article(self, version_id: str, number: ArticleNumber) -> Article | None:
        """Return the article, None without text."""
        ...

    def article_exists(self, version_id: str, number: ArticleNumber) -> bool | None:
        """Return whether the version has the article, None where that is not known."""
        ...

    def renumbered(
        self, law_id: str, number: ArticleNumber, old_version_id: str, new_version_id: str
    ) -> ArticleNumber | None:
        """Return where an article of the old version stands in the new one."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Status of a citation with the version that it concerns, the other version or article, and the reason, in words."""

    status: Status
    version: Version | None = None
    other: str = ""
    reason: str = ""


def is_of(version: Version, year: int) -> bool:
    """Return whether a version is the one that a year names: adopted or first in force in it."""
    return version.adopted.year == year or (version.effective is not None and version.effective.year == year)


class Versions:
    """Checks citations against the versions of a law as of a day; None where the document has no date."""

    def __init__(self, statutes: Knowledge, on: dt.date | None) -> None:
        self.statutes, self.on = statutes, on

    def check(self, law: Law, citation: Citation, *, old: bool) -> Finding:
        """Return what became of the version and the article that a citation means; `old`: it says 原 or 修订前."""
        number = citation.article
        if not law.versions:
            if law.repealed is not None and self.on is not None and self.on >= law.repealed:
                return Finding(Status.REPEALED, other=repeal(law))
            return Finding(Status.NOT_CHECKED, reason="知识库没有该法的版本信息")
        if self.on is None:
            return self._undated(law, citation)
        if citation.year is not None:
            meant = [version for version in law.versions if is_of(version, citation.year)]
            meant = [version for version in meant if version.adopted.year == citation.year] or meant
            if not meant:
                return Finding(
                    Status.NOT_CHECKED, other=versions_known(law), reason=f"知识库没有{citation.year}年的版本"
                )
            return self._meant(law, meant[-1], number)
        current = self._current(law)
        if old and current is not None and current != law.versions[0]:
            return self._meant(law, law.versions[law.versions.index(current) - 1], number)
        if law.repealed is not None and self.on >= law.repealed:
            return Finding(Status.REPEALED, current or law.versions[-1], repeal(law))
        if current is None:
            return self._before(law)
        return self.article(law, current, number)

    def _undated(self, law: Law, citation: Citation) -> Finding:
        """Without a date only what holds on any day is said: no version at all has the article."""
        number = citation.article
        if number is not None and all(
            self.statutes.article_exists(v.version_id, number) is False for v in law.versions
        ):
            return Finding(Status.ARTICLE_NOT_FOUND, law.versions[-1], reason=f"各版本均没有{number}")
        return Finding(Status.NOT_CHECKED, reason=NO_DATE)

    def _current(self, law: Law) -> Version | None:
        on = self.on
        assert on is not None  # noqa: S101
        return self.statutes.version_on(law.law_id, on)

    def _before(self, law: Law) -> Finding:
        """No version that we know was in force yet."""
        first = law.versions[0]
        if first.effective is None:
            return Finding(Status.NOT_CHECKED, reason="知识库没有该法的施行日期")
        if first.event != "制定":
            return Finding(
                Status.NOT_CHECKED, other=version_name(first), reason="当时施行的是更早的版本，知识库没有收录"
            )
        reason = LATER if self.on is not None and self.on < first.adopted else ""
        return Finding(
            Status.NOT_YET_EFFECTIVE, first, f"{version_name(first)}，自{day(first.effective)}起施行", reason
        )

    def _meant(self, law: Law, meant: Version, number: ArticleNumber | None) -> Finding:
        """The text names the version, by its year or as the old one."""
        on = self.on
        assert on is not None  # noqa: S101
        current = self._current(law)
        if meant.effective is not None and meant.effective > on:
            return Finding(
                Status.NOT_YET_EFFECTIVE,
                meant,
                f"当日有效的是{version_name(current)}" if current else version_name(meant),
            )
        if number is not None and self.statutes.article_exists(meant.version_id, number) is False:
            return Finding(Status.ARTICLE_NOT_FOUND, meant, reason=f"{version_name(meant)}没有{number}")
        if law.repealed is not None and on >= law.repealed:
            return Finding(Status.REPEALED, meant, repeal(law))
        if current is None:
            return Finding(Status.NOT_CHECKED, meant, reason="不知道当日有效的版本")
        if current == meant:
            return self.article(law, current, number)
        if number is not None:
            moved = self.statutes.renumbered(law.law_id, number, meant.version_id, current.version_id)
            if moved is not None and moved != number:
                return Finding(
                    Status.RENUMBERED, meant, f"{version_name(meant)}{number}→{version_name(current)}{moved}"
                )
        return Finding(Status.SUPERSEDED, meant, f"当日有效的是{version_name(current)}")

    def article(self, law: Law, current: Version, number: ArticleNumber | None) -> Finding:
        """The version is the one in force; look for the article."""
        if number is None:
            return Finding(Status.IN_FORCE, current)
        exists = self.statutes.article_exists(current.version_id, number)
        if exists:
            return Finding(Status.IN_FORCE, current)
        if exists is None:
            return Finding(
                Status.NOT_CHECKED,
                current,
                reason=f"{version_name(current)}有效，但知识库没有它的完整正文，无法核对{number}",
            )
        at = law.versions.index(current)
        for older in reversed(law.versions[:at]):
            if self.statutes.article_exists(older.version_id, number):
                moved = self.statutes.renumbered(law.law_id, number, older.version_id, current.version_id)
                if moved is not None and moved != number:
                    return Finding(
                        Status.RENUMBERED, current, f"{version_name(older)}{number}→{version_name(current)}{moved}"
                    )
                return Finding(
                    Status.SUPERSEDED,
                    older,
                    f"{number}只见于{version_name(older)}，当日有效的是{version_name(current)}",
                )
        for newer in law.versions[at + 1 :]:
            if self.statutes.article_exists(newer.version_id, number):
                return Finding(
                    Status.NOT_YET_EFFECTIVE,
                    newer,
                    f"{number}只见于{version_name(newer)}，当日有效的是{version_name(current)}",
                )
        unknown = [
            v for v in law.versions if v != current and self.statutes.article_exists(v.version_id, number) is None
        ]
        reason = (
            f"{version_name(current)}共{current.article_count}条，没有{number}"
            if current.article_count
            else f"{version_name(current)}没有{number}"
        )
        if unknown:
            reason += f"（{'、'.join(version_name(v) for v in unknown)}的正文不在知识库）"
        return Finding(Status.ARTICLE_NOT_FOUND, current, reason=reason)
