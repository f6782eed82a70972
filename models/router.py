"""The router: issue model, unit model, directory, places and rules, applied to one petition batch."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.config import Config
from corpora.issue_tree import IssueTree
from corpora.lexicon import petition_terms, word_frequencies
from corpora.places import Gazetteer
from corpora.units import UnitDirectory
from models.classifier import Scored
from models.explain import telling_words
from models.given import GivenScores, GivenViews
from models.issue import Emitted, Hierarchy, IssueModel
from models.unit import UnitModel
from pipeline.petitions.deadline import DeadlineRules, deadlines
from pipeline.petitions.events import Sketches
from pipeline.petitions.features import TextFeatures, WordTable, featurise
from pipeline.petitions.prepare import Prepared, content_hashes, prepare
from pipeline.petitions.route import Batch, DecisionRule, Ranked, Reason, assemble, co_handling, rank
from pipeline.petitions.segment import Segmenter, segmenter
from pipeline.petitions.telling import WordWeights
from pipeline.petitions.urgency import UrgencyRules

F64 = npt.NDArray[np.float64]
#: Units of each petition for which reasons are given: the lead and the runner-up.
_EXPLAINED = 2
#: A unit's share of an issue type is worth telling from here on.
_TELLING_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Routed:
    """A routed batch: the suggestions (no event groups yet), their event sketches, and what was masked."""

    suggestions: pa.Table
    sketches: Sketches
    masked: Counter[str]


@dataclass(frozen=True)
class UnitScores:
    """Scores of n petitions: issue probabilities (n, labels), given views, units, and the units that refused each."""

    issues: F64
    given: GivenScores
    scored: Scored
    refused: list[list[int]]


@dataclass
class Router:
    """Routes batches of one city with one pair of models and one configuration.

    Attributes:
        issue, unit: the models; the unit model's classes are `directory`'s units in order.
        directory: units valid on the day of the run.
        known: all units, gone ones too: a refusal by a unit that is gone counts for its successors.
        on: the day of the run.
        issue_lexicon, unit_lexicon: words each model was trained with.
        issue_version, unit_version: names of the models.
        references: petition ids of the unit model's neighbour index, "" where unknown.
    """

    config: Config
    tree: IssueTree
    directory: UnitDirectory
    known: UnitDirectory
    on: dt.date
    gazetteer: Gazetteer | None
    issue: IssueModel
    unit: UnitModel
    issue_lexicon: tuple[str, ...]
    unit_lexicon: tuple[str, ...]
    issue_version: str
    unit_version: str
    references: Sequence[str] = ()
    _shares: dict[str, F64] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Build what every batch needs."""
        self.segmenter: Segmenter = segmenter(self.unit_lexicon)
        self.given = GivenViews(self.directory, self.gazetteer, self.segmenter)
        self._hierarchy = Hierarchy(self.issue.labels, self.tree)
        self._urgency = UrgencyRules.compile(self.config.urgency)
        self._deadlines = DeadlineRules.compile(self.config.deadlines)
        self._weights = WordWeights(*word_frequencies(), petition_terms())
        decision = self.config.decision
        self._decision = DecisionRule(
            decision.auto_min_probability, decision.auto_min_margin, decision.review_urgent
        )
        self._index = {str(unit.code): i for i, unit in enumerate(self.directory.units)}
        self._codes = [str(unit.code) for unit in self.directory.units]
        self._names = [unit.name for unit in self.directory.units]
        self._issue_names = _IssueNames(self.tree)

    @property
    def version(self) -> str:
        """Version of both models together, as each suggestion records it."""
        return f"{self.issue_version}+{self.unit_version}"

    @property
    def calibrated(self) -> bool:
        """Whether unit probabilities were learnt from labelled rows; else nothing goes straight through."""
        return self.unit.classifier is not None

    def route(self, petitions: pa.Table, hashes: Sequence[str] | None = None) -> Routed:
        """Return the suggestions for a petition batch (`PETITION_SCHEMA`), row for row.

        `hashes` are those of the petitions as filed, where the batch holds masked texts of the store instead.
        """
        made = prepare(petitions, self.segmenter)
        texts = made.texts
        looked = self.score(made, petitions["refused_units"].to_pylist())
        given, scored, refused = looked.given, looked.scored, looked.refused
        emitted = self._hierarchy.emit(looked.issues, self.config.issue.min_mass, self.config.top_k)
        ranked = rank(scored.probabilities, self.config.top_k)
        urgency = self._urgency.assess(texts, emitted.codes)
        levels = [item.level for item in urgency]
        decisions = [
            self._decision.decide(
                [p for p in top if p > 0], level, calibrated=self.calibrated, nobody_left=len(set(gone)) == len(self._codes) > 0
            )
            for top, level, gone in zip(ranked.probabilities.tolist(), levels, refused, strict=True)
        ]
        received = petitions["submitted_at"].to_numpy()
        due = deadlines(received, levels, emitted.codes, made.channels, self._deadlines)
        batch = Batch(
            petitions=petitions,
            titles=made.titles,
            bodies=made.bodies,
            addresses=made.addresses,
            channels=made.channels,
            content_hashes=content_hashes(petitions) if hashes is None else list(hashes),
            issue=list(zip(emitted.codes, emitted.probability.tolist(), strict=True)),
            issue_top=emitted.top,
            issue_labels=self.issue.labels,
            ranked=ranked,
            co_units=self._co_units(ranked, given, scored.probabilities, refused),
            decisions=decisions,
            reasons=self._reasons(made, ranked, given, emitted, scored.nearest, scored.cosine, refused),
            urgency=urgency,
            deadlines=due,
            unit_codes=self._codes,
            unit_names=self._names,
            issue_names=self._issue_names,
            model_version=self.version,
            config_version=self.config.version,
            refused=refused,
        )
        return Routed(assemble(batch), self._weights.sketch(made.words), made.masked)

    def score(self, made: Prepared, refused_units: Sequence[Sequence[str]]) -> UnitScores:
        """Score prepared petitions; `refused_units` names for each the units that sent it back."""
        texts = made.texts
        issues = self.issue.probabilities(self._issue_features(made), texts)
        given = self.given.scores(
            made.features, [f"{text}\n{address}" for text, address in zip(texts, made.addresses, strict=True)]
        )
        excluded, refused = self._refusals(refused_units)
        return UnitScores(issues, given, self.unit.score(given, self.issue.labels, issues, texts, excluded), refused)

    def _issue_features(self, made: Prepared) -> TextFeatures:
        """Return the features as the issue model was trained on them: its lexicon may be another."""
        if self.issue_lexicon == self.unit_lexicon:
            return made.features
        words = WordTable.of(segmenter(self.issue_lexicon).cut(made.texts))
        return featurise(made.titles, made.bodies, words)

    def _refusals(
        self, refused: Sequence[Sequence[str]]
    ) -> tuple[npt.NDArray[np.bool_] | None, list[list[int]]]:
        """Return the cells that must not be suggested, and the refusing units of each petition."""
        found = [self.refusing(names) if names else [] for names in refused]
        if not any(found):
            return None, found
        cells = np.zeros((len(found), len(self._codes)), bool)
        for row, units in enumerate(found):
            cells[row, units] = True
        return cells, found

    def refusing(self, names: Sequence[str]) -> list[int]:
        """Return the units of today that stand for the units named as having sent a petition back."""
        return list(dict.fromkeys(unit for name in names for unit in self._refusing(name)))

    def issue_name(self, code: str) -> str:
        """Return the name of an issue type; a label that is not of the tree is its own."""
        return self._issue_names[code]

    def _refusing(self, name: str) -> list[int]:
        code = self.known.resolve(name, self.on)
        return [self._index[str(now)] for now in self.known.successor_on(code, self.on)] if code else []

    def _co_units(
        self, ranked: Ranked, given: GivenScores, probabilities: F64, refused: Sequence[Sequence[int]]
    ) -> list[list[tuple[int, float]]]:
        extra: list[list[int]] = []
        for row, units in enumerate(ranked.units.tolist()):
            more: list[int] = []
            if units:
                duty = int(given.duty[row, units[0]])
                if duty >= 0:
                    more += [self._index[c] for c in self.given.duties[duty][1].co_units if c in self._index]
                # The station or community on the spot helps whichever department leads.
                more += [u for u in given.place_of[row] if self.directory.units[u].kind in ("station", "community")]
            extra.append([unit for unit in more if unit not in refused[row]])
        limits = self.config.co_units
        return co_handling(ranked, extra, probabilities, limits.min_probability, limits.max)

    def _reasons(
        self,
        made: Prepared,
        ranked: Ranked,
        given: GivenScores,
        emitted: Emitted,
        nearest: npt.NDArray[np.int64],
        cosine: npt.NDArray[np.float32],
        refused: Sequence[Sequence[int]],
    ) -> list[list[Reason]]:
        words = self._telling(made, ranked)
        limit, similar = self.config.reasons.max_per_unit, self.config.reasons.similar_min_score
        labels = self.unit.classifier.views.neighbours.labels if self.unit.classifier else None
        out: list[list[Reason]] = []
        rows = zip(ranked.units.tolist(), ranked.probabilities.tolist(), emitted.codes, strict=True)
        for row, (units, chances, issue) in enumerate(rows):
            reasons: list[Reason] = []
            text = None
            for place, (unit, chance) in enumerate(zip(units[:_EXPLAINED], chances, strict=False)):
                if chance <= 0:
                    continue
                if text is None:
                    text = f"{made.titles[row]}\n{made.bodies[row]}"
                mine: list[Reason] = []
                code = self._codes[unit]
                duty = int(given.duty[row, unit])
                if duty >= 0 and (reason := self._duty_reason(code, duty, text)):
                    mine.append(reason)
                if unit in given.place_of[row]:
                    mine.append(Reason("place", code, f"地点“{given.place_of[row][unit]}”在其辖区", (given.place_of[row][unit],)))
                if unit in given.names[row]:
                    mine.append(Reason("name", code, f"来件提到“{given.names[row][unit]}”", (given.names[row][unit],)))
                if labels is not None:
                    mine += self._similar(code, unit, int(nearest[row]), float(cosine[row]), labels, similar)
                if place == 0 and words[row]:
                    mine.append(Reason("words", code, "用语与其以往办件相近：" + "、".join(words[row]), tuple(words[row])))
                if self.unit.history is not None and (reason := self._history_reason(code, unit, issue)):
                    mine.append(reason)
                if not mine:
                    mine.append(Reason("words", code, "整体用语与其以往办件相近" if labels is not None else "职责文字与来件相近"))
                reasons += mine[: limit if place == 0 else 1]
            reasons += [
                Reason("refused", self._codes[unit], f"{self._names[unit]}已退单，不再推荐") for unit in refused[row]
            ]
            out.append(reasons)
        return out

    def _telling(self, made: Prepared, ranked: Ranked) -> list[list[str]]:
        if self.unit.classifier is None or ranked.units.shape[1] == 0:
            return [[] for _ in made.titles]
        return telling_words(self.unit.classifier.views, made.words, ranked.units[:, 0])

    def _duty_reason(self, code: str, duty: int, text: str) -> Reason | None:
        item = self.given.duties[duty][1]
        hits = tuple(word for word in item.keywords if word in text)[:4]
        if not hits:
            return None
        short = item.text if len(item.text) <= 40 else item.text[:39] + "…"
        return Reason("duty", code, f"职责“{short}”，来件提到：{'、'.join(hits)}", hits, item.id)

    def _similar(
        self,
        code: str,
        unit: int,
        nearest: int,
        cosine: float,
        labels: npt.NDArray[np.int64],
        least: float,
    ) -> list[Reason]:
        if nearest < 0 or cosine < least or labels[nearest] != unit:
            return []
        reference = self.references[nearest] if nearest < len(self.references) else ""
        return [Reason("similar", code, f"相似来件 {reference} 由其办理（相似度 {cosine:.0%}）", (), reference)]

    def _history_reason(self, code: str, unit: int, issue: str) -> Reason | None:
        history = self.unit.history
        shares = self._shares.get(issue)
        if shares is None:
            members = [i for i, label in enumerate(history.labels) if label.startswith(issue) or issue.startswith(label)] if history else []
            shares = history.shares[members].mean(0) if history and members else np.zeros(len(self._codes))
            self._shares[issue] = shares
        share = float(shares[unit])
        if share < _TELLING_SHARE:
            return None
        return Reason("history", code, f"“{self._issue_names.short(issue)}”类来件以往约 {share:.0%} 由其承办")


class _IssueNames(Mapping[str, str]):
    """Names of issue codes; a label that is not of the tree is its own name."""

    def __init__(self, tree: IssueTree) -> None:
        self._tree = tree
        self._known: dict[str, str] = {}

    def __getitem__(self, code: str) -> str:
        name = self._known.get(code)
        if name is None:
            name = self._tree.path_name(code) if self._tree.resolve(code) == code else code
            self._known[code] = name
        return name

    def get(self, code: str, default: object = None) -> str:
        """Return the name; every code has one."""
        return self[code]

    def short(self, code: str) -> str:
        """Return the last part of the name."""
        return self[code].rsplit("/", 1)[-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
