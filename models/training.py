"""Training and evaluation of the two targets on labelled petitions, as the command line and the flows use them."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.divisions import Divisions
from corpora.issue_tree import IssueTree
from corpora.labelled import row_keys
from corpora.units import UnitDirectory
from models import compatibility, observe, persistence, registry
from models.card import card, data_of
from models.city import City
from models.classifier import LARGE, Classifier, HeldOut, held_rows, take
from models.evaluation import Evaluation, evaluate
from models.evaluation import Scores as Scores  # re-exported: what evaluate_model returns
from models.fine_tuning import Epoch
from models.given import GivenViews
from models.issue import IssueModel
from models.saved import TRANSFORMER, city_of, directory_of, issue_model, lexicon_of, unit_model
from models.stack import Stack
from models.transformer import FineTuning
from models.unit import UnitModel
from pipeline.petitions.features import TextFeatures
from pipeline.petitions.prepare import PART_ROWS, Prepared, prepare, prepare_in_parts
from pipeline.petitions.segment import lexicon_version, segmenter

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
TARGETS = ("issue_type", "unit")
#: Folds follow time only where nearly every row has one.
_TIMED_SHARE = 0.95


class TrainingError(ValueError):
    """The labelled rows cannot be learnt from; the message gives the reason."""


@dataclass(frozen=True)
class Training:
    """The outcome of a training: the saved version, and its measures on held-out predictions.

    Attributes:
        saved: the version.
        rows: labelled rows that were learnt from.
        classes: labels that may be predicted.
        evaluation: measures on rows predicted by models that had not seen them, or None with too few rows.
        skipped: reason → number of rows left out.
    """

    saved: registry.SavedModel
    rows: int
    classes: int
    evaluation: Evaluation | None
    skipped: Counter[str]


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder to fine-tune on top: `source` is a folder or hub name, `heard` is told after each epoch."""

    source: str | Path
    settings: FineTuning = field(default_factory=FineTuning)
    heard: Callable[[Epoch], None] = lambda _: None


@dataclass(frozen=True)
class Fitted:
    """A target learnt from labelled petitions, and what it was learnt from.

    Attributes:
        model: the issue or the unit model.
        names: what its labels are called, in their order (unit names; of issue types, the labels themselves).
        held_out: predictions by models that had not seen the row.
        petitions: the n labelled rows that were learnt from.
        made: their masked texts and words.
        features: their features as the classifier took them, with places where there is a gazetteer.
        given: views that no label made, name → scores (rows of `held_rows`, labels).
        y: index into the model's labels of each row, shape (n,).
        issues: issue probabilities of each row made without its label, shape (n, k); None where there is no history.
        lexicon: the words the segmenter was given.
        city: directory and places, those of the administrative division included.
        directory: all units known, by whose names petitions were sent back; None for issue types.
        skipped: reason → number of rows left out.
    """

    model: IssueModel | UnitModel
    names: tuple[str, ...]
    held_out: HeldOut
    petitions: pa.Table
    made: Prepared
    features: TextFeatures
    given: Mapping[str, F32]
    y: I64
    issues: F64 | None
    lexicon: tuple[str, ...]
    city: City
    directory: UnitDirectory | None
    skipped: Counter[str]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that may be predicted: issue codes or unit codes."""
        return self.model.labels if isinstance(self.model, IssueModel) else self.model.units


def train(
    target: str,
    petitions: pa.Table,
    city: City,
    root: Path,
    *,
    issue: IssueModel | None = None,
    encoder: Encoder | None = None,
) -> Training:
    """Learn a target from labelled petitions and save the version (it is not promoted here).

    Args:
        target: `issue_type` or `unit`.
        petitions: rows with labels in the column of that name; rows without are left out and counted.
        city: directory and places, if any.
        root: folder of all models.
        issue: the issue model in service, for the issue → unit history where rows carry no issue type.
        encoder: fine-tuned as a second stage, if given; minutes instead of seconds.

    Raises:
        TrainingError: if no row has a usable label, or all have the same.
        models.stack.StackError: if the rows are too few for a second stage.
        models.transformer.TransformerError: if the encoder cannot be loaded.
    """
    found = fit(target, petitions, city, issue=issue)
    labels, held_out, city, made = found.labels, found.held_out, found.city, found.made
    learnt = _classifier(found.model.classifier)
    arrays, plain = persistence.dump(learnt)
    plain["labels"] = list(labels)
    plain["references"] = found.petitions["petition_id"].to_pylist()[-len(arrays["neighbours.labels"]) :]
    if isinstance(found.model, UnitModel):
        plain["unit_names"] = list(found.names)
        plain["division"] = city.division
        if found.model.history is not None:
            arrays["history.shares"] = found.model.history.shares
            plain["history_labels"] = list(found.model.history.labels)
    stack: Stack | None = None
    if encoder is not None:
        stack, held_out = Stack.fit(
            made.texts, found.y, held_out, encoder.source, encoder.settings, encoder.heard, times(found.petitions)
        )
        plain["stack"] = stack.plain()
    named = [labels[i] for i in found.y.tolist()]
    evaluation = None
    if len(held_out.rows):
        evaluation = evaluate(held_out.probabilities, labels, [labels[i] for i in held_out.y.tolist()])
    keys = row_keys(pa.table({"title": made.titles, "body": made.bodies}))
    arrays["training.rows"] = np.unique(keys)
    seen = observe.reference(found.petitions, made, learnt.views.encoder, labels, named, held_out, found.directory)
    manifest = {
        "target": target,
        "created_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "rows": len(named),
        "lexicon": lexicon_version(found.lexicon),
        "libraries": compatibility.libraries(),
        "code_version": compatibility.code_version(),
        "data": data_of(found.petitions, named, keys),
        "measures": evaluation.as_dict() if evaluation else None,
        "reference": seen.as_dict(),
        "model": plain,
    }
    companions: dict[str, bytes | Path] = {**dict(city.files), "lexicon.txt": "\n".join(found.lexicon).encode()}
    with tempfile.TemporaryDirectory() as scratch:
        if stack is not None:
            companions[TRANSFORMER] = Path(scratch)
            stack.transformer.save(Path(scratch))
        saved = registry.save(root, target, arrays, manifest, companions, card)
    return Training(saved, len(named), len(labels), evaluation, found.skipped)


def fit(target: str, petitions: pa.Table, city: City, *, issue: IssueModel | None = None) -> Fitted:
    """Learn a target from labelled petitions; nothing is saved. Arguments and errors as of `train`."""
    tree = IssueTree.load()
    lexicon = city.lexicon()
    labels, skipped = usable_labels(target, petitions, city, tree)
    usable = np.array([label is not None for label in labels])
    if not usable.any():
        msg = f"no row has a usable {target} label ({_told(skipped)})"
        raise TrainingError(msg)
    petitions = petitions.filter(pa.array(usable))
    named = [label for label in labels if label is not None]
    if len(set(named)) < 2:
        msg = f"all {len(named)} labelled rows have the same {target}: {named[0]}; at least two are needed"
        raise TrainingError(msg)
    made = prepare_in_parts(petitions, segmenter(lexicon))
    order = times(petitions)
    if target == "issue_type":
        model, held_out = IssueModel.fit(made.features, named, order, tree, city.directory, segmenter(lexicon))
        y = np.searchsorted(np.array(model.labels), np.array(named))
        looked_at = made.features if len(y) < LARGE else take(made.features, held_rows(len(y), order))
        given = model.given(looked_at)
        return Fitted(
            model, model.labels, held_out, petitions, made, made.features, given, y, None, lexicon, city, None, skipped
        )
    city = city.in_division(Divisions.load().city_named_in(located(made)))
    return _fit_unit(petitions, made, named, city, order, issue, skipped)


def _fit_unit(
    petitions: pa.Table,
    made: Prepared,
    named: Sequence[str],
    city: City,
    order: F64 | None,
    issue: IssueModel | None,
    skipped: Counter[str],
) -> Fitted:
    directory = city.directory.on(dt.date.today()) if city.directory else UnitDirectory.from_labels(sorted(set(named)))
    codes = [str(unit.code) for unit in directory.units]
    at = {code: i for i, code in enumerate(codes)}
    y = np.array([at[label] for label in named], np.int64)
    gazetteer = city.gazetteer.on(dt.date.today()) if city.gazetteer else None
    views = GivenViews(directory, gazetteer, segmenter(city.lexicon()))
    given = views.scores_of(made.features, located(made), held_rows(len(y), order))
    issue_labels, issues = _issues(petitions, made, city, IssueTree.load(), order, issue)
    model, held_out = UnitModel.fit(given, codes, y, order, issue_labels, issues)
    names = tuple(unit.name for unit in directory.units)
    lexicon = city.lexicon()
    return Fitted(
        model, names, held_out, petitions, made, given.features, given.views, y, issues, lexicon, city,
        city.directory or directory, skipped,
    )


def _issues(
    petitions: pa.Table, made: Prepared, city: City, tree: IssueTree, order: F64 | None, issue: IssueModel | None
) -> tuple[Sequence[str], F64 | None]:
    """Return issue probabilities of each row that did not see the row's own label, or None."""
    labels = [tree.resolve(label) if label else None for label in petitions["issue_type"].to_pylist()]
    known = [label for label in labels if label]
    if len(known) == len(labels) and len(set(known)) > 1:
        # The second level is fine enough to tell units apart, and has enough rows to count.
        coarse = [str(label)[:4] for label in known]
        model, held_out = IssueModel.fit(made.features, coarse, order, tree, city.directory, segmenter(city.lexicon()))
        if len(held_out.rows) == len(labels):
            return model.labels, held_out.probabilities
        if len(labels) >= LARGE:  # rows that are counted alone may count by what they are; only the held ones are looked at
            shares = np.eye(len(model.labels))[np.searchsorted(np.array(model.labels), np.array(coarse))]
            shares[held_out.rows] = held_out.probabilities
            return model.labels, shares
    if issue is not None and issue.classifier is not None:
        texts = made.texts
        parts = [(start, min(start + PART_ROWS, len(labels))) for start in range(0, len(labels), PART_ROWS)]
        return issue.labels, np.vstack([issue.probabilities(made.features.part(*part), texts[slice(*part)]) for part in parts])
    return (), None


def located(made: Prepared) -> list[str]:
    """Return the texts in which places and names are looked for: title, body and address."""
    return [f"{text}\n{address}" for text, address in zip(made.texts, made.addresses, strict=True)]


def times(petitions: pa.Table) -> F64 | None:
    """Return the time of each row in seconds, missing ones as the earliest; None where too few rows have one."""
    column = petitions["submitted_at"]
    if column.null_count > (1 - _TIMED_SHARE) * len(column) or len(column.unique()) < 10:
        return None
    seconds = column.to_numpy().astype("datetime64[s]").astype(np.float64)
    missing = column.is_null().to_numpy(zero_copy_only=False) if hasattr(column, "is_null") else np.isnan(seconds)
    return np.where(missing, np.nanmin(np.where(missing, np.nan, seconds)), seconds)


def usable_labels(
    target: str, petitions: pa.Table, city: City, tree: IssueTree
) -> tuple[list[str | None], Counter[str]]:
    """Return the class of each row, None where it cannot be used, and why how many are left out."""
    skipped: Counter[str] = Counter()
    out: list[str | None] = []
    today = dt.date.today()
    for label in petitions[target].to_pylist():
        text = label.strip()
        found: str | None = None
        if not text:
            skipped["no label"] += 1
        elif target == "issue_type":
            found = str(tree.resolve(text) or text)
        elif city.directory is None:
            found = "".join(text.split())
        else:
            code = city.directory.resolve(text)
            now = city.directory.successor_on(code, today) if code else ()
            if now:
                found = str(now[0])
            else:
                skipped["label outside the directory" if code is None else "unit abolished without successor"] += 1
        out.append(found)
    return out, skipped


def evaluate_model(target: str, petitions: pa.Table, saved: registry.SavedModel, issue: IssueModel | None) -> Scores:
    """Score labelled petitions with a saved version.

    Raises:
        TrainingError: if no row has a label.
    """
    tree = IssueTree.load()
    city = city_of(saved)
    labels, skipped = usable_labels(target, petitions, City(city.directory, city.gazetteer), tree)
    # A label outside the directory is a wrong answer of the router, not a row to leave out.
    filed = petitions[target].to_pylist()
    truth = [label if label is not None else text.strip() for label, text in zip(labels, filed, strict=True)]
    usable = np.array([bool(label) for label in truth])
    if not usable.any():
        msg = f"no row has a {target} label"
        raise TrainingError(msg)
    petitions = petitions.filter(pa.array(usable))
    made = prepare(petitions, segmenter(lexicon_of(saved)))
    if target == "issue_type":
        model = issue_model(saved)
        probabilities, names = model.probabilities(made.features, made.texts), model.labels
    else:
        unit = unit_model(saved)
        directory = directory_of(saved, city)
        gazetteer = city.gazetteer.on(dt.date.today()) if city.gazetteer else None
        given = GivenViews(directory, gazetteer, segmenter(lexicon_of(saved))).scores(made.features, located(made))
        issue_labels: Sequence[str] = ()
        issues: F64 = np.zeros((made.features.size, 0))
        if unit.history is not None and issue is not None:
            issue_labels, issues = issue.labels, issue.probabilities(made.features, made.texts)
        excluded = refusals(petitions, directory)
        probabilities, names = unit.score(given, issue_labels, issues, made.texts, excluded).probabilities, unit.units
    return Scores(probabilities, names, [label for label in truth if label], skipped)


def refusals(petitions: pa.Table, directory: UnitDirectory) -> npt.NDArray[np.bool_] | None:
    """Return the cells (row, unit) that sent the petition back, or None where none did."""
    index = {str(unit.code): i for i, unit in enumerate(directory.units)}
    cells = np.zeros((petitions.num_rows, len(index)), bool)
    for row, names in enumerate(petitions["refused_units"].to_pylist()):
        for name in names or ():
            code = directory.resolve(name)
            if code is not None and str(code) in index:
                cells[row, index[str(code)]] = True
    return cells if cells.any() else None


def _classifier(classifier: Classifier | None) -> Classifier:
    if classifier is None:
        msg = "nothing was learnt"
        raise TrainingError(msg)
    return classifier


def _told(skipped: Counter[str]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in skipped.items()) or "no rows"
