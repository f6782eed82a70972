"""What judging asks of the knowledge base (`corpora.statutes.Statutes`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from corpora.legal import Article, ArticleNumber, Law, Version


class Statutory(Protocol):
    """The part of the knowledge base that judging needs."""

    def law(self, law_id: str) -> Law:
        """Return a law by its id."""

    def find(self, title: str, territory: str = "") -> tuple[Law, ...]:
        """Return the laws of exactly that title or alias."""

    def newer(self, law_id: str, version_id: str) -> tuple[Version, ...]:
        """Return the versions adopted after that one."""

    def article(self, version_id: str, number: ArticleNumber) -> Article | None:
        """Return an article; None without its text."""

    def articles(self, version_id: str) -> Sequence[Article]:
        """Return the articles of a version; () without its text."""

    def renumbered(
        self, law_id: str, number: ArticleNumber, old_version_id: str, new_version_id: str
    ) -> ArticleNumber | None:
        """Return where an article of the old version stands in the new one; None where that is not known."""

    def status(self) -> Mapping[str, Any]:
        """Return the coverage; `as_of` is its day."""
