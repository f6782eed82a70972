"""The workspace: where it is, and that only its owner reads it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from corpora import workspace as ws


def mode(path: Path) -> int:
    """Return the permission bits of a folder."""
    return stat.S_IMODE(path.stat().st_mode)


def test_home_variable_wins_and_folders_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINQING_HOME", str(tmp_path / "a" / "b"))
    assert ws.workspace() == tmp_path / "a" / "b"
    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == 0o700


@pytest.mark.parametrize("home", [None, "", "  "])
def test_default_is_the_platforms_folder(home: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if home is None:
        monkeypatch.delenv("MINQING_HOME", raising=False)
    else:
        monkeypatch.setenv("MINQING_HOME", home)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ws.workspace() == Path(platformdirs.user_data_dir("minqing"))
    assert mode(ws.workspace()) == 0o700


@pytest.mark.parametrize("folder", [ws.models_dir, ws.cache_dir, ws.spool_dir])
def test_subfolders_are_made_private(
    folder: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINQING_HOME", str(tmp_path / "home"))
    made = folder()
    assert made.parent == tmp_path / "home"
    assert mode(made) == 0o700
    assert folder() == made


def test_store_path_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINQING_HOME", str(tmp_path / "home"))
    assert ws.store_path().parent == tmp_path / "home"
    assert not ws.store_path().exists()


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINQING_HOME", "here")
    assert ws.workspace() == tmp_path / "here"


def test_a_file_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINQING_HOME", str(tmp_path / "file"))
    with pytest.raises(NotADirectoryError, match="MINQING_HOME"):
        ws.workspace()
