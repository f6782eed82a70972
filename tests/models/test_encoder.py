"""Weighting: TF-IDF as the formula says, unit-length blocks, unknown buckets left out."""

from __future__ import annotations

import numpy as np
import pytest
import toy

from models import encoder as module
from models.encoder import BLOCKS, Encoder
from pipeline.petitions.features import BUCKET_BITS, Block, TextFeatures

#: (row, bucket, count) of three small texts.
ENTRIES = [(0, 3, 1), (0, 7, 2), (1, 3, 4), (2, 9, 1), (2, 11, 1)]


def texts(entries: list[tuple[int, int, int]], size: int) -> TextFeatures:
    """Return features with the same entries in each block."""
    rows, buckets, counts = zip(*entries, strict=True)
    block = Block(np.array(rows, np.int32), np.array(buckets, np.int32), np.array(counts, np.float32))
    return TextFeatures(size, dict.fromkeys(BLOCKS, block))


SMALL = texts(ENTRIES, 3)


@pytest.mark.parametrize("name", list(BLOCKS))
def test_values_are_those_of_the_formula(name: str) -> None:
    encoder = Encoder.fit(SMALL, 2)
    share, damped = BLOCKS[name]
    df = {3: 2, 7: 1, 9: 1, 11: 1}
    expected = np.zeros((3, 4))
    for row, bucket, count in ENTRIES:
        tf = 1 + np.log(count) if damped else count
        expected[row, sorted(df).index(bucket)] = tf * (np.log(4 / (1 + df[bucket])) + 1)
    expected *= share / np.linalg.norm(expected, axis=1, keepdims=True)
    assert encoder.buckets[name].tolist() == sorted(df)
    assert encoder.transform_block(SMALL, name).toarray() == pytest.approx(expected, rel=1e-5)


def test_idf_agrees_with_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfTransformer

    made, _ = toy.learnable(20)
    encoder = Encoder.fit(made, 3)
    block = made.blocks["char"]
    counts = np.zeros((20, len(encoder.buckets["char"])))
    counts[block.rows, encoder.columns("char", block.buckets)] = block.counts
    expected = TfidfTransformer().fit_transform(counts).toarray()
    assert encoder.transform_block(made, "char").toarray() == pytest.approx(expected, abs=1e-5)


def test_blocks_have_their_share_as_length() -> None:
    made, _ = toy.learnable(30)
    for name, matrix in Encoder.fit(made, 3).transform(made).items():
        assert matrix.dtype == np.float32
        lengths = np.sqrt(matrix.multiply(matrix).sum(1)).A1
        assert lengths == pytest.approx(BLOCKS[name][0], rel=1e-4)


def test_unknown_buckets_and_empty_texts_are_zero() -> None:
    encoder = Encoder.fit(SMALL, 2)
    other = texts([(1, 5, 1), (1, 3, 1)], 3)
    matrix = encoder.transform_block(other, "char").toarray()
    assert matrix.tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert encoder.columns("char", np.array([3, 5, 11, (1 << BUCKET_BITS) - 1])).tolist() == [0, -1, 3, -1]


def test_blocks_stand_side_by_side() -> None:
    encoder = Encoder.fit(SMALL, 2)
    joined = encoder.join(encoder.transform(SMALL))
    assert joined.shape == (3, encoder.width)
    for name, matrix in encoder.transform(SMALL).items():
        start = encoder.offset(name)
        assert joined[:, start : start + matrix.shape[1]].toarray().tolist() == matrix.toarray().tolist()


def test_rare_buckets_go_first_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = toy.learnable(40)
    full = Encoder.fit(made, 3)
    monkeypatch.setattr(module, "MAX_COEFFICIENTS", full.width * 3 - 1)
    fewer = Encoder.fit(made, 3)
    assert 0 < fewer.width < full.width
    for name, kept in fewer.buckets.items():
        frequency = np.bincount(made.blocks[name].buckets, minlength=1 << BUCKET_BITS)
        assert frequency[kept].min() > 1
        assert set(kept.tolist()) < set(full.buckets[name].tolist())


def test_texts_without_titles() -> None:
    _, bodies, _ = toy.letters(6)
    made = toy.features([""] * 6, bodies)
    encoder = Encoder.fit(made, 3)
    assert len(encoder.buckets["title"]) == 0
    assert encoder.transform(made)["title"].shape == (6, 0)
    # A title that the training rows never had is no trouble later.
    assert encoder.transform(toy.features(["路灯"], ["坏了"]))["title"].nnz == 0


def test_rows_do_not_depend_on_the_batch() -> None:
    titles, bodies, _ = toy.letters(9)
    encoder = Encoder.fit(toy.features(titles, bodies), 3)
    whole = encoder.join(encoder.transform(toy.features(titles, bodies))).toarray()
    for row in (0, 4, 8):
        alone = encoder.join(encoder.transform(toy.features(titles[row : row + 1], bodies[row : row + 1])))
        assert alone.toarray()[0] == pytest.approx(whole[row], abs=1e-6)


def test_what_too_few_rows_hold_is_left_out() -> None:
    made = toy.features(["", "", ""], ["路灯坏了", "路灯不亮", "路灯不亮"])
    for least in (1, 2, 3):
        encoder = Encoder.fit(made, 3, least)
        for name, block in made.blocks.items():
            assert encoder.buckets[name].tolist() == np.flatnonzero(np.bincount(block.buckets) >= least).tolist()
