"""Whether an article is about what a measure does: the telling pairs of characters that both share.

Words would need a segmenter; pairs of Chinese characters tell as much here, once those of every statute are left out.
"""

from __future__ import annotations

import re

from corpora.legal import Article

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_TITLE = re.compile(r"《[^《》]*(?:《[^《》]*》[^《》]*)?》(?:第[^，。；]{1,12}[条款项])*")
#: Pairs that stand in any statute or any document and so tell nothing of the matter.
_COMMON_WORDS = """
行政 政府 人民 部门 机关 有关 规定 管理 实施 应当 可以 依法 法律 法规 进行 工作 单位 组织
国家 地方 各级 本级 县级 以上 级人 民政 府有 关部 政部 门的 的规 或者 其他 相关 按照 根据
依照 依据 条例 办法 制定 负责 主管 管部 事项 情况 要求 社会 发展 加强 建立 健全 完善 制度
机制 推进 开展 提出 通过 对于 以及 和国 中华 华人 民共 共和 国务 务院 自治 治区 直辖 辖市
省自 市人 级以 上地 下列 之一 一的 不得 范围 方面 领域 统一 市政 区域 公民 法人 作出 决定
本法 本条 条规 责任 职责 职权 权力 权限 及其 本市 全市 市级 集中 行使 保障 服务 使用 项目
标准 具体 措施 执行 企业
"""
_COMMON = frozenset(_COMMON_WORDS.split())


def telling(text: str) -> set[str]:
    """Return the telling pairs of characters of a text; titles in 《》 with their pins are left out."""
    pairs: set[str] = set()
    for run in _HAN.findall(_TITLE.sub(" ", text)):
        pairs.update(run[i : i + 2] for i in range(len(run) - 1))
    return pairs - _COMMON


def shared(measure: set[str], article: Article) -> int:
    """Return how many telling pairs of a measure stand in an article or the headings above it."""
    return len(measure & telling(f"{article.heading} {article.text}"))
