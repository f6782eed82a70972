"""The SQLite file of statute texts: written whole and then put in place, read one version at a time.

Tables: `meta(key, value)`; `law(law_id, facts)` with the line that `statute_facts` reads; `article(version_id, position,
number, suffix, heading, text)`; `body(version_id, text)` for texts without articles; `source(name, texts)`;
`conflict(title, version, sources, difference)`; `problem(source, reason)`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpora.legal import Article, ArticleNumber, Law, Version
from corpora.statute_facts import Facts, load_facts
from corpora.statute_titles import normalise_title

FORMAT = "minqing-statutes-1"
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE law (law_id TEXT PRIMARY KEY, facts BLOB NOT NULL);
CREATE TABLE held (version_id TEXT PRIMARY KEY, articles INTEGER NOT NULL, source TEXT NOT NULL);
CREATE TABLE article (
    version_id TEXT NOT NULL, position INTEGER NOT NULL, number INTEGER NOT NULL, suffix INTEGER NOT NULL,
    heading TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (version_id, position)
) WITHOUT ROWID;
CREATE TABLE body (version_id TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE source (name TEXT PRIMARY KEY, texts INTEGER NOT NULL);
CREATE TABLE conflict (title TEXT, version TEXT, sources TEXT, difference TEXT);
CREATE TABLE problem (source TEXT, reason TEXT);
"""


class StatuteFileError(Exception):
    """A file of statute texts cannot be read; the message names it and says why."""


class TextStore:
    """Read access to a file of statute texts. The connection belongs to the process that uses it first."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            StatuteFileError: if it is no file of statute texts of this format.
        """
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        try:
            rows = dict(self._all("SELECT key, value FROM meta"))
        except sqlite3.Error as error:
            msg = f"{path}: no file of statute texts ({error}); build it again with `minqing statutes build`"
            raise StatuteFileError(msg) from error
        if rows.get("format") != FORMAT:
            msg = f"{path}: of another format ({rows.get('format')}); build it again with `minqing statutes build`"
            raise StatuteFileError(msg)

    def _all(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if self._connection is None or self._process != os.getpid():
            self._connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
            self._process = os.getpid()
        return self._connection.execute(query, values).fetchall()

    def versions(self) -> frozenset[str]:
        """Return the ids of the versions with articles."""
        return frozenset(row[0] for row in self._all("SELECT version_id FROM held WHERE articles > 0"))

    def articles(self, version_id: str) -> tuple[Article, ...]:
        """Return the articles of a version in order."""
        query = "SELECT number, suffix, heading, text FROM article WHERE version_id = ? ORDER BY position"
        return tuple(
            Article(version_id, ArticleNumber(number, suffix), heading, text)
            for number, suffix, heading, text in self._all(query, (version_id,))
        )

    def body(self, version_id: str) -> str:
        """Return what stands outside articles, "" for nothing."""
        rows = self._all("SELECT text FROM body WHERE version_id = ?", (version_id,))
        return rows[0][0] if rows else ""

    def article_counts(self) -> dict[str, int]:
        """Return how many articles each version has here."""
        return dict(self._all("SELECT version_id, articles FROM held WHERE articles > 0"))

    def count(self) -> int:
        """Return how many articles there are."""
        return int(self._all("SELECT coalesce(sum(articles), 0) FROM held")[0][0])

    def facts(self) -> Facts:
        """Return the facts of the laws in the file."""
        return load_facts(row[0] for row in self._all("SELECT facts FROM law ORDER BY rowid"))

    def sources(self) -> list[dict[str, Any]]:
        """Return the sources with the number of texts from each."""
        return [
            {"source": name, "texts": texts}
            for name, texts in self._all("SELECT name, texts FROM source ORDER BY name")
        ]

    def conflicts(self) -> list[dict[str, Any]]:
        """Return where sources disagree."""
        names = ("title", "version", "sources", "difference")
        return [dict(zip(names, row, strict=True)) for row in self._all(f"SELECT {', '.join(names)} FROM conflict")]  # noqa: S608 - fixed names

    def problems(self) -> list[dict[str, Any]]:
        """Return what could not be read when the file was built."""
        return [
            {"source": source, "reason": reason} for source, reason in self._all("SELECT source, reason FROM problem")
        ]


def merged_facts(shipped: Facts, store: TextStore) -> Facts:
    """Return the shipped facts with the laws and versions that only the user's own build has.

    A built law of the same id takes the shipped one's place when it was built on it (it has all its versions and more).
    """
    own = store.facts()
    built = {law.law_id: law for law in own.laws}
    numbers = {**own.numbers, **shipped.numbers}
    laws = [_joined(law, built.pop(law.law_id, None), own, numbers) for law in shipped.laws]
    names = {normalise_title(name) for law in shipped.laws for name in (law.title, *law.aliases)}
    for law in built.values():
        aliases = tuple(alias for alias in law.aliases if normalise_title(alias) not in names)
        laws.append(replace(law, aliases=aliases))
    return Facts(tuple(laws), numbers, {**own.moved, **shipped.moved}, shipped.head)


def _joined(shipped: Law, built: Law | None, own: Facts, numbers: dict[str, Any]) -> Law:
    """Return the shipped law with the versions, repeal and completeness that the build adds."""
    if built is None:
        return shipped
    mine: dict[str, Version] = {version.version_id: version for version in built.versions}
    versions = []
    for version in shipped.versions:
        other = mine.pop(version.version_id, None)
        if other and (other.article_count or 0) > (version.article_count or 0):
            version = replace(version, article_count=other.article_count, complete=other.complete)
            numbers[version.version_id] = own.numbers[version.version_id]
        versions.append(version)
    versions = sorted([*versions, *mine.values()], key=lambda version: version.adopted)
    repealed, by = (shipped.repealed, shipped.repealed_by) if shipped.repealed else (built.repealed, built.repealed_by)
    return replace(shipped, versions=tuple(versions), repealed=repealed, repealed_by=by)


def write_store(
    target: Path,
    laws: Iterable[tuple[str, bytes]],
    held: Iterable[tuple[str, str, Iterable[Article], str]],
    sources: dict[str, int],
    conflicts: Iterable[tuple[str, str, str, str]],
    problems: Iterable[tuple[str, str]],
) -> None:
    """Write the file beside `target` and put it in its place at once.

    Args:
        target: the file; its folder is there.
        laws: law id and line of facts.
        held: version id, source, articles, text outside them.
        sources: name → number of texts.
        conflicts: rows of that table.
        problems: rows of that table.

    Raises:
        OSError: if it cannot be written; what was at `target` is still there then.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        connection = sqlite3.connect(part)
        try:
            connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + SCHEMA)
            with connection:
                connection.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
                connection.executemany("INSERT INTO law VALUES (?, ?)", laws)
                for version_id, source, articles, body in held:
                    rows = [
                        (
                            version_id,
                            position,
                            article.number.number,
                            article.number.suffix,
                            article.heading,
                            article.text,
                        )
                        for position, article in enumerate(articles)
                    ]
                    connection.execute("INSERT INTO held VALUES (?, ?, ?)", (version_id, len(rows), source))
                    connection.executemany("INSERT INTO article VALUES (?, ?, ?, ?, ?, ?)", rows)
                    if body:
                        connection.execute("INSERT INTO body VALUES (?, ?)", (version_id, body))
                connection.executemany("INSERT INTO source VALUES (?, ?)", sorted(sources.items()))
                connection.executemany("INSERT INTO conflict VALUES (?, ?, ?, ?)", conflicts)
                connection.executemany("INSERT INTO problem VALUES (?, ?)", problems)
        finally:
            connection.close()
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.replace(target)
    except sqlite3.Error as error:
        msg = f"{target}: cannot be written ({error})"
        raise OSError(msg) from error
    finally:
        part.unlink(missing_ok=True)
