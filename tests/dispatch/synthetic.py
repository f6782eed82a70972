"""Invented suggestions for the tests of what leaves."""

from __future__ import annotations

import hashlib
import random
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from pipeline.petitions.suggestion import SUGGESTION_SCHEMA, suggestion_id

UNITS = [
    ("LG-D01", "澜港市综合行政执法局"),
    ("LG-D02", "澜港市交通运输局"),
    ("LG-D03", "澜港市住房和城乡建设局"),
    ("LG-D04", "澜港市教育局"),
    ("LG-D05", "澜港市人力资源和社会保障局"),
    ("LG-D06", "澜港市市场监督管理局"),
    ("LG-D07", "澜港市生态环境局"),
    ("LG-D08", "澜港市自然资源和规划局"),
    ("LG-D09", "澜港市卫生健康局"),
    ("LG-D10", "澜港市公安局"),
    ("LG-D11", "澜港市民政局"),
    ("LG-D12", "澜港市水利局"),
    ("LG-S01", "东港联勤工作站"),
    ("LG-S02", "西江联勤工作站"),
    ("LG-S03", "北塘联勤工作站"),
    ("LG-E01", "澜港水务集团"),
    ("LG-E02", "澜港燃气公司"),
    ("LG-E03", "国网澜港供电公司"),
]
ISSUES = [
    ("010802", "物业管理"), ("010201", "园林绿化环卫"), ("010202", "城管执法"), ("010213", "燃气供应"),
    ("010103", "安全隐患"), ("0102", "城市建设和市政管理"), ("030101", "公交线路"), ("030203", "道路养护"),
    ("060102", "工资拖欠"), ("060201", "社会保险"), ("080101", "噪声污染"), ("080102", "大气污染"),
    ("100101", "义务教育"), ("120101", "食品安全"),
]  # fmt: skip
SUBJECTS = ["夜间施工噪声", "物业不处理漏水", "路灯损坏", "拖欠工资", "占道经营", "公交班次少", "小区停水", "河道异味"]
WORDS = {"urgent": ["停水", "断电"], "critical": ["燃气泄漏", "坍塌"], "elevated": ["多次投诉"], "normal": []}


def rows(count: int, *, seed: int = 0, model: str = "m-20240501", body_length: int = 60) -> list[dict[str, Any]]:
    """Return `count` invented suggestions; the same seed gives the same rows."""
    rng = random.Random(seed)
    start = datetime(2024, 5, 6, 8)
    result = []
    for number in range(count):
        petition = f"20240506{number:08d}"
        subject = rng.choice(SUBJECTS)
        place = rng.choice(["海棠社区", "新渡路", "江湾花苑", "临港工业园", "书院路小学旁"])
        title = "" if number % 17 == 0 else f"{place}{subject}问题"
        body = (f"反映{place}{subject},希望有关部门尽快处理,联系电话[电话]。" * 40)[:body_length]
        content = hashlib.blake2b(f"{petition}{title}{body}".encode(), digest_size=16).hexdigest()
        raw = sorted((rng.random() ** 2.5 for _ in range(4)), reverse=True)
        best = min(0.99, 0.25 + rng.betavariate(3, 1.6) * 0.75)
        chances = [best, *[(1 - best) * part / sum(raw) for part in raw[:3]]]
        picked = rng.sample(UNITS[: rng.choice([5, 9, 18])], 4)
        units = [{"code": c, "name": n, "probability": p} for (c, n), p in zip(picked, chances, strict=True)]
        issues = [
            {"code": c, "name": n, "probability": p}
            for (c, n), p in zip(rng.sample(ISSUES, 3), (0.7123456, 0.2, 0.05), strict=True)
        ]
        level = rng.choices(["normal", "elevated", "urgent", "critical"], [88, 7, 4, 1])[0]
        lead = None if number % 71 == 70 else units[0]
        moment = start + timedelta(seconds=rng.randrange(86_400))
        auto = lead is not None and best >= 0.8 and level != "critical"
        result.append(
            {
                "suggestion_id": suggestion_id(petition, content, model, "c1"),
                "petition_id": petition,
                "content_hash": content,
                "source": "导出.xlsx",
                "row": number + 2,
                "title": title,
                "body": body,
                "address": place,
                "channel": "12345热线",
                "submitted_at": None if number % 97 == 96 else moment,
                "refused_units": [],
                "issue_type": issues[0],
                "issue_top_k": issues,
                "lead_unit": lead,
                "co_units": units[1:2] if number % 3 == 0 else [],
                "top_k": units if lead else [],
                "decision": "auto" if auto else "review",
                "decision_why": "" if auto else ("没有依据指向任何单位" if lead is None else "置信度低于自动门槛"),
                "reasons": [
                    {
                        "kind": "duty",
                        "unit": picked[0][0],
                        "text": f"职责事项与“{subject}”相符",
                        "words": [subject],
                        "reference": f"{picked[0][0]}-001",
                    },
                    {
                        "kind": "place",
                        "unit": picked[1][0],
                        "text": f"地点{place}属该单位辖区",
                        "words": [place],
                        "reference": "LG-C03",
                    },
                ]
                if lead
                else [],
                "urgency": {"level": level, "rules": ["U-01"] if WORDS[level] else [], "words": WORDS[level]},
                "deadline": {
                    "date": None if number % 97 == 96 else (moment + timedelta(days=rng.choice([1, 3, 7, 15]))).date(),
                    "working_days": rng.choice([1, 5, 10]),
                    "rule": "D-05",
                    "basis": "政务服务便民热线工作规范",
                    "note": "来件无提交时间" if number % 97 == 96 else None,
                },
                "event_group": f"ev_{subject}" if number % 5 == 0 else None,
                "model_version": model,
                "config_version": "c1",
            }
        )
    return result


def table(count: int, **options: Any) -> pa.Table:
    """Return `rows` as a suggestion table."""
    return pa.Table.from_pylist(rows(count, **options), schema=SUGGESTION_SCHEMA)
