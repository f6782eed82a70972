"""What receivers get: the payload of every message, and the CloudEvents 1.0 envelope around it.

The JSON Schemas in `dispatch/schemas/` are made from these types. Within `v1` fields may be added; none is removed, renamed
or changed in meaning. So receivers must pass over fields they do not know.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

PREFIX = "cn.minqing."
MADE_TYPE: Literal["cn.minqing.suggestion.made.v1"] = "cn.minqing.suggestion.made.v1"
REGROUPED_TYPE: Literal["cn.minqing.suggestion.regrouped.v1"] = "cn.minqing.suggestion.regrouped.v1"
DECIDED_TYPE: Literal["cn.minqing.decision.made.v1"] = "cn.minqing.decision.made.v1"


def type_of(kind: str) -> str:
    """Return the CloudEvents type of a kind of the outbox (`suggestion.made`)."""
    return f"{PREFIX}{kind}.v1"


def schema_of(kind: str) -> str:
    """Return the address (a name, not a place) of the JSON Schema that the data of a kind of the outbox follows."""
    return f"urn:minqing:schema:{kind}.v1"


def _local(text: str) -> str:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is not None or "T" not in text:
        msg = "a local time without zone, like 2026-05-01T08:30:00"
        raise ValueError(msg)
    return text


Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
SuggestionId = Annotated[str, Field(pattern=r"^sg_[0-9a-f]{24}$")]
PetitionId = Annotated[str, Field(min_length=1, max_length=80)]
Revision = Annotated[
    int, Field(ge=1, description="Of the petition's suggestion, from 1 without holes; the highest counts, whatever arrives when.")
]
Position = Annotated[
    int, Field(ge=1, description="Of the message in the order in which everything became true; higher is later, holes mean nothing.")
]
LocalTime = Annotated[
    str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"), AfterValidator(_local)
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Unit(_Part):
    """A responsible unit (承办单位) with the probability that it is the right one."""

    code: str = Field(min_length=1, description="Code in the city's unit directory.")
    name: str
    probability: Probability | None = Field(description="Calibrated; null where nothing was learnt that could give one.")


class Issue(_Part):
    """An issue type (问题类型) with its probability."""

    code: str = Field(description="Code in the issue tree; a parent's where the text does not decide between its children.")
    name: str
    probability: Probability | None


class Reason(_Part):
    """Why a unit was suggested, or was not."""

    kind: str = Field(description="duty, words, place, similar, history, name or refused; further kinds may come.")
    unit: str | None = Field(description="Code of the unit it speaks for.")
    text: str = Field(description="The sentence shown to people.")
    words: list[str] = Field(description="Matched words.")
    reference: str | None = Field(description="Duty id, place code or petition id that it points to.")


class Urgency(_Part):
    """How pressing it is, by rules over words."""

    level: Literal["normal", "elevated", "urgent", "critical"]
    rules: list[str] = Field(description="Ids of the rules that applied.")
    words: list[str]


class Deadline(_Part):
    """Until when it must be answered."""

    date: dt.date | None = Field(description="Last day; null if it cannot be counted, see note.")
    working_days: int | None
    rule: str | None
    basis: str | None = Field(description="Legal source of the rule.")
    note: str | None = Field(description="Why there is no date.")


class Suggestion(_Part):
    """A routing suggestion: a line of `suggestions.jsonl`. It holds no petition text."""

    suggestion_id: SuggestionId
    petition_id: PetitionId
    source: str = Field(description="File or service the petition came from.")
    row: int = Field(ge=0, description="Its row there.")
    submitted_at: LocalTime | None = Field(description="When it was filed: local time without zone.")
    issue_type: Issue
    issue_top_k: list[Issue]
    lead_unit: Unit | None = Field(description="主办单位; null where nothing speaks for any unit.")
    co_units: list[Unit] = Field(description="协办单位.")
    top_k: list[Unit] = Field(description="Candidates, the most probable first.")
    decision: Literal["auto", "review"] = Field(description="auto: certain enough to go straight through; review: a person decides.")
    decision_why: str
    reasons: list[Reason]
    urgency: Urgency
    deadline: Deadline
    event_group: str | None = Field(description="Event that the petition belongs to; null if it stands alone.")
    model_version: str
    config_version: str


class SuggestionNotice(Suggestion):
    """A suggestion as receivers hear of it, when it is made and when its event group changes."""

    revision: Revision
    position: Position


class Decision(_Part):
    """What a person said of a suggestion."""

    decision_id: str = Field(pattern=r"^dc_[0-9a-f]{24}$")
    suggestion_id: SuggestionId
    petition_id: PetitionId
    revision: Revision
    number: int = Field(ge=1, description="Of the suggestion's decisions, from 1; the highest counts.")
    verdict: Literal["accepted", "reassigned", "refused"]
    unit: str = Field(min_length=1, description="Code of the unit that takes it on (accepted, reassigned) or sent it back (refused).")
    reason: str = Field(description="As the person wrote it, personal data masked.")
    actor: str = Field(description="User or API key.")
    source: str = Field(description="api or console.")
    at: AwareDatetime


class DecisionNotice(Decision):
    """A decision as receivers hear of it."""

    position: Position


class _Event(_Part):
    specversion: Literal["1.0"]
    id: str = Field(min_length=1, description="The same however often the message is sent; also the headers webhook-id and Idempotency-Key.")
    source: str = Field(min_length=1, description="Who sends; /minqing unless the operator named it.")
    subject: PetitionId = Field(description="The petition's id.")
    time: AwareDatetime = Field(description="When it became true.")
    datacontenttype: Literal["application/json"]
    dataschema: str


class SuggestionMade(_Event):
    """A petition has a new suggestion; it replaces those of lower revision."""

    type: Literal["cn.minqing.suggestion.made.v1"]
    data: SuggestionNotice


class SuggestionRegrouped(_Event):
    """The newest suggestion of a petition joined or left an event; everything else in it is as it was."""

    type: Literal["cn.minqing.suggestion.regrouped.v1"]
    data: SuggestionNotice


class DecisionMade(_Event):
    """A person accepted, reassigned or refused a suggestion."""

    type: Literal["cn.minqing.decision.made.v1"]
    data: DecisionNotice


#: Kind of the outbox → the message it becomes.
EVENTS: dict[str, type[SuggestionMade] | type[SuggestionRegrouped] | type[DecisionMade]] = {
    "suggestion.made": SuggestionMade,
    "suggestion.regrouped": SuggestionRegrouped,
    "decision.made": DecisionMade,
}
