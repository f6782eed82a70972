"""Versions that were committed when their format was new load today, and say what they said then."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from make_version import probabilities

FOLDERS = sorted((Path(__file__).parent / "versions").iterdir())


@pytest.mark.parametrize("target", ["issue_type", "unit"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_old_versions_say_what_they_said(folder: Path, target: str) -> None:
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    found = probabilities(target, folder, expected[target]["version"], expected["issue_type"]["version"])
    assert found["labels"] == expected[target]["labels"]
    np.testing.assert_allclose(found["probabilities"], expected[target]["probabilities"], rtol=0, atol=1e-6)


def test_there_is_one() -> None:
    assert FOLDERS
