"""The queue page of the console over a million suggestions in PostgreSQL, asked for over HTTP.

    python benchmarks/console.py [--rows 1000000] [--repeat 15] [--explain FILE] [--url FILLED]

A server of its own is started from the machine's binaries (as in the tests), filled by SQL with invented petitions (nine of
ten wait for a decision), and analysed. The service runs in this process; every request goes through a socket, the session and
the template. Prints the fastest, the median and the 95th percentile for each filter, and keeps the plans of the slowest. Exit code 1: a median is not below 150 ms.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import sys
import threading
import time
from pathlib import Path

import httpx
import sqlalchemy as sa
import uvicorn

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

import postgres  # noqa: E402

from dispatch.console import sessions  # noqa: E402
from dispatch.console.accounts import User, add, listed  # noqa: E402
from dispatch.console.queries import Key  # noqa: E402
from dispatch.scoring import UnitChoice  # noqa: E402
from dispatch.service import Service, create_app  # noqa: E402
from dispatch.store import Store  # noqa: E402

LIMIT = 0.150
UNITS = 240

#: A payload of the size that routing writes (about 1.7 KB); $1 to $5 are filled in by SQL.
PAYLOAD = json.dumps(
    {
        "issue_type": {"code": "0102", "name": "城乡建设/城市建设和市政管理", "probability": 0.71},
        "issue_top_k": [{"code": f"01020{n}", "name": f"城乡建设/城市建设和市政管理/事项{n}", "probability": 0.1} for n in range(5)],
        "lead_unit": {"code": "@unit", "name": "澜港市第@unit号承办单位", "probability": 0.81},
        "co_units": [],
        "top_k": [{"code": "@unit", "name": "澜港市第@unit号承办单位", "probability": 0.81}]
        + [{"code": f"U{n:03d}", "name": f"澜港市第{n}号承办单位（另一名称）", "probability": 0.05} for n in range(4)],
        "decision": "@decision",
        "decision_why": "置信度 81% 低于直派门槛 90%",
        "reasons": [
            {"kind": "duty", "unit": "@unit", "text": "职责“窨井盖等地下管线设施的缺损修复统筹”，来件提到：井盖", "words": ["井盖"], "reference": "D-001"},
            {"kind": "words", "unit": "@unit", "text": "用语与其以往办件相近：路面、破损、施工", "words": ["路面", "破损", "施工"], "reference": ""},
        ],
        "urgency": {"level": "@level", "rules": [], "words": []},
        "deadline": {"date": "@due", "working_days": 5, "rule": "hotline", "basis": "本市工单办理规范（示例）", "note": ""},
    },
    ensure_ascii=False,
    separators=(",", ":"),
)

FILL = """
INSERT INTO runs (run_id, started_at, inputs_digest, model_version, config_version, status) VALUES ('r1', now(), 'd', 'm', 'c', 'finished');
CREATE TEMP TABLE made AS SELECT
  n, 'LG' || lpad(n::text, 10, '0') AS pid, 'sg_' || lpad(n::text, 24, '0') AS sid,
  'U' || lpad((power(random(), 3) * {units})::int::text, 3, '0') AS unit,
  lpad((1 + (power(random(), 2) * 17)::int)::text, 2, '0') AS issue,
  CASE WHEN r < 0.01 THEN 0 WHEN r < 0.05 THEN 1 WHEN r < 0.15 THEN 2 ELSE 3 END AS rank,
  CASE WHEN random() < 0.02 THEN DATE '9999-12-31' ELSE CURRENT_DATE + (random() * 60 - 20)::int END AS due,
  CASE WHEN random() < 0.35 THEN 'auto' ELSE 'review' END AS decision,
  CASE WHEN random() < 0.1 THEN 'accepted' ELSE 'open' END AS state,
  CASE WHEN random() < 0.05 THEN 'ev_' || (random() * 4000)::int END AS event
FROM (SELECT n, random() AS r FROM generate_series(1, {rows}) n) base;
INSERT INTO petitions (petition_id, content_hash, revision, title, body, address, channel, submitted_at, source, row, event_group,
    first_run_id, suggestion_id, unit, issue_top, urgency_rank, due, decision, state)
  SELECT pid, md5(pid), 1, '关于第' || n || '号路段井盖破损的问题', repeat('反映第' || n || '号路段井盖破损，夜间无灯，', 8), '新渡路' || n || '号', '12345热线',
    now() - random() * interval '60 days', 'a.csv', n, event, 'r1', sid, unit, issue, rank, due, decision, state FROM made;
INSERT INTO suggestions (suggestion_id, petition_id, revision, content_hash, decision, lead_unit, lead_probability, issue_code, urgency_level,
    deadline, event_group, model_version, config_version, run_id, payload)
  SELECT sid, pid, 1, md5(pid), decision, unit, 0.81, issue || '02', (ARRAY['critical','urgent','elevated','normal'])[rank + 1],
    due, event, 'm', 'c', 'r1',
    replace(replace(replace(replace({payload}, '@unit', unit), '@decision', decision),
      '@level', (ARRAY['critical','urgent','elevated','normal'])[rank + 1]), '@due', due::text) FROM made;
INSERT INTO events (event_group, first_petition_id, size, first_at, last_at, title)
  SELECT event, min(pid), count(*), now(), now(), '事件' FROM made WHERE event IS NOT NULL GROUP BY event;
"""


class Units:
    """A scorer that only knows units."""

    model_version, config_version = "issue_type-1+unit-1", "cfg-1"
    _units = [UnitChoice(f"U{n:03d}", f"澜港市第{n}号承办单位", "department") for n in range(UNITS)]  # noqa: RUF012

    def units(self):
        return self._units

    def resolve(self, name):
        return name if name.startswith("U") else None

    def issue_name(self, code):
        return code

    def basis(self, duty):
        return ""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--repeat", type=int, default=15)
    options.add_argument("--explain", type=Path, help="where the plans of the slowest filter go")
    options.add_argument("--url", help="a database that is filled already")
    chosen = options.parse_args()
    if chosen.url:
        with Store.open(chosen.url) as store:
            sys.exit(0 if ready(store, chosen.repeat, chosen.explain) else 1)
    with postgres.server() as base:
        url = postgres.new_database(base)
        with Store.open(url) as store:
            began = time.perf_counter()
            fill(url, chosen.rows)
            print(f"{chosen.rows:,} suggestions in {time.perf_counter() - began:.0f} s", flush=True)
            sys.exit(0 if ready(store, chosen.repeat, chosen.explain) else 1)


def ready(store: Store, repeat: int, explain: Path | None) -> bool:
    with store.writing() as connection:
        if not listed(connection):
            add(connection, "li", "correct horse battery", "supervisor", "benchmark")
        token = sessions.begin(connection, User("li", "supervisor"))
    return measure(store, token, repeat, explain)


def fill(url: str, rows: int) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    payload = "'" + PAYLOAD.replace("'", "''") + "'"
    with engine.connect() as connection:
        connection.exec_driver_sql("SET maintenance_work_mem = '512MB'")
        indexes = connection.exec_driver_sql(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename IN ('petitions', 'suggestions') AND indexdef NOT LIKE '%%UNIQUE%%'"
        ).all()
        for name, _ in indexes:
            connection.exec_driver_sql(f"DROP INDEX {name}")
        for statement in FILL.format(rows=rows, units=UNITS - 1, payload=payload).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))
        for _, definition in indexes:
            connection.exec_driver_sql(definition)
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def measure(store: Store, token: str, repeat: int, explain: Path | None) -> bool:
    server = uvicorn.Server(uvicorn.Config(create_app(Service(store, Units())), port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    seen: list[tuple[str, object]] = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda _c, _k, sql, values, _x, _m: seen.append((sql, values)))
    today = dt.date.today()
    middle = Key(3, today + dt.timedelta(days=10), "LG0000500000").text
    paths = {
        "all": "", "page in the middle": f"after={middle}", "page before it": f"before={middle}", "critical": "urgency=critical",
        "normal": "urgency=normal", "overdue": "due=overdue", "due today": "due=today", "due in 3 days": "due=soon", "large unit": "unit=U000",
        "small unit": f"unit=U{UNITS - 2:03d}", "small unit, due today": f"unit=U{UNITS - 2:03d}&due=today", "no unit": "unit=-", "issue type": "issue=17",
        "straight through": "decision=auto", "issue, due today, for review": "issue=17&due=today&decision=review",
        "small unit, issue, straight through": f"unit=U{UNITS - 2:03d}&issue=17&decision=auto", "event": "event=ev_7", "beginning of an id": "text=LG00001234",
        "id that is none": "text=ZZ", "accepted": "state=accepted", "accepted, overdue, small unit": f"state=accepted&due=overdue&unit=U{UNITS - 2:03d}",
    }  # fmt: skip
    figures: dict[str, tuple[float, float, float]] = {}
    times: dict[str, list[float]] = {name: [] for name in paths}
    plans, shown = {}, {}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies={"minqing-session": token}, trust_env=False) as client:
        for turn in range(repeat + 1):  # round by round: what else the machine does is spread over all filters
            for name, query in paths.items():
                seen.clear()
                began = time.perf_counter()
                answer = client.get(f"/queue?{query}")
                took = time.perf_counter() - began
                assert answer.status_code == 200, (name, answer.status_code)
                if turn:  # the first fills caches
                    times[name].append(took)
                plans[name], shown[name] = list(seen), answer.text.count('class="open"')
        for name, found in times.items():
            found.sort()
            figures[name] = (found[0], statistics.median(found), found[min(len(found) - 1, round(0.95 * len(found)))])
            low, middle_, high = (f"{value * 1000:7.1f}" for value in figures[name])
            print(f"{name:<38} fastest {low}  median {middle_}  p95 {high} ms  {shown[name]:3d} rows", flush=True)
        for path in ("/workload", "/", "/events"):
            began = time.perf_counter()
            client.get(path)
            cold = time.perf_counter() - began
            began = time.perf_counter()
            client.get(path)
            print(f"{path:<38} {cold * 1000:7.0f} ms, then {(time.perf_counter() - began) * 1000:.0f} ms", flush=True)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    worst = max(figures, key=lambda name: figures[name][1])
    print(f"slowest: {worst}, median {figures[worst][1] * 1000:.1f} ms")
    if explain:
        explain.write_text(explained(store, worst, plans[worst]), "utf-8")
    server.should_exit = True
    thread.join(10)
    return all(median < LIMIT for _, median, _ in figures.values())


def explained(store: Store, name: str, statements: list[tuple[str, object]]) -> str:
    """Return the plans of what a page asked, the slowest first."""
    found = []
    with store.reading() as connection:
        for sql, values in statements:
            if sql.lstrip().upper().startswith("SELECT"):
                lines = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, SUMMARY) {sql}", values).scalars().all()
                took = float(lines[-1].split(":")[1].split()[0])
                found.append((took, "\n".join(line[:240] for line in (sql, *lines))))
    found.sort(key=lambda item: -item[0])
    return f"{name}: {len(found)} statements\n\n" + "\n\n".join(text for _, text in found[:4]) + "\n"


if __name__ == "__main__":
    main()
