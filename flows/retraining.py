"""The steps of a retraining; `flows.retrain` says in which order and who is asked.

A step takes names and paths and leaves what it made as files: rows in the spool, the candidate in the registry.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather

from corpora.config import Config, load_config
from corpora.labels import resolved
from corpora.workspace import labels_dir, models_dir, spool_dir
from flows.comparing import compared
from flows.decided import KINDS, NONE, beside, decided
from flows.encoders import encoder
from flows.learning import champion_issue, read_labelled
from flows.model_versions import loaded
from models import gate, registry
from models.city import City
from models.curves import curves_of
from models.evaluation import evaluate
from models.saved import city_of
from models.split import sift
from models.training import TrainingError, train

_TRAIN, _TEST = "train.arrow", "test.arrow"
_NOTHING_LEFT = "没有一行可比：测试行现用模型都学过 (no test row that the champion has not learnt from)"


@dataclass(frozen=True)
class Request:
    """What was asked for, as plain values that any process can take.

    Attributes:
        target: `issue_type` or `unit`.
        paths: labelled files or folders; the label store is read besides.
        mapping: (field, header) pairs.
        units, places, config: the city's files, if any.
        split: `hash` or `time`.
        encoder: fine-tuned on top of the candidate: `e5-small`, a folder or a hub name; None for none.
        decisions: which decisions on suggestions are learnt from (`flows.decided.KINDS`).
    """

    target: str
    paths: tuple[str, ...]
    mapping: tuple[tuple[str, str], ...] = ()
    units: str | None = None
    places: str | None = None
    config: str | None = None
    split: str = "hash"
    encoder: str | None = None
    decisions: str = NONE

    @property
    def spool(self) -> Path:
        """Folder of the rows in hand; one a target, so that a second retraining of it waits its turn."""
        return spool_dir() / f"retrain-{self.target}"

    def settings(self) -> Config:
        """Return the configuration in force."""
        return load_config(Path(self.config) if self.config else None)

    def city(self) -> City:
        """Return directory and places: those given, else those of the champion."""
        if self.units:
            return City.load(Path(self.units), Path(self.places) if self.places else None)
        saved = registry.load(models_dir(), self.target, arrays=False)
        return city_of(saved) if saved and saved.companion("units.yaml") else City()


def gather(request: Request) -> dict[str, Any]:
    """Read, check and part the labelled rows; leave both parts in the spool and return what became of each row."""
    paths = [Path(path) for path in request.paths]
    filed, rejected = read_labelled(paths, dict(request.mapping))
    state = resolved(labels_dir(), request.target)
    told = decided(request.decisions)
    people = pa.concat_tables([state.table, beside(state.table, told)])
    rules = request.settings().retrain
    usable = sift(
        request.target, filed, people, request.city(), by=request.split, test=rules.test, least=rules.min_rows
    )
    request.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    feather.write_feather(usable.train, request.spool / _TRAIN, compression="lz4")
    keyed = usable.test.append_column("key", pa.array(usable.keys, pa.uint64()))
    feather.write_feather(keyed, request.spool / _TEST, compression="lz4")
    read = filed.num_rows + people.num_rows
    if usable.rows + sum(usable.left_out.values()) != read:
        msg = f"rows were lost: read {read}, used {usable.rows}, left out {sum(usable.left_out.values())}"
        raise RuntimeError(msg)
    return {
        "read": read + sum(rejected.values()),
        "from_files": filed.num_rows,
        "from_people": state.table.num_rows,
        "from_decisions": people.num_rows - state.table.num_rows,
        "decisions": {"used": dict(told.used), "left_out": dict(told.left_out)},
        "open_conflicts": len(state.conflicts),
        "rejected": dict(rejected),
        "left_out": dict(usable.left_out),
        "contradictory": list(usable.contradictory),
        "small_classes": list(usable.small),
        "classes": usable.classes,
        "train": usable.train.num_rows,
        "test": usable.test.num_rows,
        "split": request.split,
    }


def learn(request: Request) -> str:
    """Train the candidate on the rows in the spool and save it; return its version."""
    rows = feather.read_table(request.spool / _TRAIN, memory_map=False)
    issue = champion_issue(models_dir()) if request.target == "unit" else None
    on_top = encoder(request.encoder) if request.encoder else None
    return train(request.target, rows, request.city(), models_dir(), issue=issue, encoder=on_top).saved.version


def compare(request: Request, version: str) -> dict[str, Any]:
    """Ask candidate and champion the test rows that neither has learnt from, and judge.

    Returns:
        `champion`, `gate` (see `models.gate.GateResult.as_dict`), `seen` (test rows left out because the champion had learnt
        from them), `notes`, and for candidate and champion `measures` and `curves`.

    Raises:
        registry.ModelError: if one of them is damaged.
    """
    root, target = models_dir(), request.target
    champion = registry.champion(root, target)
    test = feather.read_table(request.spool / _TEST, memory_map=False)
    models = [loaded(root, target, name) for name in (version, champion) if name]
    keys, rows = test["key"].to_numpy(), test.drop_columns(["key"])
    units = Path(request.units) if request.units else None
    done = compared(target, rows, keys, models, units, dt.date.today(), request.settings().gate)
    result = done.result or gate.GateResult(False, "blocked", (_NOTHING_LEFT,), 0, 0, ())
    registry.record_gate(root, target, version, champion, result.as_dict())
    pairs = list(zip(("candidate", "champion"), done.scores, strict=False))
    return {
        "champion": champion,
        "gate": result.as_dict(),
        "seen": done.seen,
        "compared": done.rows,
        "notes": done.notes,
        "measures": {name: evaluate(each.probabilities, each.labels, each.truth).as_dict() for name, each in pairs},
        "curves": {name: curves_of(each.probabilities, each.labels, each.truth) for name, each in pairs},
    }


def promote(target: str, version: str, expected: str | None, by: str, why: str, kind: str) -> dict[str, Any]:
    """Put the candidate in service if the champion is still the one it was judged against; its files are checked first."""
    entry = registry.promote(models_dir(), target, version, by=by, why=why, kind=kind, expected=expected)
    return dataclasses.asdict(entry)


def identity(request: Request, version: str) -> str:
    """Return the name of a run: the same for the same request and candidate."""
    text = json.dumps([dataclasses.asdict(request), version], sort_keys=True)
    return "retrain_" + hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def check(request: Request, override: str, why: str, approval: str | None) -> None:
    """Say what is wrong with a request before anything is read.

    Raises:
        TrainingError: naming the option.
    """
    if override and not why:
        msg = "--override goes with --why: a person who overrules the gate says for what reason"
        raise TrainingError(msg)
    if approval not in (None, "auto", "ask"):
        msg = f"approval is auto or ask, not {approval!r}"
        raise TrainingError(msg)
    if request.decisions not in KINDS:
        msg = f"decisions is one of {', '.join(KINDS)}, not {request.decisions!r}"
        raise TrainingError(msg)
    if request.decisions != NONE and request.target != "unit":
        msg = "decisions name units: --decisions goes with --target unit"
        raise TrainingError(msg)
    for path in (request.units, request.places, *request.paths):
        if path and not Path(path).exists():
            msg = f"{path}: no such file or folder"
            raise FileNotFoundError(msg)
    request.settings()


def titles(mapping: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Return a mapping as pairs in a fixed order."""
    return tuple(sorted((mapping or {}).items()))
