"""The demonstration: train, route and mine what is bundled, all of it invented."""

from __future__ import annotations

import datetime as dt
import os
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

from corpora.workspace import HOME_VARIABLE, STORE_VARIABLE
from flows.plan import Progress

#: The last day of the bundled petitions: the run is dated so that deadlines read as on that night.
DAY = dt.date(2026, 11, 20)


def city_folder() -> Path:
    """Return the folder of the bundled invented city."""
    return Path(str(resources.files("corpora"))) / "data" / "cities" / "langang"


def run_demo(out: Path, progress: Progress) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Train both targets, route, mine; return the run, the trainings and the mining run."""
    home = (out / "home").absolute()
    before = {name: os.environ.pop(name, None) for name in (HOME_VARIABLE, STORE_VARIABLE)}
    os.environ[HOME_VARIABLE] = str(home)
    try:
        from flows.learning import train_files
        from flows.route import route

        city = city_folder()
        trainings = [
            train_files(target, [city / "history.csv"], {}, city / "units.yaml") for target in ("issue_type", "unit")
        ]
        run = route([str(city / "incoming")], str(out), units=str(city / "units.yaml"), on=DAY, progress=progress)
        from flows.mine import mine
        from flows.statute_base import NoSourceError, build_statutes

        with suppress(NoSourceError):  # without texts the facts that ship with minqing do
            build_statutes(())
        mined = mine([str(city / "policies")], str(out / "policies"), on=DAY, units=str(city / "units.yaml"))
    finally:
        del os.environ[HOME_VARIABLE]
        os.environ |= {name: value for name, value in before.items() if value is not None}
    return run, trainings, mined
