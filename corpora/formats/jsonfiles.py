"""JSON Lines (streamed) and JSON arrays (held in memory)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from corpora.formats.base import BLOCK_CHARACTERS, RawTable, RecordBlock, UnreadableError, clip, raw_json
from corpora.formats.textfiles import TextFile, is_escaped, recover
from corpora.records import Rejection

#: A JSON array is parsed as a whole, so its size is bounded; JSON Lines has no bound.
_ARRAY_BYTES = 512 << 20


def json_tables(path: Path, source: str, mapping: Mapping[str, str], block_rows: int) -> Iterator[RawTable]:
    """Open a JSON Lines file, or a JSON array of objects; see `corpora.formats.open_tables`.

    Rows count from 1: lines of JSON Lines, elements of an array. The header is every key that occurs, in order.
    """
    del mapping
    file = TextFile(path)
    first = next((line for line in file.lines() if line.strip()), None)
    if first is None:
        raise UnreadableError("file_empty", "文件没有内容")
    start = first.lstrip()[:1]
    if start == "[" or (start == "{" and _loads(first) is None):
        items = _array(file)
        if items is not None:
            keys = dict.fromkeys(key for item in items if isinstance(item, dict) for key in item)
            header = tuple(keys)
            yield RawTable(source, header, _array_blocks(items, source, header, block_rows))
            return
        if start == "[" and path.suffix.lower() == ".json":
            if path.stat().st_size > _ARRAY_BYTES:
                reason = f"JSON 数组超过 {_ARRAY_BYTES >> 20} MB，请改用 JSON Lines（每行一个对象）"
                raise UnreadableError("file_too_large", reason)
            raise UnreadableError("bad_json", "文件不是有效的 JSON 数组（可能被截断）")
    # Keys may first occur in the last line, so the file is read twice; parsing is a small part of the work.
    found: dict[str, None] = {}
    for line in file.lines():
        record = _loads(line)
        if isinstance(record, dict):
            found.update(dict.fromkeys(record))
    header = tuple(found)
    yield RawTable(source, header, _line_blocks(file, source, header, block_rows))


def _loads(line: str) -> object:
    """Parse one JSON text; None if it is none."""
    try:
        value: object = orjson.loads(line)
    except (ValueError, RecursionError):
        return None
    return value


def _array(file: TextFile) -> list[object] | None:
    """Return the elements of an array, or of the one list in a wrapping object ({"data": [...]}); else None."""
    if file.path.stat().st_size > _ARRAY_BYTES:
        return None
    value = _loads("".join(file.lines()))
    if isinstance(value, dict):
        lists = [item for item in value.values() if isinstance(item, list) and item and isinstance(item[0], dict)]
        # An object without lists is a single record, the only line of a pretty-printed file.
        value = lists[0] if len(lists) == 1 else None if lists else [value]
    return value if isinstance(value, list) else None


def _array_blocks(items: list[object], source: str, header: tuple[str, ...], size: int) -> Iterator[RecordBlock]:
    for start in range(0, len(items), size):
        block = RecordBlock(header, [], [])
        for row, item in enumerate(items[start : start + size], start=start + 1):
            if isinstance(item, dict):
                block.rows.append(row)
                block.records.append(item)
            else:
                block.rejections.append(_no_object(source, row, raw_json({"value": item})))
        yield block


def _line_blocks(file: TextFile, source: str, header: tuple[str, ...], size: int) -> Iterator[RecordBlock]:
    block = RecordBlock(header, [], [])
    characters = 0
    for row, line in enumerate(file.lines(), start=1):
        characters += len(line)
        try:
            record = orjson.loads(line)
        except (ValueError, RecursionError):
            if line.strip():
                block.rejections.append(_broken(source, row, line))
        else:
            if isinstance(record, dict):
                block.rows.append(row)
                block.records.append(record)
            else:
                block.rejections.append(_no_object(source, row, clip(line.strip())))
        if len(block.rows) + len(block.rejections) >= size or characters > BLOCK_CHARACTERS:
            yield block
            block = RecordBlock(header, [], [])
            characters = 0
    if block.rows or block.rejections:
        yield block


def _broken(source: str, row: int, line: str) -> Rejection:
    if is_escaped(line):
        reason = "此行不是本文件的编码，一个文件里混有两种编码或字节已损坏"
        return Rejection(source, row, "undecodable", reason, recover(line.strip()))
    return Rejection(source, row, "bad_json", "此行不是有效的 JSON", clip(line.strip()))


def _no_object(source: str, row: int, raw: str) -> Rejection:
    return Rejection(source, row, "wrong_type", "此行不是 JSON 对象", raw)
