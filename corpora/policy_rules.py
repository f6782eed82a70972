"""The rules by which policy measures are found and judged: data of `data/policies/*.yaml`, checked when loaded.

`measures.yaml` says how measures are recognised, `competence.yaml` who may do what by which form, with the article of the
statute that says so. Every authority is looked up in the knowledge base: a rule that rests on an article which is not
there is an error, one whose text nobody holds is kept and marked as unverified.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from corpora.legal import ArticleNumber, Law, Version
from corpora.policy_rule_types import Authority, Competence, Kind, Lexicon, Rule, Sign, Words, compiled
from corpora.typed_yaml import ConfigError, convert, read

__all__ = ["FOLDER", "Kind", "KnownLaws", "PolicyRuleError", "Rule", "Rules", "Sign", "Words", "load_rules"]

FOLDER = Path(__file__).parent / "data" / "policies"

#: A version named by a rule may have been adopted this long before the day given, which is often that of publication.
_PUBLISHED_LATER = dt.timedelta(days=400)


class PolicyRuleError(ConfigError):
    """Rules that cannot be used; the message names the file and the place."""


class KnownLaws(Protocol):
    """What is asked of the knowledge base to check an authority."""

    def find(self, title: str, territory: str = "") -> tuple[Law, ...]:
        """Return the laws of exactly that title or alias."""

    def covers(self, title: str) -> str:
        """Return "" if a title of that kind would be known were it real, else why not."""

    def article_exists(self, version_id: str, number: ArticleNumber) -> bool | None:
        """Say whether the version has the article; None if that is not known."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that finds and judges measures, ready for use.

    Attributes:
        kinds: in order of precedence; `signs` are asked where no conferring kind fits.
        approvals: decider → words that say it decided; `unnamed` for approvals that name nobody.
        unverified: authorities that the knowledge base could not confirm, with the reason.
    """

    words: Words
    kinds: tuple[Kind, ...]
    signs: tuple[Sign, ...]
    competence: tuple[Rule, ...]
    cures: Mapping[str, str]
    approvals: Mapping[str, re.Pattern[str]]
    unverified: tuple[str, ...]

    def of_kind(self, kind: str) -> tuple[Rule, ...]:
        """Return the rules of a kind, whatever their period."""
        return tuple(rule for rule in self.competence if rule.kind == kind)

    def cure(self, rule: Rule | None, code: str) -> str:
        """Return how a gap is cured, in Chinese; a rule's own cure wins over the general one."""
        return (rule.cure.get(code) if rule else None) or self.cures[code]


def load_rules(statutes: KnownLaws, folder: Path = FOLDER) -> Rules:
    """Return the rules of a folder (`measures.yaml`, `competence.yaml`), each authority looked up in the knowledge base.

    Raises:
        PolicyRuleError: if a file holds an unknown key, a value of the wrong kind, a kind or class nobody defines, or
            an authority that is not in the knowledge base though its text should be.
    """
    lexicon = _load(folder / "measures.yaml", Lexicon)
    competence = _load(folder / "competence.yaml", Competence)
    kinds = _kinds(lexicon, str(folder / "measures.yaml"))
    source = str(folder / "competence.yaml")
    _check_names(competence, lexicon, source)
    checked = tuple(_with_authority(rule, statutes, f"{source}: rules.{rule.id}") for rule in competence.rules)
    unverified = {f"{a}：{a.unverified}" for rule in checked for a in rule.authority if a.unverified}
    approvals = {name: compiled(words) for name, words in competence.approvals.items()}
    return Rules(
        _words(lexicon, str(folder / "measures.yaml")),
        kinds,
        _signs(lexicon, kinds, str(folder / "measures.yaml")),
        checked,
        competence.cures,
        {name: pattern for name, pattern in approvals.items() if pattern is not None},
        tuple(sorted(unverified)),
    )


def _load(path: Path, cls: type) -> Any:  # noqa: ANN401 - an instance of `cls`
    try:
        return convert(cls, read(path), str(path), "", partial=False)
    except PolicyRuleError:
        raise
    except ConfigError as error:
        raise PolicyRuleError(str(error)) from error


#: 行政执法局 and 处罚案卷 name no power.
_NOT_A_NAME = r"(?![^，。；]{0,4}(?:[局队]|大队|部门|机关|人员|案卷|证))"
_CLASS = re.compile(r"(?<!\?P)<([a-z_]+)>")


def _expand(pattern: str, words: Mapping[str, tuple[str, ...]]) -> str:
    """Return a pattern with its word classes and gaps written out; the longest word first."""

    def alternatives(match: re.Match[str]) -> str:
        if match[1] not in words:
            msg = f"no word class {match[0]} in {pattern!r}"
            raise ValueError(msg)
        return f"(?:{'|'.join(sorted(words[match[1]], key=lambda word: -len(word)))})"

    return _CLASS.sub(alternatives, pattern).replace("……", "[^。；]{0,80}").replace("…", "[^，。；]{0,30}")


def _longest(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(set(words), key=lambda word: (-len(word), word))))


def _words(lexicon: Lexicon, source: str) -> Words:
    unknown = set(lexicon.powers) - set(lexicon.words)
    if unknown:
        msg = f"{source}: powers: no word class {', '.join(sorted(unknown))}"
        raise PolicyRuleError(msg)
    bodies = {word: name for name, words in lexicon.receivers.items() for word in words}
    return Words(
        powers=re.compile(
            f"(?:{_longest(word for name in lexicon.powers for word in lexicon.words[name])}){_NOT_A_NAME}"
        ),
        orders=re.compile(_longest(lexicon.orders)),
        slogans=re.compile(_longest(lexicon.slogans)),
        actions={name: re.compile(_longest(words)) for name, words in lexicon.actions.items()},
        heads=re.compile(f"(?=({_longest(bodies)}))"),
        body_class=bodies,
    )


def _kinds(lexicon: Lexicon, source: str) -> tuple[Kind, ...]:
    kinds = []
    for entry in lexicon.kinds:
        try:
            fits = compiled([_expand(pattern, lexicon.words) for pattern in entry.any_of])
            excludes = compiled([_expand(pattern, lexicon.words) for pattern in entry.none_of])
            if fits is None:
                msg = "needs any_of"
                raise ValueError(msg)
        except ValueError as error:
            msg = f"{source}: kinds.{entry.kind}: {error}"
            raise PolicyRuleError(msg) from None
        kinds.append(Kind(entry.kind, entry.name, entry.confers, entry.negatable, fits, excludes))
    return tuple(kinds)


def _signs(lexicon: Lexicon, kinds: Iterable[Kind], source: str) -> tuple[Sign, ...]:
    by_name = {kind.kind: kind for kind in kinds}
    signs = []
    for number, entry in enumerate(lexicon.signs):
        try:
            together = [re.compile(_expand(pattern, lexicon.words)) for pattern in entry.all_of]
            excludes = compiled([_expand(pattern, lexicon.words) for pattern in entry.none_of])
        except (ValueError, re.error) as error:
            msg = f"{source}: signs[{number}] ({entry.kind}): {error}"
            raise PolicyRuleError(msg) from None
        signs.append(Sign(by_name[entry.kind], entry.negatable, tuple(together), excludes))
    return tuple(signs)


def _check_names(competence: Competence, lexicon: Lexicon, source: str) -> None:
    """Check that rules speak of kinds and receivers that there are, and that every conferring kind has a rule."""
    kinds = {entry.kind for entry in lexicon.kinds}
    for rule in competence.rules:
        unknown = [f"kind {rule.kind!r}"] if rule.kind not in kinds else []
        unknown += [f"receiver {name!r}" for name in (*rule.may, *rule.may_not) if name not in lexicon.receivers]
        if unknown:
            msg = f"{source}: rules.{rule.id}: unknown {', '.join(unknown)}"
            raise PolicyRuleError(msg)
    without = {entry.kind for entry in lexicon.kinds if entry.confers} - {rule.kind for rule in competence.rules}
    if without:
        msg = f"{source}: rules: no rule for {', '.join(sorted(without))}"
        raise PolicyRuleError(msg)


def _with_authority(rule: Rule, statutes: KnownLaws, place: str) -> Rule:
    """Return the rule with its authorities as the knowledge base has them."""
    return dataclasses.replace(rule, authority=tuple(_looked_up(item, statutes, place) for item in rule.authority))


def _looked_up(authority: Authority, statutes: KnownLaws, place: str) -> Authority:
    found = dataclasses.replace(authority)

    def note(law_id: str, version_id: str, reason: str) -> Authority:
        for name, value in (("law_id", law_id), ("version_id", version_id), ("unverified", reason)):
            object.__setattr__(found, name, value)
        return found

    def missing(law_id: str, reason: str) -> Authority:
        """Return the authority unverified where its text need not be there, else raise."""
        if not authority.held:
            return note(law_id, "", f"文本未收录（{reason}）")
        msg = f"{place}: authority {authority}: {reason}"
        raise PolicyRuleError(msg)

    laws = statutes.find(authority.law)
    if not laws:
        uncovered = statutes.covers(authority.law)
        return (
            note("", "", f"知识库未覆盖（{uncovered}）")
            if uncovered
            else missing("", "no such law in the knowledge base")
        )
    dated = [(law, version) for law in laws if (version := _version(law, authority.version)) is not None]
    if len(dated) != 1:
        return missing("", "no version of that day" if not dated else "several laws of that title")
    law, version = dated[0]
    exists = statutes.article_exists(version.version_id, authority.number)
    if exists is False:
        return missing(law.law_id, "no such article in that version")
    return note(law.law_id, version.version_id, "" if exists else "知识库没有该文本的全文")


def _version(law: Law, day: dt.date) -> Version | None:
    """Return the version adopted last on or before the day, if it is not long before."""
    before = [version for version in law.versions if day - _PUBLISHED_LATER <= version.adopted <= day]
    return max(before, key=lambda version: version.adopted, default=None)
