"""BM25 over duty items: the formula by hand, and who is found for what."""

from __future__ import annotations

import numpy as np
import pytest
import toy

from models.duty_index import DutyIndex, DutyText, relative
from pipeline.petitions.features import WordTable, featurise

DUTIES = [
    DutyText("D1", 0, "物业服务活动监督管理", ("物业", "物业费", "业委会")),
    DutyText("D2", 1, "城市照明设施维护", ("路灯", "不亮")),
    DutyText("D3", 1, "城市道路窨井盖养护", ("窨井盖", "路面塌陷")),
    DutyText("D4", 2, "劳动保障监察", ("拖欠工资", "欠薪", "加班费")),
]
INDEX = DutyIndex(DUTIES, toy.SEGMENTER)

#: (text, duty that fits best)
FOUND = [
    ("小区物业费太贵，物业不作为", "D1"),
    ("我们这条路的路灯不亮", "D2"),
    ("窨井盖没了", "D3"),
    ("厂里欠薪三个月", "D4"),
    ("要求发加班费", "D4"),
]


def ask(*texts: str) -> np.ndarray:
    """Return scores of texts."""
    return INDEX.scores(toy.features([""] * len(texts), texts))


@pytest.mark.parametrize(("text", "duty"), FOUND)
def test_what_fits_best(text: str, duty: str) -> None:
    assert DUTIES[int(ask(text)[0].argmax())].id == duty


def test_scores_are_those_of_the_formula() -> None:
    # Documents without keywords; a query counts each of its n-grams once.
    duties = [DutyText("1", 0, "ab", ()), DutyText("2", 0, "abcb", ()), DutyText("3", 0, "zzz", ())]
    index = DutyIndex(duties, toy.SEGMENTER)
    written = ["ab\n\n", "abcb\n\n", "zzz\n\n"]  # as without keywords
    documents = featurise([""] * 3, written, WordTable.of(toy.SEGMENTER.cut(written)))
    query = toy.features([""], ["ab"])
    expected = np.zeros(3)
    for name in ("char", "word"):
        block, asked = documents.blocks[name], set(query.blocks[name].buckets.tolist())
        length = np.bincount(block.rows, block.counts, 3)
        for row, bucket, count in zip(block.rows, block.buckets, block.counts, strict=True):
            if bucket in asked:
                df = (block.buckets == bucket).sum()
                idf = np.log(1 + (3 - df + 0.5) / (df + 0.5))
                expected[row] += idf * count * 2.2 / (count + 1.2 * (0.4 + 0.6 * length[row] / length.mean()))
    assert index.scores(query)[0] == pytest.approx(expected, rel=1e-4)


def test_repetition_in_a_letter_does_not_count() -> None:
    once, often = ask("路灯不亮", "路灯不亮路灯不亮路灯不亮")
    assert often[1] == pytest.approx(once[1], rel=0.02)


def test_the_best_duty_speaks_for_its_owner() -> None:
    scores = ask("窨井盖没了", "天气很好")
    best, which = INDEX.by_owner(scores, 4)
    assert best.shape == which.shape == (2, 4)
    assert which[0, 1] == 2
    assert best[0, 1] == scores[0, 2] == scores[0].max()
    assert (which[:, 3] == -1).all()
    assert not best[:, 3].any()


def test_a_text_that_fits_nothing() -> None:
    scores = ask("qwerty")
    # Every document and every text holds a line break; nothing else is shared.
    assert scores.max() < 0.5
    assert relative(scores).max() < 0.15


def test_shares_of_the_best() -> None:
    found = relative(np.array([[8.0, 4.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]], np.float32))
    assert found.tolist() == [[1, 0.5, 0], [0.5, 0.25, 0], [0, 0, 0]]
    assert found.dtype == np.float32


def test_texts_do_not_depend_on_each_other() -> None:
    texts = [text for text, _ in FOUND]
    together = ask(*texts)
    for row, text in enumerate(texts):
        assert ask(text)[0].tolist() == together[row].tolist()
    assert len(INDEX) == 4
    assert ask().shape == (0, 4)
