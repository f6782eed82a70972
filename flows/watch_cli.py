"""`minqing watch`: whether the city is still the one that the models in service were trained for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.options import JSON, dumped, mapping_of

#: Exit code that advises to train again.
RETRAIN = 3
_VERDICTS = {"stable": "平稳 stable", "undecided": "不作判断 undecided", "watch": "留意 watch", "retrain": "建议重新训练 retrain"}
_STATUSES = {"stable": "平稳 stable", "moderate": "有变化 moderate", "major": "显著变化 major", "unknown": "无从比较 not compared"}


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", default="out/watch", show_default=True, type=click.Path(path_type=Path), help="Folder for the results.")
@click.option("--days", type=click.IntRange(1), help="Days of the store to look at; watch.days of the configuration by default.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Last of these days; today by default.")
@click.option("--target", type=click.Choice(["issue_type", "unit"]), help="Watch one model only.")
@click.option("--units", type=click.Path(path_type=Path), help="Unit directory (YAML) of the city, to route PATHS by.")
@click.option("--map", "pairs", multiple=True, metavar="FIELD=HEADER", help="Read FIELD from the column HEADER (may be repeated).")
@click.option("--config", type=click.Path(path_type=Path), help="The city's own configuration (YAML).")
@JSON
@click.pass_context
def watch(
    ctx: click.Context,
    paths: tuple[Path, ...],
    out: Path,
    days: int | None,
    on: Any,  # noqa: ANN401 - click gives a datetime or None
    target: str | None,
    units: Path | None,
    pairs: tuple[str, ...],
    config: Path | None,
    as_json: bool,
) -> None:
    """Compare recent petitions with those the models in service were trained with.

    Looks at the store's last days, or at the petitions in PATHS, and writes watch.json and watch.html to --out. Exit code
    3 advises to train again; 0 is all else.
    """
    from flows.watch import watch as flow
    from models.registry import TARGETS

    if paths and days:
        msg = "--days is for the store; without it, all petitions in PATHS are looked at"
        raise click.UsageError(msg)
    found = flow(
        str(out),
        [str(path) for path in paths],
        days,
        on.date() if on else None,
        str(units) if units else None,
        mapping_of(pairs),
        str(config) if config else None,
        (target,) if target else TARGETS,
    )
    click.echo(dumped(found) if as_json else table(found, out))
    ctx.exit(RETRAIN if found["verdict"] == "retrain" else 0)


def table(found: dict[str, Any], out: Path) -> str:
    """Return the outcome for a terminal."""
    lines = [
        "",
        f"{_VERDICTS[found['verdict']]}   {found['since']} – {found['until']}   "
        f"读入 read {found['read']}   未采用 rejected {sum(found['rejected'].values())}   测量 measured {found['measured']}",
    ]
    for one in found["targets"].values():
        lines += ["", f"{one['version']}   {_VERDICTS[one['verdict']]}", *(f"  · {reason}" for reason in one["reasons"]), ""]
        for item in one["dimensions"]:
            psi = f"PSI {item['psi']:.3f}   抽样波动 chance {item['chance']:.3f}   p {item['p']:.3f}   " if item["status"] != "unknown" else ""
            lines.append(f"  {item['title']} {item['name']:<12}{psi}{_STATUSES[item['status']]}{'：' + item['why'] if item['why'] else ''}")
        overall = one["overall"]
        if overall["given"]:
            lines.append(f"  退单率 refusals      {overall['rate']:.1%}（{overall['back']}/{overall['given']}）")
    lines += [f"  未采用 rejected {code} {count}: {found['rejected_examples'][code]}" for code, count in found["rejected"].items()]
    for done in found["retrain"]:
        told = f"已启动 started: {done['deployment']} {done['flow_run']}" if done["triggered"] else f"{done['command']}（{done['why']}）"
        lines.append(f"重新训练 retrain: {told}")
    return "\n".join([*lines, "", f"报告 report: {out / 'watch.html'}"])
