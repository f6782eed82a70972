"""Personal names a petitioner gives (自报姓名): surnames and the phrases that introduce a name.

A name is masked only where something says that it is one: a label (联系人：), a phrase (我叫), a signature or a telephone
number beside it. Rationale: masking every surname with two characters would take street, firm and village names away,
and those decide the routing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Source: the commonest surnames of the national registers (公安部 全国姓名报告) and of 百家姓.
_SINGLE = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范"
    "汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎闫薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪"
    "庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷曲盛冉翁蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈"
    "饶解牟艾尤阳穆农司卓古吉缪简项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫"
    "寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠"
    "豆朴盖练廉禹井祖漆巴丰卿狄平索宣晋初门云容敬扈晁芮普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺"
    "战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干尉冶斯束檀衣信展阴昝智幸奉植衡富尧闭"
)
_COMPOUND = (
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|公冶|太叔|申屠|公孙|慕容|仲孙|钟离|长孙"
    "|宇文|司徒|鲜于|司空|闾丘|子车|亓官|司寇|巫马|公西|颛孙|壤驷|公良|漆雕|乐正|宰父|谷梁|拓跋|轩辕|令狐|段干|百里|呼延|东郭|南门|羊舌|微生"
    "|梁丘|左丘|西门|第五|淳于|单于|公仪|夹谷|东门|南郭|达奚|褚师"
)
#: Characters that given names do not have: particles, pronouns, prepositions, and the ends of words for bodies and places.
_NOT_GIVEN = (
    "的了着过吗呢吧啊我你您他她它们是在不没这那哪个就都也很还与及或被把从对将向给让使但而且所又再最更去来到得"
    "某等请问打拨电话号码局委办厅处科室院厂店校站区县镇乡街路栋幢楼层座号弄巷省司队组部社团会员"
)
#: Words that look like a surname with given characters, or that fill the field of a name without being one.
_NO_NAMES = (
    "敬礼|此致|申诉人|申请人|何以|关事|司机|司法|管理|管家|房东|房子|房产|车子|车主|车队|车辆|时间|时候|施工|商家|商户|商贩|商场|单位|师傅|师父|家人|客服|匿名|保密|不详|未知|暂无|"
    "同上|群众|市民|居民|村民|业主|家长|网友|物业|公司|全体|学生|职工|员工|工人|住户|农民|经理|老板|老师|医生|警察|保安|金额|金融|方案|方便|"
    "高三|高中|高二|高一|高新|高温|高速|高铁|大学|于是|和平|和谐|国家|国有|平时|平台|安全|安置|应该|应当|成都|都是|明天|明年|白天|夏天|文化|"
    "石家庄|江西|江苏|海南|海口|云南|甘肃|宁夏|连续|连锁|包括|包工|路人|路边|花园|花店|费用|计划|支付|相关|信访|信息|利用|居住|居委|公安|公务|公民|"
    "公交|公办|海外|南方|元旦|满意|原告|原来|原因|来电|来信|党员|党委|党支部|全家|全部|官方|国民|国土|农户|农村|农商|万达|万科|恒大|金科|明显|"
    "容易|相信|幸好|幸福|展开|但是|干部|由于|房管|城管|水电|金牌|叫车|时常|常年|方式|方法|项目|别人|本人|自己|无名|某某|先生|女士|"
    "支持|支部|关于|关系|关注|顾客|顾问|游客|游戏|任何|任务|温馨|严重|尤其|解决|解释|连云港|向上|向阳|利益|华润|华为|富力|元宝|古城|安装|平安|银行|玉林"
)
_HAN = "\u4e00-\u9fff"
_GIVEN = f"(?:(?![{_NOT_GIVEN}])[{_HAN}])"
_STARS = r"(?:[*]{1,3})"
_HARD = rf"(?![{_HAN}*])"
#: Words that follow a name in running text.
_SOFT = (
    "(?=是|为|系|今年|现年|年龄|性别|男|女|住|家住|现住|居住|来自|的|在|于|有|因|现|和|与|一名|身份证|电话|手机|联系|联络|微信|邮箱|地址|向|"
    "户籍|汉族|生于|出生|就读|毕业|反映|投诉|举报|想|要|老家|原籍|本人|我|先生|女士|小姐|同志|，|职业|单位|工作|日期|时间|签名|敬上|此致)"
)
_SURNAME = f"(?:{_COMPOUND}|[{_SINGLE}])"
_TITLE = "(?:先生|女士|小姐|太太|阿姨|叔叔|大爷|大妈|大姐|大哥|师傅|老师|经理|主任|同志|奶奶|爷爷|伯伯|老板|医生|校长|总|工|姐|哥|叔|姨)"
_NAME = (
    rf"(?!{_NO_NAMES})(?:{_SURNAME}(?:{_GIVEN}{{2}}{_HARD}|{_GIVEN}(?:{_HARD}|{_SOFT})|{_GIVEN}{{2}}{_SOFT}|{_STARS})"
    rf"|[{_HAN}]{{2,8}}·[{_HAN}]{{2,8}}{_HARD})"
)
_TITLED = rf"(?!{_NO_NAMES}){_SURNAME}{_GIVEN}{{0,2}}?{_TITLE}{_HARD}"
#: A field that names a person takes two to four characters as a name even where the surname is rare.
_FIELD = rf"(?!{_NO_NAMES})(?:{_GIVEN}{{2,4}}|[{_HAN}]{_STARS}|[{_HAN}]?[*]{{2,3}}[{_HAN}]?){_HARD}"

_PERSON = (
    "(?:联系人|联络人|投诉人|举报人|反映人|反应人|信访人|上访人|申请人|当事人|来信人|来电人|写信人|留言人|求助人|诉求人|申诉人|控告人|检举人|"
    "建议人|咨询人|代理人|委托人|负责人|经办人|法人|法定代表人|法人代表|收件人|寄件人|受害人|患者|户主|署名|落款|签名|签字|联系方式|联系电话|"
    "联系手机|手机|电话)"
)
_MARK = r"(?:[ \n]*[：:][ \n]*|[ \n]+)"
_BESIDE = "〔(?:〓|手机号|固定电话|身份证号)"  # 〓 is what `mask` fills found numbers with
_PLAIN = re.compile(rf"(?P<name>{_NAME})")
_PERSONAL = re.compile(rf"(?P<name>{_TITLED}|{_NAME})")
_FIELDED = re.compile(rf"(?P<name>{_NAME}|{_TITLED}|{_FIELD})")
_AT_NUMBER = re.compile(
    rf"(?P<name>{_NAME})(?=[，,、（( ]*(?:身份证|性别|男|女|(?:联系)?(?:电话|手机)(?:号码?)?[：: ]*〔|现年|今年|〔))"
)
_LAST = re.compile(rf"(?P<name>{_NAME})(?=[\s，。,]*(?:[0-9〔][^\n]*)?\Z)")

#: What may introduce a name, one bit each; `NAME_TRIPLES` says what tells of them. ADJOINING: a placeholder.
_NAMED, _CALLED, _SELF, _CLOSING, ADJOINING, _LABELLED, _UNMARKED, _STARRY, _FOREIGN = (1 << n for n in range(9))

#: (bit, characters of which a text must hold one, introduction, name that must follow it).
_INTRODUCED = (
    (_NAMED, "", re.compile("[姓名](?:(?<=姓)名|(?<=名)字)[ \\n]*(?:[：:][ \\n]*|[是为叫][：: ]?)"), _FIELDED),
    (_NAMED, "", re.compile("[姓名](?:(?<=姓)名|(?<=名)字) ?"), _PLAIN),
    (_CALLED, "", re.compile("叫(?<=我叫|名叫|人叫|字叫)(?:做|作)?[：:]? ?"), _PERSONAL),
    (_SELF, "证男女岁〔", re.compile("(?:我是|本人是?|我系)[：:， ]?"), _AT_NUMBER),
    (_CLOSING, "", re.compile(rf"[此敬](?:(?<=此)致|(?<=敬)礼)[！!。，,.\s]*(?:{_PERSON}{_MARK}?)?"), _LAST),
    # Beside a masked number; a list that goes on after a masked name.
    (ADJOINING, "〔", re.compile(r"〕[)）（(，,、 /]*"), re.compile(rf"(?P<name>{_TITLED})")),
    (ADJOINING, "〔", re.compile(r"〕[、/和]"), _PLAIN),
)
#: The end of a label and what stands between it and the name; `_LABEL` looks at the rest of the label.
_LABEL_END = re.compile(rf"[人式话机者主名款字](?:姓名)?(?:{_MARK}|[是为叫][：: ]?)(?:〔[^〕]*〕[,，、/（( ]*)?")
_LABEL = re.compile(rf"{_PERSON}\Z")
_LAST_LINE = re.compile(r"(?:联系|反映|投诉|举报|信访|申请)人(?=[^\n]{2,4}[ \n。]*\Z)")
_NUMBERED = re.compile(_BESIDE)
_BEFORE_NUMBER = re.compile(
    rf"(?P<name>{_TITLED}|(?<![{_HAN}]){_NAME})[（(：:，,、 ]*(?:联系)?(?:电话|手机|联系方式|身份证)?(?:号码?)?[：:是为 ]*(?=〔\Z)"
)
_STARRED = re.compile(rf"(?P<name>[{_SINGLE}]{_STARS})(?![*0-9路街区县市村镇号小公])")
_STARRED_AFTER = re.compile(rf"[^{_HAN}0-9]|[叫人是为名和与向被让由找给户的]")

_BEGINNING = _SINGLE + "".join(name[0] for name in _COMPOUND.split("|"))
#: What a text must hold for a bit: three characters in a row, one of each set; an empty set is any character. Wider than the
#: patterns above, never narrower, and no filling of `mask` is in any but `ADJOINING`.
NAME_TRIPLES = {
    _NAMED: ("姓名", "名字", ""),
    _CALLED: ("我名人字", "叫", _BEGINNING + "做作：: "),
    _SELF: ("我本", "是系人", _BEGINNING + "是：:， "),
    _CLOSING: ("此敬", "致礼", ""),
    ADJOINING: ("〔〕", _BEGINNING + ")）（(，,、 /和〓手固身", ""),
    # the ends of the labels of `_PERSON`
    _LABELLED: (
        "系络诉报映应访请事信电言助求告举议询理托责办法表件害患户署落签方手",
        "人式话机者主名款字",
        " \n：:是为叫姓",
    ),
    _UNMARKED: ("系映诉报访请", "人", _BEGINNING),
    _STARRY: (_SINGLE, "*＊", ""),
    _FOREIGN: ("".join(map(chr, range(0x4E00, 0xA000))), "·", ""),
}


def find_names(text: str, bits: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of names that a text introduces as such; spans may overlap.

    `bits` holds at least those of `NAME_TRIPLES` that the text calls for.
    """
    if bits & _FOREIGN:  # a name that may begin with any character
        bits = -1
    for bit, characters, introduction, name in _INTRODUCED:
        if not bits & bit or (characters and not any(character in text for character in characters)):
            continue
        for match in introduction.finditer(text):
            found = name.match(text, match.end())
            if found:
                yield found.span("name")
    if bits & _LABELLED:
        for match in _LABEL_END.finditer(text):
            start = match.start()
            if _LABEL.search(text, max(0, start - 4), start + 1):
                found = _PERSONAL.match(text, match.end())
                if found:
                    yield found.span("name")
    last = _LAST_LINE.search(text, max(0, len(text) - 12)) if bits & _UNMARKED else None
    if last:
        found = _LAST.match(text, last.end())
        if found:
            yield found.span("name")
    if bits & ADJOINING and "〔" in text:
        for match in _NUMBERED.finditer(text):
            found = _BEFORE_NUMBER.search(text, max(0, match.start() - 24), match.start() + 1)
            if found:
                yield found.span("name")
    if bits & _STARRY:
        for match in _STARRED.finditer(text):
            if match.start() == 0 or _STARRED_AFTER.match(text, match.start() - 1):
                yield match.span("name")
