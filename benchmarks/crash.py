"""Route and publish, killed at random moments, with a receiver that fails, is late, lies and duplicates: what arrives?

    python benchmarks/crash.py [--kills 200] [--database sqlite|postgres] [--rows 200] [--fresh 10] [--seed 0]

A city's petitions are routed again and again, each time with other texts in a third of them, while a publisher sends to a
receiver (a process of its own) and to a folder. At moments drawn evenly over the time that a run takes, the router, the
publisher or both get SIGKILL and are started again; some decisions are made in between. They run in forks of a process that
has imported everything: `minqing publish --follow`, and the steps of the route flow without Prefect, which takes longer to
start than they take. The last `--fresh` kills hit the real commands, each in a process of its own, with a Prefect server.
In the end all must be there: nothing lost, nothing applied twice, each petition's messages in order. Exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import receiver  # noqa: E402 - beside the tests, which use it too

CITY = ROOT / "corpora" / "data" / "cities" / "langang"
HEADER = ("编号", "时间", "渠道", "标题", "内容", "地址")

_ZYGOTE = """
import json, os, sys
sys.path.insert(0, "benchmarks")
import flows.cli, flows.delivery_cli, flows.output, flows.grouping, dispatch.delivery.worker, models.serving, httpx, psycopg
from crash import plan_of, steps
for line in sys.stdin:
    what, value = json.loads(line)
    if what == "start":
        child = os.fork()
        if not child:
            os.setsid()
            os.dup2(os.open(os.environ["CRASH_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT), 1)
            os.dup2(1, 2)
            if value[0] == "route":
                steps(value[1:])
                os._exit(0)
            flows.cli.main(value)
        print(child, flush=True)
    elif what == "warm":
        flows.batch.warm(plan_of(value[1:]))
        print(flush=True)
    else:
        pid, status = os.waitpid(value, os.WNOHANG if what == "poll" else 0)
        print(os.waitstatus_to_exitcode(status) if pid else "none", flush=True)
"""
_FRESH = "from flows.cli import main; main()"


class Children:
    """Starts commands: forks of one process that has imported everything, or processes of their own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._zygote = subprocess.Popen(
            [sys.executable, "-c", _ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        self._own: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, arguments: list[str], *, fresh: bool = False) -> int:
        if fresh:
            with Path(self._environment["CRASH_LOG"]).open("ab") as log:
                child = subprocess.Popen(
                    [sys.executable, "-c", _FRESH, *arguments], env=self._environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
                )
            self._own[child.pid] = child
            return child.pid
        return int(self._ask("start", arguments))

    def warm(self, arguments: list[str]) -> None:
        """Have the process that is forked from load the models."""
        self._ask("warm", arguments)

    def poll(self, child: int) -> int | None:
        if child in self._own:
            return self._own[child].poll()
        answer = self._ask("poll", child)
        return None if answer == "none" else int(answer)

    def kill(self, child: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        self.end(child)

    def end(self, child: int) -> int:
        return self._own[child].wait() if child in self._own else int(self._ask("wait", child))

    def close(self) -> None:
        self._zygote.stdin.close()
        self._zygote.wait(10)

    def _ask(self, what: str, value: object) -> str:
        self._zygote.stdin.write(json.dumps([what, value]) + "\n")
        self._zygote.stdin.flush()
        return self._zygote.stdout.readline().strip()


def plan_of(arguments: list[str]):
    import datetime as dt

    from flows.plan import make_plan

    path, given = arguments[0], dict(zip(arguments[1::2], arguments[2::2], strict=True))
    return make_plan([path], given["--out"], given["--units"], None, {}, given["--config"], dt.date.fromisoformat(given["--on"]))


def steps(arguments: list[str]) -> None:
    """Do what `minqing route` does, without Prefect."""
    from flows import batch, output
    from flows.grouping import find_events
    from flows.plan import Progress
    from flows.spool import claimed
    from flows.workers import Workers

    plan = plan_of(arguments)
    with claimed(Path(plan.spool)), Workers(1, plan) as pool:
        masked: Counter[str] = Counter()
        for number in batch.read(plan):
            masked += batch.score(plan, number)
        done = batch.what_was_read(plan)
        output.write(pool, plan, done, masked, find_events(plan, done.chunks), Progress())
        batch.forget(plan)


def batch_file(path: Path, number: int, rows: int, rng: random.Random) -> Path:
    """Write the petitions of a round: the same ids, other texts in a third of them."""
    with (CITY / "history.csv").open(encoding="utf-8-sig") as file:
        texts = list(csv.DictReader(file))[:rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for place, row in enumerate(texts):
            more = f"补充第{number}次。" if rng.random() < 1 / 3 else ""
            day = f"2026-11-{1 + place % 20:02d} 08:{place % 60:02d}:00"
            writer.writerow((f"CR{place:06d}", day, "12345热线", row["标题"], row["诉求内容"] + more, row["事发地址"]))
    return path


def crash(
    home: Path, environment: dict[str, str], *, kills: int, rows: int = 200, fresh: int = 0, seed: int = 0, trouble: float = 0.4, say=lambda text: None
) -> dict:
    """Run it in a workspace with models; return what came of it."""
    from dispatch.delivery import subscribers
    from dispatch.store import Store

    rng = random.Random(seed)
    drop, work = home / "drop", home / "crash"
    drop.mkdir()
    work.mkdir()
    environment = {**environment, "MINQING_HOME": str(home), "CRASH_LOG": str(work / "log.txt")}
    config = work / "config.yaml"
    config.write_text("chunk_rows: 50\n")
    address = environment.get("MINQING_STORE") or str(home / "store.sqlite3")
    settings = {
        "connect_seconds": 2, "read_seconds": receiver.SLOW / 2, "total_seconds": receiver.SLOW, "base_seconds": 0.05, "cap_seconds": 0.5,
        "max_attempts": 1000, "refused_attempts": 1000,
    }  # fmt: skip
    phases: Counter[str] = Counter()
    victims: Counter[str] = Counter()
    with Store.open(address) as store, contextlib.ExitStack() as stack:
        with store.writing() as connection:
            _, secret = subscribers.add(connection, "crash", "receiver", "http://127.0.0.1:1", settings=settings, from_start=True)
            subscribers.add(connection, "crash", "files", str(drop), settings={"rows_per_file": 40, "gather_seconds": 0.2}, from_start=True)
        url = stack.enter_context(receiver.process(secret, trouble, seed))
        _redirect(store, url)
        children = Children(environment)
        stack.callback(children.close)
        publish = ["publish", "--follow"]
        publisher = children.start(publish)
        number = killed = 0
        for _ in range(2):  # the first one also makes what is cached
            number += 1
            path = batch_file(work / f"batch-{number}.csv", number, rows, rng)
            if number == 1:
                children.warm(_route(path, work, config))
            begun, router = time.monotonic(), children.start(_route(path, work, config))
            _ended_well(children, router, work)
        # On a busy machine no longer than this: a run that was killed goes on where it was, so its end is reached all the same.
        took, router = min(time.monotonic() - begun, 4.0), None
        say(f"one run takes {took:.1f} s")
        number += 1
        path = batch_file(work / f"batch-{number}.csv", number, rows, rng)
        while killed < kills:
            alone = killed >= kills - fresh  # the last ones in processes of their own
            if router is None:
                router = children.start(_route(path, work, config), fresh=alone)
            time.sleep(rng.uniform(0.0, 1.1 * took + (15.0 if alone else 0.0)))
            code = children.poll(router)
            if code is not None:
                _ended_well(children, router, work, code)
                router, number = None, number + 1
                path = batch_file(work / f"batch-{number}.csv", number, rows, rng)
                _decide(store, rng)
                continue
            victim = rng.choice(("router", "publisher", "both", "both"))
            phases[_phase(home, store, str(path))] += 1
            victims[victim] += 1
            if victim != "publisher":
                children.kill(router)
                router = children.start(_route(path, work, config), fresh=alone)
            if victim != "router":
                children.kill(publisher)
                publisher = children.start(publish, fresh=alone)
            killed += 1
            if killed % 20 == 0:
                say(f"{killed} kills, {number} rounds, {receiver.told(url)['counts'].get('received', 0)} requests")
        if router is None:
            router = children.start(_route(path, work, config))
        _ended_well(children, router, work)
        receiver.told(url, "/calm")
        drained = _drained(store)
        os.kill(publisher, signal.SIGTERM)
        ended = children.end(publisher)
        time.sleep(1.2)  # what a proxy still holds
        return {"kills": killed, "rounds": number, "by_victim": dict(victims), "by_phase": dict(phases), "drained": drained, "publisher_ended": ended} | judged(
            store, receiver.told(url), drop
        )


def _ended_well(children: Children, child: int, work: Path, code: int | None = None) -> None:
    if children.end(child) if code is None else code:
        msg = f"route failed: {(work / 'log.txt').read_text()[-2000:]}"
        raise RuntimeError(msg)


def _route(path: Path, work: Path, config: Path) -> list[str]:
    units = str(CITY / "units.yaml")
    return ["route", str(path), "--out", str(work / "out"), "--units", units, "--config", str(config), "--on", "2026-11-24", "--workers", "1"]


def _redirect(store, url: str) -> None:
    from sqlalchemy import update

    from dispatch.store.tables import subscribers

    with store.writing() as connection:
        connection.execute(update(subscribers).where(subscribers.c.name == "receiver").values(address=url + "/hook"))


def _decide(store, rng: random.Random) -> None:
    """Have people accept some of the newest suggestions."""
    from sqlalchemy import and_, select

    from dispatch.store.decisions import decide
    from dispatch.store.tables import petitions, suggestions

    newest = and_(suggestions.c.petition_id == petitions.c.petition_id, suggestions.c.revision == petitions.c.revision)
    with store.reading() as connection:
        query = select(suggestions.c.suggestion_id).join(petitions, newest).where(suggestions.c.lead_unit.is_not(None))
        found = sorted(connection.scalars(query.where(petitions.c.petition_id.like("CR%"))))
    for key in rng.sample(found, min(10, len(found))):
        with store.writing() as connection:
            decide(connection, key, verdict="accepted", unit=None, reason="", actor="crash", source="api")


def _phase(home: Path, store, path: str) -> str:
    """Return how far the router is, by what it has left in the spool."""
    spools = [place for place in (home / "spool").glob("run_*") if place.is_dir()] if (home / "spool").exists() else []
    names = {item.name.split("-")[0].split(".")[0] for place in spools for item in place.iterdir()}
    for name in ("lines", "groups", "scored", "read"):
        if name in names:
            return {"read": "reading", "scored": "scoring", "groups": "grouping", "lines": "writing"}[name]
    return "starting or ending"


def _drained(store, patience: float = 120.0) -> bool:
    from dispatch.delivery.letters import backlog

    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with store.reading() as connection:
            if not sum(item.waiting + item.unseen + item.dead for item in backlog(connection)):
                return True
        time.sleep(0.2)
    return False


def judged(store, record: dict, drop: Path) -> dict:
    """Hold what arrived against what the store says became true."""
    from sqlalchemy import func, select

    from dispatch.store.tables import outbox, suggestions

    with store.reading() as connection:
        announced = dict(connection.execute(select(outbox.c.message_id, outbox.c.position)).all())
        made = set(connection.scalars(select(outbox.c.suggestion_id).where(outbox.c.kind == "suggestion.made")))
        known = set(connection.scalars(select(suggestions.c.suggestion_id)))
        kinds = dict(connection.execute(select(outbox.c.kind, func.count()).group_by(outbox.c.kind)).all())
        holes = connection.execute(
            select(suggestions.c.petition_id).group_by(suggestions.c.petition_id).having(func.max(suggestions.c.revision) != func.count())
        ).all()
    applied, counts = Counter(record["applied"]), record["counts"]
    in_files: Counter[int] = Counter()
    wrong_files = 0
    manifests = sorted(drop.glob("*.manifest.json"))
    order: list[int] = []
    for path in manifests:
        manifest = json.loads(path.read_text())
        content = (drop / manifest["file"]).read_bytes()
        positions = [json.loads(line)["data"]["position"] for line in content.splitlines()]
        whole = hashlib.sha256(content).hexdigest() == manifest["sha256"] and len(positions) == manifest["count"]
        wrong_files += not (whole and (positions[0], positions[-1]) == (manifest["from"], manifest["to"]))
        in_files.update(positions)
        order += positions
    result = {
        "suggestions": len(known),
        "messages": kinds,
        "not_announced": len(known - made),
        "revision_holes": len(holes),
        "requests": counts.get("received", 0),
        "duplicates": counts.get("duplicates", 0),
        "lost": len(announced.keys() - applied.keys()),
        "unknown": len(applied.keys() - announced.keys()),
        "applied_twice": sum(count > 1 for count in applied.values()),
        "out_of_order": counts.get("out_of_order", 0),
        "bad_signature": counts.get("bad_signature", 0),
        "invalid": counts.get("invalid", 0),
        "files": len(manifests),
        "wrong_files": wrong_files,
        "lost_in_files": len(set(announced.values()) - in_files.keys()),
        "twice_in_files": sum(count > 1 for count in in_files.values()),
        "files_out_of_order": int(order != sorted(order)),
        "half_files": len({path.name for path in drop.glob("minqing-*.jsonl")} - {json.loads(path.read_text())["file"] for path in manifests}),
        "trouble": {name: counts.get(name, 0) for name in sorted(counts) if name not in ("received", "duplicates", "well")},
    }
    wrong = (
        "not_announced", "revision_holes", "lost", "unknown", "applied_twice", "out_of_order", "bad_signature", "invalid", "wrong_files",
        "lost_in_files", "twice_in_files", "files_out_of_order", "half_files",
    )  # fmt: skip
    return result | {"violations": sum(result[name] for name in wrong)}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--fresh", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="minqing-crash-"))
    os.environ |= {
        "MINQING_HOME": str(home), "PREFECT_HOME": str(home / "prefect"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_LOGGING_LEVEL": "ERROR",
    }  # fmt: skip
    os.environ.pop("MINQING_STORE", None)
    import postgres
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    from flows.learning import train_files

    history = home / "history.csv"
    history.write_text("".join((CITY / "history.csv").read_text("utf-8-sig").splitlines(keepends=True)[:200]), "utf-8")
    for target in ("issue_type", "unit"):
        train_files(target, [history], {}, CITY / "units.yaml")
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.enter_context(prefect_test_harness(server_startup_timeout=120))
        environment = {**os.environ, "PREFECT_API_URL": str(PREFECT_API_URL.value()), "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false"}
        if options.database == "postgres":
            url = stack.enter_context(postgres.server())
            environment["MINQING_STORE"] = postgres.new_database(url)
        say = lambda text: print(f"[{time.monotonic() - begun:6.0f} s] {text}", flush=True)  # noqa: E731
        result = crash(home, environment, kills=options.kills, rows=options.rows, fresh=options.fresh, seed=options.seed, say=say)
    print(json.dumps({"database": options.database, "seconds": round(time.monotonic() - begun), **result}, indent=2, ensure_ascii=False))
    # A publisher that has just been started may get the last SIGTERM before it listens to it.
    return int(bool(result["violations"] or result["publisher_ended"] not in (0, -signal.SIGTERM) or not result["drained"]))


if __name__ == "__main__":
    sys.exit(main())
