"""Logs as lines of JSON on stderr: what happened to which request, never what was in it."""

from __future__ import annotations

import datetime as dt
import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import orjson

LOGGER = logging.getLogger("minqing.service")
#: Frames of an exception that are kept, innermost last.
_FRAMES = 12


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; of an exception its class and places, not its message, which may quote a petition."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "event": record.msg}
        if record.args:  # of other libraries: their arguments are addresses and counts, but who knows
            line["event"] = str(record.msg).split("%", 1)[0].strip()
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0]:
            kind, _, trace = record.exc_info
            line |= failure(kind, trace)
        return orjson.dumps(line, default=str).decode()


def failure(kind: type[BaseException], trace: TracebackType | None) -> dict[str, Any]:
    """Return what is logged of an exception: its class, and where it came from."""
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return {"error": kind.__qualname__, "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


def set_up(level: str = "INFO") -> None:
    """Send the service's and the server's records to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in ("minqing.service", "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler] if name != "uvicorn.error" else []
        logger.propagate = name == "uvicorn.error"
        logger.setLevel(level if name == "minqing.service" else "WARNING")


def log(level: int, event: str, **fields: Any) -> None:  # noqa: ANN401 - plain JSON
    """Write a record with fields."""
    LOGGER.log(level, event, extra={"fields": fields})
