"""What the models say of petitions that may be given out for annotation: predictions, opinions of each view, suspected errors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.issue_tree import IssueTree
from corpora.units import UnitDirectory
from models import registry
from models.city import City
from models.classifier import Classifier
from models.given import GivenViews
from models.issue import IssueModel
from models.label_errors import LabelErrors, find_label_errors
from models.saved import city_of, issue_model, lexicon_of
from models.serving import load_router
from models.training import located
from models.unit import UnitModel
from pipeline.petitions.features import TextFeatures
from pipeline.petitions.prepare import Prepared, prepare
from pipeline.petitions.segment import segmenter

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
#: With fewer labelled rows a cross-validated model knows too little to accuse a label.
LEAST_LABELLED = 50
#: A label of fewer rows is hardly in the folds that would have to predict it: its rows are accused for being rare, not for being wrong.
_LEAST_OF_LABEL = 5
#: The nearest learnt row counts as an opinion from this similarity on.
_NEAR = 0.2


@dataclass(frozen=True)
class Predicted:
    """Predictions for n rows.

    Attributes:
        made: the rows, masked.
        codes: the k labels.
        probabilities: shape (n, k), or None where there is neither a model nor a directory with duties.
        views: view → its best label of each row, -1 for none, shape (n,).
        cosine: similarity to the nearest learnt row, shape (n,); None where nothing was learnt.
        model: name of the version, "" where nothing was learnt.
        directory: the units of the day for `unit`, or None.
        city: directory and places behind them.
    """

    made: Prepared
    codes: tuple[str, ...]
    probabilities: F64 | None
    views: Mapping[str, I64]
    cosine: F32 | None
    model: str
    directory: UnitDirectory | None
    city: City


def predict(target: str, petitions: pa.Table, root: Path, units: Path | None, places: Path | None, on: dt.date) -> Predicted:
    """Predict with the champion; without one, by duties and places or the issue tree's words; else prepare the rows alone.

    Args:
        target: `issue_type` or `unit`.
        petitions: rows of `PETITION_SCHEMA`.
        root: folder of all models.
        units: unit directory, or None for the model's own.
        places: gazetteer, or None.
        on: today.

    Raises:
        models.registry.ModelError: if the champion is damaged.
    """
    return _issues(petitions, root, units, places) if target == "issue_type" else _units(petitions, root, units, places, on)


def _issues(petitions: pa.Table, root: Path, units: Path | None, places: Path | None) -> Predicted:
    saved = registry.load(root, "issue_type")
    if saved is not None:
        model, city, lexicon, version = issue_model(saved), city_of(saved), lexicon_of(saved), saved.version
    else:
        city = City.load(units, places)
        lexicon, version = city.lexicon(), ""
        model = IssueModel.without_history(IssueTree.load(), city.directory, segmenter(lexicon))
    made = prepare(petitions, segmenter(lexicon))
    views, cosine = _opinions(model.classifier, made.features)
    return Predicted(made, model.labels, model.probabilities(made.features, made.texts), views, cosine, version, None, city)


def _units(petitions: pa.Table, root: Path, units: Path | None, places: Path | None, on: dt.date) -> Predicted:
    version, issue_version = registry.champion(root, "unit"), registry.champion(root, "issue_type")
    if version is None and units is None:
        return Predicted(prepare(petitions, segmenter()), (), None, {}, None, "", None, City())
    router = load_router(root, issue_version, version, units, places, None, on)
    made = prepare(petitions, segmenter(router.unit_lexicon))
    looked = router.score(made, petitions["refused_units"].to_pylist())
    given, scored = looked.given, looked.scored
    views, cosine = _opinions(router.unit.classifier, given.features)
    if "duty" in given.views:
        duty = given.views["duty"]
        views["duty"] = np.where(duty.max(1) > 0, duty.argmax(1), -1)
    saved = registry.load(root, "unit", version, arrays=False) if version and units is None else None
    files = (city_of(saved) if saved else City.load(units, places)).files
    city = City(router.known, router.gazetteer, files)
    return Predicted(made, router.unit.units, scored.probabilities, views, cosine, version or "", router.directory, city)


def _opinions(classifier: Classifier | None, features: TextFeatures) -> tuple[dict[str, I64], F32 | None]:
    if classifier is None:
        return {}, None
    scores, nearest = classifier.views.scores(features, classifier.classes)
    neighbours = np.where(nearest.cosine >= _NEAR, scores["neighbours"].argmax(1), -1)
    return {"linear": scores["linear"].argmax(1), "neighbours": neighbours}, nearest.cosine


def label_errors(
    target: str, petitions: pa.Table, predicted: Predicted, labels: Sequence[str | None]
) -> tuple[I64, list[str]]:
    """Return rows whose filed label is probably wrong, the most suspicious first, and the label suggested for each.

    The champion may have learnt these very rows, so models that have not are fitted here, fold by fold.

    Args:
        target: `issue_type` or `unit`.
        petitions: the n rows.
        predicted: of them.
        labels: code of the label that each row was filed with, None without one; n of them.
    """
    rows = np.flatnonzero([label is not None for label in labels])
    named = [label for label in labels if label is not None]
    classes = sorted(set(named))
    if len(rows) < LEAST_LABELLED or len(classes) < 2:
        return np.zeros(0, np.int64), []
    city = predicted.city
    cutter = segmenter(city.lexicon())
    mine = petitions.take(pa.array(rows))
    made = prepare(mine, cutter)
    if target == "issue_type":
        model, held = IssueModel.fit(made.features, named, None, IssueTree.load(), city.directory, cutter)
        codes: Sequence[str] = model.labels
    else:
        known = predicted.directory
        directory = known.pick(classes) if known and all(map(known.has, classes)) else UnitDirectory.from_labels(classes)
        codes = [str(unit.code) for unit in directory.units]
        given = GivenViews(directory, city.gazetteer, cutter).scores(made.features, located(made))
        at = {code: i for i, code in enumerate(codes)}
        _, held = UnitModel.fit(given, codes, np.array([at[name] for name in named], np.int64), None)
    found: LabelErrors = find_label_errors(held.probabilities, held.y)
    often = np.bincount(held.y, minlength=len(codes)) >= _LEAST_OF_LABEL
    kept = often[held.y[found.rows]] & often[found.suggested]
    return rows[held.rows[found.rows[kept]]], [codes[i] for i in found.suggested[kept].tolist()]
