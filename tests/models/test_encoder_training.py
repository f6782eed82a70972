"""A version with a second stage: trained, saved, checked, loaded, served, explained."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
import tiny_encoder
import toy

from models import registry
from models.city import City
from models.explanation import TRANSFORMER, explain
from models.registry import ModelError
from models.saved import unit_model
from models.serving import load_router
from models.stack import StackError
from models.subjects import UnitSubject
from models.training import Encoder, Training, evaluate_model, train
from models.transformer import FineTuning

pytest.importorskip("torch", reason="the extra [transformer] is not installed")

SETTINGS = FineTuning(layers=2, frozen=0, max_tokens=48, epochs=3, batch=8, rate=5e-3, prefix="")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def done(home: Path) -> Training:
    rows = toy.labelled(320)
    texts = [f"{title}\n{body}" for title, body in zip(rows["title"].to_pylist(), rows["body"].to_pylist(), strict=True)]
    folder = tiny_encoder.build(home / "encoder", texts)
    return train("unit", rows, City(), home, encoder=Encoder(folder, SETTINGS))


def test_it_is_saved_whole_and_measured_on_rows_that_neither_stage_has_seen(done: Training) -> None:
    files = done.saved.manifest["files"]
    assert {"transformer/model.safetensors", "transformer/tokenizer.json", "transformer/model.int8.onnx", "transformer/minqing.json"} <= set(files)
    assert done.evaluation is not None
    assert done.evaluation.rows == 64
    assert done.evaluation.accuracy > 0.9
    assert set(done.saved.manifest["model"]["stack"]["weights"]) == {"first", "transformer"}


def test_it_scores_as_loaded(done: Training, home: Path) -> None:
    saved = registry.load(home, "unit", done.saved.version)
    assert saved is not None
    model = unit_model(saved)
    assert model.stack is not None
    scores = evaluate_model("unit", toy.labelled(90), saved, None)
    assert (np.array(scores.labels)[scores.probabilities.argmax(1)] == np.array(scores.truth)).mean() > 0.95


def test_it_routes_and_says_why(done: Training, home: Path) -> None:
    day = dt.date(2026, 3, 1)
    router = load_router(home, None, done.saved.version, None, None, None, day)
    assert router.unit.stack is not None
    router.unit.stack.__dict__["certain"] = 1.01  # ask it of every petition
    routed = router.route(toy.labelled(9))
    assert [unit["code"] for unit in routed.suggestions["lead_unit"].to_pylist()] == [toy.UNITS[i % 3] for i in range(9)]
    told = explain(UnitSubject(router), "反映工资问题", "公司拖欠工资三个月，劳动合同也不签。").candidates[0]
    assert TRANSFORMER in told.contributions
    assert sum(told.contributions.values()) == pytest.approx(told.difference)
    assert told.difference > 0


def test_few_rows_are_refused_before_anything_is_saved(home: Path) -> None:
    before = len(registry.versions(home, "unit"))
    with pytest.raises(StackError, match="needs 300"):
        train("unit", toy.labelled(90), City(), home, encoder=Encoder(home / "encoder", SETTINGS))
    assert len(registry.versions(home, "unit")) == before


def test_a_changed_network_is_refused(done: Training, home: Path) -> None:
    path = done.saved.folder / "transformer" / "model.int8.onnx"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ModelError, match="model.int8.onnx"):
            registry.load(home, "unit", done.saved.version)
    finally:
        path.write_bytes(content)
