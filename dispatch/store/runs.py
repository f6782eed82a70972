"""Runs that no file began: what the service and the console route, a day and a version at a time."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlalchemy import Connection, bindparam, insert, select

from dispatch.store.tables import runs

SERVICE = "service"
_BEGUN = select(runs.c.run_id).where(runs.c.run_id == bindparam("id"))


def service_run(connection: Connection, model_version: str, config_version: str) -> str:
    """Return the id of today's run of the service with these versions, begun if it has not."""
    today = dt.datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    digest = hashlib.blake2b(f"{model_version}\x1f{config_version}".encode(), digest_size=4).hexdigest()
    run_id = f"{SERVICE}_{today:%Y%m%d}_{digest}"
    if connection.execute(_BEGUN, {"id": run_id}).first() is None:
        row = {"started_at": today, "inputs_digest": "", "model_version": model_version, "config_version": config_version}
        connection.execute(insert(runs).values(run_id=run_id, status=SERVICE, **row))
    return run_id
