"""Statute knowledge base: which law a title means, which version was in force when, whether an article exists.

Facts ship with the project and always answer; texts come from the file that `corpora.statute_sources.build` makes and add
articles. What the knowledge base cannot tell it answers with None, never with a near match.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from corpora.dates import CHINA
from corpora.legal import Article, ArticleNumber, Law, Version
from corpora.statute_coverage import coverage, why_unknown
from corpora.statute_facts import Facts, shipped_facts
from corpora.statute_renumbering import decode_runs
from corpora.statute_store import TextStore, merged_facts
from corpora.statute_titles import normalise_title, without_version

_CACHED_VERSIONS = 512


def _begun(law: Law, on: dt.date) -> bool:
    return not law.versions or any(version.effective and version.effective <= on for version in law.versions)


class Statutes:
    """Laws with versions, and their texts where these were built. Opened with `open`; can be pickled."""

    def __init__(self, facts: Facts, store: TextStore | None = None) -> None:
        self._facts = facts
        self._store = store
        self._laws = {law.law_id: law for law in facts.laws}
        self._versions = {version.version_id: version for law in facts.laws for version in law.versions}
        self._titles: dict[str, tuple[str, ...]] = {}
        for law in facts.laws:
            for name in {normalise_title(name) for name in (law.title, *law.aliases)}:
                self._titles[name] = (*self._titles.get(name, ()), law.law_id)
        self._held = store.versions() if store else frozenset()
        self._articles = lru_cache(_CACHED_VERSIONS)(self._read_articles)
        self._by_number = lru_cache(_CACHED_VERSIONS)(self._numbered)

    @classmethod
    def open(cls, path: Path | None = None) -> Statutes:
        """Return the knowledge base: facts alone without `path` or where no such file is, else with its texts.

        Raises:
            StatuteFileError: if the file is there and is no file of statute texts.
        """
        facts = shipped_facts()
        if path is None or not path.exists():
            return cls(facts)
        store = TextStore(path)
        return cls(merged_facts(facts, store), store)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Statutes.open, (self._store.path,)) if self._store else (Statutes, (self._facts,))

    @property
    def laws(self) -> Sequence[Law]:
        """All laws, repealed ones too; a repealed title of which nothing else is known has no versions."""
        return self._facts.laws

    def law(self, law_id: str) -> Law:
        """Return a law by its id.

        Raises:
            KeyError: if there is none.
        """
        return self._laws[law_id]

    def find(self, title: str, territory: str = "") -> tuple[Law, ...]:
        """Return the laws of exactly that title or alias; several mean that it is ambiguous, none that it is unknown.

        Args:
            title: as written, with or without 《》; a version in brackets ((2021年修订)) is overlooked.
            territory: of the one who cites: settles between laws of several territories, and is no filter otherwise.
        """
        name = normalise_title(title)
        ids = self._titles.get(name) or self._titles.get(without_version(name), ())
        found = tuple(self._laws[law_id] for law_id in ids)
        if len(found) > 1 and territory:
            near = tuple(law for law in found if law.territory and f"{territory}/".startswith(f"{law.territory}/"))
            return near or found
        return found

    def narrowed(self, laws: Sequence[Law], on: dt.date) -> tuple[Law, ...]:
        """Return those of several laws of one title that lived on a day; without one, the last that had lived, else all.

        A law without versions is known from its repeal alone: it lived until then.
        """
        living = [law for law in laws if _begun(law, on) and not (law.repealed and law.repealed <= on)]
        if not living:
            ended = [law for law in laws if law.repealed and law.repealed <= on]
            living = [law for law in ended if law.repealed == max(law.repealed for law in ended if law.repealed)]
        known = [law for law in living if law.versions]
        return tuple(known or living or laws)

    def covers(self, title: str) -> str:
        """Return "" if a law of such a title would be here were it real, else why the knowledge base cannot tell."""
        return "" if self.find(title) else why_unknown(normalise_title(title), self._facts)

    def version_on(self, law_id: str, on: dt.date) -> Version | None:
        """Return the version in force on a day; None before the first, after repeal, or where no version is known."""
        law = self._laws[law_id]
        if law.repealed and on >= law.repealed:
            return None
        begun = [version for version in law.versions if version.effective and version.effective <= on]
        return (
            max(begun, key=lambda version: (version.adopted, version.effective or version.adopted)) if begun else None
        )

    def newer(self, law_id: str, version_id: str) -> tuple[Version, ...]:
        """Return the versions adopted after that one, oldest first."""
        law = self._laws[law_id]
        adopted = self._versions[version_id].adopted
        return tuple(version for version in law.versions if version.adopted > adopted)

    def article(self, version_id: str, number: ArticleNumber) -> Article | None:
        """Return an article of a version; None without its text or without such an article."""
        return self._by_number(version_id).get(number) if version_id in self._held else None

    def articles(self, version_id: str) -> Sequence[Article]:
        """Return the articles of a version in order; () without its text."""
        return self._articles(version_id) if version_id in self._held else ()

    def has_text(self, version_id: str) -> bool:
        """Whether articles of that version are here."""
        return version_id in self._held

    def article_exists(self, version_id: str, number: ArticleNumber) -> bool | None:
        """Whether a version has an article of that number; None where no source has the text, or not known to be whole."""
        numbers = self._facts.numbers.get(version_id)
        if numbers is None or not numbers.spec:
            return None
        if number in numbers:
            return True
        return False if self._versions[version_id].complete else None

    def renumbered(
        self, law_id: str, number: ArticleNumber, old_version_id: str, new_version_id: str
    ) -> ArticleNumber | None:
        """Return where an article of the old version stands in the new one (its own number if it stayed).

        None where that is not known: the article is gone or was rewritten, or there is no chain of compared versions
        between the two.
        """
        at, here = old_version_id, number
        while at != new_version_id:
            step = self._next_pair(law_id, at, self._versions[new_version_id].adopted)
            if step is None:
                return None
            after = self._map(at, step).get(here)
            if after is None:
                return None
            at, here = step, after
        return here

    def texts(self, on: dt.date | None = None) -> Iterator[tuple[Law, Version, Sequence[Article]]]:
        """Yield each law in force on a day (default: today) with its version and articles, where that text is here."""
        day = on or dt.datetime.now(CHINA).date()
        for law in self._facts.laws:
            version = self.version_on(law.law_id, day)
            if version and version.version_id in self._held:
                yield law, version, self._read_articles(version.version_id)

    def titles(self) -> Mapping[str, tuple[str, ...]]:
        """Return every title and alias in normal form → ids of the laws that it means."""
        return self._titles

    def status(self) -> dict[str, Any]:
        """Return what the knowledge base covers, as JSON has it: counts, levels, dates, incomplete texts, conflicts."""
        return coverage(self._facts, self._held, self._store)

    def _read_articles(self, version_id: str) -> tuple[Article, ...]:
        return self._store.articles(version_id) if self._store else ()

    def _numbered(self, version_id: str) -> dict[ArticleNumber, Article]:
        return {article.number: article for article in self._articles(version_id)}

    @cached_property
    def _pairs(self) -> dict[str, tuple[str, ...]]:
        """Old version → newer versions it was compared with."""
        found: dict[str, tuple[str, ...]] = {}
        for old, new in self._facts.moved:
            found[old] = (*found.get(old, ()), new)
        return found

    def _next_pair(self, law_id: str, old: str, until: dt.date) -> str | None:
        """Return the farthest compared version that is not beyond the day."""
        steps = [new for new in self._pairs.get(old, ()) if self._versions[new].adopted <= until]

        return max(steps, key=lambda new: self._versions[new].adopted) if steps else None

    @cached_property
    def _maps(self) -> dict[tuple[str, str], dict[ArticleNumber, ArticleNumber]]:
        return {}

    def _map(self, old: str, new: str) -> dict[ArticleNumber, ArticleNumber]:
        if (old, new) not in self._maps:
            self._maps[old, new] = decode_runs(self._facts.moved[old, new])
        return self._maps[old, new]
