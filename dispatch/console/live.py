"""What this process remembers for a short while: counts that are dear to make, and who has which petition open."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

_CLAIMED = 240.0


class Cached:
    """Keeps what a function gave for some seconds; one caller makes it, the others wait for it."""

    def __init__(self, seconds: float = 20.0) -> None:
        self._seconds = seconds
        self._kept: dict[str, tuple[float, Any]] = {}
        self._lock = Lock()

    def get(self, key: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it makes
        """Return what `make` gives, or gave lately."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept[0] < time.monotonic() - self._seconds:
                kept = self._kept[key] = (time.monotonic(), make())
            return kept[1]

    def forget(self) -> None:
        """Make everything anew."""
        with self._lock:
            self._kept.clear()


class Claims:
    """Who looked at a petition last. A hint to colleagues, no lock: what keeps decisions apart is their number."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, str]] = {}
        self._lock = Lock()

    def look(self, petition_id: str, user: str) -> str:
        """Note that a user has a petition open; return who else had it within the last minutes, "" for nobody."""
        now = time.monotonic()
        with self._lock:
            at, who = self._seen.get(petition_id, (0.0, ""))
            if who and who != user and now - at < _CLAIMED:
                return who
            if len(self._seen) > 5_000:
                self._seen = {key: seen for key, seen in self._seen.items() if now - seen[0] < _CLAIMED}
            self._seen[petition_id] = (now, user)
            return ""

    def take(self, petition_id: str, user: str) -> None:
        """Take a petition over."""
        with self._lock:
            self._seen[petition_id] = (time.monotonic(), user)

    def leave(self, petition_id: str, user: str) -> None:
        """Note that a user is done with a petition."""
        with self._lock:
            if self._seen.get(petition_id, (0.0, ""))[1] == user:
                del self._seen[petition_id]
