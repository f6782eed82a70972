"""What receivers get: every payload follows its type, the schemas follow the types, and CloudEvents' own library reads it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
import synthetic
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from pydantic import ValidationError

from dispatch import message_schemas
from dispatch.delivery.envelope import CONTENT_TYPE, Letter, event
from dispatch.files import payloads
from dispatch.messages import EVENTS, Decision, Suggestion
from dispatch.store.decisions import Decision as MadeDecision
from dispatch.store.decisions import payload as decision_payload

WHEN = dt.datetime(2026, 11, 26, 1, 2, 3, 456000)
DECISION = MadeDecision(
    "dc_" + "0" * 24, "sg_" + "1" * 24, "P1", 2, 1, "refused", "LG-D01", "不属本单位职责", "王", "console", WHEN
)  # fmt: skip


def letter(kind: str, payload: str, revision: int = 2) -> Letter:
    return Letter(17, "m-17", kind, "P1", revision, WHEN, 0, payload)


def good() -> dict[str, Any]:
    return orjson.loads(payloads(synthetic.table(1))[0])


def test_every_payload_is_a_suggestion() -> None:
    for line in payloads(synthetic.table(300)):
        assert orjson.loads(Suggestion.model_validate_json(line).model_dump_json()) == orjson.loads(line)


def test_a_decision_is_a_decision() -> None:
    text = decision_payload(DECISION)
    assert Decision.model_validate_json(text).at == WHEN.replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"suggestion_id": "sg_1"}, "suggestion_id"),
        ({"petition_id": ""}, "petition_id"),
        ({"decision": "maybe"}, "decision"),
        ({"row": "3"}, "row"),
        ({"submitted_at": "2026-05-01"}, "submitted_at"),
        ({"submitted_at": "2026-05-01T08:30:00+08:00"}, "submitted_at"),
        ({"submitted_at": "2026-15-01T08:30:00"}, "submitted_at"),
        ({"lead_unit": {"code": "A", "name": "甲", "probability": 1.5}}, "lead_unit.probability"),
        ({"lead_unit": {"code": "A", "name": "甲"}}, "lead_unit.probability"),
        ({"urgency": {"level": "panic", "rules": [], "words": []}}, "urgency.level"),
        ({"phone": "13800000000"}, "phone"),
    ],
)
def test_what_is_no_suggestion(change: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as error:
        Suggestion.model_validate_json(orjson.dumps(good() | change))
    assert ".".join(str(part) for part in error.value.errors()[0]["loc"]) == place


def test_what_is_missing_is_no_suggestion() -> None:
    for name in good():
        with pytest.raises(ValidationError):
            Suggestion.model_validate_json(orjson.dumps({key: value for key, value in good().items() if key != name}))


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_by_type_schema_and_library(kind: str) -> None:
    payload = decision_payload(DECISION) if kind == "decision.made" else payloads(synthetic.table(1))[0].decode()
    body = event(letter(kind, payload), "/minqing/langang")
    made = EVENTS[kind].model_validate_json(body)
    assert (made.data.revision, made.data.position, made.subject) == (2, 17, "P1")
    for name, whole in ((f"{kind}.v1.event.json", json.loads(body)), (f"{kind}.v1.json", json.loads(body)["data"])):
        schema = json.loads((message_schemas.FOLDER / name).read_bytes())
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(whole, schema, format_checker=jsonschema.FormatChecker())
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in whole.items() if key not in ("data", "petition_id")}, schema)
        jsonschema.validate(whole | {"new_field_within_v1": 1}, schema)  # receivers must bear it
    read = from_http_event(HTTPMessage({"content-type": CONTENT_TYPE}, body))
    assert (read.get_id(), read.get_type(), read.get_source()) == ("m-17", f"cn.minqing.{kind}.v1", "/minqing/langang")
    assert read.get_time() == WHEN.replace(tzinfo=dt.UTC)
    assert read.get_data() == json.loads(body)["data"]


def test_schemas_follow_the_types(tmp_path: Path) -> None:
    assert message_schemas.drifted() == []
    assert len(message_schemas.write(tmp_path)) == len(message_schemas.schemas())
    (tmp_path / "suggestion.v1.json").write_text("{}")
    (tmp_path / "left_over.json").write_text("{}")
    assert message_schemas.drifted(tmp_path) == ["left_over.json", "suggestion.v1.json"]
    message_schemas.write(tmp_path)
    assert message_schemas.drifted(tmp_path) == []
