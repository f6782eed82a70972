"""What each clause of a reply does: greet, acknowledge, restate, pass on, promise, thank, sign, or say something.

A reply is read clause by clause (up to a comma or a stronger stop). A clause that does one of the formal things is of
that role; a clause that stands word for word in the petition restates it, whatever its words; all others are content,
and only content answers anything.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from corpora.reply_config import ReplyConfig

GREETING, RECEIPT, RESTATEMENT, FORWARD, PROMISE, THANKS, SIGNATURE, CONTENT = (
    "greeting", "receipt", "restatement", "forward", "promise", "thanks", "signature", "content",
)  # fmt: skip

_STOPS = "，,。；;！!？?：:\n"
_CLAUSE = re.compile(rf"[^{_STOPS}]+[{_STOPS}]*")
_TELLING = re.compile(r"[\u3400-\u9fffA-Za-z0-9]+")
_ADDRESS = re.compile(r"[\s“”\"'、]*(?:(?:尊敬|亲爱)的)?(?:网友|网民|市民|来信人|朋友|同志|先生|女士)?[\s“”\"']*(?:UU?[0-9A-Za-z]+)?[\s“”\"']*(?:网友|同志|先生|女士)?[\s“”\"']*")
_DATE = r"(?:19|20)\d{2}\s*[年./-]\s*\d{1,2}\s*[月./-]\s*\d{1,2}\s*日?"
_BODY = r"[\u4e00-\u9fffA-Z0-9（）()]{2,28}?(?:局|委员会|办公室|政府|街道办事处|街道办|街道|管委会|委|院|中心|公司|大队|支队|总队|分局|所|处|办|站|队|学校|大学|集团|联合会|科)"
_SIGNED = re.compile(rf"\s*(?P<unit>{_BODY})?\s*(?P<date>{_DATE})?\s*")
_TRAILING_DATE = re.compile(rf"\s*({_DATE})\s*$")
_PARTS = re.compile(r"\d+")
#: A clause of at least this many characters that stands in the petition as it is restates it.
_QUOTED = 10
#: Share of the content that must refuse for the reply to be a refusal.
_REFUSAL = 0.15
_GAP = r"[^，,。；;！!？?\n]{0,24}?"


def phrases(words: Sequence[str]) -> re.Pattern[str]:
    """Compile phrases into one pattern; … in a phrase stands for up to 24 characters that end no clause."""
    # The longest first, so that what is shown as evidence is the fullest phrase.
    parts = (_GAP.join(map(re.escape, word.split("…"))) for word in sorted(words, key=lambda word: (-len(word), word)))
    return re.compile("|".join(parts))


def squeezed(text: str) -> str:
    """Return the characters of a text that tell something: letters, digits and Chinese characters, without signs."""
    return "".join(_TELLING.findall(text))


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause as written, its role, and how many telling characters it has."""

    text: str
    role: str
    size: int


@dataclass(frozen=True, slots=True)
class ReplyText:
    """A reply, clause by clause."""

    clauses: tuple[Clause, ...]
    unit: str
    signed_on: dt.date | None

    def of(self, *roles: str) -> list[str]:
        """Return the clauses of these roles."""
        return [clause.text for clause in self.clauses if clause.role in roles]

    def size(self, *roles: str) -> int:
        """Count the telling characters of these roles."""
        return sum(clause.size for clause in self.clauses if clause.role in roles)

    @property
    def content(self) -> str:
        """What the reply says beyond forms, a clause a line."""
        return "\n".join(self.of(CONTENT))


class Wording:
    """The phrases of a configuration, compiled."""

    def __init__(self, config: ReplyConfig) -> None:
        words = config.words
        self.config = config
        (
            self.greeting, self.receipt, self.restatement, self.forward, self.forwarded_to, self.promise, self.thanks,
            self.finding, self.measure, self.contact, self.referral, self.refusal, self.reason, self.evasion,
            self.request, self.rhetorical, self.when, self.why,
        ) = (
            phrases(group)
            for group in (
                words.greeting, words.receipt, words.restatement, words.forward, words.forwarded_to, words.promise, words.thanks,
                words.finding, words.measure, words.contact, words.referral, words.refusal, words.reason, words.evasion,
                words.request, words.rhetorical, words.when, words.why,
            )
        )  # fmt: skip
        self.common = frozenset(words.common)

    def read(self, reply: str, petition: str) -> ReplyText:
        """Split a reply into clauses and tell what each does.

        Args:
            reply: the masked reply.
            petition: title and body of the petition, masked.
        """
        asked = squeezed(petition)
        clauses: list[Clause] = []
        unit, signed = "", None
        for match in _CLAUSE.finditer(reply):
            text = match[0].strip()
            if not text:
                continue
            dated = _TRAILING_DATE.search(text.rstrip(_STOPS))
            if dated:
                signed = _day(dated[1]) or signed
            bare = text.rstrip(_STOPS)
            if bare and (found := _SIGNED.fullmatch(bare)) and (found["date"] or match.end() == len(reply.rstrip())):
                unit = unit or (found["unit"] or "").strip()
                clauses.append(Clause(text, SIGNATURE, len(squeezed(text))))
                continue
            core = squeezed(text)
            clauses.append(Clause(text, self._role(text, core, asked), len(core)))
        return ReplyText(tuple(_restated(clauses, asked)), unit, signed)

    def _role(self, text: str, core: str, asked: str) -> str:
        if not core or _ADDRESS.fullmatch(text.rstrip(_STOPS)):
            return GREETING
        if len(core) >= _QUOTED and core in asked:
            return RESTATEMENT
        if self.receipt.search(text):
            return RECEIPT
        if self.forward.search(text) and self.forwarded_to.search(text):
            return FORWARD
        if self.thanks.search(text):
            return THANKS
        if self.restatement.search(text):
            # 您反映的问题属实 finds, 您反映的X已完成Y acts: the frame alone does not make a restatement.
            return CONTENT if self.finding.search(text) or self.measure.search(text) else RESTATEMENT
        if self.promise.search(text):
            return PROMISE
        if self.greeting.search(text) and len(core) < 16:
            return GREETING
        return CONTENT


def _restated(clauses: Sequence[Clause], asked: str) -> list[Clause]:
    """Return the clauses with short ones restating where they stand in the petition beside the one before or after."""
    cores = ["", *(squeezed(clause.text) for clause in clauses), ""]
    return [
        Clause(clause.text, RESTATEMENT, clause.size)
        if clause.role == CONTENT
        and clause.size
        and ((before and before + core in asked) or (after and core + after in asked))
        else clause
        for clause, before, core, after in zip(clauses, cores, cores[1:], cores[2:], strict=False)
    ]


def _day(text: str) -> dt.date | None:
    """Return the date as written, None for an impossible one."""
    try:
        return dt.date(*map(int, _PARTS.findall(text)[:3]))
    except (ValueError, TypeError):
        return None


def kind_of(text: ReplyText, wording: Wording) -> str:
    """Return the kind of a reply that is there, one of `pipeline.replies.records.KINDS`."""
    config = wording.config
    content = text.of(CONTENT)
    size = text.size(CONTENT)
    referred = [clause for clause in content if wording.referral.search(clause)]
    others = [clause for clause in content if clause not in referred and not wording.contact.search(clause)]
    said = sum(len(squeezed(clause)) for clause in others)
    if referred and said < config.referral_characters and not any(wording.finding.search(clause) for clause in others):
        return "referral"
    if size < config.holding_characters:
        if text.size(RESTATEMENT) > 3 * max(text.size(RECEIPT, FORWARD, PROMISE), 15):
            return "echo"
        if not size or text.size(RECEIPT, FORWARD, PROMISE, GREETING, THANKS, SIGNATURE, RESTATEMENT):
            return "holding"
    refused = sum(len(squeezed(clause)) for clause in content if wording.refusal.search(clause))
    acted = any(wording.measure.search(clause) and not wording.refusal.search(clause) for clause in content)
    if refused >= _REFUSAL * size and refused and not acted:
        reasoned = any(wording.reason.search(clause) or wording.finding.search(clause) or "《" in clause for clause in content)
        return "refusal_with_reason" if reasoned else "refusal"
    return "substantive"
