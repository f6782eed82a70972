"""Serving: after a reform successors stand for what is gone, new units have a chance, and what is gone is not suggested."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy
import yaml
from toy_city import UNITS, small_city

from corpora.records import UnitCode
from corpora.units import Unit, UnitDirectory
from models import registry
from models.city import City
from models.given import GivenViews
from models.router import Router
from models.serving import NotReadyError, load_router, rebase, versions
from models.training import train
from models.unit import UnitModel
from pipeline.petitions.features import TextFeatures

BEFORE, AFTER = dt.date(2025, 12, 31), dt.date(2026, 1, 1)
CODES = ("A", "B", "C")


def unit(code: str, first: dt.date | None = None, last: dt.date | None = None, successor: str = "") -> Unit:
    """Return a unit with its dates."""
    return Unit(
        UnitCode(code), f"{code}单位局", "department", valid_from=first, valid_to=last,
        successor=tuple(UnitCode(c) for c in successor),
    )  # fmt: skip


#: What became of the trained units A, B, C: directory, then unit of today → the trained units that it stands for.
REFORMS = {
    "none": ([unit("A"), unit("B"), unit("C")], {"A": "A", "B": "B", "C": "C"}),
    "other order": ([unit("C"), unit("A"), unit("B")], {"C": "C", "A": "A", "B": "B"}),
    "successor": ([unit("A", None, BEFORE, "N"), unit("B"), unit("C"), unit("N", AFTER)], {"B": "B", "C": "C", "N": "A"}),
    "chain": (
        [unit("A", None, dt.date(2024, 1, 1), "P"), unit("P", None, BEFORE, "N"), unit("B"), unit("C"), unit("N", AFTER)],
        {"B": "B", "C": "C", "N": "A"},
    ),
    "merged": ([unit("A", None, BEFORE, "N"), unit("B", None, BEFORE, "N"), unit("C"), unit("N", AFTER)], {"C": "C", "N": "AB"}),
    "taken in": ([unit("A", None, BEFORE, "B"), unit("B"), unit("C")], {"B": "AB", "C": "C"}),
    "without successor": ([unit("A", None, BEFORE), unit("B"), unit("C")], {"B": "B", "C": "C"}),
    "new": ([unit("A"), unit("B"), unit("C"), unit("N", AFTER)], {"A": "A", "B": "B", "C": "C", "N": ""}),
    "not in the directory": ([unit("B"), unit("C")], {"B": "B", "C": "C"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def learnt() -> UnitModel:
    """Return a model of units A, B, C, with a history of two issue types."""
    made, y = toy.learnable(60)
    issues = np.where((y == 0)[:, None], [0.9, 0.1], [0.2, 0.8])
    return UnitModel.fit(toy.given(made, views(made, CODES)), CODES, y, None, ("0102", "0301"), issues)[0]


def views(made: TextFeatures, codes: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return a view of names in which nobody is named."""
    return {"name": np.zeros((made.size, len(codes)), np.float32)}


def score(model: UnitModel, made: TextFeatures) -> np.ndarray:
    """Return probabilities of a model with nobody named."""
    directory = UnitDirectory([unit(code) for code in model.units])
    given = GivenViews(directory, None, toy.SEGMENTER).scores(made, [""] * made.size)
    return model.score(given, ("0102", "0301"), np.full((made.size, 2), 0.5), [""] * made.size).probabilities


@pytest.mark.parametrize("reform", list(REFORMS))
def test_units_of_today_speak_for_those_they_stand_for(learnt: UnitModel, reform: str) -> None:
    units, stands = REFORMS[reform]
    directory = UnitDirectory(units)
    moved = rebase(learnt, directory, directory.on(AFTER), AFTER)
    assert moved.units == tuple(stands)
    made, y = toy.learnable(90)
    found, before = score(moved, made), score(learnt, made)
    assert found.shape == (90, len(stands))
    assert found.sum(1) == pytest.approx(1.0)
    owner = {old: new for new, olds in stands.items() for old in olds}
    truth = np.array([owner.get(CODES[i], "") for i in y])
    led = np.array(moved.units)[found.argmax(1)]
    kept = truth != ""
    assert (led[kept] == truth[kept]).mean() > 0.9
    if reform in ("none", "other order"):
        assert found == pytest.approx(before[:, [CODES.index(code) for code in moved.units]], abs=1e-6)


@pytest.mark.parametrize("reform", list(REFORMS))
def test_history_moves_with_the_units(learnt: UnitModel, reform: str) -> None:
    units, stands = REFORMS[reform]
    directory = UnitDirectory(units)
    moved = rebase(learnt, directory, directory.on(AFTER), AFTER)
    assert learnt.history is not None
    assert moved.history is not None
    for i, olds in enumerate(stands.values()):
        if olds:
            expected = sum(learnt.history.shares[:, CODES.index(old)] for old in olds)
            assert moved.history.shares[:, i] == pytest.approx(expected)
        else:
            assert (moved.history.shares[:, i] <= learnt.history.shares.min() + 1e-12).all()


def test_neighbours_move_with_the_units(learnt: UnitModel) -> None:
    units, _ = REFORMS["successor"]
    directory = UnitDirectory(units)
    moved = rebase(learnt, directory, directory.on(AFTER), AFTER)
    assert learnt.classifier is not None
    assert moved.classifier is not None
    was = np.array(CODES)[learnt.classifier.views.neighbours.labels]
    now = np.array(moved.units)[moved.classifier.views.neighbours.labels]
    assert now.tolist() == ["N" if code == "A" else code for code in was.tolist()]


def test_a_model_without_history_has_nothing_to_move() -> None:
    model = UnitModel(CODES, None)
    directory = UnitDirectory([unit("B")])
    assert rebase(model, directory, directory, AFTER) is model


def test_the_same_units_are_the_same_model(learnt: UnitModel) -> None:
    directory = UnitDirectory([unit(code) for code in CODES])
    assert rebase(learnt, directory, directory, AFTER) is learnt


# -- routers from files ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Train on the toy city; return its folder and the version of the unit model."""
    folder = tmp_path_factory.mktemp("city")
    done = train("unit", toy.labelled(60), small_city(folder), folder / "models")
    registry.promote(folder / "models", "unit", done.saved.version)
    return folder, done.saved.version


def router(trained: tuple[Path, str], day: dt.date, units: Path | None = None) -> Router:
    """Return the router of a day."""
    folder, version = trained
    return load_router(folder / "models", None, version, units, None, None, day)


def leads(made: Router, *bodies: str) -> list[str]:
    """Return the lead units of petitions."""
    found = made.route(toy.table([{"body": body} for body in bodies])).suggestions["lead_unit"].to_pylist()
    return [lead["code"] if lead else "" for lead in found]


LAMPS, WAGES, SCHOOLS = "路灯坏了没人修，夜里不亮", "工资拖欠三个月，公司不给办", "学区名额不公开，收费太贵"


@pytest.mark.parametrize("given", [False, True])
def test_lead_units_are_those_of_the_day(trained: tuple[Path, str], given: bool) -> None:
    units = trained[0] / "units.yaml" if given else None
    assert leads(router(trained, AFTER, units), LAMPS, WAGES, SCHOOLS) == ["N", "B", "C"]
    # Trained today, asked for a day before the reform: N was not there.
    assert "N" not in router(trained, BEFORE, units).unit.units
    assert "M" not in router(trained, BEFORE, units).unit.units


def test_a_unit_that_came_after_the_training_is_found_by_its_duties(bundled: Any, tmp_path: Path) -> None:
    # Train as if the agency were not there yet; its letters of the history are labels outside the directory then.
    new = "LG-D10"
    content = yaml.load((bundled.folder / "units.yaml").read_bytes(), yaml.CSafeLoader)
    content["units"] = [item for item in content["units"] if item["code"] != new]
    for item in content["units"]:
        if new in (item["successor"] or ()):
            item["successor"] = None
        for duty in item["duties"]:
            duty["co_units"] = [code for code in duty.get("co_units") or () if code != new]
    (tmp_path / "units.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    city = City.load(tmp_path / "units.yaml", bundled.folder / "places.csv")
    done = train("unit", bundled.history, city, tmp_path / "models")
    assert done.skipped["label outside the directory"] > 20
    made = load_router(
        tmp_path / "models", None, done.saved.version, bundled.folder / "units.yaml", None, None, dt.date(2026, 11, 20)
    )
    rows = made.route(bundled.incoming).suggestions.to_pylist()
    its = [row for row in rows if bundled.truth[row["petition_id"]]["unit"] == new]
    assert sum(row["lead_unit"]["code"] == new for row in its) >= 0.3 * len(its)
    assert sum(new in [unit["code"] for unit in row["top_k"]] for row in its) >= 0.75 * len(its)
    wrong = [row for row in rows if row not in its and row["lead_unit"]["code"] == new]
    assert len(wrong) < len(its)


def test_zero_history_by_the_directory_of_the_day(tmp_path: Path) -> None:
    small_city(tmp_path)
    for day, lamps in ((BEFORE, "A"), (AFTER, "N")):
        made = load_router(tmp_path / "models", None, None, tmp_path / "units.yaml", None, None, day)
        assert not made.calibrated
        assert leads(made, LAMPS, WAGES) == [lamps, "B"]


def test_a_directory_that_changed_is_read_again(tmp_path: Path) -> None:
    small_city(tmp_path)
    path = tmp_path / "units.yaml"
    first = load_router(tmp_path / "models", None, None, path, None, None, AFTER)
    path.write_text(UNITS.replace("市海洋局", "市海洋渔业局"), "utf-8")
    again = load_router(tmp_path / "models", None, None, path, None, None, AFTER, "another run")
    assert again.directory["M"].name == "市海洋渔业局"
    assert again.unit_version != first.unit_version


def test_a_suggestion_for_another_unit_has_another_id(tmp_path: Path) -> None:
    small_city(tmp_path)
    petition = toy.table([{"body": LAMPS}])
    found = [
        load_router(tmp_path / "models", None, None, tmp_path / "units.yaml", None, None, day).route(petition).suggestions
        for day in (BEFORE, AFTER)
    ]
    leads_ = [table["lead_unit"][0].as_py()["code"] for table in found]
    assert leads_ == ["A", "N"]
    assert found[0]["suggestion_id"][0] != found[1]["suggestion_id"][0]


def test_a_directory_without_duty_items_is_served_by_the_other_views(trained: tuple[Path, str], tmp_path: Path) -> None:
    bare = re.sub(r"    duties:\n      - .*\n", "", UNITS)
    (tmp_path / "units.yaml").write_text(bare, "utf-8")
    assert leads(router(trained, AFTER, tmp_path / "units.yaml"), LAMPS, WAGES, SCHOOLS) == ["N", "B", "C"]


def test_nothing_known_of_a_city(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="--units"):
        versions(tmp_path, None, None, None, None, AFTER)
    with pytest.raises(NotReadyError, match="--units"):
        load_router(tmp_path, None, None, None, None, None, AFTER)


def test_names_of_versions_follow_the_directory(tmp_path: Path) -> None:
    small_city(tmp_path)
    path = tmp_path / "units.yaml"
    issue, one = versions(tmp_path, None, None, path, None, AFTER)
    assert issue == "issue_type-none"
    assert one.startswith("unit-none@")
    assert versions(tmp_path, "i1", "u1", path, None, AFTER)[1] == one.replace("unit-none", "u1")
    places = "code,name,kind,parent,aliases,valid_from,valid_to,successor\nX9,九号广场,landmark,,,,,\n"
    (tmp_path / "places.csv").write_text(places, "utf-8")
    assert versions(tmp_path, None, None, path, None, AFTER)[1] != one
    path.write_text(UNITS + "# a remark\n", "utf-8")
    assert versions(tmp_path, None, None, path, None, AFTER)[1] != one
