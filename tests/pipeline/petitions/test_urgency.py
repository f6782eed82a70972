"""Urgency rules: a table of what the bundled rules say, and how a rule works."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.config import LEVELS, UrgencyConfig, UrgencyRule, load_config
from pipeline.petitions.urgency import Urgency, UrgencyRules

RULES = UrgencyRules.compile(load_config().urgency)

#: Invented petitions with the level the bundled rules must give.
CASES = [
    ("critical", "我不想活了，工程款再不给我就从楼上跳下去"),
    ("critical", "再没人管我只能跳楼了"),
    ("critical", "有人站在楼顶要跳楼，快来人"),
    ("critical", "我们楼里天然气管道漏气，味道很大没人管"),
    ("critical", "施工队挖断燃气管，现在满街都是气"),
    ("critical", "没有人管燃气泄漏的事，住户都不敢开灯"),
    ("critical", "今天早上三楼着火，浓烟很大，有人被困"),
    ("critical", "电梯里现在有人被困，物业电话打不通"),
    ("critical", "工地脚手架倒塌，两名工人被埋"),
    ("critical", "学校食堂吃饭后多名学生食物中毒送医"),
    ("critical", "幼儿园老师猥亵女童，家长报警没结果"),
    ("critical", "八岁孩子昨天走失，至今找不到，求助"),
    ("critical", "老人走失超过十小时，请帮忙寻找"),
    ("critical", "拿不到钱我就和他同归于尽"),
    ("critical", "不给说法我就去自焚"),
    ("critical", "化工厂氨气泄漏，附近居民呼吸困难"),
    ("critical", "刚刚有小孩掉进河里"),
    ("urgent", "人行道井盖缺失，晚上看不见很危险"),
    ("urgent", "路边没有井盖，孩子差点掉下去"),
    ("urgent", "路灯杆漏电，已经电到一只狗"),
    ("urgent", "工地拖欠我们三十多名农民工工资"),
    ("urgent", "二十几个工人被欠薪，老板跑了，几十人在工地等着"),
    ("urgent", "村民准备集体上访，去市政府门口拉横幅"),
    ("urgent", "全村停水三天，几百户没水吃"),
    ("urgent", "整个小区停电已经十个小时，天气太热"),
    ("urgent", "房子墙体随时可能倒塌，住着老人"),
    ("urgent", "丈夫长期家暴，我和孩子很害怕"),
    ("urgent", "邻居持刀威胁我"),
    ("urgent", "孩子在学校被霸凌，被打伤住院"),
    ("urgent", "化工厂半夜偷排废水，气味刺鼻让人头晕"),
    ("urgent", "楼道里有很浓的煤气味"),
    ("urgent", "外墙脱落，砖块砸到路上行人"),
    ("urgent", "变压器冒烟，居民很害怕"),
    ("urgent", "班级里多名孩子出现手足口病，学校不停课"),
    ("urgent", "路面塌陷一个大坑"),
    ("elevated", "公司拖欠工资两个月"),
    ("elevated", "消防通道被私家车占用"),
    ("elevated", "我家停水两天了"),
    ("elevated", "被邻居的狗咬伤"),
    ("elevated", "楼上高空抛物很危险，差点砸到行人"),
    ("elevated", "父亲的危房一直没人修，住着很危险"),
    ("normal", "建议开展防溺水宣传"),
    ("normal", "社区消防演练噪音扰民"),
    ("normal", "希望举办预防自杀的心理讲座"),
    ("normal", "年轻生力军不够，希望引进人才"),
    ("normal", "商场跳楼价促销涉嫌虚假宣传"),
    ("normal", "申请安装燃气泄漏报警器"),
    ("normal", "爆炸式增长的垃圾没人清运"),
    ("normal", "公交车停运时间太早"),
    ("normal", "手机中毒了如何处理"),
    ("normal", "门口经常堵路口，影响出行"),
    ("normal", "物业费太高，希望降低"),
    ("normal", "路灯不亮"),
    ("normal", "危房改造补助政策咨询"),
    ("normal", "没有拖欠工资，只是社保没交"),
    ("normal", "小学生入学需要什么材料"),
    ("critical", "刚才氯气泄漏！没有人管"),
    ("urgent", "希望尽快消除漏电"),
    ("elevated", "培训机构跑路，几百名学员退不了费"),
    ("normal", "把垃圾桶比作定时炸弹也不为过"),
    ("critical", "我爸因为拆迁的事喝了农药，正在医院抢救"),
    ("critical", "活着没意思了，想一死了之"),
    ("critical", "楼上邻居家着火了，消防车进不来"),
    ("critical", "有人在小区里拿刀砍人"),
    ("critical", "三岁女儿在幼儿园被老师用针扎"),
    ("critical", "地下室有人触电，快救人"),
    ("critical", "房屋坍塌有人被压在下面"),
    ("critical", "孩子不见了，已经报警"),
    ("critical", "小区二十多人食物中毒住院"),
    ("critical", "洪水进村，老人被困屋里等待救援"),
    ("critical", "我闻到很浓的煤气味，头晕，怀疑煤气泄漏"),
    ("critical", "再不解决我就死给你们看"),
    ("critical", "加油站旁边刚刚发生爆炸，有人受伤"),
    ("critical", "河边发现有人落水"),
    ("critical", "天然气泄漏了"),
    ("critical", "液化气站着火"),
    ("urgent", "老板拖欠我们几十个农民工的血汗钱，过年回不了家"),
    ("urgent", "出租车司机准备明天集体罢运"),
    ("urgent", "业主们要堵路维权"),
    ("urgent", "自来水发臭发黄，全小区居民都不敢喝"),
    ("urgent", "电线杆快倒了，随时会砸到人"),
    ("urgent", "下水道井盖不见了"),
    ("urgent", "我被非法拘禁，手机也被抢"),
    ("urgent", "电梯突然下坠，老人吓晕了"),
    ("urgent", "停气三天，整栋楼做不了饭"),
    ("urgent", "母亲生命垂危急需输血求助"),
    ("urgent", "老公喝酒就打我，家暴多年"),
    ("urgent", "山体滑坡隐患，下雨就掉石头到村民房屋"),
    ("urgent", "学生被同学长期欺凌，不敢上学"),
    ("urgent", "冬天暖气停了，几百户居民受冻，停暖一周"),
    ("elevated", "老板欠我工资不给"),
    ("elevated", "物业把消防通道锁了"),
    ("normal", ""),
]


#: Invented letters in the words of people who know no rule: object, state of danger, who is near it.
WORDINGS = [
    ("critical", "我妈把农药瓶子放在床头，说再没人管就寻死"),
    ("critical", "有个小伙子爬到楼顶边上坐着，说工程款不给就跳"),
    ("critical", "她昨天半夜翻出窗外，被我们拽住了，求你们派人来"),
    ("critical", "工人爬上塔吊，说老板不给钱就不下来"),
    ("critical", "孩子留下遗书就出门了，到现在没回来"),
    ("critical", "他提着汽油到售楼部门口，扬言要烧掉"),
    ("critical", "邻居天天拍门，说要杀全家"),
    ("critical", "出租屋里液化气一直在漏气，嘶嘶响"),
    ("critical", "挖机把天然气管挖破了，气往外喷"),
    ("critical", "对面楼顶冒浓烟，赶紧来，火势正在往上窜"),
    ("critical", "仓库着火了，里面还有人"),
    ("critical", "锅炉爆炸，两人被炸伤，正在抢救"),
    ("critical", "河堤边刚刚有人落水，快来救人"),
    ("critical", "电梯里困着人，我老公被困在电梯里面，现在还没出来"),
    ("critical", "工地挡土墙垮塌，有人被埋在下面，快救人"),
    ("critical", "有人正在路口持刀追人"),
    ("critical", "上小学的女儿被补习老师猥亵，昨天才说出来"),
    ("critical", "奶奶早上出门走失，有老年痴呆，家里人到处寻找"),
    ("critical", "有工人在配电房触电，倒在地上不动了"),
    ("urgent", "墙边一根高压线断了，掉在菜地里"),
    ("urgent", "变压器一直打火花，噼里啪啦响"),
    ("urgent", "充电桩外壳漏电，我手碰上麻了一下"),
    ("urgent", "下雨后路灯杆倒在人行道上"),
    ("urgent", "塔吊钢丝绳断丝了还在吊料，下面全是工人"),
    ("urgent", "升降机失灵掉了一层，工人不敢上还要继续作业"),
    ("urgent", "村里那座便桥的桥面塌了个窟窿，学生每天走"),
    ("urgent", "大桥桥墩露出钢筋，大车照样过"),
    ("urgent", "屋后边坡裂开，石块往下滚，几户人家都住在下面"),
    ("urgent", "水库大坝渗水，下面就是村子"),
    ("urgent", "楼上广告牌被风吹得晃动，快掉了，底下是公交站，行人很多"),
    ("urgent", "小区外墙瓷砖脱落，砸坏两辆车"),
    ("urgent", "出租屋有人私自灌装液化气，十几个瓶子堆在楼梯口"),
    ("urgent", "有人在民房一楼存放危险化学品"),
    ("urgent", "老房子房梁断了，屋顶要塌，老人还住着"),
    ("urgent", "路面塌陷，露出两米深的坑"),
    ("urgent", "绿化带里窨井盖被偷了"),
    ("urgent", "隔壁装修把承重墙砸了"),
    ("urgent", "有人半夜在楼道放火，烧了两辆电动车"),
    ("urgent", "电梯突然下坠，一车人吓得腿软"),
    ("urgent", "扶梯突然失控，上面站满了人"),
    ("urgent", "鱼塘没有护栏，去年淹死过人，放学孩子还在边上玩"),
    ("urgent", "十五个人干了半年，工钱一直拖欠"),
    ("urgent", "包工头跑了，我们班组40多名工人拿不到工资"),
    ("urgent", "表弟被骗到外地传销，手机被没收，求解救"),
    ("urgent", "儿子被骗去缅北，园区要赎金"),
    ("urgent", "业主们决定明天去售楼处拉横幅"),
    ("urgent", "再不解决，我们只能走极端"),
    ("urgent", "真的活不下去了，求领导救救我们"),
    ("urgent", "楼下老头被人打成重伤"),
    ("urgent", "我被限制人身自由三天"),
    ("urgent", "家里断药三天，透析病人等不起"),
    ("urgent", "父亲病危，医院没钱不给用药，目前还在抢救室"),
    ("urgent", "附近工厂排出的气刺鼻，孩子头晕呕吐"),
    ("urgent", "全班出现诺如病毒，多名孩子请假"),
    ("urgent", "养老院停电两天，老人热得受不了"),
    ("urgent", "昨晚暴雨村民家里进水，现在水已经漫过膝盖，堤坝出现管涌"),
    ("urgent", "马上派人来，再不来这口井边要出人命，刚才小孩踩空了"),
    ("elevated", "楼道里私拉电线，容易触电"),
    ("elevated", "河边有人扔死猪"),
    ("elevated", "造纸厂长期偷排，村民意见很大"),
    ("elevated", "公司克扣我的工资"),
    ("elevated", "上礼拜三楼炒菜起火，幸好没事，消防通道被车占着"),
    ("urgent", "楼下气表附近一股臭鸡蛋味，家里不敢开火"),
    ("urgent", "锅炉压力表坏了随时爆炸，旁边就是居民楼"),
    ("urgent", "演唱会出口太窄，怕发生踩踏事故"),
    ("elevated", "走投无路了才写这封信"),
    ("urgent", "矿井里瓦斯超标，老板叫工人继续下井"),
    ("urgent", "班上好几个孩子天天流鼻血，家长怀疑教室装修"),
    ("urgent", "早上在河里发现尸体，快来人看看"),
    ("urgent", "学校跑道异味大，学生天天流鼻血"),
    ("urgent", "楼下餐馆后厨一股臭鸡蛋味，表在转，像是煤气跑了，老人头都晕了"),
    ("urgent", "电线杆被货车撞歪，线快碰到地面，放学路上都是孩子"),
    ("urgent", "幼儿园滑梯螺丝全松了，昨天摔下来一个孩子骨折"),
    ("urgent", "旁边工地基坑边的楼房裂缝一天比一天宽，墙能伸进手，晚上听到咔咔响"),
    ("urgent", "老公把我锁在屋里不让出门，拿皮带抽我"),
    ("urgent", "有个男的天天在校门口摸小女孩"),
    ("urgent", "爷爷86岁昨天下午出去买菜没回来，手机也打不通"),
    ("urgent", "丈夫下矿三天没消息，老板说没事"),
    ("urgent", "高速桥下的伸缩缝断了，钢板翘起来，摩托车摔了三个"),
    ("urgent", "自来水有农药味，喝了拉肚子，一栋楼都这样"),
    ("urgent", "工厂排的气闻了喘不过气，好几个人送医院"),
    ("urgent", "几百业主明天要去堵高架"),
    ("urgent", "商场扶梯突然倒着走，摔了好多人"),
    ("urgent", "楼上空调外机架子锈断了，整台歪着，下面是幼儿园"),
    ("urgent", "有人在楼道给电动车充电，刚冒烟了"),
    ("urgent", "轮渡超载，没有救生衣"),
    ("urgent", "养老院护工打老人，身上都是青的"),
    ("urgent", "锅炉没年检，压力表爆表还在烧"),
    ("urgent", "三楼阳台整块水泥掉下来，差点砸中我婆婆"),
    ("critical", "我欠了一屁股债，活着还有什么意思，安眠药都买好了"),
    ("urgent", "小区地下室住着二十几户，私拉电线，昨晚插座烧了"),
    ("urgent", "校车二十座塞了四十个娃"),
    ("urgent", "半山腰的石头松了，昨晚又滚下来两块，正对着我家"),
    ("urgent", "有人拿砍刀在烧烤摊追人"),
    ("critical", "大坝泄洪没通知，有人在河滩钓鱼困在中间"),
    ("urgent", "狗贩子的疯狗咬了五个孩子"),
    ("urgent", "检查井没盖，骑车的大爷栽进去头破血流"),
    ("urgent", "邻居精神病人又发病，拿着菜刀在楼道里喊"),
    ("urgent", "高楼擦窗的吊篮一头绳断了，人还吊着"),
    ("urgent", "工地老板卷钱跑了，我们四川来的八十多号兄弟没饭吃"),
    ("urgent", "洗浴中心锅炉房在地下，烟道堵了，昨天熏倒两个搓澡工"),
    ("urgent", "对门一家三口三天没开门，屋里飘出难闻味道，敲门没人应"),
    ("urgent", "工地塔臂伸到学校操场上空吊钢筋，孩子在下面做操"),
    ("urgent", "我儿子被高年级堵在厕所打，耳朵打聋了"),
    ("urgent", "楼下住户把煤气瓶放在楼道口，边上有人抽烟"),
    ("urgent", "家门口电线烧得滋滋响，一下雨就冒蓝光"),
    ("urgent", "隧道顶上往下掉水泥块，前面一辆车玻璃砸碎了"),
    ("urgent", "堤上出了个碗口大的洞，往外冒浑水"),
    ("urgent", "讨债的把我爸堵在店里两天了，不让吃饭"),
    ("urgent", "老人一个人住，摔在地上起不来，社区门打不开"),
    ("urgent", "化肥厂白烟飘过来，眼睛睁不开，孩子直咳"),
    ("urgent", "小区东门的大树被台风刮斜了，靠在三楼窗户上"),
    ("urgent", "学校食堂吃完饭，十几个娃吐了"),
    ("critical", "有个女的抱着孩子坐在桥栏杆上哭"),
    ("urgent", "包工头欠我们二十六个人的钱，今天都在项目部坐着"),
    ("urgent", "游乐场海盗船安全压杆压不住，孩子差点甩出去"),
    ("urgent", "水塘边栅栏倒了半个月，前天一个小孩滑下去被钓鱼的捞上来"),
    ("urgent", "几个小年轻拿着钢管在KTV门口打群架"),
    ("urgent", "我弟被人弄到缅甸，每天打视频要钱"),
    ("urgent", "危房里还住着三户，房顶已经露天了，今晚有暴雨"),
    ("urgent", "路边变电箱门敞着，小孩伸手去摸"),
    ("urgent", "公交车刹车失灵，司机说报了修公司不管"),
    ("critical", "婆婆说要带着孙子一起走，药都准备好了"),
    ("urgent", "养殖场的猪一夜死了三十头，邻居的也开始死"),
    ("urgent", "加油站卸油时油流了一地"),
    ("urgent", "有人往水库里倒农药桶"),
    ("urgent", "矿上瓦斯报警器被人用袋子包起来继续干"),
    ("critical", "老师把孩子关小黑屋，用针扎"),
    ("urgent", "酒吧消防门焊死了，里面几百人"),
    ("urgent", "天桥栏杆整段没了，晚上黑，有人差点翻下去"),
    ("critical", "家里煤气灶关不上，气一直在冒，我不敢动"),
    ("urgent", "单元门口的电表房在冒黑烟，噼啪响"),
    ("urgent", "工人从脚手架上摔下来，老板不让打120"),
    ("urgent", "我女儿15岁，跟网友走了，两天联系不上"),
    ("critical", "前男友天天在楼下堵我，说要泼硫酸"),
    ("urgent", "楼顶水箱快掉下来了，铁架子都锈断"),
    ("urgent", "暴雨把路冲出一个大坑，摩托车看不见"),
    ("urgent", "几个高利贷的人在我家砸门，我一个人带孩子"),
    ("urgent", "小区电梯门开了但轿厢没在，差点一脚踩空"),
    ("urgent", "河里漂着一个人"),
    ("urgent", "隔壁传来小孩惨叫，每晚都打"),
    ("urgent", "丈夫尿毒症，透析机坏了，县医院让等一周"),
    ("urgent", "村里水井被人投了东西，喝水的鸡都死了"),
    ("urgent", "公园湖边护栏断了三米，孩子放学都在那里"),
    ("critical", "冷库氨气味很大，工人戴着口罩跑出来"),
    ("critical", "出租屋有人煤气中毒，已经送医院"),
]

#: Invented letters that hold a word of danger and tell of none: over, denied, quoted, supposed, a figure of speech.
HARMLESS = [
    ("normal", "感谢施工队，上周破损的井盖不见了，已补好"),
    ("normal", "燃气管道漏气，已经修好，谢谢师傅"),
    ("normal", "走失的老人找到了，平安回家，表扬民警"),
    ("normal", "并没有发生燃气泄漏"),
    ("normal", "咨询燃气泄漏应急处置办法"),
    ("normal", "建议小区每年开展防火防触电演练"),
    ("normal", "如果天然气泄漏怎么办，希望加装阀门"),
    ("normal", "听了防溺水讲座，建议多办几场"),
    ("normal", "《燃气管理条例》规定，发现燃气泄漏应当立即处置，请问由谁负责"),
    ("normal", "热线电话打爆了也没人接"),
    ("normal", "网红店生意火爆，排队占道"),
    ("normal", "停车难是燃眉之急"),
    ("normal", "看到古树被砍，心都碎了"),
    ("normal", "房价跳水，我们业主心里着火一样急"),
    ("normal", "电梯又罢工了，业主只能爬楼"),
    ("normal", "学校搞道德绑架，让家长交钱"),
    ("normal", "一棍子打死的做法不可取"),
    ("normal", "只许州官放火，不许百姓点灯"),
    ("normal", "头都要炸了，隔壁天天敲"),
    ("normal", "教学质量滑坡，家长不满意"),
    ("normal", "楼顶广场有人跳广场舞，太吵"),
    ("normal", "汽油价格又涨了"),
    ("normal", "采石场的炸药味很重"),
    ("normal", "汽修店门口堆着汽油桶和轮胎，看着乱"),
    ("normal", "公司泄露个人信息，骚扰电话不断"),
    ("normal", "天桥什么时候建，孩子过马路不方便"),
    ("normal", "塔吊施工噪音大，晚上不停"),
    ("normal", "行车道太窄，右转困难"),
    ("normal", "规划桥梁什么时候动工"),
    ("normal", "山上有座庙，道路能不能修一修"),
    ("normal", "物业处理消防问题的效率低，真是急死人"),
    ("normal", "学校没收手机合理吗"),
    ("normal", "电费涨价要了老命"),
    ("normal", "这活动一等奖是跳楼机门票"),
    ("normal", "扼杀了我们孩子的兴趣"),
    ("normal", "社区严厉打击强奸民意的做法"),
    ("normal", "高压线下能不能建停车场"),
]


@pytest.mark.parametrize(("level", "text"), [*CASES, *WORDINGS, *HARMLESS])
def test_bundled_rules(level: str, text: str) -> None:
    (found,) = RULES.assess([text], [""])
    assert found.level == level, found


def test_every_bundled_rule_has_a_case() -> None:
    texts = [text for _, text in [*CASES, *WORDINGS]]
    hit = {rule_id for found in RULES.assess(texts, [""] * len(texts)) for rule_id in found.rules}
    assert hit == set(load_config().urgency.rules)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("{}天然气泄漏", {"": "critical", "没有发生": "normal", "如果": "normal", "咨询": "normal"}),
        (
            "楼里{}着火了",
            {"": "critical", "刚刚": "critical", "上周": "elevated", "万一": "elevated", "谨防": "normal"},
        ),
        ("路边窨井盖丢失{}", {"": "urgent", "，没人管": "urgent", "，已经补好": "normal", "，一直没修好": "urgent"}),
        ("有人{}触电，倒在地上", {"": "critical", "差点": "urgent", "防": "normal"}),
        ("再这样我就跳楼{}", {"": "critical", "，已经修好": "critical"}),
        ("桥面塌了{}，车子照样过", {"": "urgent", "一大块": "urgent"}),
    ],
)
def test_what_stands_around_decides(text: str, levels: dict[str, str]) -> None:
    got = {around: RULES.assess([text.format(around)], [""])[0].level for around in levels}
    assert got == levels


def config(**rules: UrgencyRule) -> UrgencyRules:
    """Return compiled rules with two shared negations."""
    shared = UrgencyConfig(
        before=4, after=3, none_of=("谨防", "没|"), none_after=("演练",), not_actual=("可能",), rules=rules
    )
    return UrgencyRules.compile(shared)


def rule(level: str = "urgent", **fields: Any) -> UrgencyRule:
    """Return a rule for 火灾 with other fields."""
    return UrgencyRule(level=level, name="火灾", any_of=("火灾",), **fields)


@pytest.mark.parametrize(
    ("fields", "text", "hit"),
    [
        ({}, "火灾", True),
        ({}, "谨防火灾", False),
        ({}, "谨防楼道里面火灾", True),  # 谨防 is beyond the reach of four characters
        ({}, "谨防，火灾", True),  # another clause
        ({}, "谨防甲、火灾", False),  # 、 joins a list
        ({}, "没火灾", False),
        ({}, "没人管火灾", True),  # 没| must touch
        ({}, "火灾演练", False),
        ({}, "火灾。演练", True),
        ({}, "谨防火灾，发生了火灾", True),  # one hit stands
        ({"none_after": ("|过",)}, "火灾过", False),
        ({"none_after": ("|过",)}, "火灾烧过", True),  # |过 must touch
        ({"none_after": ("扑灭",)}, "火灾，扑灭", True),  # another clause
        ({"none_after": ("，扑灭",)}, "火灾，扑灭", False),
        ({"none_after": ("，扑灭",)}, "火灾扑灭", False),
        ({"none_after": ("，扑灭",)}, "火灾。扑灭", True),  # another sentence
        ({"none_after": ("，扑灭",)}, "火灾，过了很久以后才扑灭", True),  # beyond three times three characters
        ({"shared": False}, "谨防火灾", True),
        ({"none_of": ("听说",)}, "听说火灾", False),
        ({"not_in": ("火灾报警",)}, "火灾报警", False),
        ({"not_in": ("火灾报警",)}, "火灾报案", True),
        ({"actual": True}, "可能火灾", False),
        ({}, "可能火灾", True),
        ({"all_of": (("楼", "房"), ("伤",))}, "楼里火灾，有人伤", True),
        ({"all_of": (("楼", "房"), ("伤",))}, "楼里火灾", False),
        ({"all_of": (("伤",),), "within": 2}, "火灾，伤", True),
        ({"all_of": (("伤",),), "within": 2}, "火灾，有人伤", False),
    ],
)
def test_how_a_rule_works(fields: dict[str, Any], text: str, hit: bool) -> None:
    (found,) = config(fire=rule(**fields)).assess([text], [""])
    assert (found.level == "urgent") is hit


def test_issue_prefixes_limit_a_rule() -> None:
    rules = config(fire=rule(issues=("1308", "01")))
    assert [u.level for u in rules.assess(["火灾"] * 4, ["130809", "0101", "1507", ""])] == [
        "urgent",
        "urgent",
        "normal",
        "normal",
    ]


def test_result_is_the_maximum_with_all_rules_words_and_spans() -> None:
    rules = config(
        b=rule("critical", all_of=(("伤",),)),
        a=rule("elevated"),
        c=UrgencyRule(level="critical", name="大火灾", any_of=("大火灾", "伤")),
        off=UrgencyRule(level="critical", name="关", any_of=("火",), enabled=False),
    )
    (found,) = rules.assess(["有大火灾，有伤"], [""])
    assert found == Urgency("critical", ("b", "c", "a"), ("大火灾", "火灾", "伤"), ((1, 4), (2, 4), (6, 7)))


def test_columns_must_agree_and_empty_ones_are_fine() -> None:
    with pytest.raises(ValueError, match="1 texts and 0 issue codes"):
        RULES.assess(["甲"], [])
    assert RULES.assess([], []) == []
    assert config().assess(["火灾"], [""]) == [Urgency()]


@given(st.lists(st.tuples(st.sampled_from([case[1] for case in CASES]), st.text(max_size=30)), max_size=5))
def test_spans_point_at_the_words_whatever_stands_around(parts: list[tuple[str, str]]) -> None:
    texts = [noise + "。" + case + "。" + noise for case, noise in parts]
    for text, found in zip(texts, RULES.assess(texts, [""] * len(texts)), strict=True):
        assert found.level in LEVELS
        assert (found.level == "normal") == (found.rules == ()) == (found.spans == ())
        assert {text[start:end] for start, end in found.spans} == set(found.words)


@given(st.sampled_from(CASES), st.sampled_from(CASES))
def test_more_text_never_lowers_the_level(one: tuple[str, str], other: tuple[str, str]) -> None:
    alone, both = RULES.assess([one[1], one[1] + "。\n" + other[1]], ["", ""])
    assert LEVELS.index(both.level) >= LEVELS.index(alone.level)
