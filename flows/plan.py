"""What a run is: its inputs, models, configuration and folders, fixed before the first row is read."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora.config import load_config
from corpora.readers import read_petitions, source_files
from corpora.workspace import models_dir, spool_dir, store_address
from dispatch.store import Store
from models import registry
from models.serving import versions


class Progress:
    """Told after each step how many are done: each chunk is scored, then written; this one says nothing."""

    def __call__(self, done: int, total: int) -> None:
        """Hear that `done` of `total` steps are done."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run, as plain values that any process can take.

    Attributes:
        run_id: the same for the same inputs, models and configuration.
        digest: hash over the inputs' content and the mapping.
        issue_version, unit_version: champions at the start, or None for a city without history.
        model: name of both, as suggestions record it.
    """

    run_id: str
    digest: str
    paths: tuple[str, ...]
    out: str
    units: str | None
    places: str | None
    mapping: tuple[tuple[str, str], ...]
    config: str | None
    on: dt.date
    spool: str
    models: str
    issue_version: str | None
    unit_version: str | None
    model: str

    def chunk(self, kind: str, number: int) -> Path:
        """Return the spool path of a chunk at one stage (`read`, `scored`, `lines`)."""
        return Path(self.spool) / f"{kind}-{number:06d}.arrow"

    def to_json(self) -> str:
        """Return the plan as text, for another process."""
        return json.dumps(dataclasses.asdict(self) | {"on": self.on.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan that `to_json` wrote."""
        plain = json.loads(text)
        pairs = tuple((field, header) for field, header in plain["mapping"])
        return cls(**plain | {"on": dt.date.fromisoformat(plain["on"]), "mapping": pairs, "paths": tuple(plain["paths"])})


def make_plan(
    paths: Sequence[str],
    out: str,
    units: str | None,
    places: str | None,
    mapping: Mapping[str, str] | None,
    config: str | None,
    on: dt.date | None,
) -> Plan:
    """Fix a run.

    Raises:
        corpora.readers.ReadError: if a path does not exist or the mapping names what is not there.
        corpora.config.ConfigError: if the configuration is wrong.
        models.serving.NotReadyError: if there is neither a unit directory nor a unit model.
        dispatch.store.StoreError: if the store cannot be opened: better now than after an hour of scoring.
    """
    day = on or dt.date.today()
    issue, unit = registry.champion(models_dir(), "issue_type"), registry.champion(models_dir(), "unit")
    settings = load_config(Path(config) if config else None)
    named = versions(models_dir(), issue, unit, Path(units) if units else None, Path(places) if places else None, day)
    pairs = tuple(sorted((mapping or {}).items()))
    digest = hashlib.sha256(json.dumps(pairs).encode())
    read_petitions([Path(path) for path in paths], mapping=mapping)  # checks paths and mapping; reads no row yet
    for file in source_files([Path(path) for path in paths]):
        with file.open("rb") as content:
            digest.update(file.name.encode() + hashlib.file_digest(content, "sha256").digest())
    inputs = digest.hexdigest()[:32]
    identity = json.dumps([inputs, named, settings.version, settings.chunk_rows, day.isoformat()])
    Store.open(store_address()).close()
    run_id = "run_" + hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()
    return Plan(
        run_id=run_id,
        digest=inputs,
        paths=tuple(str(path) for path in paths),
        out=str(out),
        units=units,
        places=places,
        mapping=pairs,
        config=config,
        on=day,
        spool=str(spool_dir() / run_id),
        models=str(models_dir()),
        issue_version=issue,
        unit_version=unit,
        model="+".join(named),
    )
