"""Promotions: one at a time, against the champion that was judged, all or nothing."""

from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from models import promotions, registry
from models.registry import ModelError


def saved(root: Path, rows: int) -> str:
    return registry.save(root, "unit", {"a": np.ones(2, np.float32)}, {"rows": rows, "model": {"labels": ["甲"]}}, {}).version


def test_a_decision_against_another_champion_is_refused(tmp_path: Path) -> None:
    one, two, three = (saved(tmp_path, rows) for rows in (1, 2, 3))
    registry.promote(tmp_path, "unit", one, expected=None)
    with pytest.raises(ModelError, match=f"{one} is in service, not nothing as when {two} was compared; nothing was promoted"):
        registry.promote(tmp_path, "unit", two, expected=None)
    registry.promote(tmp_path, "unit", two, expected=one)
    with pytest.raises(ModelError, match=f"{two} is in service, not {one}"):
        registry.promote(tmp_path, "unit", three, expected=one)
    assert registry.champion(tmp_path, "unit") == two
    assert len(registry.history(tmp_path, "unit")) == 2


def test_of_many_promotions_at_once_exactly_one_wins(tmp_path: Path) -> None:
    first = saved(tmp_path, 0)
    registry.promote(tmp_path, "unit", first)
    names = [saved(tmp_path, rows) for rows in range(1, 7)]
    refused: list[str] = []

    def attempt(name: str) -> None:
        try:
            registry.promote(tmp_path, "unit", name, expected=first)
        except ModelError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=attempt, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 5
    assert all("is in service, not" in text for text in refused)
    assert [entry.version for entry in registry.history(tmp_path, "unit")] == [first, registry.champion(tmp_path, "unit")]


def test_a_promotion_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = saved(tmp_path, 1)
    monkeypatch.setattr(promotions, "_PATIENCE", 0.05)
    with promotions.locked(tmp_path / "unit"), pytest.raises(ModelError, match="another promotion is under way; nothing was changed"):
        registry.promote(tmp_path, "unit", one)
    assert registry.champion(tmp_path, "unit") is None
    registry.promote(tmp_path, "unit", one)


def test_an_override_names_somebody_and_says_why(tmp_path: Path) -> None:
    one = saved(tmp_path, 1)
    for override, why in (("陈", ""), ("陈", " ")):
        with pytest.raises(ModelError, match="an override needs a name and a reason"):
            registry.promote(tmp_path, "unit", one, override=override, why=why)
    with pytest.raises(ModelError, match="an override needs a name and a reason"):
        registry.promote(tmp_path, "unit", one, kind="override", why="急")
    assert registry.champion(tmp_path, "unit") is None
    entry = registry.promote(tmp_path, "unit", one, override="陈", why="新机构挂牌")
    assert (entry.kind, entry.by, entry.why) == ("override", "陈", "新机构挂牌")
    assert registry.history(tmp_path, "unit") == [entry]


@pytest.mark.parametrize("call", range(4))
def test_a_full_disk_leaves_champion_and_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Fails at each write in turn: the draft of the pointer, the history, the folder; the last one comes too late to matter."""
    one, two = saved(tmp_path, 1), saved(tmp_path, 2)
    registry.promote(tmp_path, "unit", one)
    before = (tmp_path / "unit" / "history.jsonl").read_bytes()
    calls = iter(range(10))
    real = promotions.os.fsync

    def full(handle: int) -> None:
        if next(calls) == call:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(promotions.os, "fsync", full)
    if call < 2:
        with pytest.raises(ModelError, match=f"the champion is still {one} .No space left on device.; free space"):
            registry.promote(tmp_path, "unit", two)
        assert (tmp_path / "unit" / "history.jsonl").read_bytes() == before
        assert registry.champion(tmp_path, "unit") == one
    else:
        registry.promote(tmp_path, "unit", two)
        assert [entry.version for entry in registry.history(tmp_path, "unit")] == [one, two]
    assert not list((tmp_path / "unit").glob(".new-*"))


def test_a_pointer_that_cannot_be_replaced_takes_the_line_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = saved(tmp_path, 1), saved(tmp_path, 2)
    registry.promote(tmp_path, "unit", one)

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", broken)
        with pytest.raises(ModelError, match="Input/output error"):
            registry.promote(tmp_path, "unit", two)
    assert registry.champion(tmp_path, "unit") == one
    assert [entry.version for entry in registry.history(tmp_path, "unit")] == [one]
    assert registry.promote(tmp_path, "unit", two).replaced == one


def test_half_a_line_of_a_killed_promotion_does_no_harm(tmp_path: Path) -> None:
    one, two = saved(tmp_path, 1), saved(tmp_path, 2)
    registry.promote(tmp_path, "unit", one)
    with (tmp_path / "unit" / "history.jsonl").open("ab") as file:
        file.write('{"at": "2026-11-20", "why": "新'.encode()[:-1])
    assert [entry.version for entry in registry.history(tmp_path, "unit")] == [one]
    registry.promote(tmp_path, "unit", two)
    assert [entry.version for entry in registry.history(tmp_path, "unit")] == [one, two]


def test_what_the_gate_said_is_kept(tmp_path: Path) -> None:
    one, two = saved(tmp_path, 1), saved(tmp_path, 2)
    assert registry.passed(tmp_path, "unit", two, one) is None
    registry.record_gate(tmp_path, "unit", two, one, {"passed": False, "verdict": "worse"})
    path = registry.record_gate(tmp_path, "unit", two, one, {"passed": True, "verdict": "better"})
    registry.record_gate(tmp_path, "unit", two, None, {"passed": False, "verdict": "blocked"})
    assert path.name == f"{two}--vs--{one}.json"
    assert [registry.passed(tmp_path, "unit", two, against) for against in (one, None, two)] == [True, False, None]
    assert {record["champion"] for record in registry.gates(tmp_path, "unit", two)} == {one, None}
    path.write_text(json.dumps({"version": one, "passed": True}), "utf-8")
    with pytest.raises(ModelError, match="no result of the gate"):
        registry.gates(tmp_path, "unit", two)


def test_a_rollback_to_a_damaged_version_is_refused(tmp_path: Path) -> None:
    one, two = saved(tmp_path, 1), saved(tmp_path, 2)
    registry.promote(tmp_path, "unit", one)
    registry.promote(tmp_path, "unit", two)
    (tmp_path / "unit" / one / "arrays.safetensors").unlink()
    with pytest.raises(ModelError, match="nothing was promoted"):
        registry.rollback(tmp_path, "unit")
    assert registry.champion(tmp_path, "unit") == two
