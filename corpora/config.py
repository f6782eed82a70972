"""The configuration: thresholds, urgency and deadline rules, the rules of learning, as data with defaults.

The bundled files (`corpora/data/config/*.yaml`) hold every key with its default and what it is for. A city overlays
them with one YAML file of its own that names only what differs: mappings are merged key by key, lists are replaced, and
a key nobody knows is an error rather than a setting that silently does nothing.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpora.typed_yaml import convert, read

BUNDLED = Path(__file__).parent / "data" / "config"
BUNDLED_FILES = ("routing.yaml", "urgency.yaml", "deadlines.yaml", "learning.yaml")
#: Settings that change no suggestion, and therefore no version: how much work is done at a time, how models are chosen.
_NOT_ROUTING = ("chunk_rows", "gate", "retrain")

#: Urgency levels, lowest first (一般, 关注, 紧急, 特急).
LEVELS = ("normal", "elevated", "urgent", "critical")


def _require(ok: bool, message: str) -> None:
    """Raise ValueError with `message` unless `ok`; the caller of the constructor adds file and key."""
    if not ok:
        raise ValueError(message)


def _as_set(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return `words` sorted and without doubles, so that order in a file is no part of the configuration."""
    _require(all(word.strip("|") for word in words), "an empty word matches everywhere")
    return tuple(sorted(set(words)))


def _check_issues(codes: tuple[str, ...]) -> None:
    for code in codes:
        _require(code.isdecimal() and len(code) in (2, 4, 6), f"not an issue code (two, four or six digits): {code!r}")


def _check_share(name: str, value: float) -> None:
    _require(0.0 <= value <= 1.0, f"{name} must lie between 0 and 1, not {value}")


@dataclass(frozen=True, slots=True)
class DecisionConfig:
    """When a suggestion may go straight through (`auto`) and when a person looks first (`review`)."""

    auto_min_probability: float
    auto_min_margin: float
    review_urgent: bool

    def __post_init__(self) -> None:
        """Check the ranges."""
        _check_share("auto_min_probability", self.auto_min_probability)
        _check_share("auto_min_margin", self.auto_min_margin)


@dataclass(frozen=True, slots=True)
class IssueConfig:
    """How deep an issue type is given: a node is emitted when at least `min_mass` of the probability lies on it."""

    min_mass: float

    def __post_init__(self) -> None:
        """Check the range."""
        _check_share("min_mass", self.min_mass)


@dataclass(frozen=True, slots=True)
class CoUnitsConfig:
    """Which units are named as co-handling (协办)."""

    min_probability: float
    max: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        _check_share("min_probability", self.min_probability)
        _require(self.max >= 0, "max must not be negative")


@dataclass(frozen=True, slots=True)
class ReasonsConfig:
    """How many reasons a unit gets, and from what score a past petition is cited as similar."""

    max_per_unit: int
    similar_min_score: float

    def __post_init__(self) -> None:
        """Check the ranges."""
        _require(self.max_per_unit >= 1, "max_per_unit must be at least 1")
        _require(self.similar_min_score >= 0, "similar_min_score must not be negative")


@dataclass(frozen=True, slots=True)
class EventsConfig:
    """When petitions are one event: `window_days` apart at the most, `min_similarity` alike, `min_size` of them."""

    window_days: int
    min_similarity: float
    min_size: int
    max_block: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        _check_share("min_similarity", self.min_similarity)
        _require(self.window_days >= 0, "window_days must not be negative")
        _require(self.min_size >= 2, "min_size must be at least 2")
        _require(self.max_block >= 2, "max_block must be at least 2")


@dataclass(frozen=True, slots=True)
class UrgencyRule:
    """One urgency rule: a text with one of `any_of`, not taken back by its surroundings, has at least `level`.

    `all_of`: groups of words, one of each must also be there, within `within` characters of the hit (0 = anywhere).
    `none_of`: words that take a hit back when they stand shortly before it in the same clause (没有, 谨防); they add to
    the shared list unless `shared` is false. `none_after`: the same behind it (演练, 宣传). `not_in`: longer phrases
    that hold the word and mean something else (火灾报警器). `issues`: issue-code prefixes the rule is limited to.
    `actual`: the hit counts only where it is told as happening; the words of `UrgencyConfig.not_actual` before it
    (可能, 万一, 去年) take it back too.
    """

    level: str
    name: str
    any_of: tuple[str, ...]
    all_of: tuple[tuple[str, ...], ...] = ()
    within: int = 0
    none_of: tuple[str, ...] = ()
    none_after: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    shared: bool = True
    actual: bool = False
    enabled: bool = True

    def __post_init__(self) -> None:
        """Check the values and put the words in a fixed order."""
        _require(self.level in LEVELS[1:], f"level must be one of {', '.join(LEVELS[1:])}, not {self.level!r}")
        _require(bool(self.any_of), "any_of must name at least one word")
        _require(all(self.all_of), "a group of all_of must name at least one word")
        _require(self.within >= 0, "within must not be negative")
        _check_issues(self.issues)
        for name in ("any_of", "none_of", "none_after", "not_in", "issues"):
            object.__setattr__(self, name, _as_set(getattr(self, name)))
        object.__setattr__(self, "all_of", tuple(sorted(_as_set(group) for group in self.all_of)))


@dataclass(frozen=True, slots=True)
class UrgencyConfig:
    """Urgency rules by id, with the words that take a hit back in every rule.

    `before` and `after` are the reach of those words in characters. A word of `none_of` or `not_actual` that ends in
    `|` must touch the hit (没有|): a bare 没有 further off mostly denies something else (没有人管).
    """

    before: int
    after: int
    none_of: tuple[str, ...]
    none_after: tuple[str, ...]
    not_actual: tuple[str, ...]
    rules: dict[str, UrgencyRule]

    def __post_init__(self) -> None:
        """Check the ranges and put the words in a fixed order."""
        _require(self.before >= 0 and self.after >= 0, "before and after must not be negative")
        for name in ("none_of", "none_after", "not_actual"):
            object.__setattr__(self, name, _as_set(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class DeadlineWhen:
    """What a deadline rule asks for; empty means any. `channels` are words the channel's name may hold."""

    levels: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values and put them in a fixed order."""
        for level in self.levels:
            _require(level in LEVELS, f"level must be one of {', '.join(LEVELS)}, not {level!r}")
        _check_issues(self.issues)
        for name in ("levels", "issues", "channels"):
            object.__setattr__(self, name, _as_set(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """One deadline rule: a number of working days or of calendar days, and its legal source."""

    id: str
    name: str
    basis: str
    when: DeadlineWhen = field(default_factory=DeadlineWhen)
    working_days: int | None = None
    calendar_days: int | None = None

    def __post_init__(self) -> None:
        """Check that the rule counts in exactly one kind of day."""
        both = (self.working_days, self.calendar_days)
        _require(both.count(None) == 1, f"rule {self.id!r}: give either working_days or calendar_days")
        _require(all(0 <= n <= 3660 for n in both if n is not None), f"rule {self.id!r}: days must lie in 0 to 3660")


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """The State Council's holiday notice (放假安排) of one year: weekdays off and weekend days worked (调休)."""

    off: tuple[datetime.date, ...]
    worked: tuple[datetime.date, ...]
    source: str = ""

    def __post_init__(self) -> None:
        """Put the dates in order."""
        for name in ("off", "worked"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))


@dataclass(frozen=True, slots=True)
class DeadlinesConfig:
    """Deadline rules in order (the first that matches wins) and years the calendar package does not know yet.

    `office_closes` is HH:MM; it matters to rules of 0 working days only (see `pipeline.petitions.deadline`).
    """

    office_closes: str
    rules: tuple[DeadlineRule, ...]
    calendar_years: dict[int, CalendarYear] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the time of day and that rule ids are unique."""
        try:
            datetime.time.fromisoformat(self.office_closes)
        except ValueError:
            msg = f"office_closes must be a time HH:MM in quotes, not {self.office_closes!r}"
            raise ValueError(msg) from None
        ids = [rule.id for rule in self.rules]
        _require(len(ids) == len(set(ids)), "two rules have the same id")


@dataclass(frozen=True, slots=True)
class GateRules:
    """When a candidate may replace the champion; the bundled learning.yaml says what each value is for."""

    alpha: float
    min_rows: int
    min_support: int
    max_ece: float
    precision: float
    draws: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        _require(0.0 < self.alpha <= 0.5, f"alpha must lie above 0 and not above 0.5, not {self.alpha}")
        _check_share("max_ece", self.max_ece)
        _require(0.0 < self.precision <= 1.0, f"precision must lie above 0 and not above 1, not {self.precision}")
        _require(self.min_rows >= 1, "min_rows must be at least 1")
        _require(self.min_support >= 1, "min_support must be at least 1")
        # With fewer, the tail that a tenth of alpha asks about holds no draw at all.
        _require(200 <= self.draws <= 100_000, f"draws must lie in 200 to 100000, not {self.draws}")


@dataclass(frozen=True, slots=True)
class RetrainRules:
    """How a retraining sets rows aside and who puts its candidate in service; learning.yaml says what each value is for."""

    approval: str
    wait_hours: float
    split: str
    test: float
    min_rows: int

    def __post_init__(self) -> None:
        """Check the values."""
        _require(self.approval in ("auto", "ask"), f"approval must be auto or ask, not {self.approval!r}")
        _require(self.wait_hours > 0, "wait_hours must be above 0")
        _require(self.split in ("hash", "time"), f"split must be hash or time, not {self.split!r}")
        _require(0.0 < self.test < 1.0, f"test must lie between 0 and 1, not {self.test}")
        _require(self.min_rows >= 2, "min_rows must be at least 2")


@dataclass(frozen=True, slots=True)
class Config:
    """The effective configuration and its version (`cfg-` and 12 hex digits over its content)."""

    decision: DecisionConfig
    issue: IssueConfig
    top_k: int
    co_units: CoUnitsConfig
    reasons: ReasonsConfig
    events: EventsConfig
    chunk_rows: int
    urgency: UrgencyConfig
    deadlines: DeadlinesConfig
    gate: GateRules
    retrain: RetrainRules
    version: str = field(init=False)

    def __post_init__(self) -> None:
        """Check the ranges and derive the version."""
        _require(self.top_k >= 1, "top_k must be at least 1")
        _require(self.chunk_rows >= 1, "chunk_rows must be at least 1")
        names = [f.name for f in dataclasses.fields(self) if f.init and f.name not in _NOT_ROUTING]
        content = {name: getattr(self, name) for name in names}
        plain = {k: v if isinstance(v, int) else dataclasses.asdict(v) for k, v in content.items()}
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
        digest = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        object.__setattr__(self, "version", f"cfg-{digest}")


def load_config(path: Path | None = None) -> Config:
    """Return the bundled configuration, overlaid with the YAML file at `path` where one is given.

    Raises:
        ConfigError: if a file is not readable as YAML, holds an unknown key or a value of the wrong kind or range.
    """
    merged: dict[str, Any] = {}
    for name in BUNDLED_FILES:
        merged = _merge(merged, read(BUNDLED / name))
    source = "bundled configuration"
    if path is not None:
        overlay = read(path)
        source = str(path)
        convert(Config, overlay, source, "", partial=True)
        merged = _merge(merged, overlay)
    config = convert(Config, merged, source, "", partial=False)
    assert isinstance(config, Config)  # noqa: S101 - narrows the type
    return config


def _merge(base: dict[Any, Any], over: dict[Any, Any]) -> dict[Any, Any]:
    """Return `base` with `over` laid on it: mappings key by key, anything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
