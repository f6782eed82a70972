"""Reading policy documents: every file gives documents or a rejection with its reason."""

from __future__ import annotations

import datetime as dt
import json
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora.document_formats import base, ocr, office
from corpora.documents import ReadError, read_documents
from corpora.legal import PolicyDocument
from corpora.records import Rejection
from tests.corpora import document_files as make

TITLE = "澜东市人民政府关于加强养犬管理的通知"
LINES = [
    TITLE,
    "澜政发〔2020〕5号",
    "各镇人民政府，市政府各部门：",
    "一、总体要求",
    "依法管理养犬行为。",
    "澜东市人民政府",
    "2020年3月5日",
]
TEXT = "\n".join(LINES)


def read(*paths: Path, on: dt.date | None = None) -> tuple[list[PolicyDocument], list[Rejection]]:
    items = list(read_documents(paths, on))
    return [x for x in items if isinstance(x, PolicyDocument)], [x for x in items if isinstance(x, Rejection)]


def one(path: Path, on: dt.date | None = None) -> PolicyDocument:
    documents, rejections = read(path, on=on)
    assert not rejections
    assert len(documents) == 1
    return documents[0]


def code(path: Path) -> str:
    documents, rejections = read(path)
    assert not documents
    assert len(rejections) == 1
    assert rejections[0].source == path.name
    assert rejections[0].reason
    return rejections[0].code


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def expect(document: PolicyDocument) -> None:
    assert document.title == TITLE
    assert document.issuer == "澜东市人民政府"
    assert document.number == "澜政发〔2020〕5号"
    assert document.kind == "通知"
    assert document.issued == dt.date(2020, 3, 5)
    assert document.dated_by == "text"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_text_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    document = one(write(tmp_path / "a.txt", TEXT.encode(encoding)))
    expect(document)
    assert document.text == TEXT
    assert document.problems == ()


def test_line_ends_become_line_feeds(tmp_path: Path) -> None:
    assert one(write(tmp_path / "a.txt", TEXT.replace("\n", "\r\n"))).text == TEXT


def test_full_width_digits_stay(tmp_path: Path) -> None:
    assert "第１２条" in one(write(tmp_path / "a.txt", TEXT + "\n按照第１２条办理。")).text


def test_lost_bytes_are_named(tmp_path: Path) -> None:
    document = one(write(tmp_path / "a.txt", TEXT.encode() + b"\n\xff\xfe\xff\xe4"))
    assert "�" in document.text
    assert any("无法解码" in problem for problem in document.problems)


def test_markdown(tmp_path: Path) -> None:
    text = f"---\n文号: 澜政发〔2020〕5号\n---\n# {TITLE}\n\n## 一、**总体**要求\n\n---\n\n依法管理。\n"
    document = one(write(tmp_path / "a.md", text))
    assert document.title == TITLE
    assert document.number == "澜政发〔2020〕5号"
    assert "一、总体要求" in document.text
    assert not any(mark in document.text for mark in ("#", "*", "---"))


def test_web_page(tmp_path: Path) -> None:
    body = "".join(f"<p>{line}</p>" for line in LINES) + "<p>" + "养犬人应当登记。" * 30 + "</p>"
    page = f"""<!DOCTYPE html><html><head><meta charset="gbk"><meta name="ArticleTitle" content="{TITLE}">
    <meta name="PubDate" content="2020-03-09"><script>var x = "脚本";</script></head>
    <body><nav>首页 政务公开</nav><table><tr><td>有效性：</td><td>有效</td></tr></table>
    <div class="TRS_Editor">{body}<p style="display: none">隐藏</p></div><footer>页脚</footer></body></html>"""
    document = one(write(tmp_path / "a.html", page.encode("gb18030")))
    expect(document)
    assert document.text.split("\n")[:2] == LINES[:2]
    assert document.fields["PubDate"] == "2020-03-09"
    assert not any(word in document.text for word in ("脚本", "首页", "页脚", "隐藏"))


def test_web_page_reads_no_entities(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.bin", "密码")
    page = f'<!DOCTYPE html [<!ENTITY x SYSTEM "{secret.as_uri()}">]><p>{TEXT}</p><p>&x;</p>'
    assert "密码" not in one(write(tmp_path / "a.htm", page)).text


def test_word(tmp_path: Path) -> None:
    table = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>事项</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>单位</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    document = one(make.docx(tmp_path / "a.docx", "".join(map(make.paragraph, LINES)) + table))
    expect(document)
    assert document.text == TEXT + "\n事项\t单位"


def test_word_numbers_that_stand_nowhere_in_the_text(tmp_path: Path) -> None:
    body = "".join(
        make.paragraph(text, make.in_list(level))
        for level, text in [
            (0, "总则"),
            (1, "为了管理。"),
            (1, "适用本市。"),
            (2, "犬只；"),
            (2, "其他。"),
            (0, "附则"),
            (1, "施行。"),
        ]
    )
    levels = make.numbering(
        ("chineseCountingThousand", "第%1章"), ("chineseCountingThousand", "第%2条"), ("chineseCounting", "（%3）")
    )
    assert one(make.docx(tmp_path / "a.docx", body, numbering=levels)).text.split("\n") == [
        "第一章 总则", "第一条 为了管理。", "第二条 适用本市。", "（一）犬只；", "（二）其他。", "第二章 附则", "第一条 施行。",
    ]  # fmt: skip


def test_tracked_changes(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t>市政府</w:t></w:r><w:del><w:r><w:delText>可以</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>应当</w:t></w:r></w:ins><w:r><w:t>公布清单。</w:t></w:r></w:p>"
    )
    document = one(make.docx(tmp_path / "a.docx", body))
    assert document.text == "市政府应当公布清单。"
    assert any("修订痕迹" in problem and "1 处插入" in problem for problem in document.problems)


def test_text_boxes_count_once(tmp_path: Path) -> None:
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    box = make.paragraph("文本框里的字")
    body = f"<w:p><w:r><mc:AlternateContent {mc}><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    assert one(make.docx(tmp_path / "a.docx", body)).text == "文本框里的字"


def test_pdf(tmp_path: Path) -> None:
    document = one(make.pdf(tmp_path / "a.pdf", [[*LINES, "- 1 -"], ["二、保障措施"]]))
    expect(document)
    assert document.text == TEXT + "\n二、保障措施"


def test_lines_of_a_page_become_paragraphs() -> None:
    lines = [
        "　　各部门应当在每年第一季度公布本部门的年度工作计划和责任分",
        "工，并接受监督。",
        "一、总体要求",
        "⼆、保障",
    ]
    assert base.join_lines([*lines, "— 3 —"]) == "".join(lines[:2]).strip() + "\n一、总体要求\n二、保障"


def test_ofd(tmp_path: Path) -> None:
    expect(one(make.ofd(tmp_path / "a.ofd", LINES)))


def test_scans_without_ocr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "available", lambda: False)
    assert code(make.pdf(tmp_path / "a.pdf", [[]], scanned=True)) == "no_text_layer"
    assert code(write(tmp_path / "b.png", b"\x89PNG\r\n\x1a\n")) == "needs_ocr"


def test_scans_with_ocr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "available", lambda: True)
    monkeypatch.setattr(ocr, "recognise", lambda picture: ocr.Recognised(LINES, 0.93))
    document = one(make.pdf(tmp_path / "a.pdf", [[]], scanned=True))
    expect(document)
    assert any("OCR" in problem and "0.93" in problem for problem in document.problems)


def test_old_word_without_libreoffice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "program", lambda: None)
    path = write(tmp_path / "a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 99)
    assert code(path) == "needs_libreoffice"
    assert "LibreOffice" in read(path)[1][0].reason


def test_old_word_with_libreoffice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = make.docx(tmp_path / "ready.docx", "".join(map(make.paragraph, LINES)))
    program = write(
        tmp_path / "soffice",
        f'#!/bin/sh\nfor last; do :; done\nmkdir -p "${{last%/*}}/out"\ncp "{ready}" "${{last%/*}}/out/document.docx"\n',
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(office, "program", lambda: str(program))
    document = one(write(tmp_path / "-o.wps", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
    expect(document)
    assert any("LibreOffice" in problem for problem in document.problems)
    monkeypatch.setattr(office, "program", lambda: "/bin/false")
    assert code(write(tmp_path / "b.wps", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) == "conversion_failed"


def test_old_suffix_of_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "program", lambda: None)
    make.docx(tmp_path / "a.doc", "".join(map(make.paragraph, LINES)))
    expect(one(tmp_path / "a.doc"))
    expect(
        one(write(tmp_path / "b.doc", "<html><body>" + "".join(f"<p>{line}</p>" for line in LINES) + "</body></html>"))
    )


ENTITY = '<!DOCTYPE x [<!ENTITY a "甲"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty.txt", b"", "file_empty"),
        ("blank.txt", "  \n　\n", "no_text"),
        ("binary.txt", b"PK\x03\x04....", "not_text"),
        ("noise.txt", bytes(range(128, 256)) * 50, "undecodable"),
        ("empty.docx", b"", "file_empty"),
        ("broken.docx", b"PK\x03\x04 and no more", "damaged"),
        ("text.docx", "只是文字", "damaged"),
        ("locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        ("old.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 50, "wrong_suffix"),
        ("broken.pdf", b"%PDF-1.7 and no more", "damaged"),
        ("text.pdf", "只是文字", "damaged"),
        ("broken.ofd", b"PK", "damaged"),
        ("a.xyz", "文字", "unknown_format"),
        ("no.jsonl", "", "file_empty"),
        ("titles.csv", "title,issued_on\n某通知,2020-01-01\n", "no_body_column"),
        ("empty.html", "<html></html>", "no_text"),
    ],
)  # fmt: skip
def test_bad_files(tmp_path: Path, name: str, content: str | bytes, expected: str) -> None:
    assert code(write(tmp_path / name, content)) == expected


def test_bad_archives(tmp_path: Path) -> None:
    document = f"{ENTITY}<w:document {make.W}><w:body><w:p/></w:body></w:document>"
    parts = {"_rels/.rels": make.RELATIONS, "word/document.xml": document}
    assert code(make.archive(tmp_path / "entity.docx", parts)) == "unsafe_xml"
    parts["word/document.xml"] = document.encode("utf-16")
    assert code(make.archive(tmp_path / "entity16.docx", parts)) == "unsafe_xml"
    parts["word/document.xml"] = "x" * (30 << 20)
    assert code(make.archive(tmp_path / "bomb.docx", parts)) == "zip_bomb"
    assert code(make.archive(tmp_path / "many.docx", {f"{i}": "" for i in range(20_001)})) == "zip_bomb"
    assert code(make.archive(tmp_path / "other.docx", {"hello.txt": "x"})) == "wrong_suffix"
    assert code(make.archive(tmp_path / "bad.docx", {"word/document.xml": "<a>"})) == "damaged"
    assert code(make.ofd(tmp_path / "entity.ofd", LINES, prefix=ENTITY)) == "unsafe_xml"
    assert code(make.ofd(tmp_path / "locked.ofd", LINES, {"Encryptions.xml": "<x/>"})) == "encrypted"
    assert code(make.ofd(tmp_path / "empty.ofd", [])) == "no_text_layer"
    assert code(make.pdf(tmp_path / "locked.pdf", [LINES], encrypted=True)) == "encrypted"


def test_an_archive_that_lies_about_its_size(tmp_path: Path) -> None:
    path = make.docx(tmp_path / "a.docx", make.paragraph("甲" * 1000))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        size = file.getinfo("word/document.xml").file_size.to_bytes(4, "little")
    at = data.rindex(size)
    data[at : at + 4] = (7).to_bytes(4, "little")
    assert code(write(path, bytes(data))) == "damaged"


def test_limits_are_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(50 << 20)
    assert code(path) == "file_too_large"
    assert "50 MB" in read(path)[1][0].reason
    assert "20 MB" in read(path)[1][0].reason
    monkeypatch.setattr(base, "DOCUMENT_CHARACTERS", 10)
    assert code(write(tmp_path / "long.md", TEXT)) == "file_too_large"


def test_a_bad_file_stops_no_other(tmp_path: Path) -> None:
    write(tmp_path / "a.pdf", b"%PDF broken")
    write(tmp_path / "b.txt", TEXT)
    write(tmp_path / "README.md", "说明")
    write(tmp_path / ".hidden.txt", TEXT)
    write(tmp_path / "c.xyz", "?")
    documents, rejections = read(tmp_path)
    assert [document.document_id for document in documents] == ["b.txt"]
    assert [(item.source, item.code) for item in rejections] == [("c.xyz", "unknown_format"), ("a.pdf", "damaged")]


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="does not exist"):
        read_documents([tmp_path / "none.txt"])
    with pytest.raises(ReadError):
        read_documents([])
    (tmp_path / "empty").mkdir()
    assert read(tmp_path / "empty")[1][0].code == "no_files"


def test_rows_add_up(tmp_path: Path) -> None:
    rows = [
        json.dumps(
            {"title": TITLE, "body": "依法管理。", "文号": "澜政发[2020] ５号", "category": "规章"}, ensure_ascii=False
        ),
        "{broken",
        json.dumps({"title": "空的", "body": " "}, ensure_ascii=False),
        json.dumps({"title": "数", "body": 7}, ensure_ascii=False),
        json.dumps(["没有对象"], ensure_ascii=False),
        json.dumps({"body": "<p>一、要求</p><p>依法管理。</p>", "issued_on": "2021-02-30"}, ensure_ascii=False),
    ]
    documents, rejections = read(write(tmp_path / "all.jsonl", "\n".join(rows)))
    assert [(item.row, item.code) for item in rejections] == [
        (2, "bad_json"), (3, "missing_body"), (4, "wrong_type"), (5, "wrong_type"),
    ]  # fmt: skip
    assert [document.document_id for document in documents] == ["all.jsonl#1", "all.jsonl#6"]
    assert documents[0].number == "澜政发〔2020〕5号"
    assert documents[0].fields["category"] == "规章"
    assert documents[1].text == "一、要求\n依法管理。"
    assert any("2021-02-30" in problem for problem in documents[1].problems)


def test_csv(tmp_path: Path) -> None:
    text = "标题,正文,成文日期,发文机关,文号\n关于养犬的通知,依法管理养犬。,2020年3月5日,澜东市公安局,澜公〔2020〕1号\n无正文,,,,\n"
    documents, rejections = read(write(tmp_path / "all.csv", text.encode("gb18030")))
    assert [(item.row, item.code) for item in rejections] == [(3, "missing_body")]
    document = documents[0]
    assert (document.title, document.issuer, document.number) == ("关于养犬的通知", "澜东市公安局", "澜公〔2020〕1号")
    assert (document.issued, document.dated_by, document.level) == (dt.date(2020, 3, 5), "field", "部门")


@pytest.mark.parametrize(
    ("issued_on", "issued", "dated_by", "note"),
    [
        ("2020-03-05", dt.date(2020, 3, 5), "field", ""),
        ("2020-03-09", dt.date(2020, 3, 9), "field", "以来源为准"),
        ("2021-06-01", dt.date(2020, 3, 5), "text", "视为发布日期"),
        ("2020年03月05", dt.date(2020, 3, 5), "field", ""),
        (" 2020-03-0", dt.date(2020, 3, 5), "text", ""),
        ("昨天", dt.date(2020, 3, 5), "text", "无法识别"),
        ("", dt.date(2020, 3, 5), "text", ""),
    ],
)
def test_dates_of_the_source_and_of_the_text(
    tmp_path: Path, issued_on: str, issued: dt.date, dated_by: str, note: str
) -> None:
    row = json.dumps({"title": TITLE, "body": TEXT, "issued_on": issued_on}, ensure_ascii=False)
    document = one(write(tmp_path / "a.jsonl", row))
    assert (document.issued, document.dated_by) == (issued, dated_by)
    assert any(note in problem for problem in document.problems) if note else True


def test_a_date_for_those_without(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "关于养犬管理的通知\n依法管理。")
    assert (one(path).issued, one(path).dated_by) == (None, "")
    document = one(path, on=dt.date(2024, 5, 1))
    assert (document.issued, document.dated_by) == (dt.date(2024, 5, 1), "option")


SECOND = "澜东市人民政府办公室文件\n澜政办发〔2021〕9号\n澜东市人民政府办公室关于修剪行道树的意见\n各镇人民政府：\n依法修剪。\n澜东市人民政府办公室\n2021年5月6日"


def test_two_documents_in_one_file(tmp_path: Path) -> None:
    documents, _ = read(write(tmp_path / "a.txt", TEXT + "\n\n" + SECOND))
    assert [document.document_id for document in documents] == ["a.txt[1]", "a.txt[2]"]
    assert [document.number for document in documents] == ["澜政发〔2020〕5号", "澜政办发〔2021〕9号"]
    assert [document.issued for document in documents] == [dt.date(2020, 3, 5), dt.date(2021, 5, 6)]
    assert documents[1].text == SECOND
    assert all(any("2 份公文" in problem for problem in document.problems) for document in documents)


def test_a_forwarded_document_stays_with_its_notice(tmp_path: Path) -> None:
    document = one(write(tmp_path / "a.txt", TEXT.replace("关于加强", "转发关于加强") + "\n" + SECOND))
    assert any("未分开" in problem for problem in document.problems)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (TEXT + "□" * 30, "无法辨认"),
        (TEXT + "市l政~府|应当j公布^清单k并且m公示n结果" * 3, "OCR"),
    ],
)
def test_noise_is_named(tmp_path: Path, text: str, note: str) -> None:
    assert any(note in problem for problem in one(write(tmp_path / "a.txt", text)).problems)


def test_radicals_become_the_characters_they_stand_for(tmp_path: Path) -> None:
    document = one(write(tmp_path / "a.txt", TEXT + "\n依据《⾏政处罚法》第⼆⼗四条，⻄区和⻓江"))
    assert document.text.endswith("依据《行政处罚法》第二十四条，西区和长江")


def test_a_text_published_twice_in_a_row(tmp_path: Path) -> None:
    body = "各镇：为了管理养犬行为，制定本通知。一、养犬人应当登记，并按年检验。二、依法管理，不得扰民，不得遗弃犬只。市政府办公室"
    row = json.dumps({"body": body + body.replace("。", "。 ")}, ensure_ascii=False)
    document = one(write(tmp_path / "a.jsonl", row))
    assert document.text == body.replace("。", "。 ")
    assert any("两遍" in problem for problem in document.problems)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400),
    st.sampled_from([".txt", ".md", ".html", ".docx", ".pdf", ".ofd", ".jsonl", ".csv", ".doc"]),
)
def test_any_bytes_give_documents_or_reasons(tmp_path: Path, data: bytes, suffix: str) -> None:
    documents, rejections = read(write(tmp_path / f"a{suffix}", data))
    assert documents or rejections
    for document in documents:
        document.text.encode()
        assert document.text.strip()
    assert all(item.code and item.reason for item in rejections)
