"""Text in the encodings of Chinese exports, line by line, with the lines that do not decode marked rather than lost.

A line that does not decode in the file's encoding comes out with every byte above 127 as a lone surrogate (U+DC80 …
U+DCFF, the convention of `surrogateescape`), so it can go through a CSV parser and be recognised afterwards.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path

from corpora.formats.base import RAW_LIMIT, UnreadableError

_BLOCK_BYTES = 1 << 20
_LINE_BYTES = 16 << 20
_CJK = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MARKS = frozenset(b'\n\r\t,;|"')
_BINARY = (
    (b"PK\x03\x04", "a zip file (an Excel workbook?)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (an Excel workbook?)"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"%PDF", "a PDF file"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
)


class TextFile:
    """Lines of a text file. `escaped` turns true for good once a line was met that does not decode."""

    def __init__(self, path: Path) -> None:
        """Find out the encoding.

        Raises:
            UnreadableError: if the file is empty, is not text, or cannot be opened.
        """
        self.path = path
        self.escaped = False
        try:
            self.encoding, self._skip = _sniff(path)
        except OSError as error:
            raise UnreadableError("unreadable", f"文件无法打开：{error.strerror or type(error).__name__}") from error

    def lines(self) -> Iterator[str]:
        r"""Yield the lines with their ends (\n, \r\n or \r), as `str.splitlines` does not (it knows more ends)."""
        # `yield from` a StringIO keeps the loop over lines in C.
        try:
            for text in self._texts():
                yield from io.StringIO(text, newline="")
        except OSError as error:
            raise UnreadableError("unreadable", f"文件读取中断：{error.strerror or type(error).__name__}") from error

    def _texts(self) -> Iterator[str]:
        """Yield the decoded text in pieces that end at a line's end."""
        if self.encoding.startswith("utf-16"):
            yield from self._wide_texts()
            return
        with self.path.open("rb") as file:
            file.seek(self._skip)
            rest = b""
            while block := file.read(_BLOCK_BYTES):
                block = rest + block
                cut = block.rfind(b"\n") + 1 or block.rfind(b"\r", 0, -1) + 1
                if not cut and len(block) < _LINE_BYTES:
                    rest = block
                    continue
                cut = cut or len(block)
                yield self._decode(block[:cut])
                rest = block[cut:]
            if rest:
                yield self._decode(rest)

    def _decode(self, block: bytes) -> str:
        if self.encoding == "utf-8":
            try:
                return block.decode("utf-8")
            except UnicodeDecodeError:
                pass
        return "".join(self._decode_line(line) for line in block.splitlines(keepends=True))

    def _decode_line(self, line: bytes) -> str:
        if line.isascii():
            return line.decode("ascii")
        try:
            text = line.decode(self.encoding)
        except UnicodeDecodeError:
            pass
        else:
            if self.encoding == "utf-8" or not _is_utf8(line):
                return text
        self.escaped = True
        return line.decode("ascii", "surrogateescape")

    def _wide_texts(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self.encoding)("surrogatepass")
        with self.path.open("rb") as file:
            file.seek(self._skip)
            rest = ""
            while True:
                block = file.read(_BLOCK_BYTES)
                odd = len(block) % 2 if len(block) < _BLOCK_BYTES else 0
                text = rest + decoder.decode(block[: len(block) - odd])
                # A lone last byte is half a character: mark the row.
                text += "\udc80" if odd else ""
                self.escaped = self.escaped or is_escaped(text)
                if not block or odd:
                    # Half of a pair at the very end is still in the decoder.
                    if decoder.getstate()[0]:
                        text += "\udc80"
                        self.escaped = True
                    if text:
                        yield text
                    return
                cut = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
                cut = cut or (len(text) if len(text) > _LINE_BYTES else 0)
                if cut:
                    yield text[:cut]
                rest = text[cut:]


def is_escaped(text: str) -> bool:
    """Tell whether `text` holds bytes that did not decode (or lone surrogates, which no encoding can write)."""
    if text.isascii():
        return False
    # Encoding fails on surrogates alone, and is several times faster than a search for them.
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def recover(text: str) -> str:
    """Return what an escaped text most likely said, for the quarantine: the other encoding, or � for what is lost."""
    data = text[:RAW_LIMIT].encode("utf-8", "surrogateescape" if _only_escapes(text[:RAW_LIMIT]) else "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


def _only_escapes(text: str) -> bool:
    return all(0xDC80 <= ord(character) <= 0xDCFF for character in _SURROGATE.findall(text))


def _is_utf8(line: bytes) -> bool:
    """Tell whether a line of a GB18030 file is UTF-8 that decodes as GB18030 by chance (涓枃-style mojibake).

    Two Chinese characters are asked for: some single pairs of GBK letters (联通) are valid UTF-8 of other scripts.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(_CJK.findall(text)) >= 2


def _sniff(path: Path) -> tuple[str, int]:
    """Return the encoding of a file and the length of its byte order mark."""
    with path.open("rb") as file:
        head = file.read(_BLOCK_BYTES)
        if not head:
            raise UnreadableError("file_empty", "文件是空的")
        for magic, kind in _BINARY:
            if head.startswith(magic):
                raise UnreadableError("not_text", f"文件不是文本：its content is {kind}; give it the right suffix")
        for bom, encoding in _BOMS:
            if head.startswith(bom):
                return encoding, len(bom)
        if wide := _wide(head):
            return wide, 0
        # Votes are counted where there is something to vote on: the first block with bytes above 127.
        while head.isascii() and (following := file.read(_BLOCK_BYTES)):
            head = following
    utf8 = other = 0
    lines = head.splitlines()
    for line in lines[:-1] if len(lines) > 1 and len(head) == _BLOCK_BYTES else lines:
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            utf8 += 1
        except UnicodeDecodeError:
            other += 1
    if other <= utf8:
        return "utf-8", 0
    return "gb18030", 0


def _wide(head: bytes) -> str | None:
    """Recognise UTF-16 without byte order mark: its delimiters and line ends are followed, or preceded, by a zero byte.

    Zero bytes alone tell nothing: 一 (U+4E00) and the ideographic space (U+3000) hold one as well.
    """
    sample = head[: min(len(head), 1 << 16) // 2 * 2]
    if 0 not in sample:
        return None
    even, odd = sample[::2], sample[1::2]
    for low, high, encoding in ((even, odd, "utf-16-le"), (odd, even, "utf-16-be")):
        marks = sum(byte in _MARKS for byte in low)
        wide = sum(byte in _MARKS and not other for byte, other in zip(low, high, strict=True))
        # Two in ten: low bytes of Chinese characters look like delimiters now and then, zero bytes in UTF-8 are strays.
        if wide and wide * 5 >= marks:
            return encoding
    return None
