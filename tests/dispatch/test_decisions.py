"""Decisions: what is allowed, what follows from it, and what receivers and the audit trail hear."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest
import synthetic
from sqlalchemy import func, select

from dispatch.files import payloads
from dispatch.store import Store
from dispatch.store.decisions import (
    ConflictError,
    Decision,
    DecisionError,
    UnknownSuggestionError,
    decide,
    last_decision,
    refused_units,
)
from dispatch.store.outbox import DECIDED, MADE, REGROUPED
from dispatch.store.tables import audit, decisions, outbox, petitions, refusals, suggestions
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA

WHEN = datetime(2024, 5, 7, 2)
LEAD, OTHER = {"code": "U1", "name": "城管局", "probability": 0.8}, "U2"


def row(number: int, **changes: Any) -> dict[str, Any]:
    return dict(synthetic.rows(number + 1)[number]) | {"lead_unit": LEAD, "event_group": None, "refused_units": []} | changes


def write(store: Store, *rows: dict[str, Any], run: str = "r") -> None:
    table = pa.Table.from_pylist(list(rows), schema=SUGGESTION_SCHEMA)
    store.begin_run(run, inputs_digest="d", model_version="m", config_version="c", started_at=WHEN)
    store.write_chunk(run, table, payloads(table))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store with one petition whose suggestion is `sg_1`."""
    with Store.open(store_url) as opened:
        write(opened, row(0, suggestion_id="sg_1"))
        yield opened


def say(store: Store, key: str = "sg_1", *, verdict: str = "accepted", unit: str | None = None, **given: Any) -> Decision:
    plain = {"reason": "", "actor": "甲", "source": "console"} | given
    with store.writing() as connection:
        return decide(connection, key, verdict=verdict, unit=unit, **plain)


def standing(store: Store) -> tuple[str, str | None, int]:
    """Return state, unit and revision of the one petition."""
    with store.reading() as connection:
        return tuple(connection.execute(select(petitions.c.state, petitions.c.unit, petitions.c.revision)).one())


def count(store: Store) -> tuple[int, ...]:
    """Return how many decisions, refusals, messages and audit lines there are."""
    with store.reading() as connection:
        return tuple(connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (decisions, refusals, outbox, audit))


def test_accepted(store: Store) -> None:
    made = say(store)
    assert (made.unit, made.number, made.revision, made.verdict) == ("U1", 1, 1, "accepted")
    assert standing(store) == ("accepted", "U1", 1)
    assert count(store) == (1, 0, 2, 1)
    with store.reading() as connection:
        assert last_decision(connection, "sg_1") == made
        message = connection.execute(select(outbox).where(outbox.c.kind == DECIDED)).one()
        assert (message.position, message.message_id, message.revision) == (2, made.decision_id, 1)
        said = orjson.loads(message.payload)
        assert (said["verdict"], said["unit"], said["at"][-1]) == ("accepted", "U1", "Z")
        line = connection.execute(select(audit)).one()
        assert (line.actor, line.action, line.object) == ("甲", "decision.accepted", "sg_1")
        assert orjson.loads(line.detail) == {"decision": made.decision_id, "unit": "U1", "source": "console"}


def test_a_later_decision_counts(store: Store) -> None:
    say(store)
    second = say(store, verdict="reassigned", unit=OTHER, expected=1)
    assert (second.number, standing(store)) == (2, ("reassigned", OTHER, 1))
    third = say(store, verdict="accepted", unit="U1", expected=2)
    assert (third.number, standing(store)) == (3, ("accepted", "U1", 1))


def test_refused(store: Store) -> None:
    """The unit that has it sends it back: the lead, or whom it was assigned to; it is ruled out once."""
    say(store, verdict="reassigned", unit=OTHER)
    made = say(store, verdict="refused", reason=" 不属我单位职责 ")
    assert (made.unit, made.reason, made.number) == (OTHER, "不属我单位职责", 2)
    assert standing(store) == ("refused", None, 1)
    with store.reading() as connection:
        assert refused_units(connection, ["?", made.petition_id]) == {made.petition_id: [OTHER]}
    with pytest.raises(ConflictError, match="was refused"):
        say(store, verdict="accepted")
    write(store, row(0, suggestion_id="sg_2", refused_units=[OTHER]), run="r2")
    assert standing(store) == ("open", "U1", 2)
    assert say(store, "sg_2", verdict="refused", unit=OTHER, reason="仍退回").unit == OTHER
    assert count(store)[1] == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"verdict": "refused"}, "a refusal needs a reason"),
        ({"verdict": "refused", "reason": " \n "}, "a refusal needs a reason"),
        ({"verdict": "accepted", "unit": OTHER}, "another one is a reassignment"),
        ({"verdict": "reassigned", "unit": "U1"}, "no reassignment but acceptance"),
        ({"verdict": "reassigned"}, "needs a unit"),
        ({"verdict": "approved"}, "verdict must be one of accepted, reassigned, refused"),
        ({"verdict": ""}, "verdict must be one of"),
    ],
)
def test_what_makes_no_sense_changes_nothing(store: Store, given: dict[str, Any], message: str) -> None:
    before = count(store)
    with pytest.raises(DecisionError, match=message):
        say(store, **given)
    assert (count(store), standing(store)) == (before, ("open", "U1", 1))


def test_nothing_was_suggested(store_url: str) -> None:
    """Without a lead there is nothing to accept or refuse; assigning is what remains."""
    with Store.open(store_url) as store:
        write(store, row(0, suggestion_id="sg_1", lead_unit=None))
        for verdict in ("accepted", "refused"):
            with pytest.raises(DecisionError, match="needs a unit"):
                say(store, verdict=verdict, reason="无")
        assert say(store, verdict="reassigned", unit=OTHER).unit == OTHER


def test_unknown_and_superseded(store: Store) -> None:
    with pytest.raises(UnknownSuggestionError, match="no suggestion sg_x"):
        say(store, "sg_x")
    write(store, row(0, suggestion_id="sg_2", model_version="m-2"), run="r2")
    before = count(store)
    with pytest.raises(ConflictError, match="revision 1 of petition .* was superseded by revision 2") as caught:
        say(store)
    assert (caught.value.current, caught.value.number, count(store)) == ("sg_2", 0, before)


def test_somebody_was_quicker(store: Store) -> None:
    say(store, actor="乙")
    with pytest.raises(ConflictError, match="decided meanwhile: accepted") as caught:
        say(store, verdict="reassigned", unit=OTHER, expected=0)
    assert (caught.value.current, caught.value.number) == ("sg_1", 1)


def test_the_same_request_again(store: Store) -> None:
    """It gives the same decision even after others; the key with something else in it is a conflict."""
    first = say(store, request_id="k1")
    say(store, verdict="reassigned", unit=OTHER)
    before = count(store)
    assert say(store, request_id="k1") == first
    assert say(store, request_id="k1", expected=0) == first
    for other in ({"verdict": "reassigned", "unit": OTHER}, {"unit": OTHER}):
        with pytest.raises(ConflictError, match="idempotency key was used for another decision"):
            say(store, request_id="k1", **other)
    assert count(store) == before


def test_a_decision_stands_when_a_newer_model_speaks(store: Store) -> None:
    """The next revision is written and announced, and the petition stays with whom a person gave it to."""
    say(store, verdict="reassigned", unit=OTHER)
    write(store, row(0, suggestion_id="sg_2", model_version="m-2"), run="r2")
    assert standing(store) == ("reassigned", OTHER, 2)
    assert say(store, "sg_2", verdict="accepted").unit == "U1"
    assert standing(store) == ("accepted", "U1", 2)


@pytest.mark.parametrize("change", [{"content_hash": "f" * 32, "body": "补充"}, {"refused_units": ["U1"]}])
def test_a_petition_that_changed_is_open_again(store: Store, change: dict[str, Any]) -> None:
    """New text, or a refusal that was filed: the decision was about something else."""
    say(store)
    write(store, row(0, suggestion_id="sg_2", **change), run="r2")
    assert standing(store) == ("open", "U1", 2)


def test_regrouping_is_announced_and_earlier_messages_stay(store_url: str) -> None:
    """What was announced is sent again as it was; the suggestion and its new message name the group."""
    with Store.open(store_url) as store:
        write(store, row(0, suggestion_id="sg_1"), row(1, suggestion_id="sg_2"))
        pids = [row(n)["petition_id"] for n in (0, 1)]
        before = {item.suggestion_id: item.payload.decode() for item in store.suggestions()}
        assert store.update_event_groups({pids[0]: "ev_1", pids[1]: None, "?": "ev_2"}) == 1
        assert store.update_event_groups({pids[0]: "ev_2"}) == 1
        with store.reading() as connection:
            found = connection.execute(select(outbox).order_by(outbox.c.position)).all()
            groups = connection.execute(select(suggestions.c.event_group).order_by(suggestions.c.suggestion_id)).scalars().all()
        assert [(item.kind, item.suggestion_id, item.revision) for item in found] == [
            (MADE, "sg_1", 1), (MADE, "sg_2", 1), (REGROUPED, "sg_1", 1), (REGROUPED, "sg_1", 1),
        ]  # fmt: skip
        assert (found[0].payload, found[1].payload) == (before["sg_1"], None)
        assert [orjson.loads(item.payload)["event_group"] for item in found[2:]] == ["ev_1", "ev_2"]
        assert len({item.message_id for item in found}) == 4
        assert groups == ["ev_2", None]
        assert store.counts()["events"] == 1
