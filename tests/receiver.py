"""A receiver for tests: honours the key, checks signature, schema and order, and gives as much trouble as it is told to.

Run as a process of its own (`python receiver.py SECRET TROUBLE SEED`); it prints its port. `GET /record` tells what came,
`GET /calm` ends the trouble.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
#: Seconds that a slow answer takes; the sender must be less patient than that.
SLOW = 0.6


class Receiver:
    """What a dispatch system keeps: the keys it had, and where each petition stands."""

    def __init__(self, secrets: list[str]) -> None:
        self.secrets = secrets
        self.applied: list[str] = []
        self.seen: set[str] = set()
        self.last: dict[str, int] = {}
        self.revisions: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Apply a message once; return the status to answer."""
        from dispatch.delivery.signing import SignatureError, verify
        from dispatch.messages import EVENTS, PREFIX

        self.counts["received"] += 1
        try:
            key = verify(body, headers, self.secrets)
        except SignatureError:
            self.counts["bad_signature"] += 1
            return 401
        if key in self.seen:
            self.counts["duplicates"] += 1
            return 200
        event = json.loads(body)
        if event["type"] == f"{PREFIX}ping.v1":
            return 204
        try:
            EVENTS[event["type"].removeprefix(PREFIX).removesuffix(".v1")].model_validate_json(body)
        except (KeyError, ValueError) as error:
            self.counts["invalid"] += 1
            self.problems.append(f"invalid: {type(error).__name__}")
        if event["id"] != key or headers.get("idempotency-key") != key:
            self.counts["invalid"] += 1
        self.seen.add(key)
        self.applied.append(key)
        petition, data = event["subject"], event["data"]
        if data["position"] <= self.last.get(petition, 0):
            self.counts["out_of_order"] += 1
        if data["revision"] < self.revisions.get(petition, 0):
            self.counts["out_of_order"] += 1
        self.last[petition], self.revisions[petition] = data["position"], data["revision"]
        return 200


class Server:
    """Speaks HTTP/1.1, more or less."""

    def __init__(self, receiver: Receiver, trouble: float, seed: int) -> None:
        self.receiver, self.trouble, self.random = receiver, trouble, random.Random(seed)
        self.later: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                if head[0].startswith("GET "):
                    answer = self.told(head[0].split()[1])
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
                elif not await self.answer(writer, body, headers):
                    break
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def told(self, path: str) -> bytes:
        if path == "/calm":
            self.trouble = 0.0
        mine = self.receiver
        return json.dumps({"applied": mine.applied, "counts": mine.counts, "problems": mine.problems[:5]}).encode()

    async def answer(self, writer: asyncio.StreamWriter, body: bytes, headers: dict[str, str]) -> bool:
        """Answer a message; False: close the connection."""
        kinds = (
            "error", "busy", "redirect", "closed", "late", "lost_answer", "failed_after", "login_page", "nonsense", "twice",
        )  # fmt: skip
        kind = self.random.choice(kinds) if self.random.random() < self.trouble else "well"
        mine = self.receiver
        mine.counts[kind] += 1
        if kind in ("lost_answer", "failed_after"):
            mine.take(body, headers)
        if kind in ("closed", "lost_answer"):
            return False
        if kind == "late":  # what was begun ends, though nobody waits any more
            self.soon(SLOW, body, headers)
            await asyncio.sleep(SLOW + 0.1)
            return False
        if kind == "twice":  # a proxy on the way sends it again
            self.soon(self.random.uniform(0.0, 1.0), body, headers)
        if kind == "nonsense":
            writer.write(b"\x00\x01 nothing of the kind\r\n\r\n")
            return False
        page = b"<html>log in</html>" if kind == "login_page" else b""
        status = {
            "error": "500 No", "failed_after": "500 No", "busy": "503 Busy\r\nRetry-After: 0", "login_page": "200 OK\r\nContent-Type: text/html",
            "redirect": "302 Moved\r\nLocation: http://127.0.0.1:9/",
        }.get(kind) or f"{mine.take(body, headers)} Taken"  # fmt: skip
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(page)}\r\n\r\n".encode() + page)
        return True

    def soon(self, seconds: float, body: bytes, headers: dict[str, str]) -> None:
        async def take() -> None:
            await asyncio.sleep(seconds)
            self.receiver.take(body, headers)

        task = asyncio.create_task(take())
        self.later.add(task)
        task.add_done_callback(self.later.discard)


async def main(secret: str, trouble: float, seed: int) -> None:
    server = await asyncio.start_server(Server(Receiver(secret.split()), trouble, seed).serve, "127.0.0.1", 0, limit=2**20, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - told to who started it
    await server.serve_forever()


@contextmanager
def process(secret: str, trouble: float = 0.0, seed: int = 0) -> Iterator[str]:
    """Run a receiver; give its address."""
    command = [sys.executable, __file__, secret, str(trouble), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        try:
            yield f"http://127.0.0.1:{child.stdout.readline().strip()}"
        finally:
            child.kill()


def told(address: str, path: str = "/record") -> dict[str, Any]:
    """Return what a receiver tells."""
    with urllib.request.urlopen(address + path, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
