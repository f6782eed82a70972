"""Old Word and WPS files (.doc, .wps, .rtf), turned into .docx by LibreOffice where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from corpora.document_formats.base import FILE_BYTES, Extract, check_size
from corpora.document_formats.web import read_html
from corpora.document_formats.word import looks_like_docx, read_docx
from corpora.formats import UnreadableError

_SECONDS = 120
_PROGRAMS = ("soffice", "libreoffice")


def program() -> str | None:
    """Return LibreOffice's program, None if it is not installed."""
    return next((found for name in _PROGRAMS if (found := shutil.which(name))), None)


def read_office(path: Path) -> Iterator[Extract]:
    """Read a .doc, .wps or .rtf file; one that is a .docx file or a web page under another name is read as that."""
    check_size(path.stat().st_size, FILE_BYTES, "文档")
    if looks_like_docx(path):
        yield from read_docx(path)
        return
    with path.open("rb") as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"<" and (b"<html" in start.lower() or b"<!doctype html" in start.lower()):
        yield from read_html(path)
        return
    soffice = program()
    if soffice is None:
        reason = (
            f"{path.suffix.lower()} 文件要用 LibreOffice 转换，本机没有安装（soffice）；请安装，或另存为 .docx 后再读"
        )
        raise UnreadableError("needs_libreoffice", reason)
    with tempfile.TemporaryDirectory(prefix="minqing-") as folder:
        # A plain name: the file's own may begin with a dash or hold what the program reads as an option.
        source = Path(folder, f"document{path.suffix.lower()}")
        shutil.copyfile(path, source)
        command = [
            soffice, f"-env:UserInstallation={Path(folder, 'profile').as_uri()}", "--headless", "--norestore", "--nolockcheck",
            "--convert-to", "docx", "--outdir", str(Path(folder, "out")), str(source),
        ]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise UnreadableError("conversion_failed", f"LibreOffice 在 {_SECONDS} 秒内没有转换完") from error
        except (subprocess.CalledProcessError, OSError) as error:
            raise UnreadableError("conversion_failed", "LibreOffice 无法转换这个文件") from error
        target = Path(folder, "out", "document.docx")
        if not target.is_file():
            reason = "LibreOffice 无法转换这个文件，可能已损坏或有密码保护"
            raise UnreadableError("conversion_failed", reason)
        for extract in read_docx(target):
            yield replace(extract, problems=[*extract.problems, "由 LibreOffice 转换后读取"])
