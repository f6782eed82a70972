"""Load on the HTTP service: single petitions at a fixed rate from a second process, a champion swapped in the middle.

    python benchmarks/load.py [--rate 300] [--seconds 30] [--turns 3] [--home FOLDER]

The client sends request i at its time, whatever became of those before (open loop), and counts from that time: a service that
stalls cannot hide it. Letters are real ones, each sent once. Peer, in the same run and with the same client: the same models
and store behind one route call a request, in a thread, without batches. `--home` keeps the trained models for another run.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from data import petitions_folder

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "import sys; from flows.cli import main; main()"
#: What the requirement asks of a rate that counts as sustained.
P99 = 0.050


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--peer-rate", type=float, default=100, help="a rate that the peer is asked besides, for it falls behind at the full one")
    parser.add_argument("--highest", type=float, default=1200, help="rates tried for the highest sustained one end here; 0: not tried")
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        plain()
        return
    folder = petitions_folder()
    with tempfile.TemporaryDirectory() as scratch:
        home = options.home or Path(scratch) / "home"
        os.environ |= {"MINQING_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        versions = models(folder)
        letters = list(real(folder / "issue_types.csv"))
        print(f"{os.cpu_count()} cores, others' load {os.getloadavg()[0]:.1f} processes, unit models {' and '.join(versions)}")
        for stored in (False, True):
            print(f"\n{'scored and stored (SQLite)' if stored else 'scored only'}, {options.rate:g} a second for {options.seconds:g} s:")
            measure("minqing serve", serve(scratch, plain=False), letters, options, stored, versions)
            measure("peer: one request, one call", serve(scratch, plain=True), letters, options, stored, None)


def measure(name: str, service: object, letters: list[dict[str, str]], options: argparse.Namespace, stored: bool, versions: list[str] | None) -> None:
    with service as (port, pid, key):  # type: ignore[attr-defined]

        def run(rate: float, seconds: float, swap: str | None = None) -> Result:
            return asyncio.run(drive(port, key, letters, rate, seconds, stored, pid, swap))

        run(50, 3)
        rate = options.rate if versions else min(options.peer_rate, options.rate)
        # The service at one rate, as it is and with a swap in each turn; the peer at a rate it may bear, and at the same one.
        for asked, swaps in [(rate, None), (rate, versions)] if versions else [(rate, None), (options.rate, None)]:
            turns = [run(asked, options.seconds, swaps[turn % 2] if swaps else None) for turn in range(options.turns if versions else 1)]
            for turn in turns:
                print(f"  {name:<28} {asked:5g}/s  {turn}", flush=True)
            if len(turns) > 1:
                middle = [statistics.median(turn.quantile(q) for turn in turns) * 1e3 for q in (0.5, 0.95, 0.99)]
                print(f"  {'median of turns':<28}          p50 {middle[0]:.1f}  p95 {middle[1]:.1f}  p99 {middle[2]:.1f} ms", flush=True)
        best = 0.0
        step = 1.25
        rate = options.rate / 2 if versions else options.peer_rate / 4
        while rate <= options.highest:
            found = run(rate, 6)
            if found.failed or found.quantile(0.99) >= P99 or found.achieved < 0.97 * rate:
                break
            best, rate = rate, rate * step
        print(f"  {name:<28} highest rate tried with p99 < {P99 * 1e3:.0f} ms: {best:.0f}/s" if options.highest else "", flush=True)


# The client ---------------------------------------------------------------------------------------------------------


@dataclass
class Result:
    """Latencies in seconds from the time a request was due, and what went wrong."""

    latencies: list[float] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    models: set[bytes] = field(default_factory=set)
    seconds: float = 0.0
    processor: float = 0.0
    load: float = 0.0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies) or [float("nan")]
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    @property
    def achieved(self) -> float:
        return len(self.latencies) / self.seconds

    def __str__(self) -> str:
        times = "  ".join(f"{name} {self.quantile(q) * 1e3:.1f}" for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1)))
        swap = f", {len(self.models)} models answered" if len(self.models) > 1 else ""
        return (
            f"{times} ms; {self.achieved:.0f}/s answered, {sum(self.failed.values())} failed {self.failed or ''}{swap}; "
            f"{self.processor / self.seconds:.0%} of a core; load {self.load:.1f}"
        )


class Connection(asyncio.Protocol):
    """One request at a time on one connection."""

    def __init__(self, free: deque[Connection], result: Result) -> None:
        self._free, self._result = free, result
        self._due, self._data, self._length = 0.0, bytearray(), -1
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._free.append(self)

    def send(self, request: bytes, due: float) -> None:
        self._due, self._length = due, -1
        self._data.clear()
        self._transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._length < 0:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._data[:end]).lower()
            at = head.index(b"content-length:") + 15
            self._length = end + 4 + int(head[at : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None])
        if len(self._data) < self._length:
            return
        status = self._data[9:12].decode()
        if status == "200":
            self._result.latencies.append(time.perf_counter() - self._due)
            at = self._data.find(b'"model_version":"')
            self._result.models.add(bytes(self._data[at + 17 : self._data.find(b'"', at + 17)]))
        else:
            self._result.failed[status] = self._result.failed.get(status, 0) + 1
        self._due = 0.0
        self._free.append(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True
        if self._due:
            self._result.failed["lost"] = self._result.failed.get("lost", 0) + 1


_sent = 0


async def drive(
    port: int, key: str, letters: Sequence[dict[str, str]], rate: float, seconds: float, stored: bool, pid: int, swap: str | None
) -> Result:
    """Send at a rate; promote the version `swap` in the middle."""
    global _sent
    result, free, loop = Result(), deque[Connection](), asyncio.get_running_loop()
    everyone = [(await loop.create_connection(lambda: Connection(free, result), "127.0.0.1", port))[1] for _ in range(200)]
    count = int(rate * seconds)
    head = f"POST /v1/suggestions{'' if stored else '?store=false'} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    requests = []
    for n in range(count):
        body = json.dumps(letters[(_sent + n) % len(letters)] | {"petition_id": f"L{_sent + n}"}, ensure_ascii=False).encode()
        requests.append(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    _sent += count
    before = processor(pid)
    began = time.perf_counter()
    if swap:
        # In a process of its own, as an operator does it: what it costs here would count as the service's delay.
        loop.call_later(seconds / 2, promote, swap)
    waiting: deque[tuple[bytes, float]] = deque()
    n = 0
    while n < count or waiting:
        now = time.perf_counter()
        while n < count and began + n / rate <= now:
            waiting.append((requests[n], began + n / rate))
            n += 1
        while waiting and free:
            connection = free.popleft()
            if not connection.lost:
                connection.send(*waiting.popleft())
        if now - began > 2 * seconds + 5 or all(connection.lost for connection in everyone):
            result.failed["never sent"] = len(waiting) + count - n
            break
        await asyncio.sleep(max(0.0005, began + n / rate - time.perf_counter()) if n < count else 0.002)
    until = time.perf_counter() + 20
    while len(result.latencies) + sum(result.failed.values()) < count and time.perf_counter() < until:
        await asyncio.sleep(0.002)
    result.seconds = max(time.perf_counter() - began, seconds)
    result.processor, result.load = processor(pid) - before, os.getloadavg()[0]
    if missing := count - len(result.latencies) - sum(result.failed.values()):
        result.failed["no answer"] = missing
    for connection in everyone:
        connection._transport.close()
    return result


def promote(version: str) -> None:
    what = "from corpora.workspace import models_dir; from models import registry; import sys"
    call = "registry.promote(models_dir(), 'unit', sys.argv[1], by='benchmark', why='swap under load')"
    subprocess.Popen(["nice", "-n", "10", sys.executable, "-c", f"{what}; {call}", version], cwd=ROOT)


def processor(pid: int) -> float:
    """Return the processor seconds that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# The services -------------------------------------------------------------------------------------------------------


@contextmanager
def serve(scratch: str, *, plain: bool) -> Iterator[tuple[int, int, str]]:
    """Run a service; give its port, process and a key."""
    store = Path(tempfile.mkdtemp(dir=scratch)) / "store.sqlite3"
    environment = {**os.environ, "MINQING_STORE": str(store), "PYTHONPATH": str(ROOT)}
    made = subprocess.run(
        [sys.executable, "-c", COMMAND, "keys", "add", "load", "--scope", "suggestions:write", "--json"],
        env=environment, capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    key = next(value for value in json.loads(made.stdout).values() if str(value).startswith("mq_"))
    command = [str(Path(__file__)), "--plain"] if plain else ["-c", COMMAND, "serve", "--port", "0", "--rate", "1000000"]
    with subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        try:
            line = process.stdout.readline()  # type: ignore[union-attr]
            yield int(line.strip().rpartition(":")[2]), process.pid, key
        finally:
            process.terminate()
            process.wait(60)


def plain() -> None:
    """Serve one route call a request: what the batches are compared with."""
    import orjson
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from threadpoolctl import threadpool_limits

    from corpora.workspace import store_address
    from dispatch.live import batch_of, only_scored, store_scored
    from dispatch.service.intake import take_in
    from dispatch.service.server import Address, bound
    from dispatch.store import Store
    from flows.scoring import LiveScorer

    threadpool_limits(1)
    scorer, store = LiveScorer(), Store.open(store_address())

    def work(petition: dict[str, object], stored: bool) -> bytes:
        batch = batch_of([petition])
        scored = scorer.score(batch)
        if not stored:
            return only_scored(scored)[0].payload
        with store.writing() as connection:
            return store_scored(connection, scorer, batch, scored)[0].payload

    async def score(request: Request) -> Response:
        petition = take_in([orjson.loads(await request.body())]).good[0]
        return Response(await run_in_threadpool(work, petition, request.query_params.get("store") != "false"))

    app = Starlette(routes=[Route("/v1/suggestions", score, methods=["POST"])])
    sock = bound(Address(port=0))
    print(f"http://127.0.0.1:{sock.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[sock])


# Models and letters -------------------------------------------------------------------------------------------------


def models(folder: Path) -> list[str]:
    """Train both targets, and the unit on fewer rows besides; return both versions of the unit, the second in service."""
    from corpora.workspace import models_dir
    from flows.learning import train_files
    from models import registry

    if not (models_dir() / "unit").exists():
        train_files("issue_type", [folder / "issue_types.csv"], {})
        train_files("unit", [folder / "responsible_units.csv"], {"unit": "function"})
        with (folder / "responsible_units.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        fewer = models_dir().parent / "fewer.csv"
        with fewer.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows[: len(rows) * 3 // 4])
        train_files("unit", [fewer], {"unit": "function"}, promote=False)
        fewer.unlink()
    names = [manifest["version"] for manifest in registry.versions(models_dir(), "unit")][:2]
    serving = registry.champion(models_dir(), "unit")
    return sorted(names, key=lambda name: name == serving)


def real(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield {"title": row["title"], "body": row["body"], "channel": "12345"}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
