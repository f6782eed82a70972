"""Puts a router together from what there is: champions, a unit directory, or the directory alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from corpora.config import load_config
from corpora.issue_tree import IssueTree
from corpora.units import UnitDirectory
from models import registry
from models.city import City
from models.issue import IssueModel
from models.router import Router
from models.saved import city_of, directory_of, issue_model, lexicon_of, unit_model
from models.unit import UnitModel
from pipeline.petitions.segment import segmenter


class NotReadyError(Exception):
    """Nothing is known of the city's units; the message says what to give."""


def versions(
    models: Path, issue: str | None, unit: str | None, units: Path | None, places: Path | None, on: dt.date
) -> tuple[str, str]:
    """Return the names under which the two models of a run are recorded.

    The unit model's name carries a hash of the directory, the places and the units valid on the day: after a reform the
    same model makes other suggestions, and they need other ids.

    Raises:
        NotReadyError: if there is neither a unit directory nor a unit model.
        models.registry.ModelError: if the unit model is damaged.
    """
    if unit is None and units is None:
        msg = "no unit model is in service and no unit directory was given: use --units FILE, or `minqing train … --target unit`"
        raise NotReadyError(msg)
    saved = registry.load(models, "unit", unit, arrays=False) if unit and units is None else None
    city = city_of(saved) if saved else City.load(units, places)
    if city.directory is None:
        return issue or "issue_type-none", unit or "unit-none"
    digest = hashlib.blake2b(digest_size=4)
    for _, content in city.files:
        digest.update(content)
    digest.update("\n".join(str(u.code) for u in city.directory.on(on).units).encode())
    return issue or "issue_type-none", f"{unit or 'unit-none'}@{digest.hexdigest()}"


@lru_cache(maxsize=2)
def load_router(
    models: Path,
    issue_version: str | None,
    unit_version: str | None,
    units: Path | None,
    places: Path | None,
    config: Path | None,
    on: dt.date,
    run_id: str = "",
) -> Router:
    """Return the router for a run; loading takes about a second, so it is kept per process and run.

    `run_id` changes with the files' content, so that an edited file is read again. See `make_router`.
    """
    return make_router(models, issue_version, unit_version, units, places, config, on)


def make_router(
    models: Path,
    issue_version: str | None,
    unit_version: str | None,
    units: Path | None,
    places: Path | None,
    config: Path | None,
    on: dt.date,
) -> Router:
    """Return a router, loaded anew.

    Versions and files may be None: none, those of the model, or the bundled ones.

    Raises:
        NotReadyError: if there is neither a unit directory nor a unit model.
        models.registry.ModelError: if a saved version is damaged.
    """
    issue_name, unit_name = versions(models, issue_version, unit_version, units, places, on)
    tree = IssueTree.load()
    city = City.load(units, places)
    unit_saved = registry.load(models, "unit", unit_version) if unit_version else None
    issue_saved = registry.load(models, "issue_type", issue_version) if issue_version else None
    if unit_saved is not None:
        trained = city_of(unit_saved)
        learnt = unit_model(unit_saved)
        if city.directory is None:
            city = trained
        elif city.gazetteer is None:  # the model knows the places it was trained with
            city = dataclasses.replace(city, gazetteer=trained.gazetteer, division=trained.division)
        directory = city.directory or directory_of(unit_saved, trained)
        today = directory.on(on)
        unit = rebase(learnt, directory, today, on)
        lexicon = lexicon_of(unit_saved)
        references: Sequence[str] = unit_saved.manifest["model"]["references"]
    else:
        if city.directory is None:
            msg = "no unit directory"
            raise NotReadyError(msg)
        directory = city.directory
        today = directory.on(on)
        unit = UnitModel(tuple(str(u.code) for u in today.units), None)
        lexicon, references = city.lexicon(), ()
    if issue_saved is not None:
        issue, issue_lexicon = issue_model(issue_saved), lexicon_of(issue_saved)
    else:
        issue, issue_lexicon = IssueModel.without_history(tree, city.directory, segmenter(lexicon)), lexicon
    return Router(
        config=load_config(config),
        tree=tree,
        directory=today,
        known=directory,
        on=on,
        gazetteer=city.gazetteer.on(on) if city.gazetteer else None,
        issue=issue,
        unit=unit,
        issue_lexicon=issue_lexicon,
        unit_lexicon=lexicon,
        issue_version=issue_name,
        unit_version=unit_name,
        references=references,
    )


def rebase(model: UnitModel, directory: UnitDirectory, today: UnitDirectory, on: dt.date) -> UnitModel:
    """Return the model over the units valid today.

    A unit that is gone speaks for its successor; a new one is a class without rows (`models.newcomer`), or where the model
    knows nothing of such, has the median bias and the scores of the given views.

    Args:
        model: as trained.
        directory: all units, gone ones too; tells successors.
        today: units valid on the day.
        on: the day.
    """
    codes = tuple(str(unit.code) for unit in today.units)
    if codes == model.units or model.classifier is None:
        return model
    at = {code: i for i, code in enumerate(codes)}
    nowhere = len(codes)  # units that are gone without successor get a class that is cut off
    target = np.full(len(model.units), nowhere, np.int64)
    for i, code in enumerate(model.units):
        now = directory.successor_on(code, on) if directory.has(code) else ()
        if now:
            target[i] = at[str(now[0])]
    classifier = model.classifier
    views = classifier.views
    bias = np.full(nowhere + 1, np.median(classifier.ranker.bias))
    np.maximum.at(bias, target, classifier.ranker.bias)
    for i in np.unique(target):
        bias[i] = classifier.ranker.bias[target == i].max()
    ranker = dataclasses.replace(classifier.ranker, bias=bias[:nowhere])
    if ranker.rows is not None and ranker.settled is not None:
        rows, settled = (
            np.bincount(target, of, nowhere + 1)[:nowhere].astype(np.int64) for of in (ranker.rows, ranker.settled)
        )
        ranker = dataclasses.replace(ranker, rows=rows, settled=settled)
    history = model.history
    if history is not None:
        shares = np.full((len(history.shares), nowhere + 1), history.shares.min())
        shares[:, np.unique(target)] = 0.0
        np.add.at(shares.T, target, history.shares.T)
        history = dataclasses.replace(history, shares=shares[:, :nowhere])
    moved = dataclasses.replace(
        classifier,
        views=dataclasses.replace(
            views,
            linear=dataclasses.replace(views.linear, seen=target[views.linear.seen]),
            neighbours=dataclasses.replace(views.neighbours, labels=target[views.neighbours.labels]),
        ),
        ranker=ranker,
        classes=nowhere,
    )
    return UnitModel(codes, moved, history, model.stack.moved(np.where(target == nowhere, -1, target)) if model.stack else None)
