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
#: Packages whose messages hold no personal data.
_OURS = frozenset({"minqing", "corpora", "pipeline", "models", "dispatch", "flows"})
#: Frames of an exception that are kept, innermost last.
_FRAMES = 12


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; of an exception its class and places, not its message, which may quote a petition."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "event": _event(record)}
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0]:
            kind, _, trace = record.exc_info
            line |= failure(kind, trace)
        return orjson.dumps(line, default=str).decode()


def _event(record: logging.LogRecord) -> str:
    """Return what a record says: of our own all, of other libraries the fixed part, for their arguments may be anything."""
    if record.name.partition(".")[0] in _OURS:
        return record.getMessage()
    return str(record.msg).split("\n", 1)[0].split("%", 1)[0].strip()


def failure(kind: type[BaseException], trace: TracebackType | None) -> dict[str, Any]:
    """Return what is logged of an exception: its class, and where it came from."""
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return {"error": kind.__qualname__, "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


def set_up() -> None:
    """Send all records to stderr as JSON: requests, what the models' watcher says, warnings of anything else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)


def log(level: int, event: str, **fields: Any) -> None:  # noqa: ANN401 - plain JSON
    """Write a record with fields."""
    LOGGER.log(level, event, extra={"fields": fields})
