"""Record and value types that pass between the floors.

Batches are Arrow tables with the schemas below; single records exist only at the edges (console, API, tests).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

_IDENTIFIER = re.compile(r"[^\s\x00-\x1f\x7f]{1,80}")
_ISSUE_CODE = re.compile(r"(?:[0-9]{2}){1,3}")


class PetitionId(str):
    """Identifier of a petition as the source system wrote it: 1 to 80 characters, no white space.

    Raises:
        ValueError: if the text is empty, too long or holds white space or control characters.
    """

    __slots__ = ()

    def __new__(cls, value: str) -> PetitionId:
        """Validate and wrap `value`."""
        if not _IDENTIFIER.fullmatch(value):
            msg = f"not a petition id (1 to 80 characters, no white space): {value[:80]!r}"
            raise ValueError(msg)
        return super().__new__(cls, value)


class UnitCode(str):
    """Code of a unit (承办单位): the directory's code, or the unit's name where no directory is given.

    Raises:
        ValueError: if the text is empty, longer than 80 characters or holds white space.
    """

    __slots__ = ()

    def __new__(cls, value: str) -> UnitCode:
        """Validate and wrap `value`."""
        if not _IDENTIFIER.fullmatch(value):
            msg = f"not a unit code (1 to 80 characters, no white space): {value[:80]!r}"
            raise ValueError(msg)
        return super().__new__(cls, value)


class IssueCode(str):
    """Code of a node of the issue tree: two digits a level, one to three levels (`08`, `0803`, `080312`).

    Raises:
        ValueError: if the text is not two, four or six digits.
    """

    __slots__ = ()

    def __new__(cls, value: str) -> IssueCode:
        """Validate and wrap `value`."""
        if not _ISSUE_CODE.fullmatch(value):
            msg = f"not an issue code (two, four or six digits): {value[:80]!r}"
            raise ValueError(msg)
        return super().__new__(cls, value)

    @property
    def level(self) -> int:
        """Depth in the tree, 1 to 3."""
        return len(self) // 2

    @property
    def parent(self) -> IssueCode | None:
        """The node above, or None for a first-level type."""
        return IssueCode(self[:-2]) if len(self) > 2 else None


#: A petition batch as the readers give it. `row` counts from 1 and includes the header line, as a spreadsheet
#: shows it; `submitted_at` is local (China Standard) time without zone; absent text is "" and absent time null.
PETITION_SCHEMA = pa.schema(
    [
        pa.field("petition_id", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("body", pa.string(), nullable=False),
        pa.field("submitted_at", pa.timestamp("s")),
        pa.field("address", pa.string(), nullable=False),
        pa.field("channel", pa.string(), nullable=False),
        pa.field("issue_type", pa.string(), nullable=False),  # label as filed: name, path "甲/乙/丙" or code; "" if none
        pa.field("unit", pa.string(), nullable=False),  # label: name, alias or code of the responsible unit; "" if none
        pa.field("refused_units", pa.list_(pa.string()), nullable=False),  # 退单: units that sent it back
        pa.field("source", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that could not be read, kept with its reason.

    `code` is a stable machine word (`missing_body`, `duplicate_id` …); `reason` is a sentence for a person; `raw` is
    the row's content as far as it could be recovered (the quarantine file masks personal data in it before it is written).
    """

    source: str
    row: int
    code: str
    reason: str
    raw: str
