"""How often `minqing watch` cries wolf, and what it finds, on real petitions.

    python benchmarks/drift.py [--draws 200]

A model is trained on half of the letters, drawn at random and without their dates; windows drawn from the other half hold no
drift, so every verdict but `stable` is a false alarm. (With dates the held-out folds are blocks of time, as windows are; a
window drawn from between the training rows is then easier than any of them.) The same windows with one thing changed (a class doubled, garbled text, a unit
that refuses 30 %) must not be `stable`. Last, a model of the first months against each later month: drift that is real.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter

import numpy as np
import pyarrow as pa
from data import petitions_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MINQING_HOME"] = scratch
        run(draws)


def run(draws: int) -> None:
    from corpora.readers import read_petitions

    rng = np.random.default_rng(0)
    for name, target, mapping in (
        ("responsible_units.csv", "unit", {"unit": "function"}), ("issue_types.csv", "issue_type", {}),
    ):  # fmt: skip
        table = pa.concat_tables([c.table for c in read_petitions([petitions_folder() / name], mapping=mapping)]).combine_chunks()
        order = rng.permutation(table.num_rows)
        half = len(order) // 2
        undated = table.take(pa.array(order))
        at = undated.schema.get_field_index("submitted_at")
        undated = undated.set_column(at, undated.schema.field(at), pa.nulls(len(order), pa.timestamp("s")))
        watcher = Watcher(target, undated.slice(0, half).combine_chunks())
        fresh = watcher.seen(undated.slice(half).combine_chunks())
        print(f"\n{name}: {target} model of {half} rows drawn at random; windows of the other {len(order) - half}, {draws} draws")
        for name in ("confidence", "unknown"):
            print(f"  mean {name}: reference {watcher.reference.measured[name].mean:.3f}, fresh rows {np.nanmean(getattr(fresh, name)):.3f}")
        print(f"{'window':28s}    n   not stable  retrain   why")
        for n in (60, 200, 1000):
            report("no drift", n, [watcher.verdict(pick(rng, fresh, n)) for _ in range(draws)])
        labels = Counter(label for label in fresh.labels if label)
        for share in (0.05, 0.10, 0.20):
            label = min(labels, key=lambda x, share=share: abs(labels[x] / labels.total() - share))
            for n in (200, 1000):
                found = [watcher.verdict(pick(rng, fresh, n, doubled=label)) for _ in range(draws)]
                report(f"a class of {labels[label] / labels.total():.0%} doubled", n, found)
        broken = watcher.seen(garbled(undated.slice(half).combine_chunks()))
        for part in (0.1, 0.3, 1.0):
            for n in (60, 200, 1000):
                found = [watcher.verdict(mixed(rng, fresh, broken, n, part)) for _ in range(draws)]
                report(f"{part:.0%} garbled", n, found)
        if target == "unit":
            unit = labels.most_common(1)[0][0]
            for n in (200, 1000):
                found = [watcher.verdict(refusing(rng, pick(rng, fresh, n), unit, 0.3)) for _ in range(draws)]
                report(f"a unit ({labels[unit] / labels.total():.0%}) refuses 30 %", n, found)
            later(table)


def later(table: pa.Table) -> None:
    """Train on the first months; watch each later one."""
    months = np.array([str(moment)[:7] for moment in table["submitted_at"].to_pylist()])
    names = sorted(set(months))
    watcher = Watcher("unit", table.filter(pa.array(months <= names[2])))
    print(f"\nunit model of {names[0]} to {names[2]} ({(months <= names[2]).sum()} rows), later months")
    for month in names[3:]:
        fresh = watcher.seen(table.filter(pa.array(months == month)))
        verdict, drift = watcher.judged(fresh)
        told = "  ".join(f"{d.name} {d.excess:.3f}{'*' if d.status != 'stable' else ''}" for d in drift.dimensions if d.status != "unknown")
        right = drift.accuracy
        print(f"{month}  {len(fresh.predicted):5d}  {verdict.verdict:8s} {told}  accuracy {right.before[0] / right.before[1]:.3f} → {right.now[0] / right.now[1]:.3f}")


class Watcher:
    """A trained model with its reference, as `minqing watch` uses it."""

    def __init__(self, target: str, rows: pa.Table) -> None:
        from corpora.config import load_config
        from corpora.workspace import models_dir
        from models import registry
        from models.city import City
        from models.profile import Profile
        from models.training import train

        self.target, self.limits = target, load_config().watch
        self.saved = train(target, rows, City(), models_dir()).saved
        registry.promote(models_dir(), target, self.saved.version)
        self.reference = Profile.from_dict(self.saved.manifest["reference"])

    def seen(self, rows: pa.Table):
        from flows.watching import route_window
        from models.observe import observe
        from models.saved import lexicon_of

        window = pa.concat_tables(list(route_window(rows, {self.target: self.saved.version})))
        return observe(window, self.target, self.saved, lexicon_of(self.saved), None)

    def judged(self, seen):
        from models.drift import compare
        from models.observe import strangers
        from models.profile import Profile
        from models.verdict import judge

        drift = compare(self.reference, Profile.of(seen, self.reference), self.limits)
        return judge(drift, strangers(seen, self.saved.manifest["model"]["labels"]), self.limits, {}), drift

    def verdict(self, seen) -> tuple[str, tuple[str, ...]]:
        found = self.judged(seen)[0]
        return found.verdict, found.reasons


def take(seen, rows: np.ndarray, other=None):
    """Return some rows of observations; negative ones are rows of `other`, counted from -1."""
    from models.profile import Observations

    def one(name: str):
        values, others = getattr(seen, name), getattr(other, name) if other else ()
        if len(values) == 0:
            return values
        picked = [values[i] if i >= 0 else others[-i - 1] for i in rows]
        return np.array(picked) if isinstance(values, np.ndarray) else picked

    return Observations(**{name: one(name) for name in Observations.__dataclass_fields__})


def pick(rng: np.random.Generator, seen, n: int, doubled: str | None = None):
    """Return n rows drawn without replacement; with a class `doubled`, with replacement and that class at twice its odds."""
    weights = np.array([2.0 if doubled and label == doubled else 1.0 for label in seen.labels])
    return take(seen, rng.choice(len(weights), n, replace=doubled is not None, p=weights / weights.sum()))


def mixed(rng: np.random.Generator, seen, broken, n: int, share: float):
    rows = rng.choice(len(seen.predicted), n, replace=False)
    return take(seen, np.where(rng.random(n) < share, -rows - 1, rows), broken)


def garbled(rows: pa.Table) -> pa.Table:
    """Return the rows as an export with the wrong encoding shows them."""
    for name in ("title", "body"):
        texts = [text.encode("utf-8", "replace").decode("gb18030", "replace") for text in rows[name].to_pylist()]
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), pa.array(texts))
    return rows


def refusing(rng: np.random.Generator, seen, unit: str, share: float):
    import dataclasses

    back = [[unit] if holder == unit and rng.random() < share else [] for holder in seen.holders]
    holders = ["(another)" if units else holder for units, holder in zip(back, seen.holders, strict=True)]
    return dataclasses.replace(seen, refused=back, holders=holders)


def report(name: str, n: int, verdicts: list[tuple[str, tuple[str, ...]]]) -> None:
    alarms = [reasons for verdict, reasons in verdicts if verdict not in ("stable", "undecided")]
    retrain = sum(verdict == "retrain" for verdict, _ in verdicts)
    why = Counter(reason.split("（")[0].split("：")[0][:14] for reasons in alarms for reason in reasons)
    told = "，".join(f"{text} {count}" for text, count in why.most_common(3))
    print(f"{name:28s} {n:4d}   {len(alarms) / len(verdicts):8.1%}  {retrain / len(verdicts):8.1%}   {told}", flush=True)


if __name__ == "__main__":
    main()
