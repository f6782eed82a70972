"""Patterns of citations: how article numbers, titles, dates of versions and document numbers are written.

Every pattern that scans a whole text begins with a rare literal, so that the search runs in C at memory speed. A gap `G`
is what OCR and line breaks leave between the characters of one citation: blanks, at most one line feed, never a blank
line.

Sources: 立法技术规范（试行）(一)(二) for 条款项 and how they are cited; 党政机关公文处理工作条例 9 and GB/T 9704 for
document numbers (发文字号).
"""

from __future__ import annotations

import re

G = r"[ \t\u3000\xa0]{0,4}(?:\n[ \t\u3000\xa0]{0,8})?"
DIGIT = r"[0-9０-９零〇○Ｏ一二三四五六七八九十百千两]"
HAN = r"\u4e00-\u9fff"
#: A number, with the blanks that OCR puts between its characters.
NUM = rf"{DIGIT}(?:{G}{DIGIT}){{0,8}}"
#: Numbers of items that come as one character: ㈠ ⑴ ①.
ROUND = "㈠㈡㈢㈣㈤㈥㈦㈧㈨㈩⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽⑾⑿⒀⒁⒂⒃⒄⒅⒆⒇①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
ROUND_VALUES = {c: i + 1 for run in (ROUND[:10], ROUND[10:30], ROUND[30:]) for i, c in enumerate(run)}
RANGE = r"至到~～—–－―─\-"
_JOIN = rf"{G}(?:以及|或者|并且?|[、和与及或/{RANGE}]){{1,2}}{G}"
_INNER = rf"{G}[、，和与及或{RANGE}]{{1,2}}{G}"
_NUMBERS = rf"{NUM}(?:{_INNER}(?:第{G})?{NUM}){{0,20}}"
_ITEM_NUMBER = rf"(?:[（(]{G}{NUM}{G}[）)]|[{ROUND}]|{NUM})"
_ITEMS = rf"{_ITEM_NUMBER}(?:(?:{_INNER}|{G}(?=[（({ROUND}])){G}第?{G}{_ITEM_NUMBER}){{0,30}}"
#: 条 that is not the beginning of 条例, 条约, 条件, 条款, 条目 (but 第一条目的及依据).
_ARTICLE_END = r"[条條](?![例约件款])(?!目(?!的))"
_SUFFIX = rf"{G}之{G}{NUM}(?!{G}[款项年])(?:(?:{_INNER})之?{G}{NUM}(?![款项条條年])){{0,9}}"
ARTICLE = rf"第{G}{_NUMBERS}{G}{_ARTICLE_END}(?:{_SUFFIX})?"
_PARAGRAPHS = rf"(?:第{G}{_NUMBERS}|第?[（(]{G}{NUM}{G}[）)]){G}款(?!项)"
_BRACKETED = rf"[（(]{G}{NUM}{G}[）)](?:{G}[、]?{G}[（(]{G}{NUM}{G}[）)]){{0,20}}"
_POINTS = (
    rf"(?:(?:第{G}{_ITEMS}|{_BRACKETED}){G}项(?!目)|{_BRACKETED}(?={G}(?:所[称列指规述]|的?规定|之规定|的情形|情形)))"
)
_BELOW = rf"{_PARAGRAPHS}|{_POINTS}"
#: What goes on after an article: its paragraphs and items, and further articles of the same statute.
_CONTINUED = (
    rf"(?:(?<=[条條])[{ROUND[30:]}](?![项款])"  # 第二十五条② is its second paragraph
    rf"|(?<=[条條款])[{ROUND[30:]}]项(?!目)"
    rf"|{G}(?:[的中]{G})?(?:{_BELOW})|[（(](?:{_BELOW})[）)]"
    rf"|(?<=[条條一二三四五六七八九十]){NUM}款(?=第|{DIGIT}|的?规定|[、，。）]|$)|(?<=[条條款])[0-9０-９]{{1,2}}项(?!目)"
    rf"|(?:{_JOIN})(?:{ARTICLE}|{_BELOW}|{NUM}{G}{_ARTICLE_END}(?:{_SUFFIX})?|{NUM}{G}[款项](?![项目]))"
    rf"|{G}[，,]{G}(?={ARTICLE}|{_BELOW})(?:{ARTICLE}|{_BELOW}))"
)
#: A whole reference to articles: 第三条第一款、第五条至第七条. A line that begins 第三条 and a blank is a heading.
CHAIN = re.compile(rf"第(?:(?<!\n第)|(?={G}{NUM}{G}[条條](?:之{NUM})?[^\s]))(?<=第){ARTICLE[1:]}{_CONTINUED}{{0,60}}")
#: The same with 第 left out, directly behind a title: 城乡规划法64条.
SHORT = re.compile(rf"{G}{NUM}{G}{_ARTICLE_END}(?:{_SUFFIX})?{_CONTINUED}{{0,60}}")
#: Before such a reference to the document itself: 本条例六十条.
SHORT_SELF = re.compile(rf"本(?:法|条例|办法|规定|细则|解释|规则|决定)(?={NUM}[条條](?![例约件款]))")
#: Paragraphs with no article before them: 第二款第（三）项.
LOWER = re.compile(rf"第{G}{_NUMBERS}{G}款(?!项){_CONTINUED}{{0,20}}")
#: The same, only for a tail: 前款第（三）项, 本条第二款.
TAIL_BELOW = re.compile(
    rf"{G}(?:[的中]{G})?(?:{_BELOW})(?:{G}(?:[的中]{G})?(?:{_BELOW})|(?:{_JOIN})(?:{_BELOW}|{NUM}{G}[款项](?![项目]))){{0,20}}"
)

#: Brackets after a title: （2021年修订）, （以下简称《条例》）, （国务院令第423号）; one nesting.
_BRACKET = r"[（(〔\[【](?:[^（）()〔〕\[\]【】\n]|\n(?!\s*\n)|[（(〔\[【][^（）()〔〕\[\]【】\n]{0,40}[）)〕\]】]){1,90}[）)〕\]】]"
BRACKETS = re.compile(rf"[”\"』」’]?(?:{G}{_BRACKET}){{1,3}}")
_PART = rf"第{G}{NUM}{G}(?:分编|[编章节])(?:{G}[“\"][^”\"\n]{{1,16}}[”\"]|{G}[{HAN}、]{{0,16}}?)?"
BRACKET_BEHIND = re.compile(r"[（(][^（）()\n]{4,24}[）)]")
#: Between title and article: 的, 中, 第三章“法律责任”, 总则, 合同编.
BETWEEN = re.compile(
    rf"[”\"』」’]?(?:{G}(?:{_PART}|总则|分则|附则|[{HAN}]{{1,5}}编(?:通则)?)){{0,4}}(?:[：:](?=第))?{G}(?:当中|之中|里面|中的|里的|中|里|之|的|原|新)?{G}(?=第{G}{DIGIT})"
)
#: Brackets at the end of what stands before an article, and those that define a short name.
BRACKETS_BEFORE = re.compile(r"(?:[（(][^（）()\n]{1,60}[）)]\s{0,2}){1,2}$")
DEFINING = re.compile(r"[（(](?=[^（）()\n]{0,40}简称)(?=[^（）()]{2,60}[）)])")
#: Characters with which BRACKETS or BETWEEN can begin after a title.
AFTER_TITLE = frozenset('：:”"』」’（(〔[【 \t\u3000\xa0\n第总分附中里之的原新当合物继婚人侵')

#: Whose regulation it is, where only the document tells the place: 本市《物业管理条例》.
OURS = r"(?:本|我|全)(省|自治区|自治州|市|区|县)"
OURS_END = re.compile(rf"{OURS}$")
OURS_TITLE = re.compile(rf"{OURS}(?=.)")

YEAR = r"(?:19|20)[0-9]{2}"
_WIDE = str.maketrans("０１２３４５６７８９〇○零一二三四五六七八九", "0123456789000123456789")
_HAN_YEAR = re.compile(r"[一二][〇○零一二三四五六七八九]{3}(?=年)|[１２][０-９]{3}")
_VERSION_YEAR = re.compile(
    rf"({YEAR})(?:年[^，,；;（）()]{{0,60}}?|[-./．][0-9]{{1,2}}[-./．][0-9]{{1,2}})?(?:第[一二三四五六七八九十]次)?"
    r"(?:修订|修正|修改|重新公布|版|修|订|年本)"
)
_PLAIN_YEAR = re.compile(
    rf"^({YEAR})(?:年(?:[0-9]{{1,2}}月(?:[0-9]{{1,2}}日)?)?(?:起?(?:通过|公布|颁布|发布|施行|实施|制定))?|[-./．][0-9]{{1,2}}[-./．][0-9]{{1,2}})?$"
)
_NO_VERSION = re.compile(r"[〔\[［【][^〕\]］】]{4}[〕\]］】][^号]{0,6}号|令")
#: Year of a version before a title: 2018年修正的, 2021年新修订的.
YEAR_BEFORE = re.compile(
    rf"({YEAR}|[一二][〇○零一二三四五六七八九]{{3}})年(?:[0-9]{{1,2}}月(?:[0-9]{{1,2}}日)?)?(?:新|最新|第[一二三四五六七八九十]次)?"
    r"(?:修订|修正|修改|版)(?:后|过|通过|实施|施行|公布)?的?$"
)
#: The same with the bare year, believed only where an article follows: 2017年《行政处罚法》第十五条.
BARE_YEAR_BEFORE = re.compile(
    rf"({YEAR}|[一二][〇○零一二三四五六七八九]{{3}})年(?:[0-9]{{1,2}}月(?:[0-9]{{1,2}}日)?)?(?:版|颁布|公布|通过|制定|发布|施行|实施|起施行)?的?$"
)
#: The same behind a title, without brackets: 《兵役法》2011年修正.
YEAR_AFTER = re.compile(rf"{G}({YEAR})年?(?:修订|修正)(?:版|本)?")


def plain_year(text: str) -> int:
    """Return the year that four Arabic or Chinese digits write."""
    return int(text.translate(_WIDE))


def version_year(bracket: str) -> int | None:
    """Return the year of the version that a bracket after a title names, None if it names none.

    Of several events the last amendment counts: （1996年通过，2021年修订） is 2021.
    """
    inner = re.sub(r"\s", "", bracket).strip("（）()〔〕[]【】")
    inner = _HAN_YEAR.sub(lambda m: m[0].translate(_WIDE), inner)
    for part in reversed(re.split(r"[，,；;、]", inner)):
        found = _VERSION_YEAR.findall(part)
        if found:
            return int(found[-1])
    plain = _PLAIN_YEAR.match(inner)
    return int(plain[1]) if plain and not _NO_VERSION.search(inner) else None


_OPEN, _CLOSE = "〔［\\[【（(〈﹝", "〕］\\]】）)〉﹞"
#: Document number from its bracketed year on: 〔2018〕37号.
NUMBER_YEAR = re.compile(rf"[{_OPEN}]{G}[12１２][0-9０-９]{{3}}{G}年?{G}[{_CLOSE}]{G}(?:第{G})?[0-9０-９]{{1,5}}{G}号")
#: The issuer's code before it, after the last word that is no part of one.
NUMBER_CODE = re.compile(rf"[{HAN}A-Za-z]{{1,14}}[ \t\u3000]{{0,2}}\Z")
NUMBER_STOP = re.compile(
    r".*(?:根据|依据|按照|依照|参照|遵照|贯彻|落实|执行|印发|转发|下发|发布|制定|文件|废止|修改|以及|政府|部门|委员会|通知|文号|公布"
    r"|详见|参见|并以|已以|[见和与及的等经以由为将对在从至到按即]|号文?)"
)
#: Orders: 国务院令第423号, 主席令第七十号.
ORDER = re.compile(rf"令{G}(?:[（(]?{YEAR}年?[）)]?)?{G}第{G}{NUM}{G}号")
ORDER_ISSUER = re.compile(
    rf"(?:中华人民共和国)?(?:主席|国务院|[{HAN}]{{2,14}}(?:部|委员会|总局|署|局|行|会|政府|委))\Z"
)

DEFINED = re.compile(
    r"(?:以下|下)?(?:均?简称|下均?称|以下均?称|统称)(?:作|为)?[:：]?\s*[《〈“\"‘'「『]{0,2}([^《》〈〉“”\"‘’'「」『』（）()，,。；;]{2,40}?)[》〉”\"’'」』]{0,2}"
    r"\s*(?=[）)，,；;〕\]]|$)"
)
NUMBER_IN = re.compile(
    rf"[{HAN}A-Za-z]{{1,14}}[{_OPEN}]{G}[12１２][0-9０-９]{{3}}{G}[{_CLOSE}]{G}(?:第{G})?[0-9０-９]{{1,5}}{G}号"
)

#: Kinds of document that 本… and 该… stand for.
KIND = (
    r"法典|宪法|法|(?:实施|暂行|若干|管理|试行)?条例|(?:实施|暂行|管理|试行)?办法|(?:若干|暂行|补充|管理|试行)?规定|(?:实施)?细则|(?:暂行)?规则"
    r"|决定|决议|(?:司法)?解释|(?:实施|指导|若干)?意见|通知|规程|准则|通则|章程|(?:实施|工作)?方案|制度|公告|通告|批复|纲要|规划|守则|指引|规范|标准|修正案|措施"
)
#: 本 is the end of another word in 日本法, 版本规定, 成本办法, but not in 构成本法, 完成本规定.
SELF_END = re.compile(rf"(?<![基根版样文资日剧课副标])(?<![^构完造达形组]成)本(?:({KIND})|[编章节])$")
THAT_END = re.compile(
    rf"(?<![应合协共会])(?:该|同|此|上述|前述|上列|所引|前引)(?:一|部)?[《〈]?({KIND}|法律|法规|规章|文件)[》〉]?$"
)
#: 该法, 同法 … with no article; what comes after tells whether it is a word of its own.
THAT = (
    re.compile(
        r"该(?:法(?![律规定院庭人官学条]|规)|条例|办法|细则|规则|规定(?=第)|决定(?=第)|意见(?=第)|解释(?=第)|通知(?=第))"
    ),
    re.compile(r"同法(?<![合协共会]同法)(?![律院规制工学官庭])"),
    re.compile("同(?:条例|办法|细则)(?<![合协共会]同..)"),
)
_ABOVE = r"(?:法律|法规|规章|行政法规|条例|规定|办法|决定|意见|文件)(?:[、和](?:法律|法规|规章|行政法规)){0,3}(?:的?(?:有关|相关)?规定)?"
ABOVE = (re.compile("上述" + _ABOVE), re.compile("前述" + _ABOVE))
#: 前款, 前条, 前两款.
BEFORE = re.compile(
    r"前(?:[一二三四五两]?款(?![项物])|[一二三四五两]?条(?![例件款约目])|(?:[一二三四五两]|各)?项(?=规定|所|的规定|情形|行为))(?<![以之此目当提]前[款条项])"
)
#: 本条, 本款, 该条, 同条 with or without paragraph; 该条 only where it is cited.
_CITES = rf"(?={G}(?:第{G}[{DIGIT[1:-1]}（(]|的?规定|所|[中之]))"
THIS = (
    re.compile(r"本条(?<![基根文版资成]本条)(?![例件款约目])"),
    re.compile("本款(?=规定|所|第|的|中)"),
    re.compile("该条" + _CITES),
    re.compile("同条" + _CITES),
)

_NOUN = r"(?:法律|行政法规|地方性法规|地方法规|法规|部门规章|政府规章|规章|规范性文件|司法解释|政策|文件|制度|标准|规范|办法|条例)"
_AND = r"(?:[、和及与或]|以及|或者)"
_WHOSE = r"(?:党中央、?国务院|中央和省|国家和(?:本)?(?:省|市|地方)|国家及(?:本)?(?:省|市)|国家、(?:本)?[省市]|国务院|国家|上级|全国|本省|我省|本市|我市|[省市县区])"
_SOME = r"(?:其他|其它)?(?:有关|相关)?的?"
_RULES = rf"(?:{_NOUN}(?:{_AND}?(?:国家)?{_SOME}{_NOUN}){{0,6}}(?:{_AND}?的?(?:有关|相关)?(?:规定|要求))?|规定(?!的?(?:机关|机构|人员)))"
#: 有关法律法规, 法律、法规规定, 国家有关规定, 相关规定: a basis that names nothing. One pattern for each first word.
VAGUE = (
    re.compile(rf"有关的?(?:国家)?{_RULES}"),
    re.compile(rf"相关的?(?:国家)?{_RULES}"),
    re.compile(rf"法律(?:{_AND}?{_SOME}{_NOUN}){{0,6}}(?:{_AND}?的?(?:有关|相关)(?:规定|要求)|的?规定)"),
    re.compile(r"法律法规(?!的?规定)"),
    re.compile(rf"法规(?:{_AND}{_NOUN}){{0,3}}的?(?:有关|相关)?规定"),
    re.compile(rf"国家(?:{_AND}(?:本|我|地方)?[省市]?)?的?规定(?!的(?:机关|机构))"),
)
#: Whose rules they are: 国家有关规定, 本省现行有关规定.
VAGUE_WHOSE = re.compile(rf"(?:(?:{_WHOSE})(?:现行)?的?(?:其他|其它)?|现行的?|其他|其它|行政|地方性|地方)$")

RELATION = re.compile(
    r".*(参照|比照|参考|违反|违背|触犯|不符合|抵触|(?:修改|修订|修正)(?![的后前版过）)年实案])|废止(?![的前后])|依照|依据|根据|按照|遵照|遵循|(?<!参照)适用|符合|(?<!参照)执行|落实|贯彻|按|依)",
    re.DOTALL,
)
RELATIONS = {
    "参照": "reference", "比照": "reference", "参考": "reference",
    "违反": "violation", "违背": "violation", "触犯": "violation", "不符合": "violation", "抵触": "violation",
    "修改": "amends", "修订": "amends", "修正": "amends", "废止": "repeals",
}  # fmt: skip
#: 以《…》第三十二条为据, 决定依据为《…》.
TAKEN_BEFORE, TAKEN_AFTER = re.compile("以$"), re.compile(r"[^，。；《]{0,14}为[^，。；]{0,6}(?:依?据|根据)")
BASIS_IS = re.compile(r"(?:依据|根据)(?:为|是)[^，。；]{0,12}$")
REPEALED_AFTER = re.compile(
    r"[^。；;\n]{0,40}?(?:同时|即行|一并|予以|相应|已|已经|已被|均)?废止|[^。；;，,\n]{0,12}不再(?:执行|适用|施行)"
)
AMENDED_AFTER = re.compile(
    rf"{G}(?:的?部分条款)?[^。\n，]{{0,16}}?(?:作|做|进行|予以)(?:出|了)?(?:如下|以下|部分)?修[改订正]|{G}(?:修改为|作如下修改|改为)"
)
#: A clause ends here, for the verb that governs a citation.
CLAUSE_END = "。；;\n！？!?"

CONTRACT_END = re.compile(
    r"(?:合同|协议|协议书|约定|合约|契约|承诺书|备忘录|责任书|标书|招标文件|投标文件|竞赛|保单|保险单|公司章程|企业章程|村规民约|居民公约|业主公约|管理规约|规约|判决书|裁定书|起诉状|申请书|报告|提纲|清单|附件\d*|附录\d*|附表\d*)[》”\"]?$"
)
CONTRACT_TITLE = re.compile(
    r"(?:合同|协议|协议书|合约|承诺书|备忘录|责任书|公司章程|村规民约|居民公约|业主公约|规约|公约书|标书|保险单)(?:[（(].{0,20}[）)])?$"
)
#: What follows a 条 that counts things (第三条生产线) or belongs to a contract (第三条约定).
COUNTED = re.compile(
    rf"{G}(?:生产线|线|道|路|街|河|江|沟|渠|船|鱼|狗|命|腿|裤|裙|战线|跑道|高速|铁路|公路|地铁|轨道|航线|航道|通道|管道|隧道|走廊|轴线|主线|红线|底线|防线|消息|信息|新闻|留言|评论|微博|短信|弹幕"
    r"|意见|建议|经验|理由|线索|标语|禁令|铁律|军规|家训|举措|措施|约定|提示|批注|记录|弄|巷|支流|产业链|轨道|渔船|船舶|输电|高铁|道路|街道|河流|链)"
)
#: What follows an article that is cited, also at the beginning of a sentence, where a heading of an article might stand.
CITED_SURELY = re.compile(
    rf"{G}(?:(?:的|之|有关|相关)?规定|所[称列指规述]|的|[、，,和与及或至到—–－~～\-）)〕\]]|第{G}(?:{DIGIT}+款|[（(]?{DIGIT}+[）)]?项)|修改|改为|中的|中规定|关于|[”\"』][^。]{{0,4}}(?:修改|调整|改为|作|中|增加))"
)
#: The same within a sentence.
CITED = re.compile(
    rf"{G}(?:[和中以等作删已之外后前其]|情形|要求|条件|行为|措施|有关|相关|另有|明确|增加|合并|除外|不适用|{CITED_SURELY.pattern})"
)
