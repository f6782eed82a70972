"""A classifier as plain arrays and plain values: nothing that runs when it is loaded."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from models.classifier import Classifier, LearntViews
from models.encoder import Encoder
from models.newcomer import Newcomer
from models.ranker import Calibration, Ranker
from models.views import LinearViews, NeighbourView

Arrays = dict[str, npt.NDArray[Any]]


def dump(classifier: Classifier) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays of a classifier and its plain values (JSON-able)."""
    encoder, linear, neighbours = classifier.views.encoder, classifier.views.linear, classifier.views.neighbours
    arrays: Arrays = {}
    for name in encoder.buckets:
        arrays[f"encoder.{name}.buckets"] = encoder.buckets[name]
        arrays[f"encoder.{name}.idf"] = encoder.idf[name]
        arrays[f"linear.{name}"] = linear.coefficients[name]
    arrays["linear.seen"] = linear.seen
    arrays["linear.intercept"] = linear.intercept
    index = neighbours.transposed
    arrays |= {
        "neighbours.data": index.data,
        "neighbours.indices": index.indices,
        "neighbours.indptr": index.indptr,
        "neighbours.shape": np.array(index.shape, np.int64),
        "neighbours.labels": neighbours.labels,
        "neighbours.keep": neighbours.keep,
        "ranker.weights": classifier.ranker.weights,
        "ranker.bias": classifier.ranker.bias,
    }
    if classifier.ranker.rows is not None and classifier.ranker.settled is not None:
        arrays |= {"ranker.rows": classifier.ranker.rows, "ranker.settled": classifier.ranker.settled}
    plain = {
        "classes": classifier.classes,
        "blocks": list(encoder.buckets),
        "linear_views": list(linear.names),
        "unseen": linear.unseen,
        "ranker_views": list(classifier.ranker.views),
        "calibration": dataclasses.asdict(classifier.ranker.calibration),
        "newcomer": _newcomer_values(classifier.ranker.newcomer),
    }
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}, plain


def load(arrays: Arrays, plain: dict[str, Any]) -> Classifier:
    """Return the classifier that `dump` took apart.

    Raises:
        KeyError: if an array or value is missing.
    """
    blocks = plain["blocks"]
    encoder = Encoder(
        {name: arrays[f"encoder.{name}.buckets"] for name in blocks},
        {name: arrays[f"encoder.{name}.idf"] for name in blocks},
    )
    linear = LinearViews(
        tuple(plain["linear_views"]),
        arrays["linear.seen"],
        {name: arrays[f"linear.{name}"] for name in blocks},
        arrays["linear.intercept"],
        float(plain["unseen"]),
    )
    rows, columns = arrays["neighbours.shape"].tolist()
    index = sp.csr_matrix(
        (arrays["neighbours.data"], arrays["neighbours.indices"], arrays["neighbours.indptr"]), shape=(rows, columns)
    )
    neighbours = NeighbourView(index, arrays["neighbours.labels"], arrays["neighbours.keep"])
    ranker = Ranker(
        tuple(plain["ranker_views"]),
        arrays["ranker.weights"],
        arrays["ranker.bias"],
        Calibration(**plain["calibration"]),
        _newcomer(plain.get("newcomer")),
        arrays.get("ranker.rows"),
        arrays.get("ranker.settled"),
    )
    return Classifier(LearntViews(encoder, linear, neighbours), ranker, int(plain["classes"]))


def _newcomer_values(newcomer: Newcomer | None) -> dict[str, Any] | None:
    if newcomer is None:
        return None
    return dataclasses.asdict(newcomer) | {"views": list(newcomer.views), "weights": newcomer.weights.tolist()}


def _newcomer(plain: dict[str, Any] | None) -> Newcomer | None:
    if plain is None:
        return None
    return Newcomer(
        tuple(plain["views"]), np.array(plain["weights"], float), float(plain["bias"]), int(plain["classes"])
    )
