"""Training: which rows are learnt from, which are left out and why, and that the same rows give the same version."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import toy
from toy_city import small_city

from models import registry
from models.city import City
from models.saved import directory_of, issue_model, lexicon_of, unit_model
from models.training import TrainingError, evaluate_model, refusals, times, train


@pytest.mark.parametrize(("titles", "timed"), [(True, True), (False, True), (True, False), (False, False)])
def test_units_are_learnt_from_labels_alone(tmp_path: Path, titles: bool, timed: bool) -> None:
    done = train("unit", toy.labelled(45, titles=titles, timed=timed), City(), tmp_path)
    assert (done.rows, done.classes, done.skipped) == (45, 3, {})
    assert done.evaluation is not None
    assert done.evaluation.accuracy > 0.9
    scores = evaluate_model("unit", toy.labelled(60, titles=titles), done.saved, None)
    assert (np.array(scores.labels)[scores.probabilities.argmax(1)] == np.array(scores.truth)).mean() > 0.95


def test_issue_types_are_learnt_as_codes_whatever_their_form(tmp_path: Path) -> None:
    rows = toy.labelled(45, issues=True).to_pylist()
    forms = ["城乡建设/城市建设和市政管理/城管执法", "010202"]
    for i, row in enumerate(r for r in rows if r["issue_type"] == "010202"):
        row["issue_type"] = forms[i % 2]
    done = train("issue_type", toy.table(rows), City(), tmp_path)
    model = issue_model(done.saved)
    assert {"010202", "030101", "120201"} <= set(model.labels)
    assert not any("/" in label for label in model.labels)


def test_labels_that_are_not_of_the_tree_are_types_of_their_own(tmp_path: Path) -> None:
    rows = [row | {"issue_type": "自定" + row["unit"]} for row in toy.labelled(30).to_pylist()]
    assert train("issue_type", toy.table(rows), City(), tmp_path).classes == 3


#: (rows, message)
REFUSED = [
    ([], "no row has a usable unit label"),
    ([{"body": "路灯坏了"}], "no label: 1"),
    ([{"body": "路灯坏了", "unit": "甲局"}, {"body": "路灯又坏了", "unit": "甲局"}], "same unit: 甲局"),
    ([{"body": "路灯坏了", "unit": "甲局"}, {"body": "路灯又坏了", "unit": " "}], "same unit: 甲局"),
]


@pytest.mark.parametrize(("rows", "told"), REFUSED)
def test_rows_that_cannot_be_learnt_from(tmp_path: Path, rows: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        train("unit", toy.table(rows), City(), tmp_path)


def test_two_rows_are_enough(tmp_path: Path) -> None:
    rows = [{"body": "路灯坏了", "unit": "甲局"}, {"body": "工资没发", "unit": "乙局"}]
    done = train("unit", toy.table(rows), City(), tmp_path)
    assert (done.rows, done.evaluation) == (2, None)


def test_rows_left_out_are_counted_and_reforms_are_followed(tmp_path: Path) -> None:
    city = small_city(tmp_path)
    rows = toy.labelled(30).to_pylist()
    for row in rows:
        row["unit"] = {"市城管局": "A", "市人社局": "人社局", "市教育局": "市教育局"}[row["unit"]]
    rows += [
        {"body": "没有标签"},
        {"body": "标签不在目录", "unit": "不存在的局"},
        {"body": "单位已撤销", "unit": "市档案局"},
    ]
    done = train("unit", toy.table(rows), city, tmp_path)
    assert done.rows == 30
    assert done.skipped == {"no label": 1, "label outside the directory": 1, "unit abolished without successor": 1}
    # A is gone: its rows are its successor's.
    model = unit_model(done.saved)
    assert set(model.units) == {"N", "B", "C", "M"}
    assert directory_of(done.saved, city)["N"].name == "市综合执法局"
    assert lexicon_of(done.saved) == city.lexicon()


def test_the_same_rows_give_the_same_version(tmp_path: Path) -> None:
    one, two = (train("unit", toy.labelled(30), City(), tmp_path / name) for name in ("one", "two"))
    assert one.saved.version == two.saved.version
    assert train("unit", toy.labelled(31), City(), tmp_path / "one").saved.version != one.saved.version
    assert registry.champion(tmp_path / "one", "unit") is None


def test_labels_reach_no_feature(tmp_path: Path) -> None:
    rows = toy.labelled(30, issues=True).to_pylist()
    done = train("unit", toy.table(rows), City(), tmp_path)
    bare = [row | {"unit": row["unit"], "channel": "电话", "source": "别的"} for row in rows]
    assert train("unit", toy.table(bare), City(), tmp_path).saved.version == done.saved.version


def test_references_are_the_petitions_of_the_neighbour_index(tmp_path: Path) -> None:
    rows = [*toy.labelled(20).to_pylist(), {"body": "没有标签", "petition_id": "X"}]
    done = train("unit", toy.table(rows), City(), tmp_path)
    references = done.saved.manifest["model"]["references"]
    assert references == [f"T{i:04d}" for i in range(20)]
    assert len(references) == len(done.saved.arrays["neighbours.labels"])


def test_no_petition_text_is_saved_with_a_model(tmp_path: Path) -> None:
    done = train("unit", toy.labelled(20), City(), tmp_path)
    for file in done.saved.folder.iterdir():
        assert "请尽快处理".encode() not in file.read_bytes()


def test_a_label_that_the_model_does_not_know_is_measured_as_wrong(tmp_path: Path) -> None:
    done = train("unit", toy.labelled(30), City(), tmp_path)
    rows = [*toy.labelled(3).to_pylist(), {"body": "路灯坏了", "unit": "新来的局"}, {"body": "无标签"}]
    scores = evaluate_model("unit", toy.table(rows), done.saved, None)
    assert scores.truth == [*[row["unit"] for row in rows[:3]], "新来的局"]
    assert scores.probabilities.shape == (4, 3)
    with pytest.raises(TrainingError, match="no row has a unit label"):
        evaluate_model("unit", toy.table([{"body": "无标签"}]), done.saved, None)


def test_a_saved_model_scores_as_the_one_in_memory(bundled: Any) -> None:
    again = registry.load(bundled.root, "issue_type")
    assert again is not None
    one = evaluate_model("issue_type", bundled.history, bundled.issue.saved, None).probabilities
    assert evaluate_model("issue_type", bundled.history, again, None).probabilities.tolist() == one.tolist()


# -- times and refusals ------------------------------------------------------------------------------------------------


def of(*stamps: dt.datetime | None) -> pa.Table:
    """Return petitions of these times."""
    return toy.table([{"body": "文", "submitted_at": stamp} for stamp in stamps])


HOURS = [dt.datetime(2026, 1, 1) + dt.timedelta(hours=i) for i in range(40)]


@pytest.mark.parametrize(("stamps", "known"), [
    (HOURS, True),
    ([*HOURS, None], True),  # 1 of 41
    ([*HOURS, None, None, None], False),  # 3 of 43
    (HOURS[:9], False),
    (HOURS[:5] * 8, False),
    ([None] * 20, False),
    ([], False),
])  # fmt: skip
def test_folds_follow_time_where_nearly_every_row_has_one(stamps: list[dt.datetime | None], known: bool) -> None:
    found = times(of(*stamps))
    assert (found is not None) is known
    if found is not None:
        seconds = [(stamp or HOURS[0]).replace(tzinfo=dt.UTC).timestamp() for stamp in stamps]
        assert found.tolist() == seconds


@pytest.mark.parametrize(("refused", "cells"), [
    ([[], []], None),
    ([["市教育局"], []], [["市教育局"], []]),
    ([["不存在的局"], []], None),
    ([["市教育局", "市城管局"], ["市人社局"]], [["市城管局", "市教育局"], ["市人社局"]]),
])  # fmt: skip
def test_cells_of_refusals(refused: list[list[str]], cells: list[list[str]] | None) -> None:
    directory = toy.directory()
    found = refusals(toy.table([{"refused_units": names} for names in refused]), directory)
    if cells is None:
        assert found is None
    else:
        assert found is not None
        assert [sorted(str(directory.units[i].name) for i in row.nonzero()[0]) for row in found] == [sorted(c) for c in cells]


# -- what is known of a city -------------------------------------------------------------------------------------------


def test_places_beside_the_directory_are_read(tmp_path: Path) -> None:
    small_city(tmp_path)
    assert City.load(tmp_path / "units.yaml").gazetteer is None
    (tmp_path / "places.csv").write_text(
        "code,name,kind,parent,aliases,valid_from,valid_to,successor\nX,澜城,city,,,,,\n", "utf-8"
    )
    found = City.load(tmp_path / "units.yaml")
    assert found.gazetteer is not None
    assert [name for name, _ in found.files] == ["units.yaml", "places.csv"]
    assert City.load(None) == City()


def test_words_that_the_segmenter_must_know(tmp_path: Path) -> None:
    words = small_city(tmp_path).lexicon()
    assert {"市综合执法局", "路灯", "业委会"} <= set(words)
    assert list(words) == sorted(words)
    assert all(2 <= len(word) <= 12 for word in words)


def test_the_city_that_letters_speak_of_gives_its_places(tmp_path: Path) -> None:
    """Which town an estate's street lies in, no letter says; the list of divisions does."""
    towns = {"闵行区": ("七宝", "颛桥", "华漕"), "松江区": ("泗泾", "佘山", "车墩")}
    rows = [
        {"body": f"{town}的路灯坏了{i}次，请{district}处理" if i < 8 else f"{town}的井盖坏了", "unit": f"上海市{district}人民政府"}
        for i in range(12)
        for district, names in towns.items()
        for town in names
    ]
    done = train("unit", toy.table(rows), City(), tmp_path)
    assert done.saved.manifest["model"]["division"] == "31"
    assert "place" in unit_model(done.saved).classifier.views.encoder.buckets
    other = [{"body": f"{town}的垃圾没人清", "unit": unit} for town, unit in (("莘庄镇", rows[0]["unit"]), ("九亭镇", rows[3]["unit"]))]
    scores = evaluate_model("unit", toy.table(other), done.saved, None)
    assert [scores.labels[i] for i in scores.probabilities.argmax(1)] == [row["unit"] for row in other]


def test_a_city_with_places_of_its_own_keeps_them(tmp_path: Path) -> None:
    city = small_city(tmp_path)
    assert city.in_division(None) is city
    listed = city.in_division("31")
    assert listed.gazetteer is not None
    assert listed.lexicon() == city.lexicon()
    assert listed.in_division("3303") is listed
