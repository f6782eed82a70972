"""The route flow: what it leaves, that it leaves the same again, and that it counts every row."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = dt.date(2026, 11, 20)
SUGGESTION_KEYS = {
    "suggestion_id", "petition_id", "issue_type", "lead_unit", "co_units", "top_k", "decision", "reasons", "urgency",
    "deadline", "event_group", "model_version",
}  # fmt: skip
ROWS = [
    ("P1", "2026-11-19 08:00", "电话", "路灯不亮", "新渡路上的路灯坏了一个星期，晚上看不清路，请派人来修。", "新渡路"),
    ("P2", "2026-11-19 09:00", "电话", "夜间施工", "工地夜里十二点还在打桩，吵得全楼睡不着觉，请管一管。", ""),
    ("P3", "2026-11-19 10:00", "来信", "拖欠工资", "厂里欠了三个月工资没有发，老板电话也不接，请帮忙讨回。", ""),
]
CAMPAIGN = "幸福花苑旁边要建垃圾中转站，我们全体业主坚决反对，距离住宅楼不到五十米，夏天臭气会飘进家里，请另外选址。"


def run(paths: list[Path], out: Path, city: Path, **options: Any) -> dict[str, Any]:
    """Run the flow in this process with the bundled units."""
    from flows.route import route

    given = {"units": str(city / "units.yaml"), "on": DAY, "workers": 1} | options
    return route([str(path) for path in paths], str(out), **given)


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def table(home: Path, query: str) -> list[tuple[Any, ...]]:
    """Return rows of the store."""
    with sqlite3.connect(home / "store.sqlite3") as connection:
        return connection.execute(query).fetchall()


def small_chunks(tmp_path: Path, rows: int) -> str:
    """Return a configuration with chunks of so many rows."""
    path = tmp_path / f"chunks-{rows}.yaml"
    path.write_text(f"chunk_rows: {rows}\n")
    return str(path)


@pytest.fixture
def bundled(home: Path, city: Path, tmp_path: Path) -> tuple[dict[str, Any], Path, Path]:
    """Route the bundled petitions; return the run, the folder of the results and the workspace."""
    return run([city / "incoming"], tmp_path / "out", city), tmp_path / "out", home


def test_files(bundled: tuple[dict[str, Any], Path, Path], city: Path) -> None:
    result, out, home = bundled
    found = {path.name for path in out.iterdir()}
    assert found == {"suggestions.jsonl", "suggestions.csv", "rejected.jsonl", "run.json", "report.html"}
    written = json.loads((out / "run.json").read_text("utf-8"))
    assert written == json.loads(json.dumps(result))
    assert written["routed"] + written["rejected"] == written["read"] > 300
    suggestions, rejected = lines(out / "suggestions.jsonl"), lines(out / "rejected.jsonl")
    assert (len(suggestions), len(rejected)) == (written["routed"], written["rejected"])
    assert all(set(item) >= SUGGESTION_KEYS for item in suggestions)
    assert all(set(item) >= {"source", "row", "reason"} and item["reason"] for item in rejected)
    assert len({item["suggestion_id"] for item in suggestions}) == len(suggestions)
    assert {item["decision"] for item in suggestions} <= {"auto", "review"}
    assert Counter(item["urgency"]["level"] for item in suggestions) == written["urgency"]
    assert all(item["top_k"][0] == item["lead_unit"] for item in suggestions if item["lead_unit"])
    content = (out / "suggestions.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(content.decode("utf-8-sig").splitlines(keepends=True)))
    assert len(rows) == len(suggestions) + 1
    assert not any(cell[:1] in ("=", "+", "-", "@") for row in rows for cell in row)
    assert "<html" in (out / "report.html").read_text("utf-8")[:200]
    # Raw petitions wait in the spool while a run lasts, and no longer.
    assert list((home / "spool").iterdir()) == []
    truth = list(csv.DictReader((city / "incoming_truth.csv").read_text("utf-8-sig").splitlines()))
    assert len(truth) >= written["routed"]


def test_store(bundled: tuple[dict[str, Any], Path, Path]) -> None:
    result, out, home = bundled
    stored = {key: json.loads(line) for key, line in table(home, "select suggestion_id, payload from suggestions")}
    assert stored == {item["suggestion_id"]: item for item in lines(out / "suggestions.jsonl")}
    assert len(table(home, "select * from petitions")) == result["routed"]
    assert len(table(home, "select * from rejections")) == result["rejected"]
    assert len(table(home, "select * from events")) == result["events"]
    assert table(home, "select run_id, status, read, routed, rejected from runs") == [
        (result["run_id"], "finished", result["read"], result["routed"], result["rejected"])
    ]
    sizes = dict(table(home, "select event_group, size from events"))
    assert sizes == Counter(item["event_group"] for item in stored.values() if item["event_group"])
    assert all(size >= 2 for size in sizes.values())


def test_rerun_adds_nothing(bundled: tuple[dict[str, Any], Path, Path], city: Path, tmp_path: Path) -> None:
    first, out, home = bundled
    everything = "select * from petitions", "select * from suggestions", "select * from events", "select * from rejections"
    before = [table(home, query) for query in everything]
    second = run([city / "incoming"], tmp_path / "again", city)
    assert second["new_suggestions"] == 0 < first["new_suggestions"]
    assert [table(home, query) for query in everything] == before
    for name in ("suggestions.jsonl", "suggestions.csv", "rejected.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes(), name


@pytest.mark.parametrize("workers", [1, 2])
def test_chunks_and_processes_change_nothing(
    bundled: tuple[dict[str, Any], Path, Path], city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    _, out, _ = bundled
    monkeypatch.setenv("MINQING_HOME", str(tmp_path / "other"))
    run([city / "incoming"], tmp_path / "b", city, workers=workers, config=small_chunks(tmp_path, 70))
    for name in ("suggestions.jsonl", "suggestions.csv", "rejected.jsonl"):
        assert (tmp_path / "b" / name).read_bytes() == (out / name).read_bytes(), name


def test_artifact(bundled: tuple[dict[str, Any], Path, Path]) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    result, _, _ = bundled
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["route-summary"])))
    texts = [str(item.data) for item in found]
    assert any(f"| {result['read']} |" in text and f"| {result['routed']} |" in text for text in texts)


def test_progress(city: Path, tmp_path: Path, petitions: Callable[..., Path]) -> None:
    from flows.plan import Progress

    class Heard(Progress):
        def __init__(self) -> None:
            self.steps: list[tuple[int, int]] = []

        def __call__(self, done: int, total: int) -> None:
            self.steps.append((done, total))

    heard = Heard()
    run([petitions(ROWS)], tmp_path / "out", city, progress=heard, config=small_chunks(tmp_path, 1))
    assert heard.steps == [(done, 6) for done in range(1, 7)]  # each chunk is scored, then written


def test_a_chunk_that_fails_once_is_tried_again(
    city: Path, tmp_path: Path, petitions: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import batch

    score, failures = batch.score, [OSError("the disk was away")]

    def flaky(plan: Any, number: int) -> Any:
        if number == 1 and failures:
            raise failures.pop()
        return score(plan, number)

    monkeypatch.setattr(batch, "score", flaky)
    result = run([petitions(ROWS)], tmp_path / "out", city, config=small_chunks(tmp_path, 1))
    assert not failures
    assert (result["read"], result["routed"]) == (3, 3)


def test_lost_row_is_an_error(city: Path, tmp_path: Path, petitions: Callable[..., Path]) -> None:
    from flows import batch
    from flows.plan import make_plan

    source, out, units = petitions(ROWS), tmp_path / "out", str(city / "units.yaml")
    plan = make_plan([str(source)], str(out), units, None, None, None, DAY)
    list(batch.read(plan))
    chunk = plan.chunk("read", 0)
    with pa.OSFile(str(chunk)) as file:
        rows = pa.ipc.open_file(file).read_all()
    with pa.OSFile(str(chunk), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows.slice(1))
    with pytest.raises(Exception, match="3 rows read|read = 3|read 3"):
        run([source], out, city)
    assert not (out / "run.json").exists()


def test_header_alone(city: Path, tmp_path: Path, petitions: Callable[..., Path]) -> None:
    result = run([petitions([])], tmp_path / "out", city)
    assert (result["read"], result["routed"], result["rejected"]) == (0, 0, 0)
    assert (tmp_path / "out" / "suggestions.jsonl").read_bytes() == b""


def test_with_history(trained_home: Path, city: Path, tmp_path: Path) -> None:
    result = run([city / "incoming" / "hotline.csv"], tmp_path / "out", city)
    assert result["history"]
    assert all(part in result["model_version"] for part in ("issue_type-", "unit-"))
    truth = {
        row["petition_id"]: row
        for row in csv.DictReader((city / "incoming_truth.csv").read_text("utf-8-sig").splitlines())
    }
    found = lines(tmp_path / "out" / "suggestions.jsonl")
    known = [item for item in found if item["petition_id"] in truth]
    column = next(name for name in next(iter(truth.values())) if "unit" in name)
    hits = [truth[item["petition_id"]][column] in (item["lead_unit"] or {}).values() for item in known]
    # The whole history does far better; 200 rows must still beat any guess by a wide margin.
    assert sum(hits) > 0.5 * len(known) > 50


def test_changed_text_is_a_new_revision(
    home: Path, city: Path, tmp_path: Path, petitions: Callable[..., Path]
) -> None:
    run([petitions(ROWS)], tmp_path / "out", city)
    changed = [(*ROWS[0][:4], ROWS[0][4] + "补充：昨晚有人摔倒了。", ROWS[0][5]), *ROWS[1:]]
    assert run([petitions(changed)], tmp_path / "out", city)["new_suggestions"] == 1
    assert table(home, "select petition_id, revision from petitions order by 1") == [("P1", 2), ("P2", 1), ("P3", 1)]
    assert len(table(home, "select * from suggestions")) == 4


def letters(*numbers: int) -> list[tuple[str, ...]]:
    """Return letters of one campaign, a minute apart."""
    return [(f"C{n}", f"2026-11-19 08:{n:02d}", "网站", "反对建垃圾站", CAMPAIGN + "盼复。" * (n % 2), "") for n in numbers]


def groups(home: Path) -> dict[str, str | None]:
    """Return the event of each stored petition; as the petitions, the suggestions and their lines have it."""
    found = dict(table(home, "select petition_id, event_group from petitions"))
    assert found == dict(table(home, "select petition_id, event_group from suggestions"))
    payloads = [json.loads(text) for (text,) in table(home, "select payload from suggestions")]
    assert found == {item["petition_id"]: item["event_group"] for item in payloads}
    return found


def test_a_later_batch_joins_an_event(
    home: Path, city: Path, tmp_path: Path, petitions: Callable[..., Path]
) -> None:
    run([petitions([*letters(1), *ROWS])], tmp_path / "a", city)
    assert set(groups(home).values()) == {None}
    run([petitions(letters(2, 3))], tmp_path / "b", city)
    found = groups(home)
    assert found["C1"] == found["C2"] == found["C3"] is not None
    assert table(home, "select size, first_petition_id from events") == [(3, "C1")]


def test_an_older_letter_that_comes_late_joins_the_event(
    home: Path, city: Path, tmp_path: Path, petitions: Callable[..., Path]
) -> None:
    run([petitions(letters(2, 3))], tmp_path / "a", city)
    run([petitions(letters(1))], tmp_path / "b", city)
    found = groups(home)
    assert found["C1"] == found["C2"] == found["C3"] is not None
    assert table(home, "select size, first_petition_id from events") == [(3, "C1")]


def test_spool_of_an_abandoned_run_goes(
    home: Path, city: Path, tmp_path: Path, petitions: Callable[..., Path]
) -> None:
    """A run that was killed leaves raw petitions; the next night's run has another id and must remove them too."""
    from flows import batch
    from flows.plan import make_plan

    source = petitions(ROWS)
    list(batch.read(make_plan([str(source)], "out", str(city / "units.yaml"), None, None, None, DAY - dt.timedelta(days=2))))
    assert len(list((home / "spool").iterdir())) == 1
    run([source], tmp_path / "out", city)
    assert list((home / "spool").iterdir()) == []


@pytest.mark.parametrize("together", [(1, 2, 3), (3, 1), (2, 3)])
def test_files_of_a_rerun_say_what_the_store_says(
    home: Path, city: Path, tmp_path: Path, petitions: Callable[..., Path], together: tuple[int, ...]
) -> None:
    run([petitions(letters(2, 3))], tmp_path / "a", city)
    run([petitions(letters(1))], tmp_path / "b", city)
    before = groups(home)
    assert run([petitions(letters(*together))], tmp_path / "c", city)["new_suggestions"] == 0
    assert groups(home) == before
    written = {item["petition_id"]: item["event_group"] for item in lines(tmp_path / "c" / "suggestions.jsonl")}
    assert written == {name: before[name] for name in written}


@pytest.mark.parametrize(
    ("first", "then"),
    [((1, 2), (1, 2, 3)), ((1,), (1, 2)), ((2, 3), (1, 2, 3))],
    ids=["a letter more", "a letter that stood alone", "an older letter"],
)
def test_an_export_that_repeats_the_day_before(
    home: Path, city: Path, tmp_path: Path, petitions: Callable[..., Path], first: tuple[int, ...], then: tuple[int, ...]
) -> None:
    """Many platforms export the whole month every night: known letters come again, with new ones of their event."""
    run([petitions(letters(*first))], tmp_path / "a", city)
    assert run([petitions(letters(*then))], tmp_path / "b", city)["new_suggestions"] == 1
    found = groups(home)
    assert len(set(found.values())) == 1, found
    assert None not in found.values()
    assert table(home, "select size from events") == [(len(then),)]
    written = {item["petition_id"]: item["event_group"] for item in lines(tmp_path / "b" / "suggestions.jsonl")}
    assert written == found
