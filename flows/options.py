"""What the commands share: options, and results printed as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
ENCODER = click.option(
    "--encoder",
    metavar="NAME",
    help="Fine-tune a pretrained encoder on top, in minutes: e5-small (weights come with the extra [transformer]), a folder, "
    "or a hub name.",
)


def dumped(value: Any) -> str:  # noqa: ANN401 - anything plain
    """Return a result as `--json` prints it; dates in ISO."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def mapping_of(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return what --map says, field → header."""
    mapping = {}
    for pair in pairs:
        field, _, header = pair.partition("=")
        if not field.strip() or not header.strip():
            msg = f"--map takes FIELD=HEADER, not {pair!r}"
            raise click.BadParameter(msg)
        mapping[field.strip()] = header.strip()
    return mapping


def check_places(units: Path | None, places: Path | None) -> None:
    """Refuse --places without --units."""
    if places is not None and units is None:
        msg = "--places goes with --units: places say which unit is responsible only with its directory"
        raise click.UsageError(msg)
