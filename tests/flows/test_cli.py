"""The command line as a stranger meets it: help, errors, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.cli import main

MEASURES = {
    "rows", "classes", "accuracy", "macro_f1", "top3_accuracy", "ece", "coverage_at_95_precision", "model",
}  # fmt: skip


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom flows.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'sklearn', 'scipy', 'pyarrow', 'prefect', 'numpy', 'plotly'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Commands:" in done.stdout
    assert done.stdout.strip().endswith("[]")


@pytest.mark.parametrize("command", ["route", "train", "evaluate", "demo"])
def test_each_command_has_help(command: str) -> None:
    done = CliRunner().invoke(main, [command, "--help"])
    assert done.exit_code == 0
    assert "--json" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["route", "none.csv", "--out", "o", "--units", "{units}"], "none.csv: does not exist"),
        (["route", "{rows}", "--out", "o"], "no unit model is in service"),
        (["route", "{rows}", "--out", "o", "--units", "none.yaml"], "none.yaml"),
        (["route", "{rows}", "--out", "o", "--units", "{rows}"], "petitions.csv"),
        (["route", "{rows}", "--out", "o", "--units", "{units}", "--map", "body=没有"], "没有"),
        (["route", "{rows}", "--out", "o", "--units", "{units}", "--map", "body=答复意见"], "答复"),
        (["route", "{rows}", "--out", "o", "--units", "{units}", "--map", "body"], "FIELD=HEADER"),
        (["route", "{rows}", "--out", "o", "--places", "{rows}"], "--units"),
        (["evaluate", "{rows}", "--target", "unit"], "no unit model is in service"),
        (["train", "{rows}", "--target", "unit"], "no row has a usable unit label"),
    ],
)
def test_errors_are_one_line_and_exit_with_2(arguments: list[str], said: str, city: Path, petitions) -> None:
    rows = petitions([("P1", "2026-11-19 08:00", "电话", "路灯不亮", "新渡路上的路灯坏了一个星期。", "")])
    filled = [a.format(rows=rows, units=city / "units.yaml") for a in arguments]
    done = CliRunner().invoke(main, filled)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_train_and_evaluate_as_json(city: Path) -> None:
    units = str(city / "units.yaml")
    for target in ("issue_type", "unit"):
        done = CliRunner().invoke(main, ["train", str(city / "history.csv"), "--target", target, "--units", units, "--json"])
        assert done.exit_code == 0, done.output
        trained = json.loads(done.stdout)
        assert set(trained) >= MEASURES
        done = CliRunner().invoke(main, ["evaluate", str(city / "history.csv"), "--target", target, "--json"])
        assert done.exit_code == 0, done.output
        measured = json.loads(done.stdout)
        assert set(measured) >= MEASURES
        assert measured["model"] == trained["model"]
        assert measured["rows"] == 330
        assert measured["accuracy"] > 0.6, "the rows it learnt from"


def test_route_as_json_in_a_pipe(
    city: Path, tmp_path: Path, petitions, home: Path, child_environment: dict[str, str]
) -> None:
    rows = petitions([("P1", "2026-11-19 08:00", "电话", "路灯不亮", "新渡路上的路灯坏了一个星期，请来修。", "")])
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", "from flows.cli import main; main()", "route", str(rows), "--out", str(out),
         "--units", str(city / "units.yaml"), "--json"],
        capture_output=True, text=True, env={**child_environment, "MINQING_HOME": os.environ["MINQING_HOME"]}, check=True,
    )  # fmt: skip
    run = json.loads(done.stdout)
    assert (run["read"], run["routed"], run["rejected"]) == (1, 1, 0)
    assert "\x1b[" not in done.stderr, "no progress bar in a pipe"
    assert run == json.loads((out / "run.json").read_text("utf-8"))


def test_statutes_status_for_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINQING_HOME", str(tmp_path))
    shown = CliRunner().invoke(main, ["statutes", "status"])
    assert shown.exit_code == 0, shown.output
    assert "行政法规" in shown.output
    assert "no texts have been built" in shown.output
    assert max(map(len, shown.output.splitlines())) < 120
    whole = json.loads(CliRunner().invoke(main, ["statutes", "status", "--json"]).output)
    assert f"{whole['laws']:,}" in shown.output
