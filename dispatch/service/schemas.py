"""The types of the API's bodies. They make the OpenAPI document; answers are put together from stored JSON."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from dispatch.messages import Decision, LocalTime, PetitionId, Revision, Suggestion, SuggestionId
from dispatch.service.intake import ID_PATTERN

GivenId = Annotated[str, Field(min_length=1, max_length=80, pattern=ID_PATTERN)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Petition(_Body):
    """A petition (诉求) as filed. Personal data in it is masked before anything is stored."""

    model_config = _Body.model_config | ConfigDict(
        json_schema_extra={"examples": [{"petition_id": "2026-0001", "title": "路灯不亮", "body": "汇头街的路灯坏了一周，没有人修。"}]}
    )

    petition_id: GivenId = Field(description="Id in the system it comes from; no white space.")
    title: str | None = Field(None, max_length=100_000)
    body: str = Field(min_length=1, max_length=100_000, description="The text; may be empty where the title has ten characters.")
    submitted_at: str | None = Field(
        None, description="When it was filed: ISO 8601 or as exports write it; without zone it is China Standard Time.", examples=["2026-05-01T08:30:00"]
    )
    address: str | None = Field(None, max_length=100_000)
    channel: str | None = Field(None, max_length=100_000)
    refused_units: list[Annotated[str, Field(max_length=80)]] | None = Field(
        None, max_length=50, description="Units that sent it back (退单), by name or code: never suggested."
    )


#: An element of a batch: one that is no petition is rejected by itself.
AnyPetition = Annotated[Any, WithJsonSchema({"anyOf": [{"$ref": "#/components/schemas/Petition"}, {}]})]


class Petitions(_Body):
    """Many petitions; one that does not fit is rejected by itself."""

    petitions: list[AnyPetition] = Field(min_length=1, max_length=500)


class Scored(_Body):
    """The suggestion for one petition."""

    suggestion: Suggestion
    revision: Revision | None = Field(description="Of the petition's suggestions; null if nothing was stored.")
    new: bool = Field(description="Whether this request made it; false if the store had it, or nothing was stored.")


class Rejected(_Body):
    """A petition that was not taken."""

    index: int = Field(ge=0, description="Its place in the request, from 0.")
    code: str = Field(description="Stable word: missing_body, bad_id, bad_date, duplicate_id …")
    reason: str


class ScoredMany(_Body):
    """The suggestions for many petitions, in their order; `routed + rejected = read`."""

    read: int = Field(ge=0)
    routed: int = Field(ge=0)
    rejected_count: int = Field(ge=0)
    suggestions: list[Scored]
    rejected: list[Rejected]


class Item(_Body):
    """A suggestion as it was announced."""

    position: int = Field(ge=1, description="In the order in which things became true; holes mean nothing.")
    kind: Literal["suggestion.made", "suggestion.regrouped"]
    at: str = Field(json_schema_extra={"format": "date-time"})
    revision: Revision
    suggestion: Suggestion


class Page(_Body):
    """What was announced after a position, in order."""

    items: list[Item]
    after: int = Field(ge=0, description="Where to go on from: everything up to here is in this page or was filtered out.")
    head: int = Field(ge=0, description="Last position of the outbox.")
    more: bool = Field(description="Whether there is more to read now.")
    next: str = Field(description="Address of the next page; ask again later if `more` is false.")


class OneSuggestion(_Body):
    """A suggestion, and what became of it."""

    suggestion: Suggestion
    revision: Revision
    newest: bool = Field(description="Whether it is the petition's newest; only that one can be decided on.")
    current: SuggestionId = Field(description="The petition's newest suggestion.")
    decisions: list[Decision] = Field(description="Oldest first; the last counts.")


class Version(_Body):
    """A suggestion with its revision."""

    revision: Revision
    suggestion: Suggestion


class Text(_Body):
    """The text of a petition, personal data masked."""

    title: str
    body: str
    address: str
    channel: str


class History(_Body):
    """A petition with all that was suggested and decided."""

    petition_id: PetitionId
    revision: Revision
    state: Literal["open", "accepted", "reassigned", "refused"]
    submitted_at: LocalTime | None
    event_group: str | None
    refused_units: list[str] = Field(description="Units that sent it back, as filed and as decided.")
    text: Text | None = Field(description="With the scope petitions:read alone.")
    suggestions: list[Version]
    decisions: list[Decision]


class NewDecision(_Body):
    """What people decided."""

    model_config = _Body.model_config | ConfigDict(json_schema_extra={"examples": [{"verdict": "refused", "reason": "不在本单位职责之内"}]})

    verdict: Literal["accepted", "reassigned", "refused"]
    unit: str | None = Field(
        None, min_length=1, max_length=80, description="Code, name or alias: whom it was reassigned to, or who refused (the unit that has it by default)."
    )
    reason: str = Field("", max_length=2_000, description="Needed for a refusal. Personal data in it is masked.")
    expected: int | None = Field(None, ge=0, le=1_000_000, description="How many decisions of this suggestion were known to whoever decided.")


class Decided(_Body):
    """A decision as recorded, and the suggestion that replaces a refused one."""

    decision: Decision
    replacement: SuggestionId | None


class FoundError(BaseModel):
    """A parameter or field that does not fit."""

    where: str
    code: str


class ProblemBody(BaseModel):
    """An error (RFC 9457); further members by `type`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(pattern="^urn:minqing:problem:")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str = Field(description="Names the request, as X-Request-Id and the log do.")
    errors: list[FoundError] | None = None
    current: str | None = Field(None, description="Of a conflict: the suggestion that counts now.")
    number: int | None = Field(None, description="Of a conflict: how many decisions the suggestion has.")


class Health(_Body):
    """That the process answers."""

    status: Literal["ok"]


class Ready(_Body):
    """Whether the service can work; `checks` by name, true for what is well."""

    status: Literal["ready", "not ready"]
    checks: dict[str, bool]


class Service311(_Body):
    """A type of request (GeoReport v2 `service`)."""

    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: Literal["realtime"]
    keywords: str
    group: str


class Request311(_Body):
    """A request (GeoReport v2 `service_request`)."""

    service_request_id: str
    status: Literal["open", "closed"]
    status_notes: str | None
    service_name: str
    service_code: str
    description: str
    agency_responsible: str | None
    service_notice: None
    requested_datetime: dt.datetime | None
    updated_datetime: dt.datetime | None
    expected_datetime: dt.datetime | None
    address: None
    address_id: None
    zipcode: None
    lat: None
    long: None
    media_url: None
