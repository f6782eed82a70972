"""What the annotation formats share: times, marks, and words for what a person could not tell."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from corpora.headers import normalise

#: Offered beside the labels where a format has no other way to say it.
CANNOT_TELL = "无法判断"
_YES = frozenset({"是", "对", "同意", "y", "yes", "true", "1", "x", "√", "✓", "✔", "☑", "v"})
_NO = frozenset({"", "否", "不", "不同意", "n", "no", "false", "0", "×", "✗"})


def is_marked(cell: str) -> bool | None:
    """Tell whether a cell says yes; None where it says neither yes nor no."""
    text = "".join(cell.split()).casefold()
    return True if text in _YES else False if text in _NO else None


def utc(moment: object, otherwise: str) -> str:
    """Return a moment as ISO 8601 in UTC with seconds; `otherwise` where it cannot be read. Without zone it is UTC."""
    if not isinstance(moment, str) or not moment.strip():
        return otherwise
    try:
        read = dt.datetime.fromisoformat(moment.strip())
    except ValueError:
        return otherwise
    return _iso(read if read.tzinfo else read.replace(tzinfo=dt.UTC))


def changed(path: Path) -> str:
    """Return when a file was last written, ISO 8601 in UTC."""
    return _iso(dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC))


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")


def spaceless(text: str) -> str:
    """Return a text without what a spreadsheet or a tool adds or drops on its own: white space and '."""
    return "".join(text.split()).replace("'", "")


def same_header(one: str, other: str) -> bool:
    """Tell whether two headers are the same but for width, spaces and brackets."""
    return normalise(one) == normalise(other)
