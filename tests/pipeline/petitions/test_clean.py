"""Cleaning: what changes and what must not, one pass being enough, and offsets that point at the same characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.radicals import RADICALS
from pipeline.petitions.clean import _CHARACTERS, clean, clean_texts
from pipeline.petitions.offsets import Edit, OffsetMap

#: (text, cleaned text)
CHANGED = [
    ("<p>一</p><p>二</p>", "一\n\n二"),
    ("一<br/>二<BR>三", "一\n二\n三"),
    ("&lt;br&gt;x&amp;nbsp;y&nbsp;z", "x y z"),
    ("&copy;2019&#65;&#x4e00;", "©2019A一"),
    ("好<script>alert(1)</script><style>p{}</style>", "好"),
    ('<font color=red>红</font><span style="a">b</span><o:p></o:p>', "红b"),
    ("<!-- 注 -->文", "文"),
    ("<td>1</td><td>2</td>", "1 2"),
    ("\ufeff你\u200b好\xa0\u3000吗\r\n\r\n\r\n好\x00\xad", "你好 吗\n\n好"),
    ("\n\t\t\t  停水  两天 \n 了\t", "停水 两天\n了"),
    ("（一）①〔2018〕37号：１２ＡＢｃ，！？", "（一）①〔2018〕37号：12ABc，！？"),
    ("１．５％－３＝＋＠", "1.5%-3=+@"),
    ("⻄⻓⻔⼈⽣⾧", "西长门人生长"),
    ("\uf900\ufa0c", "岂兀"),
    ("臺灣的電梯不乾淨，瞭解裏面", "台湾的电梯不干净，了解里面"),
    ("以後再說", "以后再说"),
    ("一\ud800二", "一\ufffd二"),
]

UNTOUCHED = [
    "a<b且c>d",
    "x<i and y>z",
    "价格<3万且>1",
    "收<A公司>",
    "a&b&c;",
    "https://example.com/?a=1&copy=2",
    "乾隆年间著名的慰藉，后面",
    "象徵著作",
    "「」『』〈〉《》……——～·",
    "①②③⑴Ⅳ㎡℃№〇",
    "一\n二\n\n三 四",
    "",
]

_TEXTS = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from([text for text, _ in CHANGED] + UNTOUCHED),
        st.sampled_from(
            [
                "<",
                ">",
                "&",
                "amp;",
                "lt;",
                "gt;",
                "#60;",
                "<br>",
                "<p",
                "</",
                "script",
                "=",
                '"',
                "<!--",
                "-->",
                "nbsp",
                " ",
                "\n",
                "\r",
            ]
        ),
        st.sampled_from(
            ["乾", "淨", "瞭解", "沒", "著", "薴", "於", "綀", "\u3000", "\u200b", "＜", "＆", "⻄", "\U0002f800"]
        ),
    ),
    max_size=10,
).map("".join)


@pytest.mark.parametrize(("text", "expected"), CHANGED)
def test_changed(text: str, expected: str) -> None:
    """Damage is undone."""
    assert clean(text).text == expected


@pytest.mark.parametrize("text", UNTOUCHED)
def test_untouched(text: str) -> None:
    """What only looks like damage stays."""
    assert clean(text).text == text


def test_every_radical_form_is_replaced() -> None:
    """All radicals of the supplement but U+2E80, which stands for no ideograph, and all 214 Kangxi radicals."""
    assert len(RADICALS) == 114 + 214
    assert not set(RADICALS) & set(RADICALS.values())


@pytest.mark.parametrize(
    "text",
    ["<b" * 5000 + ">" * 5000, "&amp;" * 3000 + "lt;b>", "&lt;" * 3000, "<!--" * 3000, "<script>" * 2000 + "</script"],
)
def test_nesting_without_end(text: str) -> None:
    """Hostile nesting ends, and cleaning the result changes nothing."""
    cleaned = clean(text).text
    assert clean(cleaned).text == cleaned


@given(_TEXTS)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    """A cleaned text is clean, and can be written as UTF-8."""
    cleaned = clean(text).text
    assert clean(cleaned).text == cleaned
    assert cleaned == cleaned.strip()
    cleaned.encode()


@pytest.mark.parametrize(
    ("damaged", "expected"),
    [
        ("一 ", "一"),
        (" 一", "一"),
        ("一\n", "一"),
        ("\n一", "一"),
        ("一  二", "一 二"),
        ("一 \n二", "一\n二"),
        ("一\u200b", "一"),
        ("\ufeff一", "一"),
        ("一\0", "一"),
        ("\0", ""),
        (" ", ""),
        ("一\U0002f800", "一丽"),
        ("一&lt", "一&lt"),
        ("一&lt;", "一<"),
        ("１", "1"),
        ("一\U0001f600", "一\U0001f600"),
    ],
)
def test_damage_at_an_edge_beside_whole_texts(damaged: str, expected: str) -> None:
    """In a column that is scanned as one, the first or last character alone sends its own text through the steps."""
    column = ["", "好", "", damaged, "", damaged, "好", ""]
    assert clean_texts(column) == ["", "好", "", expected, "", expected, "好", ""]
    assert clean_texts([damaged]) == [expected]


def test_a_column_of_many_pieces() -> None:
    """Texts of all lengths, across the borders of the pieces a column is scanned in, keep their places."""
    texts = [f"{'停水' * (size % 97)}{'' if size % 5 else ' '}" for size in range(2000)] + ["停" * 50000 + "\t"]
    assert clean_texts(texts) == [text.strip() for text in texts]
    assert clean_texts([]) == []


def test_no_character_becomes_one_that_changes() -> None:
    """The one-to-one replacements may be made in any order."""
    assert not _CHARACTERS.keys() & set(_CHARACTERS.values())


@given(st.lists(_TEXTS, max_size=5))
def test_the_column_gives_the_same(texts: list[str]) -> None:
    """`clean_texts` and `clean` agree."""
    assert clean_texts(texts) == [clean(text).text for text in texts]


@given(_TEXTS, st.data())
def test_offsets(text: str, data: st.DataObject) -> None:
    """Spans map into bounds, in order, and back to at least themselves; adjacent spans do not swap."""
    cleaned = clean(text)
    end = data.draw(st.integers(0, len(cleaned.text)))
    start = data.draw(st.integers(0, end))
    source = cleaned.to_original(start, end)
    assert 0 <= source[0] <= source[1] <= len(text)
    if start < end:
        assert source[0] < source[1]
        back = cleaned.from_original(*source)
        assert back[0] <= start
        assert end <= back[1]
    middle = (start + end) // 2
    if start < middle < end:
        left, right = cleaned.to_original(start, middle), cleaned.to_original(middle, end)
        assert (left[0], right[1]) == source
        assert left[0] <= right[0]
        assert left[1] <= right[1]


@given(_TEXTS)
def test_characters_that_stay_map_to_themselves(text: str) -> None:
    """A Han character that no step touches points at the same character in the original."""
    marks = "甲丙丁"  # in no piece of the texts above, and no entity or table yields them
    whole = text + "甲" + text.replace("<", "").replace("&", "") + "丁"
    cleaned = clean(whole)
    for at, character in enumerate(cleaned.text):
        if character in marks:
            start, end = cleaned.to_original(at, at + 1)
            assert whole[start:end] == character


@given(st.text(alphabet="ab", max_size=20), st.data())
def test_maps_chain(text: str, data: st.DataObject) -> None:
    """A chain of maps is the maps one after the other; maps that do not join are refused."""
    cut = data.draw(st.integers(0, len(text)))
    first = OffsetMap(len(text), len(text)).step([Edit(0, cut, 0, 0)] if cut else [])
    second = OffsetMap(first.length, first.length).step([Edit(0, 1, 0, 3)] if first.length else [])
    chain = first.then(second)
    assert chain.to_original(0, chain.length) == first.to_original(*second.to_original(0, second.length))
    with pytest.raises(ValueError, match="do not join"):
        second.then(OffsetMap(second.length + 1, 0))


def test_spans_outside_are_refused() -> None:
    """Offsets outside a text raise."""
    cleaned = clean("一 二")
    for start, end in ((-1, 1), (2, 1), (0, 4)):
        with pytest.raises(ValueError, match="not within"):
            cleaned.to_original(start, end)
        with pytest.raises(ValueError, match="not within"):
            cleaned.from_original(start, end)
