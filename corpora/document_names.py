"""Names in policy documents: kinds (文种), document numbers (文号), organs (机关).

Forms: 党政机关公文处理工作条例 art. 8–9, 党政机关公文格式 (GB/T 9704).
"""

from __future__ import annotations

import re

#: Arabic digits, half and full width, for patterns.
DIGITS = "0-9０-９"
#: A document's number with any brackets, or a number of an order (第 18 号令, 令第 722 号).
NUMBER = re.compile(
    rf"[\u4e00-\u9fff]{{1,14}}?\s?[〔\[［【（(<〈﹝]\s?((?:19|20|１９|２０)[{DIGITS}]{{2}})\s?[〕\]］】）)>〉﹞]\s?第?\s?([{DIGITS}]{{1,5}})\s?号"
)
#: Kinds (文种), each with the words that titles end in; the longest match wins.
KINDS: dict[str, tuple[str, ...]] = {
    name: tuple(words.split())
    for name, words in {
        "通知": "通知",
        "意见": "意见",
        "批复": "批复",
        "决定": "决定",
        "通报": "通报",
        "办法": "办法",
        "函": "复函 函",
        "公告": "公告",
        "通告": "通告",
        "规定": "规定",
        "公示": "公示",
        "条例": "条例",
        "命令": "命令 嘉奖令 令",
        "报告": "报告 年报",
        "方案": "方案",
        "规划": "规划",
        "解读": "解读 图解 速览 一图读懂",
        "问答": "问答 答记者问",
        "细则": "细则",
        "计划": "计划",
        "措施": "措施 举措",
        "目录": "目录 名录",
        "答复": "答复",
        "规则": "规则",
        "纲要": "纲要",
        "要点": "要点",
        "预案": "预案",
        "指南": "指南 指引 手册",
        "标准": "标准 基准",
        "规程": "规程 流程",
        "规范": "规范",
        "准则": "准则 守则",
        "章程": "章程",
        "决议": "决议",
        "公报": "公报",
        "议案": "议案",
        "请示": "请示",
        "纪要": "纪要",
        "清单": "清单 一览表",
        "名单": "名单",
        "倡议": "倡议 倡议书 公约",
        "安排": "安排",
        "制度": "制度",
        "法律": "法",
        "信": "公开信 贺信 慰问信 感谢信 贺电",
        "政策": "若干政策 政策",
        "解释": "解释",
        "批准": "批准书",
    }.items()
}
_KIND_OF = {word: name for name, words in KINDS.items() for word in words}
_KIND = re.compile(r"(?:" + "|".join(sorted(_KIND_OF, key=len, reverse=True)) + r")$")
#: What may follow the kind: brackets (试行, 2021年修订 …), quotation marks, dots and dates.
_TAIL = re.compile(
    r"(?:[（(〔\[【][^（()）〔〕\[\]【】]{0,40}[）)〕\]】]|[》〉>”\"'’」\s\ue000-\uf8ff.。…→\-—]|(?:19|20)\d{2}年?版?|[12]\d{3}年\d{1,2}月\d{1,2}日"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|第[\d一二三四五六七八九十百]+号)+$"
)
#: Ends of titles that cannot be a law although they end in 法.
_NO_LAW = re.compile(r"(?:[方做用执司立普非违合守书想看说手算学]法|^.{0,4}法)$")

_ORGAN_END = (
    r"(?:人民政府|办公厅|办公室|政府|委员会|管委会|工委|党委|党组|省委|市委|县委|区委|州委|领导小组|指挥部|联席会议|厅|总局|局|部|委|署|院|行|税务总局"
    r"|中心|联合会|总工会|协会|公司|大队|支队|支行|分行|国务院|党中央|中共中央|中央|街道办事处|联社|科协|妇联|残联|工商联|团省委|学会|商会|法院|检察院|总队|处)"
)
_ORGAN = re.compile(
    rf"[\u4e00-\u9fff（）()、·]{{1,40}}?{_ORGAN_END}(?:等(?:[一二三四五六七八九十\d]{{1,3}}个?(?:部门|单位|厅局|部委))?)?(?=$|\s)"
)
ACT = re.compile(r"关于|印发|转发|批转|颁发|颁布|发布|公布|贯彻|实施《|废止")
_NOT_ORGAN = re.compile(r"[请现为的将按与和及]|附件|根据|关于|印发|贯彻|执行|落实")


def kind_of(title: str) -> str:
    """Return the kind (文种) that a title ends in, "" if it ends in none: …管理办法（试行） → 办法, 关于印发《…办法》的通知 → 通知."""
    text = re.sub(r"\s+", "", title)
    for _ in range(4):
        match = _KIND.search(text)
        if match and not (match[0] == "法" and _NO_LAW.search(text)):
            return _KIND_OF[match[0]]
        shorter = _TAIL.sub("", text)
        if shorter == text:
            break
        text = shorter
    return ""


def ends_in_kind(text: str) -> bool:
    """Tell whether a piece of text ends in the word of a kind, as titles do."""
    return _KIND.search(text) is not None


def number_of(match: re.Match[str]) -> str:
    """Return a matched document number in one form: 国办发（2018） ３７号 → 国办发〔2018〕37号."""
    text = re.sub(r"\s", "", match[0])
    text = text.translate(str.maketrans("０１２３４５６７８９", "0123456789"))
    return re.sub(r"[\[［【（(<〈﹝](\d{4})[\]］】）)>〉﹞]", r"〔\1〕", text)


def organs_of(title: str) -> str:
    """Return the issuers that a title begins with, as written: 教育部等九部门关于… → 教育部等九部门; "" if it names none."""
    match = ACT.search(title)
    if match is None or match.start() > 160:
        return ""
    before = " ".join(title[: match.start()].split()).strip('《“" ').removesuffix("文件")
    return before if before and split_organs(before) else ""


def split_organs(text: str) -> list[str]:
    """Split organs that stand together (财政部 科技部、国资委); [] if the text is something else."""
    out: list[str] = []
    for part in re.split(r"[\s、，,]+", text.strip()):
        if not part:
            continue
        match = _ORGAN.fullmatch(part)
        if (
            match is None
            or len(part) < 3
            or part.startswith(("委员会", "办公室", "管理"))
            or _NOT_ORGAN.search(part.replace("人力资源和社会保障", "").replace("和", "", 1))
        ):
            return []
        out.append(part)
    return out


def organs_apart(issuers: str) -> str:
    """Put 、 between organs of one place that a site ran together, and take off a title's end before the first."""
    names = re.sub(r"^[\u4e00-\u9fff]{2,30}(?:方案|办法|规定|细则|措施|规划)(?=[\u4e00-\u9fff]{4,30}$)", "", issuers)
    return re.sub(rf"(?<=[厅局委会部府])(?=(?:中共)?{re.escape(names[:3])})", "、", names) if len(names) > 6 else names
