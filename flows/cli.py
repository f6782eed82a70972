"""The command line. Heavy libraries are imported by the commands that need them, so that `--help` is quick."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import click

from flows import (
    delivery_cli,
    diagnosis_cli,
    doctor_cli,
    keys_cli,
    labels_cli,
    legal_cli,
    models_cli,
    replies_cli,
    retrain_cli,
    serve_cli,
    store_cli,
    subscribers_cli,
    users_cli,
    watch_cli,
)
from flows.options import ENCODER, JSON, check_places, dumped, mapping_of

_PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
_MAP = click.option(
    "--map", "pairs", multiple=True, metavar="FIELD=HEADER", help="Read FIELD from the column HEADER (may be repeated)."
)
_UNITS = click.option("--units", type=click.Path(path_type=Path), help="Unit directory (YAML) of the city.")
_PLACES = click.option(
    "--places", type=click.Path(path_type=Path), help="Gazetteer (CSV); places.csv beside the directory by default."
)
_TARGET = click.option(
    "--target", required=True, type=click.Choice(["issue_type", "unit"]), help="What to learn or measure."
)


class _Group(click.Group):
    """Turns expected errors into one line on stderr and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's result
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:
            if _expected(error):
                click.echo(f"minqing: {error}", err=True)
                ctx.exit(2)
            raise


def _expected(error: Exception) -> bool:
    names = {
        "ReadError", "ConfigError", "UnitDirectoryError", "GazetteerError", "IssueTreeError", "ModelError",
        "NotReadyError", "NoSourceError", "RulesError", "RunningError", "StatuteError", "TrainingError", "StackError",
        "TransformerError", "PretrainedError", "StoreError", "LabelError", "NotADirectoryError", "FileNotFoundError",
        "PermissionError", "ServeError", "KeyManagementError", "SubscriberError", "UserError",
    }  # fmt: skip
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or any(cls.__name__ in names for cls in type(error).__mro__)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="minqing")
def main() -> None:
    """民情: routes residents' petitions to the responsible unit, with calibrated confidence and reasons.

    Models and the store live under MINQING_HOME (the platform's user data folder by default).
    """
    from corpora.workspace import workspace

    os.environ.setdefault("PREFECT_HOME", str(workspace() / "prefect"))
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")  # a busy machine takes a minute
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # an error is told once, by the command itself


for _command in (
    legal_cli.statutes, legal_cli.mine, legal_cli.cite, legal_cli.duties, models_cli.models, labels_cli.labels, retrain_cli.retrain,
    watch_cli.watch, replies_cli.replies, diagnosis_cli.explain, diagnosis_cli.diagnose, serve_cli.serve, keys_cli.keys,
    store_cli.store, store_cli.purge, doctor_cli.doctor, users_cli.users,
    subscribers_cli.subscribers, delivery_cli.publish, delivery_cli.deliveries, delivery_cli.schemas,
):  # fmt: skip
    main.add_command(_command)


@main.command()
@_PATHS
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the results.")
@_UNITS
@_PLACES
@_MAP
@click.option("--config", type=click.Path(path_type=Path), help="The city's own configuration (YAML).")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Day of the run; today by default.")
@click.option("--workers", type=click.IntRange(1), help="Processes; one per core by default.")
@JSON
def route(
    paths: tuple[Path, ...],
    out: Path,
    units: Path | None,
    places: Path | None,
    pairs: tuple[str, ...],
    config: Path | None,
    on: Any,  # noqa: ANN401 - click gives a datetime or None
    workers: int | None,
    as_json: bool,
) -> None:
    """Route the petitions in PATHS (CSV, Excel, JSON, Parquet, folders) and write suggestions to --out."""
    check_places(units, places)
    run = _route(paths, out, units, places, mapping_of(pairs), config, on.date() if on else None, workers)
    if as_json:
        click.echo(dumped(run))
    else:
        _show_run(run)


@main.command()
@click.option("--out", default="out/demo", show_default=True, type=click.Path(path_type=Path), help="Folder for the results.")
@JSON
def demo(out: Path, as_json: bool) -> None:
    """Train on the bundled invented history of 澜港市, route its petitions and mine its policy documents.

    Works in a home of its own inside --out, so your models and store stay as they are.
    """
    from flows.bar import progress
    from flows.demo import run_demo

    run, trainings, mined = run_demo(out, progress("demo"))
    if as_json:
        click.echo(dumped({**run, "trainings": trainings, "policies": mined}))
        return
    for training in trainings:
        _show_training(training)
    _show_run(run)
    from flows.tables import mine_table

    click.echo(mine_table(mined))


@main.command()
@_PATHS
@_TARGET
@_MAP
@_UNITS
@_PLACES
@ENCODER
@click.option("--no-promote", is_flag=True, help="Keep the version, but do not put it in service.")
@JSON
def train(
    paths: tuple[Path, ...],
    target: str,
    pairs: tuple[str, ...],
    units: Path | None,
    places: Path | None,
    encoder: str | None,
    no_promote: bool,
    as_json: bool,
) -> None:
    """Learn TARGET from the labelled petitions in PATHS and put the new version in service."""
    from flows.learning import train_files

    check_places(units, places)
    result = train_files(target, paths, mapping_of(pairs), units, places, promote=not no_promote, encoder=encoder)
    if as_json:
        click.echo(dumped(result))
    else:
        _show_training(result)


@main.command()
@_PATHS
@_TARGET
@_MAP
@click.option("--model", "version", help="Version to measure; the one in service by default.")
@JSON
def evaluate(paths: tuple[Path, ...], target: str, pairs: tuple[str, ...], version: str | None, as_json: bool) -> None:
    """Measure the model in service on the labelled petitions in PATHS."""
    from flows.learning import evaluate_files

    result = evaluate_files(target, paths, mapping_of(pairs), version)
    if as_json:
        click.echo(dumped(result))
    else:
        _show_training(result)


def _route(paths: Any, out: Path, units: Any, places: Any, mapping: dict[str, str], config: Any, on: Any, workers: int | None) -> dict[str, Any]:  # noqa: ANN401
    from flows.bar import progress
    from flows.plan import make_plan

    names = [str(path) for path in paths]
    files = [str(path) if path else None for path in (units, places, config)]
    make_plan(names, str(out), files[0], files[1], mapping, files[2], on)  # says what is wrong before Prefect starts
    from flows.route import route as flow

    return flow(
        names,
        str(out),
        units=files[0],
        places=files[1],
        mapping=mapping,
        config=files[2],
        on=on,
        workers=workers,
        progress=progress("routing"),
    )


def _show_run(run: dict[str, Any]) -> None:
    from flows.tables import run_table

    click.echo(run_table(run))


def _show_training(result: dict[str, Any]) -> None:
    from flows.tables import training_table

    click.echo(training_table(result))
