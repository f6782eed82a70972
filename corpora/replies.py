"""Petitions together with the replies (答复意见) that units gave to them: for judging replies, and for nothing else.

A reply was not there when the petition was filed, so no router may see one. That is why this reader stands apart from
`corpora.readers`, which refuses such columns, and gives batches of a schema of its own. How petitions are read (files,
headers, ids, times, duplicates) is the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpora.dates import last_year, parse_times
from corpora.formats import SUFFIXES, Block, RawTable, UnreadableError, open_tables
from corpora.formats.textfiles import is_escaped
from corpora.headers import MappingError, Plan, check_mapping, describe, match_headers, normalise
from corpora.records import PETITION_SCHEMA, Rejection
from corpora.rows import MAX_TEXT, Converter, as_text, is_binary, raw_content
from corpora.seen import SeenIds
from corpora.source_files import ReadError, SourceFile, expand

#: Fields that a reply adds to those of a petition, with the headers by which they are recognised.
REPLY_HEADERS: dict[str, tuple[str, ...]] = {
    "reply": tuple(
        "reply 答复意见 答复内容 回复内容 回复意见 答复 回复 答复详情 回复详情 答复正文 办理结果 办理情况 处理结果 "
        "处理情况 处理意见 办理意见 反馈内容 replytext replycontent response answer".split()
    ),
    "replied_at": tuple(
        "repliedat 答复时间 答复日期 回复时间 回复日期 反馈时间 办结时间 办结日期 办理时间 replytime replydate".split()
    ),
}

#: A batch of petitions with replies. Absent text is "", an absent time null; a petition without a reply has reply "".
REPLY_SCHEMA = pa.schema(
    [
        *(PETITION_SCHEMA.field(name) for name in ("petition_id", "title", "body", "submitted_at", "channel", "issue_type", "unit")),
        pa.field("reply", pa.string(), nullable=False),
        pa.field("replied_at", pa.timestamp("s")),
        PETITION_SCHEMA.field("source"),
        PETITION_SCHEMA.field("row"),
    ]
)

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class ReplyChunk:
    """A batch (`REPLY_SCHEMA`) of one file's petitions with replies, and the rows between them that are none."""

    table: pa.Table
    rejections: list[Rejection]


def read_replies(
    paths: Sequence[Path], *, mapping: Mapping[str, str] | None = None, chunk_rows: int = 4096
) -> Iterator[ReplyChunk]:
    """Read petitions with their replies from files and folders.

    A row without a reply is read (`reply` is ""): nobody having answered is a finding, not an error. Rejected are the
    rows that `corpora.readers` would reject, those whose time of reply cannot be read, and those answered before they
    were filed.

    Args:
        paths: files, or folders that are searched for files.
        mapping: field → header, for the petition's fields and for `reply` and `replied_at`; wins over recognition.
        chunk_rows: rows of a chunk at the most; chunks do not span files.

    Raises:
        ReadError: at once, if a path does not exist or the mapping cannot be used.
    """
    mapping = dict(mapping or {})
    try:
        check_mapping({field: header for field, header in mapping.items() if field not in REPLY_HEADERS})
    except MappingError as error:
        raise ReadError(str(error)) from error
    files, rejections = expand(paths, SUFFIXES)
    return _chunks(files, rejections, mapping, chunk_rows)


def _chunks(
    files: Sequence[SourceFile], rejections: list[Rejection], mapping: Mapping[str, str], chunk_rows: int
) -> Iterator[ReplyChunk]:
    if rejections:
        yield ReplyChunk(REPLY_SCHEMA.empty_table(), rejections)
    filed = {field: header for field, header in mapping.items() if field not in REPLY_HEADERS}
    seen, latest = SeenIds(), last_year()
    names: list[str] = []
    for file in files:
        try:
            for table in open_tables(file.path, file.source, mapping, chunk_rows):
                plan, columns = match_headers(table.header, filed), _reply_columns(table.header, mapping)
                names.append(table.source)
                missing = _missing(table, plan, columns, mapping)
                if missing is not None:
                    yield ReplyChunk(REPLY_SCHEMA.empty_table(), [missing])
                    continue
                converter = Converter(table, plan, frozenset({"body"}), latest, seen, len(names) - 1, names)
                for block in table.blocks:
                    yield _convert(converter, block, columns)
        except UnreadableError as error:
            yield _whole_file(file.source, error.code, error.reason, error.raw)
        except OSError as error:
            yield _whole_file(file.source, "unreadable", f"文件无法打开：{error.strerror or type(error).__name__}")


def _whole_file(source: str, code: str, reason: str, raw: str = "") -> ReplyChunk:
    return ReplyChunk(REPLY_SCHEMA.empty_table(), [Rejection(source, 0, code, reason, raw)])


def _reply_columns(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Return the column of the reply and of its time, where there is one; a mapped header wins."""
    names = [normalise(cell) for cell in header]
    found = {}
    for field, known in REPLY_HEADERS.items():
        wanted = (normalise(mapping[field]),) if field in mapping else known
        places = [names.index(name) for name in wanted if name in names]
        if places:
            found[field] = places[0]
    return found


def _missing(table: RawTable, plan: Plan, columns: Mapping[str, int], mapping: Mapping[str, str]) -> Rejection | None:
    """Return the rejection of a table without a column of petitions or of replies, or without a mapped column."""
    wanted = dict.fromkeys(("body", "reply", *mapping))
    for field in wanted:
        if field not in plan and field not in columns:
            what = f"没有映射的列“{mapping[field]}”" if field in mapping else "没有认出这一列"
            reason = f"{what}（{field}）；表头为：{describe(table.header)}；请用 --map {field}=列名 指定"
            return Rejection(table.source, 0, f"no_{field}_column", reason, "")
    return None


def _convert(converter: Converter, block: Block, columns: Mapping[str, int]) -> ReplyChunk:
    """Return the petitions of a block with their replies, and every row of it that is none, in row order."""
    petitions, rejections = converter.convert(block)
    place = {row: index for index, row in enumerate(block.rows)}
    kept = [place[row] for row in petitions["row"].to_pylist()]
    bad: dict[int, tuple[str, str]] = {}
    cells = block.column(columns["reply"])
    replies = [_reply(cells[index], at, bad) for at, index in enumerate(kept)]
    times = pa.nulls(len(kept), pa.timestamp("s"))
    if "replied_at" in columns:
        moments = block.column(columns["replied_at"])
        given = [cell.strip() if isinstance(cell, str) else cell for cell in (moments[index] for index in kept)]
        parsed = parse_times(given, numbers=converter.table.numbers, latest=converter.latest_year)
        for at in parsed.bad:
            bad.setdefault(at, ("bad_reply_time", "答复时间无法识别，或不是可能的日期"))
        times = pa.array(parsed.seconds, pa.int64(), mask=~parsed.present).cast(pa.timestamp("s"))
        filed = petitions["submitted_at"].cast(pa.int64()).to_pylist()
        for at, (first, second) in enumerate(zip(filed, times.cast(pa.int64()).to_pylist(), strict=True)):
            # A reply with a date and no hour is of that day, whatever the hour the petition was filed at.
            if first is not None and second is not None and second < (first if second % _DAY else first - first % _DAY):
                bad.setdefault(at, ("reply_before_petition", "答复时间早于来信时间"))
    columns_ = {**{name: petitions[name] for name in petitions.column_names}, "reply": replies, "replied_at": times}
    table = pa.table([columns_[name] for name in REPLY_SCHEMA.names], schema=REPLY_SCHEMA)
    if bad:
        keep = np.ones(len(kept), np.bool_)
        keep[list(bad)] = False
        table = table.filter(pa.array(keep))
        rejections = rejections + [
            Rejection(converter.table.source, block.rows[kept[at]], code, reason, raw_content(block, kept[at]))
            for at, (code, reason) in bad.items()
        ]
        rejections.sort(key=lambda item: item.row)
    return ReplyChunk(table, rejections)


def _reply(cell: object, at: int, bad: dict[int, tuple[str, str]]) -> str:
    text = as_text(cell, "body")
    if text is None:
        bad[at] = ("wrong_type", f"答复应当是文字，这里是{type(cell).__name__}")
    elif is_escaped(text):
        bad[at] = ("undecodable", "答复里有无法解码的字符")
    elif len(text) > MAX_TEXT:
        bad[at] = ("reply_too_long", f"答复有{len(text):,}个字符，超过上限{MAX_TEXT:,}")
    elif is_binary(text):
        bad[at] = ("nul_byte", "答复里有 NUL 或其他控制字符，不是文字")
    else:
        return text
    return ""
