"""What a mining run hands to its writers, and the JSON of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from corpora.legal import ArticleNumber, PolicyDocument
from dispatch.legal_labels import SUGGESTION_NOTE, version_date
from pipeline.policies.records import Clause, Finding, Resolved
from pipeline.policies.resolve import as_json


class DocumentClass(Protocol):
    """What a document is about, as `pipeline.policies.classify` says it."""

    @property
    def kind(self) -> str:
        """文种."""

    @property
    def theme_code(self) -> str:
        """Code of the theme on the issue tree, "" if none."""

    @property
    def theme_name(self) -> str:
        """Its name."""

    @property
    def frame(self) -> Mapping[str, float]:
        """Share of 理念, 结构, 机制, 手段."""


class DutyRow(Protocol):
    """A duty that a statute puts on towns or sub-districts, as `pipeline.policies.duties` says it; all shown as text."""

    @property
    def law(self) -> object: ...  # noqa: D102
    @property
    def article(self) -> object: ...  # noqa: D102
    @property
    def duty(self) -> object: ...  # noqa: D102
    @property
    def bearer(self) -> object: ...  # noqa: D102
    @property
    def carrier(self) -> object: ...  # noqa: D102
    @property
    def instrument(self) -> object: ...  # noqa: D102
    @property
    def gap(self) -> object: ...  # noqa: D102
    @property
    def field(self) -> object: ...  # noqa: D102
    @property
    def kind(self) -> object: ...  # noqa: D102
    @property
    def hint(self) -> object: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An article that might be the basis a measure lacks; nobody has checked it.

    Attributes:
        law: official title.
        version_id: the version the article stands in.
        score: of the search, comparable within one measure only.
        text: the article's text where it is held.
    """

    law: str
    article: ArticleNumber
    version_id: str
    score: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Mined:
    """A document and what was found in it.

    Attributes:
        findings: one a measure.
        candidates: suggested articles by the index of the finding.
    """

    document: PolicyDocument
    clauses: Sequence[Clause]
    document_class: DocumentClass | None
    resolved: Sequence[Resolved]
    findings: Sequence[Finding]
    candidates: Mapping[int, Sequence[Suggestion]] = field(default_factory=dict)


def finding_object(finding: Finding, candidates: Sequence[Suggestion] = ()) -> dict[str, Any]:
    """Return a measure with its verdict as JSON has it."""
    measure = finding.measure
    return {
        "document": finding.document,
        "start": measure.start,
        "end": measure.end,
        "text": measure.text,
        "action": measure.action,
        "power": measure.power,
        "receiver": measure.receiver,
        "frame": measure.frame,
        "verdict": finding.verdict.value,
        "gap_codes": [gap.code for gap in finding.gaps],
        "citations": [as_json(found) for found in finding.citations],
        "rule": finding.rule,
        "evidence": finding.evidence,
        "cure": finding.cure,
        "confidence": round(finding.confidence, 4),
        "not_checked": list(finding.not_checked),
        "candidates": [
            {
                "law": item.law,
                "version": version_date(item.version_id) or None,
                "article": item.article.number,
                "article_suffix": item.article.suffix,
                "score": round(item.score, 4),
                "note": SUGGESTION_NOTE,
            }
            for item in candidates
        ],
    }


def json_line(value: Mapping[str, Any]) -> bytes:
    """Return the JSON of an object; lone surrogates, which UTF-8 cannot hold, are replaced."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return orjson.dumps(_encodable(value))


def _encodable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(_encodable(name)): _encodable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value


def plain_text(value: object) -> str:
    """Return a value of a duty or of the coverage in words; a law by its title."""
    if value is None:
        return ""
    title = getattr(value, "title", None)
    if isinstance(title, str):
        return title
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Mapping):
        return "；".join(f"{plain_text(name)}：{plain_text(item)}" for name, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return "、".join(plain_text(item) for item in items)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)


def duty_cells(duty: DutyRow) -> list[str]:
    """Return a duty as law, article, duty, bearer, carrier, instrument, gap, field, kind, hint, each in words."""
    values = (
        duty.law, duty.article, duty.duty, duty.bearer, duty.carrier, duty.instrument, duty.gap, duty.field, duty.kind,
        duty.hint,
    )  # fmt: skip
    return [plain_text(value) for value in values]
