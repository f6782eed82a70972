"""Refusals that came in by day hold in the nightly run, whenever they come in between."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

sys.path.append(str(Path(__file__).parents[1] / "models"))

from toy_city import small_city

from dispatch.feedback import record
from dispatch.store import Store, WriteResult, tables
from dispatch.store.tables import suggestions
from flows import batch, storing
from flows.grouping import find_events
from flows.plan import Plan, make_plan
from flows.scoring import LiveScorer

DAY = dt.date(2026, 1, 5)
ROWS = [
    (f"N{n}", "2026-01-04 09:00:00", "电话", "路灯", f"小区门口的路灯坏了{n}个月，窨井盖也没人修，电话1380013800{n}", "")
    for n in range(4)
]


@pytest.fixture
def night(home: Path, tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Plan]:
    monkeypatch.setenv("MINQING_STORE", store_url)
    small_city(tmp_path)
    return lambda path: make_plan([str(path)], str(tmp_path / "out"), str(tmp_path / "units.yaml"), None, None, None, DAY)


@pytest.fixture
def scorer(home: Path, tmp_path: Path, night: Callable[[Path], Plan]) -> LiveScorer:
    return LiveScorer(tmp_path / "units.yaml", today=lambda: DAY)


def scored(plan: Plan) -> None:
    assert list(batch.read(plan)) == [0]
    batch.score(plan, 0)
    find_events(plan, 1)


def written(plan: Plan, store_url: str) -> WriteResult:
    with Store.open(store_url) as store:
        store.begin_run(plan.run_id, inputs_digest="", model_version=plan.model, config_version="c", started_at=dt.datetime(2026, 1, 5))
    result = storing.write(plan, 0)
    batch.forget(plan)
    return result


def run(plan: Plan, store_url: str) -> WriteResult:
    scored(plan)
    storing.render(plan, 0)
    return written(plan, store_url)


def newest(store: Store, pid: str) -> tuple[str, int, dict[str, object]]:
    query = select(suggestions.c.suggestion_id, suggestions.c.revision, suggestions.c.payload).join(
        tables.petitions,
        (tables.petitions.c.petition_id == suggestions.c.petition_id) & (tables.petitions.c.revision == suggestions.c.revision),
    )
    with store.reading() as connection:
        key, revision, payload = connection.execute(query.where(tables.petitions.c.petition_id == pid)).one()
    return key, revision, orjson.loads(payload)


def refuse(store_url: str, scorer: LiveScorer, pid: str) -> None:
    with Store.open(store_url) as store:
        key, _, payload = newest(store, pid)
        assert payload["lead_unit"]["code"] == "N"
        record(store, scorer, key, verdict="refused", reason="不属本单位", actor="k", source="api")


def test_a_rerun_of_the_same_file_adds_nothing(
    petitions: Callable[..., Path], night: Callable[[Path], Plan], scorer: LiveScorer, store_url: str
) -> None:
    file = petitions(ROWS)
    first = run(night(file), store_url)
    assert (first.new_suggestions, first.unchanged) == (4, 0)
    refuse(store_url, scorer, "N1")
    plan = night(file)
    scored(plan)
    storing.render(plan, 0)
    lines = [orjson.loads(line) for line in storing.rendered(plan, 0).lines]
    assert [line["lead_unit"]["code"] == "N" for line in lines] == [True, False, True, True]
    again = written(plan, store_url)
    assert (again.new_suggestions, again.unchanged, again.stale) == (0, 4, ())
    with Store.open(store_url) as store:
        assert newest(store, "N1")[0] == lines[1]["suggestion_id"]
        assert store.counts()["suggestions"] == 5


@pytest.mark.parametrize("when", ["scored", "rendered"])
def test_refused_while_the_run_is_under_way(
    petitions: Callable[..., Path], night: Callable[[Path], Plan], scorer: LiveScorer, store_url: str, when: str
) -> None:
    run(night(petitions(ROWS)), store_url)
    changed = [(*row[:4], row[4] + "，再次反映", row[5]) for row in ROWS]
    plan = night(petitions(changed, "later.csv"))
    scored(plan)
    if when == "rendered":
        storing.render(plan, 0)
    refuse(store_url, scorer, "N2")
    storing.render(plan, 0)
    result = written(plan, store_url)
    assert (result.new_suggestions, result.unchanged, result.stale) == (4, 0, ())
    with Store.open(store_url) as store:
        key, revision, payload = newest(store, "N2")
        assert revision == 3
        assert "N" not in {unit["code"] for unit in [*payload["top_k"], *payload["co_units"]]}
        assert newest(store, "N1")[2]["lead_unit"]["code"] == "N"
        with store.reading() as connection:
            text = connection.execute(select(tables.petitions.c.body).where(tables.petitions.c.petition_id == "N2")).scalar_one()
        assert text.endswith("再次反映")
        assert key

