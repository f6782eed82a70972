"""Chinese labels of the machine words in a suggestion, for the files and the report."""

from __future__ import annotations

from collections.abc import Sequence

#: Urgency levels from the mildest to the gravest; the position is the rank.
URGENCY_LEVELS = ("normal", "elevated", "urgent", "critical")

URGENCY_NAMES = {"normal": "一般", "elevated": "关注", "urgent": "紧急", "critical": "特急"}
DECISION_NAMES = {"auto": "自动转派", "review": "人工复核"}
NO_UNIT = "（无依据指向任何单位）"

#: Characters of the body that stand in for a missing title.
EXCERPT = 40


def urgency_rank(level: str) -> int:
    """Return 0 for normal to 3 for critical; a word that is not known counts as urgent, never as normal."""
    return URGENCY_LEVELS.index(level) if level in URGENCY_NAMES else URGENCY_LEVELS.index("urgent")


def headings(titles: Sequence[str], bodies: Sequence[str]) -> list[str]:
    """Return per petition one line to call it by: its title, else the first characters of its (masked) body."""
    lines = []
    for title, body in zip(titles, bodies, strict=True):
        line = " ".join(title.split())
        if not line:
            line = " ".join(body[: EXCERPT * 2].split())
            line = line[:EXCERPT] + "…" if len(line) > EXCERPT or len(body) > EXCERPT * 2 else line
        lines.append(line)
    return lines
