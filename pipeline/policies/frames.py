"""The frame of a reform's sentence: 理念 (concept), 结构 (structure), 机制 (mechanism), 手段 (means).

The four are those of the thesis on flat cities (LEGAL: concept; who is there and how they stand to each other; how they
work together; what they work with: society, technology, personnel, money). A lexicon with weights decides; a sentence
with none of its words has no frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import ahocorasick_rs as ac

#: Frames in the order that breaks ties: a change of structure is what a reviewer must not miss.
FRAMES = ("结构", "机制", "手段", "理念")

_LEXICON: dict[str, dict[int, str]] = {
    "结构": {
        3: "撤销 撤并 合并设立 合署办公 组建 挂牌 加挂 划转 划入 划归 转隶 机构设置 内设机构 派出机构 派出机关 派驻 行政区划 街道办事处 大部制 扁平化 管理层级 "
        "市管社区 市直管社区 撤镇 撤乡 撤村 村改社区 村社合并 机构改革 三定 职能配置 机构编制 人员编制 事业编制 行政编制 编制 下设 职数 归口管理 整合组建 不设乡镇 "
        "不设街道 一支队伍 联勤工作站 片区工作站 综合行政执法队 领导小组 指挥部",
        2: "设立 合并 整合 隶属 层级 部门设置 体制 架构 下放 赋权 权限划分 事权 行政处罚权 执法权 审批权 委托 交由 移交 上收 相对集中 职责划转 区域划分 网格划分 "
        "社区规模 工作委员会 联合党委 党工委",
        1: "居民委员会 村民委员会 乡镇 街道 社区 内部机构 职能部门",
    },
    "机制": {
        3: "机制 联席会议 会商 联动 闭环 责任清单 权力清单 权责清单 考核评价 绩效考核 首问负责 限时办结 吹哨报到 联合执法 信息共享 信息通报 案件移送 协作配合 备案审查 "
        "合法性审查 集体讨论 征求意见 风险评估 工作规程 议事规则 办理流程 一窗受理 最多跑一次 容错纠错 督查督办",
        2: "制度 流程 程序 考核 督查 督导 问责 监督 评估 协调 协同 统筹 备案 审批 报告 通报 公示 听证 审核 协商 移送 衔接 分级 清单 责任制 责任单位 牵头 配合 职责分工 年度计划 反馈",
        1: "落实 检查 管理 审查 规范 办理 申请 受理 期限 责令 处罚 罚款",
    },
    "手段": {
        3: "购买服务 社会组织 志愿服务 志愿者 社会工作者 社会资本 数字化 大数据 信息系统 信息平台 智慧 一网统管 一网通办 城市大脑 视频监控 人工智能 掌上 云平台 网格员 "
        "专职社工 人才引进 薪酬 晋升 职级 绩效奖 培训 招聘 选派 轮岗 专项资金 财政补助 经费保障 奖补 补贴 以奖代补 税收优惠 贷款 融资",
        2: "平台 系统 信息化 技术 人才 人员 队伍 干部 资金 经费 预算 补助 奖励 激励 设施 装备 市场化 第三方 社会力量 群众参与 多元参与 宣传 教育 示范 试点 数据 扶持",
        1: "投入 支持 引导 鼓励 服务 建设 推广 培育 开展",
    },
    "理念": {
        3: "指导思想 理念 基本原则 总体要求 为中心 为指导 深入贯彻 重要讲话 重要指示 精神 重大意义 重要意义 统一思想 提高认识 思想认识 以人为本 人民至上 战略定位 愿景 初心",
        2: "坚持 树立 秉持 遵循 原则 目标 导向 方针 新发展阶段 高质量发展 现代化 深刻认识 充分认识 牢固 贯彻 价值观 思路 引领 定位 使命",
        1: "应当遵循 统筹兼顾 发展 方向 任务",
    },
}
_WEIGHTS = [
    (word, frame, weight)
    for frame, groups in _LEXICON.items()
    for weight, words in groups.items()
    for word in words.split()
]
_WORDS = list(dict.fromkeys(word for word, _, _ in _WEIGHTS))
_OF = {word: (frame, weight) for word, frame, weight in reversed(_WEIGHTS)}
#: Words that name a body (街道, 村民委员会) are no change of structure by themselves.
_STRUCTURE = 2
_ENDS = "。！？；\n"


@cache
def _matcher() -> ac.AhoCorasick:
    return ac.AhoCorasick(_WORDS, matchkind=ac.MatchKind.LeftmostLongest)


def frame_of(sentence: str) -> str:
    """Return the frame of a sentence, "" if it holds none of the lexicon's words."""
    scores = dict.fromkeys(FRAMES, 0)
    for index, _, _ in _matcher().find_matches_as_indexes(sentence):
        frame, weight = _OF[_WORDS[index]]
        scores[frame] += weight
    if scores["结构"] < _STRUCTURE:
        scores["结构"] = 0
    best = max(FRAMES, key=lambda frame: scores[frame])
    return best if scores[best] else ""


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, those without a Chinese word left out."""
    start = 0
    for end in _ends(text):
        sentence = text[start:end].strip()
        if len(sentence) > 3:
            yield sentence
        start = end


def _ends(text: str) -> Iterator[int]:
    at = 0
    while at < len(text):
        found = [place for mark in _ENDS if (place := text.find(mark, at, at + 2_000)) >= 0]
        at = min(found) + 1 if found else min(at + 2_000, len(text))
        yield at


def frame_shares(text: str) -> dict[str, float]:
    """Return the shares of the frames among the sentences that have one; all 0.0 where none has."""
    counts = dict.fromkeys(FRAMES, 0)
    for sentence in sentences(text):
        if frame := frame_of(sentence):
            counts[frame] += 1
    total = sum(counts.values())
    return {frame: counts[frame] / total if total else 0.0 for frame in ("理念", "结构", "机制", "手段")}
