"""The command `minqing replies`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.options import JSON, dumped, mapping_of


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the results.")
@click.option(
    "--map", "pairs", multiple=True, metavar="FIELD=HEADER",
    help="Read FIELD (reply, replied_at, body …) from the column HEADER (may be repeated).",
)  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), help="The city's own configuration (YAML); its deadlines count.")
@click.option("--rules", type=click.Path(path_type=Path), help="The city's own weights, limits and words for replies (YAML).")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Day as of which unanswered petitions are judged; today by default.")
@JSON
def replies(
    paths: tuple[Path, ...],
    out: Path,
    pairs: tuple[str, ...],
    config: Path | None,
    rules: Path | None,
    on: Any,  # noqa: ANN401 - click gives a datetime or None
    as_json: bool,
) -> None:
    """Score the units' replies in PATHS: timeliness, relevance, completeness, explanation.

    Writes replies.xlsx (scores and reasons by row), replies.jsonl, replies.html (the report, with the method) and
    rejected.jsonl. A reply is judged here and never seen by a router.
    """
    from flows.replies import judge_replies
    from flows.tables import replies_table

    run = judge_replies(paths, out, mapping_of(pairs), config=config, rules=rules, on=on.date() if on else None)
    click.echo(dumped(run) if as_json else replies_table(run))
