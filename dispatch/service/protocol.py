"""HTTP on the wire: uvicorn's protocol with what it leaves open, limits on first line and headers and on their time."""

from __future__ import annotations

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dispatch.service import problems
from dispatch.service.settings import ServiceSettings

_PHRASES = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}
_DETAILS = {
    400: "不是 HTTP 请求 this is no HTTP request",
    408: "请求头没有按时到达 first line and headers did not arrive in time",
    431: "请求头过大 first line and headers are too large",
}
_KINDS = {400: "bad-request", 408: "timeout", 431: "header-too-large"}


def protocol(settings: ServiceSettings) -> type[HttpToolsProtocol]:
    """Return the class of protocols with the limits of the settings."""

    class Limited(HttpToolsProtocol):
        """A connection; a client that does not finish its headers in time, or writes too many, is sent away."""

        _head = 0  # bytes since the last request was complete
        _timer: TimerHandle | None = None
        _in_head = True

        def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._in_head:
                if self._timer is None:
                    self._wait()  # the first bytes of another request on this connection
                self._head += len(data)
            super().data_received(data)
            if self._in_head and self._head > settings.max_header and not self.transport.is_closing():
                self._away(431)

        def on_headers_complete(self) -> None:
            self._in_head, self._head = False, 0
            self._stop()
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._in_head = True
            super().on_message_complete()

        def send_400_response(self, msg: str) -> None:
            del msg
            self._away(400)

        def _wait(self) -> None:
            self._timer = self.loop.call_later(settings.header_seconds, self._late)

        def _stop(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _late(self) -> None:
            self._timer = None
            if not self.transport.is_closing():
                if self._head:
                    self._away(408)
                else:
                    self.transport.close()

        def _away(self, status: int) -> None:
            """Answer without the application, which has no request yet, and close; silently while it answers another one."""
            if self.cycle is None or self.cycle.response_complete:
                content = problems.body(status, _KINDS[status], _DETAILS[status], "none")
                head = f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: {problems.MEDIA_TYPE}\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
                self.transport.write(head.encode() + content)
            self.transport.close()

    return Limited


