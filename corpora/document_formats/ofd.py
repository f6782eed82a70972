"""OFD files (GB/T 33190, the state's layout format): a zip of XML whose text objects are put back into lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpora.document_formats.archives import XmlArchive, resolve_path
from corpora.document_formats.base import Extract, check_length, join_lines
from corpora.formats import UnreadableError

_MAX_PAGES = 5_000


def read_ofd(path: Path) -> Iterator[Extract]:
    """Read the documents of an OFD file, usually one."""
    archive = XmlArchive(path, "OFD")
    if "OFD.xml" not in archive:
        raise UnreadableError("wrong_suffix", "文件是压缩包，但不是 OFD 文件")
    if any(name.rsplit("/", 1)[-1].lower() in ("encryptions.xml", "decryptseed.dat") for name in archive.names()):
        raise UnreadableError("encrypted", "OFD 文件已加密，请去掉密码后再读")
    bodies = [node for node in archive.xml("OFD.xml").iter() if _tag(node) == "DocBody"]
    roots = [(_child(body, "DocRoot"), _child(_first(body, "DocInfo"), "Title")) for body in bodies]
    if not any(root for root, _ in roots):
        raise UnreadableError("damaged", "OFD 文件没有列出文档")
    for root, title in roots:
        if root:
            yield _document(archive, root.lstrip("/"), title if len(title) > 5 else "")


def _document(archive: XmlArchive, root: str, title: str) -> Extract:
    document = archive.xml(root)
    base = _member(archive, root, _child(document, "BaseLoc"))
    del base
    templates = {
        node.get("ID") or "": resolve_path(root, node.get("BaseLoc") or "")
        for node in document.iter()
        if _tag(node) == "TemplatePage"
    }
    pages = [
        resolve_path(root, node.get("BaseLoc") or "")
        for node in document.iter()
        if _tag(node) == "Page" and node.get("BaseLoc")
    ]
    if len(pages) > _MAX_PAGES:
        raise UnreadableError("file_too_large", f"OFD 文件有 {len(pages)} 页，超过上限 {_MAX_PAGES} 页")
    lines: list[str] = []
    empty: list[int] = []
    shown: set[str] = set()
    for number, member in enumerate(pages, 1):
        page = archive.xml(member)
        texts: list[tuple[float, float, float, str]] = []
        for node in page.iter():
            used = node.get("TemplateID") or "" if _tag(node) == "Template" else ""
            if used in templates and used not in shown:
                # The letterhead is a template; one that repeats on every page counts once.
                shown.add(used)
                texts += _texts(archive.xml(templates[used]))
        texts += _texts(page)
        found = _lines(texts)
        if not any(line.strip() for line in found):
            empty.append(number)
        lines += [*found, ""] if found and found[-1].endswith("。") else found
    if not any(line.strip() for line in lines):
        raise UnreadableError("no_text_layer", "OFD 文件只有图形，没有文字，请转成 PDF 后用 OCR 读取")
    problems = [f"第 {'、'.join(map(str, empty[:10]))} 页没有文字，未读"] if empty else []
    return Extract(check_length(join_lines(lines)), title, problems=problems)


def _member(archive: XmlArchive, root: str, target: str) -> str:
    del archive
    return resolve_path(root, target) if target else ""


def _texts(page: Any) -> list[tuple[float, float, float, str]]:  # noqa: ANN401
    """Return the text codes of a page: top, left, size, text."""
    out = []
    for node in page.iter():
        if _tag(node) != "TextObject":
            continue
        box = _numbers(node.get("Boundary") or "")
        left, top = (box[0], box[1]) if len(box) == 4 else (0.0, 0.0)
        size = (_numbers(node.get("Size") or "") or [4.0])[0]
        scale = _numbers(node.get("CTM") or "")
        for code in node.iter():
            if _tag(code) == "TextCode" and code.text:
                x, y = (_numbers(code.get("X") or "") or [0.0])[0], (_numbers(code.get("Y") or "") or [0.0])[0]
                if len(scale) == 6:
                    x, y = scale[0] * x + scale[2] * y + scale[4], scale[1] * x + scale[3] * y + scale[5]
                out.append((top + y, left + x, size, code.text.replace("\n", "")))
    return out


def _lines(texts: list[tuple[float, float, float, str]]) -> list[str]:
    """Put texts at the same height into one line, from left to right."""
    out: list[list[tuple[float, str]]] = []
    last = None
    for top, left, size, text in sorted(texts, key=lambda item: (item[0], item[1])):
        if last is None or top - last > size * 0.5:
            out.append([])
            last = top
        out[-1].append((left, text))
    return ["".join(text for _, text in sorted(line, key=lambda item: item[0])) for line in out]


def _numbers(text: str) -> list[float]:
    return [float(part) for part in re.findall(r"-?\d+(?:\.\d+)?", text)]


def _tag(node: Any) -> str:  # noqa: ANN401
    return node.tag.rsplit("}", 1)[-1] if isinstance(node.tag, str) else ""


def _first(node: Any, tag: str) -> Any:  # noqa: ANN401
    return next((child for child in node if _tag(child) == tag), None) if node is not None else None


def _child(node: Any, tag: str) -> str:  # noqa: ANN401
    found = _first(node, tag)
    return (found.text or "").strip() if found is not None else ""
