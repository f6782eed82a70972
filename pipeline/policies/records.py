"""What passes between the stages of the policy wing. All spans are [start, end) in the document's text."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from corpora.legal import ArticleNumber


@dataclass(frozen=True, slots=True)
class Clause:
    """A node of a document's outline.

    Attributes:
        start, end: the clause with all below it.
        kind: `title`, `chapter` (章), `section` (节), `article` (条), `paragraph` (款 or plain paragraph), `heading`
            (一、), `subheading` (（一）), `point` (1.), `item` (项, (1) or ①), `attachment`, `signature`.
        label: as written (第三条, 一、, （二）), "" for plain paragraphs.
        heading: the heading's words, "" where the clause has none of its own.
        body_start: where the words after label and heading begin.
        parent: index of the parent in the list of clauses, -1 at the top.
    """

    start: int
    end: int
    kind: str
    label: str
    heading: str
    body_start: int
    parent: int


class Status(enum.StrEnum):
    """What became of a citation, as of the document's date."""

    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    REPEALED = "repealed"
    NOT_YET_EFFECTIVE = "not_yet_effective"
    LAW_NOT_FOUND = "law_not_found"
    ARTICLE_NOT_FOUND = "article_not_found"
    RENUMBERED = "renumbered"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Citation:
    """A citation as written: one object an article, so that a list or range gives several with the same span.

    Attributes:
        kind: `article` (of a named law), `title` (a law with no article), `self` (本法第N条, 前款), `anaphor` (该法, 同法 …),
            `vague` (有关法律法规), `number` (文号).
        law: title or alias as written, without 《》; "" for vague citations and for `self`.
        year: year of the version written between title and article (2021年修订), None if none.
        article, paragraph, item: 条, 款, 项.
        relation: `basis` (依据, 根据, 按照), `reference` (参照), `violation` (违反), `amends`, `repeals`, `mention`.
        definition: whether a short name is defined here (以下简称…).
    """

    start: int
    end: int
    text: str
    kind: str
    law: str = ""
    year: int | None = None
    article: ArticleNumber | None = None
    paragraph: int | None = None
    item: int | None = None
    relation: str = "mention"
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A citation and what the knowledge base says of it.

    Attributes:
        law_id, version_id: "" where not found; the version is the one in force on `on`, or the one meant by the year.
        title: the law's official title, "" where not found.
        status: see `Status`.
        other: the other version, article, law or candidate, in words for the reader; "" where there is none.
        reason: why it was not checked, or what was found.
        candidates: law ids where the title is ambiguous.
    """

    citation: Citation
    law_id: str
    title: str
    version_id: str
    status: Status
    other: str = ""
    reason: str = ""
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that the document orders, changes or sets up.

    Attributes:
        text: the clause's sentence, as written.
        clause: index of its clause.
        actor: who does it, as written; "" where the document does not say.
        action: normalised verb (撤销, 合并, 划转, 下放, 赋权, 委托, 交由, 设立, 承担, 处罚 …).
        power: what is moved or done (行政处罚权, 编制, 村民委员会 …), as written.
        receiver: who gets it, as written; "" where none.
        kind: rule kind by which competence is judged (`penalty_delegation`, `department_merger` …), "" for other measures.
        frame: 理念, 结构, 机制 or 手段.
    """

    start: int
    end: int
    text: str
    clause: int
    actor: str
    action: str
    power: str
    receiver: str
    kind: str
    frame: str


class Verdict(enum.StrEnum):
    """Verdict over a measure."""

    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"
    NOT_CHECKED = "not_checked"
    OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap of one measure: code of LEGAL's table, the rule that found it, evidence and cure in words, confidence 0 to 1."""

    code: str
    rule: str
    evidence: str
    cure: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A measure with its verdict.

    Attributes:
        citations: those that bear on the measure (of its own sentence, its clause, the document's basis).
        rule: id of the competence rule that applied, "" for none.
        not_checked: what was not checked, each with its reason.
    """

    document: str
    measure: Measure
    verdict: Verdict
    gaps: tuple[Gap, ...]
    citations: tuple[Resolved, ...]
    rule: str
    evidence: str
    cure: str
    confidence: float
    not_checked: tuple[str, ...] = ()
