"""What a version sees: unknown n-grams without the row itself, held-out predictions, rows of other versions."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from toy import UNITS, features, labelled, learnable, letters, table

from models import registry
from models.city import City
from models.encoder import Encoder
from models.observe import observe, strangers, unknown, unknown_alone, versions_in
from models.profile import Profile
from models.training import train
from pipeline.petitions.window import WINDOW_SCHEMA


def test_unknown_alone_is_the_encoder_without_the_row() -> None:
    titles, bodies, _ = letters(9)
    made = features(titles, bodies)
    alone = unknown_alone(made, Encoder.fit(made, 3))
    for row in (0, 4, 8):
        rest = [i for i in range(9) if i != row]
        without = Encoder.fit(features([titles[i] for i in rest], [bodies[i] for i in rest]), 3)
        assert alone[row] == pytest.approx(unknown(features([titles[row]], [bodies[row]]), without)[0])


def test_the_same_where_a_bucket_must_be_held_by_two() -> None:
    titles, bodies, _ = letters(12)
    made = features(titles, bodies)
    alone = unknown_alone(made, Encoder.fit(made, 3, least=2))
    rest = features(titles[1:], bodies[1:])
    assert alone[0] == pytest.approx(unknown(features(titles[:1], bodies[:1]), Encoder.fit(rest, 3, least=2))[0])


def test_known_and_foreign_texts() -> None:
    made, _ = learnable(30)
    encoder = Encoder.fit(made, 3)
    assert unknown(made, encoder).max() == 0
    assert unknown(features([""], ["The quick brown fox"]), encoder)[0] > 0.9
    assert np.isnan(unknown(features([""], [""]), encoder)[0]) or unknown(features([""], [""]), encoder)[0] <= 1


def test_versions_in_a_name() -> None:
    assert versions_in("issue_type-1f+unit-2e@9c") == ("issue_type-1f", "unit-2e")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> registry.SavedModel:
    rows = labelled(60).to_pylist()
    for row in rows[:6]:
        row["refused_units"] = [UNITS[1], "没有的局"]
    return train("unit", table(rows), City(), tmp_path_factory.mktemp("models")).saved


def test_a_version_keeps_its_reference(saved: registry.SavedModel) -> None:
    stored = json.loads((saved.folder / "manifest.json").read_text("utf-8"))["reference"]
    profile = Profile.from_dict(stored)
    assert profile is not None
    assert profile.rows == 60
    assert sum(profile.counted["predicted"].values()) == sum(profile.measured["confidence"].counts) == 60
    assert sum(profile.counted["label"].values()) == profile.judged == 60
    assert profile.refusals["没有的局"] == (6, 6)
    assert profile.refusals[UNITS[1]][0] == 6
    assert sum(profile.months.values()) == 60
    assert "编号" not in json.dumps(stored, ensure_ascii=False)


def test_it_is_part_of_the_version(saved: registry.SavedModel) -> None:
    root, path = saved.folder.parents[1], saved.folder / "manifest.json"
    text = path.read_text("utf-8")
    try:
        path.write_text(json.dumps(json.loads(text) | {"reference": None}), "utf-8")
        with pytest.raises(registry.ModelError, match="changed since"):
            registry.load(root, "unit", saved.version)
    finally:
        path.write_text(text, "utf-8")
    assert registry.load(root, "unit", saved.version) is not None


def row(**more: object) -> dict[str, object]:
    plain = {
        "petition_id": "P1", "title": "反映路灯问题", "body": "您好，路灯坏了没人修", "channel": "来信", "day": dt.date(2026, 11, 2),
        "model_version": "", "unit": UNITS[0], "unit_probability": 0.8, "issue": None, "issue_probability": None,
        "refused": [], "unit_label": "", "issue_label": "",
    }  # fmt: skip
    return plain | more


def test_suggestions_of_other_versions_say_nothing_of_this_one(saved: registry.SavedModel) -> None:
    mine = f"issue_type-none+{saved.version}@1a"
    window = pa.Table.from_pylist(
        [row(model_version=mine, unit_label=UNITS[0]), row(model_version="issue_type-none+unit-other"),
         row(model_version=mine, unit="新局", unit_label=" 旧 局 ", refused=["撤了的局"])],
        WINDOW_SCHEMA,
    )  # fmt: skip
    seen = observe(window, "unit", saved, (), None)
    assert list(seen.predicted) == [UNITS[0], None, "新局"]
    assert np.isnan(seen.confidence).tolist() == [False, True, False]
    assert list(seen.labels) == [UNITS[0], None, "旧局"]
    assert list(seen.holders) == [UNITS[0], UNITS[0], "新局"]
    found = strangers(seen, UNITS)
    assert (found.predicted, found.label, found.refused) == ({"新局": 1}, {"旧局": 1}, {"撤了的局": 1})
    assert found.rows == 3


def test_an_empty_window(saved: registry.SavedModel) -> None:
    seen = observe(WINDOW_SCHEMA.empty_table(), "unit", saved, (), None)
    profile = Profile.of(seen, Profile.from_dict(saved.manifest["reference"]))
    assert (profile.rows, profile.days) == (0, 0)


def test_the_reference_is_the_same_for_the_same_rows(tmp_path: Path) -> None:
    one, two = (train("unit", labelled(30), City(), tmp_path / name).saved for name in "ab")
    assert one.version == two.version
    assert one.manifest["reference"] == two.manifest["reference"]
