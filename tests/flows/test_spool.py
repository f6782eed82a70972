"""The spool of a run that is over goes in one step."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows.spool import claimed, discard


def test_killed_while_it_removes_its_files_a_run_is_not_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "run_1"
    spool.mkdir()
    (spool / "lines-000001.arrow").write_bytes(b"x")
    (spool / "lines-000001.csv").write_bytes(b"x")
    remove = shutil.rmtree

    def killed(path: Path, **options: object) -> None:
        if path.exists():
            (path / "lines-000001.csv").unlink()
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        discard(spool)
    monkeypatch.setattr(shutil, "rmtree", remove)
    assert not spool.exists()
    spool.mkdir()
    with claimed(spool):  # the next run sweeps up what is left
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["run_1"]
    discard(spool)
    discard(spool)
    assert list(tmp_path.iterdir()) == []


def test_an_abandoned_spool_loses_its_name_first_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("run_1", "run_2"):
        (tmp_path / name).mkdir()
    (tmp_path / "run_2" / "lines-000001.arrow").write_bytes(b"x")
    names: list[str] = []
    remove = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path, **options: (names.append(path.name), remove(path, **options)))
    with claimed(tmp_path / "run_1"):
        assert not (tmp_path / "run_2").exists()
    assert "run_2" not in names
