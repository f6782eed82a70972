"""Real replies, read from the evaluation data beside the checkout; nothing of them is printed or kept."""

from __future__ import annotations

from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "petitions" / "with_replies.xlsx"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the evaluation data is not beside the checkout")


def test_every_reply_is_scored(tmp_path: Path) -> None:
    from flows.replies import judge_replies

    run = judge_replies([FILE], tmp_path)
    assert (run["read"], run["scored"], run["rejected"]) == (2816, 2816, 0)
    assert run["timeliness"].get("unknown", 0) == 0
    assert 200 < run["kinds"]["holding"] < 400
    assert run["copy_groups"] >= 10
