"""Types of the policy rules: lexicon, kinds of measures, rules of competence with their authority. See `corpora.policy_rules`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from corpora.legal import ArticleNumber

#: Gap codes of LEGAL's table.
GAP_CODES = frozenset(
    """
    NO_BASIS VAGUE_BASIS POLICY_ONLY LAW_NOT_FOUND ARTICLE_NOT_FOUND BASIS_REPEALED BASIS_SUPERSEDED
    BASIS_NOT_YET_EFFECTIVE BASIS_RENUMBERED BASIS_OFF_TOPIC BASIS_WRONG_TERRITORY STAFFING_UNLAWFUL
    BASIS_LEVEL_TOO_LOW BASIS_AMENDED_SINCE ILLEGAL_SETTING RIGHTS_WITHOUT_BASIS POWER_WITHOUT_BASIS
    DECIDER_TOO_LOW DELEGATEE_UNQUALIFIED NON_DELEGABLE FORM_MISSING AUTONOMY_BREACH CARRIER_MISSING TRIAL_EXPIRED
    TRIAL_UNAUTHORISED PROCEDURE_NOT_STATED REFORM_EXPLORATORY
    """.split()
)
#: Ranks that a rule may ask for, highest first: 法律; 行政法规, 地方性法规; 规章.
BASIS_LEVELS = ("law", "regulation", "rule")
#: Who decides, highest first; `next_higher` is the government above the issuer's.
DECIDERS = ("国家", "省", "市", "县", "next_higher")


def _require(ok: bool, message: str) -> None:
    if not ok:
        raise ValueError(message)


def compiled(patterns: Sequence[str]) -> re.Pattern[str] | None:
    """Compile alternatives; None for none.

    Raises:
        ValueError: naming the pattern that is no regular expression.
    """
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            msg = f"not a pattern: {pattern!r} ({error})"
            raise ValueError(msg) from None
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None


@dataclass(frozen=True, slots=True)
class KindEntry:
    """A rule kind as `measures.yaml` has it."""

    kind: str
    name: str
    confers: bool
    any_of: tuple[str, ...]
    none_of: tuple[str, ...] = ()
    negatable: bool = True


@dataclass(frozen=True, slots=True)
class SignEntry:
    """What stands together in sentences of a kind, as `measures.yaml` has it."""

    kind: str
    all_of: tuple[str, ...]
    none_of: tuple[str, ...] = ()
    negatable: bool = True

    def __post_init__(self) -> None:
        """Check that something must stand together."""
        _require(bool(self.all_of), f"signs of {self.kind!r} need all_of")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`measures.yaml`: see there for what each key means."""

    words: dict[str, tuple[str, ...]]
    powers: tuple[str, ...]
    actions: dict[str, tuple[str, ...]]
    orders: tuple[str, ...]
    slogans: tuple[str, ...]
    receivers: dict[str, tuple[str, ...]]
    kinds: tuple[KindEntry, ...]
    signs: tuple[SignEntry, ...]

    def __post_init__(self) -> None:
        """Check that kinds are named once and that signs are of a kind."""
        names = [entry.kind for entry in self.kinds]
        _require(len(names) == len(set(names)), "two kinds have the same name")
        unknown = {entry.kind for entry in self.signs} - set(names)
        _require(not unknown, f"signs of no kind: {', '.join(sorted(unknown))}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A rule kind with its patterns: `fits` finds it in a comma segment or sentence, `excludes` takes it back."""

    kind: str
    name: str
    confers: bool
    negatable: bool
    fits: re.Pattern[str]
    excludes: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Sign:
    """What stands together in a sentence of a kind, in whatever order: each of `all_of`, none of `excludes`."""

    kind: Kind
    negatable: bool
    all_of: tuple[re.Pattern[str], ...]
    excludes: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Words:
    """The lexicon's words as patterns, the longest first.

    Attributes:
        powers: what is moved or done; orders, slogans: as in `measures.yaml`.
        actions: by the normalised verb.
        heads: matches, without consuming it, every word by which a body's name can end; `body_class` tells its class.
    """

    powers: re.Pattern[str]
    orders: re.Pattern[str]
    slogans: re.Pattern[str]
    actions: Mapping[str, re.Pattern[str]]
    heads: re.Pattern[str]
    body_class: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """Something that must be stated; it is, where `stated` matches."""

    name: str
    code: str
    any_of: tuple[str, ...]
    stated: re.Pattern[str] | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Check the code and compile the patterns."""
        _require(self.code in GAP_CODES, f"no gap code: {self.code!r}")
        _require(bool(self.any_of), f"form {self.name!r} needs any_of")
        object.__setattr__(self, "stated", compiled(self.any_of))


@dataclass(frozen=True, slots=True)
class Carrier:
    """The body that the statute wants to act (提出); `stated` are patterns that show it does."""

    body: str
    act: str
    stated: tuple[str, ...]
    said: re.Pattern[str] | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the patterns."""
        object.__setattr__(self, "said", compiled(self.stated))


@dataclass(frozen=True, slots=True)
class Exemption:
    """Words that take a measure out of a rule, and why."""

    any_of: tuple[str, ...]
    reason: str
    said: re.Pattern[str] | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the patterns."""
        object.__setattr__(self, "said", compiled(self.any_of))


@dataclass(frozen=True, slots=True)
class Authority:
    """The article a rule rests on, and what the knowledge base says of it.

    Attributes:
        version: day on which the version was adopted or published.
        held: false where no source we know has the text.
        law_id, version_id: as found in the knowledge base, "" if not.
        unverified: why the article was not seen to exist; "" where it was.
    """

    law: str
    article: str
    version: dt.date
    held: bool = True
    law_id: str = field(default="", init=False)
    version_id: str = field(default="", init=False)
    unverified: str = field(default="", init=False)

    def __post_init__(self) -> None:
        """Check the article's number."""
        ArticleNumber.parse(self.article)

    @property
    def number(self) -> ArticleNumber:
        """Number of the article."""
        return ArticleNumber.parse(self.article)

    def __str__(self) -> str:
        return f"《{self.law}》（{self.version.year}）{self.article}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of competence for one kind of measure and one period; `competence.yaml` says what each key means."""

    id: str
    kind: str
    title: str
    authority: tuple[Authority, ...]
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    territory: str = ""
    needs: str = ""
    absent: str = "NO_BASIS"
    too_low: str = ""
    prohibited: str = ""
    prohibition: str = ""
    basis_lifts: bool = False
    allowed_to: tuple[str, ...] = ()
    decider: str = ""
    decided_by_statute: bool = False
    may: tuple[str, ...] = ()
    may_not: tuple[str, ...] = ()
    receiver_rule: str = ""
    actor_as_receiver: bool = False
    by_individual: str = ""
    forms: tuple[Form, ...] = ()
    forms_anywhere: bool = False
    carrier: Carrier | None = None
    successor: bool = False
    trial_term: bool = False
    advisory: str = ""
    exceptions: tuple[Exemption, ...] = ()
    cure: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the values that come from closed lists."""
        for code in filter(None, (self.absent, self.too_low, self.prohibited, self.advisory, self.by_individual, *self.cure)):
            _require(code in GAP_CODES, f"no gap code: {code!r}")
        _require(self.needs in ("", *BASIS_LEVELS), f"needs must be one of {', '.join(BASIS_LEVELS)}")
        _require(set(self.allowed_to) <= set(BASIS_LEVELS), f"allowed_to holds only {', '.join(BASIS_LEVELS)}")
        _require(self.decider in ("", *DECIDERS), f"decider must be one of {', '.join(DECIDERS)}")
        _require(bool(self.prohibited) == bool(self.prohibition), "prohibited and prohibition go together")
        _require(bool(self.authority), "a rule needs an authority")
        first, last = self.valid_from, self.valid_to
        _require(first is None or last is None or first <= last, "valid_from lies after valid_to")

    def holds_on(self, day: dt.date) -> bool:
        """Say whether the rule holds on that day."""
        return (self.valid_from or dt.date.min) <= day <= (self.valid_to or dt.date.max)


@dataclass(frozen=True, slots=True)
class Competence:
    """`competence.yaml`."""

    approvals: dict[str, tuple[str, ...]]
    cures: dict[str, str]
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        """Check that every gap has a cure, every decider its words, and every rule its own id."""
        _require(
            set(self.cures) == GAP_CODES, f"cures: {', '.join(sorted(set(self.cures) ^ GAP_CODES))} missing or unknown"
        )
        _require(set(self.approvals) == {*DECIDERS, "unnamed"}, f"approvals must be {', '.join(DECIDERS)} and unnamed")
        ids = [rule.id for rule in self.rules]
        _require(len(ids) == len(set(ids)), "two rules have the same id")
