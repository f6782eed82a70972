from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.statute_titles import aliases, normalise_title, unambiguous, without_version


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("《中华人民共和国立法法》", "中华人民共和国立法法"),
        (" 行政 处罚法\n", "行政处罚法"),
        ("〈立法法〉", "立法法"),
        ("浙江省实施〈中华人民共和国水法〉办法", "浙江省实施《中华人民共和国水法》办法"),
        ("《浙江省实施〈水法〉办法》", "浙江省实施《水法》办法"),
        ("《甲》和《乙》", "《甲》和《乙》"),
        ("某规定(试行)", "某规定（试行）"),
        ("某解释（二）", "某解释（二）"),
    ],
)
def test_normal_form(written: str, normal: str) -> None:
    assert normalise_title(written) == normal


@given(st.text(alphabet="法条例办《》〈〉（）() 一", max_size=20))
def test_normal_form_settles(text: str) -> None:
    once = normalise_title(text)
    while once != normalise_title(once):  # each round takes one pair of outer brackets
        assert len(normalise_title(once)) < len(once)
        once = normalise_title(once)


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("行政处罚法（2021年修订）", "行政处罚法"),
        ("行政处罚法（2017修正）", "行政处罚法"),
        ("立法法（修订）", "立法法"),
        ("食品安全法（2015年第二次修正）", "食品安全法"),
        ("某解释（一）", "某解释（一）"),
        ("某办法（试行）", "某办法（试行）"),
    ],
)
def test_version_is_taken_off(title: str, bare: str) -> None:
    assert without_version(title) == bare


def test_aliases() -> None:
    assert {"行政处罚法", "处罚法"} <= set(aliases("中华人民共和国行政处罚法"))
    assert "水法" not in aliases("浙江省实施《中华人民共和国水法》办法")
    assert "浙江省实施《水法》办法" in aliases("浙江省实施《中华人民共和国水法》办法")


def test_an_alias_means_one_law() -> None:
    found = unambiguous(
        [
            "中华人民共和国样例法",
            "中华人民共和国样例法（试行）",
            "样例条例",
            "中华人民共和国样例条例",
            "样例办法（试行）",
        ]
    )
    assert found["中华人民共和国样例法"] == ("样例法",)
    assert "样例法" not in found["中华人民共和国样例法（试行）"]
    assert found["中华人民共和国样例条例"] == ()
    assert found["样例办法（试行）"] == ("样例办法",)
