"""Urgency of a petition (紧急程度) by lexicon rules that nothing learnt can lower.

One Aho-Corasick pass finds the trigger words of all rules; the rest of a rule (negation, context, issue type) is looked
at only where one is found. The rules themselves are data: `corpora/data/config/urgency.yaml` says what each key means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ahocorasick_rs import AhoCorasick

from corpora.config import LEVELS, UrgencyConfig, UrgencyRule

_RANK = {level: rank for rank, level in enumerate(LEVELS)}
#: A negation reaches to the end of its clause; 、 joins a list and does not end one (防止火灾、爆炸).
_CLAUSE_END = re.compile(r"[，。！？；：,!?;:\n\r]")
_SENTENCE_END = re.compile(r"[。！？；!?;\n\r]")
#: How far behind a hit the word for "all over" may stand, in reaches of `after`: it mostly has a clause of its own.
_NEXT_CLAUSE = 3


@dataclass(frozen=True, slots=True)
class Urgency:
    """How urgent a text is and why.

    `level` is one of `corpora.config.LEVELS`; `rules` the ids of the rules that hit, highest level first, then by id;
    `words` the trigger words in order of appearance; `spans` their (start, end) in the text as given, sorted.
    """

    level: str = LEVELS[0]
    rules: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()


_NORMAL = Urgency()


@dataclass(frozen=True, slots=True)
class _Rule:
    """An urgency rule ready to be asked."""

    id: str
    rank: int
    issues: tuple[str, ...]
    groups: tuple[re.Pattern[str], ...]
    within: int
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None  # in the clause of the hit
    later: re.Pattern[str] | None  # in the clause of the hit or the next one
    phrases: tuple[tuple[str, tuple[int, ...]], ...]  # (phrase, where trigger words start in it)


def _any(words: Sequence[str]) -> str:
    """Return a pattern for one of `words`, longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def _before(words: set[str]) -> re.Pattern[str] | None:
    """Compile the words that take a hit back from ahead; those ending in `|` only where they touch it."""
    parts = [_any([word for word in words if not word.endswith("|")])]
    if touching := [word[:-1] for word in words if word.endswith("|")]:
        parts.append(rf"(?:{_any(touching)})\Z")
    parts = [part for part in parts if part]
    return re.compile("|".join(parts)) if parts else None


def _after(words: set[str]) -> re.Pattern[str] | None:
    """Compile the words that take a hit back from behind; those beginning with `|` only where they touch it."""
    parts = [_any([word for word in words if not word.startswith("|")])]
    if touching := [word[1:] for word in words if word.startswith("|")]:
        parts.append(rf"\A(?:{_any(touching)})")
    parts = [part for part in parts if part]
    return re.compile("|".join(parts)) if parts else None


class UrgencyRules:
    """Compiled urgency rules."""

    __slots__ = ("_after", "_automaton", "_before", "_triggers", "_words")

    def __init__(
        self,
        automaton: AhoCorasick | None,
        words: list[str],
        triggers: list[tuple[_Rule, ...]],
        before: int,
        after: int,
    ) -> None:
        """Take the parts; use `compile`."""
        self._automaton = automaton
        self._words = words
        self._triggers = triggers
        self._before = before
        self._after = after

    @classmethod
    def compile(cls, config: UrgencyConfig) -> Self:
        """Return the rules of `config` ready for use; rules that are not enabled are left out."""
        by_word: dict[str, list[_Rule]] = {}
        for rule_id, rule in sorted(config.rules.items()):
            if not rule.enabled:
                continue
            compiled = _compile_rule(rule_id, rule, config)
            for word in rule.any_of:
                by_word.setdefault(word, []).append(compiled)
        words = sorted(by_word)
        automaton = AhoCorasick(words) if words else None
        return cls(automaton, words, [tuple(by_word[word]) for word in words], config.before, config.after)

    def assess(self, texts: Sequence[str], issue_codes: Sequence[str]) -> list[Urgency]:
        """Return the urgency of each text.

        Args:
            texts: one text a petition (title, a line break, body).
            issue_codes: the issue code of each petition, "" where none is known; a rule limited to issue types does not
                hit a petition without one.

        Raises:
            ValueError: if the two differ in length.
        """
        if len(texts) != len(issue_codes):
            msg = f"{len(texts)} texts and {len(issue_codes)} issue codes"
            raise ValueError(msg)
        if self._automaton is None:
            return [_NORMAL] * len(texts)
        find = self._automaton.find_matches_as_indexes
        return [
            self._judge(text, code, hits) if (hits := find(text, overlapping=True)) else _NORMAL
            for text, code in zip(texts, issue_codes, strict=True)
        ]

    def _judge(self, text: str, code: str, hits: list[tuple[int, int, int]]) -> Urgency:
        """Return the urgency of a text with trigger words at `hits` (word index, start, end)."""
        rules: dict[str, int] = {}
        spans: dict[tuple[int, int], str] = {}
        for index, start, end in hits:
            around: tuple[str, str, str] | None = None  # the same for every rule of the word
            for rule in self._triggers[index]:
                if (rule.issues and not code.startswith(rule.issues)) or not _in_context(rule, text, start, end):
                    continue
                around = around or self._around(text, start, end)
                if _stands(rule, text, start, end, around):
                    rules[rule.id] = rule.rank
                    spans[start, end] = self._words[index]
        if not rules:
            return _NORMAL
        ids = tuple(sorted(rules, key=lambda rule_id: (-rules[rule_id], rule_id)))
        places = tuple(sorted(spans))
        words = tuple(dict.fromkeys(spans[place] for place in places))
        return Urgency(LEVELS[rules[ids[0]]], ids, words, places)

    def _around(self, text: str, start: int, end: int) -> tuple[str, str, str]:
        """Return the clause ahead of `start:end`, the clause behind it, and the sentence behind it, as far as looked."""
        return (
            _CLAUSE_END.split(text[max(0, start - self._before) : start])[-1],
            _CLAUSE_END.split(text[end : end + self._after], maxsplit=1)[0],
            _SENTENCE_END.split(text[end : end + _NEXT_CLAUSE * self._after], maxsplit=1)[0],
        )


def _compile_rule(rule_id: str, rule: UrgencyRule, config: UrgencyConfig) -> _Rule:
    before, after = set(rule.none_of), set(rule.none_after)
    if rule.shared:
        before.update(config.none_of)
        after.update(config.none_after)
    if rule.actual:
        before.update(config.not_actual)
    later = {word for word in after if word.startswith("，")}
    return _Rule(
        id=rule_id,
        rank=_RANK[rule.level],
        issues=rule.issues,
        groups=tuple(re.compile(_any(group)) for group in rule.all_of),
        within=rule.within,
        before=_before(before),
        after=_after(after - later),
        later=_after({word[1:] for word in later}),
        phrases=tuple((phrase, _offsets(phrase, rule.any_of)) for phrase in rule.not_in),
    )


def _offsets(phrase: str, words: Sequence[str]) -> tuple[int, ...]:
    """Return where trigger words start in a phrase: the only places at which it can cover a hit."""
    return tuple(sorted({i for word in words for i in range(len(phrase)) if phrase.startswith(word, i)}))


def _in_context(rule: _Rule, text: str, start: int, end: int) -> bool:
    """Say whether one word of each group of `rule` is near the hit at `start:end`."""
    left, right = (max(0, start - rule.within), end + rule.within) if rule.within else (0, len(text))
    for group in rule.groups:  # a loop: `all` over a generator costs more than the searches
        if group.search(text, left, right) is None:
            return False
    return True


def _stands(rule: _Rule, text: str, start: int, end: int, around: tuple[str, str, str]) -> bool:
    """Say whether a hit of `rule` at `start:end` stands, given the words around it (see `UrgencyRules._around`)."""
    ahead, behind, later = around
    if rule.before is not None and rule.before.search(ahead):
        return False
    if rule.after is not None and rule.after.search(behind):
        return False
    if rule.later is not None and rule.later.search(later):
        return False
    for phrase, offsets in rule.phrases:
        for offset in offsets:
            begin = start - offset
            if begin >= 0 and begin + len(phrase) >= end and text.startswith(phrase, begin):
                return False
    return True
