"""Classes of documents: kind, theme, frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.issue_tree import IssueTree
from corpora.legal import PolicyDocument
from pipeline.policies.classify import classify, frame_of
from pipeline.policies.clauses import outline
from pipeline.policies.frames import frame_shares, sentences


@pytest.mark.parametrize(
    ("sentence", "frame"),
    [
        ("以新发展理念为指导思想，坚持人民至上。", "理念"),
        ("撤销市水利局，组建市农业农村局，不设乡镇和街道。", "结构"),
        ("将住建领域处罚权划转至综合行政执法局。", "结构"),
        ("建立联席会议制度，完善考核评价和信息通报机制。", "机制"),
        ("依托大数据平台，配备专职社工和网格员，落实专项资金。", "手段"),
        ("居民委员会的门牌是蓝色的。", ""),
        ("天气很好。", ""),
        ("", ""),
    ],
)
def test_frame(sentence: str, frame: str) -> None:
    assert frame_of(sentence) == frame


@pytest.mark.parametrize(
    ("title", "theme"),
    [
        ("某市中小学教师培训办法", "14"),
        ("关于设置高速公路收费站的批复", "06"),
        ("某市大气污染防治实施方案", "04"),
        ("某市科技成果转化若干措施", "08"),
        ("关于做好安全生产工作的通知", "0701"),
        ("某市公租房管理办法", "0110"),
        ("某市养老服务规定", "09"),
        ("某市人民政府关于某事的函", ""),
    ],
)
def test_theme(title: str, theme: str) -> None:
    text = f"{title}\n一、要求\n依法办理。"
    found = classify(PolicyDocument("a", "a", text, title), outline(text))
    assert found.theme_code.startswith(theme) if theme else not found.theme_code
    assert found.theme_name == (IssueTree.load().path_name(found.theme_code) if found.theme_code else "")
    assert found.kind


def test_shares_add_up() -> None:
    shares = frame_shares("坚持以人为本的理念。撤销两个局，组建新局。建立考核机制。天气很好。")
    assert shares == pytest.approx({"理念": 1 / 3, "结构": 1 / 3, "机制": 1 / 3, "手段": 0.0})
    assert set(frame_shares("").values()) == {0.0}


@given(st.text(alphabet="甲乙。；\n 坚持机制撤销", max_size=300))
def test_sentences_lose_nothing_but_short_ones(text: str) -> None:
    joined = "".join(sentences(text))
    assert len(joined) <= len(text)
    assert all(part in text for part in sentences(text))
