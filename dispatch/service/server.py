"""The process: uvicorn over the application, with what is wanted of it said here."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from dispatch.service import logs
from dispatch.service.app import create_app
from dispatch.service.context import Service
from dispatch.service.limits import is_loopback
from dispatch.service.protocol import protocol

#: Seconds that requests in work have to end after SIGTERM.
_GRACE = 30


class ServeError(ValueError):
    """The service cannot be started so; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, and how clients get there.

    Attributes:
        port: 0 for any that is free.
        behind_tls: a proxy that speaks TLS stands before the service; its X-Forwarded-For is believed.
        proxies: addresses of such proxies.
        certificate, key: files for TLS without a proxy.
    """

    host: str = "127.0.0.1"
    port: int = 8400
    behind_tls: bool = False
    proxies: str = "127.0.0.1"
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        """Refuse to send keys and petitions through a network in the clear.

        Raises:
            ServeError: if the host is not this machine and nothing says that the way is encrypted.
        """
        if (self.certificate is None) != (self.key is None):
            msg = "--tls-cert and --tls-key go together"
            raise ServeError(msg)
        if self.certificate is None and not self.behind_tls and not is_loopback("127.0.0.1" if self.host == "localhost" else self.host):
            msg = (
                f"{self.host} is not this machine alone: petitions and keys would cross the network in the clear. Give --tls-cert and "
                "--tls-key, or --behind-tls if a proxy that speaks TLS stands before the service, or --host 127.0.0.1"
            )
            raise ServeError(msg)

    @property
    def tls(self) -> bool:
        """Whether clients come by https."""
        return self.behind_tls or self.certificate is not None


def bound(address: Address) -> socket.socket:
    """Return a socket that listens at the address.

    Raises:
        ServeError: if it is taken, or not to be had.
    """
    try:
        family, *_ = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address.host, address.port))
        found.listen(2048)
    except OSError as error:
        msg = f"cannot listen at {address.host}:{address.port}: {error.strerror or error}"
        raise ServeError(msg) from error
    return found


def configured(service: Service, address: Address) -> uvicorn.Config:
    """Return the server's configuration."""
    return uvicorn.Config(
        create_app(service),
        http=protocol(service.settings),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=address.behind_tls,
        forwarded_allow_ips=address.proxies,
        # Connections, most of them idle; requests at a time are counted by the guard.
        limit_concurrency=service.settings.concurrent * 4,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=_GRACE,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
    )


def serve(service: Service, address: Address, listening: Callable[[str], None]) -> None:
    """Answer requests until SIGTERM or SIGINT; then finish those in work and return.

    Args:
        service: what to serve.
        address: where.
        listening: told the URL once the socket is open.

    Raises:
        ServeError: if the address is not to be had.
    """
    sock = bound(address)
    host, port = sock.getsockname()[:2]
    name = f"[{host}]" if ":" in host else host
    logs.set_up()
    server = uvicorn.Server(configured(service, address))
    # uvicorn stops at these signals and then raises them again: that would end the process before it has closed the store.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    listening(f"{'https' if address.certificate else 'http'}://{name}:{port}")
    server.run(sockets=[sock])
