"""Names of workers, by which another one knows that a worker is gone and its deliveries are free."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_PROC = Path("/proc")


def worker_name() -> str:
    """Return a name for this worker: where processes are numbered, which process, since when, and a random part."""
    place, start = _place(), _start(os.getpid())
    return f"{place or '-'}:{os.getpid()}:{start or '-'}:{secrets.token_hex(4)}"


def is_gone(worker: str | None) -> bool:
    """Return whether a worker's process is known to have ended; one on another machine is not known of."""
    place, _, rest = (worker or "").partition(":")
    number, _, rest = rest.partition(":")
    start, _, _ = rest.partition(":")
    if not number.isdigit() or "-" in (place, start) or place != _place():
        return False
    return _start(int(number)) != start


def _place() -> str | None:
    """Return what process numbers are unique in: this machine since it was started, and its namespace of processes."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip().replace("-", "")
        space = (_PROC / "self/ns/pid").readlink().name
    except OSError:
        return None  # no Linux
    return f"{boot[:16]}.{space.strip('pid:[]')}"


def _start(number: int) -> str | None:
    """Return when a process began, in the kernel's own count; None if there is none, or it only waits to be buried."""
    try:
        text = (_PROC / str(number) / "stat").read_text("ascii", "replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]
