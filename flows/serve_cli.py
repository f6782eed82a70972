"""`minqing serve`: the HTTP service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from flows.options import check_places


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8400, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free; it is printed.")
@click.option("--units", type=click.Path(path_type=Path), help="Unit directory (YAML) of the city.")
@click.option("--places", type=click.Path(path_type=Path), help="Gazetteer (CSV); places.csv beside the directory by default.")
@click.option("--config", type=click.Path(path_type=Path), help="The city's own configuration (YAML).")
@click.option("--tls-cert", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Certificate (PEM).")
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its key (PEM).")
@click.option("--behind-tls", is_flag=True, help="A proxy that speaks TLS stands before the service; its X-Forwarded-For is believed.")
@click.option("--proxies", default="127.0.0.1", show_default=True, help="Addresses of such proxies, separated by commas.")
@click.option("--public-metrics", is_flag=True, help="/metrics answers anyone who reaches it.")
@click.option("--no-open311", is_flag=True, help="No Open311 view.")
@click.option("--open311-public", is_flag=True, help="The Open311 view answers without a key.")
@click.option("--open311-titles", is_flag=True, help="It shows the masked titles of petitions.")
@click.option("--rate", default=500.0, show_default=True, type=click.FloatRange(min=0.1), help="Requests a second of a key, on average.")
@click.option("--max-petitions", default=500, show_default=True, type=click.IntRange(1, 500), help="Petitions in a request.")
@click.option("--reports", multiple=True, metavar="NAME=FOLDER", help="Reports that the console links to (may be repeated).")
def serve(
    host: str,
    port: int,
    units: Path | None,
    places: Path | None,
    config: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    behind_tls: bool,
    proxies: str,
    reports: tuple[str, ...],
    **switches: Any,  # noqa: ANN401 - click's values
) -> None:
    """Answer HTTP: suggestions, decisions, health, metrics, Open311, and the console.

    Listens on this machine alone unless told otherwise. SIGTERM lets requests in work end, then stops.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: a batch is small, and threads would only wait for one another
    from dispatch.service.server import Address

    check_places(units, places)
    address = Address(host, port, behind_tls, proxies, tls_cert, tls_key)
    folders = dict(_report(text) for text in reports)
    from flows.serving import run

    run(address, units, places, config, folders, switches, lambda url: click.echo(f"民情服务 serving at {url}"))


def _report(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    if not name.strip() or not Path(folder).is_dir():
        msg = f"--reports takes NAME=FOLDER with a folder that is there, not {text!r}"
        raise click.BadParameter(msg)
    return name.strip(), Path(folder)
