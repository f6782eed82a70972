"""Refusals: remembered at once, in the nightly run and by name; a petition routed again keeps its identity."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

sys.path.append(str(Path(__file__).parents[1] / "models"))

from toy_city import small_city

from dispatch.feedback import record
from dispatch.live import Scored, batch_of, store_scored
from dispatch.store import Store
from dispatch.store.refusals import known_refusals, with_refusals
from dispatch.store.tables import petitions, suggestions
from flows.scoring import LiveScorer

DAY = dt.date(2026, 1, 5)
LAMP = {
    "petition_id": "R1", "title": "路灯 ", "body": "小区门口的路灯坏了一个月,窨井盖也没人修，电话13800138000", "address": "澜城 某路",
    "submitted_at": dt.datetime(2026, 1, 4, 9),
}  # fmt: skip


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> LiveScorer:
    folder = tmp_path_factory.mktemp("city")
    small_city(folder)
    return LiveScorer(folder / "units.yaml", models=folder / "models", today=lambda: DAY)


def filed(store: Store, scorer: LiveScorer, **petition: Any) -> Scored:
    """Score and store a petition as the service and the nightly run do."""
    batch = batch_of([LAMP | petition])
    scored = scorer.score(batch)
    with store.writing() as connection:
        return store_scored(connection, scorer, batch, scored)[0]


def lead(store: Store, key: str) -> Any:
    with store.reading() as connection:
        return connection.execute(select(suggestions.c.lead_unit).where(suggestions.c.suggestion_id == key)).scalar_one()


def refuse(store: Store, scorer: LiveScorer, key: str, **options: Any) -> str:
    done = record(store, scorer, key, verdict="refused", reason="不属本单位", actor="k", source="api", **options)
    assert done.replacement is not None
    return done.replacement


def units_of(payload: bytes) -> set[str]:
    row = orjson.loads(payload)
    return {unit["code"] for unit in [*row["top_k"], *row["co_units"]]}


def test_a_refused_petition_is_routed_elsewhere_and_stays_so(store_url: str, scorer: LiveScorer) -> None:
    with Store.open(store_url) as store:
        first = filed(store, scorer)
        assert lead(store, first.suggestion_id) == "N"
        second = refuse(store, scorer, first.suggestion_id)
        assert lead(store, second) != "N"
        # The same letter from the nightly file: known, whoever it came from; and no unit comes back.
        again = filed(store, scorer)
        assert (again.suggestion_id, again.revision, again.new) == (second, 2, False)
        # The dispatch system's export names the refusal too, in its own words.
        named = filed(store, scorer, refused_units=["市综合执法局"])
        assert (named.suggestion_id, named.new) == (second, False)
        # A changed letter is a new revision that still knows.
        changed = filed(store, scorer, body=LAMP["body"] + "，请尽快")
        assert (changed.revision, changed.new) == (3, True)
        assert "N" not in units_of(changed.payload)


def test_the_same_refusal_twice_changes_nothing(store_url: str, scorer: LiveScorer) -> None:
    with Store.open(store_url) as store:
        first = filed(store, scorer)
        second = refuse(store, scorer, first.suggestion_id, request_id="r1")
        assert refuse(store, scorer, first.suggestion_id, request_id="r1") == second
        assert store.counts()["suggestions"] == 2


def test_what_was_refused_at_filing_is_kept(store_url: str, scorer: LiveScorer) -> None:
    with Store.open(store_url) as store:
        first = filed(store, scorer, refused_units=["城管局"])  # gone; the unit that took over is meant
        assert lead(store, first.suggestion_id) not in {"A", "N"}
        with store.reading() as connection:
            assert known_refusals(connection, ["R1", "R2"]) == {"R1": {"城管局"}}
        second = refuse(store, scorer, first.suggestion_id)
        with store.reading() as connection:
            stored = connection.execute(select(suggestions.c.payload).where(suggestions.c.suggestion_id == second)).scalar_one()
        assert not units_of(stored.encode()) & {"N", lead(store, first.suggestion_id)}
        # An export without that column does not undo it.
        assert filed(store, scorer).suggestion_id == second


def test_everyone_refused(store_url: str, scorer: LiveScorer) -> None:
    with Store.open(store_url) as store:
        key = filed(store, scorer).suggestion_id
        left = {unit.code for unit in scorer.units()}
        while left:
            unit = lead(store, key) or min(left)
            left.discard(unit)
            key = refuse(store, scorer, key, unit=unit)
        with store.reading() as connection:
            row = orjson.loads(connection.execute(select(suggestions.c.payload).where(suggestions.c.suggestion_id == key)).scalar_one())
        assert (row["lead_unit"], row["top_k"], row["co_units"], row["decision"]) == (None, [], [], "review")
        assert "均已退单" in row["decision_why"]


def test_routed_again_it_stays_in_its_event(store_url: str, scorer: LiveScorer) -> None:
    with Store.open(store_url) as store:
        first = filed(store, scorer)
        store.update_event_groups({"R1": "ev_1"})
        refuse(store, scorer, first.suggestion_id)
        with store.reading() as connection:
            assert connection.execute(select(petitions.c.event_group)).scalar_one() == "ev_1"
        # Another text may be about something else: the next run looks again.
        filed(store, scorer, title="学区", body="幼儿园补课班收费太贵")
        with store.reading() as connection:
            assert connection.execute(select(petitions.c.event_group)).scalar_one() is None


def test_refused_between_scoring_and_storing(store_url: str, scorer: LiveScorer) -> None:
    """A suggestion on its way that does not know of the refusal is not stored: the petition is scored again."""
    with Store.open(store_url) as store:
        first = filed(store, scorer)
        batch = batch_of([LAMP | {"body": LAMP["body"] + "，再次反映"}, LAMP | {"petition_id": "R2"}])
        scored = scorer.score(batch)
        refuse(store, scorer, first.suggestion_id)
        with store.writing() as connection:
            changed, other = store_scored(connection, scorer, batch, scored)
        assert "N" not in units_of(changed.payload)
        assert (changed.revision, other.revision) == (3, 1)
        assert lead(store, other.suggestion_id) == "N"


def test_refusals_of_many_petitions_go_to_their_rows(store_url: str, scorer: LiveScorer) -> None:
    with Store.open(store_url) as store:
        for number in (1, 2):
            filed(store, scorer, petition_id=f"R{number}", refused_units=["A", "人社局"][number - 1 : number])
        with store.writing() as connection:
            connection.execute(update(petitions).where(petitions.c.petition_id == "R1").values(refused_units='["A","B"]'))
        batch = batch_of([LAMP | {"petition_id": pid, "refused_units": ["C"]} for pid in ("R3", "R2", "R1")])
        with store.reading() as connection:
            assert with_refusals(connection, batch)["refused_units"].to_pylist() == [["C"], ["C", "人社局"], ["A", "B", "C"]]
