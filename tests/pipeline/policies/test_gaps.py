"""Every gap code: sentences that have it and near misses that have not. All sentences are invented."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from reform import RADAR, Texted, codes, document, findings, known, of_sentence, rules

from corpora.documents import read_documents
from corpora.legal import PolicyDocument
from corpora.policy_rule_types import GAP_CODES
from pipeline.policies.records import Verdict

CITY = Path(__file__).parents[3] / "corpora" / "data" / "cities" / "langang"
_SPRING_2026 = dt.date(2026, 3, 1)

#: Sentence, its gap codes, options of `reform.document` (`flat`: a city without towns and sub-districts).
CASES: list[tuple[str, str, dict[str, Any]]] = [
    # Signs: what stands together in whatever order.
    ("环卫领域的执法事项，自下月起由南片区联勤工作站直接立案、作出罚款决定。", "DELEGATEE_UNQUALIFIED DECIDER_TOO_LOW NO_BASIS", {}),
    ("南片区联勤工作站受理群众诉求，发现违法线索的报市局立案处罚。", "", {}),
    ("没有执法证的协管队员可先把占道的推车予以暂扣。", "NON_DELEGABLE STAFFING_UNLAWFUL DELEGATEE_UNQUALIFIED", {}),
    ("停车管理单位可以对欠费车辆直接锁车。", "ILLEGAL_SETTING", {}),
    ("各社区户外广告的审批，转由市广告协会盖章办结。", "DELEGATEE_UNQUALIFIED NO_BASIS", {}),
    ("受托事项忙不过来的，可另请辖区物业公司代为实施。", "NON_DELEGABLE DELEGATEE_UNQUALIFIED", {}),
    ("核定社区工作专用编制三十名，不计入编制总额，由市里自行掌握。", "STAFFING_UNLAWFUL", {}),
    ("外地车主每车每月另交停车秩序保障金八十元，由街区管理处收取。", "ILLEGAL_SETTING", {}),
    ("今后对涉及本次拆迁的信访事项一律不予受理。", "RIGHTS_WITHOUT_BASIS", {}),
    ("不符合条件的申请，窗口不予受理并说明理由。", "", {}),
    ("《中华人民共和国行政处罚法》第四十二条在改革期间于各片区停止执行。", "TRIAL_UNAUTHORISED", {}),
    ("一窗通办试点已于2021年12月31日期满，各社区仍照试点做法办理。", "TRIAL_EXPIRED", {"on": dt.date(2024, 5, 1)}),
    ("为赶进度，本方案不再公开征求意见，常务会议后直接实施。", "PROCEDURE_NOT_STATED", {}),
    ("犬只登记职责由市公安局划出，改由市综合行政执法局统筹行使。", "NO_BASIS", {}),
    ("车辆在场内受损的，经营单位概不负责赔偿责任，业主风险自担。", "RIGHTS_WITHOUT_BASIS", {}),
    ("其余十二项处罚权，由本市研究决定一并划给综合行政执法局行使。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("夜市摊主须先向街道办理摆卖准予证，无证的不得出摊。", "ILLEGAL_SETTING", {}),
    ("论证、听证等环节一律从简略去，方案自印发之日起执行。", "PROCEDURE_NOT_STATED", {}),
    ("各社区居委会每月须完成违建巡查三十次，未完成的约谈居委会主任。", "AUTONOMY_BREACH", {}),
    ("各村会议室可以免费查看历年账目。", "", {}),
    ("网格员入户走访，可以查看老人用药情况。", "", {}),
    ("征地后的附着物由农户自行清走，不另作补偿。", "RIGHTS_WITHOUT_BASIS", {}),
    ("法律规定由街道办事处办理的事项，本市目前无对应单位，先登记、缓办理。", "CARRIER_MISSING NO_BASIS", {}),
    ("以《中华人民共和国村民委员会自治法》为依据，将登记权限下放到村民小组。", "LAW_NOT_FOUND DELEGATEE_UNQUALIFIED", {}),
    (
        "对高空抛物，各派出所按今年1月修订的《行政处罚法》第三十三条处理。",
        "BASIS_NOT_YET_EFFECTIVE",
        {"on": dt.date(2021, 5, 1)},
    ),
    # A basis that can be no statute.
    (
        "依据《澜港市政务服务管理办法》（澜政办〔2023〕12号），将二十项审批权限下放至各镇人民政府。",
        "BASIS_LEVEL_TOO_LOW",
        {},
    ),
    ("根据《临湾县政务服务办法》，将二十项审批权限下放至各镇人民政府。", "BASIS_LEVEL_TOO_LOW", {}),
    ("根据《城镇某某排放许可管理办法》，将二十项审批权限下放至各镇人民政府。", "", {}),
    ("根据国家市场监督管理总局《某某许可管理办法》，将二十项审批权限下放至各镇人民政府。", "", {}),
    (
        "根据《某某许可管理办法》和《关于下放的通知》（澜政办〔2023〕12号），将二十项审批权限下放至各镇人民政府。",
        "",
        {},
    ),
    ("根据住房和城乡建设部《某某执法办法》，市综合执法局集中行使八个领域的行政处罚权。", "BASIS_LEVEL_TOO_LOW DECIDER_TOO_LOW", {}),
    ("根据省人民代表大会常务委员会《某某执法办法》，市综合执法局集中行使八个领域的行政处罚权。", "DECIDER_TOO_LOW", {}),
    ("按照有关法律法规的规定，网格员可单独作出警告处罚。", "STAFFING_UNLAWFUL VAGUE_BASIS", {}),
    # The measure's own sentence denies the form, or says who decides.
    (
        "依照《中华人民共和国行政处罚法》第二十条，市水利局口头委托市水库管理中心实施行政处罚，委托书不向社会公布。",
        "FORM_MISSING",
        {},
    ),
    ("经省人民政府批准的目录以外，九项处罚权由本市自行决定下放给各镇。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("网格员主要做好宣传和信息上报，不承担行政执法任务。", "", {}),
    ("协管员可单独开具罚单。", "STAFFING_UNLAWFUL", {}),
    ("摆设夜间摊位的，每平方米每日收取秩序维护费三元。", "ILLEGAL_SETTING", {}),
    ("从农技站的事业编制中拿出三十名，折算为镇机关行政编制使用。", "STAFFING_UNLAWFUL", {}),
    ("社区居民委员会是辖区违法建设防控的第一责任主体。", "AUTONOMY_BREACH", {}),
    ("将城市管理、市场监管等8个领域的216项行政处罚权赋予各镇人民政府、街道办事处行使。", "DECIDER_TOO_LOW NO_BASIS", {}),
    (
        "依据《行政处罚法》第二十四条和省人民政府批准的赋权目录，将45项处罚权交由滨海镇人民政府、城东街道办事处行使，目录向社会公布，每年组织评估。",
        "",
        {},
    ),
    ("向各社区下放燃放烟花爆竹、违规养犬等行政执法权。", "DELEGATEE_UNQUALIFIED DECIDER_TOO_LOW NO_BASIS", {}),
    ("授权片区综合指挥部行使辖区内的行政执法权。", "DELEGATEE_UNQUALIFIED DECIDER_TOO_LOW NO_BASIS", {}),
    ("市水利局委托市河道管护有限公司实施河道管理方面的行政处罚。", "DELEGATEE_UNQUALIFIED NO_BASIS", {}),
    ("市城管局可以委托社区居民委员会查处乱设摊点行为并实施行政处罚。", "DELEGATEE_UNQUALIFIED NO_BASIS", {}),
    (
        "依照《中华人民共和国行政处罚法》第二十条，市卫生健康局书面委托市卫生监督所实施医疗卫生领域的行政处罚，委托书通过政府网站公布。",
        "",
        {},
    ),
    (
        "依照《中华人民共和国行政处罚法》第二十条，市农业农村局委托市农业综合服务中心实施农资领域的行政处罚。",
        "FORM_MISSING",
        {},
    ),
    ("受委托的街道综合服务中心可将部分执法事项转委托给保安公司办理。", "NON_DELEGABLE DELEGATEE_UNQUALIFIED", {}),
    ("受委托组织不得将行政处罚再委托其他组织或者个人实施。", "", {}),
    ("由社区协管员对占道车辆先行扣押。", "NON_DELEGABLE", {}),
    ("网格员发现违法建设的，可直接予以强制拆除。", "ILLEGAL_SETTING", {}),
    ("将行政强制措施权一并委托市城市服务公司实施。", "NON_DELEGABLE DELEGATEE_UNQUALIFIED", {}),
    ("不得将行政强制措施权委托其他组织实施。", "", {}),
    ("将治安拘留的决定权下放至各派出所联勤中心。", "NON_DELEGABLE", {}),
    ("市行政审批局统一行使原由发改、住建等15个部门承担的行政许可权。", "DECIDER_TOO_LOW NO_BASIS", {}),
    (
        "经国务院批准，由省人民政府决定，依据《行政许可法》第二十五条，市行政审批局集中行使22个部门的行政许可权。",
        "",
        {},
    ),
    (
        "依据《行政许可法》第二十四条，市交通运输局将道路货运许可委托滨海镇人民政府实施，委托事项和内容向社会公告。",
        "",
        {},
    ),
    (
        "依据《行政许可法》第二十四条，市交通运输局将道路货运许可委托市物流行业协会实施，委托事项和内容向社会公告。",
        "DELEGATEE_UNQUALIFIED",
        {},
    ),
    ("依据《行政许可法》第二十四条，市林业局将林木采伐许可委托滨海镇人民政府实施。", "FORM_MISSING", {}),
    ("对乱扔垃圾的居民处五十元以上二百元以下罚款。", "ILLEGAL_SETTING", {}),
    ("违反《浙江省生活垃圾管理条例》第四十八条规定的，由市综合行政执法局处二百元以下罚款。", "", {}),
    (
        "对乱扔垃圾的居民处五十元以上二百元以下罚款。",
        "",
        {"title": "临湾市生活垃圾管理办法", "number": "临湾市人民政府令第12号", "fields": {"category": "政府规章"}},
    ),
    ("从事家政服务的，应当先向街道申领家政服务准入证，方可上门服务。", "ILLEGAL_SETTING", {}),
    ("建立夜市摊位经营许可制度，未取得摊位许可证的不得营业。", "ILLEGAL_SETTING", {}),
    ("餐饮服务经营者应当依法取得食品经营许可证。", "", {}),
    ("对占用公共停车位的车主每小时收取占道费5元。", "ILLEGAL_SETTING", {}),
    ("向沿街商户收取卫生保洁费，每户每月60元。", "ILLEGAL_SETTING", {}),
    ("严禁向企业收取任何费用。", "", {}),
    ("外地建筑企业进入本市承揽工程的，须先缴纳信用保证金50万元后方可投标。", "RIGHTS_WITHOUT_BASIS", {}),
    ("政府采购项目只能使用本地企业生产的产品。", "RIGHTS_WITHOUT_BASIS", {}),
    ("不得要求外地企业在本地设立分支机构。", "", {}),
    ("取消对外地企业承揽工程的备案要求。", "", {}),
    ("综合执法队员有权随时进入商户经营场所检查，经营者不得拒绝。", "POWER_WITHOUT_BASIS", {}),
    ("社区网格员可以进入出租屋检查消防安全。", "POWER_WITHOUT_BASIS DELEGATEE_UNQUALIFIED", {}),
    ("依法进入生产经营场所开展检查。", "", {}),
    ("市市场监管局不再受理小额消费投诉，由消费者自行协商解决。", "POWER_WITHOUT_BASIS", {}),
    ("逾期提交的申请，市科技局不再受理。", "", {}),
    ("撤销市文化局、市旅游局，组建市文化和旅游局。", "DECIDER_TOO_LOW NO_BASIS", {}),
    (
        "依据《地方各级人民政府机构设置和编制管理条例》第九条，经温州市人民政府批准并报市人大常委会备案，组建市数据资源管理局。",
        "",
        {},
    ),
    ("不再保留市城乡建设局，其职责划入市自然资源和规划局。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("成立市基层治理改革工作领导小组，办公室设在市委编办。", "", {}),
    ("将市文化馆的10名事业编制调剂给市公安局机关工作使用。", "STAFFING_UNLAWFUL", {}),
    ("新设片区员额编制30名。", "STAFFING_UNLAWFUL", {}),
    ("招聘的协管员单独开展行政检查和行政处罚。", "STAFFING_UNLAWFUL", {}),
    ("协管员在执法人员带领下做好劝导等辅助工作，不得单独从事执法活动。", "", {}),
    ("撤销城关街道办事处，辖区由市直接管理。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("撤销白沙镇建制，并入城东街道。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("经省人民政府批准，依据《行政区划管理条例》第九条，撤销白沙镇，设立白沙街道。", "", {}),
    ("撤销临湾县，设立县级临湾市。", "DECIDER_TOO_LOW NO_BASIS", {}),
    (
        "合并东山、西山两个村民委员会，设立新山村民委员会，经两村村民会议讨论同意，由滨海镇人民政府提出，报市人民政府批准，依据《村民委员会组织法》第三条。",
        "",
        {},
    ),
    ("依据《村民委员会组织法》第三条，撤销东山、西山两个行政村，设立新山社区。", "PROCEDURE_NOT_STATED", {}),
    (
        "依据《村民委员会组织法》第三条，撤销东山、西山两个村民委员会，经村民会议讨论同意，报市人民政府批准。",
        "CARRIER_MISSING",
        {"flat": True},
    ),
    (
        "依据《中华人民共和国城市居民委员会组织法》第三条，撤销南门社区居民委员会。",
        "CARRIER_MISSING",
        {"flat": True, "on": _SPRING_2026},
    ),
    ("依据《中华人民共和国城市居民委员会组织法》第六条，市人民政府决定设立南门社区居民委员会。", "", {"flat": True}),
    ("村民委员会对辖区内违法建设承担监管责任，纳入年度考核一票否决。", "AUTONOMY_BREACH", {}),
    ("社区居委会负责征地拆迁工作，完不成任务的取消评优资格。", "AUTONOMY_BREACH", {}),
    ("居民委员会协助做好消防安全宣传。", "", {}),
    ("原由乡镇人民政府承担的殡葬管理职责，由相关部门承接。", "CARRIER_MISSING NO_BASIS", {}),
    ("原由镇人民政府承担的殡葬管理职责，依据《殡葬管理条例》第三条，由市社会事业局承接。", "", {}),
    ("将市卫健局承担的部分监督职责划转市疾控中心。", "NO_BASIS", {}),
    ("按照市委改革会议精神，将建设项目备案权下放至开发区管委会。", "POLICY_ONLY", {}),
    ("按照有关法律法规，将建设项目审批权限下放至各镇人民政府。", "VAGUE_BASIS", {}),
    ("根据《中华人民共和国基层赋权法》，将建设项目审批权限下放至各镇人民政府。", "LAW_NOT_FOUND", {}),
    ("根据《中华人民共和国行政许可法》第一百二十条，将建设项目审批权限下放至各镇人民政府。", "ARTICLE_NOT_FOUND", {}),
    ("根据《信访条例》第五条，将信访事项办理职责划转市信访局。", "BASIS_REPEALED", {}),
    ("根据《信访条例》第五条，将信访事项办理职责划转市信访局。", "", {"on": dt.date(2019, 5, 1)}),
    (
        "根据《杭州市城市绿化管理条例》，将绿化审批权限下放至各镇人民政府。",
        "BASIS_WRONG_TERRITORY",
        {"territory": "浙江/温州", "title": "瓯江县人民政府关于优化审批的通知", "issuer": "瓯江县人民政府"},
    ),
    ("根据《浙江省综合行政执法条例》第八条，将水利领域行政处罚权划转市综合行政执法局。", "", {"territory": "浙江"}),
    (
        "根据《行政许可法》第三十八条，将水利领域行政处罚权划转市综合行政执法局集中行使。",
        "DECIDER_TOO_LOW",
        {},
    ),
    ("试点区域内暂时停止执行《物业管理条例》有关规定。", "TRIAL_UNAUTHORISED", {}),
    ("根据全国人大常委会的授权决定，在试点区域暂时调整适用《中华人民共和国土地管理法》第四十四条。", "", {}),
    ("前期试点期限为2020年1月至2021年12月，各单位继续按照试点办法执行。", "TRIAL_EXPIRED", {}),
    ("试点期为2023年1月1日至2025年12月31日，期间继续执行原有政策。", "", {}),
    ("国家对扁平化管理尚无明确规定，支持市直部门先行探索直接管理社区的办法。", "REFORM_EXPLORATORY", {}),
    ("将社区撤并事项列为重大行政决策事项，自6月1日起实施。", "PROCEDURE_NOT_STATED NO_BASIS", {}),
    ("已撤销的镇建制不再恢复。", "", {}),
    ("近年来，我市已将120项审批权限下放至各镇。", "", {}),
    ("争取省里下放更多审批权限。", "", {}),
    ("根据工作需要，由市综合行政执法局统一行使文化、旅游、体育领域的行政处罚权。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("整合市场监管、交通等领域执法队伍，组建综合行政执法队伍，集中行使行政处罚权。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("将住建、水利等领域129项执法事项划入市综合行政执法局。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("综合行政执法事项一律由联勤工作站以市局名义实施。", "", {}),
    ("将养犬管理处罚权委托物业公司行使。", "DELEGATEE_UNQUALIFIED NO_BASIS", {}),
    ("委托各行业协会开展安全生产行政执法检查。", "DELEGATEE_UNQUALIFIED NO_BASIS", {}),
    ("委托第三方检测机构对食品进行抽样检验。", "", {}),
    ("市住建局委托律师事务所办理诉讼案件。", "", {}),
    ("聘用人员可以直接实施行政强制措施。", "STAFFING_UNLAWFUL", {}),
    ("将30名行政编制调剂给市属事业单位使用。", "STAFFING_UNLAWFUL", {}),
    ("统筹使用行政编制和事业编制，打破身份界限混合使用。", "STAFFING_UNLAWFUL", {}),
    ("市委编办在核定的编制总额内调剂使用事业编制。", "", {}),
    ("自本通知印发之日起，白沙镇、青口乡不再作为一级建制，予以撤销。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("全面推进撤镇设街道工作，年内撤销3个镇。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("推动白沙镇与青口镇合并。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("设立临港街道办事处，管辖原白沙镇区域。", "DECIDER_TOO_LOW NO_BASIS", {}),
    (
        "经上一级人民政府批准，依据《地方各级人民代表大会和地方各级人民政府组织法》第八十五条，设立临港街道办事处。",
        "",
        {},
    ),
    ("将市发展和改革局、市经济和信息化局合并为市经济发展局。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("市教育局更名为市教育体育局。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("市商务局加挂市口岸管理办公室牌子。", "", {}),
    ("设立市改革创新指挥部，统筹推进各项改革。", "", {}),
    ("村级组织对本村安全生产负主体责任，签订责任书并实行一票否决考核。", "", {}),
    ("各社区居委会承担辖区内违章建筑的行政执法责任。", "AUTONOMY_BREACH", {}),
    ("村民委员会应当配合做好人口普查工作。", "", {}),
    ("需要居民委员会协助的事项，由市民政局统一安排并拨付经费。", "", {}),
    ("开办民宿的，须经社区居委会审核同意并取得民宿准入证后方可经营。", "ILLEGAL_SETTING", {}),
    ("对违规停放的共享单车，由街道予以暂扣。", "ILLEGAL_SETTING", {}),
    ("对拒不整改的企业，采取停水停电措施。", "ILLEGAL_SETTING", {}),
    ("逾期不拆除的，依法强制拆除。", "", {}),
    ("情节严重的，处五千元罚款，并吊销营业执照。", "ILLEGAL_SETTING", {}),
    ("对成绩突出的单位给予五千元奖励。", "", {}),
    ("按每平方米3元的标准向商铺业主收取街区提升费。", "ILLEGAL_SETTING", {}),
    ("新建住宅项目的建设单位应当向市财政缴纳社区配套建设费，每平方米20元。", "ILLEGAL_SETTING", {}),
    ("全面清理涉企收费，降低企业负担。", "", {}),
    ("未在本市缴纳社会保险的企业不得参加政府采购投标。", "RIGHTS_WITHOUT_BASIS", {}),
    ("外地车辆维修企业来本市经营的，应当在本市设立分公司。", "RIGHTS_WITHOUT_BASIS", {}),
    ("取消外地企业在本市设立分公司的限制。", "", {}),
    ("执法人员可以调取当事人的银行账户信息。", "POWER_WITHOUT_BASIS", {}),
    ("市城管局不再履行户外广告日常监管职责，由设置人自行管理。", "POWER_WITHOUT_BASIS", {}),
    ("各镇承担的农村宅基地审批职责，由市自然资源局收回。", "", {}),
    ("市公安局将部分治安案件的行政拘留权交由综合执法队行使。", "NON_DELEGABLE", {}),
    ("受委托的执法中心可以再委托社会组织开展行政检查。", "NON_DELEGABLE DELEGATEE_UNQUALIFIED", {}),
    ("委托实施行政强制的，由受委托单位派员扣押物品。", "NON_DELEGABLE", {}),
    ("下放给镇街的审批权限，由市行政审批局加强指导。", "", {}),
    ("县级审批权限能放则放，逐步下放到乡镇。", "NO_BASIS", {}),
    ("将临时救助审核确认权限委托下放至乡镇人民政府。", "NO_BASIS", {}),
    ("赋予联勤工作站行政检查权。", "DELEGATEE_UNQUALIFIED NO_BASIS", {}),
    ("赋予社区对职能部门的考核评价权。", "", {}),
    ("将不动产登记职责由市国土局划入市自然资源和规划局。", "NO_BASIS", {}),
    ("在自贸片区内停止实施《中华人民共和国广告法》的有关规定。", "TRIAL_UNAUTHORISED", {}),
    ("经国务院授权，暂时调整实施《营业性演出管理条例》有关规定。", "", {}),
    ("原试点方案有效期至2021年底，相关做法继续沿用。", "TRIAL_EXPIRED", {}),
    ("试点工作至2024年12月31日结束。", "", {}),
    ("鉴于国家层面没有相关规定，鼓励先行先试，探索由片区党工委统筹执法力量。", "REFORM_EXPLORATORY", {}),
    ("法律法规对市管社区体制尚未作出规定，本市探索建立片区联勤机制。", "REFORM_EXPLORATORY", {}),
    ("依据国家有关规定，将城管执法事项下放乡镇。", "VAGUE_BASIS DECIDER_TOO_LOW", {}),
    ("根据《中共临湾市委关于全面深化改革的意见》，将涉农审批权下放至各镇人民政府。", "POLICY_ONLY", {}),
    (
        "根据《中华人民共和国行政处罚法》（2025年修订）第二十条，市水利局书面委托市水政监察大队实施行政处罚，委托书已公布。",
        "",
        {},
    ),
    ("根据《公司登记管理条例》第四条，将公司登记职责划转市行政审批局。", "BASIS_REPEALED", {}),
    (
        "根据《中华人民共和国民营经济促进法》，将涉企审批事项下放至镇街。",
        "BASIS_NOT_YET_EFFECTIVE",
        {"on": dt.date(2025, 5, 10)},
    ),
    (
        "根据《深圳经济特区社会建设条例》，将社会组织登记权限下放至各镇人民政府。",
        "BASIS_WRONG_TERRITORY",
        {"territory": "浙江/温州", "issuer": "瓯江县人民政府"},
    ),
    ("各镇（街道）要配齐配强综合行政执法队伍，加强执法人员培训。", "", {}),
    ("深化“大综合一体化”行政执法改革，健全县乡一体、条抓块统的高效协同治理格局。", "", {}),
    ("市司法局负责对赋权事项开展评估，及时调整执法事项目录。", "", {}),
    ("承接行政处罚权的镇人民政府应当加强执法能力建设。", "", {}),
    ("市级部门不得随意将工作任务下派给社区居委会。", "", {}),
    ("推进机构编制法定化，严控编制总量。", "", {}),
    ("市委编办负责机构编制事项的审核报批。", "", {}),
    ("开展减负专项行动，取消村级组织出具证明事项21项。", "", {}),
    ("完善市管社区运行机制，每个社区配备社工不少于15名。", "", {}),
    ("将12345热线与网格平台数据打通，实现统一派单。", "", {}),
    ("成立市综合执法改革专班，办公室设在市司法局。", "", {}),
    ("建立“综合查一次”制度，减少对企业的重复检查。", "", {}),
    ("推行行政许可告知承诺制，优化审批流程。", "", {}),
    ("实行“一窗受理、集成服务”，行政许可事项全部进驻政务服务大厅。", "", {}),
    ("落实行政执法公示制度，执法决定向社会公开。", "", {}),
    ("鼓励社区居民委员会依法开展民主协商。", "", {}),
    ("社区工作者招聘由市社会事业局统一组织。", "", {}),
    ("市财政对新设社区给予20万元启动经费。", "", {}),
    ("按照“编随事走、人随编走”的原则，划转行政编制12名至市应急管理局。", "NO_BASIS", {}),
    ("整合市安监局和市防汛办的职责，组建市应急管理局，作为市政府工作部门。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("根据温州市委、市政府批准的机构改革方案，组建市社会治理中心。", "", {}),
    ("经温州市委、市政府批准，撤销市体育局，有关职责划入市教育局。", "NO_BASIS", {}),
    ("撤销原城郊、江滨两个街道，设立新城街道。", "DECIDER_TOO_LOW NO_BASIS", {}),
    ("本市辖区内全部村民委员会于2024年底前撤销，统一改设社区居民委员会。", "PROCEDURE_NOT_STATED NO_BASIS", {}),
    ("社区党委书记可以兼任居民委员会主任。", "", {}),
    (
        "将住建领域8项处罚事项委托给市质量安全监督站实施，依据《中华人民共和国行政处罚法》第二十条，签订书面委托书并向社会公布。",
        "",
        {},
    ),
    ("委托书应当载明委托事项、权限和期限。", "", {}),
    ("对群众反映强烈的占道经营，由社区保安队负责暂扣摊位工具。", "NON_DELEGABLE DELEGATEE_UNQUALIFIED", {}),
    ("市公安局负责办理治安案件，依法作出行政拘留决定。", "", {}),
    ("对拒不缴纳垃圾处理费的，由市综合行政执法局按应缴金额的三倍处以罚款。", "ILLEGAL_SETTING", {}),
    ("对违规企业取消其评优资格并通报批评。", "", {}),
    ("违规使用资金的，追回已拨资金，三年内不得申报。", "", {}),
    ("民宿经营实行备案管理。", "", {}),
    ("开办电动自行车充电站，应当取得市城管局颁发的充电服务许可证。", "ILLEGAL_SETTING", {}),
    ("居民小区地面停车位按每月80元向业主收取停车费，纳入社区经费。", "ILLEGAL_SETTING", {}),
    ("物业服务费标准由业主大会与物业服务企业协商确定。", "", {}),
    ("对小微企业免收不动产登记费。", "", {}),
    ("本地企业中标的，给予5%的价格优惠。", "", {}),
    ("外地施工企业须在本市注册子公司后方可承接市政工程。", "RIGHTS_WITHOUT_BASIS", {}),
    ("社区工作者可以入户走访，了解居民需求。", "", {}),
    ("市应急管理局执法人员依据《中华人民共和国安全生产法》第六十五条进入生产经营单位检查。", "", {}),
    ("镇村建设管理所不再承担农房质量监管职责，由农户自行负责。", "POWER_WITHOUT_BASIS", {}),
    ("取消行政许可后，市水利局要加强事中事后监管。", "", {}),
    ("原镇政府承担的优抚对象服务职责由市退役军人事务局承担。", "NO_BASIS", {}),
    ("法律法规规定由镇政府履行的职责，由有关部门各自承担。", "CARRIER_MISSING NO_BASIS", {}),
    ("试点期满后经市政府评估报省政府批准继续实施。", "", {}),
    ("暂停受理新增网约车许可申请。", "", {}),
    ("国家和省没有统一规定的，可以结合实际先行先试，探索由联勤站统筹执法。", "REFORM_EXPLORATORY", {}),
    ("本方案属于重大行政决策，已经公开征求意见、合法性审查和集体讨论决定。", "", {}),
    (
        "将《临湾市总体规划》列入年度重大行政决策事项目录，按规定履行征求意见、合法性审查和集体讨论程序，依据《重大行政决策程序暂行条例》。",
        "",
        {},
    ),
    ("根据省委办公厅文件精神，将社会救助审批权限下放到社区。", "POLICY_ONLY DELEGATEE_UNQUALIFIED", {}),
    (
        "根据《中华人民共和国行政处罚法》第二十四条，将养犬处罚权交由各镇人民政府行使，并向社会公布、定期评估。",
        "DECIDER_TOO_LOW",
        {},
    ),
    (
        "根据《中华人民共和国村民委员会自治法》第五条，将登记权限下放到村民小组。",
        "LAW_NOT_FOUND DELEGATEE_UNQUALIFIED",
        {},
    ),
    ("按照《国务院关于加强基层治理的意见》，将事业单位登记权限下放至各镇人民政府。", "POLICY_ONLY", {}),
]

PENALTY_LAW, LICENCE_LAW, COMMITTEE_LAW = "中华人民共和国行政处罚法", "中华人民共和国行政许可法", "城市居民委员会组织法"


@pytest.mark.parametrize(("sentence", "expected", "options"), CASES, ids=[case[0][:24] for case in CASES])
def test_gap_codes(sentence: str, expected: str, options: dict[str, Any]) -> None:
    assert codes(sentence, **options) == set(expected.split())


def test_every_code_is_shown_and_missed() -> None:
    """A code of LEGAL's table without a sentence here, or in a test of its own below, would go untested."""
    shown = {code for _, expected, _ in CASES for code in expected.split()}
    assert GAP_CODES - shown == {
        RADAR,
        "BASIS_OFF_TOPIC",
        "BASIS_RENUMBERED",
        "BASIS_SUPERSEDED",
    }


@pytest.mark.parametrize(
    ("sentence", "on", "expected"),
    [
        ("根据《信访条例》第五条，将信访事项办理职责划转市信访局。", dt.date(2019, 5, 1), True),
        (
            "根据《地方各级人民政府机构设置和编制管理条例》第十条，将防汛职责划转市应急管理局。",
            dt.date(2019, 5, 1),
            False,
        ),
        ("根据《中华人民共和国行政处罚法》第十八条，将信访事项办理职责划转市信访局。", dt.date(2020, 5, 1), True),
        ("根据《中华人民共和国行政处罚法》第十八条，将信访事项办理职责划转市信访局。", dt.date(2023, 5, 1), False),
    ],
)
def test_amended_since_is_radar_only(sentence: str, on: dt.date, expected: bool) -> None:
    (found,) = of_sentence(sentence, on=on)
    assert (RADAR in {gap.code for gap in found.gaps}) is expected
    assert found.verdict in (Verdict.SUPPORTED, Verdict.NOT_CHECKED)


@pytest.mark.parametrize(
    ("cited", "expected"),
    [("第五十二条", {"BASIS_OFF_TOPIC"}), ("第三条", set()), ("第二十四条", set())],
)
def test_off_topic_needs_the_text(cited: str, expected: set[str]) -> None:
    sentence = f"依据《行政许可法》{cited}，市林业局将林木采伐许可委托滨海镇人民政府实施，委托事项向社会公告。"
    texts = Texted({
        (LICENCE_LAW, "2019-04-23", 52): "国务院自己办理的事情，其步骤另有法律、行政法规的，从其规定，不适用本章。",
        (LICENCE_LAW, "2019-04-23", 3): "林木采伐的审批，由林业部门委托乡镇人民政府办理的，应当公告。",
        (LICENCE_LAW, "2019-04-23", 24): "步骤从其规定，另有安排的除外，不适用本章的其他内容。",
    })  # fmt: skip
    assert codes(sentence, statutes=texts) == expected
    assert codes(sentence) == set()  # without the text nothing is said …
    assert any("没有条文正文" in note for note in of_sentence(sentence)[0].not_checked)  # … and that is said


def test_renumbered_by_content() -> None:
    sentence = "依据《城市居民委员会组织法》第六条第二款，撤销东港社区居民委员会，并入西港社区居民委员会。"
    texts = Texted({
        (COMMITTEE_LAW, "2018-12-29", 6): "居民委员会按户数划定。\n居民委员会的撤销、合并和设立，由市决定。",
        (COMMITTEE_LAW, "2025-10-28", 6): "市和街道对居民委员会给予指导。",
        (COMMITTEE_LAW, "2025-10-28", 3): "居民委员会按户数划定。\n居民委员会的撤销、合并和设立，由街道办事处提出，报市批准。",
    })  # fmt: skip
    assert codes(sentence, on=_SPRING_2026, statutes=texts) == {"BASIS_RENUMBERED"}
    assert codes(sentence, on=dt.date(2024, 3, 1), statutes=texts) == set()
    (found,) = of_sentence(sentence, on=_SPRING_2026, statutes=texts, flat=True)
    assert "第三条" in found.evidence
    assert found.verdict is Verdict.PARTLY
    assert {gap.code for gap in found.gaps} == {"BASIS_RENUMBERED", "CARRIER_MISSING"}


def test_old_version_named() -> None:
    sentence = "依据《行政处罚法》（2017年修正）{}，市水利局书面委托市水政监察大队实施行政处罚，委托书已公布。"
    assert codes(sentence.format("")) == {"BASIS_SUPERSEDED"}
    assert codes(sentence.format(""), on=dt.date(2019, 5, 1)) == set()
    (found,) = of_sentence(sentence.format(""))
    assert found.verdict is Verdict.PARTLY


def test_level_too_low() -> None:
    sentence = "依据《侵害消费者权益行为处罚办法》，新开的健身门店须先缴存保证金十万元，方可开业。"
    assert codes(sentence) == {"BASIS_LEVEL_TOO_LOW", "RIGHTS_WITHOUT_BASIS"}
    law = sentence.replace("侵害消费者权益行为处罚办法", "中华人民共和国消费者权益保护法")
    assert codes(law) == set()


def test_no_date_abstains() -> None:
    sentence = "依据《中华人民共和国行政处罚法》第二十四条，将养犬管理的行政处罚权交由片区执法队行使。"
    (found,) = of_sentence(sentence, on=None)
    assert found.verdict is Verdict.NOT_CHECKED
    assert not found.gaps
    assert any("没有日期" in note for note in found.not_checked)
    (found,) = of_sentence("将养犬管理的登记权限下放至各镇人民政府。", on=None)
    assert {gap.code for gap in found.gaps} == {"NO_BASIS"}  # that needs no date


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({}, Verdict.UNSUPPORTED),
        ({"title": "临湾市养犬管理办法", "number": "", "fields": {"category": "政府规章"}}, Verdict.NOT_CHECKED),
        ({"title": "临湾市养犬管理办法", "number": ""}, Verdict.NOT_CHECKED),
        ({"title": "《临湾市养犬管理通知》解读"}, Verdict.OUT_OF_SCOPE),
    ],
)
def test_rank_of_the_document_itself(options: dict[str, Any], verdict: Verdict) -> None:
    (found,) = of_sentence("遛狗不牵绳的，由市综合行政执法局处二百元以下罚款。", **options)
    assert found.verdict is verdict


def test_state_council_is_a_basis_itself() -> None:
    options = {"issuer": "国务院办公厅", "level": "国家", "number": "国办发〔2022〕9号"}
    (found,) = of_sentence("将外商投资项目核准权限下放至省级人民政府。", **options)
    assert found.verdict is Verdict.NOT_CHECKED
    assert not found.gaps


def test_founding_sentence_bears_on_every_measure() -> None:
    intro = "根据《中华人民共和国行政许可法》，制定本通知。"
    (found,) = of_sentence("将建设项目登记权限下放至各镇人民政府。", intro=intro)
    assert found.verdict is Verdict.SUPPORTED
    assert found.confidence < 0.7
    assert any("总依据" in note for note in found.not_checked)
    (found,) = of_sentence(
        "将建设项目登记权限下放至各镇人民政府。", intro="参照《中华人民共和国行政许可法》，制定本通知。"
    )
    assert found.verdict is Verdict.UNSUPPORTED  # 参照 is no basis


def test_penalty_that_repeats_the_law_behind_the_document() -> None:
    intro = "根据《中华人民共和国行政许可法》，制定本通知。"
    sentence = "倒卖证件的，由市综合行政执法局处三千元以上九千元以下罚款。"
    held = Texted({(LICENCE_LAW, "2019-04-23", 80): "倒卖的，处三千元以上九千元以下罚款。"})
    other = Texted({(LICENCE_LAW, "2019-04-23", 80): "倒卖的，处一千元以上五千元以下罚款。"})
    assert codes(sentence, intro=intro, statutes=held) == set()
    (found,) = of_sentence(sentence, intro=intro, statutes=other)
    assert [gap.code for gap in found.gaps] == ["ILLEGAL_SETTING"]
    (unread,) = of_sentence(sentence, intro=intro)
    assert unread.confidence < found.confidence


def test_amounts_to_words_and_never_to_illegal() -> None:
    """A finding names the rule, the evidence, the article, the knowledge base's date and a cure, and accuses nobody."""
    for sentence, _, options in CASES:
        for found in of_sentence(sentence, **options):
            words = found.evidence + found.cure + "".join(found.not_checked)
            words = words.replace(sentence.rstrip("。"), "")
            assert not re.search("违法|非法|不合法", words), words
            assert 0 <= found.confidence <= 1
            for gap in found.gaps:
                assert gap.evidence
                assert gap.cure
                assert 0 < gap.confidence <= 1
            if found.verdict is Verdict.NOT_CHECKED:
                assert found.not_checked, sentence
            if found.measure.kind and found.verdict not in (Verdict.OUT_OF_SCOPE,) and found.gaps and found.rule:
                assert found.rule in {rule.id for rule in rules().competence}


def test_nothing_from_nothing() -> None:
    assert findings(PolicyDocument("x", "x", "")) == []
    paper = document("加强领导。")
    assert [found.verdict for found in findings(paper) if found.verdict is not Verdict.OUT_OF_SCOPE] == []


def _truth() -> list[dict[str, str]]:
    with (CITY / "policies_truth.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_documents_of_the_flat_city() -> None:
    """Every row of the truth that facts alone can show (texts add the two codes that compare contents)."""
    found = {}
    for paper in read_documents([CITY / "policies"]):
        assert isinstance(paper, PolicyDocument)
        found[paper.document_id] = findings(paper, flat=True)
    wrong = []
    for row in _truth():
        wanted = set(filter(None, row["gap_codes"].split("|"))) - {RADAR}
        if wanted & {"BASIS_OFF_TOPIC", "BASIS_RENUMBERED"}:
            continue
        hits = [item for item in found[row["document"]] if row["quotation"] in item.measure.text]
        got = [({gap.code for gap in item.gaps} - {RADAR}, item.verdict.value) for item in hits]
        if got != [(wanted, row["verdict"])]:
            wrong.append((row["quotation"], wanted, row["verdict"], got))
    assert not wrong


def test_knowledge_base_of_the_tests() -> None:
    assert known().find(PENALTY_LAW)
    assert not known().has_text(known().find(PENALTY_LAW)[0].versions[-1].version_id)
