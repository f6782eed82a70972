"""`minqing doctor`: is everything as operation needs it?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flows.options import JSON, check_places, dumped

if TYPE_CHECKING:
    from flows.doctor import Line

_MARKS = {"ok": "✓", "warn": "!", "fail": "✗"}


@click.command()
@click.option("--units", type=click.Path(path_type=Path), help="Unit directory (YAML) of the city, as route uses it.")
@click.option("--places", type=click.Path(path_type=Path), help="Gazetteer (CSV), as route uses it.")
@click.option("--config", type=click.Path(path_type=Path), help="The city's own configuration (YAML).")
@click.option("--service", default="", metavar="URL", help="Address of the running service, like http://127.0.0.1:8400.")
@JSON
@click.pass_context
def doctor(ctx: click.Context, units: Path | None, places: Path | None, config: Path | None, service: str, as_json: bool) -> None:
    """Check the machine, workspace, models, store, messages, Prefect and service; nothing is changed.

    Exit code 1 if anything fails. Run it as the user, and with the environment, of the services.
    """
    from flows.doctor import FAIL, Surroundings, examine, worst

    check_places(units, places)
    around = Surroundings(units, places, config, service)
    lines = examine(around)
    verdict = worst(lines)
    click.echo(dumped({"verdict": verdict, "checks": [asdict(line) for line in lines]}) if as_json else table(lines))
    ctx.exit(1 if verdict == FAIL else 0)


def table(lines: list[Line]) -> str:
    """Return the findings for a terminal."""
    from flows.tables import width

    told, before = [""], ""
    for line in lines:
        title = line.title if line.check != before else ""
        told.append(f"{_MARKS[line.level]} {title}{' ' * (12 - width(title))}{line.detail}")
        if line.level != "ok" and line.advice:
            told.append(f"{' ' * 14}→ {line.advice}")
        before = line.check
    counts = {level: sum(line.level == level for line in lines) for level in _MARKS}
    told += ["", f"正常 ok {counts['ok']}   留意 warn {counts['warn']}   故障 fail {counts['fail']}"]
    return "\n".join(told)
