"""Zip files of XML (docx, OFD), opened with distrust: bombs, external entities, paths that lead out, broken members."""

from __future__ import annotations

import io
import posixpath
import zipfile
from pathlib import Path
from typing import Any

from lxml import etree

from corpora.document_formats.base import FILE_BYTES, check_size
from corpora.formats import UnreadableError

#: Limits of an archive. Real documents stay far below: a scanned OFD of 500 pages has some 1,500 members.
MEMBERS = 20_000
UNPACKED_BYTES = 1 << 30
MEMBER_BYTES = 64 << 20  # of a member that is read: XML of text
RATIO = 200  # unpacked to packed, of a member above a megabyte


class XmlArchive:
    """A zip file whose members are read as XML; every way in which it fails is an UnreadableError."""

    def __init__(self, path: Path, name: str) -> None:
        """Open the file at `path`; `name` is what it is called in reasons.

        Raises:
            UnreadableError: if it is empty, too large, damaged, encrypted, or unpacks to more than the limits allow.
        """
        self.name = name
        check_size(path.stat().st_size, FILE_BYTES, f"{name} 文件")
        data = path.read_bytes()
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            infos = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, UnicodeDecodeError, EOFError) as error:
            raise UnreadableError("damaged", f"文件已损坏，不是完整的 {name} 文件") from error
        if len(infos) > MEMBERS or sum(info.file_size for info in infos) > UNPACKED_BYTES:
            raise UnreadableError("zip_bomb", f"压缩包解开后过大（{len(infos)} 个成员），疑为压缩炸弹，未读")
        if any(info.flag_bits & 1 for info in infos):
            raise UnreadableError("encrypted", f"{name} 文件有密码保护，请去掉密码后再读")
        self._infos = {info.filename.lstrip("/"): info for info in infos}

    def __contains__(self, member: str) -> bool:
        return self._key(member) in self._infos

    def names(self) -> list[str]:
        """Return the members' names."""
        return list(self._infos)

    def xml(self, member: str) -> Any:  # noqa: ANN401
        """Return the root element of a member.

        Raises:
            UnreadableError: if it is absent, too large, no XML, or has a document type (which these formats never have:
                entities are an attack).
        """
        data = self.read(member)
        if b"<!DOCTYPE" in data[:100_000] or b"<!ENTITY" in data[:100_000]:
            raise UnreadableError("unsafe_xml", f"{self.name} 文件的 XML 带有文档类型或实体声明，可能是攻击，未读")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False)
        try:
            root = etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise UnreadableError("damaged", f"{self.name} 文件里的 {member} 不是有效的 XML") from error
        if root.getroottree().docinfo.doctype:
            # In UTF-16 the words above are not found byte by byte.
            raise UnreadableError("unsafe_xml", f"{self.name} 文件的 XML 带有文档类型或实体声明，可能是攻击，未读")
        return root

    def read(self, member: str) -> bytes:
        """Return the bytes of a member, within the limits.

        Raises:
            UnreadableError: if it is absent, damaged or larger than it says or may be.
        """
        info = self._infos.get(self._key(member))
        if info is None:
            raise UnreadableError("damaged", f"{self.name} 文件缺少 {member}")
        if info.file_size > MEMBER_BYTES or (
            info.file_size > 1 << 20 and info.file_size > RATIO * max(info.compress_size, 1)
        ):
            raise UnreadableError(
                "zip_bomb", f"{member} 解开后有 {info.file_size >> 20} MB，压缩比异常，疑为压缩炸弹，未读"
            )
        try:
            with self._zip.open(info) as file:
                # The directory may lie about the size: never read more than one byte above the limit.
                data = file.read(MEMBER_BYTES + 1)
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
            raise UnreadableError("damaged", f"{self.name} 文件已损坏（{member}）") from error
        except Exception as error:  # zlib.error, lzma errors: zipfile lets them through
            raise UnreadableError("damaged", f"{self.name} 文件已损坏（{member}）") from error
        if len(data) > MEMBER_BYTES:
            raise UnreadableError("zip_bomb", f"{member} 解开后超过 {MEMBER_BYTES >> 20} MB，疑为压缩炸弹，未读")
        return data

    @staticmethod
    def _key(member: str) -> str:
        return posixpath.normpath(member.replace("\\", "/")).lstrip("/")


def resolve_path(base: str, target: str) -> str:
    """Return the member that `target` means when written in the member `base` (`/` begins at the root)."""
    if target.startswith("/"):
        return target.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), target))
