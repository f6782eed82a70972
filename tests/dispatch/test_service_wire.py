"""On a real socket: clients that are slow, send too much, or send what is no HTTP."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import service_kit as kit

from dispatch.service import Service, ServiceSettings
from dispatch.service.server import Address, ServeError, bound
from dispatch.store import Store


class Peer:
    """A server and a key for it."""

    def __init__(self, address: tuple[str, int], key: str, service: Service) -> None:
        self.address, self.key, self.service = address, key, service

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=10)

    def head(self, method: str = "POST", path: str = "/v1/suggestions", *more: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.key}", "Content-Type: application/json", *more]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with Store.open(str(tmp_path_factory.mktemp("wire") / "s.sqlite3")) as store:
        service = Service(store, kit.Nobody(), ServiceSettings(header_seconds=0.6, body_seconds=0.6, max_body=10_000, max_header=4_000))
        key = kit.new_key(store)
        with kit.listening(service) as address:
            yield Peer(address, key, service)


def everything(sock: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    found = b""
    try:
        while piece := sock.recv(65_536):
            found += piece
    except ConnectionResetError:
        pass
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def problem(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"\r\nserver:" not in head.lower()
    return str(json.loads(body)["type"]).rsplit(":", 1)[1]


def test_headers_that_never_end(peer: Peer) -> None:
    with peer.connect() as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        answer = everything(sock)
    assert (status(answer), problem(answer)) == (408, "timeout")


def test_headers_a_byte_at_a_time(peer: Peer) -> None:
    with peer.connect() as sock:
        began = time.monotonic()
        try:
            for byte in b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"a" * 1000:
                sock.sendall(bytes([byte]))
                time.sleep(0.02)
        except OSError:
            pass
        assert time.monotonic() - began < 15  # 1,030 bytes would take 20 s
        assert status(everything(sock) or b"x 408 ") == 408


def test_a_connection_that_says_nothing(peer: Peer) -> None:
    with peer.connect() as sock:
        assert everything(sock) == b""


def test_a_second_request_that_never_ends(peer: Peer) -> None:
    with peer.connect() as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status(sock.recv(65_536)) == 200
        sock.sendall(b"GET /healthz HT")
        assert status(everything(sock)) == 408


@pytest.mark.parametrize("encoding", ["Content-Length: 500", "Transfer-Encoding: chunked"])
def test_a_body_that_never_ends(peer: Peer, encoding: str) -> None:
    with peer.connect() as sock:
        sock.sendall(peer.head("POST", "/v1/suggestions", encoding) + (b'{"pet' if "Length" in encoding else b"5\r\n{\"pet\r\n"))
        answer = everything(sock)
    assert (status(answer), problem(answer)) == (408, "timeout")
    assert b"connection: close" in answer


def test_a_body_that_nobody_reads(peer: Peer) -> None:
    """Without a key the body is not waited for, and the connection ends."""
    with peer.connect() as sock:
        sock.sendall(b"POST /v1/suggestions HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n{")
        assert status(everything(sock)) == 401


def test_a_body_longer_than_it_said(peer: Peer) -> None:
    with peer.connect() as sock:
        sock.sendall(peer.head("POST", "/v1/suggestions", "Content-Length: 2") + b"[]" + b'{"a":1}' * 2000)
        answer = everything(sock)  # what follows is no request: the connection ends, whether the first was answered by then or not
    assert not answer or status(answer) in (400, 422)


def test_a_chunked_body_without_end(peer: Peer) -> None:
    with peer.connect() as sock:
        sock.sendall(peer.head("POST", "/v1/suggestions", "Transfer-Encoding: chunked"))
        try:
            for _ in range(200):
                sock.sendall(b"400\r\n" + b"x" * 0x400 + b"\r\n")
        except OSError:
            pass
        answer = everything(sock)
    assert not answer or (status(answer), problem(answer)) == (413, "body-too-large")


@pytest.mark.parametrize(
    "more",
    [
        "Content-Length: -1", "Content-Length: 1e3", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity", "X: a\x00b", "no colon at all",
    ],
)  # fmt: skip
def test_what_is_no_http(peer: Peer, more: str) -> None:
    with peer.connect() as sock:
        sock.sendall(peer.head("POST", "/v1/suggestions", more) + b"[]")
        answer = everything(sock)
    assert status(answer) in (400, 408, 413)
    problem(answer)


def test_headers_too_large(peer: Peer) -> None:
    for sent in (peer.head("GET", "/healthz", "X: " + "a" * 5_000), b"GET /" + b"a" * 50_000, peer.head("GET", "/healthz", *["X: y"] * 900)):
        with peer.connect() as sock:
            with suppress(OSError):
                sock.sendall(sent)
            answer = everything(sock)
        assert not answer or (status(answer), problem(answer)) == (431, "header-too-large")


def test_after_all_that_it_answers(peer: Peer) -> None:
    with peer.connect() as sock:
        sock.sendall(peer.head("GET", "/v1/suggestions", "Connection: close"))
        answer = everything(sock)
    assert status(answer) == 200
    assert peer.service.store is not None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", ""])
def test_no_petition_in_the_clear(host: str, tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="in the clear"):
        Address(host)
    assert Address(host, behind_tls=True).tls
    assert Address(host, certificate=tmp_path, key=tmp_path).tls
    with pytest.raises(ServeError, match="go together"):
        Address(certificate=tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_machine(host: str) -> None:
    assert not Address(host).tls


def test_an_address_that_is_taken(peer: Peer) -> None:
    with pytest.raises(ServeError, match="cannot listen"):
        bound(Address(*peer.address))
    with pytest.raises(ServeError, match="cannot listen"):
        bound(Address("nowhere.invalid", behind_tls=True))


def test_proxies_are_believed_only_when_told(tmp_path: Path) -> None:
    """With --behind-tls failed guesses count for the client, not for the proxy before it."""
    with Store.open(str(tmp_path / "s.sqlite3")) as store:
        service = Service(store, kit.Nobody(), ServiceSettings(guesses=1))
        key = kit.new_key(store)
        with kit.listening(service, Address(port=0, behind_tls=True)) as address:

            def ask(client: str, text: str) -> int:
                with socket.create_connection(address, timeout=10) as sock:
                    lines = ["GET /v1/suggestions HTTP/1.1", "Host: x", f"X-Forwarded-For: {client}", f"Authorization: Bearer {text}", "Connection: close"]
                    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
                    return status(everything(sock))

            assert [ask("198.51.100.1", "wrong"), ask("198.51.100.1", "wrong")] == [401, 429]
            assert ask("198.51.100.2", key) == 200
