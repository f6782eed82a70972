"""The mine flow on the bundled policy documents: every measure judged, every file written, the same again."""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from corpora.workspace import HOME_VARIABLE

KEYS = {
    "document", "start", "end", "text", "action", "power", "receiver", "frame", "verdict", "gap_codes", "citations", "rule",
    "evidence", "cure", "confidence", "not_checked", "candidates",
}  # fmt: skip
ON = dt.date(2026, 11, 20)


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory, city: Path, prefect_server: None) -> tuple[Path, dict[str, Any]]:
    from flows.mine import mine

    base = tmp_path_factory.mktemp("mine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(base / "home"))
        run = mine([str(city / "policies")], str(base / "out"), on=ON, units=str(city / "units.yaml"), workers=1)
    return base / "out", run


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_document_is_accounted_for(mined: tuple[Path, dict[str, Any]], city: Path) -> None:
    out, run = mined
    files = [path for path in (city / "policies").iterdir() if path.stem.lower() != "readme"]
    assert run["read"] == run["documents"] + run["rejected"] == len(files)
    assert run["measures"] == len(lines(out / "findings.jsonl")) == sum(run["verdicts"].values())
    assert {path.name for path in out.iterdir()} >= {"findings.jsonl", "findings.xlsx", "report.html", "rejected.jsonl", "run.json"}
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_findings_have_the_promised_fields(mined: tuple[Path, dict[str, Any]]) -> None:
    found = lines(mined[0] / "findings.jsonl")
    assert all(set(item) == KEYS for item in found)
    assert all(item["gap_codes"] for item in found if item["verdict"] == "unsupported")
    assert all(item["cure"] for item in found if item["gap_codes"])
    assert all(item["not_checked"] for item in found if item["verdict"] == "not_checked")


def test_nothing_is_called_illegal(mined: tuple[Path, dict[str, Any]]) -> None:
    for item in lines(mined[0] / "findings.jsonl"):
        assert "违法" not in item["evidence"] + item["cure"], item


def test_the_workbook_opens(mined: tuple[Path, dict[str, Any]]) -> None:
    book = openpyxl.load_workbook(mined[0] / "findings.xlsx", read_only=True)
    assert book.sheetnames == ["措施", "引用", "覆盖范围", "承接缺口"]


def test_unreadable_documents_are_kept_with_their_reason(tmp_path: Path, prefect_server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.mine import mine

    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.docx").write_bytes(b"PK\x03\x04 nothing")
    (source / "b.txt").write_text("关于设立联勤工作站的通知\n\n决定设立三个联勤工作站。\n", "utf-8")
    run = mine([str(source)], str(tmp_path / "out"), workers=1)
    assert (run["read"], run["documents"], run["rejected"]) == (2, 1, 1)
    kept = lines(tmp_path / "out" / "rejected.jsonl")
    assert kept[0]["source"].endswith("a.docx")
    assert kept[0]["reason"]


def test_findings_agree_with_what_the_documents_were_written_to_show(mined: tuple[Path, dict[str, Any]], city: Path) -> None:
    """Guards against regressions: the rules were written with these documents in sight."""
    found = lines(mined[0] / "findings.jsonl")
    with (city / "policies_truth.csv").open(encoding="utf-8-sig", newline="") as file:
        truth = list(csv.DictReader(file))
    located, agreed = 0, 0
    for row in truth:
        near = [
            item
            for item in found
            if item["document"] == row["document"] and (row["quotation"] in item["text"] or item["text"] in row["quotation"])
        ]
        wanted = {code for code in row["gap_codes"].split("|") if code}
        located += bool(near)
        agreed += any(item["verdict"] == row["verdict"] and wanted <= set(item["gap_codes"]) for item in near)
    assert located == len(truth)
    assert agreed >= 0.9 * len(truth)


def test_a_killed_run_starts_anew_and_leaves_nothing(
    mined: tuple[Path, dict[str, Any]], city: Path, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    command = [
        sys.executable, "-c", "from flows.cli import main; main()", "mine", str(city / "policies"), "--out", str(out), "--on", ON.isoformat(),
        "--units", str(city / "units.yaml"), "--workers", "1",
    ]  # fmt: skip
    environment = child_environment | {HOME_VARIABLE: str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        while not list(home.glob("spool/mine-*/read-*")) and first.poll() is None:
            time.sleep(0.01)
        first.kill()
    assert list(home.glob("spool/mine-*"))
    assert not (out / "findings.jsonl").exists()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert (out / "findings.jsonl").read_bytes() == (mined[0] / "findings.jsonl").read_bytes()
    assert not list(home.glob("spool/mine-*"))


def test_documents_of_the_city_lie_in_its_province(city: Path) -> None:
    """A city younger than the list of divisions is in its province, by its unit directory."""
    from corpora.documents import read_documents
    from corpora.units import UnitDirectory
    from corpora.workspace import statute_index_dir, statutes_path
    from flows.mining import Miner

    info = UnitDirectory.load(city / "units.yaml").city
    miner = Miner.load(statutes_path(), statute_index_dir())
    document = next(item for item in read_documents([city / "policies"], ON) if getattr(item, "issuer", "").startswith(info.name))
    assert miner.mine(document, ON, info).document.territory == "浙江/澜港"
    assert miner.mine(document, ON).document.territory == ""
