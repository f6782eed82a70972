"""Label candidates from decisions: explicit ones by people, the last one, of the text that is there, and nothing else."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete

sys.path.append(str(Path(__file__).parents[1] / "models"))

import toy
from toy_city import small_city

from dispatch.feedback import record
from dispatch.live import batch_of, store_scored
from dispatch.store import Store, tables
from flows import retraining
from flows.cli import main
from flows.decided import beside, decided, summary
from flows.scoring import LiveScorer
from models.training import TrainingError

DAY = dt.date(2026, 1, 5)


class Office:
    """A store with petitions R0 … R5 that were suggested to a unit, and people who decide."""

    def __init__(self, store: Store, scorer: LiveScorer) -> None:
        self.store, self.scorer, self.keys = store, scorer, dict[str, str]()
        for n in range(6):
            self.file(f"R{n}", f"小区门口的路灯坏了{n}个月，窨井盖也没人修，电话1380013800{n}")

    def file(self, pid: str, body: str) -> None:
        batch = batch_of([{"petition_id": pid, "body": body, "submitted_at": dt.datetime(2026, 1, 4, 9)}])
        with self.store.writing() as connection:
            self.keys[pid] = store_scored(connection, self.scorer, batch, self.scorer.score(batch))[0].suggestion_id

    def say(self, pid: str, verdict: str, unit: str | None = None, actor: str = "王", source: str = "console") -> None:
        done = record(self.store, self.scorer, self.keys[pid], verdict=verdict, unit=unit, reason="不属", actor=actor, source=source)
        self.keys[pid] = done.replacement or self.keys[pid]


@pytest.fixture
def office(home: Path, tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MINQING_STORE", store_url)
    small_city(tmp_path)
    with Store.open(store_url) as store:
        yield Office(store, LiveScorer(tmp_path / "units.yaml", models=home / "models", today=lambda: DAY))


def test_which_decisions_are_labels(office: Office) -> None:
    office.say("R0", "accepted")
    office.say("R1", "reassigned", "人社局", source="api", actor="dispatch")
    office.say("R2", "refused")  # alone, it names no unit
    office.say("R3", "refused")
    office.say("R3", "accepted")  # who took it in the end
    office.say("R4", "accepted")
    office.say("R4", "reassigned", "C", actor="李")  # later decisions override
    # R5: nobody looked at it
    told = decided()
    assert dict(zip(told.table["petition_id"].to_pylist(), told.table["unit"].to_pylist(), strict=True)) == {
        "R0": "N", "R1": "B", "R3": lead_of(office, "R3"), "R4": "C",
    }  # fmt: skip
    assert told.used == {"accepted (console)": 2, "reassigned (api)": 1, "reassigned (console)": 1}
    assert told.left_out == {"sent back, no unit named": 1}
    assert told.people == {"王": 2, "dispatch": 1, "李": 1}
    assert not any("13800138" in body for body in told.table["body"].to_pylist())
    only = decided("corrections")
    assert only.table["petition_id"].to_pylist() == ["R1", "R4"]
    assert only.left_out["accepted as suggested"] == 2
    assert decided("none").table.num_rows == 0


def lead_of(office: Office, pid: str) -> str:
    from sqlalchemy import select

    with office.store.reading() as connection:
        return connection.execute(select(tables.petitions.c.unit).where(tables.petitions.c.petition_id == pid)).scalar_one()


def test_another_text_is_no_longer_what_was_decided_on(office: Office) -> None:
    office.say("R0", "accepted")
    office.file("R0", "幼儿园补课班收费太贵")
    assert decided().table.num_rows == 0
    assert decided().left_out == {"another text since": 1}


def test_who_labelled_it_has_the_last_word(office: Office) -> None:
    office.file("S1", "幼儿园补课班收费太贵")
    office.say("R0", "accepted")
    office.say("S1", "accepted")
    told = decided()
    rows = beside(told.table.slice(0, 1), told)
    assert rows["petition_id"].to_pylist() == ["S1"]
    assert told.left_out == {"labelled by a person": 1}


def test_what_is_purged_is_learnt_no_more(office: Office) -> None:
    office.say("R0", "accepted")
    with office.store.writing() as connection:
        for table in (tables.outbox, tables.decisions, tables.suggestions, tables.petitions):
            connection.execute(delete(table).where(table.c.petition_id == "R0"))
    assert decided().table.num_rows == 0


def test_summary_and_command(office: Office) -> None:
    assert "nobody has decided" in CliRunner().invoke(main, ["labels", "decisions"]).output
    office.say("R0", "accepted")
    office.say("R1", "refused")
    found = summary()
    assert found["verdicts"] == {"accepted": 1, "refused": 1}
    assert found["units"]["N"] == {"accepted": 1, "refused": 1, "refused_share": 0.5}
    done = CliRunner().invoke(main, ["labels", "decisions", "--since", "2020-01-01"])
    assert (done.exit_code, "采纳率 accepted 50.0%" in done.output) == (0, True), done.output
    assert summary(dt.datetime(2100, 1, 1))["verdicts"] == {}


def test_retraining_takes_them(office: Office, tmp_path: Path) -> None:
    office.say("R0", "accepted")
    office.say("R1", "reassigned", "C")
    history = tmp_path / "history.csv"
    rows = toy.labelled(60).to_pylist()
    names = ("petition_id", "body", "unit")
    lines = [",".join(names), *(",".join(row[name].replace("市城管局", "市综合执法局") for name in names) for row in rows)]
    history.write_text("\n".join(lines) + "\n", "utf-8")
    request = retraining.Request("unit", (str(history),), units=str(tmp_path / "units.yaml"), decisions="all")
    found = retraining.gather(request)
    assert (found["from_decisions"], found["read"]) == (2, 62)
    assert found["decisions"] == {"used": {"accepted (console)": 1, "reassigned (console)": 1}, "left_out": {}}
    with pytest.raises(TrainingError, match="--decisions goes with"):
        retraining.check(retraining.Request("issue_type", (), decisions="all"), "", "", None)
    with pytest.raises(TrainingError, match="decisions is one of"):
        retraining.check(retraining.Request("unit", (), decisions="some"), "", "", None)
