"""Throughput of delivery to one receiver, against a naive loop in the same run: one request at a time, its row updated by each.

    python benchmarks/delivery.py [--messages 3000] [--naive 600] [--latency 0.02] [--database sqlite|postgres] [--repeat 3]

The receiver is a process of its own that takes `--latency` seconds to answer, as one across a city's network does. Both sides
sign, send the same CloudEvents, keep their connections and record what was delivered; the medians of the turns are given.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

_RECEIVER = """
import asyncio, sys
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            at = head.lower().index(b"content-length:") + 15
            await reader.readexactly(int(head[at:head.index(b"\\r", at)]))
            if LATENCY: await asyncio.sleep(LATENCY)
            writer.write(b"HTTP/1.1 204 Taken\\r\\n\\r\\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
LATENCY = float(sys.argv[1])
asyncio.run(main())
"""


def fill(store, messages: int) -> None:
    import delivery_helpers

    per = min(messages, 1_000)
    for revision in range(1, messages // per + 1):
        delivery_helpers.fill(store, per, revision=revision)


def subscribe(store, name: str, url: str, concurrency: int) -> None:
    from dispatch.delivery import subscribers

    with store.writing() as connection:
        subscribers.add(connection, "benchmark", name, url, settings={"concurrency": concurrency}, from_start=True)


def naive(store, name: str, messages: int) -> float:
    """Send one after the other; return messages a second."""
    import httpx
    from sqlalchemy import select, update

    from dispatch.delivery import queue
    from dispatch.delivery.envelope import CONTENT_TYPE, event
    from dispatch.delivery.signing import sign
    from dispatch.delivery.subscribers import get
    from dispatch.store.outbox import now
    from dispatch.store.tables import deliveries

    with store.writing() as connection:
        while queue.fan_out(connection, name, now(), 10_000):
            pass
        subscriber = get(connection, name)
    d = deliveries.c
    begun, sent = time.perf_counter(), 0
    with httpx.Client(trust_env=False) as http:
        while sent < messages:
            with store.reading() as connection:
                query = select(d.position).where(d.subscriber == name, d.status == "pending").order_by(d.position).limit(1)
                position = connection.execute(query).scalar_one()
                (letter,) = queue.letters(connection, name, [position])
            body = event(letter, "/minqing")
            headers = sign(letter.message_id, dt.datetime.now(dt.UTC), body, subscriber.signing(now())) | {"Content-Type": CONTENT_TYPE}
            http.post(subscriber.address, content=body, headers=headers).raise_for_status()
            with store.writing() as connection:
                mine = update(deliveries).where(d.subscriber == name, d.position == position)
                connection.execute(mine.values(status="delivered", done_at=now()))
            sent += 1
    return sent / (time.perf_counter() - begun)


def ours(store, name: str, messages: int) -> float:
    from dispatch.delivery.worker import Worker

    begun = time.perf_counter()
    report = asyncio.run(Worker(store, only=frozenset({name})).work())
    assert report.counts[name]["delivered"] == messages, report
    return messages / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=3_000)
    parser.add_argument("--naive", type=int, default=600)
    parser.add_argument("--latency", type=float, default=0.02)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    import postgres

    from dispatch.store import Store

    rates: dict[str, list[float]] = {}
    folder = Path(tempfile.mkdtemp(prefix="minqing-delivery-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        receiver = stack.enter_context(subprocess.Popen([sys.executable, "-c", _RECEIVER, str(options.latency)], stdout=subprocess.PIPE, text=True))
        stack.callback(receiver.kill)
        url = f"http://127.0.0.1:{receiver.stdout.readline().strip()}/"
        address = str(folder / "s.db")
        if options.database == "postgres":
            address = postgres.new_database(stack.enter_context(postgres.server()))
        store = stack.enter_context(Store.open(address))
        fill(store, options.messages)
        for turn in range(options.repeat):
            for concurrency in (8, 32):
                name = f"ours-{concurrency}-{turn}"
                subscribe(store, name, url, concurrency)
                rates.setdefault(f"minqing, concurrency {concurrency}", []).append(ours(store, name, options.messages))
            subscribe(store, f"naive-{turn}", url, 1)
            rates.setdefault("naive loop", []).append(naive(store, f"naive-{turn}", options.naive))
    medians = {name: round(statistics.median(found)) for name, found in rates.items()}
    print(json.dumps({
        "database": options.database, "latency": options.latency, "load": round(os.getloadavg()[0], 1), "messages a second": medians,
        "a minute": {name: 60 * rate for name, rate in medians.items()},
        "times naive": {name: round(rate / medians["naive loop"], 1) for name, rate in medians.items()},
        "turns": {name: [round(rate) for rate in found] for name, found in rates.items()},
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
