"""Citations in real statutes and policy documents, read from the evaluation data beside the checkout."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from corpora.statutes import Statutes
from pipeline.policies.citations import Finder
from pipeline.policies.resolve import resolve

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the evaluation data is not beside the checkout")
MENTION = re.compile(r"(?<!^)(?<!\n)(?<!\n## )第[零〇一二三四五六七八九十百千]+条(?![例约件款])")


@pytest.fixture(scope="module")
def statutes() -> Statutes:
    return Statutes.open(None)


def test_statute_bodies(statutes: Statutes) -> None:
    finder = Finder(statutes.titles())
    mentions = attributed = exists = absent = 0
    for path in sorted((FOLDER / "statutes" / "lawrefbook" / "行政法规").rglob("*.md")):
        text = path.read_text("utf-8")
        head = re.match(r"#\s*(.+)", text)
        if not head or path.name.startswith("_"):
            continue
        title = re.sub(r"\s", "", head[1])
        laws = statutes.find(title)
        day = laws[-1].versions[-1].effective if laws and laws[-1].versions else None
        citations = finder.find(text, title)
        assert all(text[c.start : c.end] == c.text for c in citations)
        covered = {at for c in citations if c.article for at in range(c.start, c.end)}
        for match in MENTION.finditer(text):
            mentions += 1
            attributed += match.start() in covered
        for found in resolve(citations, text, statutes, day, title):
            if found.citation.article and found.law_id:
                exists += found.status in ("in_force", "superseded", "renumbered", "repealed", "not_yet_effective")
                absent += found.status == "article_not_found"
    assert mentions > 3_000
    assert attributed / mentions > 0.92
    assert exists / (exists + absent) > 0.985


def test_policies_accuse_no_article(statutes: Statutes) -> None:
    finder = Finder(statutes.titles())
    absent = unknown = 0
    for line in (FOLDER / "policies" / "policies.jsonl").read_text("utf-8").splitlines():
        document = json.loads(line)
        written = re.findall(r"\d+", document["issued_on"] or "")
        try:
            day = dt.date(*map(int, written[:3]))
        except (TypeError, ValueError):
            day = None
        text = document["body"]
        for found in resolve(finder.find(text, document["title"]), text, statutes, day, document["title"], "河北"):
            absent += found.status == "article_not_found"
            unknown += found.status == "law_not_found"
    assert absent == 0
    assert unknown <= 2
