"""What the commands share: options, and results printed as JSON."""

from __future__ import annotations

import json
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
