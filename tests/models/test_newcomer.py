"""A new unit: found by its duties before its first letter, learnt from its first fifty, and no flood for the others."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import toy

from corpora.records import UnitCode
from corpora.units import DutyItem, Unit, UnitDirectory
from models import persistence
from models.classifier import FOLDS, make_folds
from models.given import GivenScores, GivenViews
from models.newcomer import MAX_SHARE, ROWS_WORTH, LeftOut, Newcomer, groups
from models.serving import rebase
from models.unit import UnitModel

#: unit → what its letters are about; the duty item names the first three, letters are about all.
THINGS = {
    "城管": ("路灯", "窨井盖", "垃圾桶", "流动摊点", "广告牌", "公共厕所"),
    "人社": ("工资", "社保", "加班费", "工伤赔偿", "劳动合同", "养老金"),
    "教育": ("学区", "幼儿园", "补课班", "校服", "营养餐", "教师资格"),
    "交通": ("公交车", "地铁站", "停车场", "出租车", "红绿灯", "高架桥"),
    "医保": ("报销比例", "医保卡", "长护险", "异地就医", "生育津贴", "定点药店"),
    "水利": ("河道淤积", "水库", "防汛沙袋", "堤坝", "自来水", "排涝泵站"),
}
WRONG = ("没人管", "太慢了", "不合理", "一直拖着", "打电话推来推去", "什么时候能解决", "希望给个说法")
NEW = list(THINGS).index("水利")
DAY = dt.date(2026, 1, 1)


def directory(*, without: int | None = None) -> UnitDirectory:
    """Return the units with a duty item each, one of them left out."""
    return UnitDirectory(
        Unit(
            UnitCode(code), f"{code}事务局", "department",
            duties=(DutyItem(f"{code}-1", UnitCode(code), f"负责{things[0]}、{things[1]}等事项", things[1:3]),),
        )
        for i, (code, things) in enumerate(THINGS.items())
        if i != without
    )  # fmt: skip


@dataclass(frozen=True)
class Letters:
    """Letters, the unit of each by its place in THINGS, and when they came."""

    given: GivenScores
    y: np.ndarray
    order: np.ndarray


def letters(per_unit: dict[int, int], units: UnitDirectory, start: int = 0) -> Letters:
    """Return letters of each unit in turns of things and complaints, in the order of the units."""
    titles, bodies, y = [], [], []
    for unit, count in per_unit.items():
        pairs = itertools.islice(itertools.cycle(itertools.product(WRONG, list(THINGS.values())[unit])), start, start + count)
        for i, (wrong, thing) in enumerate(pairs):
            titles.append(f"反映{thing}问题")
            bodies.append(f"您好，我们这里的{thing}{wrong}，住在{start + i * 7 % 31}号楼，请尽快处理。")
            y.append(unit)
    made = toy.features(titles, bodies)
    texts = [f"{title}\n{body}" for title, body in zip(titles, bodies, strict=True)]
    return Letters(GivenViews(units, None, toy.SEGMENTER).scores(made, texts), np.array(y), np.arange(len(y), dtype=float))


ALL = dict.fromkeys(range(len(THINGS)), 24)


def learnt(rows_of_new: int) -> UnitModel:
    """Return a model whose directory has the new unit, with so many rows of it."""
    rows = letters({NEW: rows_of_new} | dict.fromkeys(range(NEW), 40), directory())
    return UnitModel.fit(rows.given, list(THINGS), rows.y, rows.order)[0]


def shares(model: UnitModel) -> tuple[float, float]:
    """Return the share of the new unit's letters that have it in the top 3, and of others' that are given to it."""
    later = letters(ALL, directory(), start=11)
    found = model.score(later.given, (), np.zeros((len(later.y), 0))).probabilities
    assert found.sum(1) == pytest.approx(1.0)
    own = later.y == NEW
    top = np.argsort(-found, axis=1)
    assert (top[~own, 0] == later.y[~own]).mean() > 0.9
    return float((top[own, :3] == NEW).any(1).mean()), float((top[~own, 0] == NEW).mean())


@pytest.fixture(scope="module")
def without_rows() -> UnitModel:
    """Return a model in whose directory is a unit that no row bears."""
    return learnt(0)


def test_without_rows_it_is_found_by_its_duties_and_takes_nothing_from_others(without_rows: UnitModel) -> None:
    assert without_rows.classifier is not None
    assert without_rows.classifier.ranker.newcomer is not None
    suggested, flooded = shares(without_rows)
    assert suggested >= 0.6
    assert flooded <= 0.05


def test_from_fifty_rows_of_its_first_weeks_it_is_learnt() -> None:
    suggested, flooded = shares(learnt(50))
    assert suggested >= 0.9
    assert flooded <= 0.05


def test_a_model_trained_before_the_unit_was_there_finds_it_by_its_duties() -> None:
    before, today = directory(without=NEW), directory()
    rows = letters(dict.fromkeys(range(NEW), 40), before)
    old = UnitModel.fit(rows.given, [str(u.code) for u in before.units], rows.y, rows.order)[0]
    moved = rebase(old, today, today, DAY)
    assert moved.units == tuple(THINGS)
    suggested, flooded = shares(moved)
    assert suggested >= 0.6
    assert flooded <= 0.05


def test_a_saved_model_scores_new_units_as_before(without_rows: UnitModel) -> None:
    assert without_rows.classifier is not None
    arrays, plain = persistence.dump(without_rows.classifier)
    again = UnitModel(without_rows.units, persistence.load(arrays, plain))
    later = letters(ALL, directory(), start=11)
    none = np.zeros((len(later.y), 0))
    assert again.score(later.given, (), none).probabilities == pytest.approx(
        without_rows.score(later.given, (), none).probabilities
    )


def test_a_refusal_holds_for_a_new_unit(without_rows: UnitModel) -> None:
    later = letters({NEW: 6}, directory())
    excluded = np.zeros((6, len(THINGS)), bool)
    excluded[:, NEW] = True
    found = without_rows.score(later.given, (), np.zeros((6, 0)), excluded).probabilities
    assert not found[:, NEW].any()


# -- what is learnt from classes left out ------------------------------------------------------------------------------


def left_out(seed: int, own: int = 40, others: int = 400, classes: int = 10) -> LeftOut:
    """Return a class of which one view speaks and another does not; the known classes claim its rows less."""
    rng = np.random.default_rng(seed)
    mine = np.arange(own + others) < own
    speaks = np.where(mine, rng.random(own + others), 0.3 * rng.random(own + others)).astype(np.float32)
    known = rng.normal(np.where(mine, 2.0, 4.0), 1.0)
    return LeftOut(known, {"duty": speaks, "noise": rng.random(own + others).astype(np.float32)}, mine, classes)


def test_the_view_that_tells_has_the_weight() -> None:
    found = Newcomer.fit([left_out(i) for i in range(5)], 11, {})
    assert found is not None
    weights = dict(zip(found.views, found.weights.tolist(), strict=True))
    assert weights["duty"] > 5 * weights["noise"] >= 0


@pytest.mark.parametrize("own", [10, 40, 300])
def test_a_newcomer_takes_the_share_of_an_average_class(own: int) -> None:
    examples = [left_out(i, own) for i in range(5)]
    found = Newcomer.fit(examples, 11, {})
    assert found is not None
    one = examples[0]
    views = {name: view[:, None] for name, view in one.given.items()}
    rows = np.array([0] + [100] * 10)
    wide = {name: np.tile(view, (1, 11)) for name, view in views.items()}
    scores = found.blend(np.zeros((len(one.known), 11)), wide, rows, rows)[:, 0]
    chance = 1 / (1 + np.exp(one.known - scores))
    # Rows as they would come: one in eleven is the newcomer's.
    share = chance[one.mine].mean() / 11 + chance[~one.mine].mean() * 10 / 11
    assert share == pytest.approx(1 / 11, rel=0.35)


def test_a_view_that_is_silent_of_all_classes_left_out_keeps_the_weight_that_it_has() -> None:
    examples = [left_out(i) for i in range(5)]
    for one in examples:
        one.given["place"] = np.zeros(len(one.mine), np.float32)
    found = Newcomer.fit(examples, 11, {"place": 3.5, "duty": 1.0})
    assert found is not None
    assert dict(zip(found.views, found.weights.tolist(), strict=True))["place"] == 3.5


def test_too_few_classes_teach_nothing() -> None:
    assert Newcomer.fit([left_out(0), left_out(1)], 3, {}) is None


def blended(found: Newcomer, rows: list[int], settled: list[int], score: float = -3.0) -> np.ndarray:
    """Return the scores of classes that the ranker and the duties both score alike."""
    views = {"duty": np.ones((1, len(rows)), np.float32)}
    return found.blend(np.full((1, len(rows)), score), views, np.array(rows), np.array(settled))[0]


def test_a_crowd_of_newcomers_shares_what_a_few_expect() -> None:
    found = Newcomer(("duty",), np.array([2.0]), -1.0, 20)
    few = int(MAX_SHARE * 20)
    for count in (1, few, 50):
        rows = [0] * count + [100] * 20
        new = blended(found, rows, rows)[:count]
        assert np.exp(new).sum() == pytest.approx(min(count, few) * np.exp(1.0))


def test_the_more_rows_the_less_the_duties_count() -> None:
    found = Newcomer(("duty",), np.array([4.0]), 0.0, 3)
    rows = [ROWS_WORTH, 10 * ROWS_WORTH, 10_000_000]
    scores = blended(found, rows, [0, 0, rows[2]])
    assert (np.diff(scores) < 0).all()
    assert scores[2] == pytest.approx(-3.0, abs=0.01)


def test_a_new_class_is_expected_to_go_on_as_an_average_one_and_a_rare_one_to_stay_rare() -> None:
    found = Newcomer(("duty",), np.array([0.0]), -30.0, 4)
    new, rare, *_ = blended(found, [20, 20, 180, 180], [0, 20, 180, 180])
    learnt = np.log(20 / (20 + ROWS_WORTH))
    assert new == pytest.approx(-3 + learnt + np.log(100 / 20))
    assert rare == pytest.approx(-3 + learnt)


def test_groups_leave_out_each_class_once_and_none_that_is_rare_or_unspoken_for() -> None:
    y = np.repeat(np.arange(8), [50, 40, 30, 20, 10, 5, 4, 30])
    speaks = np.arange(8) != 7
    found = groups(y, speaks, 3)
    assert len(found) == 3
    assert sorted(np.concatenate(found).tolist()) == [0, 1, 2, 3, 4, 5]
    assert groups(y, np.zeros(8, bool), 3) == []


def test_a_class_of_a_few_weeks_is_dealt_over_all_folds() -> None:
    # 20 rows of class 2 within the first hundred, then none.
    y = np.tile([0, 1], 250)
    y[:100:5] = 2
    folds = make_folds(len(y), np.arange(500.0), y)
    assert np.bincount(folds[y == 2], minlength=FOLDS).tolist() == [4] * FOLDS
    plain = make_folds(len(y), np.arange(500.0))
    assert folds[y != 2].tolist() == plain[y != 2].tolist()
    # In its own time, oldest first.
    assert (np.diff(folds[y == 2]) >= 0).all()
