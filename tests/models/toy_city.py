"""A city of a few units with a reform on New Year's Day 2026, as files."""

from __future__ import annotations

from pathlib import Path

from models.city import City

UNITS = """
format: minqing/units/1
city: {code: X, name: 澜城, province: 浙江省, invented: true, note: 虚构}
units:
  - code: A
    name: 市城管局
    aliases: [城管局]
    kind: department
    area: [X]
    valid_to: 2025-12-31
    successor: N
    duties:
      - {id: A-1, text: 市容环卫和照明设施, keywords: [路灯, 垃圾桶, 窨井盖, 广告牌]}
  - code: N
    name: 市综合执法局
    kind: department
    area: [X]
    valid_from: 2026-01-01
    duties:
      - {id: N-1, text: 市容环卫和照明设施, keywords: [路灯, 垃圾桶, 窨井盖, 广告牌], co_units: [B]}
  - code: B
    name: 市人社局
    aliases: [人社局]
    kind: department
    area: [X]
    duties:
      - {id: B-1, text: 劳动保障监察, keywords: [工资, 社保, 加班费, 劳动合同]}
  - code: C
    name: 市教育局
    kind: department
    area: [X]
    duties:
      - {id: C-1, text: 学校和校外培训管理, keywords: [学区, 幼儿园, 补课班, 校服]}
  - code: M
    name: 市海洋局
    kind: department
    area: [X]
    valid_from: 2026-01-01
    duties:
      - {id: M-1, text: 渔港和渔船停靠管理, keywords: [渔船, 渔港, 码头, 养殖]}
  - code: G
    name: 市档案局
    kind: department
    area: [X]
    valid_to: 2025-12-31
    duties:
      - {id: G-1, text: 档案查阅, keywords: [档案, 查档]}
"""


def small_city(folder: Path) -> City:
    """Write the directory to `folder`/units.yaml and return the city."""
    (folder / "units.yaml").write_text(UNITS, "utf-8")
    return City.load(folder / "units.yaml")
