"""What a good reply (答复) is, as data: weights, limits and words, with defaults and a city's own file laid on them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpora.config import BUNDLED, merge
from corpora.typed_yaml import convert, read

#: Parts of a reply's quality (及时性、相关性、完整性、可解释性), in the order in which they are shown.
PARTS = ("timeliness", "relevance", "completeness", "explanation")


def _share(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not 0.0 <= value <= 1.0:
            msg = f"{name} must lie between 0 and 1, not {value}"
            raise ValueError(msg)


def _positive(record: object, *names: str) -> None:
    for name in names:
        if getattr(record, name) <= 0:
            msg = f"{name} must be above 0, not {getattr(record, name)}"
            raise ValueError(msg)


def _whole(record: object, *names: str) -> None:
    if abs(sum(getattr(record, name) for name in names) - 1.0) > 1e-6:
        msg = f"{', '.join(names)} must add up to 1"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class PartWeights:
    """Weights of the parts in the total."""

    timeliness: float
    relevance: float
    completeness: float
    explanation: float

    def __post_init__(self) -> None:
        """Check the ranges."""
        values = [getattr(self, name) for name in PARTS]
        if min(values) < 0 or sum(values) <= 0:
            msg = "weights must not be negative, nor all 0"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class RelevanceRules:
    """When a reply speaks of its petition; see `pipeline.replies.relevance`."""

    full_ratio: float
    full_cosine: float
    least_others: int
    sample: int
    same_matter: float
    content_share: float

    def __post_init__(self) -> None:
        """Check the ranges."""
        _share(self, "full_cosine", "same_matter", "content_share")
        _positive(self, "full_cosine", "least_others", "sample")
        if self.full_ratio <= 1:
            msg = f"full_ratio must be above 1, not {self.full_ratio}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class StructureWeights:
    """What the elements of a reply count."""

    greeting: float
    restatement: float
    finding: float
    measure: float
    time: float
    contact: float
    closing: float


@dataclass(frozen=True, slots=True)
class CompletenessRules:
    """When a reply is complete; see `pipeline.replies.completeness`."""

    requests: float
    substance: float
    structure: float
    covered: float
    enough_base: int
    enough_share: float
    enough_most: int
    structure_weights: StructureWeights

    def __post_init__(self) -> None:
        """Check the ranges."""
        _whole(self, "requests", "substance", "structure")
        _share(self, "covered")
        _positive(self, "covered", "enough_base", "enough_most")


@dataclass(frozen=True, slots=True)
class ExplanationRules:
    """When a reply explains; see `pipeline.replies.explanation`."""

    reasons: float
    basis: float
    facts: float
    reasons_enough: int
    facts_enough: int
    evasion: float
    copied: float

    def __post_init__(self) -> None:
        """Check the ranges."""
        _whole(self, "reasons", "basis", "facts")
        _share(self, "evasion", "copied")
        _positive(self, "reasons_enough", "facts_enough")


@dataclass(frozen=True, slots=True)
class CopyRules:
    """When replies are copies of one another; see `pipeline.replies.copies`."""

    similarity: float
    least: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        _share(self, "similarity")
        if self.least < 2:
            msg = "least must be at least 2"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """Phrases by what they show; … in one stands for up to 24 characters that end no clause."""

    greeting: tuple[str, ...]
    receipt: tuple[str, ...]
    restatement: tuple[str, ...]
    forward: tuple[str, ...]
    forwarded_to: tuple[str, ...]
    promise: tuple[str, ...]
    thanks: tuple[str, ...]
    finding: tuple[str, ...]
    measure: tuple[str, ...]
    contact: tuple[str, ...]
    referral: tuple[str, ...]
    refusal: tuple[str, ...]
    reason: tuple[str, ...]
    evasion: tuple[str, ...]
    request: tuple[str, ...]
    rhetorical: tuple[str, ...]
    when: tuple[str, ...]
    why: tuple[str, ...]
    common: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that no phrase is empty, which would match everywhere."""
        for item in dataclasses.fields(self):
            if not all(phrase.strip("… ") for phrase in getattr(self, item.name)):
                msg = f"{item.name}: an empty phrase matches everywhere"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class ReplyConfig:
    """How replies are judged, and its version (`rep-` and 12 hex digits over the content)."""

    weights: PartWeights
    relevance: RelevanceRules
    completeness: CompletenessRules
    explanation: ExplanationRules
    copies: CopyRules
    holding_characters: int
    referral_characters: int
    words: ReplyWords
    version: str = field(init=False)

    def __post_init__(self) -> None:
        """Derive the version."""
        content = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=dataclasses.asdict)
        object.__setattr__(self, "version", f"rep-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}")


def load_reply_config(path: Path | None = None) -> ReplyConfig:
    """Return the bundled rules, overlaid with the YAML file at `path` where one is given.

    Raises:
        ConfigError: if a file is not readable as YAML, holds an unknown key or a value of the wrong kind or range.
    """
    merged: dict[str, Any] = read(BUNDLED / "replies.yaml")
    source = "bundled rules for replies"
    if path is not None:
        overlay = read(path)
        source = str(path)
        convert(ReplyConfig, overlay, source, "", partial=True)
        merged = merge(merged, overlay)
    config = convert(ReplyConfig, merged, source, "", partial=False)
    assert isinstance(config, ReplyConfig)  # noqa: S101 - narrows the type
    return config
