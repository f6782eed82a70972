"""The detectors, by tables of invented replies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pytest

from corpora.config import load_config
from corpora.reply_config import load_reply_config
from pipeline.petitions.deadline import DeadlineRules
from pipeline.policies.citations import Finder
from pipeline.replies.copies import copies
from pipeline.replies.explanation import explanation
from pipeline.replies.relevance import relevance, shared_phrases
from pipeline.replies.requests import requests_of, select
from pipeline.replies.terms import weighted
from pipeline.replies.timeliness import timeliness
from pipeline.replies.wording import Wording, kind_of

CONFIG = load_reply_config()
WORDING = Wording(CONFIG)
PETITION = "海棠路路灯不亮\n海棠路12号门口的路灯坏了半个月，请问何时能修好？"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("网友：您好！留言已收悉", "holding"),
        ("您的留言已收悉！我们已将您反映的问题转相关部门进行处理，敬请关注后续回复，谢谢！", "holding"),
        ("您反映的问题已转白沙县调查核处。2026年3月4日", "holding"),
        ("您的留言已收悉，已转市教育局办理。", "holding"),
        ("经查，海棠路12号门口路灯因电缆老化损坏，我局已于2月20日更换电缆，路灯恢复照明。", "substantive"),
        ("您好！因不属于我区管辖范围，建议您向市电业局反馈。", "referral"),
        ("您好！建议直接咨询教育局，电话：〔电话〕。", "referral"),
        ("你好，请向当地民政部门询问。", "referral"),
        ("经审查，该地块选址不合理，根据《医疗机构管理条例》不予审批。", "refusal_with_reason"),
        ("该申请不予批准，您申请的补助暂不发放给您本人。", "refusal"),
        ("。。。！", "holding"),
        ("可以办理。", "substantive"),
    ],
)
def test_kinds(reply: str, kind: str) -> None:
    assert kind_of(WORDING.read(reply, PETITION), WORDING) == kind


def test_a_copy_of_the_petition_answers_nothing() -> None:
    text = WORDING.read(PETITION, PETITION)
    assert kind_of(text, WORDING) in ("echo", "holding")
    assert text.content == ""


@pytest.mark.parametrize(
    ("reply", "unit", "day"),
    [
        ("路灯已经修好了。感谢您的支持！ 海棠街道办事处 2026年3月4日", "海棠街道办事处", dt.date(2026, 3, 4)),
        ("路灯已经修好了。感谢您的支持！市城市管理局", "市城市管理局", None),
        ("路灯已经修好了，感谢支持。2026.3.4", "", dt.date(2026, 3, 4)),
        ("海棠街道和城管局都来看过了。", "", None),
        ("路灯已经修好了。2026年13月4日", "", None),
    ],
)
def test_signatures(reply: str, unit: str, day: dt.date | None) -> None:
    text = WORDING.read(reply, PETITION)
    assert (text.unit, text.signed_on) == (unit, day)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("路灯坏了。请问何时能修好？希望尽快派人。", ["请问何时能修好？", "希望尽快派人。"]),
        ("路灯坏了，难道没有人管吗？", ["路灯不亮"]),
        ("路灯坏了。", ["路灯不亮"]),
        ("业主找到开发商要求退房，开发商拒绝。恳请政府协调。", ["恳请政府协调。"]),
        ("请问何时能修好？请问何时能修好？", ["请问何时能修好？"]),
    ],
)
def test_requests(body: str, wanted: list[str]) -> None:
    assert select(requests_of("路灯不亮", body), WORDING) == wanted


def at(*texts: str | None) -> np.ndarray:
    return np.array([np.datetime64(text) if text else np.datetime64("NaT") for text in texts], "datetime64[s]")


@pytest.mark.parametrize(
    ("received", "replied", "state", "days", "late"),
    [
        ("2026-03-02T09:00", "2026-03-09T17:00", "on_time", 5, 0),
        ("2026-03-02T09:00", "2026-03-10T09:00", "late", 6, 1),
        ("2026-03-02T09:00", "2026-03-02T10:00", "on_time", 0, 0),
        # 2026 春节: 15 to 23 February off, 14 and 28 February worked.
        ("2026-02-13T09:00", "2026-02-24T09:00", "on_time", 2, 0),
        ("2026-02-13T09:00", "2026-02-28T09:00", "late", 6, 1),
        # 2025 国庆: 1 to 8 October off, 28 September and 11 October worked.
        ("2025-09-26T09:00", "2025-10-11T09:00", "late", 6, 1),
        ("2025-09-30T20:00", "2025-10-09T09:00", "on_time", 1, 0),
        ("2003-03-03T09:00", "2003-03-04T09:00", "unknown", None, None),
        ("2031-03-03T09:00", "2031-03-04T09:00", "unknown", None, None),
        (None, "2026-03-04T09:00", "unknown", None, None),
        ("2026-03-02T09:00", None, "unknown", None, None),
    ],
)
def test_timeliness(received: str | None, replied: str | None, state: str, days: int | None, late: int | None) -> None:
    rules = DeadlineRules.compile(load_config().deadlines)
    [found] = timeliness(at(received), at(replied), [True], [""], [""], rules, dt.date(2026, 11, 25))
    assert (found.state, found.working_days, found.late) == (state, days, late)
    assert (found.score is None) == (state == "unknown")
    assert (found.note != "") == (state == "unknown")
    if state == "late":
        assert found.score == pytest.approx(5 / 6)


def test_unanswered_is_judged_as_of_a_day() -> None:
    rules = DeadlineRules.compile(load_config().deadlines)
    times = at("2026-03-02T09:00", "2026-03-12T09:00"), at(None, None)
    states = [item.state for item in timeliness(*times, [False, False], ["", ""], ["", ""], rules, dt.date(2026, 3, 13))]
    assert states == ["overdue", "pending"]


def test_petition_office_has_sixty_days() -> None:
    rules = DeadlineRules.compile(load_config().deadlines)
    [found] = timeliness(at("2026-03-02T09:00"), at("2026-04-20T09:00"), [True], ["来信"], [""], rules, dt.date(2026, 5, 1))
    assert (found.state, found.rule) == ("on_time", "petition-office")


def batch(count: int) -> tuple[list[str], list[str]]:
    streets = [f"{a}{b}路" for a in "海棠金水银河白云湖滨石桥" for b in "东西南北中山江湖"][:count]
    petitions = [f"{name}的积水问题\n{name}一下雨就积水，请问{name}的排水管什么时候改造？" for name in streets]
    return petitions, [f"经查，{name}积水是因为管道老化，{name}排水管将于6月底前改造完成。" for name in streets]


def test_relevance_is_against_other_petitions() -> None:
    petitions, replies = batch(40)
    fitting = relevance(petitions, replies, replies, CONFIG.relevance)
    moved = relevance(petitions, replies[1:] + replies[:1], replies[1:] + replies[:1], CONFIG.relevance)
    same = relevance(petitions, [replies[0]] * 40, [replies[0]] * 40, CONFIG.relevance)
    assert np.mean([part.score for part in fitting]) > np.mean([part.score for part in moved]) + 0.3
    assert np.mean([part.score for part in same]) < 0.3


def test_relevance_of_one_reply_alone_says_so() -> None:
    [part] = relevance([PETITION], ["海棠路12号门口的路灯已修好"], ["海棠路12号门口的路灯已修好"], CONFIG.relevance)
    assert part.score is not None
    assert part.score > 0
    assert any("太少" in note for note in part.found)


def test_shared_phrases() -> None:
    assert shared_phrases(PETITION, "经查，海棠路12号门口的路灯已修好") == ("海棠路12号门口的路灯",)
    assert shared_phrases(PETITION, "已收悉") == ()


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("因电缆老化，我局已于2月20日更换电缆30米。", "我局会进一步加强管理。"),
        ("根据《城市道路管理条例》第二十四条，应当由市政部门维修。", "应当由市政部门维修。"),
        ("由于电缆老化，路灯停电。", "由于电缆老化，路灯停电，我们将尽快处理，请耐心等待。"),
    ],
)
def test_explanation_orders(better: str, worse: str) -> None:
    finder = Finder(())
    first, second = (explanation(WORDING.read(text, PETITION), WORDING, finder, 1).score for text in (better, worse))
    assert first is not None
    assert second is not None
    assert first > second


def test_a_copied_reply_explains_less() -> None:
    text = WORDING.read("由于电缆老化，我局已更换电缆30米。", PETITION)
    alone, copied = (explanation(text, WORDING, Finder(()), number).score for number in (1, 5))
    assert copied == pytest.approx((alone or 0) / 2)


def grouped(replies: Sequence[str], petitions: Sequence[str]) -> list[int]:
    [rows] = weighted((petitions,), 1)
    return copies(replies, rows, CONFIG.relevance.same_matter, CONFIG.copies).size.tolist()


def test_copies() -> None:
    petitions, replies = batch(6)
    long = "网友“UU00{}”您好，您的来信我们十分重视，将进一步加强管理，为市民创造良好的生活环境。2026年3月{}日"
    other = ["金水路的路灯坏了", "学区怎么划分", "工地夜间施工噪音大", "公交车班次太少", "医保卡无法使用", "宠物狗没有牵绳"]
    assert grouped([long.format(n, n) for n in range(1, 7)], other) == [6] * 6
    assert grouped(replies, other) == [1] * 6 or max(grouped(replies, other)) < 6
    assert grouped([long.format(n, n) for n in range(1, 7)], [petitions[0]] * 6) == [1] * 6, "one matter, one answer"
    assert grouped(["", "", "", ""], other[:4]) == [1] * 4
    assert grouped(["收悉"] * 4, other[:4]) == [4] * 4
