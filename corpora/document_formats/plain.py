"""Plain text and Markdown, in the encodings that `corpora.formats.textfiles` knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from corpora.document_formats.base import TEXT_BYTES, Extract, check_length, check_size
from corpora.formats import UnreadableError
from corpora.formats.textfiles import TextFile, is_escaped

_SURROGATE = re.compile("[\ud800-\udfff]")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_RULE = re.compile(r"^[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*$\n?", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


def decode(path: Path) -> tuple[str, list[str]]:
    """Return the text of a file with line feeds at the ends of lines, and what did not decode.

    Raises:
        UnreadableError: if the file is empty, too large, binary, or mostly undecodable.
    """
    check_size(path.stat().st_size, TEXT_BYTES, "文本文件")
    file = TextFile(path)
    text = "".join(file.lines()).replace("\r\n", "\n").replace("\r", "\n")
    problems: list[str] = []
    if is_escaped(text):
        bad = [number for number, line in enumerate(text.split("\n"), 1) if is_escaped(line)]
        count = len(_SURROGATE.findall(text))
        if count * 5 > len(text):
            raise UnreadableError("undecodable", "文件不是 UTF-8、GB18030 或 UTF-16 编码的文本，或已损坏", "")
        shown = "、".join(map(str, bad[:5])) + (" 等" if len(bad) > 5 else "")
        problems.append(f"有 {count} 个字节无法解码，以 � 代替（第 {shown} 行）")
        text = _SURROGATE.sub("\ufffd", text)
    if "\x00" in text:
        problems.append("文本里有空字符，以 � 代替")
        text = text.replace("\x00", "\ufffd")
    return check_length(text), problems


def read_text(path: Path) -> Iterator[Extract]:
    """Read a text file."""
    text, problems = decode(path)
    yield Extract(text, problems=problems)


def read_markdown(path: Path) -> Iterator[Extract]:
    """Read a Markdown file: marks of headings and emphasis are taken off, `key: value` lines at its head are fields."""
    text, problems = decode(path)
    fields: dict[str, str] = {}
    if front := _FRONT.match(text):
        for line in front[1].split("\n"):
            key, colon, value = line.partition(":")
            if colon and value.strip():
                fields[key.strip()] = value.strip().strip("\"'")
        text = text[front.end() :]
    text = _RULE.sub("", _COMMENT.sub("", text))
    first = _HEADING.search(text)
    title = first[2] if first and len(first[1]) == 1 else ""
    text = _EMPHASIS.sub(r"\2", _HEADING.sub(r"\2", text))
    yield Extract(check_length(text), title, fields, problems)
