"""Saved and loaded again, a classifier gives the same probabilities to the last bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import toy
from safetensors.numpy import load_file, save_file

from models import persistence
from models.classifier import Classifier

MADE, Y = toy.learnable(40)
LATER, _ = toy.learnable(30)
GIVEN = np.random.default_rng(0).random((40, 3)).astype(np.float32)


def learnt(kind: str) -> Classifier:
    """Return a fitted classifier of a kind."""
    if kind == "few rows":
        made, y = toy.learnable(4)
        return Classifier.fit(made, y, 3, None)[0]
    if kind == "no titles":
        _, bodies, y = toy.letters(40)
        return Classifier.fit(toy.features([""] * 40, bodies), np.array(y), 3, None)[0]
    if kind == "unseen classes":
        return Classifier.fit(MADE, Y * 2, 7, np.arange(40.0))[0]
    return Classifier.fit(MADE, Y, 3, None, {"duty": GIVEN})[0]


@pytest.mark.parametrize("kind", ["plain", "few rows", "no titles", "unseen classes"])
def test_round_trip_through_files(kind: str, tmp_path: Path) -> None:
    before = learnt(kind)
    arrays, plain = persistence.dump(before)
    save_file(arrays, tmp_path / "arrays.safetensors")
    after = persistence.load(load_file(tmp_path / "arrays.safetensors"), json.loads(json.dumps(plain)))
    extra = {"duty": GIVEN[:30]} if "duty" in before.ranker.views else None
    one, other = before.score(LATER, extra), after.score(LATER, extra)
    assert one.probabilities.tolist() == other.probabilities.tolist()
    assert one.nearest.tolist() == other.nearest.tolist()
    assert one.cosine.tolist() == other.cosine.tolist()
    assert after.classes == before.classes


def test_dumping_again_gives_the_same() -> None:
    arrays, plain = persistence.dump(learnt("plain"))
    again, plain_again = persistence.dump(persistence.load(arrays, plain))
    assert plain == plain_again
    assert arrays.keys() == again.keys()
    for name, value in arrays.items():
        assert value.dtype == again[name].dtype
        assert value.tolist() == again[name].tolist()


def test_what_is_missing_is_named() -> None:
    arrays, plain = persistence.dump(learnt("plain"))
    del arrays["ranker.bias"]
    with pytest.raises(KeyError, match=r"ranker\.bias"):
        persistence.load(arrays, plain)
