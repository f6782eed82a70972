"""Models and cities out of saved versions."""

from __future__ import annotations

from corpora.issue_tree import IssueTree
from corpora.units import UnitDirectory
from models import persistence, registry
from models.city import City
from models.issue import IssueModel, label_words
from models.stack import Stack
from models.unit import IssueHistory, UnitModel
from pipeline.petitions.segment import segmenter

#: Folder of the second stage within a version.
TRANSFORMER = "transformer"


def issue_model(saved: registry.SavedModel) -> IssueModel:
    """Return the issue model of a saved version."""
    plain = saved.manifest["model"]
    labels = tuple(plain["labels"])
    words = label_words(labels, IssueTree.load(), city_of(saved).directory, segmenter(lexicon_of(saved)))
    return IssueModel(labels, persistence.load(saved.arrays, plain), words, _stack(saved))


def unit_model(saved: registry.SavedModel) -> UnitModel:
    """Return the unit model of a saved version."""
    plain = saved.manifest["model"]
    history = None
    if "history_labels" in plain:
        history = IssueHistory(tuple(plain["history_labels"]), saved.arrays["history.shares"])
    return UnitModel(tuple(plain["labels"]), persistence.load(saved.arrays, plain), history, _stack(saved))


def _stack(saved: registry.SavedModel) -> Stack | None:
    plain = saved.manifest["model"].get("stack")
    return Stack.load(plain, saved.folder / TRANSFORMER) if plain else None


def lexicon_of(saved: registry.SavedModel) -> tuple[str, ...]:
    """Return the words a version was trained with."""
    path = saved.companion("lexicon.txt")
    return tuple(path.read_text("utf-8").split("\n")) if path else ()


def city_of(saved: registry.SavedModel) -> City:
    """Return the directory and places a version was trained with."""
    city = City.load(saved.companion("units.yaml"), saved.companion("places.csv"))
    return city.in_division(saved.manifest["model"].get("division"))


def directory_of(saved: registry.SavedModel, city: City) -> UnitDirectory:
    """Return the version's classes as a directory, in the model's order."""
    names = saved.manifest["model"]["unit_names"]
    if city.directory is None:
        return UnitDirectory.from_labels(names)
    return city.directory.pick(saved.manifest["model"]["labels"])
