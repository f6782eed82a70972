"""The work of the watch flow: a window from the store or from files, measured against the models in service."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpora.config import WatchConfig, load_config
from corpora.issue_tree import IssueTree
from corpora.readers import read_petitions
from corpora.records import PETITION_SCHEMA
from corpora.workspace import models_dir, store_address
from dispatch.period import stored_window
from dispatch.store import Store
from flows.output import mask
from models import observe, registry
from models.drift import Dimension, Drift, Refusals, compare
from models.drift_stats import OTHER
from models.issue import IssueModel
from models.profile import Profile
from models.saved import city_of, directory_of, issue_model, lexicon_of
from models.serving import load_router
from models.serving import versions as router_versions
from models.verdict import NAMES, VERDICTS, Verdict, judge
from pipeline.petitions.prepare import prepare
from pipeline.petitions.segment import segmenter
from pipeline.petitions.window import WINDOW_SCHEMA, sample, window_of

#: Units listed besides those that refused something.
_UNITS = 40


@dataclasses.dataclass(frozen=True)
class Gathered:
    """A window, what it was drawn from, and the window before it where the store has one.

    Attributes:
        table: rows with `WINDOW_SCHEMA`.
        since, until: first and last day.
        read: rows of the source, rejected ones included.
        rejected: code → rows not taken.
        examples: code → where the first such row is, and why it was not taken.
    """

    table: pa.Table
    since: dt.date
    until: dt.date
    read: int
    rejected: dict[str, int]
    examples: dict[str, str]
    before: pa.Table | None = None


def champions(targets: Sequence[str]) -> dict[str, str]:
    """Return the version in service of each target that has one.

    Raises:
        models.registry.ModelError: if none has.
    """
    root = models_dir()
    found = {target: version for target in targets if (version := registry.champion(root, target))}
    if not found:
        msg = f"{root}: no {' or '.join(targets)} model is in service, so there is nothing to watch; train one with `minqing train`"
        raise registry.ModelError(msg)
    return found


def from_store(days: int, on: dt.date, limits: WatchConfig) -> Gathered:
    """Return the petitions of the last `days` days up to `on` from the store, and those of as many days before."""
    since = on - dt.timedelta(days=days - 1)
    with Store.open(store_address()) as store:
        table, read = stored_window(store, since, on, limits.max_rows)
        before, _ = stored_window(store, since - dt.timedelta(days=days), since - dt.timedelta(days=1), limits.max_rows)
    return Gathered(table, since, on, read, {}, {}, before)


def from_files(
    paths: Sequence[Path],
    mapping: Mapping[str, str],
    units: Path | None,
    config: Path | None,
    on: dt.date,
) -> Gathered:
    """Return the petitions in files, routed by the models in service as on the day `on`.

    Raises:
        corpora.readers.ReadError: if a path does not exist or the mapping names what is not there.
    """
    settings = load_config(config)
    tables, rejected, examples = [PETITION_SCHEMA.empty_table()], Counter[str](), {}
    for chunk in read_petitions(paths, mapping=mapping):
        tables.append(chunk.table)
        for item in chunk.rejections:
            rejected[item.code] += 1
            examples.setdefault(item.code, f"{item.source} 第 {item.row} 行：{mask(item.reason)}")
    whole = pa.concat_tables(tables).combine_chunks()
    chosen = whole.take(pa.array(sample(whole["petition_id"].to_pylist(), settings.watch.max_rows), pa.int64()))
    parts = route_window(chosen, champions(registry.TARGETS), units, config, on)
    table = pa.concat_tables([WINDOW_SCHEMA.empty_table(), *parts]).combine_chunks()
    days = [day for day in table["day"].to_pylist() if day is not None] or [on]
    read = whole.num_rows + rejected.total()
    return Gathered(table, min(days), max(days), read, dict(rejected), examples)


def route_window(
    petitions: pa.Table,
    versions: Mapping[str, str],
    units: Path | None = None,
    config: Path | None = None,
    on: dt.date | None = None,
) -> Iterator[pa.Table]:
    """Yield the window columns of petitions, by chunks, as the given versions route them; target → version."""
    issue, unit = versions.get("issue_type"), versions.get("unit")
    settings, day = load_config(config), on or dt.date.today()
    chunks = [petitions.slice(start, settings.chunk_rows) for start in range(0, petitions.num_rows, settings.chunk_rows)]
    if unit is None and units is None:  # no units to route to: the issue type alone
        saved = registry.load(models_dir(), "issue_type", issue)
        if saved is not None:
            model = issue_model(saved)
            yield from (_typed(chunk, saved, model) for chunk in chunks)
        return
    named = router_versions(models_dir(), issue, unit, units, None, day)  # changes with the directory's content
    router = load_router(models_dir(), issue, unit, units, None, config, day, "+".join((*named, settings.version)))
    for chunk in chunks:
        yield window_of(router.route(chunk).suggestions, chunk)


def _typed(petitions: pa.Table, saved: registry.SavedModel, model: IssueModel) -> pa.Table:
    """Return the window columns of petitions of which only the issue type is told."""
    made = prepare(petitions, segmenter(lexicon_of(saved)))
    chances = model.probabilities(made.features, made.texts)
    n = petitions.num_rows
    columns = {
        "petition_id": petitions["petition_id"], "title": made.titles, "body": made.bodies, "channel": made.channels,
        "day": petitions["submitted_at"].cast(pa.date32(), safe=False), "model_version": [saved.version] * n,
        "unit": pa.nulls(n, pa.string()), "unit_probability": pa.nulls(n, pa.float64()),
        "issue": [model.labels[best] for best in chances.argmax(1).tolist()], "issue_probability": chances.max(1),
        "refused": petitions["refused_units"], "unit_label": petitions["unit"], "issue_label": petitions["issue_type"],
    }  # fmt: skip
    return pa.table([columns[name] for name in WINDOW_SCHEMA.names], schema=WINDOW_SCHEMA)


def measure(target: str, version: str, table: pa.Table, before: pa.Table | None, limits: WatchConfig) -> dict[str, Any]:
    """Hold a window against what a version was trained with; return what `watch.json` says of the target."""
    saved = registry.load(models_dir(), target, version)
    if saved is None:  # pragma: no cover - a version was named
        msg = f"{version}: no such version"
        raise registry.ModelError(msg)
    lexicon, city = lexicon_of(saved), city_of(saved)
    names, model = _names(target, saved), saved.manifest["model"]
    seen = observe.observe(table, target, saved, lexicon, city.directory)
    reference, kind = Profile.from_dict(saved.manifest.get("reference")), "training"
    if before is not None and (reference is None or (target == "unit" and not _recorded(reference))):
        earlier = Profile.of(observe.observe(before, target, saved, lexicon, city.directory), reference)
        if reference is not None:
            reference = dataclasses.replace(reference, refusals=earlier.refusals)
        elif earlier.rows >= limits.min_rows:
            reference, kind = earlier, "previous window"
    window = Profile.of(seen, reference)
    drift, unknown = compare(reference, window, limits), observe.strangers(seen, model["labels"])
    kinds = Counter(_kind(name, version, target) for name in table["model_version"].to_pylist())
    return {
        "target": target,
        "version": version,
        "trained_at": saved.manifest.get("created_at", ""),
        "reference": kind if reference else None,
        "reference_rows": reference.rows if reference else 0,
        "rows": window.rows,
        **_plain_verdict(judge(drift, unknown, limits, names)),
        **_plain(drift, names),
        "strangers": {
            where: {names.get(name, name): count for name, count in getattr(unknown, where).items()}
            for where in ("predicted", "label", "refused")
        },
        "zero_history": kinds["none"],
        "other_versions": kinds["other"],
        "per_day": [_per_day(reference) if reference else None, _per_day(window)],
        "months": [reference.months if reference else {}, window.months],
    }


def _recorded(reference: Profile) -> bool:
    return any(back for back, _ in reference.refusals.values())


def _kind(name: str, version: str, target: str) -> str:
    parts = observe.versions_in(name)
    return "mine" if version in parts else "none" if f"{target}-none" in parts else "other"


def _per_day(profile: Profile) -> float | None:
    return round(sum(profile.months.values()) / profile.days, 2) if profile.days else None


def _names(target: str, saved: registry.SavedModel) -> dict[str, str]:
    if target == "issue_type":
        tree = IssueTree.load()
        return {node.code: tree.path_name(node.code) for node in tree.nodes}
    directory = city_of(saved).directory or directory_of(saved, city_of(saved))
    return {str(unit.code): unit.name for unit in directory.units}


def _plain_verdict(verdict: Verdict) -> dict[str, Any]:
    return {"verdict": verdict.verdict, "reasons": list(verdict.reasons)}


def _plain(drift: Drift, names: Mapping[str, str]) -> dict[str, Any]:
    units = [item for i, item in enumerate(drift.units) if item.back or i < _UNITS]
    accuracy = drift.accuracy
    return {
        "dimensions": [_dimension(item, names) for item in drift.dimensions],
        "units": [_unit(item, names) for item in units],
        "overall": _unit(drift.overall, {OTHER: "合计"}),
        "accuracy": dataclasses.asdict(accuracy) if accuracy else None,
    }


def _dimension(item: Dimension, names: Mapping[str, str]) -> dict[str, Any]:
    plain = dataclasses.asdict(item)
    plain["title"] = NAMES[item.name]
    plain["bars"] = [{"name": names.get(name, name), "before": before, "now": now} for name, before, now in item.bars]
    for mover in plain["movers"]:
        mover["name"] = names.get(mover["name"], mover["name"])
    return plain


def _unit(item: Refusals, names: Mapping[str, str]) -> dict[str, Any]:
    return dataclasses.asdict(item) | {"name": names.get(item.unit, item.unit), "rate": item.rate}


def worst(verdicts: Sequence[str]) -> str:
    """Return the gravest of some verdicts; with nothing judged at all, `undecided`."""
    judged = [verdict for verdict in verdicts if verdict != "undecided"]
    return max(judged, key=VERDICTS.index) if judged else "undecided"


def remember(path: Path, found: Mapping[str, Any]) -> None:
    """Add a line on a watch to the history, unless its last line says the same already."""
    entry = {
        "since": found["since"], "until": found["until"], "verdict": found["verdict"], "source": found["source"],
        "targets": {
            target: {
                "version": one["version"], "rows": one["rows"], "verdict": one["verdict"],
                "excess": {d["name"]: round(d["excess"], 4) for d in one["dimensions"] if d["status"] != "unknown"},
                "refusal_rate": round(one["overall"]["rate"], 4),
            }
            for target, one in found["targets"].items()
        },
    }  # fmt: skip
    earlier = recall(path)
    if earlier and {key: value for key, value in earlier[-1].items() if key != "at"} == entry:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = not path.exists() or path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(("" if whole else "\n") + json.dumps({"at": found["at"], **entry}, ensure_ascii=False) + "\n")


def recall(path: Path) -> list[dict[str, Any]]:
    """Return the history, oldest first; a line that a killed run left unfinished is passed over."""
    entries = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries
