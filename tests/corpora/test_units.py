"""The unit directory: days, labels, successors, names, and what is wrong with a bad file."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import corpora
from corpora.places import Gazetteer
from corpora.units import (
    KINDS,
    UnitDirectory,
    UnitDirectoryError,
    body_kind,
    territory_parts,
    unit_kind,
)

HERE = Path(__file__).parent
CITY = Path(corpora.__file__).parent / "data" / "cities" / "langang"
REAL = HERE.parents[2] / "shared" / "data" / "petitions" / "responsible_units.csv"
DIRECTORY = UnitDirectory.load(HERE / "data" / "units.yaml")


def test_records() -> None:
    assert DIRECTORY.city_name == "青溪市"
    assert DIRECTORY.city.invented
    unit = DIRECTORY["QX-D1"]
    assert (unit.kind, unit.area, unit.area_names, unit.successor) == ("department", ("QX",), (), ())
    first, second = DIRECTORY.duties()
    assert (first.id, first.unit, first.keywords, first.issues) == (
        "QX-D1-001",
        "QX-D1",
        ("物业", "12345"),
        ("0102", "010213"),
    )
    assert (first.co_units, first.basis) == (("QX-C1",), "物业管理条例")
    assert (second.keywords, second.issues, second.co_units, second.basis) == ((), (), (), "")
    assert DIRECTORY.names["QX-H2"] == "石桥管理处"
    assert DIRECTORY.has("QX-H2") and not DIRECTORY.has("石桥管理处")
    # No area declared: what the name says.
    assert DIRECTORY["QX-H1"].area_names == ("石桥镇",)


@pytest.mark.parametrize(
    ("day", "codes"),
    [
        (dt.date(1989, 12, 31), []),
        (dt.date(2019, 12, 31), ["QX-H1"]),
        (dt.date(2020, 1, 1), ["QX-D1", "QX-C1", "QX-H2"]),
        (dt.date(2022, 1, 1), ["QX-D1", "QX-C1", "QX-C2"]),
    ],
)
def test_on(day: dt.date, codes: list[str]) -> None:
    directory = DIRECTORY.on(day)
    assert [unit.code for unit in directory.units] == codes
    assert directory.city_name == "青溪市"


@pytest.mark.parametrize(
    ("label", "on", "code"),
    [
        ("QX-D1", None, "QX-D1"),
        ("青溪市住房和城乡建设局", None, "QX-D1"),
        (" 青溪市住房和\u3000城乡建设局\n", None, "QX-D1"),
        ("市住建局", None, "QX-D1"),
        ("规划建设局(物业办)", None, "QX-D1"),
        ("石桥镇政府", None, "QX-H1"),
        ("石桥镇政府", dt.date(2024, 1, 1), "QX-H1"),
        ("规划建设局", None, "QX-H2"),
        ("规划建设局", dt.date(2010, 1, 1), "QX-H1"),
        ("规划建设局", dt.date(2021, 1, 1), "QX-H2"),
        ("规划建设局", dt.date(2024, 1, 1), "QX-H2"),
        ("住建局", None, None),
        ("市住建局物业科", None, None),
        ("qx-d1", None, None),
        ("", None, None),
    ],
)
def test_resolve(label: str, on: dt.date | None, code: str | None) -> None:
    assert DIRECTORY.resolve(label, on) == code


@pytest.mark.parametrize(
    ("code", "day", "now"),
    [
        ("QX-H1", dt.date(2019, 1, 1), ("QX-H1",)),
        ("QX-H1", dt.date(2020, 1, 1), ("QX-H2", "QX-C1")),
        ("QX-H1", dt.date(2024, 1, 1), ("QX-C1", "QX-C2")),
        ("QX-D1", dt.date(2019, 1, 1), ()),
        ("QX-D1", dt.date(2024, 1, 1), ("QX-D1",)),
    ],
)
def test_successor_on(code: str, day: dt.date, now: tuple[str, ...]) -> None:
    assert DIRECTORY.successor_on(code, day) == now


def test_successor_of_nobody() -> None:
    with pytest.raises(KeyError):
        DIRECTORY.successor_on("nobody", dt.date(2024, 1, 1))


def test_pick_keeps_the_order_asked_for() -> None:
    assert [unit.code for unit in DIRECTORY.pick(["QX-C2", "QX-D1"]).units] == ["QX-C2", "QX-D1"]
    with pytest.raises(UnitDirectoryError, match="QX-X"):
        DIRECTORY.pick(["QX-C2", "QX-X"])


BAD = """
format: minqing/units/2
city: {code: A, nome: 甲市}
extra: 1
units:
  - {code: A-1, name: 甲局, kind: palace, aliases: [乙局], colour: red}
  - {code: A-1, name: 甲一局, kind: other}
  - {code: A-2, name: 乙局, kind: other, valid_from: 2020-02-30}
  - {code: A-3, name: 丙局, kind: other, valid_from: 2021-01-01, valid_to: 2020-01-01}
  - {code: A-4, name: 丁局, kind: other, valid_to: 2020-01-01, successor: A-99}
  - {code: A-5, name: 戊局, kind: other, valid_to: 2020-01-01, successor: A-6}
  - {code: A-6, name: 己局, kind: other, valid_to: 2020-01-01, successor: [A-5]}
  - {code: A-7, name: 庚局, kind: other, successor: A-1, area: A}
  - {code: A 8, name: 辛局, kind: other}
  - code: A-9
    kind: other
    valid_to: soon
    aliases: [12345]
    duties:
      - {id: A-9-1, text: 甲, issues: ["999999"], co_units: [A-98]}
      - {id: A-9-1, text: 甲, issues: [010201]}
      - {id: A-9-2, txt: 甲}
      - {text: 甲}
  - 癸局
"""


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "units.yaml"
    path.write_text(BAD, encoding="utf-8")
    with pytest.raises(UnitDirectoryError) as caught:
        UnitDirectory.load(path)
    expected = [
        "format must be 'minqing/units/1'",
        "unknown key 'extra'",
        "city: unknown key 'nome'",
        "city: name must be given",
        "unit A-1: kind 'palace'",
        "unit A-1: unknown key 'colour'|unit 1: unknown key 'colour'",
        "unit A-1: code is given twice",
        "unit A-2: valid_from '2020-02-30' is not a date",
        "unit A-2: '乙局' is a label of unit A-1 too",
        "unit A-3: valid_to 2020-01-01 lies before",
        "unit A-4: successor 'A-99'",
        "unit A-[56]: its successors lead back",
        "unit A-7: has a successor but no valid_to",
        "unit A-7: area must be a list",
        "unit 9: not a unit code",
        "unit A-9: name must be given",
        "unit A-9: valid_to 'soon'",
        "unit A-9: aliases holds 12345",
        "unit A-9, duty A-9-1: issue code '999999'",
        "unit A-9, duty A-9-1: co_unit 'A-98'",
        "unit A-9: duty id 'A-9-1' is given twice",
        "unit A-9, duty A-9-1: issues holds 4225",
        "unit A-9, duty 3: unknown key 'txt'",
        "unit A-9, duty A-9-2: text must be given",
        "unit A-9, duty 4: id must be given",
        "unit 11: must be a mapping",
    ]
    problems = caught.value.problems
    for part in expected:
        assert any(re.search(part, problem) for problem in problems), part
    # A unit that is no mapping has no code either.
    assert len(problems) == len(expected) + 1, problems
    assert str(caught.value).startswith(str(path))


def test_a_label_may_pass_on_with_the_days(tmp_path: Path) -> None:
    path = tmp_path / "units.yaml"
    unit = "{{code: {}, name: 甲局, kind: other, {}: 2020-01-0{}}}"
    head = "format: minqing/units/1\ncity: {code: A, name: 甲市}\nunits:\n"
    path.write_text(head + "".join(f"  - {unit.format(*u)}\n" for u in [("A", "valid_to", 1), ("B", "valid_from", 2)]))
    assert UnitDirectory.load(path).resolve("甲局") == "B"
    path.write_text(head + "".join(f"  - {unit.format(*u)}\n" for u in [("A", "valid_to", 2), ("B", "valid_from", 2)]))
    with pytest.raises(UnitDirectoryError, match="on the same days"):
        UnitDirectory.load(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"units: [", b"[]", b"\xff\xfe\xfa", b"format: minqing/units/1\nformat: x\n", b"a: !!python/object:os.x {}"],
)
def test_unusable_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "units.yaml"
    path.write_bytes(content)
    with pytest.raises(UnitDirectoryError, match=r"units\.yaml"):
        UnitDirectory.load(path)
    with pytest.raises(UnitDirectoryError, match="cannot be read"):
        UnitDirectory.load(tmp_path / "none.yaml")


def test_a_key_given_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "units.yaml"
    path.write_text("format: minqing/units/1\nunits:\n  - {code: A, code: B}\n", encoding="utf-8")
    with pytest.raises(UnitDirectoryError, match="'code' is given twice"):
        UnitDirectory.load(path)


def test_from_labels() -> None:
    labels = [
        "上海市闵行区 七宝镇人民政府",
        "上海南房(集团)有限公司",
        "",
        "上海市闵行区七宝镇人民政府",
        "上海市教育委员会",
    ]
    directory = UnitDirectory.from_labels(labels)
    assert [unit.code for unit in directory.units] == [
        "上海市闵行区七宝镇人民政府",
        "上海南房(集团)有限公司",
        "上海市教育委员会",
    ]
    town = directory.units[0]
    assert (town.kind, town.area, town.area_names, town.duties) == ("town", (), ("上海市", "闵行区", "七宝镇"), ())
    assert directory.resolve("上海南房（集团）有限公司") == "上海南房(集团)有限公司"
    assert directory.on(dt.date(2024, 1, 1)).units == directory.units
    assert directory.city_name == ""
    # A model keeps the names of its classes and makes its directory from them again.
    assert UnitDirectory.from_labels(unit.name for unit in directory.units).units == directory.units


def test_labels_that_cannot_be_codes() -> None:
    with pytest.raises(UnitDirectoryError, match="not a unit code"):
        UnitDirectory.from_labels(["甲局", "长" * 81])


NAMES = [
    ("上海市浦东新区人民政府花木街道办事处", "上海市 浦东新区 花木街道", "街道办事处", "town"),
    ("上海市闵行区七宝镇人民政府", "上海市 闵行区 七宝镇", "人民政府", "town"),
    ("菊园新区管理委员会", "菊园新区", "管理委员会", "other"),
    ("上海市嘉定区菊园新区管理委员会", "上海市 嘉定区 菊园新区", "管理委员会", "other"),
    ("上海市嘉定区人民政府嘉定镇街道办事处", "上海市 嘉定区 嘉定镇街道", "街道办事处", "town"),
    ("上海市奉贤区海湾旅游区管理委员会", "上海市 奉贤区 海湾旅游区", "管理委员会", "other"),
    ("上海市公安局闵行分局", "上海市 闵行", "公安局分局", "department"),
    ("上海市宝山区顾村镇人民政府", "上海市 宝山区 顾村镇", "人民政府", "town"),
    ("上海市浦东新区南汇新城镇人民政府", "上海市 浦东新区 南汇新城镇", "人民政府", "town"),
    ("上海市崇明区庙镇人民政府", "上海市 崇明区 庙镇", "人民政府", "town"),
    ("上海市嘉定区绿化和市容管理局", "上海市 嘉定区", "绿化和市容管理局", "department"),
    ("上海市住房和城乡建设管理委员会", "上海市", "住房和城乡建设管理委员会", "department"),
    ("上海市城市综合管理事务中心", "上海市", "城市综合管理事务中心", "other"),
    ("上海市农业农村委员会", "上海市", "农业农村委员会", "department"),
    ("国家税务总局上海市奉贤区税务局", "上海市 奉贤区", "税务局", "department"),
    ("中共上海市委宣传部", "上海市", "市委宣传部", "department"),
    ("国网上海市电力公司", "上海市", "电力公司", "enterprise"),
    ("上海大学", "", "上海大学", "other"),
    ("四川北路街道办事处", "四川北路街道", "街道办事处", "town"),
    ("花木街道", "花木街道", "", "town"),
    ("七宝镇政府", "七宝镇", "政府", "town"),
    ("浙江省温州市苍南县龙港镇人民政府", "浙江省 温州市 苍南县 龙港镇", "人民政府", "town"),
    ("浙江龙港市住建局", "浙江 龙港市", "住建局", "department"),
    ("温州市龙港市人民政府", "温州市 龙港市", "人民政府", "other"),
    ("义乌市市场监督管理局", "义乌市", "市场监督管理局", "department"),
    ("湖南省津市市民政局", "湖南省 津市市", "民政局", "department"),
    ("江苏省镇江市京口区四牌楼街道办事处", "江苏省 镇江市 京口区 四牌楼街道", "街道办事处", "town"),
    ("景德镇市住房和城乡建设局", "景德镇市", "住房和城乡建设局", "department"),
    ("湖北省公安县公安局", "湖北省 公安县", "公安局", "department"),
    ("新乡县教育局", "新乡县", "教育局", "department"),
    ("大同市城区教育局", "大同市 城区", "教育局", "department"),
    ("吉林市人民政府", "吉林市", "人民政府", "other"),
    ("海南藏族自治州共和县教育局", "海南藏族自治州 共和县", "教育局", "department"),
    ("内蒙古自治区锡林郭勒盟正蓝旗教育局", "内蒙古自治区 锡林郭勒盟 正蓝旗", "教育局", "department"),
    ("苏州工业园区管理委员会", "苏州工业园区", "管理委员会", "other"),
    ("合肥高新技术产业开发区管委会", "合肥高新技术产业开发区", "管委会", "other"),
    ("北京市朝阳区高碑店地区办事处", "北京市 朝阳区 高碑店地区", "地区办事处", "town"),
    ("石家庄市长安区广安街道阳光社区居民委员会", "石家庄市 长安区 广安街道 阳光社区", "居民委员会", "community"),
    ("幸福村民委员会", "幸福村", "村民委员会", "community"),
    ("桥溪片区联勤工作站", "桥溪片区", "联勤工作站", "station"),
    ("市场监督管理局", "", "市场监督管理局", "department"),
    ("乡村振兴局", "", "乡村振兴局", "department"),
    ("", "", "", "other"),
]


@pytest.mark.parametrize(("name", "parts", "body", "kind"), NAMES)
def test_names(name: str, parts: str, body: str, kind: str) -> None:
    assert territory_parts(name) == tuple(parts.split())
    assert body_kind(name) == body
    assert unit_kind(name) == kind


@given(st.text(alphabet="上海市浦东新区县镇乡街道村社人民政府委员会局和（）A ", max_size=30))
def test_parts_stand_in_the_name_in_order(name: str) -> None:
    at, squeezed = 0, "".join(name.replace("（", "(").replace("）", ")").split())
    for part in territory_parts(name):
        at = squeezed.index(part, at) + len(part)
    assert unit_kind(name) in KINDS


@pytest.mark.skipif(not (CITY / "units.yaml").exists(), reason="the bundled city's units.yaml is absent")
def test_bundled_city() -> None:
    directory = UnitDirectory.load(CITY / "units.yaml")
    today = directory.on(dt.date(2025, 6, 1))
    assert len(directory.duties()) >= 300
    assert sum(unit.kind == "community" for unit in today.units) == 102
    for unit in directory.units:
        assert directory.resolve(unit.name, unit.valid_from) == unit.code
        if unit.valid_to is not None:
            assert directory.successor_on(unit.code, dt.date(2025, 6, 1)), unit.code
    if (CITY / "places.csv").exists():
        places = Gazetteer.load(CITY / "places.csv")
        assert [(unit.code, code) for unit in directory.units for code in unit.area if code not in places] == []


def test_the_plain_loader_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from corpora import unit_files

    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    try:
        importlib.reload(unit_files)
        assert UnitDirectory.load(HERE / "data" / "units.yaml").units == DIRECTORY.units
    finally:
        monkeypatch.undo()
        importlib.reload(unit_files)


@pytest.mark.skipif(not REAL.exists(), reason="the real petitions (../shared/data) are absent")
def test_territories_of_real_units() -> None:
    with REAL.open(encoding="utf-8-sig", newline="") as stream:
        names = {row["unit"] for row in csv.DictReader(stream)}
    governments = [name for name in names if re.search(r"(镇人民政府|街道办事处)$", name)]
    assert governments
    unread = [n for n in governments if not re.search(r"(镇|街道)$", (territory_parts(n) or ("",))[-1])]
    assert len(unread) == 0
    districts = [name for name in names if re.match(r"上海市..[新]?区", name)]
    assert all(len(territory_parts(name)) >= 2 for name in districts)
