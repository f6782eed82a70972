"""One attempt by HTTP: what each answer means, over real sockets where the trouble is in the protocol."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
from email.utils import format_datetime

import httpx
import pytest

from dispatch.delivery.http import MOST_ANSWER, Attempt, attempt, client, judged
from dispatch.delivery.retry import MOST_RETRY_AFTER, delay, is_over, retry_after
from dispatch.delivery.signing import new_secret, verify
from dispatch.delivery.subscribers import Settings

NOW = dt.datetime(2026, 11, 26, 8, tzinfo=dt.UTC)
SECRET = new_secret()
QUICK = Settings(connect_seconds=1, read_seconds=0.4, total_seconds=0.6)
JSON, HTML = {"Content-Type": "application/json"}, {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    ("status", "headers", "text", "wanted"),
    [
        (200, {}, b"", {"ok": True}),
        (204, {}, b"", {"ok": True}),
        (202, JSON, b'{"ok":true}', {"ok": True}),
        (200, {"Content-Type": "text/plain; charset=utf-8"}, "收到".encode(), {"ok": True}),
        (200, {}, b"ok", {"ok": True}),
        (200, HTML, b" \n", {"ok": True}),
        (200, HTML, b"<html>log in", {"ok": False, "receiver": True}),
        (200, JSON, b"{ok", {"ok": False, "receiver": True}),
        (200, {}, b"\xff\xfe\x00garbage", {"ok": False, "receiver": True}),
        (200, {"Content-Encoding": "gzip", **JSON}, b"\x1f\x8b", {"ok": False, "receiver": True}),
        (200, JSON, None, {"ok": False, "receiver": True}),
        (301, {"Location": "http://169.254.169.254/"}, b"", {"ok": False, "refused": True, "receiver": True}),
        (400, {}, b"", {"ok": False, "refused": True, "receiver": False}),
        (422, {}, b"", {"ok": False, "refused": True, "receiver": False}),
        (401, {}, b"", {"ok": False, "refused": True, "receiver": True}),
        (404, {}, b"", {"ok": False, "refused": True, "receiver": True}),
        (410, {}, b"", {"ok": False, "gone": True}),
        (408, {}, b"", {"ok": False, "refused": False}),
        (429, {"Retry-After": "7"}, b"", {"ok": False, "refused": False, "wait": 7.0}),
        (503, {"Retry-After": "999999"}, b"", {"ok": False, "refused": False, "wait": MOST_RETRY_AFTER}),
        (503, {"Retry-After": "soon"}, b"", {"ok": False, "wait": None}),
        (500, {"Retry-After": "7"}, b"", {"ok": False, "refused": False, "wait": None}),
    ],
)
def test_what_an_answer_means(status: int, headers: dict[str, str], text: bytes | None, wanted: dict[str, object]) -> None:
    found = judged(httpx.Response(status, headers=headers), text, NOW)
    assert {name: getattr(found, name) for name in wanted} == wanted
    assert found.answer == status
    assert (found.error is None) == found.ok


def test_a_wrong_clock_is_named() -> None:
    headers = {"Date": format_datetime(NOW + dt.timedelta(minutes=20), usegmt=True)}
    assert judged(httpx.Response(401, headers=headers), b"", NOW).error == "HTTP 401; the receiver's clock differs by 1200 s"
    assert judged(httpx.Response(401, headers={"Date": format_datetime(NOW, usegmt=True)}), b"", NOW).error == "HTTP 401"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None), ("", None), ("0", 0.0), (" 12 ", 12.0), ("1e9", None), ("-1", None), ("9" * 400, MOST_RETRY_AFTER), ("٣", None),
        (format_datetime(NOW + dt.timedelta(seconds=90), usegmt=True), 90.0), (format_datetime(NOW - dt.timedelta(days=1), usegmt=True), 0.0),
        ("Thu, 99 Foo 2026 00:00:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds


def test_delays_double_with_full_jitter_up_to_a_limit() -> None:
    settings, rng = Settings(base_seconds=2, cap_seconds=100), random.Random(0)
    for attempts, limit in ((1, 2), (2, 4), (5, 32), (7, 100), (1_000, 100)):
        drawn = [delay(attempts, settings, rng) for _ in range(300)]
        assert 0 <= min(drawn) < 0.1 * limit
        assert 0.9 * limit < max(drawn) <= limit


def test_when_it_is_a_dead_letter() -> None:
    settings, written = Settings(max_attempts=9, refused_attempts=3, max_age_hours=1), dt.datetime(2026, 11, 26)
    soon, late = written + dt.timedelta(minutes=5), written + dt.timedelta(hours=2)
    assert [is_over(n, written, soon, settings, refused=False) for n in (3, 8, 9)] == [False, False, True]
    assert [is_over(n, written, soon, settings, refused=True) for n in (2, 3)] == [False, True]
    assert [is_over(n, written, late, settings, refused=False) for n in (1, 3)] == [False, True]


def spoken(answer: bytes, *, pause: float = 0.0, hold: bool = False) -> tuple[Attempt, list[bytes], int]:
    """Send one message to a server that says `answer`; return what came of it, what the server got, and its connections."""

    async def run() -> tuple[Attempt, list[bytes], int]:
        got: list[bytes] = []
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")).split(b":")[1])
            got.append(head + await reader.readexactly(length))
            for start in range(0, len(answer), 65_536) if not pause else range(0, len(answer), 10):
                writer.write(answer[start : start + (10 if pause else 65_536)])
                await asyncio.sleep(pause)
            if hold:
                await asyncio.sleep(5)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with client(QUICK) as http:
            done = await attempt(http, f"http://127.0.0.1:{port}/hook?k=1", b'{"a":1}', "m-1", [SECRET], QUICK)
        server.close()
        return done, got, connections

    return asyncio.run(run())


def test_a_signed_post() -> None:
    done, (request,), _ = spoken(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert done.ok
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert lines[0] == "POST /hook?k=1 HTTP/1.1"
    assert headers["Content-Type"].startswith("application/cloudevents+json")
    assert verify(body, headers, [SECRET]) == headers["Idempotency-Key"] == "m-1"


@pytest.mark.parametrize(
    ("answer", "options", "told"),
    [
        (b"", {}, "connection failed: RemoteProtocolError"),
        (b"\x00\x01garbage\r\n\r\n", {}, "connection failed: RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", {}, "connection failed: RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", {}, "connection failed: RemoteProtocolError"),
        (b"HTTP/1.1 99999 Geheim\r\n\r\n", {}, "connection failed: RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", {}, "connection failed: RemoteProtocolError"),
        (b"", {"hold": True}, "no answer in time"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 500, {"pause": 0.05}, "no whole answer within 0.6 s"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"1" * (MOST_ANSWER + 1), {}, "longer than 65536"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n", {}, "redirects are not followed"),
        (b"HTTP/1.1 307 Moved\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n", {}, "redirects are not followed"),
    ],
)
def test_receivers_that_speak_badly(answer: bytes, options: dict[str, object], told: str) -> None:
    done, _, connections = spoken(answer, **options)
    assert not done.ok
    assert told in (done.error or "")
    assert "Geheim" not in (done.error or "")
    assert connections == 1


def test_nobody_there() -> None:
    async def run() -> Attempt:
        async with client(QUICK) as http:
            return await attempt(http, "http://127.0.0.1:1/", b"{}", "m", [SECRET], QUICK)

    done = asyncio.run(run())
    assert (done.ok, done.answer, done.receiver) == (False, None, True)
    assert done.error == "connection failed: ConnectError"


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert spoken(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")[0].ok


def test_certificates_are_checked() -> None:
    async def run() -> Attempt:
        import ssl
        import subprocess
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            key, cert = Path(folder, "k.pem"), Path(folder, "c.pem")
            command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "1", "-subj", "/CN=localhost"]
            subprocess.run(command, check=True, capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        async with client(QUICK) as http:
            done = await attempt(http, f"https://localhost:{server.sockets[0].getsockname()[1]}/", b"{}", "m", [SECRET], QUICK)
        server.close()
        return done

    pytest.importorskip("ssl")
    assert asyncio.run(run()).error == "connection failed: ConnectError"


def test_nothing_of_the_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "minqing")
    done, _, _ = spoken(b"HTTP/1.1 500 Zhang San 13800001111\r\nContent-Length: 4\r\n\r\nabcd")
    assert done.error == "HTTP 500"
    assert "13800001111" not in caplog.text
