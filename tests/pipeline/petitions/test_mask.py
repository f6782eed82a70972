"""Masking: what is masked and as what, what is left alone, and that nothing masked survives. All persons are invented."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.petitions._names import _PERSON
from pipeline.petitions.clean import clean
from pipeline.petitions.mask import KINDS, NAME, mask, mask_texts

#: (text, masked text)
MASKED = [
    ("请回电13800138000谢谢", "请回电〔手机号〕谢谢"),
    ("电话：138 0013 8000", "电话：〔手机号〕"),
    ("电话138-0013-8000，急", "电话〔手机号〕，急"),
    ("手机 +86 13800138000", "手机 〔手机号〕"),
    ("手机：8613800138000", "手机：〔手机号〕"),
    ("手机：+86-138-0013-8000", "手机：〔手机号〕"),
    ("１３８００１３８０００", "〔手机号〕"),
    ("1 3 8 0 0 1 3 8 0 0 0", "〔手机号〕"),
    ("一三八零零一三八零零零", "〔手机号〕"),
    ("电话138****8000", "电话〔手机号〕"),
    ("1380013800013900139000", "〔手机号〕"),
    ("2栋 13800138000", "2栋 〔手机号〕"),
    ("手机138001380001多打一位", "手机〔手机号〕多打一位"),
    ("电话0577-12345678", "电话〔固定电话〕"),
    ("(0577)1234567", "〔固定电话〕"),
    ("（0577）61234567转801", "〔固定电话〕"),
    ("0577-61234567-801", "〔固定电话〕"),
    ("010-61234567 转 8", "〔固定电话〕"),
    ("座机：61234567、61234568", "座机：〔固定电话〕、〔固定电话〕"),
    ("身份证11010519491231002X", "身份证〔身份证号〕"),
    ("身份证号：110105 19491231 0021", "身份证号：〔身份证号〕"),
    ("身份证号码是110105491231002", "身份证号码是〔身份证号〕"),
    ("110105********002X", "〔身份证号〕"),
    ("卡号6222020000000000003", "卡号〔银行卡号〕"),
    ("退到4111 1111 1111 1111", "退到〔银行卡号〕"),
    ("账号：20231101000123", "账号：〔银行卡号〕"),
    ("车牌浙C12345乱停", "车牌〔车牌号〕乱停"),
    ("浙C·D12345堵门", "〔车牌号〕堵门"),
    ("浙CD12345堵门", "〔车牌号〕堵门"),
    ("邮箱：zhang.san@example.com", "邮箱：〔邮箱〕"),
    ("abc*****@qq.com盼复", "〔邮箱〕盼复"),
    ("微信号：zhangsan_88", "微信号：〔微信号〕"),
    ("加我微信zs123456", "加我微信〔微信号〕"),
    ("QQ：123456789", "QQ：〔QQ号〕"),
    ("qq群12345678", "qq群〔QQ号〕"),
    ("您好，我叫王小明，住三栋", "您好，我叫〔姓名〕，住三栋"),
    ("我叫李强是小区业主", "我叫〔姓名〕是小区业主"),
    ("我的名字是欧阳小明。", "我的名字是〔姓名〕。"),
    ("姓名：司马光明 电话：13800138000", "姓名：〔姓名〕 电话：〔手机号〕"),
    ("联系人：王小明联系电话：13800138000", "联系人：〔姓名〕联系电话：〔手机号〕"),
    ("投诉人：张三、李四", "投诉人：〔姓名〕、〔姓名〕"),
    ("联系人：张先生", "联系人：〔姓名〕"),
    ("联系电话：13800138000，李女士", "联系电话：〔手机号〕，〔姓名〕"),
    ("王阿姨（13800138000）", "〔姓名〕（〔手机号〕）"),
    ("请尽快解决。此致敬礼！王小明", "请尽快解决。此致敬礼！〔姓名〕"),
    ("望回复\n此致\n敬礼\n反映人：王小明\n2023年5月1日", "望回复\n此致\n敬礼\n反映人：〔姓名〕\n2023年5月1日"),
    ("村里的张**，强占", "村里的〔姓名〕，强占"),
    ("姓名：阿依古丽·买买提", "姓名：〔姓名〕"),
    ("我是王小明，身份证11010519491231002X", "我是〔姓名〕，身份证〔身份证号〕"),
]

UNTOUCHED = [
    "我叫苦连天",
    "我叫了救护车",
    "我叫车回家",
    "联系人不接电话",
    "联系人：客服",
    "投诉人：全体业主",
    "反映人：石家庄路居民",
    "我是高三学生",
    "申请人应当提交材料",
    "澜港市住房和城乡建设局",
    "根据〔2018〕37号文第13条",
    "补偿13800000元",
    "2018年10月12日至2019-07-13 18:30",
    "工单号20231101000123",
    "工单编号：202311010001234567",
    "住3栋2单元1801室",
    "拨打12345、95598和4008001234没人管",
    "停车**很乱",
    "微信支付了500元",
    "微信群里说",
    "价格1380元至1500元",
    "面积约13500.55平方米",
    "",
]

_HAN = st.text(alphabet="我们小区的物业公司长期不作为垃圾没有人清理，。", max_size=12)
_DIGITS = "0123456789"


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_masked(text: str, expected: str) -> None:
    """Each form of personal data becomes the placeholder of its kind."""
    assert mask(text).text == expected


@pytest.mark.parametrize("text", UNTOUCHED)
def test_untouched(text: str) -> None:
    """What only looks like personal data stays."""
    found = mask(text)
    assert found.text == text
    assert found.spans == ()


@st.composite
def _mobiles(draw: st.DrawFn) -> str:
    """Draw a mobile number in one of its spellings."""
    number = "1" + draw(st.sampled_from("3456789")) + draw(st.text(alphabet=_DIGITS, min_size=9, max_size=9))
    style = draw(st.sampled_from([(11,), (3, 4, 4), (3, 3, 5), (3, 8), (7, 4), (4, 3, 4), (1,) * 11]))
    separator = draw(st.sampled_from([" ", "-", "－", " - ", "—"]))
    groups, at = [], 0
    for size in style:
        groups.append(number[at : at + size])
        at += size
    text = draw(st.sampled_from(["", "+86", "+86 ", "86-", "0086"])) + separator.join(groups)
    if draw(st.booleans()):
        text = text.translate({ord(c): chr(ord(c) + 0xFEE0) for c in _DIGITS})
    return text


@st.composite
def _ids(draw: st.DrawFn) -> str:
    """Draw an identity number with the right check character."""
    province = draw(st.sampled_from(["11", "33", "44", "65"]))
    birth = draw(st.dates(min_value=date(1930, 1, 1), max_value=date(2023, 12, 31))).strftime("%Y%m%d")
    body = province + draw(st.text(alphabet=_DIGITS, min_size=4, max_size=4)) + birth
    body += draw(st.text(alphabet=_DIGITS, min_size=3, max_size=3))
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


@given(_HAN, _mobiles(), _HAN)
@example("", "+8614000000000", "")  # passes the check of card numbers too
def test_no_mobile_survives(before: str, number: str, after: str) -> None:
    """A mobile number in any spelling is removed whole."""
    masked = mask(clean(before + number + after).text).text
    assert "〔手机号〕" in masked
    assert not re.search(r"\d", masked)


@given(_HAN, _ids(), _HAN)
def test_no_identity_number_survives(before: str, number: str, after: str) -> None:
    """An identity number is removed whole."""
    masked = mask(before + number + after).text
    assert "〔身份证号〕" in masked
    assert not re.search(r"[\dX]", masked)


_PIECES = st.lists(
    st.one_of(
        st.sampled_from([text for text, _ in MASKED] + UNTOUCHED + [f"〔{kind}〕" for kind in KINDS]),
        st.sampled_from(
            ["电话", "：", "-", " ", "、", "*", "138", "0577", "身份证", "卡号", "联系人", "王小明", "〔", "〕", "\n"]
        ),
        _mobiles(),
        st.text(max_size=6),
    ),
    max_size=8,
).map("".join)


@given(_PIECES)
@example("0577-12345678-138 0013 8000")
def test_masking_twice_is_masking_once(text: str) -> None:
    """Placeholders are not found again and uncover nothing."""
    masked = mask(clean(text).text).text
    assert mask(masked).text == masked
    assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", masked)


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_masked_in_a_column(text: str, expected: str) -> None:
    """The scan of a column misses none of them, at the edges of a text or after characters beyond the first plane."""
    column = ["", "好", text, "好", f"\U0001f600停水。{text}", "", f"停水\n{text}", text]
    masked, counts = mask_texts(column)
    assert masked == [mask(one).text for one in column]
    assert masked[2] == masked[7] == expected
    assert counts.total() == sum(len(mask(one).spans) for one in column)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["13800", "138000"], ["13800", "138000"]),  # no number runs on into the next text
        (["我叫", "王小明"], ["我叫", "王小明"]),
        (["停水。座机：6123456"], ["停水。座机：〔固定电话〕"]),  # the last character makes the number
        (["停水。请联系：zhang@example.cn"], ["停水。请联系：〔邮箱〕"]),
        (["停水，望联系人王小明"], ["停水，望联系人〔姓名〕"]),
        (["停水。张*"], ["停水。〔姓名〕"]),
        (["停水。张＊"], ["停水。〔姓名〕"]),
        (["我是阿依古丽·买买提，男"], ["我是〔姓名〕，男"]),
        (["我叫热依拉·买买提"], ["我叫〔姓名〕"]),  # 热 is no surname of `_SINGLE`
        (["停水〔手机号〕，李女士"], ["停水〔手机号〕，〔姓名〕"]),  # a placeholder that was there before
        (["我是王小明，今年来此"], ["我是王小明，今年来此"]),  # nothing says that it is a person
        # numbers are looked for in the sentences from the first to the last that hold a row of digits
        (
            ["座机6123456。停水。座机。6123457。手机13800138000。好"],
            ["座机〔固定电话〕。停水。座机。6123457。手机〔手机号〕。好"],
        ),
        (["20181012。身份证 1     23。"], ["20181012。身份证 〔身份证号〕。"]),
        (["20181012。停水。1叁捌零零零零零零零零"], ["20181012。停水。〔手机号〕"]),
        (["1叁捌零零零零零零零零"], ["1叁捌零零零零零零零零"]),
    ],
)
def test_the_scan_of_a_column(texts: list[str], expected: list[str]) -> None:
    """What decides that a text, or which part of it, is looked at changes nothing of what is found there."""
    assert mask_texts(texts)[0] == expected == [mask(text).text for text in texts]


def test_triples_are_wide_enough() -> None:
    """Each label of a person sends a text to the finders, with each mark that may follow it."""
    labels = re.findall("[^|()?:]+", _PERSON)
    texts = [
        f"停水{label}{mark}王小明" for label in labels for mark in ("：", ":", " ", "\n", "是", "为", "叫", "姓名：")
    ]
    masked, counts = mask_texts(texts)
    assert masked == [mask(text).text for text in texts]
    assert counts[NAME] > len(texts) / 2


@given(st.lists(_PIECES, max_size=4))
def test_the_column_gives_the_same(texts: list[str]) -> None:
    """`mask_texts` and `mask` agree, in texts and in counts."""
    masked, counts = mask_texts(texts)
    single = [mask(text) for text in texts]
    assert masked == [one.text for one in single]
    assert sorted(counts.elements()) == sorted(span.kind for one in single for span in one.spans)


@given(_PIECES)
def test_spans_and_offsets(text: str) -> None:
    """Spans are disjoint and in order; each placeholder maps to its span, and each character outside to itself."""
    masked = mask(text)
    done = 0
    for span in masked.spans:
        assert done <= span.start < span.end <= len(text)
        done = span.end
        start, end = masked.from_original(span.start, span.end)
        assert masked.text[start:end] == f"〔{span.kind}〕"
        assert masked.to_original(start, end) == (span.start, span.end)
    hidden = {at for span in masked.spans for at in range(span.start, span.end)}
    for at in set(range(len(text))) - hidden:
        start, end = masked.from_original(at, at + 1)
        assert masked.text[start:end] == text[at]
