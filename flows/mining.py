"""The work of the mine flow's tasks: documents in, what was found in them out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from corpora.legal import PolicyDocument
from corpora.policy_rules import Rules, load_rules
from corpora.statutes import Statutes
from corpora.territories import place_of
from corpora.units import CityInfo
from dispatch.legal_files import Mined, Suggestion
from models.statute_search import StatuteIndex, candidate_bases
from pipeline.policies.citations import Finder
from pipeline.policies.classify import classify
from pipeline.policies.clauses import outline
from pipeline.policies.gaps import judge
from pipeline.policies.measures import measures
from pipeline.policies.records import Finding, Resolved, Verdict
from pipeline.policies.resolve import resolve

#: Articles suggested for a measure without a basis.
_SUGGESTED = 3
_WITHOUT_BASIS = (Verdict.UNSUPPORTED, Verdict.PARTLY)


@dataclass(frozen=True)
class Miner:
    """All that finds measures and judges them.

    Attributes:
        index: searches for candidate bases; None where the knowledge base holds no texts.
    """

    statutes: Statutes
    rules: Rules
    finder: Finder
    index: StatuteIndex | None

    @classmethod
    def load(cls, statutes: Path, index: Path) -> Miner:
        """Open the knowledge base and what stands on it; the facts that ship with minqing do without the two files."""
        known = Statutes.open(statutes)
        return cls(known, load_rules(known), Finder(known.titles()), StatuteIndex.load(index) if index.exists() else None)

    def citations(self, document: PolicyDocument, on: dt.date | None) -> list[Resolved]:
        """Return the citations of a document, resolved as of its date (`on` where it has none)."""
        found = self.finder.find(document.text, document.title)
        return resolve(
            found, document.text, self.statutes, _day(document, on), document.title, document.territory
        )

    def mine(self, document: PolicyDocument, on: dt.date | None, city: CityInfo | None = None) -> Mined:
        """Return what a document holds: outline, class, citations, measures with their verdicts, candidate bases.

        Args:
            document: as read.
            on: its date where it has none.
            city: the flat city whose documents these are; a city younger than the list of divisions is not in it.
        """
        if city and not document.territory and city.name and city.name in f"{document.issuer}{document.title}":
            place = place_of(city.province + city.name + "人民政府")
            document = dataclasses.replace(document, territory=place.territory)
        clauses = outline(document.text)
        resolved = self.citations(document, on)
        found = measures(document.text, clauses, self.rules)
        findings = judge(
            document, clauses, found, resolved, self.rules, self.statutes, _day(document, on), flat_city=city is not None
        )
        return Mined(
            document, clauses, classify(document, clauses), resolved, findings, self._candidates(findings, document.territory)
        )

    def _candidates(self, findings: Sequence[Finding], territory: str) -> Mapping[int, Sequence[Suggestion]]:
        wanting = [i for i, finding in enumerate(findings) if finding.verdict in _WITHOUT_BASIS]
        if self.index is None or not wanting:
            return {}
        asked = [findings[i].measure.text for i in wanting]
        return {
            i: [Suggestion(item.law, item.article, item.version_id, item.score) for item in found]
            for i, found in zip(wanting, candidate_bases(self.index, asked, _SUGGESTED, territory), strict=True)
        }


def _day(document: PolicyDocument, on: dt.date | None) -> dt.date | None:
    return document.issued or document.effective or on


@lru_cache(maxsize=1)
def _miner(statutes: Path, index: Path, _stamp: tuple[float, ...]) -> Miner:
    return Miner.load(statutes, index)


def miner(statutes: Path, index: Path) -> Miner:
    """Return the process's miner, made anew when the knowledge base was built anew."""
    return _miner(statutes, index, tuple(path.stat().st_mtime for path in (statutes, index) if path.exists()))


def mine_chunk(source: Path, target: Path, statutes: Path, index: Path, on: dt.date | None, city: CityInfo | None) -> int:
    """Mine the documents that `save` put into `source`; write the results to `target` and return how many there are."""
    worker = miner(statutes, index)
    results = [worker.mine(document, on, city) for document in load(source)]
    save(results, target)
    return len(results)


def save(items: Sequence[PolicyDocument | Mined], path: Path) -> None:
    """Write a chunk to the run's own folder."""
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        for item in items:
            pickle.dump(item, file, pickle.HIGHEST_PROTOCOL)
    draft.replace(path)


def load(path: Path) -> Iterator[Any]:
    """Yield what `save` wrote: documents or what was mined from them. Only for files of this run: pickles of others are never opened."""
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)  # noqa: S301 - written by this run into a folder of its own
            except EOFError:
                return
