"""What a version sees in petitions, for the measurement of drift: at training in its own rows, later in a window."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.issue_tree import IssueTree
from corpora.units import UnitDirectory
from models import persistence
from models.classifier import HeldOut
from models.encoder import Encoder
from models.profile import Observations, Profile
from models.registry import SavedModel
from models.verdict import Strangers
from pipeline.petitions.features import BUCKET_BITS, TextFeatures, WordTable, featurise, join_text
from pipeline.petitions.prepare import Prepared
from pipeline.petitions.segment import Segmenter, segmenter

F64 = npt.NDArray[np.float64]
#: Blocks whose n-grams tell whether a text is of a kind the model has seen; the title's are part of the text's.
_BLOCKS = ("char", "word")


def reference(
    petitions: pa.Table,
    made: Prepared,
    encoder: Encoder,
    labels: Sequence[str],
    named: Sequence[str],
    held_out: HeldOut,
    directory: UnitDirectory | None = None,
) -> Profile:
    """Return the profile of training rows, as a fresh window of the same kind would show it.

    Predictions are the held-out ones, and a text's n-grams count as unknown where no other training row has them: the
    model's own rows hold nothing new to it.

    Args:
        petitions: the n labelled rows.
        made: the same, prepared.
        encoder: as fitted on all of them.
        labels: the k classes.
        named: class of each row.
        held_out: predictions for some or all of the rows.
        directory: for units, reads the names of those that sent petitions back; None for other targets.
    """
    predicted: list[str | None] = [None] * len(named)
    confidence = np.full(len(named), np.nan)
    if len(held_out.rows):
        best = held_out.probabilities.argmax(1)
        confidence[held_out.rows] = held_out.probabilities[np.arange(len(best)), best]
        for row, label in zip(held_out.rows.tolist(), best.tolist(), strict=True):
            predicted[row] = labels[label]
    refused: list[list[str]] = []
    if directory is not None:
        read = _reader("unit", directory)
        refused = [[read(name) for name in names or ()] for names in petitions["refused_units"].to_pylist()]
    return Profile.of(
        Observations(
            predicted=predicted,
            confidence=confidence,
            unknown=unknown_alone(made.features, encoder),
            length=np.array([len(text) for text in made.texts], np.float64),
            channel=made.channels,
            days=[None if moment is None else moment.date() for moment in petitions["submitted_at"].to_pylist()],
            labels=list(named),
            refused=refused,
            holders=list(named) if directory is not None else (),
        )
    )


def observe(window: pa.Table, target: str, saved: SavedModel, lexicon: Sequence[str], city: UnitDirectory | None) -> Observations:
    """Return what a version sees in a window; suggestions of other versions count for nothing but who holds a petition.

    Args:
        window: rows with `pipeline.petitions.window.WINDOW_SCHEMA`.
        target: `issue_type` or `unit`.
        saved: the version.
        lexicon: the words it was trained with.
        city: reads unit labels; None where only labels are known.
    """
    column = "issue" if target == "issue_type" else "unit"
    mine = np.array([saved.version in versions_in(name) for name in window["model_version"].to_pylist()], bool)
    predicted = [label if own else None for label, own in zip(window[column].to_pylist(), mine.tolist(), strict=True)]
    chances = window[f"{column}_probability"].to_numpy(zero_copy_only=False).astype(np.float64)
    titles, bodies = window["title"].to_pylist(), window["body"].to_pylist()
    texts = [join_text(title, body) for title, body in zip(titles, bodies, strict=True)]
    classifier = persistence.load(saved.arrays, saved.manifest["model"])
    features = _features(titles, bodies, texts, segmenter(tuple(lexicon)))
    read = _reader(target, city)
    return Observations(
        predicted=predicted,
        confidence=np.where(mine, chances, np.nan),
        unknown=unknown(features, classifier.views.encoder),
        length=np.array([len(text) for text in texts], np.float64),
        channel=window["channel"].to_pylist(),
        days=window["day"].to_pylist(),
        labels=[read(label) if label.strip() else None for label in window[f"{column}_label"].to_pylist()],
        refused=window["refused"].to_pylist() if target == "unit" else (),
        holders=window["unit"].to_pylist() if target == "unit" else (),
    )


def strangers(seen: Observations, labels: Sequence[str]) -> Strangers:
    """Return the labels in a window that are none of a version's classes."""
    known = set(labels)

    def of(names: Sequence[str | None]) -> dict[str, int]:
        return dict(Counter(name for name in names if name is not None and name not in known).most_common())

    return Strangers(len(seen.predicted), of(seen.predicted), of(seen.labels), of([unit for units in seen.refused for unit in units]))


def versions_in(name: str) -> tuple[str, ...]:
    """Return the versions in the name that a suggestion bears: `issue_type-1f+unit-2e@9c` → both, without the directory's hash."""
    return tuple(part.split("@")[0] for part in name.split("+"))


def unknown(features: TextFeatures, encoder: Encoder) -> F64:
    """Return the share of each text's n-grams that the encoder does not have, shape (n,); NaN for a text without any."""
    return _share(features, lambda name, buckets: encoder.columns(name, buckets.astype(np.int64)) < 0)


def unknown_alone(features: TextFeatures, encoder: Encoder) -> F64:
    """Return the same for the encoder's own training rows, each as if it had not been among them; shape (n,).

    A bucket that the row shares with too few others to be kept without it would be unknown: no encoder is fitted again.
    """
    frequency = {name: np.bincount(features.blocks[name].buckets, minlength=1 << BUCKET_BITS) for name in _BLOCKS}
    # Rows that must hold a bucket: the encoder may have raised the number to stay small.
    held = [int(frequency[name][encoder.buckets[name]].min()) for name in _BLOCKS if len(encoder.buckets[name])]
    least = min(held, default=1)
    return _share(features, lambda name, buckets: frequency[name][buckets] <= least)


def _share(features: TextFeatures, is_unknown: Callable[[str, npt.NDArray[np.int32]], npt.NDArray[np.bool_]]) -> F64:
    of, all_of = np.zeros(features.size), np.zeros(features.size)
    for name in _BLOCKS:
        block = features.blocks[name]
        all_of += np.bincount(block.rows, minlength=features.size)
        of += np.bincount(block.rows, is_unknown(name, block.buckets), minlength=features.size)
    return np.divide(of, all_of, out=np.full(features.size, np.nan), where=all_of > 0)


def _features(titles: list[str], bodies: list[str], texts: list[str], cut: Segmenter) -> TextFeatures:
    return featurise(titles, bodies, WordTable.of(cut.cut(texts)))


def _reader(target: str, city: UnitDirectory | None) -> Callable[[str], str]:
    """Return what reads a label as filed; one that cannot be read stays as it is, and is a stranger."""
    if target == "issue_type":
        tree = IssueTree.load()
        return lambda label: str(tree.resolve(label.strip()) or label.strip())
    if city is None:
        return lambda label: "".join(label.split())
    today = dt.date.today()

    def unit(label: str) -> str:
        code = city.resolve(label.strip())
        now = city.successor_on(code, today) if code else ()
        return str(now[0]) if now else label.strip()

    return unit
