"""Excel workbooks (.xlsx, .xlsm, .xls): every sheet that holds a table."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum

from corpora.formats.base import HEADER_DEPTH, CellBlock, RawTable, UnreadableError, find_header, trim_header

#: A workbook is held in memory as a whole; what unpacks to more than this is a mistake or an attack.
_UNPACKED_BYTES = 2 << 30
_CELLS = 200_000_000
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def workbook_tables(path: Path, source: str, mapping: Mapping[str, str], block_rows: int) -> Iterator[RawTable]:
    """Open the sheets of a workbook; see `corpora.formats.open_tables`.

    A workbook with one sheet in use reports its rows under `source`, one with several under `source[sheet]`.
    """
    workbook = open_workbook(path)
    names = [meta.name for meta in workbook.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    used = 0
    several = sum(guard(workbook.get_sheet_by_name, name).end is not None for name in names) > 1
    for name in names:
        sheet = guard(workbook.get_sheet_by_name, name)
        if sheet.end is None:
            continue
        used += 1
        if (sheet.end[0] + 1) * (sheet.end[1] + 1) > _CELLS:
            raise UnreadableError("file_too_large", f"工作表的范围过大：{sheet.end[0] + 1}行×{sheet.end[1] + 1}列")
        yield from _table(sheet, f"{source}[{name}]" if several else source, mapping, block_rows)
    if not used:
        raise UnreadableError("file_empty", "工作簿里没有内容")


def open_workbook(path: Path) -> CalamineWorkbook:
    """Return the workbook at `path`, opened with distrust.

    Raises:
        UnreadableError: if it is empty, encrypted, no workbook, damaged, or unpacks to too much.
    """
    data = path.read_bytes()
    if not data:
        raise UnreadableError("file_empty", "文件是空的")
    if data.startswith(b"\xd0\xcf\x11\xe0") and _ENCRYPTED in data:
        raise UnreadableError("encrypted", "工作簿有密码保护，请去掉密码后再读")
    if data.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unpacked = sum(info.file_size for info in archive.infolist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, UnicodeDecodeError) as error:
            raise UnreadableError("not_a_workbook", "文件已损坏，不是完整的 Excel 工作簿") from error
        if unpacked > _UNPACKED_BYTES:
            raise UnreadableError("file_too_large", "工作簿解压后过大")
    elif not data.startswith(b"\xd0\xcf\x11\xe0") and data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise UnreadableError("not_a_workbook", "文件其实是网页（HTML），请在 Excel 里打开后另存为 .xlsx")
    workbook: CalamineWorkbook = guard(CalamineWorkbook.from_filelike, io.BytesIO(data))
    return workbook


def guard(call: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
    """Call calamine and turn each way in which it fails, panics of its Rust code included, into UnreadableError."""
    try:
        return call(*arguments)
    except PasswordError as error:
        raise UnreadableError("encrypted", "工作簿有密码保护，请去掉密码后再读") from error
    except (CalamineError, ValueError, OSError, OverflowError, MemoryError) as error:
        raise UnreadableError("not_a_workbook", "文件不是 Excel 工作簿，或已损坏") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableError("not_a_workbook", "文件不是 Excel 工作簿，或已损坏") from error


def _table(sheet: CalamineSheet, source: str, mapping: Mapping[str, str], block_rows: int) -> Iterator[RawTable]:
    rows = _rows(sheet)
    head = list(itertools.islice(rows, HEADER_DEPTH))
    while not any(any(cell != "" for cell in cells) for cells in head):
        # The sheet has content somewhere: look on below the blank rows.
        head = [[] for _ in head]
        following = next(rows, None)
        if following is None:
            raise UnreadableError("file_empty", "工作表里没有内容")
        head.append(following)
    index = find_header([[str(cell) for cell in cells] for cells in head[-HEADER_DEPTH:]], mapping)
    index = (index or 0) + max(0, len(head) - HEADER_DEPTH)
    header = trim_header([str(cell) for cell in head[index]])
    numbered = enumerate(itertools.chain(head[index + 1 :], rows), start=index + 2)
    yield RawTable(source, header, _blocks(numbered, header, block_rows), numbers="excel")


def _rows(sheet: CalamineSheet) -> Iterator[Sequence[object]]:
    iterator = guard(sheet.iter_rows)
    while True:
        cells = guard(next, iterator, None)
        if cells is None:
            return
        yield cells


def _blocks(
    numbered: Iterator[tuple[int, Sequence[object]]], header: tuple[str, ...], size: int
) -> Iterator[CellBlock]:
    block = CellBlock(header, [], [])
    for row, cells in numbered:
        if any(cell != "" and (not isinstance(cell, str) or cell.strip()) for cell in cells):
            block.rows.append(row)
            block.cells.append(cells)
            if len(block.rows) >= size:
                yield block
                block = CellBlock(header, [], [])
    if block.rows:
        yield block
