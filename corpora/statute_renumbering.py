"""Where the articles of an older version stand in a newer one.

Runs are written `1-14>1 15-20>17 20.1>23`: articles 1 to 14 keep their numbers, 15 to 20 became 17 to 22, 第二十条之一 became
23. An article in no run was dropped, rewritten beyond recognition, or the pair is not known: nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from corpora.legal import ArticleNumber


def encode_runs(moved: Mapping[ArticleNumber, ArticleNumber]) -> str:
    """Return a map of article numbers as runs."""
    runs: list[list[int]] = []
    out: list[str] = []

    def flush() -> None:
        out.extend(f"{first}-{last}>{new}" if last > first else f"{first}>{new}" for first, last, new in runs)
        runs.clear()

    for old, new in sorted(moved.items()):
        if old.suffix or new.suffix:
            flush()
            out.append(f"{_dotted(old)}>{_dotted(new)}")
        elif runs and old.number == runs[-1][1] + 1 and new.number == runs[-1][2] + old.number - runs[-1][0]:
            runs[-1][1] = old.number
        else:
            flush()
            runs.append([old.number, old.number, new.number])
    flush()
    return " ".join(out)


def decode_runs(runs: str) -> dict[ArticleNumber, ArticleNumber]:
    """Return the map that runs were written from.

    Raises:
        ValueError: if a run cannot be read.
    """
    moved: dict[ArticleNumber, ArticleNumber] = {}
    for run in runs.split():
        old, arrow, new = run.partition(">")
        if not arrow:
            msg = f"no run: {run!r}"
            raise ValueError(msg)
        first, dash, last = old.partition("-")
        if dash:
            moved |= {
                ArticleNumber(number): ArticleNumber(int(new) + number - int(first))
                for number in range(int(first), int(last) + 1)
            }
        else:
            moved[_parse(first)] = _parse(new)
    return moved


def _dotted(number: ArticleNumber) -> str:
    return f"{number.number}.{number.suffix}" if number.suffix else str(number.number)


def _parse(text: str) -> ArticleNumber:
    number, _, suffix = text.partition(".")
    return ArticleNumber(int(number), int(suffix or 0))
