"""Versions: immutable, named by content, checked when loaded; one champion, replaced in one step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import registry
from models.registry import ModelError

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "empty": np.zeros((0, 3), np.float32)}
MANIFEST = {"rows": 3, "model": {"labels": ["甲", "乙"]}, "created_at": "2026-11-20", "measures": {"accuracy": 0.5}}
COMPANIONS = {"lexicon.txt": "路灯".encode()}


def saved(root: Path, **changed: Any) -> registry.SavedModel:
    """Save a version; `changed` are values of the manifest."""
    return registry.save(root, "unit", ARRAYS, MANIFEST | changed, COMPANIONS)


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    done = saved(tmp_path)
    found = registry.load(tmp_path, "unit", done.version)
    assert found is not None
    assert found.version == done.version == done.folder.name
    assert found.manifest == done.manifest
    assert found.manifest["model"] == MANIFEST["model"]
    assert {name: value.tolist() for name, value in found.arrays.items()} == {k: v.tolist() for k, v in ARRAYS.items()}
    lexicon = found.companion("lexicon.txt")
    assert lexicon is not None
    assert lexicon.read_text("utf-8") == "路灯"
    assert found.companion("units.yaml") is None


@pytest.mark.parametrize(("changed", "same"), [
    ({}, True),
    ({"created_at": "2027-01-01"}, True),
    ({"measures": None}, True),
    ({"libraries": {"numpy": "9"}}, True),
    ({"rows": 4}, False),
    ({"model": {"labels": ["甲"]}}, False),
])  # fmt: skip
def test_a_version_is_named_by_its_content(tmp_path: Path, changed: dict[str, Any], same: bool) -> None:
    assert (saved(tmp_path).version == saved(tmp_path, **changed).version) is same
    assert not [path for path in (tmp_path / "unit").iterdir() if path.name.startswith(".") and path.name != ".lock"]


def test_other_arrays_and_other_companions_are_other_versions(tmp_path: Path) -> None:
    names = {
        saved(tmp_path).version,
        registry.save(tmp_path, "unit", {"a": ARRAYS["a"] + 1}, MANIFEST, COMPANIONS).version,
        registry.save(tmp_path, "unit", ARRAYS, MANIFEST, {"lexicon.txt": b""}).version,
        registry.save(tmp_path, "unit", ARRAYS, MANIFEST, {}).version,
    }
    assert len(names) == 4


def test_a_version_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    first = saved(tmp_path)
    again = saved(tmp_path, created_at="2030-01-01")
    assert json.loads((again.folder / "manifest.json").read_text("utf-8"))["created_at"] == "2026-11-20"
    assert first.folder == again.folder


def test_a_save_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        saved(tmp_path, rows={1, 2})
    assert list((tmp_path / "unit").iterdir()) == []


def test_champion(tmp_path: Path) -> None:
    assert registry.champion(tmp_path, "unit") is None
    assert registry.load(tmp_path, "unit") is None
    one, two = saved(tmp_path), saved(tmp_path, rows=4)
    assert registry.champion(tmp_path, "unit") is None  # saving is not promoting
    for version in (one.version, two.version, one.version):
        registry.promote(tmp_path, "unit", version)
        assert registry.champion(tmp_path, "unit") == version
        found = registry.load(tmp_path, "unit")
        assert found is not None
        assert found.version == version
    assert not [path for path in (tmp_path / "unit").iterdir() if path.name.startswith(".") and path.name != ".lock"]


def test_what_is_not_there_is_not_promoted(tmp_path: Path) -> None:
    one = saved(tmp_path)
    registry.promote(tmp_path, "unit", one.version)
    with pytest.raises(ModelError, match="nothing was promoted"):
        registry.promote(tmp_path, "unit", "unit-000000000000")
    assert registry.champion(tmp_path, "unit") == one.version


def damage(folder: Path, how: str) -> None:
    """Damage a version."""
    manifest, arrays = folder / "manifest.json", folder / "arrays.safetensors"
    if how == "no manifest":
        manifest.unlink()
    elif how == "manifest cut off":
        manifest.write_text(manifest.read_text("utf-8")[:40], "utf-8")
    elif how == "other format":
        manifest.write_text(manifest.read_text("utf-8").replace("minqing/model/1", "minqing/model/9"), "utf-8")
    elif how == "arrays changed":
        arrays.write_bytes(arrays.read_bytes()[:-1] + b"\x01")
    elif how == "arrays gone":
        arrays.unlink()
    elif how == "companion changed":
        (folder / "lexicon.txt").write_text("别的", "utf-8")
    else:
        plain = json.loads(manifest.read_text("utf-8"))
        plain["model"]["labels"] = ["乙", "甲"]
        manifest.write_text(json.dumps(plain), "utf-8")


@pytest.mark.parametrize(("how", "told"), [
    ("no manifest", "cannot be read"),
    ("manifest cut off", "cannot be read"),
    ("other format", "minqing/model/9"),
    ("arrays changed", "arrays.safetensors: missing or changed"),
    ("arrays gone", "arrays.safetensors: missing or changed"),
    ("companion changed", "lexicon.txt: missing or changed"),
    ("labels changed", "changed"),
])  # fmt: skip
def test_a_damaged_version_is_refused(tmp_path: Path, how: str, told: str) -> None:
    done = saved(tmp_path)
    registry.promote(tmp_path, "unit", done.version)
    damage(done.folder, how)
    with pytest.raises(ModelError, match=told) as error:
        registry.load(tmp_path, "unit")
    assert str(done.folder) in str(error.value)


def test_a_version_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="unit-nothing"):
        registry.load(tmp_path, "unit", "unit-nothing")


def test_rollback_goes_back_step_by_step(tmp_path: Path) -> None:
    one, two, three = (saved(tmp_path, rows=rows).version for rows in (1, 2, 3))
    for version in (one, two, two, three):
        registry.promote(tmp_path, "unit", version, by="陈", why="新标注")
    assert registry.rollback(tmp_path, "unit").version == two
    assert registry.champion(tmp_path, "unit") == two
    assert registry.rollback(tmp_path, "unit", why="误派增多").replaced == two
    assert registry.champion(tmp_path, "unit") == one
    with pytest.raises(ModelError, match="nothing to roll back to"):
        registry.rollback(tmp_path, "unit")
    assert registry.champion(tmp_path, "unit") == one
    entries = registry.history(tmp_path, "unit")
    assert [(entry.kind, entry.version) for entry in entries[3:]] == [
        ("promote", three), ("rollback", two), ("rollback", one),
    ]  # fmt: skip
    assert (entries[0].by, entries[0].why, entries[5].why) == ("陈", "新标注", "误派增多")
    assert entries[5].by  # the login name where nobody is given


def test_promotion_by_a_user_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Python 3.13 a user id without an entry is a KeyError, from then on an OSError."""
    for error in (KeyError, OSError):

        def nobody(error: type[Exception] = error) -> str:
            raise error

        monkeypatch.setattr("getpass.getuser", nobody)
        assert registry.promote(tmp_path, "unit", saved(tmp_path).version).by == "unknown"


def test_rollback_without_a_champion(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing is in service"):
        registry.rollback(tmp_path, "unit")


def test_a_promotion_that_was_cut_off_changes_nothing(tmp_path: Path) -> None:
    """Killed between the line of the history and the pointer: the champion stays, and rollback goes by the champion."""
    one, two, three = (saved(tmp_path, rows=rows).version for rows in (1, 2, 3))
    for version in (one, two, three):
        registry.promote(tmp_path, "unit", version)
    (tmp_path / "unit" / "champion").write_text(two + "\n")
    assert registry.rollback(tmp_path, "unit").version == one


def test_a_champion_older_than_the_history_can_come_back(tmp_path: Path) -> None:
    one, two = saved(tmp_path, rows=1).version, saved(tmp_path, rows=2).version
    (tmp_path / "unit" / "champion").write_text(one + "\n")
    registry.promote(tmp_path, "unit", two)
    assert registry.rollback(tmp_path, "unit").version == one


def test_a_spoilt_history_is_named_by_its_line(tmp_path: Path) -> None:
    registry.promote(tmp_path, "unit", saved(tmp_path).version)
    with (tmp_path / "unit" / "history.jsonl").open("a") as file:
        file.write('{"at": 1}\n')
    with pytest.raises(ModelError, match="line 2 is no promotion"):
        registry.rollback(tmp_path, "unit")


def test_prune_keeps_what_serves_and_what_served_before(tmp_path: Path) -> None:
    names = [saved(tmp_path, rows=n, created_at=f"2026-11-2{n}").version for n in range(6)]
    for version in (names[0], names[2], names[1]):
        registry.promote(tmp_path, "unit", version)
    assert sorted(registry.prune(tmp_path, "unit", 2)) == sorted([names[0], names[3]])
    assert [manifest["version"] for manifest in registry.versions(tmp_path, "unit")] == [
        names[5], names[4], names[2], names[1],
    ]  # fmt: skip
    assert registry.rollback(tmp_path, "unit").version == names[2]
