"""The configuration: thresholds, urgency rules and deadline rules, as data with defaults.

The bundled files (`corpora/data/config/*.yaml`) hold every key with its default and what it is for. A city overlays
them with one YAML file of its own that names only what differs: mappings are merged key by key, lists are replaced, and
a key nobody knows is an error rather than a setting that silently does nothing.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import hashlib
import json
import types
import typing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

BUNDLED = Path(__file__).parent / "data" / "config"
BUNDLED_FILES = ("routing.yaml", "urgency.yaml", "deadlines.yaml")

#: Urgency levels, lowest first (一般, 关注, 紧急, 特急).
LEVELS = ("normal", "elevated", "urgent", "critical")


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the file and the key."""


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
    version: str = field(init=False)

    def __post_init__(self) -> None:
        """Check the ranges and derive the version."""
        _require(self.top_k >= 1, "top_k must be at least 1")
        _require(self.chunk_rows >= 1, "chunk_rows must be at least 1")
        # How much work is done at a time changes no suggestion, so it changes no version.
        content = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init and f.name != "chunk_rows"}
        plain = {k: v if isinstance(v, int) else dataclasses.asdict(v) for k, v in content.items()}
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
        digest = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        object.__setattr__(self, "version", f"cfg-{digest}")


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the compiled one where it is there


class _Loader(_Base):  # type: ignore[misc]
    """YAML in which a key given twice is an error, not a silent loss of the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key_node.tag != "tag:yaml.org,2002:merge" and key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} is given twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_config(path: Path | None = None) -> Config:
    """Return the bundled configuration, overlaid with the YAML file at `path` where one is given.

    Raises:
        ConfigError: if a file is not readable as YAML, holds an unknown key or a value of the wrong kind or range.
    """
    merged: dict[str, Any] = {}
    for name in BUNDLED_FILES:
        merged = _merge(merged, _read(BUNDLED / name))
    source = "bundled configuration"
    if path is not None:
        overlay = _read(path)
        source = str(path)
        _convert(Config, overlay, source, "", partial=True)
        merged = _merge(merged, overlay)
    config = _convert(Config, merged, source, "", partial=False)
    assert isinstance(config, Config)  # noqa: S101 - narrows the type
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            content = yaml.load(stream, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})"
        raise ConfigError(msg) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path}: not YAML in UTF-8: {' '.join(str(error).split())}"
        raise ConfigError(msg) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        msg = f"{path}: must hold keys and values at the top"
        raise ConfigError(msg)
    return content


def _merge(base: dict[Any, Any], over: dict[Any, Any]) -> dict[Any, Any]:
    """Return `base` with `over` laid on it: mappings key by key, anything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


@cache
def _hints(cls: type) -> dict[str, Any]:
    """Return the settable fields of a configuration class with their types."""
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}


_PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "text", datetime.date: "a date"}


def _fail(source: str, key: str, problem: str) -> typing.NoReturn:
    msg = f"{source}: {key or 'top level'}: {problem}"
    raise ConfigError(msg)


def _convert(hint: Any, value: Any, source: str, key: str, *, partial: bool) -> Any:  # noqa: ANN401
    """Return `value` as the type `hint`, checking keys, kinds and ranges; `partial` lets keys be absent.

    An overlay names only what differs, so its mappings are checked with `partial` and not built.
    """
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _convert_record(hint, value, source, key, partial=partial)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:  # only `int | None` occurs
        return None if value is None else _convert(args[0], value, source, key, partial=partial)
    if origin is dict:
        if not isinstance(value, dict):
            _fail(source, key, "must be a mapping")
        return {
            _convert(args[0], k, source, f"{key}.{k}", partial=False): _convert(
                args[1], v, source, f"{key}.{k}", partial=partial
            )
            for k, v in value.items()
        }
    if origin is tuple:
        if not isinstance(value, list):
            _fail(source, key, "must be a list")
        return tuple(_convert(args[0], v, source, f"{key}[{i}]", partial=False) for i, v in enumerate(value))
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint or value != value:
        quotes = "; write codes and times in quotes" if hint is str else ""
        _fail(source, key, f"must be {_PLAIN[hint]}, not {value!r}{quotes}")
    return value


def _convert_record(cls: type, value: Any, source: str, key: str, *, partial: bool) -> Any:  # noqa: ANN401
    hints = _hints(cls)
    if not isinstance(value, dict):
        _fail(source, key, f"must be a mapping with keys such as {', '.join(list(hints)[:3])}")
    for name in value:
        if name not in hints:
            near = difflib.get_close_matches(str(name), hints, n=1, cutoff=0.0)
            _fail(source, f"{key}.{name}".lstrip("."), f"unknown key; the nearest known key is {near[0]!r}")
    given = {
        name: _convert(hints[name], item, source, f"{key}.{name}".lstrip("."), partial=partial)
        for name, item in value.items()
    }
    if partial:
        return given
    try:
        return cls(**given)
    except TypeError:
        missing = [f.name for f in dataclasses.fields(cls) if f.init and f.name not in given and _required(f)]
        _fail(source, key, f"must also give {', '.join(missing)}")
    except ConfigError:
        raise
    except ValueError as error:
        _fail(source, key, str(error))


def _required(item: dataclasses.Field[Any]) -> bool:
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
