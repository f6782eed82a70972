"""The issue tree: the bundled one, how labels are read, and what is wrong with a bad file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.issue_tree import IssueTree, IssueTreeError

TREE = IssueTree.load()


def test_bundled_tree_has_three_levels() -> None:
    assert [sum(node.level == level for node in TREE.nodes) for level in (1, 2, 3)] == [15, 118, 517]
    assert len(TREE.leaves()) >= 517
    assert [node.code for node in TREE.children()] == [f"{i:02}" for i in range(1, 16)]
    assert all(node.parent == "01" for node in TREE.children("01"))
    assert TREE.ancestors("010213") == ("0102", "01")
    assert TREE.path_name("010213") == "城乡建设/城市建设和市政管理/燃气供应"
    assert "010213" in TREE and "990213" not in TREE
    assert TREE["0102"].name == "城市建设和市政管理"


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("010213", "010213"),
        (" ０１０２１３ ", "010213"),
        ("01", "01"),
        ("燃气供应", "010213"),
        ("燃 气供应\u3000", "010213"),
        ("城乡建设/城市建设和市政管理/燃气供应", "010213"),
        ("城乡建设／城市建设和市政管理／燃气供应", "010213"),
        ("城乡建设-城市建设和市政管理-燃气供应", "010213"),
        ("城乡建设 > 城市建设和市政管理 > 燃气供应", "010213"),
        ("城乡建设＞＞城市建设和市政管理＞＞燃气供应", "010213"),
        ("城乡建设、城市建设和市政管理、燃气供应", "010213"),
        ("城乡建设 城市建设和市政管理 燃气供应", "010213"),
        ("/城乡建设/城市建设和市政管理/燃气供应/", "010213"),
        ("城乡建设/燃气供应", "010213"),
        ("01/0102/010213", "010213"),
        ("010213 燃气供应", "010213"),
        ("010213-燃气供应", "010213"),
        ("城乡建设/其他", "0109"),
        ("城乡建设/城市建设和市政管理/其他", "010205"),
        ("城乡建设/安全生产", "0101"),
        ("交通运输", "06"),
        ("交通运输/交通运输", "0603"),
        ("文物管理", "1410"),
        ("房产证登记、办理", "011010"),
        ("城乡建设、住房保障与房地产、房产证登记、办理", "011010"),
        ("其他", None),
        ("安全生产", None),
        ("事故处理", None),
        ("燃气", None),
        ("燃气供应问题", None),
        ("环境保护/燃气供应", None),
        ("燃气供应/城乡建设", None),
        ("010213-园林绿化", None),
        ("999999", None),
        ("1", None),
        ("", None),
        (" / - ", None),
    ],
)
def test_resolve(label: str, code: str | None) -> None:
    assert TREE.resolve(label) == code


@pytest.mark.parametrize("separator", ["/", "-", " > ", "、", "｜", "→", " "])
def test_every_path_names_its_node(separator: str) -> None:
    for node in TREE.nodes:
        assert TREE.resolve(TREE.path_name(node.code).replace("/", separator)) == node.code


@given(st.text(alphabet="01其他安全生产/-、> \u3000A", max_size=12))
def test_resolve_gives_a_node_or_nothing(label: str) -> None:
    found = TREE.resolve(label)
    assert found is None or found in TREE


def test_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "tree.csv"
    path.write_text("\ufeffcode,level,name,parent\n0101,2,乙,01\n01,1,甲,\n\n", encoding="utf-8")
    tree = IssueTree.load(path)
    assert tree.resolve("甲/乙") == "0101"
    assert [node.code for node in tree.leaves()] == ["0101"]


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tree.csv"
    rows = [
        "01,1,甲,",
        "01,1,丁,",
        "0101,3,乙,01",
        "0102,2,,01",
        "0103,2,乙,02",
        "0104,2,乙,01",
        "x,1,丙,",
        "0201,2,戊,02",
        "03",
    ]
    path.write_text("\n".join(["code,level,name,parent", *rows]), encoding="utf-8")
    with pytest.raises(IssueTreeError) as caught:
        IssueTree.load(path)
    told = str(caught.value)
    assert told.startswith(str(path))
    for part in (
        "row 3: code 01 is given twice",
        "row 4: level of 0101 must be 2",
        "row 5: 0102 has no name",
        "row 6: parent of 0103 must be 01",
        "row 7: '乙' is given twice",
        "row 8: not an issue code",
        "row 10: 1 cells",
        "no row for 02",
    ):
        assert part in told
    assert len(caught.value.problems) == 8


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"\xff\xfe\xfa", b"code,level,name,parent\n"])
def test_unusable_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tree.csv"
    path.write_bytes(content)
    with pytest.raises(IssueTreeError, match=r"tree\.csv"):
        IssueTree.load(path)
    with pytest.raises(IssueTreeError, match="cannot be read"):
        IssueTree.load(tmp_path / "none.csv")
