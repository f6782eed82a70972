"""The bundled city, end to end: floors of quality, and what must hold for every suggestion."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import toy
from toy_city import small_city

from corpora.config import LEVELS, load_config
from models.serving import load_router
from pipeline.petitions.events import Sketches, group
from pipeline.petitions.prepare import prepare
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA, suggestion_id
from pipeline.petitions.urgency import UrgencyRules

DAY = dt.date(2026, 11, 20)
#: What would be left of a phone number, an identity card or an e-mail address that was not masked.
PERSONAL = re.compile(r"1[3-9]\d{9}|\d{17}[\dXx]|[\w.]+@[\w.]+\.\w+")


@pytest.fixture(scope="module", params=["routed", "zero_history"])
def rows(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """Return the suggestions for the bundled petitions, with history and without."""
    return request.getfixturevalue(request.param).suggestions.to_pylist()


def reasons(rows: list[dict[str, Any]], kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield (row, reason) of a kind."""
    for row in rows:
        for reason in row["reasons"]:
            if reason["kind"] == kind:
                yield row, reason


# -- floors ------------------------------------------------------------------------------------------------------------

#: (fixture, measure, floor); measured on the day of writing: 0.72, 0.88, 0.45, 0.68 and 0.69, 0.87, 0.41, 0.62
FLOORS = [
    ("routed", "unit", 0.60),
    ("routed", "unit in top 3", 0.78),
    ("routed", "issue type", 0.35),
    ("routed", "issue type or above", 0.55),
    ("zero_history", "unit", 0.58),
    ("zero_history", "unit in top 3", 0.76),
    ("zero_history", "issue type", 0.30),
    ("zero_history", "issue type or above", 0.50),
]


@pytest.mark.parametrize(("fixture", "measure", "floor"), FLOORS)
def test_floors(request: pytest.FixtureRequest, bundled: Any, fixture: str, measure: str, floor: float) -> None:
    hits = []
    for row in request.getfixturevalue(fixture).suggestions.to_pylist():
        truth = bundled.truth[row["petition_id"]]
        hits.append({
            "unit": row["lead_unit"]["code"] == truth["unit"],
            "unit in top 3": truth["unit"] in [unit["code"] for unit in row["top_k"][:3]],
            "issue type": row["issue_type"]["code"] == truth["issue_type"],
            "issue type or above": truth["issue_type"].startswith(row["issue_type"]["code"]),
        }[measure])  # fmt: skip
    assert len(hits) == len(bundled.truth)
    assert sum(hits) / len(hits) >= floor


def test_what_goes_straight_through_is_right(routed: Any, bundled: Any) -> None:
    auto = [row for row in routed.suggestions.to_pylist() if row["decision"] == "auto"]
    assert len(auto) >= 0.08 * routed.suggestions.num_rows
    right = sum(row["lead_unit"]["code"] == bundled.truth[row["petition_id"]]["unit"] for row in auto)
    assert right >= 0.9 * len(auto)


def test_trainings_measure_themselves(bundled: Any) -> None:
    assert bundled.unit.evaluation.accuracy >= 0.65
    assert bundled.unit.evaluation.top3_accuracy >= 0.85
    assert bundled.unit.evaluation.ece <= 0.2
    assert bundled.issue.evaluation.accuracy >= 0.5
    assert bundled.unit.evaluation.rows == bundled.history.num_rows
    assert bundled.unit.skipped == {}


# -- every suggestion --------------------------------------------------------------------------------------------------


def test_one_suggestion_for_each_petition_in_its_order(routed: Any, zero_history: Any, bundled: Any) -> None:
    for made in (routed, zero_history):
        assert made.suggestions.schema.equals(SUGGESTION_SCHEMA)
        made.suggestions.validate(full=True)
        for name in ("petition_id", "source", "row", "submitted_at", "channel"):
            assert made.suggestions[name].to_pylist() == bundled.incoming[name].to_pylist()
        assert len(made.sketches) == bundled.incoming.num_rows


def test_form_of_a_suggestion(rows: list[dict[str, Any]]) -> None:
    config = load_config()
    for row in rows:
        listed = [row["lead_unit"], *row["top_k"][1:]]
        assert row["top_k"][0] == row["lead_unit"]
        assert len(listed) <= config.top_k
        chances = [unit["probability"] for unit in listed]
        assert chances == sorted(chances, reverse=True)
        assert all(0 < p <= 1 for p in chances)
        assert sum(chances) <= 1 + 1e-9
        assert len({unit["code"] for unit in listed}) == len(listed)
        co_units = [unit["code"] for unit in row["co_units"]]
        assert row["lead_unit"]["code"] not in co_units
        assert len(set(co_units)) == len(co_units) <= config.co_units.max
        assert 0 < row["issue_type"]["probability"] <= 1 + 1e-9
        assert row["issue_type"]["name"] != row["issue_type"]["code"]
        assert row["decision"] in ("auto", "review")
        assert row["decision_why"]
        assert row["suggestion_id"] == suggestion_id(
            row["petition_id"], row["content_hash"], row["model_version"], row["config_version"],
            {reason["unit"] for reason in row["reasons"] if reason["kind"] == "refused"},
        )  # fmt: skip
    assert len({row["suggestion_id"] for row in rows}) == len(rows)


def test_no_personal_data_leaves(rows: list[dict[str, Any]], routed: Any) -> None:
    # Counted, not shown: a failing test must not print what it guards.
    shown = [
        text for row in rows for text in (row["title"], row["body"], row["address"], *(r["text"] for r in row["reasons"]))
    ]
    assert sum(bool(PERSONAL.search(text)) for text in shown) == 0
    assert routed.masked["手机号"] >= 10


def test_units_are_those_of_the_day(rows: list[dict[str, Any]], bundled: Any) -> None:
    today = {str(unit.code): unit.name for unit in bundled.city.directory.on(DAY).units}
    for row in rows:
        for unit in (row["lead_unit"], *row["top_k"], *row["co_units"]):
            assert today[unit["code"]] == unit["name"]
        for reason in row["reasons"]:
            assert reason["unit"] in today


def test_deadlines_are_after_the_petition(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        due = row["deadline"]
        assert (due["date"] is None) == bool(due["note"])
        if due["date"] is not None:
            assert row["submitted_at"].date() <= due["date"] <= row["submitted_at"].date() + dt.timedelta(days=100)
            assert due["rule"]
    assert sum(row["deadline"]["date"] is not None for row in rows) > 0.9 * len(rows)


# -- refusals ----------------------------------------------------------------------------------------------------------


def refusing(rows: list[dict[str, Any]], bundled: Any) -> list[tuple[dict[str, Any], set[str]]]:
    """Return the rows that were sent back, each with the units that did."""
    found = []
    for row, names in zip(rows, bundled.incoming["refused_units"].to_pylist(), strict=True):
        if names:
            found.append((row, {str(bundled.city.directory.resolve(name, DAY)) for name in names}))
    assert len(found) >= 10
    return found


def test_a_unit_that_sent_it_back_is_not_suggested(rows: list[dict[str, Any]], bundled: Any) -> None:
    for row, units in refusing(rows, bundled):
        assert not units & {unit["code"] for unit in row["top_k"]}
        assert {reason["unit"] for reason in row["reasons"] if reason["kind"] == "refused"} == units


def test_a_unit_that_sent_it_back_does_not_co_handle(rows: list[dict[str, Any]], bundled: Any) -> None:
    for row, units in refusing(rows, bundled):
        assert not units & {unit["code"] for unit in row["co_units"]}


@pytest.mark.parametrize("label", ["LG-D03", "{name}", " {name} ", "{alias}"])
def test_refusals_hold_however_the_unit_is_written(bundled: Any, label: str) -> None:
    router = bundled.router()
    petition = {"body": "小区物业收费不公开，业委会挪用维修资金，物业公司不作为"}
    lead = router.route(toy.table([petition])).suggestions["lead_unit"][0].as_py()["code"]
    unit = bundled.city.directory[lead]
    written = label.replace("LG-D03", lead).format(name=unit.name, alias=unit.aliases[0])
    row = router.route(toy.table([petition | {"refused_units": [written]}])).suggestions.to_pylist()[0]
    assert lead not in {unit["code"] for unit in row["top_k"]}
    assert row["lead_unit"]["code"] != lead


def test_all_units_sent_it_back(tmp_path: Path) -> None:
    small_city(tmp_path)
    router = load_router(tmp_path / "models", None, None, tmp_path / "units.yaml", None, None, DAY)
    names = [unit.name for unit in router.directory.units]
    row = router.route(toy.table([{"body": "路灯不亮", "refused_units": names}])).suggestions.to_pylist()[0]
    assert row["lead_unit"] is None
    assert row["top_k"] == []
    assert row["decision"] == "review"
    assert {reason["kind"] for reason in row["reasons"]} == {"refused"}


# -- without history ---------------------------------------------------------------------------------------------------


def test_without_history_nothing_goes_straight_through(zero_history: Any) -> None:
    assert set(zero_history.suggestions["decision"].to_pylist()) == {"review"}


def test_without_history_duties_places_and_names_are_the_grounds(zero_history: Any) -> None:
    found = zero_history.suggestions.to_pylist()
    kinds = {reason["kind"] for row in found for reason in row["reasons"]}
    assert kinds == {"duty", "place", "name", "words", "refused"}
    grounded = [row for row in found if any(reason["kind"] in ("duty", "place", "name") for reason in row["reasons"])]
    assert len(grounded) > 0.85 * len(found)


# -- urgency -----------------------------------------------------------------------------------------------------------


def test_the_words_decide_how_urgent_it_is_whatever_the_model_thinks(rows: list[dict[str, Any]], bundled: Any) -> None:
    made = prepare(bundled.incoming, bundled.router().segmenter)
    by_words = UrgencyRules.compile(load_config().urgency).assess(made.texts, [""] * len(rows))
    assert sum(item.level in ("urgent", "critical") for item in by_words) >= 10
    for row, item in zip(rows, by_words, strict=True):
        assert LEVELS.index(row["urgency"]["level"]) >= LEVELS.index(item.level)
        if row["urgency"]["level"] != "normal":
            assert row["urgency"]["words"]


def test_urgent_petitions_pass_a_person(rows: list[dict[str, Any]]) -> None:
    assert {row["decision"] for row in rows if row["urgency"]["level"] in ("urgent", "critical")} == {"review"}


def test_urgent_petitions_of_the_bundled_city_are_found(rows: list[dict[str, Any]], bundled: Any) -> None:
    line = next(t for t in (bundled.folder / "README.md").read_text("utf-8").splitlines() if "urgent" in t)
    meant = set(re.findall(r"`([^`]+)`", line))
    found = {row["petition_id"] for row in rows if row["urgency"]["level"] in ("urgent", "critical")}
    # 13 of 22 on the day of writing.
    assert len(meant & found) >= 0.5 * len(meant)
    assert len(found - meant) <= 10


# -- reasons -----------------------------------------------------------------------------------------------------------


def test_every_suggestion_has_a_reason_for_its_lead(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert row["lead_unit"]["code"] in {reason["unit"] for reason in row["reasons"] if reason["kind"] != "refused"}
        assert all(reason["text"] for reason in row["reasons"])


def test_duty_reasons_name_a_duty_of_the_unit_and_words_of_the_text(rows: list[dict[str, Any]], bundled: Any) -> None:
    duties = {duty.id: duty for duty in bundled.city.directory.duties()}
    found = list(reasons(rows, "duty"))
    assert len(found) > 200
    for row, reason in found:
        assert duties[reason["reference"]].unit == reason["unit"]
        assert reason["words"]
        assert all(word in f"{row['title']}\n{row['body']}" for word in reason["words"])
        assert duties[reason["reference"]].text[:20] in reason["text"]


@pytest.mark.parametrize(("kind", "least"), [("place", 30), ("name", 10)])
def test_place_and_name_reasons_stand_in_the_text(rows: list[dict[str, Any]], kind: str, least: int) -> None:
    found = list(reasons(rows, kind))
    assert len(found) >= least
    for row, reason in found:
        assert reason["words"]
        for word in reason["words"]:
            assert word in f"{row['title']}\n{row['body']}\n{row['address']}"
            assert word in reason["text"]


def test_word_reasons_stand_in_the_text(routed: Any) -> None:
    found = list(reasons(routed.suggestions.to_pylist(), "words"))
    assert sum(bool(reason["words"]) for _, reason in found) > 100
    for row, reason in found:
        assert all(word in f"{row['title']}\n{row['body']}" for word in reason["words"])


def test_similar_petitions_were_the_units_own(routed: Any, bundled: Any) -> None:
    rows = zip(bundled.history["petition_id"].to_pylist(), bundled.history["unit"].to_pylist(), strict=True)
    units = {pid: str(bundled.city.directory.resolve(label)) for pid, label in rows}
    found = list(reasons(routed.suggestions.to_pylist(), "similar"))
    assert found
    for _, reason in found:
        assert units[reason["reference"]] == reason["unit"]
        assert reason["reference"] in reason["text"]


def test_history_is_named_where_the_unit_handled_most_of_the_type(routed: Any, bundled: Any) -> None:
    history, units = bundled.router().unit.history, bundled.router().unit.units
    silent = []
    for row in routed.suggestions.to_pylist():
        lead, code = row["lead_unit"]["code"], row["issue_type"]["code"]
        if code[:4] not in history.labels or len(code) < 4:
            continue
        share = history.shares[history.labels.index(code[:4]), units.index(lead)]
        mine = [reason["kind"] for reason in row["reasons"] if reason["unit"] == lead]
        if share >= 0.4 and len(mine) < load_config().reasons.max_per_unit and "history" not in mine:
            silent.append(row["petition_id"])
    assert not silent


# -- events ------------------------------------------------------------------------------------------------------------


def test_letters_about_one_event_are_found(routed: Any, bundled: Any) -> None:
    settings = load_config().events
    ids = routed.suggestions["petition_id"].to_pylist()
    days = routed.suggestions["submitted_at"].cast(pa.int64()).to_numpy() / 86_400
    order = np.argsort(days, kind="stable")
    sketches = Sketches(routed.sketches.words[order], routed.sketches.weights[order])
    first = group(
        sketches, days[order], min_similarity=settings.min_similarity, window_days=settings.window_days,
        max_block=settings.max_block, min_size=settings.min_size,
    )  # fmt: skip
    found = {ids[i]: leader for i, leader in zip(order.tolist(), first.tolist(), strict=True)}
    truth = {pid: row["event"] for pid, row in bundled.truth.items()}
    # Of 40 letters about four events 28 were in a group on the day of writing (A in three), with no stranger among them.
    lettered = [pid for pid in ids if truth[pid]]
    assert sum(found[pid] >= 0 for pid in lettered) >= 0.55 * len(lettered)
    by_leader: dict[int, list[str]] = {}
    for pid, leader in found.items():
        if leader >= 0:
            by_leader.setdefault(leader, []).append(truth[pid])
    large = [Counter(events) for events in by_leader.values() if len(events) >= 4]
    assert len(large) >= 3
    assert all(counted.most_common(1)[0][1] >= 0.75 * counted.total() for counted in large)
    # Copies with small edits, as the README of the city lists them.
    line = next(t for t in (bundled.folder / "README.md").read_text("utf-8").splitlines() if "near-duplicates" in t)
    pairs = re.findall(r"`([^`]+)` ← `([^`]+)`", line)
    assert len(pairs) >= 8
    assert sum(found[copy] == found[original] >= 0 for copy, original in pairs) >= 0.8 * len(pairs)
    # Most petitions stand alone.
    assert np.mean(first < 0) > 0.5


# -- the same again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["router", "newcomer"])
def test_the_same_batch_gives_the_same_table(bundled: Any, routed: Any, zero_history: Any, kind: str) -> None:
    load_router.cache_clear()
    made = getattr(bundled, kind)().route(bundled.incoming)
    before = routed if kind == "router" else zero_history
    assert made.suggestions.equals(before.suggestions)
    assert made.sketches.to_bytes() == before.sketches.to_bytes()
    assert made.masked == before.masked


def test_chunks_are_routed_as_the_whole(bundled: Any, routed: Any) -> None:
    router, whole = bundled.router(), routed.suggestions
    parts = [router.route(bundled.incoming.slice(start, 100)).suggestions for start in range(0, whole.num_rows, 100)]
    pieces = pa.concat_tables(parts)
    for name in ("suggestion_id", "decision", "urgency", "deadline", "event_group", "body", "content_hash"):
        assert pieces[name].to_pylist() == whole[name].to_pylist(), name
    for one, other in zip(pieces.to_pylist(), whole.to_pylist(), strict=True):
        assert [u["code"] for u in one["top_k"]] == [u["code"] for u in other["top_k"]]
        assert one["lead_unit"]["probability"] == pytest.approx(other["lead_unit"]["probability"], abs=1e-6)
        assert one["issue_type"]["code"] == other["issue_type"]["code"]


@pytest.mark.parametrize("rows", [
    [],
    [{"body": "路灯不亮"}],
    [{"title": "路灯", "body": ""}],
    [{"body": "。"}],
    [{"body": "hello"}],
    [{"body": "路" * 6000}],
])  # fmt: skip
def test_odd_petitions(bundled: Any, rows: list[dict[str, Any]]) -> None:
    for router in (bundled.router(), bundled.newcomer()):
        made = router.route(toy.table(rows))
        assert made.suggestions.num_rows == len(made.sketches) == len(rows)
        made.suggestions.validate(full=True)


# -- days and settings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["newcomer", "router"])
def test_before_the_reform_towns_are_responsible(bundled: Any, kind: str) -> None:
    # The towns have no duty items: a model that learnt to weigh them goes by the other views.
    day = dt.date(2019, 6, 1)
    petitions = toy.table([{"body": "望潮镇的路灯不亮，请派人修", "address": "望潮镇"}, {"body": "小区物业收费不公开"}])
    valid = {str(unit.code) for unit in bundled.city.directory.on(day).units}
    found = getattr(bundled, kind)(day).route(petitions).suggestions.to_pylist()
    assert {unit["code"] for row in found for unit in (*row["top_k"], *row["co_units"])} <= valid
    assert found[0]["lead_unit"]["code"] == "LG-H02"


def test_thresholds_are_the_citys_own(bundled: Any, routed: Any, tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_text(
        "decision: {auto_min_probability: 0.5, auto_min_margin: 0.0, review_urgent: false}\ntop_k: 2\n"
        "co_units: {max: 0}\nissue: {min_mass: 1.0}\nreasons: {max_per_unit: 1}\n"
    )
    router = load_router(
        bundled.root, bundled.issue.saved.version, bundled.unit.saved.version, bundled.folder / "units.yaml", None, path, DAY
    )
    found = router.route(bundled.incoming).suggestions.to_pylist()
    for row, before in zip(found, routed.suggestions.to_pylist(), strict=True):
        assert (row["decision"] == "auto") is (row["lead_unit"]["probability"] >= 0.5)
        assert row["lead_unit"] == before["lead_unit"]  # no training in between
        assert len(row["top_k"]) <= 2
        assert row["co_units"] == []
        assert len(row["issue_type"]["code"]) == 2
        assert sum(r["unit"] == row["lead_unit"]["code"] and r["kind"] != "refused" for r in row["reasons"]) == 1
        assert row["config_version"] != before["config_version"]
        assert row["suggestion_id"] != before["suggestion_id"]
        assert row["urgency"]["level"] == before["urgency"]["level"]
